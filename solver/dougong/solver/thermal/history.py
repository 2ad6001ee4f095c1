"""States that a step hands on to later ones: the nodal unknown of each of its frames, with the frame's value.

A part belongs to its rank for all steps of an analysis, so each rank keeps its own nodes, ghosts too: nothing is sent.
A step with many frames may be larger than the memory: states lie in files of the run directory, one for each step and
rank, and are read back one at a time. Only steps that a later one names are kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from dougong.solver.thermal.inputs import Inputs, KeptFrame
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]

#: In the run directory, while the worker runs.
STATES = "states"


@dataclass
class _Kept:
    path: Path
    shape: tuple[int, ...] = ()
    frames: list[KeptFrame] = field(default_factory=list)
    thermal: list[tuple[Any, ...]] = field(default_factory=list)
    ended: Array | None = None


class History:
    """States of the steps so far, on one part.

    Parameters
    ----------
    directory
        The run directory.
    rank
        Of this process.
    steps
        Names of the steps whose states will be wanted.

    Attributes
    ----------
    inputs
        States that come from other jobs.
    """

    def __init__(self, directory: Path, rank: int, steps: set[str]) -> None:
        self.inputs = Inputs(directory)
        self._directory = directory / STATES
        names = enumerate(sorted(steps))
        self._kept = {name: _Kept(self._directory / f"{k}-{rank}.bin") for k, name in names}
        if self._kept:
            self._directory.mkdir(exist_ok=True)

    def wants(self, step: str) -> bool:
        """Whether a later step will ask for the states of a step."""
        return step in self._kept

    def add(
        self, step: str, values: Array, *, name: str = "", value: float | None = None, thermal: tuple[Any, ...] = ()
    ) -> None:
        """Keep the next frame of a step, if a later step asks for it.

        Parameters
        ----------
        step
            Name of the step.
        values
            shape (n_local, nc): the nodal unknown, ghosts too; of all frames of a step alike.
        name, value
            Of the frame.
        thermal
            Temperatures that strained the body in it, see `dougong.solver.thermal.strain.Terms`.
        """
        if not self.wants(step):
            return
        kept = self._kept[step]
        if kept.frames and kept.shape != values.shape:
            raise ValueError(f"frames of {step} have the shapes {kept.shape} and {values.shape}")
        with open(kept.path, "ab" if kept.frames else "wb") as out:
            out.write(np.ascontiguousarray(values, dtype=np.float64).data)
        kept.shape = values.shape
        kept.frames.append(KeptFrame(name, value))
        kept.thermal.append(thermal)

    def end(self, step: str, values: Array) -> None:
        """Keep the end of a step, shape (n_local, nc), where it is no frame, if a later step asks for one."""
        if self.wants(step):
            self._kept[step].ended = np.array(values, dtype=np.float64)

    def at_end(self, step: str) -> Array:
        """Nodal values at the end of a step, shape (n_local, nc), ghosts too, whether a frame has them or not."""
        ended = self._kept[step].ended
        return self.values(step) if ended is None else ended.copy()

    def frames(self, step: str) -> list[KeptFrame]:
        """The frames of a step that are there, in order.

        Raises
        ------
        KeyError
            No later step was said to want them.
        """
        return list(self._kept[step].frames)

    def values(self, step: str, frame: int = -1) -> Array:
        """Nodal values of a frame, shape (n_local, nc), ghosts too.

        Parameters
        ----------
        step
            Name of the step.
        frame
            Number of the frame, from 0; negative ones count from the end, so that the default is the last.

        Raises
        ------
        IndexError
            There is no such frame.
        KeyError
            No later step was said to want them.
        """
        kept = self._kept[step]
        number = range(len(kept.frames))[frame]
        size = int(np.prod(kept.shape))
        data = np.fromfile(kept.path, dtype=np.float64, count=size, offset=number * size * 8)
        return data.reshape(kept.shape)

    def thermal(self, step: str, frame: int = -1) -> tuple[Any, ...]:
        """The temperatures that strained the body in a frame, as they were given to `add`."""
        return self._kept[step].thermal[frame]

    def close(self) -> None:
        """Remove the files of all ranks; called by one of them when none reads any more."""
        shutil.rmtree(self._directory, ignore_errors=True)


def named_states(message: Message) -> Iterator[pb.FromStep]:
    """Every mention of an earlier step's state in a message, however deep."""
    if isinstance(message, pb.FromStep):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            items = [v for v in value.values() if isinstance(v, Message)]
        else:
            items = [value] if isinstance(value, Message) else list(value)
        for item in items:
            yield from named_states(item)


def wanted_steps(analysis: pb.Analysis) -> set[str]:
    """Names of the steps of an analysis whose states a later step asks for."""
    return {state.step for step in analysis.steps for state in named_states(step)}
