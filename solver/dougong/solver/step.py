"""What a step that is carried out has at hand: its model, what is asked for, and where results and reports go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.model import Model
from dougong.solver.outputs.vtu import PointData, write_vtu
from dougong.solver.outputs.writer import ResultWriter
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, mesh_pb2


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
    alone
        Whether this is the only step of the analysis.
    frame_names
        Of the frames of the step: those it was asked for. A procedure that finds its frames as it goes, such as modes
        or times, calls `announce` when it knows them, or appends each name before it reports on it, having set
        `growing`.
    growing
        Whether there may be more frames than have names yet.
    told
        What frames tell beside their fields (`dougong.solver.outputs.fields.told_of`).
    vtu_fields
        Filled with what belongs into the .vtu file of a frame.
    notices
        Filled with what is worth knowing about the step.
    """

    model: Model
    mpi: Any
    outputs: pb.Outputs
    solver: pb.SolverOptions
    writer: ResultWriter
    report: Callable[[job_pb2.Progress], None]
    alone: bool = True
    frame_names: list[str] = field(init=False)
    growing: bool = False
    told: Any = None
    vtu_fields: list[PointData] = field(default_factory=list)
    notices: list[mesh_pb2.Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frame_names = [f.name for f in self.model.step.frames]

    def announce(self, names: Iterable[str], growing: bool = False) -> None:
        """Say what the frames are called, instead of what the step was asked for."""
        self.frame_names, self.growing = list(names), growing

    @property
    def several_frames(self) -> bool:
        """Whether the step has, or may have, more than one frame."""
        return self.growing or len(self.frame_names) > 1

    def keep(
        self, number: int, values: NDArray[np.float64], value: float | None = None, thermal: tuple[Any, ...] = ()
    ) -> None:
        """Hand the state of a frame on to later steps that ask for it; frames come in order.

        Parameters
        ----------
        number
            Of the frame.
        values
            shape (n_local, nc): the nodal unknown, ghosts too.
        value
            Of the frame, such as its time.
        thermal
            Temperatures that strain the body in it, see `dougong.solver.thermal.strain.Terms`.
        """
        if self.model.history is not None:
            name = self.frame_names[number] if number < len(self.frame_names) else ""
            self.model.history.add(self.model.step.name, values, name=name, value=value, thermal=thermal)

    def keep_end(self, values: NDArray[np.float64]) -> None:
        """Hand on the state at the end of the step, shape (n_local, nc), where no frame has it."""
        if self.model.history is not None:
            self.model.history.end(self.model.step.name, values)

    def stage(self, name: str, **values: Any) -> None:
        """Report a stage of this step."""
        self.report(job_pb2.Progress(stage=name, step=self.model.step.name, **values))

    def frame_stage(self, name: str, number: int | None, **values: Any) -> None:
        """Report a stage of a frame, by its number; of none of them, but for their sake: None."""
        if self.several_frames:
            if not self.growing:
                values["frames"] = len(self.frame_names)
            if number is not None:
                values |= {"frame": number + 1, "frame_name": self.frame_names[number]}
        self.stage(name, **values)

    def end_frame(self, number: int) -> None:
        """Write the .vtu file of a frame whose fields are all there. Collective."""
        if self.vtu_fields:
            name = "result" if self.alone and not self.several_frames else f"result-{self.model.step.index + 1}"
            name += f"-{number + 1}.vtu" if self.several_frames else ".vtu"
            path = self.writer.artifact(name, "application/vnd.vtk")
            stored, comm = self.model.regions.stored, self.model.part.comm
            write_vtu(path, stored, comm, self.vtu_fields, compressed=self.outputs.vtu_compressed)
            self.vtu_fields.clear()
