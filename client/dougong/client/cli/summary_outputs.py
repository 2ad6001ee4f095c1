"""What a result tells beside extremes and balance: the error estimate, probes, section forces, extremes of regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dougong.client.cli.console import count, number, numbers, say, table
from dougong.client.cli.tables import NOISE, without_noise
from dougong.client.frames import frames_of
from dougong.client.units import unit_name
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

_LENGTH = options_pb2.DIMENSION_LENGTH

#: A moment this much smaller than that of the force about the origin is rounding.
_ROUNDING = 1e-9
#: Of more frames only the first and the last are shown.
_SHOWN_FRAMES = 12


def further_lines(
    step: result_pb2.StepResult, frames: Sequence[result_pb2.Frame], units: analysis_pb2.UnitSystem
) -> list[str]:
    """The lines that follow the table of a step.

    Parameters
    ----------
    step
        The step.
    frames
        Those of its frames that are told of.
    units
        The unit system.
    """
    parts = [
        _error(frames, units),
        _probes(step, frames, units),
        _sections(frames, units),
        _regions(step, frames, units),
    ]
    return [line for part in parts if part for line in ("", *part)]


def _error(frames: Sequence[result_pb2.Frame], units: analysis_pb2.UnitSystem) -> list[str]:
    """The estimated error of the worst frame, and where to refine."""
    told = [f for f in frames if f.HasField("error")]
    if not told:
        return []
    worst = max(told, key=lambda f: f.error.relative_error)
    error = worst.error
    share = _percent(error.relative_error)
    label = say("CLI_SUM_ERROR")
    text = say("CLI_SUM_ERROR_OF", error=share, frame=worst.name) if worst.name and len(frames) > 1 else share
    lines = table([(label, text)], indent="  ")
    if error.relative_error <= error.target:
        return lines
    length = unit_name(_LENGTH, units)
    advice = say("CLI_SUM_REFINE", target=_percent(error.target), cells=count(round(error.cells_for_target)))
    lines.append("  " + advice)
    rows = []
    for spot in error.spots:
        place = f"({', '.join(numbers(spot.point, NOISE))}) {length}".strip()
        sizes = numbers([spot.size, spot.wanted_size])
        near = say("CLI_SUM_SPOT_NEAR", regions=", ".join(spot.regions)) if spot.regions else ""
        rows.append(
            (
                "  " + _percent(spot.share),
                say("CLI_SUM_SPOT_PLACE", place=place, cell=spot.cell),
                say("CLI_SUM_SPOT_SIZE", size=sizes[0], wanted=sizes[1], unit=length).strip(),
                near,
            )
        )
    return lines + table(rows, indent="  ", right=[0])


def _percent(part: float) -> str:
    return f"{100 * part:.2g} %" if part < 0.995 else f"{100 * part:.0f} %"


def _probes(
    step: result_pb2.StepResult, frames: Sequence[result_pb2.Frame], units: analysis_pb2.UnitSystem
) -> list[str]:
    """A table for each probe: a row a frame, a column a component."""
    lines: list[str] = []
    length = unit_name(_LENGTH, units)
    several = len(frames_of(step)) > 1
    for place in step.probes:
        where = f"({', '.join(numbers(place.point, NOISE))}) {length}".strip()
        head = say("CLI_SUM_PROBE", probe=place.probe, place=where, cell=place.cell)
        if place.distance:
            head += " " + say("CLI_SUM_PROBE_MOVED", distance=number(place.distance), unit=length).strip()
        shown = list(frames)
        if len(shown) > _SHOWN_FRAMES:
            shown = [*shown[: _SHOWN_FRAMES // 2], *shown[-_SHOWN_FRAMES // 2 :]]
        fields = [v for v in frames[0].probes if v.probe == place.probe] if frames else []
        rows = [["", *_heads(fields, units)]]
        texts = [numbers([x for v in f.probes if v.probe == place.probe for x in v.values], NOISE) for f in shown]
        for k, (frame, values) in enumerate(zip(shown, texts, strict=True)):
            if len(frames) > _SHOWN_FRAMES and k == _SHOWN_FRAMES // 2:
                rows.append(["...", *[""] * (len(rows[0]) - 1)])
            rows.append([_name(frame) if several else "", *values])
        lines += ["", "  " + head, *table(rows, indent="    ", right=range(1, len(rows[0])))]
    return lines[1:]


def _name(frame: result_pb2.Frame) -> str:
    return frame.name or (number(frame.value) if frame.HasField("value") else "")


def _heads(fields: Iterable[result_pb2.ProbeValue], units: analysis_pb2.UnitSystem) -> list[str]:
    """Headings of the columns of probes."""
    found = []
    for value in fields:
        unit = unit_name(value.dimension, units)
        for component in value.components or [""]:
            name = f"{value.field} {component}".strip()
            found.append(f"{name} [{unit}]" if unit else name)
    return found


def _sections(frames: Sequence[result_pb2.Frame], units: analysis_pb2.UnitSystem) -> list[str]:
    """Forces and moments through cuts, and moments of the reactions."""
    rows: list[list[str]] = []
    for frame in frames:
        prefix = f"{frame.name}: " if len(frames) > 1 else ""
        for one in frame.section_forces:
            heat = len(one.sum) == 1
            unit = unit_name(options_pb2.DIMENSION_POWER if heat else options_pb2.DIMENSION_FORCE, units)
            label = say("CLI_SUM_SECTION_HEAT" if heat else "CLI_SUM_SECTION_FORCE", name=one.name)
            rows.append([prefix + label, *_padded(numbers(one.sum, NOISE)), unit])
            if one.moment:
                point = ", ".join(numbers(one.about, NOISE))
                label = say("CLI_SUM_SECTION_MOMENT", name=one.name, point=point)
                moment = numbers(_without_noise(one), NOISE)
                texts = ["", "", *moment] if len(moment) == 1 else moment
                rows.append([prefix + label, *texts, unit_name(options_pb2.DIMENSION_MOMENT, units)])
    if not rows:
        return []
    directed = any(len(one.sum) > 1 for frame in frames for one in frame.section_forces)
    head = [["", "x", "y", "z", ""]] if directed else []
    return table([*head, *rows], indent="  ", right=range(1, 4))


def _without_noise(one: result_pb2.RegionSum) -> list[float]:
    """The moment, zero where it is rounding beside that of the force about the origin."""
    largest = max(map(abs, one.sum)) * max(map(abs, one.about))
    return [m if abs(m) > _ROUNDING * largest else 0.0 for m in one.moment]


def _padded(texts: Sequence[str]) -> list[str]:
    return [*texts, *[""] * (3 - len(texts))]


def _regions(
    step: result_pb2.StepResult, frames: Sequence[result_pb2.Frame], units: analysis_pb2.UnitSystem
) -> list[str]:
    """Extremes within regions: of scalars and magnitudes."""
    found = step.region_extremes if len(frames) > 1 else (frames[0].region_extremes if frames else [])
    rows = []
    for e in found:
        if e.component:
            continue
        low, high = numbers([without_noise(e.min, e), without_noise(e.max, e)])
        range_of = say("CLI_SUM_RANGE", low=low, low_node=e.min_node, high=high, high_node=e.max_node)
        rows.append((e.region, e.field, range_of))
    return (
        table([(say("CLI_SUM_REGION_EXTREMES"), "", ""), *(("  " + r, f, t) for r, f, t in rows)], indent="  ")
        if rows
        else []
    )
