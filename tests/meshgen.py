"""Structured meshes of every cell type, for tests.

Each brick of a structured grid is cut into cells of the wanted family: a hexahedron, 2 wedges, 6 tetrahedra or 6
pyramids with their apex in its middle; in two dimensions a quadrilateral or 2 triangles. `mixed` has all families.
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


def mixed(
    order: int,
    n: tuple[int, int, int] = (1, 2, 2),
    size: tuple[float, float, float] = (2.5, 1.0, 1.0),
    distort: float = 0.0,
    seed: int = 0,
    curve: float = 0.0,
    full: bool = False,
) -> Mesh:
    """A box of hexahedra, pyramids, tetrahedra and wedges whose faces fit; regions as of `box`.

    Five layers of bricks along x: hexahedra, bricks cut into pyramids and tetrahedra, tetrahedra, the same again, and
    wedges. Each face of a brick in between is a quadrilateral, the base of a pyramid, or, towards the tetrahedra, two
    triangles; the middle of the brick is their apex.

    Parameters
    ----------
    order
        1: hex8, pyramid5, tet4, wedge6; 2: hex20, pyramid13, tet10, wedge15.
    n
        How often the five layers are there, and bricks along y and z.
    size, distort, seed, curve
        See `box`.
    full
        With nodes in the middle of quadrilaterals: hex27, pyramid14, tet10, wedge18.
    """
    layers = [{"hex": _cuts("hex")}, _between(1), {"tet": _cuts("tet")}, _between(0), {"wedge": _cuts("wedge")}]
    layers *= n[0]
    types = {
        "hex": ("hex8", "hex20", "hex27"), "pyramid": ("pyramid5", "pyramid13", "pyramid14"),
        "tet": ("tet4", "tet10", "tet10"), "wedge": ("wedge6", "wedge15", "wedge18"),
    }  # fmt: skip
    blocks = []
    for family, names in types.items():
        ct = CELL_TYPES[names[2 if full else order - 1]]
        parts = [_repeat(ct, cuts[family], (1, *n[1:]), (x, 0, 0)) for x, cuts in enumerate(layers) if family in cuts]
        blocks.append((ct, np.concatenate(parts)))
    return _mesh(blocks, (len(layers), *n[1:]), size, distort, seed, curve)


def _between(side: int) -> dict[str, NDArray[np.int64]]:
    """Pyramids and tetrahedra of a brick with tetrahedra next to its face x = side."""
    pyramids = _cuts("pyramid")
    towards = (pyramids[:, :4, 0] == side * _STEPS).all(axis=1)
    base = pyramids[towards][0]
    # The tetrahedra of a brick share the diagonals from its first to its last corner, and likewise on its faces.
    first = int(np.argmin(base[:4].sum(axis=1)))
    a, b, c, d = np.roll(base[:4], -first, axis=0)
    return {"pyramid": pyramids[~towards], "tet": np.array([[a, b, c, base[4]], [a, c, d, base[4]]])}


def _repeat(
    ct: CellType, corners: NDArray[np.int64], n: tuple[int, ...], start: tuple[int, ...] = (0, 0, 0)
) -> NDArray[np.int64]:
    """Nodes of the cells of n bricks, the first one at `start`, shape (n_cells, n_nodes, dim), lattice coordinates."""
    dim = len(n)
    nodes = np.rint(np.einsum("nk,ckd->cnd", _corner_weights(ct), corners)).astype(np.int64)
    grid = np.stack(np.meshgrid(*[np.arange(m) for m in n], indexing="ij"), axis=-1).reshape(-1, dim) + start[:dim]
    return (grid[:, None, None, :] * _STEPS + nodes[None]).reshape(-1, ct.n_nodes, dim)


def _structured(
    name: str, n: tuple[int, ...], size: tuple[float, ...], distort: float, seed: int, curve: float
) -> Mesh:
    ct = CELL_TYPES[name]
    if ct.dim != len(n):
        raise ValueError(f"{name} has dimension {ct.dim}, not {len(n)}")
    return _mesh([(ct, _repeat(ct, _cuts(ct.family), n))], n, size, distort, seed, curve)


def _mesh(
    cells: list[tuple[CellType, NDArray[np.int64]]],
    n: tuple[int, ...],
    size: tuple[float, ...],
    distort: float,
    seed: int,
    curve: float,
) -> Mesh:
    dim = len(n)
    extent = np.array(n) * _STEPS
    keys = [np.ravel_multi_index(tuple(np.moveaxis(lattice, -1, 0)), tuple(extent + 1)) for _, lattice in cells]
    unique, inverse = np.unique(np.concatenate([k.ravel() for k in keys]), return_inverse=True)
    ends = np.cumsum([k.size for k in keys])[:-1]
    blocks = [
        (ct, nodes.reshape(-1, ct.n_nodes).astype(np.int64))
        for (ct, _), nodes in zip(cells, np.split(inverse.reshape(-1), ends), strict=True)
    ]
    where = np.stack(np.unravel_index(unique, tuple(extent + 1)), axis=-1)  # (n_nodes, dim), lattice coordinates

    step = np.array(size) / np.array(n)
    points = where / _STEPS * step
    free = (where != 0) & (where != extent)
    rng = np.random.default_rng(seed)
    is_corner = np.zeros(len(points), dtype=bool)
    for ct, conn in blocks:
        is_corner[conn[:, : ct.n_corners]] = True
    if distort:
        moved = points + free * is_corner[:, None] * rng.uniform(-1, 1, points.shape) * distort * step / 2
        for ct, conn in blocks:
            points[conn] = np.einsum("nk,ckd->cnd", _corner_weights(ct), moved[conn[:, : ct.n_corners]])
    if curve:
        points = points + free * ~is_corner[:, None] * rng.uniform(-1, 1, points.shape) * curve * step / 4

    starts = np.cumsum([0, *(len(conn) for _, conn in blocks)])
    regions = [Region("all", RegionKind.CELLS, np.arange(starts[-1], dtype=np.int64), "all cells")]
    for axis in range(dim):
        for side, value in enumerate((0, extent[axis])):
            found = [
                np.column_stack([start + (on := np.flatnonzero(there)), np.full(len(on), number)])
                for (ct, conn), start in zip(blocks, starts[:-1], strict=True)
                for number, (_, facet) in enumerate(ct.facets)
                if (there := (where[conn[:, list(facet)], axis] == value).all(axis=1)).any()
            ]
            entries = np.concatenate(found).astype(np.int64)
            entries = entries[np.lexsort((entries[:, 1], entries[:, 0]))]
            regions.append(Region(f"{'xyz'[axis]}{side}", RegionKind.FACETS, entries, "face of the box"))
    return Mesh(points, tuple(CellBlock(ct, conn) for ct, conn in blocks), tuple(regions))
