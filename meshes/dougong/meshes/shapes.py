"""Shape functions of the cell geometry and quadrature, for measures and checks of meshes.

The functions are those polynomials (for pyramids rational functions) of the family's space that are 1 at one node and
0 at the others; they are found by inverting the matrix of the space's basis at the nodes.

Sources: Zienkiewicz, Taylor, "The Finite Element Method", 6th ed., vol. 1, ch. 4 (serendipity spaces); Bedrosian,
"Shape functions and integration formulas for three-dimensional finite element analysis", IJNME 35 (1992) 95-108
(pyramids); Stroud, "Approximate Calculation of Multiple Integrals" (1971), ch. 2 (conical product rules).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES

_Points = NDArray[np.float64]
#: Exponents of x, y, z and of 1/(1-z).
_Term = tuple[int, int, int, int]


def _degree(limit: int, dim: int) -> list[_Term]:
    return [_term(e) for e in product(range(limit + 1), repeat=dim) if sum(e) <= limit]


def _box(limit: int, dim: int) -> list[_Term]:
    return [_term(e) for e in product(range(limit + 1), repeat=dim)]


def _serendipity(dim: int) -> list[_Term]:
    """Quadratic with superlinear degree at most 2: at most one exponent is 2."""
    return [_term(e) for e in product(range(3), repeat=dim) if sum(k == 2 for k in e) <= 1]


def _term(exponents: tuple[int, ...]) -> _Term:
    x, y, z = (*exponents, 0, 0, 0)[:3]
    return (x, y, z, 0)


def _times_z(terms: list[_Term], exponents: tuple[int, ...]) -> list[_Term]:
    return [(x, y, e, 0) for x, y, _, _ in terms for e in exponents]


_SPACES: dict[str, Callable[[], list[_Term]]] = {
    "point1": lambda: [(0, 0, 0, 0)],
    "line2": lambda: _degree(1, 1),
    "line3": lambda: _degree(2, 1),
    "tri3": lambda: _degree(1, 2),
    "tri6": lambda: _degree(2, 2),
    "quad4": lambda: _box(1, 2),
    "quad8": lambda: _serendipity(2),
    "quad9": lambda: _box(2, 2),
    "tet4": lambda: _degree(1, 3),
    "tet10": lambda: _degree(2, 3),
    "hex8": lambda: _box(1, 3),
    "hex20": lambda: _serendipity(3),
    "hex27": lambda: _box(2, 3),
    "wedge6": lambda: _times_z(_degree(1, 2), (0, 1)),
    "wedge15": lambda: _times_z(_degree(2, 2), (0, 1)) + _times_z(_degree(1, 2), (2,)),
    "wedge18": lambda: _times_z(_degree(2, 2), (0, 1, 2)),
    "pyramid5": lambda: [*_degree(1, 3), (1, 1, 0, 1)],
    "pyramid13": lambda: [*_degree(2, 3), (1, 1, 1, 1), (2, 1, 0, 1), (1, 2, 0, 1)],
    "pyramid14": lambda: [*_degree(2, 3), (1, 1, 1, 1), (2, 1, 0, 1), (1, 2, 0, 1), (2, 2, 0, 2)],
}


def _monomials(terms: list[_Term], points: _Points) -> tuple[_Points, _Points]:
    """Values, shape (p, t), and gradients, shape (p, t, 3), of the terms."""
    xyz = np.zeros((len(points), 3))
    xyz[:, : points.shape[1]] = points
    x, y, z = xyz.T
    # At the apex of a pyramid all terms with 1/(1-z) vanish; gradients are not asked for there.
    w = np.where(z < 1 - 1e-12, 1 / np.where(z < 1 - 1e-12, 1 - z, 1), 0.0)
    values = np.empty((len(points), len(terms)))
    grads = np.empty((len(points), len(terms), 3))

    def power(base: _Points, exponent: int) -> _Points:
        return base**exponent if exponent >= 0 else np.zeros_like(base)

    for t, (i, j, k, m) in enumerate(terms):
        px, py, pz, pw = power(x, i), power(y, j), power(z, k), power(w, m)
        values[:, t] = px * py * pz * pw
        grads[:, t, 0] = i * power(x, i - 1) * py * pz * pw
        grads[:, t, 1] = j * px * power(y, j - 1) * pz * pw
        grads[:, t, 2] = px * py * (k * power(z, k - 1) * pw + m * pz * power(w, m + 1))
    return values, grads


@cache
def _coefficients(name: str) -> _Points:
    reference = np.array(CELL_TYPES[name].reference).reshape(CELL_TYPES[name].n_nodes, -1)
    values, _ = _monomials(_SPACES[name](), reference)
    return np.linalg.inv(values)


def shape_gradients(name: str, points: _Points) -> _Points:
    """Gradients of the shape functions.

    Parameters
    ----------
    name
        Cell type. tri7 is treated with its bubble.
    points
        shape (n_points, dim) - reference coordinates.

    Returns
    -------
    ndarray, shape (n_points, n_nodes, dim)
    """
    dim = CELL_TYPES[name].dim
    if name == "tri7":
        return _tri7_gradients(points)
    _, grads = _monomials(_SPACES[name](), points)
    return np.einsum("ptd,tn->pnd", grads, _coefficients(name))[:, :, :dim]


def _tri7_gradients(points: _Points) -> _Points:
    """Quadratic triangle plus the bubble 27 xy(1-x-y), whose node takes its share from the other six."""
    six = shape_gradients("tri6", points)
    x, y = points.T
    bubble = 27 * np.stack([y * (1 - 2 * x - y), x * (1 - x - 2 * y)], axis=1)
    # Values of the six at the centroid: -1/9 at corners, 4/9 at mid-edge nodes.
    share = np.array([-1 / 9] * 3 + [4 / 9] * 3)
    return np.concatenate([six - share[None, :, None] * bubble[:, None, :], bubble[:, None, :]], axis=1)


@cache
def quadrature(family: str, n: int) -> tuple[_Points, NDArray[np.float64]]:
    """Quadrature in the reference cell: Gauss-Legendre with `n` points an axis, conical where the cell has a tip.

    Returns
    -------
    points : ndarray, shape (n_points, dim)
    weights : ndarray, shape (n_points,)
    """
    g, w = np.polynomial.legendre.leggauss(n)
    g, w = (g + 1) / 2, w / 2
    dim = {"point": 0, "line": 1, "tri": 2, "quad": 2}.get(family, 3)
    if dim == 0:
        return np.zeros((1, 0)), np.ones(1)
    cube = np.stack(np.meshgrid(*[g] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    weights = np.prod(np.stack(np.meshgrid(*[w] * dim, indexing="ij"), axis=-1).reshape(-1, dim), axis=1)
    if family == "tet" and n == 1:
        return np.full((1, 3), 0.25), np.array([1 / 6])
    if family in ("tri", "wedge"):
        points = cube.copy()
        points[:, 0] = cube[:, 0] * (1 - cube[:, 1])
        return points, weights * (1 - cube[:, 1])
    if family == "tet":
        a, b, c = cube.T
        return np.stack([a * (1 - b) * (1 - c), b * (1 - c), c], axis=1), weights * (1 - b) * (1 - c) ** 2
    if family == "pyramid":
        a, b, c = cube.T
        return np.stack([a * (1 - c), b * (1 - c), c], axis=1), weights * (1 - c) ** 2
    return cube, weights
