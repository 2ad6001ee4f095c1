"""What must hold of every mesh: pure functions from a mesh to the list of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.geometry import CellGeometry, cell_geometry
from dougong.meshes.mesh import CellBlock, Mesh, RawMesh, RegionKind, numbers
from dougong.meshes.rows import RowIndex
from dougong.messages import violation
from dougong.messages.errors import MAX_IDS
from dougong.v1 import job_pb2

#: A cell whose Jacobian is smaller than this part of its mean edge length to the power of its dimension is flat.
_FLAT = 1e-12


def raw_violations(raw: RawMesh) -> list[job_pb2.Violation]:
    """What makes it impossible to go on with what a reader hands over: nodes, coordinates, indices, sets."""
    n_nodes = len(raw.points)
    if n_nodes == 0:
        return [violation("MESH_NO_NODES")]
    found = _not_finite(raw.points, raw.node_ids)
    offset = 0
    for block in raw.blocks:
        found += _out_of_range(block, n_nodes, offset)
        offset += len(block)
    for name, members in raw.node_sets.items():
        found += _set_range(name, [(members, n_nodes)])
    sizes = [len(b) for b in raw.blocks]
    for name, per_block in raw.cell_sets.items():
        found += _set_range(name, zip(per_block, sizes, strict=False))
    for name, triples in raw.facet_sets.items():
        found += _facet_range(name, np.asarray(triples).reshape(-1, 3), raw.blocks)
    return found


def check(mesh: Mesh, geometry: Sequence[CellGeometry] | None = None) -> list[job_pb2.Violation]:
    """What is wrong with a mesh; empty when it can be computed with.

    Parameters
    ----------
    mesh
        Any mesh, also one that was made by other means than `dougong.meshes.build`.
    geometry
        Of each block, where it has been computed already.
    """
    if mesh.n_nodes == 0:
        return [violation("MESH_NO_NODES")]
    if mesh.n_cells == 0:
        return [violation("MESH_NO_CELLS")]
    found = _not_finite(mesh.points, mesh.node_ids)
    for k, block in enumerate(mesh.blocks):
        found += _out_of_range(block, mesh.n_nodes, int(mesh.offsets[k]))
    found += _regions(mesh)
    if found:
        return found
    for k, block in enumerate(mesh.blocks):
        offset = int(mesh.offsets[k])
        repeated = _repeats_node(block.nodes)
        found += _cells("MESH_CELL_REPEATS_NODE", block, offset, repeated)
        if block.type.dim == mesh.dim:
            # Two shells may lie on each other as two plates do; two solids cannot.
            found += _cells("MESH_CELL_DUPLICATE", block, offset, _copies(block, mesh.n_nodes))
        if block.type.dim == 0:
            continue
        geo = geometry[k] if geometry is not None else cell_geometry(mesh.points, block.type, block.nodes)
        bad = ~((geo.min_jacobian > _FLAT) & np.isfinite(geo.measure)) & ~repeated
        if bad.any():
            worst = f"{float(geo.min_jacobian[bad].min()):.3g}"
            found += _cells("MESH_CELL_NOT_POSITIVE", block, offset, bad, worst=worst)
    return found


def _not_finite(points: NDArray[np.float64], node_ids: NDArray[np.int64] | None) -> list[job_pb2.Violation]:
    if np.isfinite(points.sum()):  # quick, without a table of the mesh's size
        return []
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad) == 0:
        return []
    return [violation("MESH_NOT_FINITE", node_ids=numbers(node_ids, bad[:MAX_IDS]).tolist(), count=len(bad))]


def _out_of_range(block: CellBlock, n_nodes: int, offset: int) -> list[job_pb2.Violation]:
    if len(block) == 0 or (block.nodes.min() >= 0 and block.nodes.max() < n_nodes):
        return []
    bad = ((block.nodes < 0) | (block.nodes >= n_nodes)).any(axis=1)
    return _cells("MESH_INDEX_OUT_OF_RANGE", block, offset, bad)


def _cells(
    reason: str, block: CellBlock, offset: int, bad: NDArray[np.bool_], worst: str = ""
) -> list[job_pb2.Violation]:
    index = np.flatnonzero(bad)
    if len(index) == 0:
        return []
    ids = index[:MAX_IDS] + offset + 1 if block.ids is None else block.ids[index[:MAX_IDS]]
    more: dict[str, Any] = {"worst": worst} if worst else {}
    return [violation(reason, cell_ids=ids.tolist(), count=len(index), cell_type=block.type.name, **more)]


def _repeats_node(nodes: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether a cell uses a node twice, shape (n_cells,); in pieces, by comparing columns."""
    out = np.zeros(len(nodes), dtype=bool)
    step = 1 << 16
    for start in range(0, len(nodes), step):
        columns = np.ascontiguousarray(nodes[start : start + step].T)
        found = out[start : start + step]
        for k in range(1, len(columns)):
            found |= (columns[:k] == columns[k]).any(axis=0)
    return out


def _copies(block: CellBlock, n_nodes: int) -> NDArray[np.bool_]:
    """Whether a cell has the same corners as one before it, shape (n_cells,)."""
    copy = np.zeros(len(block), dtype=bool)
    corners = block.nodes[:, : block.type.n_corners]
    # The sum of scrambled node numbers depends on no order; the few cells that share it are compared exactly.
    with np.errstate(over="ignore"):
        scrambled = np.arange(1, n_nodes + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        scrambled = (scrambled ^ (scrambled >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        scrambled ^= scrambled >> np.uint64(32)
        key = np.zeros(len(block), dtype=np.uint64)
        for column in corners.T:
            key += scrambled[column]
    ordered = np.sort(key)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice) == 0:
        return copy
    suspects = np.flatnonzero(np.isin(key, twice))
    _, first = np.unique(RowIndex(corners[suspects], n_nodes).number, return_index=True)
    copy[suspects] = True
    copy[suspects[first]] = False
    return copy


def _set_range(name: str, parts: Iterable[tuple[NDArray[np.integer], int]]) -> list[job_pb2.Violation]:
    bad = sum(int(((members < 0) | (members >= size)).sum()) for members, size in parts)
    return [violation("MESH_SET_INVALID", name=name, count=bad)] if bad else []


def _facet_range(name: str, triples: NDArray[np.integer], blocks: Sequence[CellBlock]) -> list[job_pb2.Violation]:
    sizes = np.array([len(b) for b in blocks], dtype=np.int64)
    n_facets = np.array([len(b.type.facets) for b in blocks], dtype=np.int64)
    block, cell, facet = triples.T
    bad = (block < 0) | (block >= len(blocks)) | (cell < 0) | (facet < 0)
    safe = np.where(bad, 0, block)
    if len(blocks):
        bad |= (cell >= sizes[safe]) | (facet >= n_facets[safe])
    return [violation("MESH_SET_INVALID", name=name, count=int(bad.sum()))] if bad.any() else []


def _regions(mesh: Mesh) -> list[job_pb2.Violation]:
    found: list[job_pb2.Violation] = []
    n_facets = np.repeat([len(CELL_TYPES[b.type.name].facets) for b in mesh.blocks], [len(b) for b in mesh.blocks])
    for region in mesh.regions:
        entries = np.asarray(region.entries)
        if region.kind == RegionKind.FACETS:
            cell, facet = entries.reshape(-1, 2).T
            outside = (cell < 0) | (cell >= mesh.n_cells)
            bad = outside | (facet < 0) | (facet >= n_facets[np.where(outside, 0, cell)])
        else:
            limit = mesh.n_nodes if region.kind == RegionKind.NODES else mesh.n_cells
            bad = (entries < 0) | (entries >= limit)
        if bad.any():
            found.append(violation("MESH_SET_INVALID", name=region.name, count=int(bad.sum())))
    return found
