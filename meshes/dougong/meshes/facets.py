"""Which cells of lower dimension are facets or edges of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock
from dougong.meshes.rows import RowIndex

_NONE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class FacetMatch:
    """For each cell of a block the facet of a larger cell that it coincides with.

    Attributes
    ----------
    cell
        shape (n,), int64 - index of that cell through all larger blocks; -1 where there is none.
    facet
        shape (n,), int64 - number of its facet.
    interior
        shape (n,), bool - whether two cells share it; the first of them is named.
    """

    cell: NDArray[np.int64]
    facet: NDArray[np.int64]
    interior: NDArray[np.bool_]


def match_facets(lower: Sequence[CellBlock], larger: Sequence[CellBlock], n_nodes: int) -> list[FacetMatch]:
    """Find cells among the facets of larger cells, by their corners.

    Parameters
    ----------
    lower
        Blocks of one dimension.
    larger
        Blocks of the next dimension.
    n_nodes
        Number of nodes of the mesh.
    """
    matches: dict[int, FacetMatch] = {}
    for n_corners in sorted({b.type.n_corners for b in lower}):
        mine = [k for k, b in enumerate(lower) if b.type.n_corners == n_corners]
        corners = np.concatenate([lower[k].nodes[:, :n_corners] for k in mine])
        index = RowIndex(corners, n_nodes)
        touched = np.zeros(n_nodes, dtype=bool)
        touched[corners] = True
        first = np.full(index.n_different, _NONE, dtype=np.int64)
        count = np.zeros(index.n_different, dtype=np.int64)
        offset = 0
        for block in larger:
            for number, (name, nodes) in enumerate(block.type.facets):
                if CELL_TYPES[name].n_corners != n_corners:
                    continue
                rows, cells = _candidates(block, nodes[:n_corners], touched)
                found = index.find(rows)
                hit = found >= 0
                np.minimum.at(first, found[hit], (cells[hit] + offset) * 8 + number)
                count += np.bincount(found[hit], minlength=index.n_different)
            offset += len(block)
        best = first[index.number]
        cell = np.where(best == _NONE, -1, best // 8)
        interior = count[index.number] > 1
        start = 0
        for k in mine:
            part = slice(start, start + len(lower[k]))
            matches[k] = FacetMatch(cell[part], best[part] % 8, interior[part])
            start += len(lower[k])
    return [matches[k] for k in range(len(lower))]


def lie_on_edges(lines: CellBlock, larger: Sequence[CellBlock], n_nodes: int) -> NDArray[np.bool_]:
    """Whether each line, shape (n,), is an edge of one of the larger cells."""
    index = RowIndex(lines.nodes[:, :2], n_nodes)
    touched = np.zeros(n_nodes, dtype=bool)
    touched[lines.nodes[:, :2]] = True
    is_edge = np.zeros(index.n_different, dtype=bool)
    for block in larger:
        for edge in block.type.edges:
            found = index.find(_candidates(block, tuple(edge), touched)[0])
            is_edge[found[found >= 0]] = True
    return is_edge[index.number]


def _candidates(
    block: CellBlock, local: tuple[int, ...], touched: NDArray[np.bool_]
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Rows of the nodes `local` of those cells whose nodes are all touched, and the indices of those cells."""
    ok = touched[block.nodes[:, local[0]]]
    for node in local[1:]:
        ok &= touched[block.nodes[:, node]]
    cells = np.flatnonzero(ok)
    return block.nodes[cells][:, list(local)], cells
