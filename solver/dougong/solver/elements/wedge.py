"""Quadratic wedges, which scikit-fem does not have.

Source: Zienkiewicz, Taylor, Zhu, "The Finite Element Method: Its Basis and Fundamentals", 6th ed., ch. 4, triangular
prisms of the Lagrange and of the serendipity family.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skfem.element import ElementLineP2, ElementTriP2
from skfem.element.element_h1 import ElementH1
from skfem.refdom import RefWedge

Array = NDArray[np.float64]

#: Gradients of the area coordinates 1 - x - y, x, y.
_AREA_GRADIENTS = ((-1.0, -1.0), (1.0, 0.0), (0.0, 1.0))

#: Functions of the triangle (corners, edges) and of the line (bottom, top, middle) whose products make 18 nodes.
_FACTORS = (
    *((a, k) for corner in (0, 3) for k in (0, 1) for a in range(corner, corner + 3)),
    *((a, 2) for a in range(6)),
)


class ElementWedgeS2(ElementH1):  # type: ignore[misc]  # scikit-fem has no types
    """Serendipity wedge of 15 nodes: corners and middles of the edges.

    With area coordinates L of the triangle, s = 1 - z at the bottom and s = z at the top:

        corners               L s (2 L - 1 - 2 (1 - s))
        edges of the triangles  4 L_a L_b s
        upright edges         4 L z (1 - z)

    The space is P2(x, y) x P1(z) and z^2 P1(x, y): it has all polynomials of degree 2.
    """

    nodal_dofs = 1
    edge_dofs = 1
    maxdeg = 4
    dofnames = ("u", "u")
    doflocs = np.concatenate([RefWedge.p.T, RefWedge.p.T[np.array(RefWedge.edges)].mean(axis=1)])
    refdom = RefWedge

    def lbasis(self, X: Array, i: int) -> tuple[Array, Array]:
        """Value, shape X.shape[1:], and gradient, shape X.shape, of a basis function at X, shape (3, ...)."""
        x, y, z = X
        L = (1 - x - y, x, y)
        if i < 6:
            a, top = i % 3, i >= 3
            s, ds = (z, 1.0) if top else (1 - z, -1.0)
            value = L[a] * s * (2 * L[a] - 3 + 2 * s)
            across = {a: s * (4 * L[a] - 3 + 2 * s)}
            up = L[a] * (2 * L[a] - 3 + 4 * s) * ds
        elif i < 12:
            a, b = RefWedge.edges[(i - 6) % 3]
            s, ds = (z, 1.0) if i >= 9 else (1 - z, -1.0)
            value = 4 * L[a] * L[b] * s
            across = {a: 4 * L[b] * s, b: 4 * L[a] * s}
            up = 4 * L[a] * L[b] * ds
        elif i < 15:
            a = i - 12
            value = 4 * L[a] * z * (1 - z)
            across = {a: 4 * z * (1 - z)}
            up = 4 * L[a] * (1 - 2 * z)
        else:
            self._index_error()
        along = [sum(_AREA_GRADIENTS[k][j] * slope for k, slope in across.items()) for j in range(2)]
        return value, np.array([*along, up])


class ElementWedge2(ElementH1):  # type: ignore[misc]
    """Wedge of 18 nodes: corners, middles of the edges and of the quadrilaterals. The space is P2(x, y) x P2(z).

    scikit-fem cannot number unknowns on some facets only: it takes the last three as the cell's own.
    """

    nodal_dofs = 1
    edge_dofs = 1
    interior_dofs = 3
    maxdeg = 4
    dofnames = ("u", "u", "u", "u", "u")
    doflocs = np.concatenate([ElementWedgeS2.doflocs, [[0.5, 0.0, 0.5], [0.5, 0.5, 0.5], [0.0, 0.5, 0.5]]])
    refdom = RefWedge

    def lbasis(self, X: Array, i: int) -> tuple[Array, Array]:
        """Value, shape X.shape[1:], and gradient, shape X.shape, of a basis function at X, shape (3, ...)."""
        if i >= len(_FACTORS):
            self._index_error()
        a, k = _FACTORS[i]
        (f, df), (g, dg) = ElementTriP2().lbasis(X[:2], a), ElementLineP2().lbasis(X[2:], k)
        return f * g, np.array([df[0] * g, df[1] * g, f * dg[0]])
