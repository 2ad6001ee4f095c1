"""What is wrong with steps of natural modes and of buckling, seen without their mesh."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dougong.messages import violation
from dougong.solver.frames import MOST_MODES
from dougong.solver.values.quantities import is_zero, places
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Violation = job_pb2.Violation
Materials = Sequence[tuple[str, pb.Material]]


def check_modes(step: pb.Step, path: str, materials: Materials, supports: Collection[str]) -> list[Violation]:
    """Density, a range that can be, no loads.

    Parameters
    ----------
    step, path, materials
        As for `Run.check`.
    supports
        Kinds of loads that hold the body rather than load it.
    """
    found = [
        violation("MATERIAL_CONSTANT_MISSING", f"{where}.density", constant="density")
        for where, material in materials
        if not material.density.value > 0
    ]
    asked, here = step.modes, f"{path}.modes"
    if asked.HasField("count"):
        found += _check_count(asked.count, f"{here}.count")
    if asked.HasField("min_frequency") and not asked.min_frequency >= 0:
        found.append(violation("VALUE_NEGATIVE", f"{here}.min_frequency", value=asked.min_frequency))
    if asked.HasField("max_frequency") and not asked.max_frequency > asked.min_frequency:
        low, high = asked.min_frequency, asked.max_frequency
        found.append(violation("FREQUENCY_RANGE_EMPTY", f"{here}.max_frequency", low=low, high=high))
    for k, load in enumerate(step.loads):
        kind = load.WhichOneof("kind")
        if kind is not None and kind not in supports:
            found.append(violation("LOAD_IN_MODES", f"{path}.loads[{k}].{kind}", kind=kind))
    found += [violation("VALUE_IN_MODES", where) for where in _values(step, path)]
    return found + _check_cases(step, path)


def check_buckling(step: pb.Step, path: str, supports: Collection[str]) -> list[Violation]:
    """Something that loads, one loading.

    Parameters
    ----------
    step, path, supports
        As for `check_modes`.
    """
    found = []
    if step.buckling.HasField("count"):
        found += _check_count(step.buckling.count, f"{path}.buckling.count")
    loading = any(load.WhichOneof("kind") not in supports and _acts(load) for load in step.loads)
    if not loading and not any(_values(step, path)) and not step.load_cases:
        found.append(violation("BUCKLING_WITHOUT_LOAD", f"{path}.loads"))
    return found + _check_cases(step, path)


def _acts(load: pb.Load) -> bool:
    """Whether not all that a load says is plainly zero."""
    given = [place.quantity for place in places(load)]
    return not given or not all(map(is_zero, given))


def _check_count(count: int, path: str) -> list[Violation]:
    if count < 1:
        return [violation("VALUE_NOT_POSITIVE", path, value=count)]
    return [violation("TOO_MANY_MODES", path, count=count, most=MOST_MODES)] if count > MOST_MODES else []


def _check_cases(step: pb.Step, path: str) -> list[Violation]:
    names = [name for name in ("load_cases", "combinations") if getattr(step, name)]
    procedure = step.WhichOneof("procedure")
    return [violation("CASES_NOT_HERE", f"{path}.{name}", procedure=procedure) for name in names]


def _values(step: pb.Step, path: str) -> Iterator[str]:
    """Field paths of prescribed values that are not plainly zero."""
    for k, condition in enumerate(step.conditions):
        for place in places(condition, f"{path}.conditions[{k}]"):
            if not is_zero(place.quantity):
                yield place.path
