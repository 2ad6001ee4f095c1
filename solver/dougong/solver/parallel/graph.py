"""Which cells are neighbours: the graph that a partitioner cuts, distributed over the ranks.

Facets travel to a rank that follows from their corner nodes, meet their twin there, and the pair is told to the ranks
of both cells. No rank sees more than its share.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CELL_TYPES
from dougong.solver.parallel.comm import Comm, by_process
from dougong.solver.parallel.partition import CellSlice, Partitioner

Ints = NDArray[np.int64]

#: Cuts a graph: number of this rank's vertices, row starts, neighbours -> part of each vertex. Collective.
GraphPartitioner = Callable[[Ints, Ints], NDArray[np.integer]]


def by_graph(cut: GraphPartitioner) -> Partitioner:
    """A partitioner of cells from one of graphs.

    Parameters
    ----------
    cut
        Takes the graph of this rank's cells as CSR, with the cells of all ranks numbered through as columns.
    """

    def partition(comm: Comm, stored: StoredMesh, slices: list[CellSlice]) -> list[Ints]:
        counts = [len(s.nodes) for s in slices]
        start = comm.offset(sum(counts))
        starts = start + np.concatenate([[0], np.cumsum(counts)])
        pairs = _neighbours(comm, stored, slices, starts)
        indptr, indices = _rows(comm, pairs, start, sum(counts))
        parts = np.asarray(cut(indptr, indices), dtype=np.int64)
        return np.split(parts, np.cumsum(counts)[:-1])

    return partition


def _neighbours(comm: Comm, stored: StoredMesh, slices: list[CellSlice], starts: Ints) -> Ints:
    """Pairs of cells that share a facet, found on any rank, shape (n, 2), each pair in both orders."""
    rows = []
    for k, s in enumerate(slices):
        cell = starts[k] + np.arange(len(s.nodes), dtype=np.int64)
        for facet_type, corner in stored.cell_types[k].facets:
            n = CELL_TYPES[facet_type].n_corners
            key = np.full((len(cell), 5), -1, dtype=np.int64)
            key[:, :n] = np.sort(s.nodes[:, list(corner[:n])], axis=1)
            key[:, 4] = cell
            rows.append(key)
    facets = np.concatenate(rows) if rows else np.empty((0, 5), dtype=np.int64)
    order, counts = by_process(_meeting_place(facets[:, :4], comm.size), comm.size)
    facets, _ = comm.exchange(facets[order], counts)
    facets = facets[np.lexsort(facets[:, :4].T)]
    twins = np.flatnonzero((facets[1:, :4] == facets[:-1, :4]).all(axis=1))
    pairs = np.stack([facets[twins, 4], facets[twins + 1, 4]], axis=1)
    return np.concatenate([pairs, pairs[:, ::-1]])


def _meeting_place(corners: Ints, size: int) -> Ints:
    """A process for each facet, from its sorted corner nodes.

    Mixed, as many for each: mesh files often number all corners of quadratic cells first, so that the slices of the
    nodes have few or many of them. Multipliers: Steele, Vigna, "Computationally easy, spectrally good multipliers for
    congruential pseudorandom number generators", Software: Practice and Experience 52, 2022.
    """
    mixed = np.zeros(len(corners), dtype=np.uint64)
    for column in corners.T:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0xD1342543DE82EF95)
    return ((mixed >> np.uint64(33)) % np.uint64(size)).astype(np.int64)


def _rows(comm: Comm, pairs: Ints, start: int, n: int) -> tuple[Ints, Ints]:
    """The graph rows of this rank's cells, from pairs found anywhere."""
    bounds = np.array([*comm.gather(start), np.iinfo(np.int64).max], dtype=np.int64)
    # A rank without cells has the start of the next one: the last of equal starts is the owner.
    owner = np.searchsorted(bounds[:-1], pairs[:, 0], side="right") - 1
    order, sent = by_process(owner, comm.size)
    mine, _ = comm.exchange(pairs[order], sent)
    mine = mine[np.lexsort((mine[:, 1], mine[:, 0]))]
    counts = np.bincount(mine[:, 0] - start, minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), mine[:, 1]
