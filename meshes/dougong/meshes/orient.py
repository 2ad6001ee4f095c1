"""Cells that a program lists inside out: which of them may be turned without hiding a cell that is tangled.

Neighbours that are listed alike run through the corners of the facet they share in opposite directions. That fixes the
orientation of all cells of a connected part relative to each other, without a look at where the nodes lie. Which of the
two orientations is the right one, most of the cells say by the sign of their Jacobian. A cell that is then still inside
out is tangled: one of its nodes lies where it must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.geometry import cell_geometry, determinant, gathered
from dougong.meshes.mesh import CellBlock
from dougong.meshes.rows import RowIndex

_Mask = NDArray[np.bool_]

#: Cells that are looked at together.
_CELLS = 1 << 14


@cache
def mirrored(name: str) -> NDArray[np.int64]:
    """Order of the nodes, shape (n_nodes,), that turns a cell inside out: first two reference axes exchanged."""
    reference = np.array(CELL_TYPES[name].reference)
    exchanged = reference[:, [1, 0, *range(2, reference.shape[1])]]
    return np.array([np.flatnonzero((reference == node).all(axis=1))[0] for node in exchanged])


@cache
def mirrored_facets(name: str) -> NDArray[np.int64]:
    """Number after `mirrored` of each facet, shape (n_facets,)."""
    order = mirrored(name)
    sets = [set(nodes) for _, nodes in CELL_TYPES[name].facets]
    return np.array([next(g for g, after in enumerate(sets) if {int(order[n]) for n in after} == f) for f in sets])


def turned(block: CellBlock, cells: _Mask) -> CellBlock:
    """The block with some of its cells, shape (n_cells,), turned inside out."""
    nodes = block.nodes.copy()
    nodes[cells] = nodes[cells][:, mirrored(block.type.name)]
    return CellBlock(block.type, nodes, block.ids)


def to_turn(points: NDArray[np.float64], blocks: Sequence[CellBlock]) -> list[_Mask]:
    """Find the cells that are listed inside out.

    Parameters
    ----------
    points
        shape (n_nodes, dim).
    blocks
        The cells of the highest dimension.

    Returns
    -------
    list of ndarray
        For each block, shape (n_cells,), bool: whether to turn the cell. When they are turned, two cells that share a
        facet agree about its sides. None in a part of the mesh that has no orientation, where more than two cells
        share a facet, or where as many cells speak for one orientation as for the other.
    """
    none = [np.zeros(len(b), dtype=bool) for b in blocks]
    if any(b.type.dim != points.shape[1] for b in blocks) or all(_upright(points, b) for b in blocks):
        return none
    geometry = [cell_geometry(points, b.type, b.nodes) for b in blocks]
    inside_out = np.concatenate([g.max_jacobian < 0 for g in geometry])
    if not inside_out.any():
        return none
    if inside_out.all():
        return [~mask for mask in none]
    sign = np.concatenate([(g.min_jacobian > 0).astype(np.int64) for g in geometry]) - inside_out
    wrong = _listed_otherwise(blocks, inside_out, sign, len(points))
    return np.split(wrong, np.cumsum([len(b) for b in blocks])[:-1])


def _upright(points: NDArray[np.float64], block: CellBlock) -> bool:
    """Whether no cell is inside out, told quickly by the edges at the first corner."""
    along = [int(b) for a, b in block.type.edges if a == 0] + [int(a) for a, b in block.type.edges if b == 0]
    reference = np.array(block.type.reference)
    along.sort(key=lambda node: int(np.argmax(reference[node])))
    for start in range(0, len(block), _CELLS):
        x = gathered(points, block.nodes[start : start + _CELLS, [0, *along]])
        with np.errstate(over="ignore", invalid="ignore"):
            if not (determinant(x[:, 1:] - x[:, :1]) > 0).all():
                return False
    return True


def _listed_otherwise(blocks: Sequence[CellBlock], inside_out: _Mask, sign: NDArray[np.int64], n_nodes: int) -> _Mask:
    """Whether each cell, through all blocks, is listed otherwise than its part of the mesh should be."""
    n = len(sign)
    first, second, differ, crowded = _neighbours(blocks, n_nodes)
    # Each cell stands here twice, as it is listed and turned; neighbours that agree are linked.
    here = np.concatenate([first, first + n])
    there = np.concatenate([second + n * differ, second + n * ~differ])
    part = _parts(2 * n, here, there)
    contradictory = part[:n] == part[n:]
    # The two copies of a part: the one that has the lower number is the reference.
    as_listed = part[:n] < part[n:]
    number = np.minimum(part[:n], part[n:])
    votes = np.zeros(2 * n, dtype=np.int64)
    np.add.at(votes, number, np.where(as_listed, sign, -sign))
    excluded = np.zeros(2 * n, dtype=bool)
    excluded[number[contradictory]] = True
    excluded[number[crowded]] = True
    concerned = np.zeros(2 * n, dtype=bool)
    concerned[number[inside_out]] = True
    decided = concerned & ~excluded & (votes != 0)
    return decided[number] & (as_listed != (votes > 0)[number])


def _neighbours(
    blocks: Sequence[CellBlock], n_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], _Mask, NDArray[np.int64]]:
    """Pairs of cells that share a facet, whether they are listed differently, and cells at facets of more than two."""
    firsts, seconds, differs, crowds = [], [], [], []
    for n_corners in sorted({CELL_TYPES[name].n_corners for b in blocks for name, _ in b.type.facets}):
        rings, cells = [], []
        offset = 0
        for block in blocks:
            for name, nodes in block.type.facets:
                if CELL_TYPES[name].n_corners == n_corners:
                    rings.append(block.nodes[:, list(nodes[:n_corners])])
                    cells.append(np.arange(offset, offset + len(block)))
            offset += len(block)
        ring, cell = np.concatenate(rings), np.concatenate(cells)
        forward = _forward(ring)
        number = RowIndex(ring, n_nodes).number
        order = np.argsort(number, kind="stable")
        count = np.bincount(number)
        crowds.append(cell[count[number] > 2])
        pairs = order[count[number[order]] == 2].reshape(-1, 2)
        firsts.append(cell[pairs[:, 0]])
        seconds.append(cell[pairs[:, 1]])
        differs.append(forward[pairs[:, 0]] == forward[pairs[:, 1]])
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(differs), np.concatenate(crowds)


def _forward(ring: NDArray[np.integer]) -> _Mask:
    """In which direction each ring of nodes, shape (n, corners), runs; wherever it begins, the mark is the same."""
    width = ring.shape[1]
    if width == 2:
        return ring[:, 0] < ring[:, 1]
    row = np.arange(len(ring))
    lowest = ring.argmin(axis=1)
    return ring[row, (lowest + 1) % width] < ring[row, lowest - 1]


def _parts(n: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of n things the lowest thing it is linked to, over any number of links; shape (n,).

    Each round every part that has a lower neighbour joins it, so that at least half of the parts go.
    """
    lowest = np.arange(n)
    while True:
        a, b = lowest[first], lowest[second]
        open_ = a != b
        if not open_.any():
            return lowest
        first, second = first[open_], second[open_]
        a, b = a[open_], b[open_]
        np.minimum.at(lowest, np.maximum(a, b), np.minimum(a, b))
        while True:
            further = lowest[lowest]
            if np.array_equal(further, lowest):
                break
            lowest = further
