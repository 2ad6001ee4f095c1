"""Checks of arrays before their addresses go to C: each raises, with the name of the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int32 = NDArray[np.int32]


def reals(name: str, array: Any, shape: tuple[int | None, ...]) -> Float:
    """The array as C-contiguous float64 of this shape (None: any length); copied only where it is not yet that.

    Raises
    ------
    ValueError
        Another shape.
    TypeError
        No real numbers.
    """
    return _as(name, array, np.dtype(np.float64), shape)


def integers(name: str, array: Any, shape: tuple[int | None, ...], upper: int, lower: int = 0) -> Int32:
    """The array as C-contiguous int32 of this shape, all entries in lower .. upper - 1.

    Raises
    ------
    ValueError
        Another shape, or the first entry out of range.
    TypeError
        No integers.
    """
    given = np.asarray(array)
    if given.size and given.dtype.kind not in "iu":
        raise TypeError(f"{name}: integers expected, not {given.dtype}")
    if given.size and (given.min() < lower or given.max() >= upper):
        wrong = np.argwhere((given < lower) | (given >= upper))[0]
        place = ", ".join(str(i) for i in wrong)
        raise ValueError(f"{name}[{place}] = {given[tuple(wrong)]} is not in {lower} .. {upper - 1}")
    return _as(name, given, np.dtype(np.int32), shape)


def output(name: str, array: Any, shape: tuple[int, ...]) -> Float:
    """An array a kernel may write to: never a copy.

    Raises
    ------
    ValueError
        Not a writable C-contiguous float64 array of this shape.
    """
    if (
        not isinstance(array, np.ndarray)
        or array.dtype != np.float64
        or array.shape != shape
        or not array.flags.c_contiguous
        or not array.flags.writeable
        or not array.flags.aligned
    ):
        raise ValueError(f"{name}: a writable C-contiguous float64 array of shape {shape} expected")
    return array


def address(array: NDArray[Any] | None) -> int | None:
    """Address of the first entry; None stays None."""
    return None if array is None else array.ctypes.data


def _as(name: str, array: Any, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> NDArray[Any]:
    given = np.asarray(array)
    if given.dtype.kind not in "iuf" and given.size:
        raise TypeError(f"{name}: numbers expected, not {given.dtype}")
    if given.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, given.shape, strict=True)):
        wanted = ", ".join("*" if n is None else str(n) for n in shape)
        raise ValueError(f"{name}: shape ({wanted}) expected, not {given.shape}")
    return np.require(given, dtype, ["C", "A"])
