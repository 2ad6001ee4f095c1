"""Structured meshes of every cell type, for tests.

Each brick of a structured grid is cut into cells of the wanted family: a hexahedron, 2 wedges, 6 tetrahedra or 6
pyramids with their apex in its middle; in two dimensions a quadrilateral or 2 triangles.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind

TYPES_2D = ("tri3", "tri6", "tri7", "quad4", "quad8", "quad9")
TYPES_3D = (
    "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6", "wedge15", "wedge18", "pyramid5", "pyramid13", "pyramid14",
)  # fmt: skip

#: Lattice steps per brick: all nodes of all cell types fall on lattice points.
_STEPS = 12


def box(
    cell_type: str,
    n: tuple[int, int, int] = (2, 2, 2),
    size: tuple[float, float, float] = (1.0, 1.0, 1.0),
    distort: float = 0.0,
    seed: int = 0,
    curve: float = 0.0,
) -> Mesh:
    """A box [0, size] with facet regions x0, x1, y0, y1, z0, z1 and cell region "all".

    Parameters
    ----------
    cell_type
        One of `TYPES_3D`.
    n
        Bricks along each axis.
    size
        length along each axis.
    distort
        Corners are moved at random by up to this part of half a brick along each axis (0.5 is a lot); nodes between
        them follow, so edges stay straight. Nodes on a face of the box stay on it.
    seed
        Of the random numbers.
    curve
        Nodes between corners are moved likewise, by up to this part of a quarter brick: cells become curved.
    """
    return _structured(cell_type, n, size, distort, seed, curve)


def plate(
    cell_type: str,
    n: tuple[int, int] = (2, 2),
    size: tuple[float, float] = (1.0, 1.0),
    distort: float = 0.0,
    seed: int = 0,
    curve: float = 0.0,
) -> Mesh:
    """A two-dimensional rectangle [0, size] with facet regions x0, x1, y0, y1 and cell region "all"; see `box`."""
    return _structured(cell_type, n, size, distort, seed, curve)


def _cuts(family: str) -> NDArray[np.int64]:
    """Corners of the cells that one brick is cut into, shape (n_cells, n_corners, dim), lattice coordinates."""
    s = _STEPS
    unit = [np.array(p, dtype=np.int64) * s for p in CELL_TYPES["hex8"].reference]
    square = np.array([p[:2] for p in unit[:4]])
    if family == "quad":
        return square[None]
    if family == "tri":
        return square[[[0, 1, 2], [0, 2, 3]]]
    corners = np.array(unit)
    if family == "hex":
        return corners[None]
    if family == "wedge":
        return corners[[[0, 1, 2, 4, 5, 6], [0, 2, 3, 4, 6, 7]]]
    if family == "pyramid":
        middle = np.full(3, s // 2)
        # The base's normal by the right-hand rule points to the apex: facets of the hexahedron, turned around.
        return np.array([[*corners[list(f[::-1])], middle] for _, f in CELL_TYPES["hex8"].facets])
    tets = []
    for axes in permutations(range(3)):
        path = [np.zeros(3, dtype=np.int64)]
        for axis in axes:
            path.append(path[-1] + s * np.eye(3, dtype=np.int64)[axis])
        if np.linalg.det(np.array(path[1:], dtype=float)) < 0:
            path[1], path[2] = path[2], path[1]
        tets.append(path)
    return np.array(tets)


def _corner_weights(ct: CellType) -> NDArray[np.float64]:
    """Linear shape functions at the nodes, shape (n_nodes, n_corners); others are means of corners."""
    corners = np.array(ct.reference[: ct.n_corners]).reshape(ct.n_corners, -1)
    weights = np.zeros((ct.n_nodes, ct.n_corners))
    weights[: ct.n_corners] = np.eye(ct.n_corners)
    groups = [tuple(e) for e in ct.edges]
    faces = [tuple(f[: CELL_TYPES[t].n_corners]) for t, f in ct.facets]
    groups += [*faces, tuple(range(ct.n_corners))]
    for node in range(ct.n_corners, ct.n_nodes):
        for group in groups:
            if np.allclose(corners[list(group)].mean(axis=0), ct.reference[node]):
                weights[node, list(group)] = 1.0 / len(group)
                break
    return weights


def _structured(
    name: str, n: tuple[int, ...], size: tuple[float, ...], distort: float, seed: int, curve: float
) -> Mesh:
    ct = CELL_TYPES[name]
    dim = len(n)
    if ct.dim != dim:
        raise ValueError(f"{name} has dimension {ct.dim}, not {dim}")
    weights = _corner_weights(ct)
    corners = _cuts(ct.family)  # (c, n_corners, dim)
    nodes = np.rint(np.einsum("nk,ckd->cnd", weights, corners)).astype(np.int64)
    grid = np.stack(np.meshgrid(*[np.arange(m) for m in n], indexing="ij"), axis=-1).reshape(-1, dim)
    lattice = (grid[:, None, None, :] * _STEPS + nodes[None]).reshape(-1, ct.n_nodes, dim)
    extent = np.array(n) * _STEPS
    key = np.ravel_multi_index(tuple(np.moveaxis(lattice, -1, 0)), tuple(extent + 1))
    unique, conn = np.unique(key.ravel(), return_inverse=True)
    conn = conn.reshape(key.shape)
    where = np.stack(np.unravel_index(unique, tuple(extent + 1)), axis=-1)  # (n_nodes, dim), lattice coordinates

    step = np.array(size) / np.array(n)
    points = where / _STEPS * step
    free = (where != 0) & (where != extent)
    rng = np.random.default_rng(seed)
    is_corner = np.zeros(len(points), dtype=bool)
    is_corner[conn[:, : ct.n_corners]] = True
    if distort:
        moved = points + free * is_corner[:, None] * rng.uniform(-1, 1, points.shape) * distort * step / 2
        points[conn.ravel()] = np.einsum("nk,ckd->cnd", weights, moved[conn[:, : ct.n_corners]]).reshape(-1, dim)
    if curve:
        points = points + free * ~is_corner[:, None] * rng.uniform(-1, 1, points.shape) * curve * step / 4

    regions = [Region("all", RegionKind.CELLS, np.arange(len(conn), dtype=np.int64), "all cells")]
    for axis in range(dim):
        for side, value in enumerate((0, extent[axis])):
            found = [
                np.column_stack([cells := np.flatnonzero(on), np.full(len(cells), number)])
                for number, (_, facet) in enumerate(ct.facets)
                if len(on := (where[conn[:, list(facet)], axis] == value).all(axis=1))
            ]
            entries = np.concatenate(found).astype(np.int64)
            entries = entries[np.lexsort((entries[:, 1], entries[:, 0]))]
            regions.append(Region(f"{'xyz'[axis]}{side}", RegionKind.FACETS, entries, "face of the box"))
    return Mesh(points, (CellBlock(ct, conn.astype(np.int64)),), tuple(regions))
