"""The temperature of a body in a step: what is given on regions, one over the other.

A layer gives nodal values, for all cells or for those of a region: there the temperature ends, while a layer on a
region of nodes fades into the cells around. Where no layer says anything the temperature is the reference temperature
of the material, so that two materials at one node may differ. Values come from the analysis itself, from an earlier
step, or from the result of another job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.mesh import RegionKind
from dougong.messages import InputError, violation
from dougong.solver.regions import Regions
from dougong.solver.thermal.history import History
from dougong.solver.thermal.inputs import KeptFrame
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """A temperature in some cells.

    Attributes
    ----------
    nodal
        shape (n_local,); not a number where it says nothing.
    cells
        For each local block the cells where it holds, shape (n_cells,), bool; None: in all of them.
    """

    nodal: Array
    cells: tuple[NDArray[np.bool_], ...] | None = None


@dataclass(frozen=True)
class Temperature:
    """Layers, the last one on top."""

    layers: tuple[Layer, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is said at all."""
        return bool(self.layers)

    def at_nodes(
        self, k: int, rows: slice | NDArray[np.integer], nodes: NDArray[np.integer], otherwise: Array
    ) -> Array:
        """Temperatures at the nodes of cells, as these cells have them.

        Parameters
        ----------
        k, rows
            Local block, and cells in it.
        nodes
            shape (n, n_nodes): their nodes.
        otherwise
            shape (n,): of each cell where nothing is said.

        Returns
        -------
        ndarray, shape (n, n_nodes)
        """
        out = np.broadcast_to(otherwise[:, None], nodes.shape).copy()
        for layer in self.layers:
            given = layer.nodal[nodes]
            said = ~np.isnan(given)
            if layer.cells is not None:
                said &= layer.cells[k][rows][:, None]
            out[said] = given[said]
        return out

    def within(self, rows: Sequence[NDArray[np.integer]]) -> Temperature:
        """The same for some cells of each local block, which are numbered anew in this order."""
        return Temperature(
            tuple(
                layer
                if layer.cells is None
                else replace(layer, cells=tuple(c[r] for c, r in zip(layer.cells, rows, strict=True)))
                for layer in self.layers
            )
        )


def layer_on(regions: Regions, region: str, nodal: Array) -> Layer:
    """Nodal values, shape (n_local,), in a region of cells, facets or nodes; "" means everywhere. Collective."""
    if not region:
        return Layer(nodal)
    if regions.kinds(region) == {RegionKind.CELLS}:
        flags = []
        for block, rows in zip(regions.part.blocks, regions.cells(region), strict=True):
            inside = np.zeros(len(block), dtype=bool)
            inside[rows] = True
            flags.append(inside)
        return Layer(nodal, tuple(flags))
    said = np.full(len(nodal), np.nan)
    nodes = regions.nodes(region)
    said[nodes] = nodal[nodes]
    return Layer(said)


def reached(regions: Regions, region: str) -> list[NDArray[np.int32]]:
    """For each local block the rows of the cells in which a temperature on a region acts. Collective."""
    if not region or regions.kinds(region) == {RegionKind.CELLS}:
        return regions.cells(region)
    inside = np.zeros(regions.part.n_local, dtype=bool)
    inside[regions.nodes(region)] = True
    return [np.flatnonzero(inside[b.nodes].any(axis=1)).astype(np.int32) for b in regions.part.blocks]


def state_of(
    history: History, given: pb.TemperatureField, increment: int, nodes: NDArray[np.int64], path: str
) -> Array:
    """Values of a frame of an earlier step or of another job.

    Parameters
    ----------
    history
        What there is.
    given
        What is asked for.
    increment
        The frame where all of them are asked for, one after the other.
    nodes
        shape (n_local,): numbers of the local nodes in the stored mesh.
    path
        Field path of `given`.

    Returns
    -------
    ndarray, shape (n_local,)

    Raises
    ------
    InputError
        There is no such frame: how many there would be was not known before.
    """
    state = given.from_job if given.WhichOneof("source") == "from_job" else given.from_step
    number = increment if given.all_frames else state.frame if state.HasField("frame") else None
    if isinstance(state, pb.FromJob):
        return history.inputs.values(state, number, nodes)
    return values_of_step(history, state.step, number, f"{path}.from_step")[:, 0]


def values_of_step(history: History, step: str, frame: int | None, path: str) -> Array:
    """Values of a frame of an earlier step, shape (n_local, nc).

    Parameters
    ----------
    history
        What there is.
    step, frame
        Name of the step, and number of the frame; None: the last.
    path
        Field path of the FromStep that asks for it.

    Raises
    ------
    InputError
        There is no such frame.
    """
    last = len(history.frames(step)) - 1
    if frame is not None and frame > last:
        raise InputError([violation("FRAME_NUMBER_UNKNOWN", f"{path}.frame", frame=frame, step=step, last=last)])
    return history.values(step, -1 if frame is None else frame)


def followed(step: pb.Step) -> pb.TemperatureField | None:
    """The temperature of a step that has a frame for each frame of another; None: it has no such temperature."""
    found = (load.temperature for load in step.loads if load.WhichOneof("kind") == "temperature")
    return next((t for t in found if t.all_frames), None)


def frames_followed(history: History, given: pb.TemperatureField) -> list[KeptFrame]:
    """The frames of the step that such a temperature names."""
    if given.WhichOneof("source") == "from_job":
        return history.inputs.frames(given.from_job)
    return history.frames(given.from_step.step)
