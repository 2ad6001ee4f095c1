"""Which scikit-fem element is on which cell type: scikit-fem's own, and those that it does not have."""

from __future__ import annotations

from typing import Any

import skfem

from dougong.meshes.cells import CELL_TYPES
from dougong.solver.elements.pyramid import ElementPyramid1, ElementPyramid2, ElementPyramidS2
from dougong.solver.elements.wedge import ElementWedge2, ElementWedgeS2

#: The scikit-fem element of each cell type.
ELEMENTS: dict[str, type[Any]] = {
    "line2": skfem.ElementLineP1,
    "line3": skfem.ElementLineP2,
    "tri3": skfem.ElementTriP1,
    "tri6": skfem.ElementTriP2,
    "quad4": skfem.ElementQuad1,
    "quad8": skfem.ElementQuadS2,
    "quad9": skfem.ElementQuad2,
    "tet4": skfem.ElementTetP1,
    "tet10": skfem.ElementTetP2,
    "hex8": skfem.ElementHex1,
    "hex20": skfem.ElementHexS2,
    "hex27": skfem.ElementHex2,
    "wedge6": skfem.ElementWedge1,
    "wedge15": ElementWedgeS2,
    "wedge18": ElementWedge2,
    "pyramid5": ElementPyramid1,
    "pyramid13": ElementPyramidS2,
    "pyramid14": ElementPyramid2,
}

#: Cell types that can be solved on: those that carry a two- or three-dimensional field.
SOLVABLE = tuple(name for name in ELEMENTS if CELL_TYPES[name].dim >= 2)

#: The linear cell on the corners of a cell, the coarse level of p-multigrid.
LINEAR = {
    "line": "line2", "tri": "tri3", "quad": "quad4", "tet": "tet4", "hex": "hex8", "wedge": "wedge6",
    "pyramid": "pyramid5",
}  # fmt: skip
