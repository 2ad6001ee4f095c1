"""How often the systems of a heat step are set up and solved, where that is more than once.

Measured on bodies that cool: default tolerance, ten frames or fewer, 60 to 80 time steps, half of them with a matrix of
their own; of steps with radiation one set-up and eight solves each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dougong.solver.heat.time_plan import time_plan
from dougong.solver.problem import ResolvedSection, ResolvedStep

#: Seconds of a solve for each unknown, with what belongs to it: heat contents, flows, loads.
SECONDS_FACTORISED, SECONDS_ITERATED = 3e-7, 1.4e-6
#: Bytes for each number of the matrix beside that of the solver: conduction and capacities, each twice.
BYTES_PER_NUMBER = 40.0

_STEPS, _STEPS_PER_END = 50, 3
_NEWTON = 6


@dataclass(frozen=True)
class Repeats:
    """How often a system is set up, and solved."""

    setups: float
    solves: float


def repeats(step: ResolvedStep, sections: tuple[ResolvedSection, ...]) -> Repeats | None:
    """How often those of a step probably are; None where it is as for a static step.

    Parameters
    ----------
    step
        A step that was found to be right.
    sections
        Those of the analysis.
    """
    procedure = step.procedure_on(sections)
    if procedure == "newton":
        return Repeats(_NEWTON * len(step.frames), _NEWTON * len(step.frames))
    if procedure != "transient":
        return None
    plan = time_plan(step.message)
    if plan.limits.fixed:
        steps = max(math.ceil(plan.limits.duration / plan.limits.first), len(plan.ends))
        setups = 1.0
    else:
        steps = max(_STEPS + _STEPS_PER_END * len(plan.ends), math.ceil(plan.limits.duration / plan.limits.largest))
        setups = steps / 2
    return Repeats(steps, 8.0 * steps) if step.nonlinear(sections) else Repeats(setups, 3.0 * steps)
