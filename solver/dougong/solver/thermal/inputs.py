"""States that an analysis takes from the results of other jobs: nodal fields that the server put beside the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dougong.internal import run_pb2
from dougong.messages import FemError
from dougong.solver import rundir
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KeptFrame:
    """What is known of a frame beside its nodal values.

    Attributes
    ----------
    name, value
        As in dougong.v1.Frame; a frame without name or value has "" or None.
    """

    name: str
    value: float | None


class Inputs:
    """The fields beside a run.

    Parameters
    ----------
    directory
        The run directory.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory / rundir.INPUTS
        self._fields = list(rundir.read_inputs(directory).fields)

    def frames(self, state: pb.FromJob) -> list[KeptFrame]:
        """The frames that are here of the step that a mention names, in order."""
        found = sorted(self._of(state), key=lambda f: f.frame)
        return [KeptFrame(f.frame_name, f.value if f.HasField("value") else None) for f in found]

    def values(self, state: pb.FromJob, frame: int | None, nodes: NDArray[np.int64]) -> Array:
        """Values of a scalar field at nodes of the stored mesh.

        Parameters
        ----------
        state
            The mention.
        frame
            Number of the frame; None: the last of its step.
        nodes
            shape (n,).

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        FemError
            INPUT_MISSING: the server did not put it here, or not all of it.
        """
        for entry in self._of(state):
            if entry.last if frame is None else entry.frame == frame:
                path = self._folder / entry.file
                if not path.exists() or path.stat().st_size != entry.size_bytes:
                    break
                return np.asarray(np.memmap(path, "<f8", "r")[nodes], dtype=np.float64)
        raise FemError("INPUT_MISSING", job=state.job_id, step=state.step or "-", frame="-" if frame is None else frame)

    def _of(self, state: pb.FromJob) -> list[run_pb2.InputField]:
        return [f for f in self._fields if (f.job_id, f.step) == (state.job_id, state.step)]
