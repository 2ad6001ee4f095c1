"""The two sides of a cut through a mesh: which cells lie on the side that is looked at, around the nodes of the cut.

A region of facets has cells on two sides. Around one node of the cut its cells are connected through those of their
facets that have the node and do not belong to the cut; what is connected to the cell of a facet of the cut is on its
side. A rank has all cells of the nodes it owns, so this is known without asking others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import RegionKind
from dougong.solver.parallel.partition import Part
from dougong.solver.regions import Facets, Regions, facet_normals

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """A cut on one part.

    Attributes
    ----------
    nodes
        shape (n,): owned nodes of the cut.
    rows
        For each local block the rows of those cells on the side looked at that have such a node.
    facets
        Facets of the cut, normals outwards from that side.
    clear
        Whether every cell is on one side only.
    """

    nodes: NDArray[np.integer]
    rows: list[Ints]
    facets: list[Facets]
    clear: bool


@dataclass(frozen=True)
class _Sides:
    """Facets of some local cells: block, number and row of each, and the facet of the other cell; -1 where none is."""

    block: Ints
    number: Ints
    row: Ints
    other: Ints
    cell: Ints  # numbered through all local cells

    def nodes(self, part: Part, which: Ints) -> tuple[Ints, Ints]:
        """Local nodes of facets: index into `which`, and node."""
        index, node = [], []
        for k, block in enumerate(part.blocks):
            for number, (_, corner) in enumerate(block.type.facets):
                here = np.flatnonzero((self.block[which] == k) & (self.number[which] == number))
                nodes = block.nodes[self.row[which[here]]][:, corner]
                index.append(np.repeat(here, nodes.shape[1]))
                node.append(nodes.ravel())
        return np.concatenate(index).astype(np.int64), np.concatenate(node).astype(np.int64)


def cut_of(regions: Regions, name: str, normal: NDArray[np.float64] | None = None) -> Cut:
    """The cut along a region of facets, or around a region of cells. Collective.

    Parameters
    ----------
    regions
        All regions.
    name
        Of the region.
    normal
        shape (dim,): direction of the outward normal, for facets whose cells may be on either side.
    """
    part = regions.part
    if RegionKind.FACETS not in regions.kinds(name):
        return _around(part, regions.cells(name))
    on_cut = np.zeros(part.n_local, dtype=bool)
    on_cut[regions.nodes(name)] = True
    on_cut[part.n_owned :] = False
    near = [on_cut[b.nodes].any(axis=1) for b in part.blocks]
    sides = _sides(part, near)
    listed = _listed(part, sides, regions.facets(name))
    if normal is not None and len(listed):
        away = _normals(part, sides, listed) @ normal < 0
        turned = away & (sides.other[listed] >= 0)
        listed = np.where(turned, sides.other[listed], listed)
    listed = np.unique(listed)
    of_side, of_others = _pairs(part, sides, listed, on_cut)
    rows, starts = [], np.cumsum([0, *(len(b) for b in part.blocks)])
    for k in range(len(part.blocks)):
        inside = of_side[(of_side >= starts[k]) & (of_side < starts[k + 1])]
        rows.append(inside - starts[k])
    clear = not len(np.intersect1d(of_side, of_others))
    return Cut(np.flatnonzero(on_cut), rows, _facets(part, sides, listed), clear)


def _around(part: Part, cells: list[NDArray[np.int32]]) -> Cut:
    """The cut between some cells and the others."""
    ours, theirs = (np.zeros(part.n_local, dtype=bool) for _ in range(2))
    inside = []
    for block, rows in zip(part.blocks, cells, strict=True):
        chosen = np.zeros(len(block), dtype=bool)
        chosen[rows] = True
        ours[block.nodes[chosen]] = True
        theirs[block.nodes[~chosen]] = True
        inside.append(chosen)
    on_cut = ours & theirs
    on_cut[part.n_owned :] = False
    near = [on_cut[b.nodes].any(axis=1) for b in part.blocks]
    sides = _sides(part, near)
    chosen = np.concatenate(inside)
    listed = np.flatnonzero(chosen[sides.cell] & (sides.other >= 0))
    listed = listed[~chosen[sides.cell[sides.other[listed]]]]
    beside = [np.flatnonzero(n & c) for n, c in zip(near, inside, strict=True)]
    return Cut(np.flatnonzero(on_cut), beside, _facets(part, sides, listed), True)


def _sides(part: Part, near: list[NDArray[np.bool_]]) -> _Sides:
    """All facets of some cells, with the same facet of another of them."""
    keys, places = [np.empty((0, 4), dtype=np.int64)], [np.empty((0, 4), dtype=np.int64)]
    start = 0
    for k, (block, chosen) in enumerate(zip(part.blocks, near, strict=True)):
        rows = np.flatnonzero(chosen)
        for number, (facet_type, corner) in enumerate(block.type.facets):
            n_corners = CELL_TYPES[facet_type].n_corners
            corners = np.sort(block.nodes[rows][:, corner[:n_corners]], axis=1).astype(np.int64)
            keys.append(np.pad(corners, ((0, 0), (0, 4 - n_corners)), constant_values=-1))
            full = np.full(len(rows), k), np.full(len(rows), number), rows, start + rows
            places.append(np.stack(full, axis=1))
        start += len(block)
    key, place = np.concatenate(keys), np.concatenate(places)
    order = np.lexsort(key.T)
    same = np.flatnonzero((key[order][1:] == key[order][:-1]).all(axis=1))
    other = np.full(len(key), -1, dtype=np.int64)
    other[order[same]], other[order[same + 1]] = order[same + 1], order[same]
    return _Sides(place[:, 0], place[:, 1], place[:, 2], other, place[:, 3])


def _listed(part: Part, sides: _Sides, facets: list[Facets]) -> Ints:
    """The facets of a region among all."""
    found = []
    for f in facets:
        of_kind = np.flatnonzero((sides.block == f.block) & (sides.number == f.number))
        found.append(of_kind[np.isin(sides.row[of_kind], f.rows)])
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _facets(part: Part, sides: _Sides, which: Ints) -> list[Facets]:
    found = []
    for k, block in enumerate(part.blocks):
        for number, (facet_type, corner) in enumerate(block.type.facets):
            rows = sides.row[which[(sides.block[which] == k) & (sides.number[which] == number)]]
            if len(rows):
                found.append(Facets(facet_type, block.nodes[rows][:, corner], rows.astype(np.int32), k, number))
    return found


def _normals(part: Part, sides: _Sides, which: Ints) -> NDArray[np.float64]:
    out = np.empty((len(which), part.dim))
    for k, block in enumerate(part.blocks):
        for number, (facet_type, corner) in enumerate(block.type.facets):
            here = np.flatnonzero((sides.block[which] == k) & (sides.number[which] == number))
            rows = sides.row[which[here]]
            if len(rows):
                f = Facets(facet_type, block.nodes[rows][:, corner], rows.astype(np.int32), k, number)
                out[here] = facet_normals(part.points, f)
    return out


def _pairs(part: Part, sides: _Sides, listed: Ints, on_cut: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Cells on the side of the cells of the listed facets, and on the other, around the nodes of the cut."""
    n = part.n_local
    cut = np.zeros(len(sides.cell), dtype=bool)
    cut[listed] = True
    cut[sides.other[listed][sides.other[listed] >= 0]] = True

    def pairs(which: Ints, cells: Ints) -> tuple[Ints, Ints]:
        """Cell and node as one number, for all nodes of facets on the cut; and of which facet."""
        index, node = sides.nodes(part, which)
        kept = on_cut[node]
        return cells[index[kept]] * n + node[kept], which[index[kept]]

    inner = np.flatnonzero(~cut & (sides.other > np.arange(len(sides.other))))
    first, facet = pairs(inner, sides.cell[inner])
    second = sides.cell[sides.other[facet]] * n + first % n
    ours, _ = pairs(listed, sides.cell[listed])
    inside = listed[sides.other[listed] >= 0]
    theirs, _ = pairs(inside, sides.cell[sides.other[inside]])
    # Cells that touch a node of the cut without any facet between them stay by themselves.
    known, index = np.unique(np.concatenate([first, second, ours, theirs]), return_inverse=True)
    a, b, at_ours, at_theirs = np.split(index, np.cumsum([len(first), len(second), len(ours)]))
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(len(known), len(known)))
    _, component = csgraph.connected_components(graph, directed=False)
    side = [np.isin(component, component[at]) for at in (at_ours, at_theirs)]
    return np.unique(known[side[0]] // n), np.unique(known[side[1]] // n)
