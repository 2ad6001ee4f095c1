"""A transient heat step for people: temperatures over time, and where the heat went."""

from __future__ import annotations

from collections.abc import Sequence

from dougong.client.cli.console import count, number, numbers, say, table
from dougong.client.dimensions import ENERGY
from dougong.client.units import unit_name
from dougong.messages import user_language
from dougong.v1 import analysis_pb2, options_pb2, result_pb2

#: Lines of the table; of more times some are shown.
_LINES = 20


def heat_overview(
    step: result_pb2.StepResult,
    frames: Sequence[result_pb2.Frame],
    asked: analysis_pb2.Step,
    units: analysis_pb2.UnitSystem,
) -> list[str]:
    """The history at the times of the frames, and the evidence of the step."""
    history = step.heat_history
    rows = _rows(history, {f.value for f in frames})
    columns = (
        ("CLI_HEAT_TIME", history.time, options_pb2.DIMENSION_TIME),
        ("CLI_SUM_TEMPERATURE_MIN", history.min_temperature, options_pb2.DIMENSION_TEMPERATURE),
        ("CLI_SUM_TEMPERATURE_MAX", history.max_temperature, options_pb2.DIMENSION_TEMPERATURE),
        ("CLI_HEAT_STORED", history.stored, ENERGY),
        ("CLI_HEAT_BY_LOADS", history.by_loads, ENERGY),
        ("CLI_HEAT_BY_CONDITIONS", history.by_conditions, ENERGY),
    )
    texts = []
    for label, values, dimension in columns:
        head = f"{say(label)} [{unit_name(dimension, units)}]"
        texts.append([head, *numbers([values[k] for k in rows])])
    lines = table(zip(*texts, strict=True), indent="  ", right=range(len(texts)))
    return [*lines, "", *table(_evidence(step, units), indent="  ")]


def _rows(history: result_pb2.HeatHistory, times: set[float]) -> list[int]:
    """Rows that are shown: the beginning, those of the frames, and where these are too many evenly spread ones."""
    rows = [k for k, t in enumerate(history.time) if k == 0 or t in times]
    if len(rows) > _LINES:
        rows = [rows[round(k * (len(rows) - 1) / (_LINES - 1))] for k in range(_LINES)]
    return rows


def _evidence(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem) -> list[tuple[str, str]]:
    history, solve = step.heat_history, step.solve
    chinese = user_language() == "zh"
    time = unit_name(options_pb2.DIMENSION_TIME, units)
    steps = say(
        "CLI_HEAT_STEPS_TAKEN",
        n=count(history.steps),
        rejected=count(history.rejected_steps),
        shortest=f"{number(history.shortest_step)} {time}".strip(),
        longest=f"{number(history.longest_step)} {time}".strip(),
    )
    rows = [
        (say("CLI_HEAT_STEPS"), steps),
        (say("CLI_HEAT_BALANCE"), f"{history.balance_error:.1e}"),
        (say("CLI_SUM_BACKWARD"), f"{solve.backward_error:.1e}"),
        (
            say("CLI_SUM_DOFS"),
            say("CLI_SUM_PRESCRIBED", dofs=count(step.dofs), prescribed=count(step.constrained_dofs)),
        ),
        (say("CLI_SUM_SOLVER"), solve.method_zh if chinese else solve.method),
        (say("CLI_SUM_WHY"), solve.why_zh if chinese else solve.why),
        (say("CLI_SUM_SETUPS"), count(solve.setups)),
    ]
    # Each step has two stages; one solve for each is no iteration.
    if history.newton_iterations > 2 * (history.steps + history.rejected_steps):
        rows.append((say("CLI_SUM_NEWTON"), count(history.newton_iterations)))
    if solve.iterations:
        rows.append((say("CLI_SUM_ITERATIONS"), count(solve.iterations)))
    return rows
