"""What is told of natural modes, and of buckling: tables of frequencies with effective masses, and of factors."""

from __future__ import annotations

from collections.abc import Sequence

from dougong.client.cli.console import count, number, numbers, say, table
from dougong.client.units import unit_name
from dougong.messages import user_language
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

#: Parts of the mass smaller than these, in percent, are shown as nothing.
_LEAST_SHARE = 0.05


def modes_overview(
    step: result_pb2.StepResult,
    frames: Sequence[result_pb2.Frame],
    asked: analysis_pb2.Step,
    units: analysis_pb2.UnitSystem,
) -> list[str]:
    """The table of natural modes: frequency, effective masses in percent of the whole, their sums so far."""
    directions = list(step.modes.directions)
    summed = [k for k, name in enumerate(directions) if not name.startswith("r")]
    hertz = unit_name(options_pb2.DIMENSION_FREQUENCY, units)
    rows = [[say("CLI_MODE"), f"{say('CLI_MODE_FREQUENCY')} [{hertz}]", *directions]]
    rows[0] += [f"Σ {directions[k]}" for k in summed]
    for frame in frames:
        mode = frame.mode
        shares = [m / t if t else 0.0 for m, t in zip(mode.effective_mass, step.modes.totals, strict=True)]
        row = [frame.name, say("CLI_MODE_FREE") if mode.rigid else _digits(frame.value), *map(_percent, shares)]
        rows.append(row + [_percent(mode.cumulative[k]) for k in summed])
    lines = table(rows, indent="  ", right=range(1, len(rows[0])))
    lines += ["  " + say("CLI_MODE_SHARES"), ""]
    length, mass = unit_name(options_pb2.DIMENSION_LENGTH, units), unit_name(options_pb2.DIMENSION_MASS, units)
    centre = ", ".join(numbers(step.mass.centre, 1e-9))
    facts = [
        (say("CLI_MODE_MASS"), f"{number(step.mass.mass)} {mass}".strip()),
        (say("CLI_MODE_CENTRE"), f"({centre}) {length}".strip()),
    ]
    if step.modes.rigid:
        facts.append((say("CLI_MODE_FREE_MOTIONS"), str(step.modes.rigid)))
    return lines + table(facts + _evidence(step), indent="  ")


def buckling_overview(
    step: result_pb2.StepResult,
    frames: Sequence[result_pb2.Frame],
    asked: analysis_pb2.Step,
    units: analysis_pb2.UnitSystem,
) -> list[str]:
    """The table of buckling factors, and what the lowest positive one means."""
    rows = [[say("CLI_MODE"), say("CLI_BUCKLING_FACTOR"), ""]]
    for frame in frames:
        rows.append([frame.name, _digits(frame.value), say("CLI_BUCKLING_REVERSED") if frame.value < 0 else ""])
    positive = [f.value for f in frames if f.value > 0]
    lines = table(rows, indent="  ", right=(1,))
    if positive:
        word = "CLI_BUCKLES_BELOW" if min(positive) < 1 else "CLI_BUCKLES_AT"
        lines += ["", "  " + say(word, factor=_digits(min(positive)))]
    else:
        lines += ["", "  " + say("CLI_BUCKLES_REVERSED_ONLY")]
    return [*lines, "", *table(_evidence(step), indent="  ")]


def _evidence(step: result_pb2.StepResult) -> list[tuple[str, str]]:
    chinese = user_language() == "zh"
    solve = step.solve
    missed = say("CLI_MODE_NONE_MISSED") if not step.modes.missed else count(step.modes.missed)
    dofs = say("CLI_SUM_PRESCRIBED", dofs=count(step.dofs), prescribed=count(step.constrained_dofs))
    rows = [(say("CLI_MODE_MISSED"), missed), (say("CLI_MODE_ERROR"), f"{solve.backward_error:.1e}")]
    if step.HasField("balance"):
        rows.append((say("CLI_SUM_EQUILIBRIUM"), f"{step.balance.equilibrium_error:.1e}"))
    return [
        *rows,
        (say("CLI_SUM_DOFS"), dofs),
        (say("CLI_SUM_SOLVER"), solve.method_zh if chinese else solve.method),
        (say("CLI_SUM_WHY"), solve.why_zh if chinese else solve.why),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if abs(100 * share) >= _LEAST_SHARE else "-"


def _digits(value: float) -> str:
    """Five digits: a factor decides whether something holds, a frequency whether it resonates."""
    return f"{value:,.5g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.4e}"
