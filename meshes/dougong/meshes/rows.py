"""Exact look-up of indices and of rows of them: which facets, edges or cells are the same."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_I = TypeVar("_I", bound=np.integer)


def ascending(values: NDArray[_I]) -> NDArray[_I]:
    """`numpy.unique` without its sorting where the values are ascending already, as they mostly are."""
    if values.ndim == 1 and (values[1:] > values[:-1]).all():
        return values
    return np.unique(values)


class RowIndex:
    """Numbers the different rows of a table, regardless of the order of the nodes in a row.

    Rows are folded from left to right into one key each: key <- rank of (key, next node) among those present. So
    the keys stay small and equal keys mean equal rows.

    Parameters
    ----------
    rows
        shape (n, width), integer - node indices, not negative.
    n_nodes
        All node indices are below it.
    """

    def __init__(self, rows: NDArray[np.integer], n_nodes: int) -> None:
        ordered = np.sort(rows, axis=1)
        self._n_nodes = max(int(n_nodes), 1)
        self._width = ordered.shape[1]
        self._levels: list[NDArray[np.int64]] = []
        key = ordered[:, 0].astype(np.int64)
        for column in range(1, self._width):
            key = key * self._n_nodes + ordered[:, column]
            present, key = np.unique(key, return_inverse=True)
            self._levels.append(present)
        if self._width == 1:
            present, key = np.unique(key, return_inverse=True)
            self._levels.append(present)
        #: shape (n,), int64 - number of each row; equal rows have equal numbers 0, 1, ...
        self.number: NDArray[np.int64] = key.astype(np.int64, copy=False)
        #: How many different rows there are.
        self.n_different = len(self._levels[-1])

    def find(self, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers of rows, shape (n,); -1 where there is no such row."""
        ordered = np.sort(rows, axis=1)
        key = ordered[:, 0].astype(np.int64)
        if self._width == 1:
            return _rank(self._levels[0], key)
        missing = np.zeros(len(key), dtype=bool)
        for column, present in enumerate(self._levels, start=1):
            key = _rank(present, key * self._n_nodes + ordered[:, column])
            missing |= key < 0
        key[missing] = -1
        return key


def _rank(present: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(present) == 0:
        return np.full(len(values), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(present, values), len(present) - 1)
    at[present[at] != values] = -1
    return at
