"""What is wrong with the steps whose stress is to act in later ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dougong.messages import violation
from dougong.v1 import job_pb2

if TYPE_CHECKING:
    from dougong.solver.problem import ResolvedStep

#: Procedures that a prestress can act on, and those that can give it.
_TAKING, _GIVING = ("modes", "buckling"), ("static",)


def check_prestress(steps: Sequence[ResolvedStep]) -> list[job_pb2.Violation]:
    """What is wrong with the steps that are named as prestress."""
    found = []
    for step in steps:
        if not step.message.HasField("prestress"):
            continue
        path, wanted = f"{step.own.path}.prestress", step.message.prestress
        if step.procedure not in _TAKING:
            found.append(violation("PRESTRESS_NOT_HERE", path, procedure=step.procedure, known=", ".join(_TAKING)))
            continue
        earlier = {s.name: s for s in steps if s.index < step.index and s.procedure in _GIVING}
        given = earlier.get(wanted.step)
        if given is None:
            known = ", ".join(earlier) or "-"
            found.append(violation("PRESTRESS_STEP_UNKNOWN", f"{path}.step", step=wanted.step, known=known))
        elif wanted.HasField("frame") and not 0 <= wanted.frame < len(given.frames):
            last = len(given.frames) - 1
            found.append(violation("PRESTRESS_FRAME_UNKNOWN", f"{path}.frame", frame=wanted.frame, last=last))
    return found
