"""From the integration points of a cell to its nodes."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.solver.elements.pyramid import collapsed
from dougong.solver.elements.rules import Degree, quadrature
from dougong.solver.elements.tables import Reference, reference

Array = NDArray[np.float64]


@cache
def extrapolation(name: str, rule: str = "full") -> Array:
    """Matrix from the integration points of `reference` to the nodes, shape (n_nodes, nq).

    Least-squares fit of functions over the cell: those of which the gradients on an affine cell are, so that the fit is
    exact there. Complete polynomials of degree order - 1 on triangles and tetrahedra; of degree order in each direction
    on quadrilaterals and hexahedra; on wedges and pyramids those of `_in_wedge` and `_pyramid_terms`. Reduced
    integration has points for linear functions in each direction. A multilinear fit on quadratic hexahedra loses terms
    such as the derivative of x^2 y along y, and with them the stress at the surface of a thick plate (test NAFEMS
    LE10). (Hinton and Campbell, "Local and global smoothing of discontinuous finite element functions using a least
    squares method", IJNME 8, 1974.)
    """
    return _fit(name, rule, np.array(CELL_TYPES[name].reference).T)


@cache
def sampling(name: str, rule: str = "full") -> tuple[Array, Array]:
    """Points at which the flux of a quadratic cell is most accurate, and the matrix to them.

    Returns
    -------
    points : ndarray, shape (dim, n)
        Those of the rule one order lower, where gradients are superconvergent (Barlow, "Optimal stress locations in
        finite element models", IJNME 10, 1976).
    matrix : ndarray, shape (n, nq)
        From the integration points of a rule, by the fit of `extrapolation`.
    """
    X, _ = quadrature(CELL_TYPES[name].family, _SUPERCONVERGENT[CELL_TYPES[name].family])
    return X, _fit(name, rule, X)


@cache
def finer(name: str, rule: str = "full") -> tuple[Reference, Array] | None:
    """A rule that sees what a flux lacks, and the matrix to its points from those of another.

    None where that is the rule itself: on all but quadratic triangles, of which the three points are those where the
    flux is most accurate.
    """
    if name != "tri6":
        return None
    at = reference(name, "load")
    return at, _fit(name, rule, at.X)


#: Degrees of the rules whose points `sampling` gives.
_SUPERCONVERGENT: dict[str, Degree] = {"tri": 2, "quad": 3, "tet": 2, "hex": 3, "wedge": (2, 3), "pyramid": (3, 2)}


def _fit(name: str, rule: str, X: Array) -> Array:
    """Matrix from the integration points to points X, (dim, n), by the fit of `extrapolation`; shape (n, nq)."""
    at = reference(name, rule)
    cell = at.type

    def terms(X: Array) -> Array:  # (dim, n) -> (n, n_terms)
        if cell.family == "pyramid":
            return _pyramid_terms(X, cell)
        return np.array([np.prod(X.T**p, axis=1) for p in _powers(cell, 1 if rule == "reduced" else cell.order)]).T

    return np.asarray(terms(X) @ np.linalg.pinv(terms(at.X)))


def _powers(cell: CellType, order: int) -> list[NDArray[np.int64]]:
    """Exponents of the monomials."""
    every = [np.array(index) for index in np.ndindex(*(order + 1,) * cell.dim)]
    if cell.family in ("tri", "tet"):
        return [p for p in every if p.sum() <= order - 1]
    if cell.family == "wedge":
        return [p for p in every if _in_wedge(p, cell.n_nodes)]
    return every


def _in_wedge(p: NDArray[np.int64], n_nodes: int) -> bool:
    """Whether the gradients have a monomial: those of P1 x P1, complete of degree 2, P2 x P1 and P1 x P2."""
    across, up = p[:2].sum(), p[2]
    if n_nodes == 6:
        return bool(across <= 1)
    return bool(across + up <= (2 if n_nodes == 15 else 3) and across <= 2)


def _pyramid_terms(X: Array, cell: CellType) -> Array:
    """Bilinear functions of xi and eta; on quadratic pyramids also t times the quadratic ones of the base.

    A shape function t^m f(xi, eta) has gradients t^(m - 1) f' (`dougong.solver.elements.pyramid`).
    """
    (xi, eta), t = collapsed(X)
    terms = [xi**i * eta**j for i in (0, 1) for j in (0, 1)]
    if cell.order == 2:
        largest = 4 if cell.n_nodes == 14 else 3
        terms += [t * xi**i * eta**j for i in range(3) for j in range(3) if i + j <= largest]
    return np.array(terms).T
