"""Curves of probes over time, frequency or another value of the frames, as a .png file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dougong.client.frames import frames_of
from dougong.client.render_page import Texts
from dougong.client.units import unit_name
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

_DPI = 150
#: So many frames make a curve.
_LEAST = 3
_HEIGHT, _WIDTH = 3.0, 8.0

#: What the frames of a kind are over, and its dimension.
_KINDS = {
    "KIND_TIME": ("CLI_PIC_TIME", options_pb2.DIMENSION_TIME),
    "KIND_FREQUENCY": ("CLI_PIC_FREQUENCY", options_pb2.DIMENSION_FREQUENCY),
}


def draw_curves(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem, target: Path, title: str) -> bool:
    """Draw what the probes of a step tell over the values of its frames; False where that makes no curve.

    One diagram for each field, one curve for each probe and component.

    Parameters
    ----------
    step, units
        The step, and the unit system.
    target
        The .png file.
    title
        First line of the picture.
    """
    frames = frames_of(step)
    told = list(frames[0].probes)
    kind = result_pb2.Frame.Kind.Name(frames[0].kind)
    if len(frames) < _LEAST or not told or kind not in _KINDS:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    text = Texts()
    fields = list(dict.fromkeys(v.field for v in told))
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(fields) + 0.6), dpi=_DPI, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(text.plain(title), fontsize=12, weight="bold", **text.font)
    axes = figure.subplots(len(fields), 1, sharex=True, squeeze=False)[:, 0]
    x = [frame.value for frame in frames]
    for field, one in zip(fields, axes, strict=True):
        _diagram(one, field, x, frames, units, text)
    word, dimension = _KINDS[kind]
    axes[-1].set_xlabel(f"{text.say(word)} [{unit_name(dimension, units)}]", **text.font)
    canvas.print_figure(str(target), dpi=_DPI)
    return True


def _diagram(
    axes: Any,
    field: str,
    x: list[float],
    frames: list[result_pb2.Frame],
    units: analysis_pb2.UnitSystem,
    text: Texts,
) -> None:
    """The curves of a field."""
    unit = ""
    for k, value in enumerate(frames[0].probes):
        if value.field != field:
            continue
        unit = unit_name(value.dimension, units)
        for j, component in enumerate(value.components or [""]):
            y = [frame.probes[k].values[j] for frame in frames]
            axes.plot(
                x, y, marker=".", markersize=4, linewidth=1.2, label=text.plain(f"{value.probe} {component}".strip())
            )
    axes.set_ylabel(f"{field} [{unit}]" if unit else field)
    axes.grid(True, linewidth=0.4, color="0.85")
    axes.legend(fontsize=8, loc="best", prop={"family": text.font["fontfamily"], "size": 8})
