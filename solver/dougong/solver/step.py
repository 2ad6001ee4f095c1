"""What a step that is carried out has at hand: its model, what is asked for, and where results and reports go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dougong.solver.model import Model
from dougong.solver.output import ResultWriter
from dougong.solver.vtu import PointData
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2


@dataclass
class StepContext:
    """What a procedure works with.

    Attributes
    ----------
    model
        The step on this part.
    mpi
        mpi4py communicator for PETSc; None for one process.
    outputs, solver
        What the analysis asks for.
    writer
        Where fields go.
    report
        Called when a stage begins and as it proceeds.
    vtu_fields
        Filled with what belongs into the step's .vtu file.
    """

    model: Model
    mpi: Any
    outputs: pb.Outputs
    solver: pb.SolverOptions
    writer: ResultWriter
    report: Callable[[job_pb2.Progress], None]
    vtu_fields: list[PointData] = field(default_factory=list)

    def stage(self, name: str, **values: Any) -> None:
        """Report a stage of this step."""
        self.report(job_pb2.Progress(stage=name, step=self.model.step.name, **values))
