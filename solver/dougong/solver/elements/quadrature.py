"""Quadrature on the reference cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skfem.quadrature import get_quadrature
from skfem.refdom import RefLine, RefTri

from dougong.solver.elements.families import ELEMENTS, LINEAR

Array = NDArray[np.float64]


def _tetrahedron_of_degree_3() -> tuple[Array, Array]:
    """Eight points of equal weight, two on each line from a corner to the opposite facet.

    The usual rule of this degree has five points, one of negative weight, which may make a matrix indefinite. With
    barycentric coordinates (a, a, a, 1 - 3 a) and (b, b, b, 1 - 3 b), the sums of their squares and of their cubes
    must have the means 2/5 and 1/5: 12 s^3 - 18 s^2 + 8.1 s - 1.1 = 0, s = a + b, 2 a b = s^2 - s / 2 + 1 / 10.
    """
    columns = []
    for a in (0.112956794512511028, 0.32886164993020291):
        columns += [[a, a, a], [1 - 3 * a, a, a], [a, 1 - 3 * a, a], [a, a, 1 - 3 * a]]
    return np.array(columns).T, np.full(8, 1 / 48)


def quadrature(family: str, degree: int) -> tuple[Array, Array]:
    """Points and weights of a rule that is exact for polynomials of a degree.

    Parameters
    ----------
    family
        Of the cell.
    degree
        Polynomial degree.

    Returns
    -------
    points : ndarray, shape (dim, nq)
    weights : ndarray, shape (nq,)
    """
    if family == "tet" and degree == 3:
        return _tetrahedron_of_degree_3()
    if family == "wedge":
        # scikit-fem's own wedge rule is three times as large as this product of its rules.
        (x, wx), (z, wz) = get_quadrature(RefTri, degree), get_quadrature(RefLine, max(degree, 2))
        nx, nz = x.shape[1], z.shape[1]
        return np.vstack([np.tile(x, nz), np.repeat(z, nx, axis=1)]), np.outer(wz, wx).ravel()
    element = ELEMENTS[LINEAR[family]]()
    points, weights = get_quadrature(element.refdom, degree)
    return np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)
