"""VTK's legacy files (.vtk) with an unstructured grid, text and binary, versions 1 to 5.

Each value of a whole-number cell array with a known name ("MaterialID", "region", ...) becomes a set.

Source: VTK file formats, "Simple legacy formats".
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import line_of, mapped, parse_numbers, shown
from dougong.meshes.formats._vtk_cells import assemble, nodes_of
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import RawMesh

NAME = "vtk"
SUFFIXES = (".vtk",)
DESCRIPTION = "VTK legacy unstructured grid, text and binary"
OPENS_FILES = False

_DTYPES = {
    "char": "i1", "signed_char": "i1", "unsigned_char": "u1", "short": "i2", "unsigned_short": "u2", "int": "i4",
    "unsigned_int": "u4", "long": "i8", "unsigned_long": "u8", "vtkidtype": "i8", "vtktypeint64": "i8",
    "vtktypeint32": "i4", "float": "f4", "double": "f8",
}  # fmt: skip
#: Attributes with a fixed number of components.
_COMPONENTS = {"VECTORS": 3, "NORMALS": 3, "TENSORS": 9, "TENSORS6": 6, "GLOBAL_IDS": 1, "PEDIGREE_IDS": 1}
_PIECE = 1 << 20


def sniff(head: bytes) -> bool:
    """Whether it begins as a legacy VTK file does."""
    return head.lstrip()[:23].lower() == b"# vtk datafile version "


def read(path: Path) -> RawMesh:
    """Read a file. Raises `ReadError`."""
    data = mapped(path)
    return _Reader(data).run()


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0
        self._binary = False
        self._version = (0, 0)
        self._points: NDArray[np.float64] | None = None
        self._flat: NDArray[np.int64] | None = None
        self._n_cells = 0
        self._ends: NDArray[np.int64] | None = None
        self._connectivity: NDArray[np.int64] | None = None
        self._types: NDArray[np.int64] | None = None
        self._cell_arrays: dict[str, NDArray[Any]] = {}
        self._ignored: list[str] = []
        self._of_cells = False
        self._tuples = 0

    def run(self) -> RawMesh:
        self._header()
        while (words := self._next_line()) is not None:
            self._section(words)
        if self._points is None:
            raise ReadError("MESH_SECTION_MISSING", section="POINTS")
        if self._types is None:
            raise ReadError("MESH_SECTION_MISSING", section="CELL_TYPES")
        if self._flat is not None:
            self._split()
        if self._ends is None or self._connectivity is None:
            raise ReadError("MESH_SECTION_MISSING", section="CELLS")
        return assemble(self._points, self._types, self._ends, self._connectivity, self._cell_arrays, self._ignored)

    def _line(self) -> bytes:
        """The next line, also when it is empty."""
        if self._at >= len(self._data):
            raise ReadError("MESH_TRUNCATED", section="VTK", offset=len(self._data))
        stop = self._data.find(b"\n", self._at, self._at + 65536)
        if stop < 0:
            if len(self._data) - self._at > 65536:
                found = shown(self._data[self._at : self._at + 80])
                raise ReadError("MESH_BYTES_INVALID", section="VTK", offset=self._at, found=found)
            stop = len(self._data)
        line, self._at = self._data[self._at : stop], stop + 1
        return line

    def _next_line(self) -> list[str] | None:
        """Words of the next line that has any; None at the end of the file."""
        while self._at < len(self._data):
            words = self._line().decode("latin-1").split()
            if words:
                return words
        return None

    def _header(self) -> None:
        first = self._line()
        match = re.fullmatch(rb"\s*# vtk datafile version\s+(\d+)\.(\d+)\s*", first, re.IGNORECASE)
        if match is None:
            raise ReadError("MESH_LINE_INVALID", line=1, section="VTK", found=shown(first))
        self._version = (int(match[1]), int(match[2]))
        if self._version[0] > 5:
            version = f"{self._version[0]}.{self._version[1]}"
            raise ReadError("MESH_VERSION_UNSUPPORTED", version=version, format="VTK", known="1.0 - 5.1")
        self._line()
        kind = self._line().strip().upper()
        if kind not in (b"ASCII", b"BINARY"):
            raise ReadError("MESH_LINE_INVALID", line=3, section="VTK", found=shown(kind))
        self._binary = kind == b"BINARY"

    def _fail(self, words: list[str]) -> ReadError:
        line = line_of(self._data, max(self._at - 1, 0))
        return ReadError("MESH_LINE_INVALID", line=line, section="VTK", found=shown(" ".join(words).encode()))

    def _whole(self, words: list[str], index: int) -> int:
        word = words[index] if index < len(words) else ""
        if not word.isascii() or not word.isdigit() or len(word) > 18:
            raise self._fail(words)
        return int(word)

    def _section(self, words: list[str]) -> None:
        key = words[0].upper()
        if key == "DATASET":
            if [w.upper() for w in words[1:]] != ["UNSTRUCTURED_GRID"]:
                raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=shown(" ".join(words).encode()))
        elif key == "POINTS":
            count = self._whole(words, 1)
            flat = self._numbers(3 * count, words[2] if len(words) > 2 else "", "POINTS")
            self._points = flat.reshape(-1, 3).astype(np.float64, copy=False)
        elif key == "CELLS":
            self._cells(words)
        elif key == "CELL_TYPES":
            self._types = self._numbers(self._whole(words, 1), "int", "CELL_TYPES").astype(np.int64)
        elif key in ("CELL_DATA", "POINT_DATA"):
            self._of_cells = key == "CELL_DATA"
            self._tuples = self._whole(words, 1)
        elif key == "SCALARS":
            components = self._whole(words, 3) if len(words) > 3 else 1
            here = self._at
            following = self._next_line()
            if following is None or following[0].upper() != "LOOKUP_TABLE":
                self._at = here
            self._array(words[1:2], components, self._tuples, words[2] if len(words) > 2 else "")
        elif key in _COMPONENTS:
            self._array(words[1:2], _COMPONENTS[key], self._tuples, words[2] if len(words) > 2 else "")
        elif key == "TEXTURE_COORDINATES":
            self._array(words[1:2], self._whole(words, 2), self._tuples, words[3] if len(words) > 3 else "")
        elif key == "COLOR_SCALARS":
            kind = "unsigned_char" if self._binary else "float"
            self._array(words[1:2], self._whole(words, 2), self._tuples, kind)
        elif key == "LOOKUP_TABLE":
            self._numbers(4 * self._whole(words, 2), "unsigned_char" if self._binary else "float", "LOOKUP_TABLE")
        elif key == "FIELD":
            self._field(self._whole(words, 2))
        elif key == "METADATA":
            # Ends at an empty line.
            while self._at < len(self._data) and self._line().strip():
                pass
        else:
            raise self._fail(words)

    def _field(self, count: int) -> None:
        for _ in range(count):
            words = self._next_line()
            if words is not None and words[0].upper() == "METADATA":
                while self._at < len(self._data) and self._line().strip():
                    pass
                words = self._next_line()
            if words is None or len(words) != 4:
                raise self._fail(words or [])
            self._array(words[:1], self._whole(words, 1), self._whole(words, 2), words[3])

    def _array(self, name: list[str], components: int, tuples: int, kind: str) -> None:
        if not name:
            raise self._fail([])
        if kind.lower() == "string":
            raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"{shown(name[0].encode())}: string")
        values = self._numbers(components * tuples, kind, name[0])
        if self._of_cells and components == 1 and values.dtype.kind in "iu" and tuples == self._tuples:
            self._cell_arrays[name[0]] = values
        else:
            self._ignored.append(name[0])

    def _cells(self, words: list[str]) -> None:
        first, second = self._whole(words, 1), self._whole(words, 2)
        here = self._at
        following = self._next_line() if self._version >= (5, 1) else None
        if following is not None and following[0].upper() == "OFFSETS":
            offsets = self._numbers(first, following[1] if len(following) > 1 else "", "OFFSETS")
            following = self._next_line()
            if following is None or following[0].upper() != "CONNECTIVITY":
                raise self._fail(following or [])
            kind = following[1] if len(following) > 1 else ""
            self._connectivity = self._numbers(second, kind, "CONNECTIVITY").astype(np.int64)
            if len(offsets) == 0 or offsets[0] != 0:
                raise ReadError("MESH_COUNT_MISMATCH", section="OFFSETS", count=first, found=len(offsets))
            self._ends = offsets[1:].astype(np.int64)
            return
        self._at = here
        self._n_cells = first
        self._flat = self._numbers(second, "int", "CELLS").astype(np.int64)

    def _split(self) -> None:
        """Rows "n node ... node" of the older layout."""
        flat, types = self._flat, self._types
        if flat is None or types is None:
            return
        if len(types) != self._n_cells:
            raise ReadError("MESH_COUNT_MISMATCH", section="CELL_TYPES", count=self._n_cells, found=len(types))
        table = {int(t): nodes_of(int(t)) for t in np.unique(types)}
        if all(table.values()):
            present = np.array(list(table))
            sizes = np.array(list(table.values()))[np.searchsorted(present, types)]
            starts = np.cumsum(sizes + 1) - sizes - 1
            fits = len(types) == 0 or (starts[-1] + sizes[-1] + 1 == len(flat))
            if not fits or not np.array_equal(flat[starts], sizes):
                raise ReadError("MESH_COUNT_MISMATCH", section="CELLS", count=len(flat), found=int((sizes + 1).sum()))
        else:
            sizes, starts = _walk(flat, len(types))
        keep = np.ones(len(flat), dtype=bool)
        keep[starts] = False
        self._connectivity = flat[keep]
        self._ends = np.cumsum(sizes)

    def _numbers(self, count: int, kind: str, section: str) -> NDArray[Any]:
        """The next numbers; the count is checked against what the file can hold."""
        if kind.lower() not in _DTYPES:
            raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"{shown(section.encode())}: {shown(kind.encode())}")
        dtype = np.dtype(">" + _DTYPES[kind.lower()])
        left = max(len(self._data) - self._at, 0)
        possible = left // dtype.itemsize if self._binary else (left + 1) // 2
        if count > possible:
            raise ReadError("MESH_COUNT_IMPOSSIBLE", section=section, count=count, possible=possible)
        if self._binary:
            values: NDArray[Any] = (
                np.frombuffer(self._data, dtype=dtype, count=count, offset=self._at) if count else np.empty(0, dtype)
            )
            self._at += count * dtype.itemsize
            return values
        end = _end_of_numbers(self._data, self._at, count)
        whole = dtype.kind in "iu"
        numbers = parse_numbers(self._data, self._at, end, np.int64 if whole else np.float64, section)
        if len(numbers) < count:
            raise ReadError("MESH_TRUNCATED", section=section, offset=len(self._data))
        self._at = end
        return numbers


def _walk(flat: NDArray[np.int64], n_cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sizes and starts of rows whose lengths only they themselves tell."""
    sizes, starts = np.zeros(n_cells, dtype=np.int64), np.zeros(n_cells, dtype=np.int64)
    at = 0
    for k in range(n_cells):
        if at >= len(flat) or flat[at] < 0 or at + flat[at] >= len(flat):
            raise ReadError("MESH_COUNT_MISMATCH", section="CELLS", count=n_cells, found=k)
        sizes[k], starts[k] = flat[at], at
        at += 1 + int(flat[at])
    if at != len(flat):
        raise ReadError("MESH_COUNT_MISMATCH", section="CELLS", count=len(flat), found=at)
    return sizes, starts


def _end_of_numbers(data: mmap.mmap, at: int, count: int) -> int:
    """Where the word number `count` after an offset ends; the end of the file when there are fewer."""
    inside = False
    while count > 0 and at < len(data):
        piece = np.frombuffer(data[at : at + _PIECE], dtype=np.uint8)
        word = piece > 32
        before = np.concatenate([[inside], word[:-1]])
        ends = np.flatnonzero(before & ~word)
        if len(ends) >= count:
            return at + int(ends[count - 1])
        count -= len(ends)
        inside = bool(word[-1])
        at += len(piece)
    return min(at, len(data))
