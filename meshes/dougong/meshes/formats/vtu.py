"""VTK's XML unstructured grids (.vtu): text, base64 or appended, plain or compressed.

The XML is read by expat; document type declarations are refused, so no entity is ever expanded, and no other file is
ever opened. Large arrays never pass through the parser: it tells where they lie. Each value of a whole-number cell
array with a known name ("MaterialID", "region", "gmsh:physical", ...) becomes a set.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import mapped, shown, skip_space
from dougong.meshes.formats._vtk_cells import assemble
from dougong.meshes.formats._vtu_arrays import ArraySpec, Encoding, check_compressor, read_array
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import RawMesh

NAME = "vtu"
SUFFIXES = (".vtu",)
DESCRIPTION = "VTK XML unstructured grid, all encodings"
OPENS_FILES = False

_CHUNK = 1 << 20
_MAX_DEPTH = 64
_GROUPS = ("Points", "Cells", "PointData", "CellData")


@dataclass
class Piece:
    """A Piece element: announced sizes and its arrays by group."""

    n_points: int
    n_cells: int
    arrays: dict[str, list[ArraySpec]] = field(default_factory=lambda: {g: [] for g in _GROUPS})


def sniff(head: bytes) -> bool:
    """Whether it is a VTKFile element of an unstructured grid."""
    return b"<VTKFile" in head and b"UnstructuredGrid" in head


def read(path: Path) -> RawMesh:
    """Read a file. Raises `ReadError`."""
    data = mapped(path)
    outline = _Outline(data)
    outline.run()
    encoding = outline.encoding()
    parts = [_piece(data, piece, encoding) for piece in outline.pieces]
    if not parts:
        raise ReadError("MESH_SECTION_MISSING", section="Piece")
    ignored = [s.name for p in outline.pieces for s in p.arrays["PointData"]] + [n for p in parts for n in p.ignored]
    if len(parts) == 1:
        p = parts[0]
        return assemble(p.points, p.types, p.ends, p.connectivity, p.arrays, ignored)
    first_node = np.cumsum([0, *(len(p.points) for p in parts)])
    first_entry = np.cumsum([0, *(len(p.connectivity) for p in parts)])
    common = [n for n in parts[0].arrays if all(n in p.arrays for p in parts)]
    return assemble(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.types for p in parts]),
        np.concatenate([p.ends.astype(np.int64) + k for p, k in zip(parts, first_entry, strict=False)]),
        np.concatenate([p.connectivity.astype(np.int64) + k for p, k in zip(parts, first_node, strict=False)]),
        {n: np.concatenate([p.arrays[n] for p in parts]) for n in common},
        ignored,
    )


@dataclass(frozen=True)
class _Part:
    points: NDArray[np.float64]
    types: NDArray[np.integer]
    ends: NDArray[np.integer]
    connectivity: NDArray[np.integer]
    arrays: dict[str, NDArray[Any]]
    ignored: list[str]


def _piece(data: mmap.mmap, piece: Piece, encoding: Encoding) -> _Part:
    if not piece.arrays["Points"]:
        raise ReadError("MESH_SECTION_MISSING", section="Points")
    flat = read_array(data, piece.arrays["Points"][0], encoding)
    if len(flat) != 3 * piece.n_points:
        raise ReadError("MESH_COUNT_MISMATCH", section="Points", count=3 * piece.n_points, found=len(flat))
    points = flat.reshape(-1, 3).astype(np.float64, copy=False)
    cells: dict[str, NDArray[Any]] = {}
    specs = {s.name.lower(): s for s in piece.arrays["Cells"]}
    for name in ("types", "offsets", "connectivity"):
        if name not in specs:
            raise ReadError("MESH_SECTION_MISSING", section=f"Cells/{name}")
        cells[name] = read_array(data, specs[name], encoding)
        if cells[name].dtype.kind not in "iu":
            raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"{name}: {shown(specs[name].type.encode())}")
    if len(cells["types"]) != piece.n_cells:
        found = len(cells["types"])
        raise ReadError("MESH_COUNT_MISMATCH", section="Cells", count=piece.n_cells, found=found)
    arrays: dict[str, NDArray[Any]] = {}
    ignored: list[str] = []
    for spec in piece.arrays["CellData"]:
        if spec.components == 1 and "Int" in spec.type:
            arrays[spec.name] = read_array(data, spec, encoding)
        else:
            ignored.append(spec.name)
    return _Part(points, cells["types"], cells["offsets"], cells["connectivity"], arrays, ignored)


class _Outline:
    """The elements of the file and where their content lies; stops where appended data begin."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._stack: list[str] = []
        self._file: dict[str, str] = {}
        self._array: tuple[str, dict[str, str]] | None = None
        self._text: list[int] = []
        self._appended: str | None = None
        self.pieces: list[Piece] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def run(self) -> None:
        """Parse. Raises `ReadError`."""
        marker = self._data.find(b"<AppendedData")
        stop = len(self._data) if marker < 0 else self._data.find(b">", marker) + 1
        if stop == 0:
            raise ReadError("MESH_TRUNCATED", section="AppendedData", offset=len(self._data))
        try:
            for at in range(0, stop, _CHUNK):
                self._parser.Parse(self._data[at : min(at + _CHUNK, stop)], False)
            if marker < 0:
                self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            if error.code in (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS], 3, 5):
                raise ReadError("MESH_TRUNCATED", section="XML", offset=len(self._data)) from None
            found = expat.ErrorString(error.code) or ""
            raise ReadError("MESH_LINE_INVALID", line=error.lineno, section="XML", found=found) from None
        self._appended_at = -1
        if self._appended is not None:
            at = skip_space(self._data, stop)
            if self._data[at : at + 1] != b"_":
                raise ReadError("MESH_BYTES_INVALID", section="AppendedData", offset=at, found="_")
            self._appended_at = at + 1

    def encoding(self) -> Encoding:
        """How the arrays are held. Raises `ReadError`."""
        attributes = self._file
        kind = attributes.get("type", "")
        if kind != "UnstructuredGrid":
            raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"VTKFile {shown(kind.encode())}")
        order = "<" if attributes.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
        header = np.dtype(order + ("u8" if attributes.get("header_type", "UInt32") == "UInt64" else "u4"))
        compressor = attributes.get("compressor", "")
        check_compressor(compressor)
        return Encoding(order, header, compressor, self._appended_at, self._appended == "raw")

    def _doctype(self, *_: object) -> None:
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature="DOCTYPE")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= _MAX_DEPTH:
            raise ReadError("MESH_FEATURE_UNSUPPORTED", feature="XML depth")
        parent = self._stack[-1] if self._stack else ""
        self._stack.append(tag)
        if self._array is not None:
            self._text.append(self._parser.CurrentByteIndex)
        if tag == "VTKFile" and not parent:
            self._file = attributes
        elif tag == "Piece":
            line = self._parser.CurrentLineNumber
            n_points, n_cells = _count(attributes, "NumberOfPoints", line), _count(attributes, "NumberOfCells", line)
            self.pieces.append(Piece(n_points, n_cells))
        elif tag == "AppendedData":
            self._appended = attributes.get("encoding", "base64")
        elif tag == "DataArray" and parent in _GROUPS and self.pieces:
            self._array = (parent, attributes)
            self._text = []

    def _characters(self, _: str) -> None:
        if self._array is not None and not self._text:
            self._text.append(self._parser.CurrentByteIndex)

    def _end(self, tag: str) -> None:
        self._stack.pop()
        if tag != "DataArray" or self._array is None:
            return
        parent, attributes = self._array
        end = self._parser.CurrentByteIndex
        start, stop = (*self._text, end, end)[:2]
        line = self._parser.CurrentLineNumber
        self.pieces[-1].arrays[parent].append(
            ArraySpec(
                name=attributes.get("Name", parent)[:200],
                type=attributes.get("type", ""),
                format=attributes.get("format", "ascii"),
                components=_whole(attributes.get("NumberOfComponents", "1"), line),
                offset=_whole(attributes.get("offset", "0"), line),
                start=start,
                end=stop,
            )
        )
        self._array = None


def _count(attributes: dict[str, str], name: str, line: int) -> int:
    if name not in attributes:
        raise ReadError("MESH_LINE_INVALID", line=line, section="Piece", found=name)
    return _whole(attributes[name], line)


def _whole(text: str, line: int) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ReadError("MESH_LINE_INVALID", line=line, section="XML", found=shown(text.encode()))
    return int(text)
