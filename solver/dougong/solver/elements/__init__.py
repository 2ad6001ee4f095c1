"""scikit-fem's elements on the cells of a stored mesh: the unknowns sit on the mesh nodes, in the mesh's node order.

scikit-fem numbers unknowns by vertices, edges, facets and interiors of a mesh of its own. Here the stored mesh keeps
its numbering: shape functions and quadrature come from scikit-fem, connectivity and geometry from the mesh, curved
quadratic cells included (isoparametric). `NodalBasis` and `FacetBasis` are what a scikit-fem form needs of a basis.
"""

from dougong.solver.elements.bases import FacetBasis, LoadBasis, NodalBasis
from dougong.solver.elements.extrapolate import extrapolation, finer, sampling
from dougong.solver.elements.families import ELEMENTS, LINEAR, SOLVABLE
from dougong.solver.elements.rules import quadrature
from dougong.solver.elements.tables import (
    RULES,
    Reference,
    corner_values,
    linear_reference,
    load_reference,
    permutation,
    reference,
    stiffness_reference,
    tabulate,
)

__all__ = [
    "ELEMENTS",
    "LINEAR",
    "RULES",
    "SOLVABLE",
    "FacetBasis",
    "LoadBasis",
    "NodalBasis",
    "Reference",
    "corner_values",
    "extrapolation",
    "finer",
    "linear_reference",
    "load_reference",
    "permutation",
    "quadrature",
    "reference",
    "sampling",
    "stiffness_reference",
    "tabulate",
]
