"""Numbers in a mesh file and the indices they stand for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class IdMap:
    """Index of each number.

    Parameters
    ----------
    ids
        shape (n,), int64 - all different.
    """

    def __init__(self, ids: NDArray[np.int64]) -> None:
        n = len(ids)
        self._first = int(ids[0]) if n else 0
        self._n = n
        self._counting = n == 0 or (int(ids[-1]) - self._first == n - 1 and bool(np.all(np.diff(ids) == 1)))
        if not self._counting:
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]

    def find(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the indices of numbers, same shape; -1 where there is no such number."""
        if self._n == 0:
            return np.full(np.shape(numbers), -1, np.int64)
        if self._counting:
            index = numbers - self._first
            return np.where((numbers >= self._first) & (index < self._n), index, -1)
        place = np.minimum(np.searchsorted(self._sorted, numbers), self._n - 1)
        return np.where(self._sorted[place] == numbers, self._order[place], -1)

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
    ordered = np.sort(ids)
    return np.unique(ordered[1:][np.diff(ordered) == 0])


def listed(ids: NDArray[np.int64], most: int = 10) -> str:
    """Write numbers as a message shows them."""
    return ", ".join(str(int(i)) for i in ids[:most]) + (", ..." if len(ids) > most else "")
