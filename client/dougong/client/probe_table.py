"""What probes tell in all frames of a step, as a table: a row a frame, a column a component."""

from __future__ import annotations

import csv
import io

from dougong.client.frames import frames_of
from dougong.client.units import unit_name
from dougong.v1 import analysis_pb2, result_pb2


def probe_table(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem) -> list[list[str | float]]:
    """The rows, the headings first; empty where the step has no probes.

    Parameters
    ----------
    step
        The step.
    units
        The unit system.
    """
    frames = frames_of(step)
    if not any(f.probes for f in frames):
        return []
    valued = any(f.HasField("value") for f in frames)
    heads: list[str | float] = ["step", "frame", *(["value"] if valued else [])]
    for value in next(f.probes for f in frames if f.probes):
        unit = unit_name(value.dimension, units)
        for component in value.components or [""]:
            name = ".".join(x for x in (value.field, component) if x)
            heads.append(f"{value.probe} {name} [{unit}]" if unit else f"{value.probe} {name}")
    rows: list[list[str | float]] = [heads]
    for number, frame in enumerate(frames, 1):
        known: list[str | float] = [step.name, frame.name or str(number)]
        if valued:
            known.append(frame.value)
        rows.append([*known, *(x for v in frame.probes for x in v.values)])
    return rows


def as_csv(rows: list[list[str | float]]) -> str:
    """Rows as comma-separated values; numbers with all their digits."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
