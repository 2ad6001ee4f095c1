"""Tables of a summary: extremes of frames beside each other, sums of loads and reactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dougong.client.cli.console import number, numbers, say, table
from dougong.client.units import unit_name
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

#: Part of the largest value of a field or a table below which a value is rounding.
NOISE = 1e-6


@dataclass(frozen=True)
class Sums:
    """What is summed over the nodes in a physics.

    Attributes
    ----------
    loads, reactions, of_region
        Labels of the sums of loads, of reactions, and of the reactions of one region.
    dimension
        Of the sums.
    scalar
        Whether it has no direction.
    """

    loads: str
    reactions: str
    of_region: str
    dimension: options_pb2.Dimension
    scalar: bool = True


_FORCES = Sums("CLI_SUM_LOADS", "CLI_SUM_REACTIONS", "CLI_SUM_REACTION_OF", options_pb2.DIMENSION_FORCE, scalar=False)
_HEAT = Sums("CLI_SUM_HEAT_LOADS", "CLI_SUM_HEAT_REACTIONS", "CLI_SUM_HEAT_REACTION_OF", options_pb2.DIMENSION_POWER)

#: By procedure; that of all others is force.
_SUMS = {
    "steady_heat": _HEAT,
    "transient_heat": _HEAT,
    "electrostatics": Sums(
        "CLI_SUM_CHARGE_LOADS",
        "CLI_SUM_CHARGE_REACTIONS",
        "CLI_SUM_CHARGE_REACTION_OF",
        options_pb2.DIMENSION_ELECTRIC_CHARGE,
    ),
    "seepage": Sums(
        "CLI_SUM_WATER_LOADS", "CLI_SUM_WATER_REACTIONS", "CLI_SUM_WATER_REACTION_OF", options_pb2.DIMENSION_VOLUME_FLOW
    ),
}


def sums_of(procedure: str) -> Sums:
    """What the sums of a step of a procedure are."""
    return _SUMS.get(procedure, _FORCES)


#: With more frames than these their sums would fill the page.
_MANY_FRAMES = 8

#: Label, field, whether the largest value is meant, dimension.
Shown = tuple[str, str, bool, options_pb2.Dimension]


def without_noise(value: float, extreme: result_pb2.Extreme) -> float:
    """A value of a field; zero where it is noise beside the largest."""
    return value if abs(value) > NOISE * max(abs(extreme.min), abs(extreme.max)) else 0.0


def frame_table(
    frames: Sequence[result_pb2.Frame], shown: Sequence[Shown], units: analysis_pb2.UnitSystem
) -> list[str]:
    """The largest values of each frame, with their nodes, and its iterations.

    Parameters
    ----------
    frames
        All frames of a step.
    shown
        Which values.
    units
        The unit system.
    """
    heads = [f"{say(label)} [{unit_name(dimension, units)}]" for label, _, _, dimension in shown]
    iterate = any(f.solve.iterations for f in frames)
    rows = [[say("CLI_COL_FRAME"), *(text for head in heads for text in (head, say("CLI_COL_NODE")))]]
    columns = []
    for _, field, largest, _ in shown:
        found = [next((e for e in f.extremes if e.field == field and not e.component), None) for f in frames]
        values = [0.0 if e is None else without_noise(e.max if largest else e.min, e) for e in found]
        nodes = ["" if e is None else str(e.max_node if largest else e.min_node) for e in found]
        columns.append((numbers(values), nodes))
    for k, frame in enumerate(frames):
        rows.append([frame.name, *(texts[k] for pair in columns for texts in pair)])
    if iterate:
        rows[0].append(say("CLI_SUM_ITERATIONS"))
        for row, frame in zip(rows[1:], frames, strict=True):
            row.append(str(frame.solve.iterations) if frame.HasField("solve") else "-")
    return table(rows, indent="  ", right=range(1, len(rows[0])))


def combination_lines(step: analysis_pb2.Step, names: Sequence[str]) -> list[str]:
    """What each combination is made of: "ultimate = 1.35 dead + 1.5 wind".

    Parameters
    ----------
    step
        The step as it was asked for.
    names
        Of its frames.
    """
    rows = []
    for one, name in zip(step.combinations, names[len(step.load_cases) :], strict=False):
        text = say("CLI_SUM_LOADS_OF_STEP") if step.loads else ""
        for case in names[: len(step.load_cases)]:
            factor = one.factors.get(case, 0.0)
            if factor:
                sign = (" - " if text else "-") if factor < 0 else (" + " if text else "")
                text += f"{sign}{'' if abs(factor) == 1 else number(abs(factor)) + ' '}{case}"
        rows.append((name, f"= {text or '0'}"))
    return table(rows, indent="  ")


def force_table(
    frames: Sequence[result_pb2.Frame], sums: Sums, noise: float, units: analysis_pb2.UnitSystem
) -> list[str]:
    """Sums of loads and reactions of each frame; of many the one with the largest reactions, and the last."""
    if len(frames) > _MANY_FRAMES:
        largest = max(frames, key=lambda f: max(map(abs, f.balance.reaction_sum), default=0.0))
        frames = [f for f in frames if f.name in (largest.name, frames[-1].name)]
    rows = []
    for frame in frames:
        rows += [(f"{frame.name}: {label}", values) for label, values in balance_rows(frame.balance, sums)]
    return sum_table(rows, sums, noise, units)


def balance_rows(balance: result_pb2.Balance, sums: Sums) -> list[tuple[str, Sequence[float]]]:
    """The sums that cancel: loads, what springs and foundations exert, reactions, what equations exert."""
    supports = balance.support_sum
    loads = [a - b for a, b in zip(balance.load_sum, supports, strict=True)] if supports else balance.load_sum
    rows: list[tuple[str, Sequence[float]]] = [(say(sums.loads), loads)]
    if supports:
        rows.append((say("CLI_SUM_SUPPORTS"), supports))
    rows.append((say(sums.reactions), balance.reaction_sum))
    largest = max((abs(x) for _, values in rows for x in values), default=0.0)
    # Those of couplings and ties add up to rounding.
    if any(abs(x) > NOISE * largest for x in balance.link_sum):
        rows.append((say("CLI_SUM_EQUATIONS"), balance.link_sum))
    return rows


def sum_table(
    rows: Sequence[tuple[str, Sequence[float]]], sums: Sums, noise: float, units: analysis_pb2.UnitSystem
) -> list[str]:
    """Sums of forces, of heat or the like, with their labels.

    Parameters
    ----------
    rows
        Labels and components.
    sums
        What they are.
    noise
        What is smaller than this part of the largest is shown as zero.
    units
        The unit system.
    """
    unit = unit_name(sums.dimension, units)
    axes = [""] if sums.scalar else list("xyz"[: max(1, *(len(values) for _, values in rows))])
    padded = [v for _, values in rows for v in [*values, *[0.0] * (len(axes) - len(values))]]
    texts = numbers(padded, noise)  # all sums are written in one way
    lines = [] if sums.scalar else [["", *axes, ""]]
    for k, (label, _) in enumerate(rows):
        lines.append([label, *texts[k * len(axes) : (k + 1) * len(axes)], unit])
    return table(lines, indent="  ", right=range(1, len(axes) + 1))
