"""The skin of a mesh for pictures and viewers: boundary facets as triangles, and the edges that a drawing shows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.mesh import Mesh
from dougong.meshes.rows import RowIndex

_Index = NDArray[np.int64]

#: Facets that meet at more than this angle have an edge between them.
FEATURE_ANGLE_DEGREES = 30.0

#: So many facets are compared at a time.
_FACETS_AT_A_TIME = 1 << 21

_QUAD8 = ((0, 4, 7), (4, 1, 5), (5, 2, 6), (6, 3, 7), (4, 5, 6), (4, 6, 7))
_QUAD9 = ((0, 4, 8), (0, 8, 7), (4, 1, 5), (4, 5, 8), (8, 5, 2), (8, 2, 6), (7, 8, 6), (7, 6, 3))
_TRI7 = ((0, 3, 6), (3, 1, 6), (1, 4, 6), (4, 2, 6), (2, 5, 6), (5, 0, 6))
#: How a facet is cut into triangles that use all of its nodes.
_TRIANGLES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "tri3": ((0, 1, 2),),
    "tri6": ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
    "tri7": _TRI7,
    "quad4": ((0, 1, 2), (0, 2, 3)),
    "quad8": _QUAD8,
    "quad9": _QUAD9,
}


@dataclass(frozen=True)
class Skin:
    """The boundary of a mesh; in two dimensions, and for shells, the cells themselves.

    Attributes
    ----------
    points
        shape (n, dim), float64 - length.
    node_index
        shape (n,), int64 - where each point is among the nodes of the mesh, ascending.
    triangles
        shape (m, 3), int32 - indices into `points`; the normal by the right-hand rule points outwards.
    triangle_cells
        shape (m,), int64 - the cell that each triangle is part of.
    edges
        shape (k, 2), int32 - pairs of `points`: where facets meet at an angle, and where the surface ends.
    """

    points: NDArray[np.float64]
    node_index: _Index
    triangles: NDArray[np.int32]
    triangle_cells: _Index
    edges: NDArray[np.int32]


def skin(mesh: Mesh | StoredMesh, feature_angle_degrees: float = FEATURE_ANGLE_DEGREES) -> Skin:
    """Find the skin of a mesh.

    Parameters
    ----------
    mesh
        In memory or stored; a stored one is read through its maps.
    feature_angle_degrees
        Facets whose normals differ by more have an edge between them.
    """
    whole = mesh.load() if isinstance(mesh, StoredMesh) else mesh
    facets = _boundary_facets(whole)
    triangles = [nodes[:, list(t)] for name, nodes, _ in facets for t in _TRIANGLES[name]]
    cells = [c for name, _, c in facets for _ in _TRIANGLES[name]]
    tri = np.concatenate(triangles) if triangles else np.empty((0, 3), dtype=np.int64)
    used = np.zeros(whole.n_nodes, dtype=bool)
    used[tri] = True
    node_index = np.flatnonzero(used)
    new = np.cumsum(used) - 1
    edges = _feature_edges(whole.points, facets, whole.n_nodes, np.cos(np.radians(feature_angle_degrees)))
    return Skin(
        points=np.asarray(whole.points)[node_index],
        node_index=node_index,
        triangles=new[tri].astype(np.int32),
        triangle_cells=np.concatenate(cells) if cells else np.empty(0, dtype=np.int64),
        edges=new[edges].astype(np.int32),
    )


def _boundary_facets(mesh: Mesh) -> list[tuple[str, _Index, _Index]]:
    """Facets that only one cell has, and cells of dimension 2: cell type, nodes, cell."""
    found: list[tuple[str, _Index, _Index]] = []
    solids: dict[int, list[tuple[NDArray[np.integer], str, list[int], int]]] = {}
    for k, block in enumerate(mesh.blocks):
        if block.type.dim == 2:
            cells = np.arange(mesh.offsets[k], mesh.offsets[k + 1])
            found.append((block.type.name, np.asarray(block.nodes, dtype=np.int64), cells))
        elif block.type.dim == 3:
            for name, local in block.type.facets:
                entry = (block.nodes, name, list(local), int(mesh.offsets[k]))
                solids.setdefault(CELL_TYPES[name].n_corners, []).append(entry)
    for n_corners, entries in solids.items():
        total = sum(len(nodes) for nodes, *_ in entries)
        # Facets are compared with those of the same range of smallest corners, which bounds the memory.
        bounds = np.linspace(0, mesh.n_nodes, 2 + total // _FACETS_AT_A_TIME).astype(np.int64)
        for low, high in pairwise(bounds.tolist()):
            found += _single_facets(entries, n_corners, low, high, mesh.n_nodes)
    return found


def _single_facets(
    entries: list[tuple[NDArray[np.integer], str, list[int], int]],
    n_corners: int,
    low: int,
    high: int,
    n_nodes: int,
) -> list[tuple[str, _Index, _Index]]:
    """Those facets with a smallest corner in [low, high) that are there once."""
    chosen: list[tuple[str, NDArray[np.integer], _Index]] = []
    for nodes, name, local, offset in entries:
        smallest = nodes[:, local[0]]
        for corner in local[1:n_corners]:
            smallest = np.minimum(smallest, nodes[:, corner])
        cells = np.flatnonzero((smallest >= low) & (smallest < high))
        chosen.append((name, nodes[cells][:, local], cells + offset))
    index = RowIndex(np.concatenate([rows[:, :n_corners] for _, rows, _ in chosen]), n_nodes)
    single = np.bincount(index.number, minlength=index.n_different)[index.number] == 1
    found: list[tuple[str, _Index, _Index]] = []
    start = 0
    for name, rows, cells in chosen:
        mine = single[start : start + len(rows)]
        start += len(rows)
        if mine.any():
            found.append((name, rows[mine].astype(np.int64), cells[mine]))
    return found


def _feature_edges(
    points: NDArray[np.float64], facets: list[tuple[str, _Index, _Index]], n_nodes: int, cosine: float
) -> _Index:
    """Segments, shape (k, 2), of the edges to draw; an edge with a mid-side node gives two."""
    pairs, mids, normals = [], [], []
    for name, nodes, _ in facets:
        ct: CellType = CELL_TYPES[name]
        normal = _normals(points[nodes[:, : ct.n_corners]])
        for k, edge in enumerate(ct.edges):
            pairs.append(nodes[:, edge])
            mids.append(nodes[:, ct.n_corners + k] if ct.order == 2 else np.full(len(nodes), -1))
            normals.append(normal)
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    pair, mid, normal = np.concatenate(pairs), np.concatenate(mids), np.concatenate(normals)
    index = RowIndex(pair, n_nodes)
    order = np.argsort(index.number, kind="stable")
    first = np.searchsorted(index.number[order], np.arange(index.n_different))
    count = np.bincount(index.number, minlength=index.n_different)
    drawn = count != 2
    two = np.flatnonzero(~drawn)
    a, b = order[first[two]], order[first[two] + 1]
    drawn[two] = np.einsum("ni,ni->n", normal[a], normal[b]) < cosine
    chosen = order[first[drawn]]
    straight = chosen[mid[chosen] < 0]
    bent = chosen[mid[chosen] >= 0]
    return np.concatenate(
        [
            pair[straight],
            np.column_stack([pair[bent, 0], mid[bent]]),
            np.column_stack([mid[bent], pair[bent, 1]]),
        ]
    )


def _normals(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals, shape (n, 3), of facets with corners x, shape (n, 3 or 4, dim)."""
    if x.shape[2] == 2:
        return np.tile([0.0, 0.0, 1.0], (len(x), 1))
    if x.shape[1] == 3:
        normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    else:
        normal = np.cross(x[:, 2] - x[:, 0], x[:, 3] - x[:, 1])
    length = np.sqrt((normal**2).sum(axis=1, keepdims=True))
    return normal / np.where(length > 0, length, 1.0)
