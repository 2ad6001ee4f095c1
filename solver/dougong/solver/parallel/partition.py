"""The part of the mesh that one rank works on.

Every node is owned by one rank. A rank has all cells that touch a node it owns, and so the complete rows of its
nodes: nothing but vectors is ever exchanged after this, neither matrix entries nor element results. The price is one
layer of cells that two ranks compute (see docs/adr/0009-owner-computes-assembly.md).

Local numbering: owned nodes first, in the order of the solver's numbering, which is contiguous for each rank; then
ghosts, nodes of local cells that other ranks own, in ascending order of the solver's numbering. No rank reads or
holds more than its slice of the stored mesh and its part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CellType
from dougong.solver.parallel.comm import Comm, Directory, by_process
from dougong.solver.parallel.halo import Halo

Ints = NDArray[np.int64]

#: Rows of an array of the stored mesh that are read at a time.
_CHUNK = 1 << 18

#: Cells of this rank's slices, as (block, first cell, nodes) -> part of each cell, over all ranks together.
Partitioner = Callable[[Comm, StoredMesh, list["CellSlice"]], list[Ints]]


@dataclass(frozen=True)
class CellSlice:
    """Consecutive cells of a block of the stored mesh.

    Attributes
    ----------
    block
        Number of the block.
    first
        Index in the block of the first of them.
    nodes
        shape (n, n_nodes of the type).
    """

    block: int
    first: int
    nodes: NDArray[np.integer]


@dataclass(frozen=True)
class PartBlock:
    """Local cells of one block of the stored mesh.

    Attributes
    ----------
    type
        Cell type.
    nodes
        shape (n, n_nodes of the type), int32 - local node numbers.
    cells
        shape (n,), int64 - index of each cell in the stored mesh, counted through all blocks.
    mine
        shape (n,), bool - whether this rank is the one that counts the cell in sums and writes its values.
    """

    type: CellType
    nodes: NDArray[np.int32]
    cells: Ints
    mine: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True)
class Part:
    """The part of one rank.

    Attributes
    ----------
    comm
        The processes.
    points
        shape (n_local, dim), float64 - length.
    nodes
        shape (n_local,), int64 - index of each local node in the stored mesh.
    n_owned
        The first so many local nodes are owned.
    numbers
        shape (n_local,), int64 - the solver's number of each local node; owned ones are contiguous.
    n_total
        Number of nodes of all ranks.
    blocks
        Local cells, one entry for each block of the stored mesh, empty ones too.
    """

    comm: Comm
    points: NDArray[np.float64]
    nodes: Ints
    n_owned: int
    numbers: Ints
    n_total: int
    blocks: tuple[PartBlock, ...]

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return int(self.points.shape[1])

    @property
    def n_local(self) -> int:
        """Number of owned nodes and ghosts."""
        return len(self.nodes)

    @property
    def owned(self) -> Ints:
        """Local numbers of the owned nodes."""
        return np.arange(self.n_owned, dtype=np.int64)

    @cached_property
    def _sorted_nodes(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.nodes)
        return self.nodes[order], order

    def local_nodes(self, nodes: Ints) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Local numbers of those of some stored nodes that are here, and which of them that are."""
        return _find(*self._sorted_nodes, nodes)

    @cached_property
    def _sorted_cells(self) -> tuple[tuple[Ints, Ints], ...]:
        out = []
        for block in self.blocks:
            order = np.argsort(block.cells)
            out.append((block.cells[order], order))
        return tuple(out)

    def local_cells(self, block: int, cells: Ints) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Rows in a local block of those of some stored cells that are here, and which of them that are."""
        return _find(*self._sorted_cells[block], cells)

    @cached_property
    def halo(self) -> Halo:
        """Brings ghost values from their owners."""
        return Halo.of(self.comm, self.n_owned, self.numbers[self.n_owned :])


def _find(sorted_keys: Ints, order: Ints, keys: Ints) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    position = np.searchsorted(sorted_keys, keys)
    position[position == len(sorted_keys)] = 0
    here = sorted_keys[position] == keys if len(sorted_keys) else np.zeros(len(keys), dtype=bool)
    return order[position[here]].astype(np.int32), here


def build_part(stored: StoredMesh, comm: Comm, partitioner: Partitioner | None = None) -> Part:
    """Read and distribute a stored mesh. Collective.

    Parameters
    ----------
    stored
        The mesh.
    comm
        The processes.
    partitioner
        Assigns cells to parts; default `curve_partition`.
    """
    slices = [_read_slice(stored, k, comm) for k in range(len(stored.cell_types))]
    if comm.size == 1:
        cells = [(np.asarray(s.nodes), np.arange(len(s.nodes), dtype=np.int64)) for s in slices]
        owner_of: Callable[[Ints], NDArray[np.int32]] = lambda nodes: np.zeros(len(nodes), dtype=np.int32)  # noqa: E731
    else:
        parts = (partitioner or curve_partition)(comm, stored, slices)
        owner_of = _own_nodes(stored, comm, slices, parts)
        cells = [_distribute(comm, s, owner_of) for s in slices]
    return _number(stored, comm, cells, owner_of)


def _read_slice(stored: StoredMesh, block: int, comm: Comm) -> CellSlice:
    n = stored.block_sizes[block]
    first, last = n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size
    return CellSlice(block, first, np.asarray(stored.cells(block)[first:last]))


def curve_partition(comm: Comm, stored: StoredMesh, slices: list[CellSlice]) -> list[Ints]:
    """Parts of equal weight along a space-filling (Morton) curve through the cell centres."""
    low, high = _bounds(stored, comm)
    keys = [morton(_centres(stored, comm, s), low, high) for s in slices]
    weights = [np.full(len(k), s.nodes.shape[1] ** 2, dtype=np.float64) for k, s in zip(keys, slices, strict=True)]
    mine, weight = np.concatenate(keys), np.concatenate(weights)
    # Splitters from a regular sample of each rank's sorted keys, weighted.
    order = np.argsort(mine)
    sampled = order[:: max(1, len(order) // 2048)]
    sample = np.concatenate(comm.gather(np.sort(mine[sampled])))
    share = np.concatenate(comm.gather(np.full(len(sampled), weight.sum() / max(1, len(sampled)))))
    by_key = np.argsort(sample, kind="stable")
    cumulated = np.cumsum(share[by_key])
    targets = cumulated[-1] * np.arange(1, comm.size) / comm.size
    splitters = sample[by_key][np.searchsorted(cumulated, targets)]
    return [np.searchsorted(splitters, k, side="right").astype(np.int64) for k in keys]


def _bounds(stored: StoredMesh, comm: Comm) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    directory = Directory(comm, stored.n_nodes)
    here = stored.points[directory.first : directory.last]
    nothing = np.full(stored.dim, np.inf)
    low = comm.min(here.min(axis=0) if len(here) else nothing)
    high = comm.max(here.max(axis=0) if len(here) else -nothing)
    return low, high


def _points(stored: StoredMesh, comm: Comm, nodes: Ints) -> NDArray[np.float64]:
    """Coordinates of stored nodes, shape (n, dim), each read by one rank. Collective.

    Not `stored.points[nodes]`: where the numbering of the file is no neighbourhood, all ranks would read all of it.
    """
    if comm.size == 1:
        return np.ascontiguousarray(stored.points[nodes])
    directory = Directory(comm, stored.n_nodes)
    return np.asarray(directory.get(stored.points[directory.first : directory.last], nodes))


def _centres(stored: StoredMesh, comm: Comm, cells: CellSlice) -> NDArray[np.float64]:
    corners = cells.nodes[:, : stored.cell_types[cells.block].n_corners]
    nodes, local = np.unique(corners, return_inverse=True)
    local = local.reshape(corners.shape)
    points = _points(stored, comm, nodes.astype(np.int64))
    out = np.empty((len(local), stored.dim))
    for k in range(0, len(out), _CHUNK):
        out[k : k + _CHUNK] = points[local[k : k + _CHUNK]].mean(axis=1)
    return out


def morton(points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Positions along a Morton curve: interleaved bits of the coordinates, 21 each in 3-D, 31 in 2-D."""
    dim = points.shape[1]
    bits = 21 if dim == 3 else 31
    extent = np.max(high - low)
    cell = ((points - low) * ((2**bits - 1) / (extent if extent > 0 else 1.0))).astype(np.uint64)
    key = np.zeros(len(points), dtype=np.uint64)
    for bit in range(bits):
        for axis in range(dim):
            key |= ((cell[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(bit * dim + axis)
    return key


def _own_nodes(
    stored: StoredMesh, comm: Comm, slices: list[CellSlice], parts: list[Ints]
) -> Callable[[Ints], NDArray[np.int32]]:
    """Who owns a node: the lowest part among its cells. Returns a collective look-up."""
    directory = Directory(comm, stored.n_nodes)
    owner = np.full(directory.last - directory.first, comm.size, dtype=np.int32)
    for s, part in zip(slices, parts, strict=True):
        # Each node once: cells of the lowest part last, so that what they write stays.
        order = np.argsort(-part, kind="stable")
        nodes, local = np.unique(s.nodes, return_inverse=True)
        lowest = np.empty(len(nodes), dtype=np.int32)
        lowest[local.reshape(s.nodes.shape)[order]] = part[order, None]
        where, rank = directory.send(nodes.astype(np.int64), lowest)
        np.minimum.at(owner, where, rank)
    return lambda nodes: np.asarray(directory.get(owner, nodes))


def _distribute(
    comm: Comm, cells: CellSlice, owner_of: Callable[[Ints], NDArray[np.int32]]
) -> tuple[NDArray[np.integer], Ints]:
    """Send each cell to every rank that owns one of its nodes; returns nodes and indices in the block."""
    n, k = cells.nodes.shape
    owners = owner_of(np.ascontiguousarray(cells.nodes, dtype=np.int64).ravel()).reshape(n, k)
    # Each owner of a cell once: the first of equal ones in a row.
    owners.sort(axis=1)
    once = np.ones((n, k), dtype=bool)
    once[:, 1:] = owners[:, 1:] != owners[:, :-1]
    wanted, _ = np.nonzero(once)
    order, counts = by_process(owners[once], comm.size)
    wanted = wanted[order]
    nodes, _ = comm.exchange(cells.nodes[wanted], counts)
    index, _ = comm.exchange(cells.first + wanted, counts)
    return nodes, index


def _number(
    stored: StoredMesh,
    comm: Comm,
    cells: list[tuple[NDArray[np.integer], Ints]],
    owner_of: Callable[[Ints], NDArray[np.int32]],
) -> Part:
    # Cells along a space-filling curve, nodes in the order in which those cells meet them: neighbours in space are
    # then neighbours in memory, whatever order the mesh file has.
    low, high = _bounds(stored, comm)
    ordered = []
    for k, (conn, index) in enumerate(cells):
        order = np.argsort(morton(_centres(stored, comm, CellSlice(k, 0, conn)), low, high), kind="stable")
        ordered.append((conn[order], index[order]))
    met = np.concatenate([conn.ravel() for conn, _ in ordered]).astype(np.int64)
    local, first_met = np.unique(met, return_index=True)
    local = local[np.argsort(first_met, kind="stable")]
    owner = owner_of(local)
    owned = local[owner == comm.rank]
    start = comm.offset(len(owned))
    ghosts = local[owner != comm.rank]
    ghost_numbers = _ask_numbers(stored, comm, owned, start, ghosts)
    by_number = np.argsort(ghost_numbers)
    nodes = np.concatenate([owned, ghosts[by_number]])
    numbers = np.concatenate([start + np.arange(len(owned), dtype=np.int64), ghost_numbers[by_number]])

    order = np.argsort(nodes)
    sorted_nodes = nodes[order]
    blocks = []
    for k, (conn, index) in enumerate(ordered):
        local_conn = order[np.searchsorted(sorted_nodes, conn)].astype(np.int32)
        # The owner of a cell's first node counts the cell.
        mine = local_conn[:, 0] < len(owned)
        blocks.append(PartBlock(stored.cell_types[k], local_conn, stored.offsets[k] + index, mine))
    points = _points(stored, comm, nodes)
    return Part(comm, points, nodes, len(owned), numbers, stored.n_nodes, tuple(blocks))


def _ask_numbers(stored: StoredMesh, comm: Comm, owned: Ints, start: int, ghosts: Ints) -> Ints:
    directory = Directory(comm, stored.n_nodes)
    where, number = directory.send(owned, start + np.arange(len(owned), dtype=np.int64))
    kept = np.full(directory.last - directory.first, -1, dtype=np.int64)
    kept[where] = number
    return np.asarray(directory.get(kept, ghosts))
