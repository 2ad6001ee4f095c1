"""What VTK's two file formats share: from flat arrays of cells to a `RawMesh`.

Source: VTK file formats, "VTK cell types" (vtkCellType.h).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import BY_VTK, CELL_TYPES, CellType
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh

#: Whole-number cell arrays whose values are regions, in lower case.
REGION_ARRAYS = (
    "gmsh:physical", "medit:ref", "materialid", "materialids", "material_id", "material", "material #", "mat_id",
    "matid", "region", "regionid", "region_id", "physical", "physicalid", "physical_id", "cellentityids", "attribute",
    "group", "groupid", "group_id", "partid", "part_id", "part", "block", "blockid", "block_id", "objectid",
    "elementblockids", "subdomain", "cell_tags", "cell_markers", "tag", "tags",
)  # fmt: skip
#: Arrays of these names use 0 for "in no group".
_ZERO_IS_NONE = ("gmsh:physical", "medit:ref")
#: An array with more values than this does not number regions.
_MAX_REGIONS = 10_000

#: Types that are others with the nodes in another order.
_ALIASES = {8: ("quad4", (0, 1, 3, 2)), 11: ("hex8", (0, 1, 3, 2, 4, 5, 7, 6))}
#: Types without a mesh in them: empty cell, several vertices, polyline.
_SKIPPED = {0: "VTK 0 (empty)", 2: "VTK 2 (poly-vertex)", 4: "VTK 4 (poly-line)"}
_OTHERS = {
    6: "triangle strip", 7: "polygon", 15: "pentagonal prism", 16: "hexagonal prism", 30: "quadratic-linear quad",
    31: "quadratic-linear wedge", 33: "bi-quadratic hexahedron", 35: "cubic line", 36: "quadratic polygon",
    37: "tri-quadratic pyramid", 41: "convex point set", 42: "polyhedron", 68: "Lagrange curve",
    69: "Lagrange triangle", 70: "Lagrange quadrilateral", 71: "Lagrange tetrahedron", 72: "Lagrange hexahedron",
    73: "Lagrange wedge",
}  # fmt: skip


def nodes_of(vtk: int) -> int:
    """Number of nodes of a VTK type; 0 where it varies or the type is not known."""
    if vtk in _ALIASES:
        return CELL_TYPES[_ALIASES[vtk][0]].n_nodes
    return BY_VTK[vtk].n_nodes if vtk in BY_VTK else 0


def assemble(
    points: NDArray[np.float64],
    types: NDArray[np.integer],
    ends: NDArray[np.integer],
    connectivity: NDArray[np.integer],
    arrays: Mapping[str, NDArray[np.generic]],
    ignored: Sequence[str],
) -> RawMesh:
    """Put a mesh together.

    Parameters
    ----------
    points
        shape (n_nodes, 3).
    types
        shape (n_cells,) - VTK numbers.
    ends
        shape (n_cells,) - where the nodes of each cell end in `connectivity`.
    connectivity
        Node indices, from 0.
    arrays
        Whole-number cell arrays of one component.
    ignored
        Names of the other arrays.

    Raises
    ------
    ReadError
        The arrays do not fit together, or a cell type cannot be read.
    """
    n_cells = len(types)
    if len(ends) != n_cells:
        raise ReadError("MESH_COUNT_MISMATCH", section="offsets", count=n_cells, found=len(ends))
    sizes = np.diff(ends.astype(np.int64), prepend=0)
    total = int(ends[-1]) if n_cells else 0
    if n_cells and (sizes.min() < 0 or total != len(connectivity)):
        raise ReadError("MESH_COUNT_MISMATCH", section="connectivity", count=total, found=len(connectivity))
    blocks: list[CellBlock] = []
    cells: list[NDArray[np.int64]] = []
    notices: list[tuple[str, dict[str, object]]] = []
    present, first = np.unique(types, return_index=True)
    for vtk in (int(v) for v in present[np.argsort(first)]):
        index = np.flatnonzero(types == vtk)
        if vtk in _SKIPPED:
            notices.append(("MESH_NOTICE_CELLS_SKIPPED", {"count": len(index), "cell_type": _SKIPPED[vtk]}))
            continue
        ct, order = _type(vtk)
        if (sizes[index] != ct.n_nodes).any():
            wrong = index[(sizes[index] != ct.n_nodes).argmax()]
            raise ReadError(
                "MESH_COUNT_MISMATCH", section=f"{ct.name} {wrong}", count=ct.n_nodes, found=int(sizes[wrong])
            )
        blocks.append(
            CellBlock(ct, _rows(connectivity, ends, index, ct.n_nodes, n_cells, len(points))[:, order], index)
        )
        cells.append(index)
    sets: dict[str, list[NDArray[np.int64]]] = {}
    origins: dict[tuple[str, str], str] = {}
    not_used = list(ignored)
    for name, values in arrays.items():
        if len(values) != n_cells:
            raise ReadError("MESH_COUNT_MISMATCH", section=name, count=n_cells, found=len(values))
        if name.lower() not in REGION_ARRAYS or len(numbers := np.unique(values)) > _MAX_REGIONS:
            not_used.append(name)
            continue
        label = "physical" if name.lower() == "gmsh:physical" else name
        order_by_value = [(np.argsort(v := values[c], kind="stable"), v) for c in cells]
        for number in numbers:
            if number == 0 and name.lower() in _ZERO_IS_NONE:
                continue
            key = f"{label}_{number}"
            sets[key] = [_equal(order, v, number) for order, v in order_by_value]
            origins["cells", key] = f"{name} = {number}"
    if not_used:
        names = ", ".join(dict.fromkeys(not_used))
        notices.append(
            ("MESH_NOTICE_ARRAYS_IGNORED", {"names": names, "known": "MaterialID, region, gmsh:physical, …"})
        )
    # VTK numbers nodes and cells from 0.
    ids = np.arange(len(points), dtype=np.int64)
    return RawMesh(points, tuple(blocks), sets, node_ids=ids, notices=tuple(notices), origins=origins)


def _type(vtk: int) -> tuple[CellType, list[int]]:
    if vtk in _ALIASES:
        name, order = _ALIASES[vtk]
        return CELL_TYPES[name], list(order)
    if vtk not in BY_VTK:
        name = f"VTK {vtk} ({_OTHERS[vtk]})" if vtk in _OTHERS else f"VTK {vtk}"
        raise ReadError("MESH_CELL_TYPE_UNSUPPORTED", cell_type=name)
    ct = BY_VTK[vtk]
    return ct, list(range(ct.n_nodes))


def _rows(
    connectivity: NDArray[np.integer],
    ends: NDArray[np.integer],
    index: NDArray[np.int64],
    width: int,
    n_cells: int,
    n_nodes: int,
) -> NDArray[np.integer]:
    """Nodes of cells of one size, shape (n, width), in the smaller integer type."""
    dtype = np.int32 if n_nodes < 2**31 else np.int64
    if len(index) == n_cells:
        rows = connectivity.reshape(n_cells, width)
    else:
        rows = connectivity[ends[index].astype(np.int64)[:, None] - width + np.arange(width)]
    if rows.size and (rows.min() < 0 or rows.max() >= n_nodes):
        bad = rows[(rows < 0) | (rows >= n_nodes)]
        raise ReadError("MESH_NODE_UNKNOWN", section="connectivity", node=int(bad[0]))
    return rows.astype(dtype, copy=False)


def _equal(order: NDArray[np.int64], values: NDArray[np.generic], number: np.generic) -> NDArray[np.int64]:
    ordered = values[order]
    first, last = np.searchsorted(ordered, number, "left"), np.searchsorted(ordered, number, "right")
    return np.sort(order[first:last])
