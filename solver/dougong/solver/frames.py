"""The states of a step: its load cases and combinations, or the one state of its own loads.

A state is a superposition of loadings. Loading 0 is what the step itself applies and prescribes; loading k is that and
what load case k adds. A combination with the factors f counts the step once, whatever the factors:

    u = u_0 + sum_k f_k (u_k - u_0) = (1 - sum_k f_k) u_0 + sum_k f_k u_k

so that an answer does not depend on where the scale of temperature has its zero, nor on how many cases are combined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dougong.messages import violation
from dougong.solver.values.nearest import nearest
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, result_pb2

Kind = result_pb2.Frame.Kind

#: More modes than these are not computed at once.
MOST_MODES = 2000


@dataclass(frozen=True)
class FrameSpec:
    """A state of a step.

    Attributes
    ----------
    kind, name
        As in dougong.v1.Frame.
    weights
        How many times each loading of the step counts, loading 0 first.
    """

    kind: Kind
    name: str
    weights: tuple[float, ...]

    @property
    def solved(self) -> int | None:
        """The loading for which this state is solved; None for one that is superposed."""
        return None if self.kind == result_pb2.Frame.KIND_COMBINATION else self.weights.index(1.0)


def frames_of(step: pb.Step) -> tuple[FrameSpec, ...]:
    """The states of a step in order: load cases, combinations.

    Factors of unknown names, which `check_frames` tells of, count for nothing.
    """
    cases = [case.name or f"case-{k + 1}" for k, case in enumerate(step.load_cases)]
    if not cases:
        return (FrameSpec(result_pb2.Frame.KIND_UNSPECIFIED, "", (1.0,)),)
    found = []
    for k, name in enumerate(cases):
        found.append(FrameSpec(result_pb2.Frame.KIND_LOAD_CASE, name, unit(k + 1, len(cases) + 1)))
    for k, combination in enumerate(step.combinations):
        name = combination.name or f"combination-{k + 1}"
        factors = [combination.factors.get(case, 0.0) for case in cases]
        finite = all(map(math.isfinite, factors))
        rest = 1.0 - math.fsum(factors) if finite else 0.0
        found.append(FrameSpec(result_pb2.Frame.KIND_COMBINATION, name, (rest, *factors)))
    return tuple(found)


def unit(k: int, n: int) -> tuple[float, ...]:
    """Weights of the k-th of n loadings alone."""
    return tuple(float(j == k) for j in range(n))


def check_frames(step: pb.Step, path: str) -> list[job_pb2.Violation]:
    """What is wrong with the names and factors of load cases and combinations.

    Parameters
    ----------
    step
        The step.
    path
        Its field path.
    """
    found = []
    frames = frames_of(step) if step.load_cases else ()
    cases = [f.name for f in frames[: len(step.load_cases)]]
    taken: set[str] = set()
    for k, frame in enumerate(frames):
        of_case = k < len(cases)
        where = f"load_cases[{k}]" if of_case else f"combinations[{k - len(cases)}]"
        if frame.name in taken:
            found.append(violation("FRAME_NAME_TAKEN", f"{path}.{where}.name", frame=frame.name))
        taken.add(frame.name)
    for k, combination in enumerate(step.combinations):
        where = f"{path}.combinations[{k}].factors"
        if not combination.factors:
            found.append(violation("COMBINATION_EMPTY", where))
        for name in sorted(combination.factors):
            if name not in cases:
                near = ", ".join(nearest(name, cases)) or "-"
                found.append(violation("CASE_UNKNOWN", f'{where}["{name}"]', case=name, near=near))
    return found
