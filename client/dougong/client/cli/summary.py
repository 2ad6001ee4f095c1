"""A result for people: a table with units, and the evidence that goes with it."""

from __future__ import annotations

from dougong.client.cli.console import count, number, numbers, say, seconds, table
from dougong.client.dimensions import ENERGY
from dougong.client.units import unit_name
from dougong.messages import user_language
from dougong.v1 import analysis_pb2, job_pb2, options_pb2, result_pb2

_HEAT = "steady_heat"

#: Part of the largest value of a field or a table below which a value is rounding.
NOISE = 1e-6

#: Label, field, whether the largest value is meant, dimension.
_EXTREMES = (
    ("CLI_SUM_DISPLACEMENT", "displacement_magnitude", True, options_pb2.DIMENSION_LENGTH),
    ("CLI_SUM_VON_MISES", "von_mises", True, options_pb2.DIMENSION_PRESSURE),
    ("CLI_SUM_TEMPERATURE_MAX", "temperature", True, options_pb2.DIMENSION_TEMPERATURE),
    ("CLI_SUM_TEMPERATURE_MIN", "temperature", False, options_pb2.DIMENSION_TEMPERATURE),
    ("CLI_SUM_HEAT_FLUX", "heat_flux_magnitude", True, options_pb2.DIMENSION_HEAT_FLUX),
)


def summarise(job: job_pb2.Job, result: result_pb2.Result) -> list[str]:
    """The lines of the summary.

    Parameters
    ----------
    job
        The job, with its analysis: its unit system gives the units.
    result
        Its result.
    """
    units = job.analysis.units
    lines = []
    for step in result.steps:
        lines += ["", say("CLI_SUM_STEP", step=step.name, procedure=_procedure(step.procedure)), ""]
        lines += table(_extremes(step, units) + _rows(step, units), indent="  ")
        lines += ["", *_forces(step, units)]
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
    return say(f"CLI_PROCEDURE_{name.upper()}") if name in ("static", _HEAT) else name


def _stage(name: str) -> str:
    known = ("read", "partition", "assemble", "setup", "solve", "output")
    return say(f"CLI_STAGE_{name.upper()}") if name in known else name


def _extremes(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem) -> list[tuple[str, str]]:
    found = {extreme.field: extreme for extreme in step.extremes if not extreme.component}
    rows = []
    for label, field, largest, dimension in _EXTREMES:
        if field not in found:
            continue
        extreme = found[field]
        value, node, point = (
            (extreme.max, extreme.max_node, extreme.max_point)
            if largest
            else (extreme.min, extreme.min_node, extreme.min_point)
        )
        # What is noise beside the largest of the field is shown as zero.
        value = value if abs(value) > NOISE * max(abs(extreme.min), abs(extreme.max)) else 0.0
        text = f"{number(value)} {unit_name(dimension, units)}"
        length = unit_name(options_pb2.DIMENSION_LENGTH, units)
        where = ", ".join(numbers(point, NOISE))
        rows.append((say(label), f"{text}  {say('CLI_SUM_AT', point=f'({where}) {length}'.strip(), node=node)}"))
    return rows


def _rows(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem) -> list[tuple[str, str]]:
    balance, solve = step.balance, step.solve
    rows = []
    if step.procedure != _HEAT:
        energies = ", ".join(numbers([balance.internal_energy, balance.external_work]))
        energies = f"{energies} {unit_name(ENERGY, units)}"
        rows.append((say("CLI_SUM_ENERGY"), energies))
    rows.append((say("CLI_SUM_ENERGY_ERROR"), f"{balance.energy_error:.1e}"))
    rows.append((say("CLI_SUM_EQUILIBRIUM"), f"{balance.equilibrium_error:.1e}"))
    rows.append((say("CLI_SUM_BACKWARD"), f"{solve.backward_error:.1e}"))
    dofs = say("CLI_SUM_PRESCRIBED", dofs=count(step.dofs), prescribed=count(step.constrained_dofs))
    rows.append((say("CLI_SUM_DOFS"), dofs))
    rows.append((say("CLI_SUM_SOLVER"), solve.method_zh if user_language() == "zh" else solve.method))
    if solve.why:
        rows.append((say("CLI_SUM_WHY"), solve.why_zh if user_language() == "zh" else solve.why))
    # A factorisation does not iterate.
    if solve.iterations:
        iterations = count(solve.iterations)
        if solve.relative_tolerance and solve.converged_reason in ("", "CONVERGED_RTOL"):
            iterations = say("CLI_SUM_REDUCED", n=iterations, tolerance=f"{solve.relative_tolerance:.0e}")
        rows.append((say("CLI_SUM_ITERATIONS"), iterations))
    return rows


def _forces(step: result_pb2.StepResult, units: analysis_pb2.UnitSystem) -> list[str]:
    heat = step.procedure == _HEAT
    unit = unit_name(options_pb2.DIMENSION_POWER if heat else options_pb2.DIMENSION_FORCE, units)
    names = ("CLI_SUM_HEAT_LOADS", "CLI_SUM_HEAT_REACTIONS", "CLI_SUM_HEAT_REACTION_OF") if heat else (
        "CLI_SUM_LOADS",
        "CLI_SUM_REACTIONS",
        "CLI_SUM_REACTION_OF",
    )  # fmt: skip
    balance = step.balance
    size = max(len(balance.load_sum), len(balance.reaction_sum), *(len(r.sum) for r in step.reactions), 1)
    axes = [""] if heat else list("xyz"[:size])
    # All sums are written in one way; what is noise beside the largest, or below the accuracy asked for, is zero.
    noise = max(NOISE, min(step.solve.relative_tolerance, 1e-4))
    sums = [balance.load_sum, balance.reaction_sum, *(r.sum for r in step.reactions)]
    padded = [v for one in sums for v in [*one, *[0.0] * (len(axes) - len(one))]]
    texts = numbers(padded, noise)

    def row(label: str, k: int) -> list[str]:
        return [label, *texts[k * len(axes) : (k + 1) * len(axes)], unit]

    rows = [["", *axes, ""]] if not heat else []
    rows.append(row(say(names[0]), 0))
    rows.append(row(say(names[1]), 1))
    if len(step.reactions) > 1:
        rows += [row(say(names[2], region=r.region), 2 + k) for k, r in enumerate(step.reactions)]
    return table(rows, indent="  ", right=range(1, len(axes) + 1))
