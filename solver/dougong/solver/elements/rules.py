"""Quadrature on the reference cells. All rules for stiffness have positive weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_jacobi
from skfem.quadrature import get_quadrature
from skfem.refdom import RefLine, RefTri

from dougong.solver.elements.families import ELEMENTS, LINEAR

Array = NDArray[np.float64]

#: Polynomial degree that a rule integrates exactly; for wedges and pyramids it may be a pair, across and upwards.
Degree = int | tuple[int, int]


def quadrature(family: str, degree: Degree) -> tuple[Array, Array]:
    """Points and weights of a rule that is exact for polynomials of a degree.

    Parameters
    ----------
    family
        Of the cell.
    degree
        Polynomial degree. A pair of degrees, for wedges: in the plane of the triangle, and in z; for pyramids: in each
        of xi and eta, and in t (`dougong.solver.elements.pyramid`). One number d for a pyramid, or the pair (d, d), is
        exact for the polynomials of degree d of x, y, z, and more.

    Returns
    -------
    points : ndarray, shape (dim, nq)
    weights : ndarray, shape (nq,)
    """
    if family in ("wedge", "pyramid"):
        across, up = degree if isinstance(degree, tuple) else (degree, degree)
        return _wedge(across, up) if family == "wedge" else _pyramid(across, up)
    if isinstance(degree, tuple):
        raise ValueError(f"{family}: one degree expected")
    if family == "tet" and degree == 3:
        return _tetrahedron_of_degree_3()
    element = ELEMENTS[LINEAR[family]]()
    points, weights = get_quadrature(element.refdom, degree)
    return np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)


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


def _wedge(across: int, up: int) -> tuple[Array, Array]:
    """Rule of the triangle times Gauss-Legendre; scikit-fem's own wedge rule is three times as large."""
    (x, wx), (z, wz) = get_quadrature(RefTri, across), get_quadrature(RefLine, up)
    nx, nz = x.shape[1], z.shape[1]
    return np.vstack([np.tile(x, nz), np.repeat(z, nx, axis=1)]), np.outer(wz, wx).ravel()


def _pyramid(across: int, up: int) -> tuple[Array, Array]:
    """Conical product: Gauss-Legendre over the base, Gauss-Jacobi with the weight t^2 of dV = t^2 dxi deta dt.

    Source: Stroud, "Approximate Calculation of Multiple Integrals" (1971), ch. 2.
    """
    g, wg = np.polynomial.legendre.leggauss(across // 2 + 1)
    r, wr = roots_jacobi(up // 2 + 1, 0.0, 2.0)  # weight (1 + r)^2 on [-1, 1], t = (1 + r) / 2
    g, wg, t, wt = (g + 1) / 2, wg / 2, (r + 1) / 2, wr / 8
    tt, yy, xx = (a.ravel() for a in np.meshgrid(t, g, g, indexing="ij"))
    weights = np.einsum("k,j,i->kji", wt, wg, wg).ravel()
    return np.array([xx * tt, yy * tt, 1 - tt]), weights
