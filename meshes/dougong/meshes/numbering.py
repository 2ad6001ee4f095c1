"""From the numbers that a mesh file gives its nodes or cells to indices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats.base import ReadError

#: A table indexed by number is used while it has at most so many entries for each number there is.
_SPARSENESS = 8


class Numbering:
    """Finds the index of a number.

    Parameters
    ----------
    ids
        shape (n,), int64 - the numbers, in the order of the indices.

    Raises
    ------
    ReadError
        MESH_NODE_DUPLICATE: a number is there twice.
    """

    def __init__(self, ids: NDArray[np.int64]) -> None:
        n = len(ids)
        self.n = n
        self._first = int(ids[0]) if n else 0
        self._table: NDArray[np.int64] | None = None
        self._sorted: NDArray[np.int64] | None = None
        self._order: NDArray[np.int64] | None = None
        self.counting = bool(n == 0 or np.array_equal(ids, np.arange(self._first, self._first + n, dtype=np.int64)))
        if self.counting:
            return
        low, high = int(ids.min()), int(ids.max())
        if high - low < _SPARSENESS * n:
            self._first = low
            self._table = np.full(high - low + 1, -1, dtype=np.int64)
            self._table[ids - low] = np.arange(n)
            twice = self._table[ids - low] != np.arange(n)
            if twice.any():
                raise ReadError("MESH_NODE_DUPLICATE", count=int(twice.sum()), first=int(ids[twice.argmax()]))
        else:
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]
            same = self._sorted[1:] == self._sorted[:-1]
            if same.any():
                raise ReadError("MESH_NODE_DUPLICATE", count=int(same.sum()), first=int(self._sorted[same.argmax()]))

    @property
    def dtype(self) -> type[np.signedinteger]:
        """The smaller integer type that can hold the indices."""
        return np.int32 if self.n < 2**31 else np.int64

    def find(self, numbers: NDArray[np.integer]) -> NDArray[np.signedinteger]:
        """Indices of `numbers`, of their shape; -1 where there is no such number."""
        numbers = np.asarray(numbers)
        if numbers.dtype == np.uint64:
            # Numbers beyond int64 wrap to negative ones; no file numbers its nodes like that.
            numbers = numbers.astype(np.int64)
        if self._sorted is not None and self._order is not None:
            at = np.minimum(np.searchsorted(self._sorted, numbers), self.n - 1)
            return np.where(self._sorted[at] == numbers, self._order[at], -1)
        n_entries = self.n if self._table is None else len(self._table)
        if self.counting and numbers.size and self._first <= numbers.min() <= numbers.max() < self._first + n_entries:
            return numbers - np.array(self._first, dtype=numbers.dtype)
        # In Python integers first: a difference of int64 could overflow.
        inside = (numbers >= self._first) & (numbers <= self._first + n_entries - 1)
        index = np.where(inside, numbers.astype(np.int64), self._first) - self._first
        if self._table is not None and self.n:
            index = self._table[index]
        index[~inside] = -1
        return index

    def index(self, numbers: NDArray[np.integer], section: str) -> NDArray[np.signedinteger]:
        """Indices of `numbers`, of their shape and of type `dtype`.

        Raises
        ------
        ReadError
            MESH_NODE_UNKNOWN: there is no such number. `section` says where it stands.
        """
        index = self.find(numbers)
        if index.size and index.min() < 0:
            flat = np.flatnonzero(index.ravel() < 0)[0]
            raise ReadError("MESH_NODE_UNKNOWN", node=int(np.asarray(numbers).ravel()[flat]), section=section)
        return index.astype(self.dtype, copy=False)
