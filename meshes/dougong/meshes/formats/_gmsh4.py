"""Entities, nodes and elements of MSH files of version 4."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._gmsh_cells import GMSH_CELLS, type_name
from dougong.meshes.formats._gmsh_groups import Chunk
from dougong.meshes.formats._gmsh_parts import Parts
from dougong.meshes.formats._gmsh_tokens import BinaryTokens, TextTokens, Tokens
from dougong.meshes.formats._text import find
from dougong.meshes.formats.base import ReadError


def _tokens(data: mmap.mmap, at: int, parts: Parts, section: str, whole: bool) -> Tokens:
    if parts.binary:
        return BinaryTokens(data, at, section, parts.order, id_bytes=8 if parts.version == "4.1" else 4)
    end = find(data, b"$End" + section[1:].encode(), at)
    if end < 0:
        raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
    return TextTokens(data, at, end, section, whole)


def entities(data: mmap.mmap, at: int, parts: Parts, *, partitioned: bool) -> int:
    """Read $Entities or $PartitionedEntities: the physical groups of each entity; where the section ends.

    A piece of a partitioned entity without groups of its own has those of its parent.
    """
    section = "$PartitionedEntities" if partitioned else "$Entities"
    tokens = _tokens(data, at, parts, section, whole=False)
    if partitioned:
        tokens.sizes(1)  # number of partitions
        (n_ghosts,) = tokens.sizes(1)
        tokens.ints(2 * n_ghosts)
    counts = tokens.sizes(4)
    for dim, count in enumerate(counts):
        for _ in range(count):
            (tag,) = tokens.ints(1)
            inherited: list[int] = []
            if partitioned:
                parent_dim, parent = tokens.ints(2)
                inherited = parts.entities.get((parent_dim, parent), []) if parent_dim == dim else []
                tokens.ints(*tokens.sizes(1))  # the partitions it belongs to
            tokens.floats(3 if dim == 0 and parts.version == "4.1" else 6)  # position, or bounding box
            groups = tokens.ints(*tokens.sizes(1))
            if dim > 0:
                tokens.ints(*tokens.sizes(1))  # bounding entities
            parts.entities[dim, tag] = [abs(g) for g in groups] or inherited
    return tokens.finish()


def nodes(data: mmap.mmap, at: int, parts: Parts) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.float64]]], int]:
    """Read $Nodes: numbers and coordinates, and where the section ends."""
    section = "$Nodes"
    tokens = _tokens(data, at, parts, section, whole=False)
    newest = parts.version == "4.1"
    n_blocks, n_nodes, *_ = tokens.sizes(4 if newest else 2)
    pieces: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    found = 0
    for _ in range(n_blocks):
        first, second, parametric = tokens.ints(3)
        (count,) = tokens.sizes(1)
        dim = first if newest else second
        if not 0 <= dim <= 3 or parametric not in (0, 1):
            raise tokens.fail(f"{first} {second} {parametric} {count}")
        width = 3 + (dim if parametric else 0)
        if newest:
            ids = tokens.ids(count)
            rows = tokens.rows(count, width)
        else:
            ids, rows = tokens.tagged_rows(count, width)
        pieces.append((ids, rows[:, :3]))
        found += count
    if found != n_nodes:
        raise ReadError("MESH_COUNT_MISMATCH", section=section, count=n_nodes, found=found)
    return pieces, tokens.finish()


def elements(data: mmap.mmap, at: int, parts: Parts) -> tuple[list[Chunk], int]:
    """Read $Elements, and where the section ends."""
    section = "$Elements"
    tokens = _tokens(data, at, parts, section, whole=True)
    newest = parts.version == "4.1"
    n_blocks, n_elements, *_ = tokens.sizes(4 if newest else 2)
    chunks: list[Chunk] = []
    found = 0
    for _ in range(n_blocks):
        first, second, kind = tokens.ints(3)
        (count,) = tokens.sizes(1)
        dim, tag = (first, second) if newest else (second, first)
        if kind not in GMSH_CELLS:
            raise ReadError("MESH_CELL_TYPE_UNSUPPORTED", cell_type=type_name(kind))
        ct = GMSH_CELLS[kind][0]
        if dim != ct.dim:
            raise tokens.fail(f"{first} {second} {kind} {count}")
        rows = tokens.int_rows(count, 1 + ct.n_nodes)
        groups = tuple(dict.fromkeys(parts.entities.get((dim, tag), ())))
        chunks.append(Chunk(kind, rows[:, 0], rows[:, 1:], groups, None))
        found += count
    if found != n_elements:
        raise ReadError("MESH_COUNT_MISMATCH", section=section, count=n_elements, found=found)
    return chunks, tokens.finish()
