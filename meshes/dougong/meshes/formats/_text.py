"""Numbers out of text, in bulk: what the readers of text formats share."""

from __future__ import annotations

import mmap
import os
import warnings
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats.base import ReadError

#: Text is searched and converted in pieces of this size.
_CHUNK = 1 << 20
_INT32_MAX = 2**31 - 1


class Buffer(Protocol):
    """Bytes in memory or mapped."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...
    def rfind(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...


def mapped(path: Path) -> mmap.mmap:
    """The bytes of a file, mapped read-only.

    Raises
    ------
    ReadError
        MESH_FILE_EMPTY.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise ReadError("MESH_FILE_EMPTY")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def find(data: Buffer, what: bytes, at: int) -> int:
    """Where something stands from `at` on, or -1; unlike `data.find` it leaves no mapped pages in memory."""
    while at < len(data):
        found = data.find(what, at, at + _CHUNK + len(what) - 1)
        release(data)
        if found >= 0:
            return found
        at += _CHUNK
    return -1


def release(data: Buffer | NDArray[Any]) -> None:
    """Let go of the pages of a mapped file that have been read, or of that which an array is a view of.

    They would count as memory of this process, beside what was made of them. What is read again is mapped again.
    """
    mapping: Any = data
    while isinstance(mapping, np.ndarray | memoryview):
        mapping = mapping.obj if isinstance(mapping, memoryview) else mapping.base
    if isinstance(mapping, mmap.mmap):
        mapping.madvise(mmap.MADV_DONTNEED)


def decode(name: bytes) -> str:
    """A name in a mesh file: UTF-8, or GB 18030 where it is not, or Latin-1 where it is neither."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")


def line_of(data: Buffer, offset: int) -> int:
    """Number of the line that the byte at `offset` stands in, counted from 1."""
    return 1 + sum(data[a : min(a + _CHUNK, offset)].count(b"\n") for a in range(0, offset, _CHUNK))


def skip_space(data: Buffer, at: int) -> int:
    """Offset of the first byte from `at` on that is not white space; the end when there is none."""
    size = 64
    while at < len(data):
        piece = data[at : at + size]
        rest = piece.lstrip()
        at += len(piece) - len(rest)
        if rest:
            break
        size = _CHUNK
    return at


def shown(text: bytes, width: int = 60) -> str:
    """A piece of a file for an error message: short, and without control characters."""
    cut = text[:width].decode("latin-1")
    return "".join(c if c.isprintable() else "·" for c in cut) + ("…" if len(text) > width else "")


def parse_numbers(
    data: Buffer, start: int, end: int, dtype: type[np.float64] | type[np.int64], section: str
) -> NDArray[Any]:
    """All numbers between two offsets, separated by white space.

    Works in pieces, so that the text is never in memory as a whole. Whole numbers come as int32 where that is enough.

    Parameters
    ----------
    data
        The file.
    start, end
        Offsets of the section.
    dtype
        float64, or int64 for whole numbers; those in float64 are exact up to 2**53.
    section
        Its name, for the error.

    Raises
    ------
    ReadError
        MESH_LINE_INVALID: something is no number.
    """
    out = Growing(dtype, end - start)
    at = start
    while at < end:
        stop = min(at + _CHUNK, end)
        if stop < end:
            cut = max(data.rfind(b"\n", at, stop), data.rfind(b" ", at, stop))
            stop = cut + 1 if cut > at else end
        piece = _numbers(data[at:stop], dtype)
        release(data)
        if piece is None:
            raise _invalid_line(data, at, stop, dtype, section)
        out.add(piece, stop - at)
        at = stop
    return out.finish()


class Growing:
    """Numbers of a text that is read piece by piece; they are never in memory twice.

    Parameters
    ----------
    dtype
        float64, or int64 for whole numbers: those come as int32 where that is enough.
    text_bytes
        Length of the text.
    """

    def __init__(self, dtype: type[np.float64] | type[np.int64], text_bytes: int) -> None:
        self._out: NDArray[Any] = np.empty(0, dtype=np.int32 if dtype is np.int64 else dtype)
        self._used = 0
        self._left = text_bytes

    def add(self, piece: NDArray[Any], text_bytes: int) -> None:
        """Take the numbers of the next so many bytes."""
        wide = self._out.dtype == np.int32 and len(piece)
        if wide and not -_INT32_MAX <= piece.min() <= piece.max() <= _INT32_MAX:
            self._out = self._out.astype(np.int64)
        end = self._used + len(piece)
        if end > len(self._out):
            # Grow by realloc, guessing the rest from this piece.
            rest = len(piece) * (self._left - text_bytes) / max(text_bytes, 1)
            self._out.resize(end + int(1.02 * rest), refcheck=False)
        self._out[self._used : end] = piece
        self._used = end
        self._left -= text_bytes

    def finish(self) -> NDArray[Any]:
        """All of them, shape (n,)."""
        self._out.resize(self._used, refcheck=False)
        return self._out


def _numbers(text: bytes, dtype: type[np.float64] | type[np.int64]) -> NDArray[Any] | None:
    """The numbers in a text, or None when not all of it is numbers."""
    if not text.strip():
        return np.empty(0, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=dtype, sep=" ")
        except (DeprecationWarning, ValueError):
            return None


def _invalid_line(
    data: Buffer, start: int, end: int, dtype: type[np.float64] | type[np.int64], section: str
) -> ReadError:
    first = line_of(data, start)
    # The piece may begin in the middle of a line; that part is looked at as a line of its own.
    for number, line in enumerate(data[start:end].split(b"\n")):
        if _numbers(line, dtype) is None:
            return ReadError("MESH_LINE_INVALID", line=first + number, section=section, found=shown(line.strip()))
    return ReadError("MESH_LINE_INVALID", line=first, section=section, found="")


def line_of_number(data: Buffer, start: int, end: int, index: int) -> int:
    """Number of the line that the number `index` of a section stands in; for error messages."""
    line = line_of(data, start)
    at = start
    while at < end:
        stop = data.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        index -= len(data[at:stop].split())
        if index < 0:
            return line
        line += 1
        at = stop + 1
    return line


def odd_line(data: Buffer, start: int, end: int, width: int, section: str) -> ReadError | None:
    """An error that names the first line of a table with more or fewer words than `width`; None when there is none."""
    line = line_of(data, start)
    at = start
    while at < end:
        stop = data.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        text = data[at:stop]
        if len(text.split()) not in (0, width):
            return ReadError("MESH_LINE_INVALID", line=line, section=section, found=shown(text.strip()))
        line += 1
        at = stop + 1
    return None
