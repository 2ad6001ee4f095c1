"""The cell types: nodes, facets, reference coordinates.

One node order for the whole product, that of VTK, which is also that of Abaqus and CalculiX: corners, then mid-edge
nodes, then face and cell centres. Readers permute from their format's order. Facets are numbered as the surfaces S1,
S2, ... of Abaqus and CalculiX, and their corners run so that the normal by the right-hand rule points outwards.

Sources: VTK file formats, "VTK cell types" (vtkCellType.h); Abaqus Analysis User's Guide, "Solid element library".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CellType:
    """A cell type.

    Attributes
    ----------
    name
        Family and number of nodes, for example "tet10".
    family
        point, line, tri, quad, tet, hex, wedge, pyramid.
    dim
        Dimension of the cell itself.
    order
        1 (linear) or 2 (quadratic).
    n_corners
        The first `n_corners` nodes are the corners.
    vtk
        VTK's number of the cell type; 0 where it has none.
    reference
        Coordinates of the nodes in the reference cell: unit simplex, unit square or cube, triangle times unit
        interval, unit square below the apex (0, 0, 1).
    facets
        For each facet the name of its cell type and its nodes.
    """

    name: str
    family: str
    dim: int
    order: int
    n_corners: int
    vtk: int
    reference: tuple[tuple[float, ...], ...]
    facets: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.reference)

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Corner pairs of the edges, shape (n_edges, 2), in the order of the mid-edge nodes."""
        return np.array(_EDGES[self.family], dtype=np.int64).reshape(-1, 2)


_CORNERS: dict[str, tuple[tuple[float, ...], ...]] = {
    "point": ((),),
    "line": ((0.0,), (1.0,)),
    "tri": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)),
    "quad": ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    "tet": ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "hex": (
        (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 1.0, 1.0),
    ),
    "wedge": (
        (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0),
    ),
    "pyramid": ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}  # fmt: skip

_EDGES: dict[str, tuple[tuple[int, int], ...]] = {
    "point": (),
    "line": ((0, 1),),
    "tri": ((0, 1), (1, 2), (2, 0)),
    "quad": ((0, 1), (1, 2), (2, 3), (3, 0)),
    "tet": ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)),
    "hex": (
        (0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7),
    ),
    "wedge": ((0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)),
    "pyramid": ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4), (2, 4), (3, 4)),
}  # fmt: skip

#: Corners of the facets, outward normal by the right-hand rule; in two dimensions the cell lies to the left.
_FACETS: dict[str, tuple[tuple[int, ...], ...]] = {
    "point": (),
    "line": ((0,), (1,)),
    "tri": ((0, 1), (1, 2), (2, 0)),
    "quad": ((0, 1), (1, 2), (2, 3), (3, 0)),
    "tet": ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)),
    "hex": ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)),
    "wedge": ((0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)),
    "pyramid": ((0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)),
}

_DIM = {"point": 0, "line": 1, "tri": 2, "quad": 2, "tet": 3, "hex": 3, "wedge": 3, "pyramid": 3}
_FACET_FAMILY = {(1, 1): "point", (2, 2): "line", (3, 3): "tri", (3, 4): "quad"}

#: name -> (family, order, has face centres, has cell centre, VTK number)
_TABLE: dict[str, tuple[str, int, bool, bool, int]] = {
    "point1": ("point", 1, False, False, 1),
    "line2": ("line", 1, False, False, 3),
    "line3": ("line", 2, False, False, 21),
    "tri3": ("tri", 1, False, False, 5),
    "tri6": ("tri", 2, False, False, 22),
    "tri7": ("tri", 2, False, True, 34),
    "quad4": ("quad", 1, False, False, 9),
    "quad8": ("quad", 2, False, False, 23),
    "quad9": ("quad", 2, False, True, 28),
    "tet4": ("tet", 1, False, False, 10),
    "tet10": ("tet", 2, False, False, 24),
    "hex8": ("hex", 1, False, False, 12),
    "hex20": ("hex", 2, False, False, 25),
    "hex27": ("hex", 2, True, True, 29),
    "wedge6": ("wedge", 1, False, False, 13),
    "wedge15": ("wedge", 2, False, False, 26),
    "wedge18": ("wedge", 2, True, False, 32),
    "pyramid5": ("pyramid", 1, False, False, 14),
    "pyramid13": ("pyramid", 2, False, False, 27),
    "pyramid14": ("pyramid", 2, True, False, 0),
}

#: VTK's order of the face-centre nodes, as facet numbers of this module: -x +x -y +y -z +z for the hexahedron; for
#: wedge and pyramid only the quadrilateral faces have one.
_FACE_CENTRES: dict[str, tuple[int, ...]] = {
    "hex": (5, 3, 2, 4, 0, 1),
    "wedge": (2, 3, 4),
    "pyramid": (0,),
}


def _build(name: str) -> CellType:
    family, order, face_centres, cell_centre, vtk = _TABLE[name]
    corners = np.array(_CORNERS[family], dtype=float).reshape(len(_CORNERS[family]), -1)
    nodes = [tuple(map(float, p)) for p in corners]
    edges = [tuple(sorted(e)) for e in _EDGES[family]]
    face_node: dict[int, int] = {}
    if order == 2:
        nodes += [tuple(corners[list(e)].mean(axis=0)) for e in edges]
        if face_centres:
            for facet in _FACE_CENTRES[family]:
                face_node[facet] = len(nodes)
                nodes.append(tuple(corners[list(_FACETS[family][facet])].mean(axis=0)))
        if cell_centre:
            nodes.append(tuple(corners.mean(axis=0)))
    facets = []
    for number, ring in enumerate(_FACETS[family]):
        facet_nodes = list(ring)
        if order == 2 and len(ring) > 1:
            pairs = [(ring[0], ring[1])] if len(ring) == 2 else list(zip(ring, ring[1:] + ring[:1], strict=True))
            facet_nodes += [len(corners) + edges.index(tuple(sorted(p))) for p in pairs]
            if number in face_node:
                facet_nodes.append(face_node[number])
        facet_family = _FACET_FAMILY[_DIM[family], len(ring)]
        facets.append((f"{facet_family}{len(facet_nodes)}", tuple(facet_nodes)))
    return CellType(
        name=name,
        family=family,
        dim=_DIM[family],
        order=order,
        n_corners=len(corners),
        vtk=vtk,
        reference=tuple(tuple(float(x) for x in p) for p in nodes),
        facets=tuple(facets),
    )


#: All cell types by name.
CELL_TYPES: dict[str, CellType] = {name: _build(name) for name in _TABLE}

#: Cell types by VTK number.
BY_VTK: dict[int, CellType] = {c.vtk: c for c in CELL_TYPES.values() if c.vtk}
