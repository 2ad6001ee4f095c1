"""What a step that is carried out has at hand: its model, what is asked for, and where results and reports go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dougong.solver.model import Model
from dougong.solver.output import ResultWriter
from dougong.solver.vtu import PointData, write_vtu
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
    vtu_name
        What the step's .vtu file is called, without suffix.
    vtu_fields
        Filled with what belongs into the .vtu file of a frame.
    """

    model: Model
    mpi: Any
    outputs: pb.Outputs
    solver: pb.SolverOptions
    writer: ResultWriter
    report: Callable[[job_pb2.Progress], None]
    vtu_name: str = "result"
    vtu_fields: list[PointData] = field(default_factory=list)

    def stage(self, name: str, **values: Any) -> None:
        """Report a stage of this step."""
        self.report(job_pb2.Progress(stage=name, step=self.model.step.name, **values))

    def frame_stage(self, name: str, number: int | None, **values: Any) -> None:
        """Report a stage of a frame, by its number; of none of them, but for their sake: None."""
        frames = self.model.step.frames
        if len(frames) > 1:
            values["frames"] = len(frames)
            if number is not None:
                values |= {"frame": number + 1, "frame_name": frames[number].name}
        self.stage(name, **values)

    def end_frame(self, number: int) -> None:
        """Write the .vtu file of a frame whose fields are all there. Collective."""
        if self.vtu_fields:
            several = len(self.model.step.frames) > 1
            name = f"{self.vtu_name}-{number + 1}.vtu" if several else f"{self.vtu_name}.vtu"
            path = self.writer.artifact(name, "application/vnd.vtk")
            stored, comm = self.model.regions.stored, self.model.part.comm
            write_vtu(path, stored, comm, self.vtu_fields, compressed=self.outputs.vtu_compressed)
            self.vtu_fields.clear()
