"""From the pieces of an MSH file to a `RawMesh`: one block a cell type, physical groups as sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CellType
from dougong.meshes.formats._text import release
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh
from dougong.meshes.numbering import Numbering
from dougong.meshes.rows import ascending

#: Rows converted at a time: they stay in the cache.
_ROWS = 1 << 14


@dataclass(frozen=True)
class Chunk:
    """Elements of one type that lie together in the file.

    Attributes
    ----------
    kind
        Gmsh's number of the type.
    ids
        shape (n,) - numbers of the elements.
    nodes
        shape (n, n_nodes of the type) - node numbers, in Gmsh's order.
    groups
        Physical groups that all of them belong to.
    physical
        shape (n,) - physical group of each (0: none), where the file gives it by element; otherwise None.
    """

    kind: int
    ids: NDArray[np.integer]
    nodes: NDArray[np.integer]
    groups: tuple[int, ...]
    physical: NDArray[np.integer] | None


def joined(
    pieces: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All nodes: numbers, shape (n,), and coordinates, shape (n, 3), copied out of the file."""
    n_nodes = sum(len(ids) for ids, _ in pieces)
    node_ids = np.empty(n_nodes, dtype=np.int64)
    points = np.empty((n_nodes, 3))
    at = 0
    for ids, rows in pieces:
        for start in range(0, len(ids), _ROWS):
            part = slice(at + start, at + min(start + _ROWS, len(ids)))
            node_ids[part] = ids[start : start + _ROWS]
            points[part] = rows[start : start + _ROWS]
            release(rows)
        at += len(ids)
    return node_ids, points


def assemble(
    node_ids: NDArray[np.int64],
    points: NDArray[np.float64],
    chunks: Sequence[Chunk],
    names: Mapping[tuple[int, int], str],
    notices: Sequence[tuple[str, dict[str, object]]],
    types: Mapping[int, tuple[CellType, NDArray[np.int64]]],
) -> RawMesh:
    """Put the pieces together.

    Parameters
    ----------
    node_ids, points
        Numbers, shape (n,), and coordinates, shape (n, 3), of the nodes.
    chunks
        The elements.
    names
        (dimension, number) of a physical group -> its name.
    notices
        What has been noticed so far.
    types
        Gmsh's number -> cell type and node order.

    Raises
    ------
    ReadError
        A node number is there twice, or not at all.
    """
    if len(node_ids) and node_ids.min() < 1:
        raise ReadError("MESH_NODE_UNKNOWN", section="$Nodes", node=int(node_ids.min()))
    numbering = Numbering(node_ids)
    found = list(notices)
    blocks: list[CellBlock] = []
    members: dict[tuple[int, int], dict[int, list[NDArray[np.int64]]]] = {}
    for kind in dict.fromkeys(c.kind for c in chunks):
        ct, order = types[kind]
        mine = [c for c in chunks if c.kind == kind]
        block, physical = _merge(ct, order, mine, numbering)
        if physical is not None:
            keep, index = _without_copies(block.nodes, physical)
            if keep is not None:
                copies = len(block) - len(keep)
                found.append(("MESH_NOTICE_COPIES_MERGED", {"count": copies}))
                block = CellBlock(ct, block.nodes[keep], None if block.ids is None else block.ids[keep])
            _by_element(physical, index, ct.dim, len(blocks), members)
        at = 0
        for chunk in mine:
            for group in chunk.groups:
                cells = np.arange(at, at + len(chunk.ids), dtype=np.int64)
                members.setdefault((ct.dim, group), {}).setdefault(len(blocks), []).append(cells)
            at += len(chunk.ids)
        blocks.append(block)
    sets: dict[str, list[NDArray[np.int64]]] = {}
    origins: dict[tuple[str, str], str] = {}
    for key in sorted(names.keys() | members.keys()):
        name = names.get(key) or f"physical_{key[1]}"
        here = members.get(key, {})
        old = sets.get(name, [np.empty(0, dtype=np.int64)] * len(blocks))
        sets[name] = [
            ascending(np.concatenate([old[b], *here[b]])) if b in here else old[b] for b in range(len(blocks))
        ]
        origin = f"physical group {key[1]}"
        known = origins.get(("cells", name))
        origins["cells", name] = origin if known in (None, origin) else f"{known}, {origin}"
    return RawMesh(points, tuple(blocks), sets, node_ids=node_ids, notices=tuple(found), origins=origins)


def _merge(
    ct: CellType, order: NDArray[np.int64], chunks: Sequence[Chunk], numbering: Numbering
) -> tuple[CellBlock, NDArray[np.int64] | None]:
    """One block of all chunks of a type, and the physical group of each element where the file gives it so."""
    n = sum(len(c.ids) for c in chunks)
    nodes = np.empty((n, ct.n_nodes), dtype=numbering.dtype)
    ids = np.empty(n, dtype=np.int64)
    physical = np.zeros(n, dtype=np.int64) if any(c.physical is not None for c in chunks) else None
    at = 0
    plain = np.array_equal(order, np.arange(len(order)))
    for chunk in chunks:
        for start in range(0, len(chunk.ids), _ROWS):
            here, there = slice(start, start + _ROWS), slice(at + start, at + min(start + _ROWS, len(chunk.ids)))
            ids[there] = chunk.ids[here]
            if physical is not None and chunk.physical is not None:
                physical[there] = chunk.physical[here]
            piece = numbering.index(chunk.nodes[here], "$Elements")
            nodes[there] = piece if plain else piece.take(order, axis=1)
            release(chunk.nodes)
        at += len(chunk.ids)
    return CellBlock(ct, nodes, ids), physical


def _without_copies(
    nodes: NDArray[np.integer], physical: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Version 2 lists an element of several physical groups once for each.

    Returns
    -------
    keep
        Elements that stay; None: all of them.
    index
        shape (n,) - for each element its index among those that stay.
    """
    n = len(nodes)
    everything = np.arange(n)
    if n == 0 or physical.min() == physical.max():
        return None, everything
    # Equal rows have equal hashes; odd multipliers, arithmetic modulo 2**64.
    weights = np.random.default_rng(20).integers(1, 2**63, size=nodes.shape[1], dtype=np.uint64) | np.uint64(1)
    hashes = np.zeros(n, dtype=np.uint64)
    for column, weight in enumerate(weights):
        hashes += nodes[:, column].astype(np.uint64) * weight
    order = np.argsort(hashes, kind="stable")
    same = hashes[order[1:]] == hashes[order[:-1]]
    if not same.any():
        return None, everything
    same &= (nodes[order[1:]] == nodes[order[:-1]]).all(axis=1) & (physical[order[1:]] != physical[order[:-1]])
    if not same.any():
        return None, everything
    first = np.zeros(n, dtype=np.int64)
    first[~np.concatenate([[False], same])] = np.flatnonzero(~np.concatenate([[False], same]))
    original = np.empty(n, dtype=np.int64)
    original[order] = order[np.maximum.accumulate(first)]
    keep = np.flatnonzero(original == everything)
    rank = np.full(n, -1, dtype=np.int64)
    rank[keep] = np.arange(len(keep))
    return keep, rank[original]


def _by_element(
    physical: NDArray[np.int64],
    index: NDArray[np.int64],
    dim: int,
    block: int,
    members: dict[tuple[int, int], dict[int, list[NDArray[np.int64]]]],
) -> None:
    order = np.argsort(physical, kind="stable")
    values, starts = np.unique(physical[order], return_index=True)
    for value, cells in zip(values, np.split(order, starts[1:]), strict=True):
        if value != 0:
            members.setdefault((dim, int(value)), {}).setdefault(block, []).append(index[cells])
