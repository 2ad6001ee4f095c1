"""Measure, Jacobian and shape of each cell, in pieces that bound the memory.

The coordinates of a piece have the shape (dim of space, n_nodes, c): cells last, so that operations run along them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.shapes import quadrature, shape_gradients

_Array = NDArray[np.float64]

#: Cells at a time: their coordinates stay in the cache.
_CHUNK = 1 << 12
#: A mid-edge node off the middle by less than this part of the cell's size counts as in the middle.
_STRAIGHT = 1e-10

#: What makes the determinant of unit edges at a corner 1 for the perfect cell of a family.
_IDEAL = {
    "line": 1.0, "tri": 2 / np.sqrt(3), "quad": 1.0, "tet": np.sqrt(2), "hex": 1.0, "wedge": 2 / np.sqrt(3),
    "pyramid": np.sqrt(2),
}  # fmt: skip


@dataclass(frozen=True)
class CellGeometry:
    """Geometry of the cells of one block.

    Attributes
    ----------
    measure
        shape (n_cells,) - length, area or volume of the curved cell.
    min_jacobian, max_jacobian
        shape (n_cells,) - smallest and largest determinant of the Jacobian at quadrature points and nodes, divided by
        the product of the cell's mean edge length; without sign (square root of Gram's determinant) for cells of a
        lower dimension than the space.
    scaled_jacobian
        shape (n_cells,) - smallest over the corners of the determinant of the unit tangents of the edges that meet
        there, relative to that of the perfect cell; at most 1.
    aspect
        shape (n_cells,) - longest over shortest edge, corner to corner.
    """

    measure: _Array
    min_jacobian: _Array
    max_jacobian: _Array
    scaled_jacobian: _Array
    aspect: _Array


def cell_geometry(points: _Array, ct: CellType, nodes: NDArray[np.integer]) -> CellGeometry:
    """Geometry of cells.

    Parameters
    ----------
    points
        shape (n_nodes, dim).
    ct
        Their type.
    nodes
        shape (n_cells, n_nodes of the type).
    """
    out = np.empty((5, len(nodes)))
    for start in range(0, len(nodes), _CHUNK):
        # Coordinates of 1e200 overflow; what comes out is not finite, and is refused as such.
        with np.errstate(over="ignore", invalid="ignore"):
            out[:, start : start + _CHUNK] = _chunk(ct, gathered(points, nodes[start : start + _CHUNK]))
    return CellGeometry(*out)


def measures(points: _Array, ct: CellType, nodes: NDArray[np.integer]) -> _Array:
    """Length, area or volume of each curved cell, shape (n_cells,); points have measure 1."""
    out = np.empty(len(nodes))
    for start in range(0, len(nodes), _CHUNK):
        out[start : start + _CHUNK] = _measure(ct, gathered(points, nodes[start : start + _CHUNK]))
    return out


def gathered(points: _Array, nodes: NDArray[np.integer]) -> _Array:
    """Coordinates of the nodes of some cells, shape (dim of space, n_nodes, c)."""
    return np.ascontiguousarray(points.take(nodes.T, axis=0).transpose(2, 0, 1))


def _measure(ct: CellType, x: _Array) -> _Array:
    if ct.dim == 0:
        return np.ones(x.shape[2])
    straight = _is_straight(ct, x)
    if straight.any():
        out = np.empty(x.shape[2])
        out[straight] = _measure(CELL_TYPES[_linear_name(ct)], x[:, : ct.n_corners, straight])
        if not straight.all():
            out[~straight] = _measured(ct, x[:, :, ~straight])
        return out
    return _measured(ct, x)


def _measured(ct: CellType, x: _Array) -> _Array:
    sample = _sample(ct.name)
    weighted = sample.weights != 0.0
    return sample.weights[weighted] @ _dets(sample.gradients[weighted], x)


def _linear_name(ct: CellType) -> str:
    return f"{ct.family}{ct.n_corners}"


def _is_straight(ct: CellType, x: _Array) -> NDArray[np.bool_]:
    """Whether mid-edge nodes lie in the middle; only simplices then have a constant Jacobian and are asked."""
    simplex = ct.family in ("line", "tri", "tet")
    if ct.order == 1 or not simplex or ct.n_nodes != ct.n_corners + len(ct.edges):
        return np.zeros(x.shape[2], dtype=bool)
    off = x[:, ct.edges[:, 0]]
    off += x[:, ct.edges[:, 1]]
    off *= 0.5
    off -= x[:, ct.n_corners :]
    size = np.abs(x[:, 1 : ct.n_corners] - x[:, :1]).max(axis=(0, 1))
    return np.abs(off, out=off).max(axis=(0, 1)) <= _STRAIGHT * size


@dataclass(frozen=True)
class _Sample:
    """Where the Jacobian of a cell is looked at.

    Attributes
    ----------
    gradients
        shape (p, n_nodes, dim) - of the shape functions; at the nodes last, without the apex of a pyramid.
    weights
        shape (p,) - of a quadrature that is exact for the measure of a solid; 0 at the other points.
    n_inner
        How many of the points are no nodes.
    """

    gradients: _Array
    weights: _Array
    n_inner: int


@cache
def _sample(name: str) -> _Sample:
    ct = CELL_TYPES[name]
    simplex = ct.family in ("line", "tri", "tet")
    at_nodes = np.array([p for p in ct.reference if p != (0.0, 0.0, 1.0) or ct.family != "pyramid"])
    if ct.order == 1 and simplex:
        at_nodes = at_nodes[:0]
    at_nodes = at_nodes.reshape(-1, ct.dim)
    if name == "tet10":
        # The determinant is a cubic, for which corners and centres of faces are enough: Stroud, T3: 3-1.
        centre, faces = np.full((1, 3), 1 / 4), (1.0 - np.vstack([np.zeros(3), np.eye(3)])) / 3
        faces[0] = 1 / 3
        inner = np.vstack([centre, faces])
        weights = np.concatenate([[0.0], np.full(4, 9 / 240), np.full(4, 1 / 240), np.zeros(6)])
    else:
        inner, weights = quadrature(ct.family, 1 if ct.order == 1 and simplex else 1 + ct.order)
        weights = np.concatenate([weights, np.zeros(len(at_nodes))])
    return _Sample(shape_gradients(name, np.vstack([inner, at_nodes])), weights, len(inner))


@cache
def _everywhere(name: str) -> _Array:
    """Gradients at many points of a cell, for those that look odd; shape (p, n_nodes, dim)."""
    return shape_gradients(name, quadrature(CELL_TYPES[name].family, 3)[0])


def _jacobians(grads: _Array, x: _Array) -> _Array:
    """Jacobians, shape (dim of space, dim of cell, p, c)."""
    p, n, d = grads.shape
    flat = grads.transpose(2, 0, 1).reshape(d * p, n)
    return (flat @ x).reshape(len(x), d, p, x.shape[2])


def _dets(grads: _Array, x: _Array) -> _Array:
    """Determinants of the Jacobians, shape (p, c)."""
    return determinant(_jacobians(grads, x))


def determinant(j: _Array) -> _Array:
    """Determinants of matrices, the first two axes; square root of Gram's determinant where they are not square."""
    space, dim = j.shape[:2]
    if space == dim == 2:
        return j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]
    if space == dim == 3:
        a, b, c = j[:, 0], j[:, 1], j[:, 2]
        return (
            a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
        )
    gram = np.einsum("si...,sj...->ij...", j, j)
    if dim == 1:
        return np.sqrt(gram[0, 0])
    return np.sqrt(np.maximum(gram[0, 0] * gram[1, 1] - gram[0, 1] ** 2, 0.0))


@cache
def _corner_edges(family: str) -> tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]:
    """Corners where as many edges meet as the cell has dimensions: corner, edges' other ends (right-handed), edges."""
    linear = next(c for c in CELL_TYPES.values() if c.family == family and c.order == 1)
    reference = np.array(linear.reference).reshape(linear.n_corners, -1)
    found = []
    for corner in range(linear.n_corners):
        numbers = {int(b if a == corner else a): k for k, (a, b) in enumerate(linear.edges) if corner in (a, b)}
        if len(numbers) == linear.dim:
            order = next(p for p in permutations(numbers) if np.linalg.det(reference[list(p)] - reference[corner]) > 0)
            found.append((corner, order, tuple(numbers[end] for end in order)))
    return tuple(found)


@cache
def _corner_tangents(name: str) -> _Array:
    """What gives the tangents of the (curved) edges at each corner from its nodes, shape (n_corners, dim, n_nodes)."""
    ct = CELL_TYPES[name]
    reference = np.array(ct.reference)
    corners = _corner_edges(ct.family)
    grads = shape_gradients(name, reference[[c for c, _, _ in corners]])
    return np.stack([(reference[list(e)] - reference[c]) @ g.T for g, (c, e, _) in zip(grads, corners, strict=True)])


def _scaled_jacobian(ct: CellType, x: _Array, lengths: _Array, dets: _Array) -> _Array:
    """Smallest over the corners; `lengths` of edges, shape (edges, c), `dets` at quadrature points, shape (p, c)."""
    if ct.dim == 1:
        return np.ones(x.shape[2])
    smallest = np.full(x.shape[2], np.inf)
    constant = ct.order == 1 and ct.family in ("tri", "tet")
    for k, (_, _, edges) in enumerate(_corner_edges(ct.family)):
        if constant:
            det, product = dets[0], lengths[list(edges)].prod(axis=0)
        else:
            tangents = _corner_tangents(ct.name)[k] @ x  # (dim of space, dim, c)
            det, product = determinant(tangents), np.sqrt((tangents**2).sum(axis=0)).prod(axis=0)
        np.minimum(smallest, np.divide(det, product, out=np.zeros_like(det), where=product > 0), out=smallest)
    return np.minimum(smallest * _IDEAL[ct.family], 1.0)


def _chunk(ct: CellType, x: _Array) -> _Array:
    """The five numbers of `CellGeometry` for each cell, shape (5, c)."""
    if ct.dim == 0:
        return np.ones((5, x.shape[2]))
    straight = _is_straight(ct, x)
    if straight.all():
        return _chunk_curved(CELL_TYPES[_linear_name(ct)], x[:, : ct.n_corners])
    if not straight.any():
        return _chunk_curved(ct, x)
    out = np.empty((5, x.shape[2]))
    out[:, straight] = _chunk_curved(CELL_TYPES[_linear_name(ct)], x[:, : ct.n_corners, straight])
    out[:, ~straight] = _chunk_curved(ct, x[:, :, ~straight])
    return out


def _chunk_curved(ct: CellType, x: _Array) -> _Array:
    edge = x[:, ct.edges[:, 1]] - x[:, ct.edges[:, 0]]
    lengths = np.sqrt(np.square(edge, out=edge).sum(axis=0))
    mean = lengths.mean(axis=0)
    scale = np.where(mean > 0, mean, 1.0) ** ct.dim
    shortest, longest = lengths.min(axis=0), lengths.max(axis=0)
    aspect = np.divide(longest, shortest, out=np.full(len(mean), np.inf), where=shortest > 0)
    sample = _sample(ct.name)
    every = _dets(sample.gradients, x)
    dets, at_nodes = every[: sample.n_inner], every[sample.n_inner :]
    low, high = dets.min(axis=0), dets.max(axis=0)
    if len(at_nodes):
        # A node may have no volume around it, as at the tip of a quarter-point element; a little rounding is
        # forgiven there.
        none = np.abs(at_nodes) <= 1e-9 * np.abs(dets).max(axis=0)
        low = np.minimum(low, np.where(none, np.inf, at_nodes).min(axis=0))
        high = np.maximum(high, np.where(none, -np.inf, at_nodes).max(axis=0))
    odd = ~(low > 0.5 * high) if ct.name == "tet10" else np.zeros(len(low), dtype=bool)
    if odd.any():
        more = _dets(_everywhere(ct.name), x[:, :, odd])
        low[odd] = np.minimum(low[odd], more.min(axis=0))
        high[odd] = np.maximum(high[odd], more.max(axis=0))
    return np.stack([sample.weights @ every, low / scale, high / scale, _scaled_jacobian(ct, x, lengths, dets), aspect])
