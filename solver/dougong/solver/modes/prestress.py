"""What is wrong with the steps whose stress is to act in later ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dougong.messages import violation
from dougong.solver.frames import FrameSpec
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Procedures that a prestress can act on, and those that can give it.
_TAKING, _GIVING = ("modes", "buckling"), ("static",)


class Step(Protocol):
    """What is asked of a step here; see `dougong.solver.problem.ResolvedStep`."""

    @property
    def index(self) -> int:
        """Its position in the analysis."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def procedure(self) -> str:
        """Its field of dougong.v1.Step.procedure."""

    @property
    def message(self) -> pb.Step:
        """The step itself."""

    @property
    def frames(self) -> tuple[FrameSpec, ...]:
        """Its states."""


def check_prestress(steps: Sequence[Step]) -> list[job_pb2.Violation]:
    """What is wrong with the steps that are named as prestress."""
    found = []
    for step in steps:
        if not step.message.HasField("prestress"):
            continue
        path, wanted = f"steps[{step.index}].prestress", step.message.prestress
        if step.procedure not in _TAKING:
            found.append(violation("PRESTRESS_NOT_HERE", path, procedure=step.procedure, known=", ".join(_TAKING)))
            continue
        earlier = {s.name: s for s in steps if s.index < step.index and s.procedure in _GIVING}
        given = earlier.get(wanted.step)
        if given is None:
            known = ", ".join(earlier) or "-"
            found.append(violation("PRESTRESS_STEP_UNKNOWN", f"{path}.step", step=wanted.step, known=known))
        elif wanted.HasField("frame") and not _follows(given) and not 0 <= wanted.frame < len(given.frames):
            last = len(given.frames) - 1
            found.append(violation("PRESTRESS_FRAME_UNKNOWN", f"{path}.frame", frame=wanted.frame, last=last))
    return found


def _follows(step: Step) -> bool:
    """Whether how many frames a step has depends on another step."""
    return any(load.temperature.all_frames for load in step.message.loads)
