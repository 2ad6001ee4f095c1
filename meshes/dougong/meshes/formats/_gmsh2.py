"""Nodes and elements of MSH files of version 2."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._gmsh_cells import GMSH_CELLS, type_name
from dougong.meshes.formats._gmsh_groups import Chunk
from dougong.meshes.formats._gmsh_parts import Parts
from dougong.meshes.formats._gmsh_tokens import BinaryTokens, TextTokens
from dougong.meshes.formats._text import find, line_of, odd_line, shown
from dougong.meshes.formats.base import ReadError

_NODES = "$Nodes"
_ELEMENTS = "$Elements"


def _count(data: mmap.mmap, at: int, section: str) -> tuple[int, int]:
    """The count that a section begins with, always as text, and where its line ends."""
    stop = data.find(b"\n", at, at + 64)
    word = data[at : max(stop, at)].strip()
    if stop < 0 or not word.isdigit():
        if stop < 0 and len(data) - at < 64:
            raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
        raise ReadError("MESH_LINE_INVALID", line=line_of(data, at), section=section, found=shown(word))
    return int(word), stop + 1


def _text(data: mmap.mmap, at: int, section: str, whole: bool) -> TextTokens:
    end = find(data, b"$End" + section[1:].encode(), at)
    if end < 0:
        raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
    return TextTokens(data, at, end, section, whole)


def nodes(data: mmap.mmap, at: int, parts: Parts) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.float64]]], int]:
    """Read $Nodes: numbers and coordinates, and where the section ends."""
    count, at = _count(data, at, _NODES)
    if parts.binary:
        tokens = BinaryTokens(data, at, _NODES, parts.order, id_bytes=4)
        return [tokens.tagged_rows(count, 3)], tokens.finish()
    text = _text(data, at, _NODES, whole=False)
    try:
        return [text.tagged_rows(count, 3)], text.finish()
    except ReadError as error:
        odd = odd_line(data, at, find(data, b"$EndNodes", at), 4, _NODES)
        raise odd or error from None


def elements(data: mmap.mmap, at: int, parts: Parts) -> tuple[list[Chunk], int]:
    """Read $Elements, and where the section ends."""
    count, at = _count(data, at, _ELEMENTS)
    if parts.binary:
        return _binary_elements(data, at, count, parts.order)
    tokens = _text(data, at, _ELEMENTS, whole=True)
    chunks = _text_elements(tokens, count)
    return chunks, tokens.finish()


def _text_elements(tokens: TextTokens, count: int) -> list[Chunk]:
    """Rows "number type n_tags tags... nodes...": runs of rows of one type and number of tags, one chunk each."""
    flat = tokens.remaining()
    chunks: list[Chunk] = []
    at = found = 0
    while at < len(flat):
        if at + 3 > len(flat):
            raise ReadError("MESH_LINE_INVALID", line=tokens.line(at), section=_ELEMENTS, found=_row(flat[at:]))
        kind, n_tags = int(flat[at + 1]), int(flat[at + 2])
        width = _width(kind, n_tags) if 0 <= n_tags < 4096 else 0
        left = (len(flat) - at) // width if width else 0
        if left == 0:
            raise ReadError("MESH_LINE_INVALID", line=tokens.line(at), section=_ELEMENTS, found=_row(flat[at:]))
        length = _run(flat[at : at + left * width].reshape(left, width)[:, 1:3], (kind, n_tags))
        rows = flat[at : at + length * width].reshape(length, width)
        chunks.append(_chunk(kind, n_tags, rows[:, 0], rows[:, 3:]))
        at += length * width
        found += length
    if found != count:
        raise ReadError("MESH_COUNT_MISMATCH", section=_ELEMENTS, count=count, found=found)
    return chunks


def _row(flat: NDArray[np.integer]) -> str:
    return " ".join(str(v) for v in flat[:8])


def _width(kind: int, n_tags: int) -> int:
    if kind not in GMSH_CELLS:
        raise ReadError("MESH_CELL_TYPE_UNSUPPORTED", cell_type=type_name(kind))
    return 3 + n_tags + GMSH_CELLS[kind][0].n_nodes


def _run(rows: NDArray[np.integer], header: tuple[int, ...]) -> int:
    """How many of the first rows begin with this header; looks at ever larger pieces."""
    start, step = 0, 64
    while start < len(rows):
        piece = rows[start : start + step]
        other = (piece != np.array(header)).any(axis=1)
        if other.any():
            return start + int(other.argmax())
        start += step
        step *= 2
    return len(rows)


def _chunk(kind: int, n_tags: int, ids: NDArray[np.integer], tags_and_nodes: NDArray[np.integer]) -> Chunk:
    physical = np.abs(tags_and_nodes[:, 0]) if n_tags else None
    return Chunk(kind, ids, tags_and_nodes[:, n_tags:], (), physical)


def _binary_elements(data: mmap.mmap, at: int, count: int, order: str) -> tuple[list[Chunk], int]:
    """Pieces of a header "type n n_tags" and n rows; Gmsh itself writes a header for every element."""
    tokens = BinaryTokens(data, at, _ELEMENTS, order, id_bytes=4)
    chunks: list[Chunk] = []
    found = 0
    while found < count:
        kind, n_here, n_tags = tokens.ints(3)
        if not 0 <= n_tags < 4096 or n_here <= 0:
            raise tokens.fail(f"{kind} {n_here} {n_tags}")
        width = _width(kind, n_tags) - 2
        rows = tokens.int_rows(n_here, width)
        if n_here <= 64:
            # The same header may follow many times; all pieces alike are taken at once.
            more = tokens.peek_rows(3 + n_here * width, (count - found) // n_here - 1)
            alike = _run(more[:, :3], (kind, n_here, n_tags))
            if alike:
                following = tokens.int_rows(alike, 3 + n_here * width)[:, 3:].reshape(alike * n_here, width)
                chunks.append(_chunk(kind, n_tags, rows[:, 0], rows[:, 1:]))
                rows = following
                found += n_here
                n_here = len(rows)
        chunks.append(_chunk(kind, n_tags, rows[:, 0], rows[:, 1:]))
        found += n_here
    if found != count:
        raise ReadError("MESH_COUNT_MISMATCH", section=_ELEMENTS, count=count, found=found)
    return chunks, tokens.finish()
