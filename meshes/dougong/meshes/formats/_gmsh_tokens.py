"""The body of a section of an MSH file as a sequence of numbers, text or binary alike.

Nothing is allocated for a count before it is known that the file can hold so much.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import line_of_number, parse_numbers
from dougong.meshes.formats.base import ReadError

#: Whole numbers up to here are exact in float64.
_EXACT = 2**53


class TextTokens:
    """A section of a text file.

    Parameters
    ----------
    data, start, end
        The file, and where the section lies in it.
    section
        Its name.
    whole
        Whether it holds whole numbers only.
    """

    def __init__(self, data: mmap.mmap, start: int, end: int, section: str, whole: bool) -> None:
        self._data, self._start, self._end, self._section = data, start, end, section
        self._flat = parse_numbers(data, start, end, np.int64 if whole else np.float64, section)
        self._at = 0

    def _take(self, count: int, entries: int) -> NDArray[Any]:
        left = len(self._flat) - self._at
        if count < 0 or count > left:
            possible = left * entries // count if count > 0 else 0
            raise ReadError("MESH_COUNT_IMPOSSIBLE", section=self._section, count=entries, possible=possible)
        self._at += count
        return self._flat[self._at - count : self._at]

    def _whole(self, values: NDArray[Any], before: int) -> NDArray[np.integer]:
        if values.dtype.kind == "i":
            return values
        wrong = ~((values == np.floor(values)) & (np.abs(values) <= _EXACT))
        if wrong.any():
            index = before + int(wrong.argmax())
            line = line_of_number(self._data, self._start, self._end, index)
            found = repr(float(values[wrong.argmax()]))
            raise ReadError("MESH_LINE_INVALID", line=line, section=self._section, found=found)
        return values.astype(np.int64)

    def ints(self, count: int) -> list[int]:
        """The next whole numbers."""
        before = self._at
        return [int(v) for v in self._whole(self._take(count, count), before)]

    sizes = ints

    def floats(self, count: int) -> None:
        """Pass over the next numbers."""
        self._take(count, count)

    def ids(self, count: int) -> NDArray[np.int64]:
        """The next numbers of nodes or cells, shape (count,)."""
        before = self._at
        return self._whole(self._take(count, count), before).astype(np.int64, copy=False)

    def rows(self, count: int, width: int) -> NDArray[np.float64]:
        """The next rows of coordinates, shape (count, width)."""
        return self._take(count * width, count).reshape(count, width).astype(np.float64, copy=False)

    def tagged_rows(self, count: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The next rows of a number and coordinates, shapes (count,) and (count, width)."""
        # The numbers of a row are checked in one go: line_of_number needs their position in the section.
        before = self._at
        table = self._take(count * (1 + width), count).reshape(count, 1 + width)
        ids = table[:, 0]
        bad = ~((ids == np.floor(ids)) & (np.abs(ids) <= _EXACT))
        if bad.any():
            self._whole(ids[bad][:1], before + int(bad.argmax()) * (1 + width))
        return ids.astype(np.int64), table[:, 1:].astype(np.float64, copy=False)

    def int_rows(self, count: int, width: int) -> NDArray[np.integer]:
        """The next rows of whole numbers, shape (count, width)."""
        before = self._at
        return self._whole(self._take(count * width, count), before).reshape(count, width)

    def remaining(self) -> NDArray[np.integer]:
        """All numbers that are left, whole."""
        before = self._at
        return self._whole(self._take(len(self._flat) - self._at, 0), before)

    def line(self, index: int) -> int:
        """Number of the line that the number `index` of the section stands in."""
        return line_of_number(self._data, self._start, self._end, index)

    def fail(self, found: str) -> ReadError:
        """An error at the number read last."""
        line = line_of_number(self._data, self._start, self._end, max(self._at - 1, 0))
        return ReadError("MESH_LINE_INVALID", line=line, section=self._section, found=found)

    def finish(self) -> int:
        """End of the section.

        Returns
        -------
        int
            Where the section ends.

        Raises
        ------
        ReadError
            Numbers are left over.
        """
        if self._at < len(self._flat):
            line = line_of_number(self._data, self._start, self._end, self._at)
            found = f"{self._flat[self._at]:g}"
            raise ReadError("MESH_LINE_INVALID", line=line, section=self._section, found=found)
        return self._end


class BinaryTokens:
    """A section of a binary file; same methods as `TextTokens`.

    Parameters
    ----------
    data, start
        The file, and where the section begins.
    section
        Its name.
    order
        "<" or ">": byte order.
    id_bytes
        Bytes of the number of a node or cell: 8 in version 4.1, 4 in version 4.0.
    """

    def __init__(self, data: mmap.mmap, start: int, section: str, order: str, id_bytes: int) -> None:
        self._data, self._at, self._section = data, start, section
        self._int, self._size, self._float = np.dtype(f"{order}i4"), np.dtype(f"{order}i8"), np.dtype(f"{order}f8")
        self._id = self._size if id_bytes == 8 else self._int

    def _take(self, dtype: np.dtype[Any], count: int, entries: int) -> NDArray[Any]:
        left = len(self._data) - self._at
        if count < 0 or count * dtype.itemsize > left:
            if entries <= 16:
                raise ReadError("MESH_TRUNCATED", section=self._section, offset=len(self._data))
            possible = left * entries // (count * dtype.itemsize) if count > 0 else 0
            raise ReadError("MESH_COUNT_IMPOSSIBLE", section=self._section, count=entries, possible=possible)
        array: NDArray[Any] = np.frombuffer(self._data, dtype=dtype, count=count, offset=self._at)
        self._at += count * dtype.itemsize
        return array

    def ints(self, count: int) -> list[int]:
        """The next whole numbers of 4 bytes."""
        return [int(v) for v in self._take(self._int, count, count)]

    def sizes(self, count: int) -> list[int]:
        """The next whole numbers of 8 bytes."""
        return [int(v) for v in self._take(self._size, count, count)]

    def floats(self, count: int) -> None:
        """Pass over the next numbers."""
        self._take(self._float, count, count)

    def ids(self, count: int) -> NDArray[np.int64]:
        """The next numbers of nodes or cells, shape (count,)."""
        return self._take(self._id, count, count).astype(np.int64)

    def rows(self, count: int, width: int) -> NDArray[np.float64]:
        """The next rows of coordinates, shape (count, width)."""
        return self._take(self._float, count * width, count).reshape(count, width).view(self._float)

    def tagged_rows(self, count: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The next rows of a number and coordinates, shapes (count,) and (count, width)."""
        row = np.dtype([("id", self._int), ("x", self._float, (width,))])
        table = self._take(row, count, count)
        return table["id"].astype(np.int64), table["x"]

    def int_rows(self, count: int, width: int) -> NDArray[np.integer]:
        """The next rows of whole numbers, shape (count, width)."""
        return self._take(self._id, count * width, count).reshape(count, width).view(self._id)

    def peek_rows(self, width: int, at_most: int) -> NDArray[np.integer]:
        """Rows of whole numbers that may follow, shape (n, width), without passing over them."""
        count = max(0, min(at_most, (len(self._data) - self._at) // (width * self._id.itemsize)))
        flat: NDArray[np.integer] = np.frombuffer(self._data, dtype=self._id, count=count * width, offset=self._at)
        return flat.reshape(count, width)

    def fail(self, found: str) -> ReadError:
        """An error at the number read last."""
        return ReadError("MESH_BYTES_INVALID", offset=self._at, section=self._section, found=found)

    def finish(self) -> int:
        """Where the section ends."""
        return self._at


Tokens = TextTokens | BinaryTokens
