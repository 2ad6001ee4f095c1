"""Shape functions of the cell types, tabulated at quadrature points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.solver.elements.families import ELEMENTS, LINEAR
from dougong.solver.elements.rules import Degree, quadrature

Array = NDArray[np.float64]

#: Rules of integration: for each cell type the degree that the quadrature integrates exactly.
#:
#: "full": the stiffness of an affine cell, and the internal forces of a constant flux on a curved one (patch test).
#: "load": the product of a quadratic density with a shape function, for loads. (scikit-fem's tetrahedron rule of
#: degree 5 is exact to degree 4 only, which is enough for that.)
#: "reduced": two points an axis on serendipity cells, where the stresses are most accurate (Barlow, "Optimal stress
#: locations in finite element models", IJNME 10, 1976); a cell alone has motions without energy then.
RULES: dict[str, dict[str, Degree]] = {
    "full": {
        "tri3": 1, "tri6": 2, "quad4": 3, "quad8": 5, "quad9": 5,
        "tet4": 1, "tet10": 3, "hex8": 3, "hex20": 5, "hex27": 5,
        "wedge6": 2, "wedge15": (4, 5), "wedge18": (4, 5), "pyramid5": (3, 1), "pyramid13": (5, 3), "pyramid14": (5, 3),
    },
    "load": {name: 3 if CELL_TYPES[name].order == 1 else 5 for name in ELEMENTS},
    "reduced": {"quad8": 3, "hex20": 3},
}  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """Shape functions of a cell type, tabulated at quadrature points of its reference cell.

    Attributes
    ----------
    type
        The cell type.
    X
        Points, shape (dim, nq), scikit-fem's layout.
    W
        Weights, shape (nq,).
    N
        Shape functions, shape (nq, n_nodes), in the node order of the cell type.
    dN
        Their gradients in the reference cell, shape (nq, n_nodes, dim).
    rule
        Name of the rule of integration the points are of.
    """

    type: CellType
    X: Array
    W: Array
    N: Array
    dN: Array
    rule: str = "full"

    @property
    def n_points(self) -> int:
        """Number of quadrature points."""
        return len(self.W)


def permutation(name: str) -> NDArray[np.int64]:
    """For each node of the cell type the number of scikit-fem's basis function that is one there."""
    element = ELEMENTS[name]()
    X = np.array(CELL_TYPES[name].reference).T
    n = X.shape[1]
    values = np.array([np.broadcast_to(element.lbasis(X, i)[0], n) for i in range(n)])
    return np.asarray(np.argmax(values, axis=0), dtype=np.int64)


def tabulate(name: str, X: Array) -> tuple[Array, Array]:
    """Shape functions, (nq, n_nodes), and their gradients, (nq, n_nodes, dim), at points X, (dim, nq)."""
    element = ELEMENTS[name]()
    nq = X.shape[1]
    N, dN = [], []
    for i in permutation(name):
        phi, dphi = element.lbasis(X, int(i))
        N.append(np.broadcast_to(phi, nq))
        dN.append(np.broadcast_to(dphi, (X.shape[0], nq)))
    return np.ascontiguousarray(np.array(N).T), np.ascontiguousarray(np.array(dN).transpose(2, 0, 1))


@cache
def reference(name: str, rule: str) -> Reference:
    """Tables of a cell type at the points of a rule of integration.

    Parameters
    ----------
    name
        The cell type.
    rule
        One of `RULES`.

    Raises
    ------
    KeyError
        There is no such rule for this cell type.
    """
    X, W = quadrature(CELL_TYPES[name].family, RULES[rule][name])
    return Reference(CELL_TYPES[name], X, W, *tabulate(name, X), rule)


def stiffness_reference(name: str) -> Reference:
    """Tables for stiffness, stress and strain: full integration."""
    return reference(name, "full")


def load_reference(name: str) -> Reference:
    """Tables for volume and surface loads."""
    return reference(name, "load")


@cache
def linear_reference(name: str, rule: str = "full") -> Reference:
    """Shape functions of the corner nodes at the points of a quadratic cell, for the coarse level."""
    linear, at = LINEAR[CELL_TYPES[name].family], reference(name, rule)
    return Reference(CELL_TYPES[linear], at.X, at.W, *tabulate(linear, at.X), rule)


@cache
def corner_values(name: str) -> Array:
    """Linear shape functions at the nodes of a quadratic cell, shape (n_nodes, n_corners).

    They interpolate from the linear to the quadratic element.
    """
    cell = CELL_TYPES[name]
    return tabulate(LINEAR[cell.family], np.array(cell.reference).T)[0]
