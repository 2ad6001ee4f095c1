"""A result for people: a table with units, and the evidence that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dougong.client.cli.console import count, number, numbers, say, seconds, table
from dougong.client.cli.overviews import OVERVIEWS
from dougong.client.cli.summary_outputs import further_lines
from dougong.client.cli.summary_points import point_lines
from dougong.client.cli.tables import (
    NOISE,
    balance_rows,
    combination_lines,
    force_table,
    frame_table,
    sum_table,
    sums_of,
    without_noise,
)
from dougong.client.dimensions import ENERGY
from dougong.client.frames import frames_of, number_of
from dougong.client.units import unit_name
from dougong.messages import all_reasons, user_language
from dougong.v1 import analysis_pb2, job_pb2, options_pb2, result_pb2

#: Label, field, whether the largest value is meant, dimension.
EXTREMES = (
    ("CLI_SUM_DISPLACEMENT", "displacement_magnitude", True, options_pb2.DIMENSION_LENGTH),
    ("CLI_SUM_VON_MISES", "von_mises", True, options_pb2.DIMENSION_PRESSURE),
    ("CLI_SUM_TEMPERATURE_MAX", "temperature", True, options_pb2.DIMENSION_TEMPERATURE),
    ("CLI_SUM_TEMPERATURE_MIN", "temperature", False, options_pb2.DIMENSION_TEMPERATURE),
    ("CLI_SUM_HEAT_FLUX", "heat_flux_magnitude", True, options_pb2.DIMENSION_HEAT_FLUX),
    ("CLI_SUM_POTENTIAL_MAX", "electric_potential", True, options_pb2.DIMENSION_ELECTRIC_POTENTIAL),
    ("CLI_SUM_ELECTRIC_FIELD", "electric_field_magnitude", True, options_pb2.DIMENSION_ELECTRIC_FIELD),
    ("CLI_SUM_HEAD_MAX", "head", True, options_pb2.DIMENSION_LENGTH),
    ("CLI_SUM_HEAD_MIN", "head", False, options_pb2.DIMENSION_LENGTH),
    ("CLI_SUM_DISCHARGE", "discharge_velocity_magnitude", True, options_pb2.DIMENSION_VELOCITY),
)


def summarise(job: job_pb2.Job, result: result_pb2.Result, frame: str = "") -> list[str]:
    """The lines of the summary.

    Parameters
    ----------
    job
        The job, with its analysis: its unit system gives the units.
    result
        Its result.
    frame
        Name of the load case or combination to tell of; default: a table of all.
    """
    units = job.analysis.units
    lines = []
    for k, step in enumerate(result.steps):
        chosen = number_of(step, frame) if frame else 0
        frames = frames_of(step)
        if chosen is None:
            continue
        asked = job.analysis.steps[k] if k < len(job.analysis.steps) else analysis_pb2.Step()
        head = say("CLI_SUM_STEP", step=step.name, procedure=_procedure(step.procedure))
        overview = OVERVIEWS.get(frames[0].kind)
        if overview is not None and (not frame or frames[0].HasField("mode")):
            shown = [frames[chosen]] if frame else frames
            lines += ["", head, "", *overview(step, shown, asked, units), *further_lines(step, shown, units)]
            continue
        if len(frames) > 1 and not frame:
            lines += ["", head, "", *_overview(step, frames, asked, units), *further_lines(step, frames, units)]
            continue
        head = say("CLI_SUM_FRAME", step=head, frame=frame) if frame else head
        one = frames[chosen]
        rows = _extremes(one.extremes, units) + _rows(step, one.balance, one.solve, units)
        lines += ["", head, "", *table(rows, indent="  ")]
        lines += ["", *_forces(step, one, units)]
        if one.points:
            lines += ["", *point_lines(one.points, units)]
        lines += further_lines(step, [one], units)
    stages = [f"{_stage(t.stage)} {seconds(t.seconds)}" for t in result.stage_times]
    made = result.provenance
    rows = [("  " + say("CLI_SUM_TIMES"), ", ".join(stages))]
    if made.cpu:
        by = [
            f"dougong {made.dougong_version}",
            f"PETSc {made.petsc_version}",
            made.cpu,
            say("CLI_RANKS", n=made.ranks),
        ]
        rows.append(("  " + say("CLI_SUM_MADE_BY"), ", ".join(by)))
    lines += ["", *table(rows)]
    for notice in result.notices:
        lines.append("  " + say("CLI_NOTICE", text=notice.text_zh if user_language() == "zh" else notice.text))
    return lines


def _procedure(name: str) -> str:
    word = f"CLI_PROCEDURE_{name.upper()}"
    return say(word) if word in all_reasons() else name


def _stage(name: str) -> str:
    known = ("read", "partition", "assemble", "setup", "solve", "output")
    return say(f"CLI_STAGE_{name.upper()}") if name in known else name


def _overview(
    step: result_pb2.StepResult,
    frames: Sequence[result_pb2.Frame],
    asked: analysis_pb2.Step,
    units: analysis_pb2.UnitSystem,
) -> list[str]:
    """All frames beside each other, and what is worst of all."""
    shown = [x for x in EXTREMES if any(e.field == x[1] and not e.component for e in step.extremes)]
    lines = frame_table(frames, shown, units)
    names = [f.name for f in frames]
    lines += ["", *combination_lines(asked, names)] if asked.combinations else []
    rows = _extremes(step.extremes, units, names) + _rows(step, step.balance, step.solve, units)
    return [
        *lines,
        "",
        *table(rows, indent="  "),
        "",
        *force_table(frames, sums_of(step.procedure), _noise(step), units),
    ]


def _extremes(
    extremes: Iterable[result_pb2.Extreme], units: analysis_pb2.UnitSystem, frames: Sequence[str] = ()
) -> list[tuple[str, str]]:
    found = {extreme.field: extreme for extreme in extremes if not extreme.component}
    rows = []
    for label, field, largest, dimension in EXTREMES:
        if field not in found:
            continue
        extreme = found[field]
        value, node, point = (
            (extreme.max, extreme.max_node, extreme.max_point)
            if largest
            else (extreme.min, extreme.min_node, extreme.min_point)
        )
        text = f"{number(without_noise(value, extreme))} {unit_name(dimension, units)}"
        length = unit_name(options_pb2.DIMENSION_LENGTH, units)
        where = ", ".join(numbers(point, NOISE))
        place = say("CLI_SUM_AT", point=f"({where}) {length}".strip(), node=node)
        if frames:
            place = say("CLI_SUM_IN", place=place, frame=frames[extreme.max_frame if largest else extreme.min_frame])
        rows.append((say(label), f"{text}  {place}"))
    return rows


def _rows(
    step: result_pb2.StepResult,
    balance: result_pb2.Balance,
    solve: result_pb2.SolveRecord,
    units: analysis_pb2.UnitSystem,
) -> list[tuple[str, str]]:
    rows = []
    # Of several frames together there is no energy.
    if not sums_of(step.procedure).scalar and balance.load_sum:
        energies = ", ".join(numbers([balance.internal_energy, balance.external_work]))
        energies = f"{energies} {unit_name(ENERGY, units)}"
        rows.append((say("CLI_SUM_ENERGY"), energies))
    rows.append((say("CLI_SUM_ENERGY_ERROR"), f"{balance.energy_error:.1e}"))
    rows.append((say("CLI_SUM_EQUILIBRIUM"), f"{balance.equilibrium_error:.1e}"))
    if solve.method:
        rows.append((say("CLI_SUM_BACKWARD"), f"{solve.backward_error:.1e}"))
    dofs = say("CLI_SUM_PRESCRIBED", dofs=count(step.dofs), prescribed=count(step.constrained_dofs))
    rows.append((say("CLI_SUM_DOFS"), dofs))
    method = solve.method_zh if user_language() == "zh" else solve.method
    rows.append((say("CLI_SUM_SOLVER"), method or say("CLI_SUM_SUPERPOSED")))
    if solve.why:
        rows.append((say("CLI_SUM_WHY"), solve.why_zh if user_language() == "zh" else solve.why))
    if len(step.frames) > 1 and solve.setups:
        rows.append((say("CLI_SUM_SETUPS"), say("CLI_SUM_SETUPS_FOR_ALL", n=solve.setups)))
    if solve.newton_corrections:
        left = f"{solve.newton_residuals[-1]:.1e}"
        rows.append((say("CLI_SUM_NEWTON"), say("CLI_SUM_NEWTON_ENDED", n=len(solve.newton_corrections), left=left)))
    # A factorisation does not iterate.
    if solve.iterations:
        iterations = count(solve.iterations)
        if solve.relative_tolerance and solve.converged_reason in ("", "CONVERGED_RTOL"):
            iterations = say("CLI_SUM_REDUCED", n=iterations, tolerance=f"{solve.relative_tolerance:.0e}")
        rows.append((say("CLI_SUM_ITERATIONS"), iterations))
    return rows


def _noise(step: result_pb2.StepResult) -> float:
    """Below this part of the largest, or below the accuracy asked for, a sum of forces is noise."""
    return max(NOISE, min(step.solve.relative_tolerance, 1e-4))


def _forces(step: result_pb2.StepResult, frame: result_pb2.Frame, units: analysis_pb2.UnitSystem) -> list[str]:
    sums, balance = sums_of(step.procedure), frame.balance
    rows = balance_rows(balance, sums)
    if balance.storage:
        rows.append((say("CLI_SUM_STORAGE"), [balance.storage]))
    if len(frame.reactions) > 1:
        rows += [(say(sums.of_region, region=r.region), r.sum) for r in frame.reactions]
    return sum_table(rows, sums, _noise(step), units)
