"""Gmsh's cell types and node orders.

Source: Gmsh reference manual, "MSH file format" and "Node ordering".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType

_NAMES = {
    1: "line2", 2: "tri3", 3: "quad4", 4: "tet4", 5: "hex8", 6: "wedge6", 7: "pyramid5", 8: "line3", 9: "tri6",
    10: "quad9", 11: "tet10", 12: "hex27", 13: "wedge18", 14: "pyramid14", 15: "point1", 16: "quad8", 17: "hex20",
    18: "wedge15", 19: "pyramid13",
}  # fmt: skip

#: What the others are, to refuse them by name.
OTHERS = {
    20: "triangle 9", 21: "triangle 10", 22: "triangle 12", 23: "triangle 15", 26: "line 4", 27: "line 5",
    29: "tetrahedron 20", 30: "tetrahedron 35", 31: "tetrahedron 56", 34: "polygon", 35: "polyhedron",
    36: "quadrangle 16", 92: "hexahedron 64", 93: "hexahedron 125",
}  # fmt: skip

#: Corner pairs of the mid-edge nodes, where Gmsh's order differs from ours.
_EDGES: dict[str, tuple[tuple[int, int], ...]] = {
    "tet": ((0, 1), (1, 2), (2, 0), (3, 0), (2, 3), (1, 3)),
    "hex": (
        (0, 1), (0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 7), (5, 6), (6, 7),
    ),
    "wedge": ((0, 1), (0, 2), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (3, 5), (4, 5)),
    "pyramid": ((0, 1), (0, 3), (0, 4), (1, 2), (1, 4), (2, 3), (2, 4), (3, 4)),
}  # fmt: skip

#: Corners of the quadrilateral faces that have a centre node.
_FACES: dict[str, tuple[tuple[int, ...], ...]] = {
    "hex": ((0, 3, 2, 1), (0, 1, 5, 4), (0, 4, 7, 3), (1, 2, 6, 5), (2, 3, 7, 6), (4, 5, 6, 7)),
    "wedge": ((0, 1, 4, 3), (0, 3, 5, 2), (1, 2, 5, 4)),
    "pyramid": ((0, 3, 2, 1),),
}


def _order(ct: CellType) -> NDArray[np.int64]:
    """Position in Gmsh's list of each of our nodes, shape (n_nodes,)."""
    if ct.order == 1 or ct.family not in _EDGES:
        return np.arange(ct.n_nodes)
    corners = np.array(ct.reference[: ct.n_corners])
    groups: list[tuple[int, ...]] = [(k,) for k in range(ct.n_corners)]
    groups += _EDGES[ct.family]
    if ct.n_nodes > len(groups):
        groups += _FACES[ct.family]
    if ct.n_nodes > len(groups):
        groups.append(tuple(range(ct.n_corners)))
    theirs = np.array([corners[list(g)].mean(axis=0) for g in groups])
    ours = np.array(ct.reference)
    return np.array([np.flatnonzero(np.abs(theirs - node).max(axis=1) < 1e-12)[0] for node in ours])


#: Gmsh's number -> cell type, and the position in Gmsh's list of each of our nodes.
GMSH_CELLS: dict[int, tuple[CellType, NDArray[np.int64]]] = {
    number: (CELL_TYPES[name], _order(CELL_TYPES[name])) for number, name in _NAMES.items()
}


def type_name(number: int) -> str:
    """What a number means, also where it cannot be read."""
    return f"Gmsh {number} ({OTHERS[number]})" if number in OTHERS else f"Gmsh {number}"
