"""Pyramids, which scikit-fem does not have: reference domain and elements of 5, 13 and 14 nodes.

The reference pyramid has the unit square as base and its apex at (0, 0, 1). With t = 1 - z and

    xi = x / t,  eta = y / t

it is the unit cube whose face t = 0 has shrunk to the apex. The shape functions are polynomials of xi, eta, t, and so
rational in x, y, z: on a face they are those of the triangle or quadrilateral with the same nodes, so that pyramids fit
to tetrahedra, hexahedra and wedges. At the apex their gradients depend on the direction from which it is approached;
there the one along the axis xi = eta = 1/2 is given.

Source: Bedrosian, "Shape functions and integration formulas for three-dimensional finite element analysis", IJNME 35
(1992) 95-108; his pyramid lies over the square from -1 to 1, and x, y here are his (1 - z + x) / 2, (1 - z + y) / 2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from skfem.element import ElementQuad1, ElementQuad2, ElementQuadS2
from skfem.element.element_h1 import ElementH1
from skfem.refdom import Refdom

Array = NDArray[np.float64]

#: Nearer to the apex than this is at the apex.
_APEX = 1e-14


class RefPyramid(Refdom):  # type: ignore[misc]  # scikit-fem has no types
    """The reference pyramid. Triangular facets name their first node twice, as in scikit-fem's wedge."""

    p = np.array([[0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    t = np.arange(5, dtype=np.int32)[:, None]
    normals = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [-1.0, 0.0, 0.0]])
    facets = [[0, 1, 2, 3], [0, 1, 4, 0], [1, 2, 4, 1], [2, 3, 4, 2], [0, 3, 4, 0]]  # noqa: RUF012 - as scikit-fem has it
    edges = [[0, 1], [1, 2], [2, 3], [0, 3], [0, 4], [1, 4], [2, 4], [3, 4]]  # noqa: RUF012
    nnodes = 5
    nfacets = 5
    nedges = 8
    name = "Pyramid"


def collapsed(X: Array) -> tuple[Array, Array]:
    """(xi, eta), shape (2, ...), and t, shape (...), of points X, shape (3, ...)."""
    t = 1 - X[2]
    at_apex = t < _APEX
    return np.where(at_apex, 0.5, X[:2] / np.where(at_apex, 1.0, t)), t


class _ElementPyramid(ElementH1, ABC):  # type: ignore[misc]
    """Elements whose shape functions are sums of t^m f(xi, eta)."""

    refdom = RefPyramid

    def lbasis(self, X: Array, i: int) -> tuple[Array, Array]:
        """Value, shape X.shape[1:], and gradient, shape X.shape, of a basis function at X, shape (3, ...)."""
        base, t = collapsed(X)
        value, gradient = np.zeros_like(t), np.zeros_like(np.asarray(X, dtype=np.float64))
        for m, factor, (f, df) in self._terms(base, i):
            value += factor * t**m * f
            if m > 0:
                # xi and eta vary with z too: d xi / dz = xi / t.
                along = base[0] * df[0] + base[1] * df[1] - m * f
                gradient += factor * t ** (m - 1) * np.array([*np.broadcast_arrays(*df, along)])
        return value, gradient

    @abstractmethod
    def _terms(self, base: Array, i: int) -> list[tuple[int, float, tuple[Array, Array]]]:
        """Basis function i as a sum: exponent m, factor, value and gradient of f."""


def _one(base: Array) -> tuple[Array, Array]:
    return np.ones_like(base[0]), np.zeros_like(base)


class ElementPyramid1(_ElementPyramid):
    """Linear pyramid of 5 nodes.

    With the bilinear functions b of the square, and 1 - t at the apex:

        corners of the base   t b(xi, eta)

    The space is P1 and x y / (1 - z).
    """

    nodal_dofs = 1
    maxdeg = 2
    dofnames: tuple[str, ...] = ("u",)
    doflocs = RefPyramid.p.T

    def _terms(self, base: Array, i: int) -> list[tuple[int, float, tuple[Array, Array]]]:
        if i < 4:
            return [(1, 1.0, ElementQuad1().lbasis(base, i))]
        if i == 4:
            return [(0, 1.0, _one(base)), (1, -1.0, _one(base))]
        self._index_error()
        return []


class ElementPyramidS2(_ElementPyramid):
    """Quadratic pyramid of 13 nodes: corners and middles of the edges.

    With the bilinear functions b and the quadratic serendipity functions q of the square:

        corners of the base   t^2 q - t (1 - t) b
        edges of the base     t^2 q
        edges to the apex     4 t (1 - t) b
        apex                  (1 - t) (1 - 2 t)

    The space is P2 and x y z / (1 - z), x^2 y / (1 - z), x y^2 / (1 - z).
    """

    nodal_dofs = 1
    edge_dofs = 1
    maxdeg = 4
    dofnames: tuple[str, ...] = ("u", "u")
    doflocs = np.concatenate([RefPyramid.p.T, RefPyramid.p.T[np.array(RefPyramid.edges)].mean(axis=1)])
    _base: type[ElementH1] = ElementQuadS2

    def _terms(self, base: Array, i: int) -> list[tuple[int, float, tuple[Array, Array]]]:
        linear, quadratic = ElementQuad1(), self._base()
        if i < 4:
            b = linear.lbasis(base, i)
            return [(2, 1.0, quadratic.lbasis(base, i)), (1, -1.0, b), (2, 1.0, b)]
        if i == 4:
            return [(0, 1.0, _one(base)), (1, -3.0, _one(base)), (2, 2.0, _one(base))]
        if i < 9:
            return [(2, 1.0, quadratic.lbasis(base, i - 1))]
        if i < 13:
            b = linear.lbasis(base, i - 9)
            return [(1, 4.0, b), (2, -4.0, b)]
        self._index_error()
        return []


class ElementPyramid2(ElementPyramidS2):
    """Quadratic pyramid of 14 nodes: those of `ElementPyramidS2` and the middle of the base.

    The functions are the same with the biquadratic ones of the square for q; the new one is t^2 q. The space has
    x^2 y^2 / (1 - z)^2 besides.

    scikit-fem cannot number unknowns on some facets only: it takes the last one as the cell's own.
    """

    interior_dofs = 1
    dofnames: tuple[str, ...] = ("u", "u", "u")
    doflocs = np.concatenate([ElementPyramidS2.doflocs, [[0.5, 0.5, 0.0]]])
    _base = ElementQuad2

    def _terms(self, base: Array, i: int) -> list[tuple[int, float, tuple[Array, Array]]]:
        return [(2, 1.0, ElementQuad2().lbasis(base, 8))] if i == 13 else super()._terms(base, i)
