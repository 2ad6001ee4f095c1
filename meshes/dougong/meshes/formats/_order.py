"""Order and orientation of the nodes of cells, found from where the nodes lie.

Programs agree on the order of corners up to orientation, but not on that of mid-edge, face and centre nodes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.orient import mirrored

_PROBE = 1000
_CHUNK = 50_000


@cache
def _places(name: str) -> NDArray[np.float64]:
    """Weights of the corners, shape (n_nodes - n_corners, n_corners), that give the place of each other node."""
    cell = CELL_TYPES[name]
    weights = np.zeros((cell.n_nodes - cell.n_corners, cell.n_corners))
    for row in range(len(weights)):
        node = cell.n_corners + row
        if row < len(cell.edges):
            corners = list(cell.edges[row])
        else:
            around = [[n for n in nodes if n < cell.n_corners] for _, nodes in cell.facets if node in nodes]
            corners = around[0] if around else list(range(cell.n_corners))
        weights[row, corners] = 1.0 / len(corners)
    return weights


def find_order(points: NDArray[np.float64], cell: CellType, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find which node of the file is which node of the cell.

    Parameters
    ----------
    points
        shape (n_points, 3), float64 - length.
    cell
        The type of the cells.
    nodes
        shape (n_cells, n_nodes), int64 - indices; the corners stand first.

    Returns
    -------
    ndarray
        shape (n_nodes,), int64: `nodes[:, order]` is in the product's order. Corners stay. As it is when the places
        of the nodes leave a doubt.
    """
    as_it_is = np.arange(cell.n_nodes)
    weights = _places(cell.name)
    if not len(weights) or not len(nodes):
        return as_it_is
    some = points[nodes[:: max(len(nodes) // _PROBE, 1)]]
    corners, others = some[:, : cell.n_corners], some[:, cell.n_corners :]
    expected = np.einsum("pc,ncd->npd", weights, corners)
    size = np.linalg.norm(np.ptp(corners, axis=1), axis=1)
    usable = np.isfinite(some).all(axis=(1, 2)) & (size > 0.0)
    if not usable.any():
        return as_it_is
    gaps = np.linalg.norm(expected[usable, :, None, :] - others[usable, None, :, :], axis=3)
    nearest = np.argmin((gaps / size[usable, None, None]).mean(axis=0), axis=1)
    if len(np.unique(nearest)) != len(nearest):
        return as_it_is
    return np.concatenate([as_it_is[: cell.n_corners], cell.n_corners + nearest])


def signed_measures(points: NDArray[np.float64], cell: CellType, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute volumes, or areas in the x-y plane, of cells with straight edges; negative when they are inside out.

    By the divergence theorem over the facets, whose normals point outwards.

    Parameters
    ----------
    points
        shape (n_points, 3), float64 - length.
    cell, nodes
        The cells, shape (n_cells, n_nodes).

    Returns
    -------
    ndarray
        shape (n_cells,), float64 - length**dim.
    """
    out = np.zeros(len(nodes))
    for start in range(0, len(nodes), _CHUNK):
        x = points[nodes[start : start + _CHUNK, : cell.n_corners]]
        x = x - x.mean(axis=1, keepdims=True)
        total = np.zeros(len(x))
        for _, facet in cell.facets:
            ring = x[:, [n for n in facet if n < cell.n_corners]]
            if cell.dim == 2:
                a, b = ring[:, 0], ring[:, 1]
                total += 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
            else:
                # Half the cross product of the diagonals; for a triangle of two edges.
                normal = 0.5 * np.cross(ring[:, 2] - ring[:, 0], ring[:, -1] - ring[:, 1])
                if ring.shape[1] == 3:
                    normal = 0.5 * np.cross(ring[:, 1] - ring[:, 0], ring[:, 2] - ring[:, 0])
                total += np.einsum("nd,nd->n", ring.mean(axis=1), normal) / 3.0
        out[start : start + _CHUNK] = total
    return out


def turn_inside_out(
    points: NDArray[np.float64], cell: CellType, nodes: NDArray[np.int64], dim: int
) -> tuple[NDArray[np.int64], int]:
    """Turn each cell that is inside out.

    Parameters
    ----------
    points
        shape (n_points, 3), float64 - length.
    cell, nodes
        The cells, in the product's order.
    dim
        Dimension of the space; cells of lower dimension have no inside.

    Returns
    -------
    nodes
        With positive orientation wherever that can be told.
    count
        How many were turned.
    """
    if cell.dim != dim or dim < 2:
        return nodes, 0
    wrong = signed_measures(points, cell, nodes) < 0.0
    if not wrong.any():
        return nodes, 0
    out = nodes.copy()
    out[wrong] = nodes[wrong][:, mirrored(cell.name)]
    return out, int(np.count_nonzero(wrong))
