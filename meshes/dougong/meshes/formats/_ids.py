"""Numbers in a mesh file and the indices they stand for."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: A table is kept while it has at most so many entries for each number there is.
_SPARSENESS: Final = 8
_ROWS: Final = 1 << 14


class IdMap:
    """Index of each number.

    Parameters
    ----------
    ids
        shape (n,), int64 - all different.
    """

    def __init__(self, ids: NDArray[np.int64]) -> None:
        n = len(ids)
        self._ids = ids
        self._first = int(ids[0]) if n else 0
        self._n = n
        self._counting = n == 0 or (int(ids[-1]) - self._first == n - 1 and bool(np.all(ids[1:] - ids[:-1] == 1)))
        #: Index of each number from `_first` on, -1 where there is none; None when numbers are too far between.
        self._table: NDArray[np.int64] | None = None
        if not self._counting:
            low, high = int(ids.min()), int(ids.max())
            if high - low < _SPARSENESS * n:
                self._first = low
                self._table = np.full(high - low + 1, -1, np.int64)
                self._table[ids - low] = np.arange(n)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self._ids, kind="stable")

    @cached_property
    def _sorted(self) -> NDArray[np.int64]:
        return self._ids[self._order]

    def find(self, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
        """Find the indices of numbers, same shape; -1 where there is no such number."""
        if self._n == 0:
            return np.full(np.shape(numbers), -1, np.int64)
        if self._counting or self._table is not None:
            n = self._n if self._table is None else len(self._table)
            inside = (numbers >= self._first) & (numbers <= self._first + n - 1)
            place = np.where(inside, numbers.astype(np.int64), self._first) - self._first
            if self._table is not None:
                place = self._table[place]
            place[~inside] = -1
            return place
        place = np.minimum(np.searchsorted(self._sorted, numbers), self._n - 1)
        return np.where(self._sorted[place] == numbers, self._order[place], -1)

    def rows(self, numbers: NDArray[np.integer], dtype: type[np.int32] | type[np.int64]) -> NDArray[np.signedinteger]:
        """`find` for a large table, shape (n, width), in pieces that stay in the cache."""
        out: NDArray[np.signedinteger] = np.empty(numbers.shape, dtype)
        for start in range(0, len(numbers), _ROWS):
            out[start : start + _ROWS] = self.find(numbers[start : start + _ROWS])
        return out

    def in_range(self, first: int, last: int, step: int) -> NDArray[np.int64]:
        """Find the indices of first, first + step, ... up to last, as far as they exist; allocate no others."""
        if self._n == 0 or last < first:
            return np.empty(0, np.int64)
        if self._counting:
            top = self._first + self._n - 1
            start = first if first >= self._first else first + -(-(self._first - first) // step) * step
            return np.arange(start, min(last, top) + 1, step, dtype=np.int64) - self._first
        low, high = np.searchsorted(self._sorted, [max(first, -(2**62)), min(last, 2**62) + 1])
        picked = self._order[low:high]
        return picked if step == 1 else picked[(self._sorted[low:high] - first) % step == 0]


def keep_last(ids: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Mark the last place of each number; None when all are different."""
    if len(ids) < 2 or bool(np.all(np.diff(ids) > 0)):
        return None
    order = np.argsort(ids, kind="stable")
    last = np.append(np.diff(ids[order]) != 0, True)
    if last.all():
        return None
    mask = np.zeros(len(ids), bool)
    mask[order[last]] = True
    return mask


def repeated(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the numbers that occur more than once, ascending."""
    if (ids[1:] > ids[:-1]).all():
        return np.empty(0, np.int64)
    ordered = np.sort(ids)
    return np.unique(ordered[1:][np.diff(ordered) == 0])


def listed(ids: NDArray[np.int64], most: int = 10) -> str:
    """Write numbers as a message shows them."""
    return ", ".join(str(int(i)) for i in ids[:most]) + (", ..." if len(ids) > most else "")
