"""What is told of the reference points of couplings: how they move, and what holds them."""

from __future__ import annotations

from collections.abc import Sequence

from dougong.client.cli.console import number, say, table
from dougong.client.units import unit_name
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

#: Numbers below this part of the largest of their kind are rounding errors.
_NOISE = 1e-9

#: Dimension of a motion and of what acts along it, by its first word.
_DIMENSIONS = {
    "translation": (options_pb2.DIMENSION_LENGTH, options_pb2.DIMENSION_FORCE),
    "rotation": (None, options_pb2.DIMENSION_MOMENT),
}


def point_lines(points: Sequence[result_pb2.PointResult], units: analysis_pb2.UnitSystem) -> list[str]:
    """Lines on reference points; none where there are none.

    Parameters
    ----------
    points
        Of a frame.
    units
        The unit system.
    """
    rows = []
    for point in points:
        label = say("CLI_SUM_POINT", coupling=point.coupling)
        rows.append((label, _listed(point.motions, point.motion, 0, units) or "0"))
        held = _listed(point.motions, point.reaction, 1, units)
        if held:
            rows.append((say("CLI_SUM_POINT_HELD"), held))
    return table(rows, indent="  ")


def _listed(motions: Sequence[str], values: Sequence[float], of: int, units: analysis_pb2.UnitSystem) -> str:
    """Values that are not zero: "x -0.012 mm, rotation y 0.0004 rad"; `of` motions 0, of forces 1."""
    told = []
    for kind, dimensions in _DIMENSIONS.items():
        mine = [(m, v) for m, v in zip(motions, values, strict=True) if m.startswith(kind)]
        largest = max((abs(v) for _, v in mine), default=0.0)
        dimension = dimensions[of]
        unit = unit_name(dimension, units) if dimension is not None else "rad"
        for motion, value in mine:
            if abs(value) > _NOISE * largest:
                name = motion[-1] if kind == "translation" else say("CLI_SUM_ABOUT", axis=motion[-1])
                told.append(f"{name} {number(value)} {unit}")
    return ", ".join(told)
