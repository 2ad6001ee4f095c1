"""Products with the block rows of a rank, in double precision, and smoothing in single precision.

Smoothing only prepares the next iterate; half the precision is half the memory to read, which is what it costs.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.kernels.arrays import Float, address
from dougong.solver.kernels.loader import RowsStruct, check_status, need_library

Single = NDArray[np.float32]

#: Numbers that the single-precision kernels may read after the last of a vector.
PADDING = 8


class BlockRows:
    """Owned block rows, ready for products.

    Parameters
    ----------
    indptr
        shape (n_rows + 1,), int64.
    indices
        shape (n_blocks,), int32 - columns, below `n_columns`.
    values
        shape (n_blocks, nc, nc), float64; not copied.
    n_columns
        Owned nodes and ghosts.
    """

    def __init__(self, indptr: NDArray[np.int64], indices: NDArray[np.int32], values: Float, n_columns: int) -> None:
        if len(indices) and (indices.min() < 0 or indices.max() >= n_columns):
            raise ValueError("a column is out of range")
        if indptr.dtype != np.int64 or indices.dtype != np.int32 or values.dtype != np.float64:
            raise TypeError("int64 row starts, int32 columns and float64 values expected")
        if indptr[0] != 0 or indptr[-1] != len(indices) or len(values) != len(indices) or (np.diff(indptr) < 0).any():
            raise ValueError("row starts, columns and values do not fit each other")
        self.n_rows, self.n_columns = len(indptr) - 1, n_columns
        self.nc = int(values.shape[1])
        self._kept = (np.ascontiguousarray(indptr), np.ascontiguousarray(indices), np.ascontiguousarray(values))
        self._struct = RowsStruct(self.n_rows, address(self._kept[0]), address(self._kept[1]))
        self._rows = ctypes.byref(self._struct)
        self._kernels: Any = need_library().kernels
        self._single: Single | None = None
        self._inverse: Single | None = None

    def vector(self) -> Single:
        """A zero vector for the single-precision products, shape (n_columns * nc,), with room behind it."""
        return np.zeros(self.n_columns * self.nc + PADDING, dtype=np.float32)[: self.n_columns * self.nc]

    def multiply(self, x: Float, y: Float) -> None:
        """Y = A x; x of owned nodes and ghosts, y of owned nodes."""
        self._check((x, np.float64, self.n_columns), (y, np.float64, self.n_rows))
        check_status(self._kernels.multiply(self._rows, self.nc, address(self._kept[2]), address(x), address(y)))

    def prepare_smoothing(self) -> None:
        """Make the single-precision copy, and the inverse of the diagonal blocks."""
        indptr, indices, values = self._kept
        single = np.empty(values.size + PADDING, dtype=np.float32)
        single[: values.size] = values.reshape(-1)
        self._single = single
        row = np.repeat(np.arange(self.n_rows, dtype=np.int32), np.diff(indptr))
        diagonal = values[np.flatnonzero(indices == row)]
        self._inverse = np.ascontiguousarray(_inverses(diagonal), dtype=np.float32)

    def residual(self, b: Single, x: Single, r: Single) -> None:
        """R = b - A x in single precision; x from `vector`."""
        if self._single is None:
            raise ValueError("prepare_smoothing comes first")
        rows, columns = self.n_rows, self.n_columns
        self._check((b, np.float32, rows), (x, np.float32, columns), (r, np.float32, rows))
        arrays = (address(self._single), address(b), address(x), address(r))
        check_status(self._kernels.residual(self._rows, self.nc, *arrays))

    def smooth(self, b: Single, x: Single, alpha: float, beta: float, p: Single, out: Single) -> None:
        """One Chebyshev step: p = beta p + alpha D^-1 (b - A x), out = x + p; x and out from `vector`."""
        if self._single is None or self._inverse is None:
            raise ValueError("prepare_smoothing comes first")
        rows, columns = self.n_rows, self.n_columns
        self._check((b, np.float32, rows), (p, np.float32, rows), (x, np.float32, columns), (out, np.float32, columns))
        before = (address(self._single), address(self._inverse), address(b), address(x))
        check_status(self._kernels.smooth(self._rows, self.nc, *before, alpha, beta, address(p), address(out)))

    def jacobi(self, b: Single, out: Single) -> None:
        """The first `n_rows` blocks of out = D^-1 b."""
        if self._inverse is None:
            raise ValueError("prepare_smoothing comes first")
        blocks = b.reshape(self.n_rows, self.nc, 1)
        out[: b.size] = np.matmul(self._inverse, blocks).reshape(-1)

    def _check(self, *vectors: tuple[Any, Any, int]) -> None:
        for v, dtype, n in vectors:
            if v.dtype != dtype or v.size < n * self.nc or not v.flags.c_contiguous:
                raise ValueError(f"a contiguous vector of {n * self.nc} numbers, {np.dtype(dtype)}, expected")


def _inverses(blocks: Float) -> Float:
    """Inverses of many small matrices, shape (n, nc, nc); by cofactors, for LAPACK takes fifteen times as long."""
    nc = blocks.shape[1]
    if nc > 3:
        return np.asarray(np.linalg.inv(blocks))
    if nc == 1:
        return 1.0 / blocks
    if nc == 2:
        (a, b), (c, d) = blocks.transpose(1, 2, 0)
        return np.stack([d, -b, -c, a], axis=1).reshape(-1, 2, 2) / (a * d - b * c)[:, None, None]
    x, y, z = blocks.transpose(1, 0, 2)
    cofactors = np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)], axis=2)
    return np.asarray(cofactors / np.einsum("ni,ni->n", x, cofactors[:, :, 0])[:, None, None])
