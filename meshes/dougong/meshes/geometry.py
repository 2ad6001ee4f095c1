"""Measure, Jacobian and shape of each cell, in pieces that bound the memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.shapes import quadrature, shape_gradients

_Array = NDArray[np.float64]

#: Cells at a time.
_CHUNK = 1 << 14
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
        x = points[nodes[start : start + _CHUNK]]
        # Coordinates of 1e200 overflow; what comes out is not finite, and is refused as such.
        with np.errstate(over="ignore", invalid="ignore"):
            out[:, start : start + _CHUNK] = _chunk(ct, x)
    return CellGeometry(*out)


def measures(points: _Array, ct: CellType, nodes: NDArray[np.integer]) -> _Array:
    """Length, area or volume of each curved cell, shape (n_cells,); points have measure 1."""
    out = np.empty(len(nodes))
    for start in range(0, len(nodes), _CHUNK):
        out[start : start + _CHUNK] = _measure(ct, points[nodes[start : start + _CHUNK]])
    return out


def _measure(ct: CellType, x: _Array) -> _Array:
    if ct.dim == 0:
        return np.ones(len(x))
    if ct.order == 2:
        out = np.empty(len(x))
        straight = _is_straight(ct, x)
        linear = CELL_TYPES[_linear_name(ct)]
        out[straight] = _measure(linear, x[straight][:, : ct.n_corners])
        out[~straight] = _dets(_sample(ct.name)[0], x[~straight]) @ _sample(ct.name)[2]
        return out
    grads, _, weights = _sample(ct.name)
    return _dets(grads[: len(weights)], x) @ weights


def _linear_name(ct: CellType) -> str:
    return f"{ct.family}{ct.n_corners}"


def _is_straight(ct: CellType, x: _Array) -> NDArray[np.bool_]:
    """Whether mid-edge nodes lie in the middle; only simplices then have a constant Jacobian and are asked."""
    if ct.family not in ("line", "tri", "tet") or ct.n_nodes != ct.n_corners + len(ct.edges):
        return np.zeros(len(x), dtype=bool)
    ends = x[:, ct.edges]  # (c, edges, 2, dim)
    off = np.abs(x[:, ct.n_corners :] - ends.mean(axis=2)).max(axis=(1, 2))
    size = np.abs(x[:, 1 : ct.n_corners] - x[:, :1]).max(axis=(1, 2))
    return off <= _STRAIGHT * size


@cache
def _sample(name: str) -> tuple[_Array, _Array, _Array]:
    """Shape gradients at quadrature points, at nodes (without the apex of a pyramid), and quadrature weights."""
    ct = CELL_TYPES[name]
    simplex = ct.family in ("line", "tri", "tet")
    points, weights = quadrature(ct.family, 1 if ct.order == 1 and simplex else 1 + ct.order)
    at_nodes = np.array([p for p in ct.reference if p != (0.0, 0.0, 1.0) or ct.family != "pyramid"])
    if ct.order == 1 and simplex:
        at_nodes = at_nodes[:0]
    return shape_gradients(name, points), shape_gradients(name, at_nodes.reshape(-1, ct.dim)), weights


def _jacobians(grads: _Array, x: _Array) -> _Array:
    """Jacobians, shape (c, p, dim of space, dim of cell)."""
    p, n, d = grads.shape
    flat = grads.transpose(1, 0, 2).reshape(n, p * d)
    return (x.transpose(0, 2, 1) @ flat).reshape(len(x), x.shape[2], p, d).transpose(0, 2, 1, 3)


def _dets(grads: _Array, x: _Array) -> _Array:
    """Determinants of the Jacobians, shape (c, p)."""
    return _det(_jacobians(grads, x))


def _det(j: _Array) -> _Array:
    """Determinants of matrices of 1 to 3 columns; square root of Gram's determinant where they are not square."""
    space, dim = j.shape[-2:]
    if space == dim == 2:
        return j[..., 0, 0] * j[..., 1, 1] - j[..., 0, 1] * j[..., 1, 0]
    if space == dim == 3:
        a, b, c = j[..., 0], j[..., 1], j[..., 2]
        return (
            a[..., 0] * (b[..., 1] * c[..., 2] - b[..., 2] * c[..., 1])
            - a[..., 1] * (b[..., 0] * c[..., 2] - b[..., 2] * c[..., 0])
            + a[..., 2] * (b[..., 0] * c[..., 1] - b[..., 1] * c[..., 0])
        )
    gram = np.einsum("...si,...sj->...ij", j, j)
    if dim == 1:
        return np.sqrt(gram[..., 0, 0])
    return np.sqrt(np.maximum(gram[..., 0, 0] * gram[..., 1, 1] - gram[..., 0, 1] ** 2, 0.0))


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


def _scaled_jacobian(ct: CellType, x: _Array, lengths: _Array, dets: _Array) -> _Array:
    """Smallest over the corners; `lengths` of edges, shape (c, edges), `dets` at quadrature points, shape (c, p)."""
    if ct.dim == 1:
        return np.ones(len(x))
    corners = _corner_edges(ct.family)
    if ct.order == 2:
        return _scaled_curved(ct, x)
    smallest = np.full(len(x), np.inf)
    for corner, ends, edges in corners:
        product = lengths[:, edges[0]] * lengths[:, edges[1]]
        if ct.dim == 3:
            product *= lengths[:, edges[2]]
        if ct.family in ("tri", "tet"):
            det = dets[:, 0]
        else:
            det = _det((x[:, list(ends)] - x[:, [corner]]).transpose(0, 2, 1))
        np.minimum(smallest, np.divide(det, product, out=np.zeros_like(det), where=product > 0), out=smallest)
    return np.minimum(smallest * _IDEAL[ct.family], 1.0)


def _scaled_curved(ct: CellType, x: _Array) -> _Array:
    """With the tangents of curved edges, from the Jacobian at the corner."""
    reference = np.array(ct.reference)
    corners = _corner_edges(ct.family)
    jacobians = _jacobians(shape_gradients(ct.name, reference[[c for c, _, _ in corners]]), x)
    smallest = np.full(len(x), np.inf)
    for k, (corner, ends, _) in enumerate(corners):
        tangents = jacobians[:, k] @ (reference[list(ends)] - reference[corner]).T
        product = np.prod(np.sqrt(np.einsum("cij,cij->cj", tangents, tangents)), axis=1)
        det = _det(tangents)
        np.minimum(smallest, np.divide(det, product, out=np.zeros_like(det), where=product > 0), out=smallest)
    return np.minimum(smallest * _IDEAL[ct.family], 1.0)


def _chunk(ct: CellType, x: _Array) -> _Array:
    """The five numbers of `CellGeometry` for each cell, shape (5, c)."""
    if ct.dim == 0:
        return np.ones((5, len(x)))
    if ct.order == 2:
        straight = _is_straight(ct, x)
        if straight.any():
            out = np.empty((5, len(x)))
            out[:, straight] = _chunk(CELL_TYPES[_linear_name(ct)], x[straight][:, : ct.n_corners])
            if not straight.all():
                out[:, ~straight] = _chunk_curved(ct, x[~straight])
            return out
    return _chunk_curved(ct, x)


def _chunk_curved(ct: CellType, x: _Array) -> _Array:
    edge = x[:, ct.edges[:, 1]] - x[:, ct.edges[:, 0]]
    lengths = np.sqrt(np.einsum("ced,ced->ce", edge, edge))
    mean = lengths.mean(axis=1)
    scale = np.where(mean > 0, mean, 1.0) ** ct.dim
    shortest, longest = lengths.min(axis=1), lengths.max(axis=1)
    aspect = np.divide(longest, shortest, out=np.full(len(x), np.inf), where=shortest > 0)
    inner, nodal, weights = _sample(ct.name)
    dets = _dets(inner, x)
    low, high = dets.min(axis=1), dets.max(axis=1)
    if len(nodal):
        at_nodes = _dets(nodal, x)
        # A node may have no volume around it, as at the tip of a quarter-point element; a little rounding is
        # forgiven there.
        none = np.abs(at_nodes) <= 1e-9 * np.abs(dets).max(axis=1, keepdims=True)
        low = np.minimum(low, np.where(none, np.inf, at_nodes).min(axis=1))
        high = np.maximum(high, np.where(none, -np.inf, at_nodes).max(axis=1))
    return np.stack([dets @ weights, low / scale, high / scale, _scaled_jacobian(ct, x, lengths, dets), aspect])
