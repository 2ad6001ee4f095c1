"""Facets that belong to one cell only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.mesh import CellBlock


def free_facets(blocks: Sequence[CellBlock]) -> list[NDArray[np.bool_]]:
    """Find for each block the facets that are not shared with another cell of the same dimension.

    Parameters
    ----------
    blocks
        Cells.

    Returns
    -------
    list of ndarray
        shape (n_cells, n_facets of the type), bool. Facets are compared by their corners.
    """
    free = [np.zeros((len(b), len(b.type.facets)), bool) for b in blocks]
    for dim in (1, 2, 3):
        rows: list[NDArray[np.int64]] = []
        places: list[tuple[int, int]] = []
        for number, block in enumerate(blocks):
            if block.type.dim != dim:
                continue
            for facet, (_, nodes) in enumerate(block.type.facets):
                corners = [n for n in nodes if n < block.type.n_corners]
                padded = np.full((len(block), 4), -1, np.int64)
                padded[:, : len(corners)] = block.nodes[:, corners]
                padded.sort(axis=1)
                rows.append(padded)
                places.append((number, facet))
        if not rows:
            continue
        once = _once(np.concatenate(rows))
        start = 0
        for (number, facet), row in zip(places, rows, strict=True):
            free[number][:, facet] = once[start : start + len(row)]
            start += len(row)
    return free


def _once(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows occur once only."""
    order = np.lexsort(rows.T)
    same = np.all(rows[order[1:]] == rows[order[:-1]], axis=1)
    alone = ~(np.append(same, False) | np.insert(same, 0, False)) if len(rows) else np.empty(0, bool)
    out = np.empty(len(rows), bool)
    out[order] = alone
    return out
