"""Order of the nodes of cells, found from where the nodes lie.

Programs agree on the order of corners up to orientation, but not on that of mid-edge, face and centre nodes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType

_PROBE = 1000


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
