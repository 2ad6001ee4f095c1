"""How many frames a static step has that follows another step."""

from __future__ import annotations

from collections.abc import Sequence

from dougong.solver.heat.time_plan import time_plan
from dougong.solver.problem import ResolvedStep
from dougong.solver.thermal.temperature import followed

#: Of another job it is not known here: as many as a transient step writes where nothing else is said.
_OF_A_JOB = 10


def increments(step: ResolvedStep, steps: Sequence[ResolvedStep]) -> int:
    """The number of frames of a step because it follows another one; 0 where it follows none."""
    given = followed(step.message)
    if given is None:
        return 0
    if given.WhichOneof("source") != "from_step":
        return _OF_A_JOB
    source = next(s for s in steps if s.name == given.from_step.step)
    return len(time_plan(source.message).outputs) if source.procedure == "transient_heat" else len(source.frames)
