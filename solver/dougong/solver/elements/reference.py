"""Shape functions of the cell types, tabulated at quadrature points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.solver.elements.families import ELEMENTS, LINEAR
from dougong.solver.elements.quadrature import quadrature

Array = NDArray[np.float64]

#: Polynomial degree that the quadrature integrates exactly: full integration of the stiffness of an affine cell, and of
#: the internal forces of a constant flux on a curved one (the patch test); for loads the product of a quadratic density
#: with a shape function.
STIFFNESS_DEGREE = {
    "tri3": 1, "tri6": 2, "quad4": 3, "quad8": 5, "quad9": 5,
    "tet4": 1, "tet10": 3, "hex8": 3, "hex20": 5, "hex27": 5, "wedge6": 2,
}  # fmt: skip
#: (scikit-fem's tetrahedron rule of degree 5 is exact to degree 4 only, which is enough for that.)
LOAD_DEGREE = {1: 3, 2: 5}


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
    """

    type: CellType
    X: Array
    W: Array
    N: Array
    dN: Array

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
def stiffness_reference(name: str) -> Reference:
    """Tables for stiffness, stress and strain: full integration."""
    X, W = quadrature(CELL_TYPES[name].family, STIFFNESS_DEGREE[name])
    return Reference(CELL_TYPES[name], X, W, *tabulate(name, X))


@cache
def load_reference(name: str) -> Reference:
    """Tables for volume and surface loads."""
    X, W = quadrature(CELL_TYPES[name].family, LOAD_DEGREE[CELL_TYPES[name].order])
    return Reference(CELL_TYPES[name], X, W, *tabulate(name, X))


@cache
def linear_reference(name: str) -> Reference:
    """Shape functions of the corner nodes at the stiffness points of a quadratic cell, for the coarse level."""
    linear = LINEAR[CELL_TYPES[name].family]
    X, W = quadrature(CELL_TYPES[name].family, STIFFNESS_DEGREE[name])
    return Reference(CELL_TYPES[linear], X, W, *tabulate(linear, X))


@cache
def corner_values(name: str) -> Array:
    """Linear shape functions at the nodes of a quadratic cell, shape (n_nodes, n_corners).

    They interpolate from the linear to the quadratic element.
    """
    cell = CELL_TYPES[name]
    return tabulate(LINEAR[cell.family], np.array(cell.reference).T)[0]
