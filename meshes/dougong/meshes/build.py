"""From what a reader hands over to the mesh that is computed with.

Cells of the highest dimension stay. Cells of the next lower dimension that coincide with their facets become facet
regions; lines on their edges and points become node regions; what lies on nothing (shells, beams) stays as cells.
Nothing is dropped without a notice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.check import raw_violations
from dougong.meshes.facets import FacetMatch, lie_on_edges, match_facets
from dougong.meshes.mesh import CellBlock, Mesh, RawMesh, RegionKind, numbers
from dougong.meshes.orient import to_turn, turned
from dougong.meshes.regions import Places, make_regions
from dougong.messages import InputError, notice, violation
from dougong.v1 import mesh_pb2

#: A surface mesh is two-dimensional when its nodes leave their plane by no more than this part of its size.
_PLANE = 1e-12


@dataclass(frozen=True)
class Built:
    """A mesh, and what was noticed on the way to it."""

    mesh: Mesh
    notices: tuple[mesh_pb2.Notice, ...]


def build(raw: RawMesh) -> Built:
    """Make a mesh of what a reader hands over.

    Raises
    ------
    InputError
        It has no nodes or no cells to compute with, a coordinate is not finite, or an index is out of range.
    """
    violations = raw_violations(raw)
    if violations:
        raise InputError(violations)
    notices = [notice(reason, **params) for reason, params in raw.notices]
    blocks, source = _merge(raw)
    top = max((b.type.dim for b in blocks), default=0)
    if top < 2:
        raise InputError([violation("MESH_NO_CELLS")])
    n_nodes = len(raw.points)
    points = raw.points
    upper = [k for k, b in enumerate(blocks) if b.type.dim == top]
    if top == 2:
        points = _without_z(raw.points, [blocks[k] for k in upper], notices)
    turned_cells = _turn(points, blocks, upper, notices)

    matches = _match(blocks, upper, top, n_nodes)
    kept = {k: np.ones(len(blocks[k]), dtype=bool) for k in upper}
    kept |= {k: match.cell < 0 for k, match in matches.items()}
    shells = [CellBlock(blocks[k].type, blocks[k].nodes[kept[k]]) for k in matches]
    for k, block in enumerate(blocks):
        if k in kept:
            continue
        if block.type.dim == 1:
            kept[k] = ~lie_on_edges(block, [*(blocks[u] for u in upper), *shells], n_nodes)
        else:
            kept[k] = np.zeros(len(block), dtype=bool)
        dropped = len(block) - int(kept[k].sum())
        if dropped:
            notices.append(notice("MESH_NOTICE_CELLS_LEFT_OUT", count=dropped, cell_type=block.type.name))

    order = sorted(range(len(blocks)), key=lambda k: (-blocks[k].type.dim, k))
    order = [k for k in order if kept[k].any()]
    final = [_chosen(blocks[k], kept[k]) for k in order]
    used = np.zeros(n_nodes, dtype=bool)
    for block in final:
        for column in block.nodes.T:
            used[column] = True
    node_index: NDArray[np.signedinteger] | None = None
    if not used.all():
        unused = np.flatnonzero(~used)
        first = int(numbers(raw.node_ids, unused[:1])[0])
        notices.append(notice("MESH_NOTICE_NODES_UNUSED", count=len(unused), first=first))
        node_index = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32 if n_nodes < 2**31 else np.int64)
        final = [CellBlock(b.type, node_index[b.nodes], b.ids) for b in final]
        points = points[used]
    node_ids = raw.node_ids if node_index is None or raw.node_ids is None else raw.node_ids[used]
    if raw.node_ids is None and node_index is not None:
        node_ids = np.flatnonzero(used) + 1

    cell_index: dict[int, NDArray[np.int64]] = {}
    offset = 0
    for k in order:
        cell_index[k] = np.where(kept[k], np.cumsum(kept[k]) - 1 + offset, -1)
        offset += int(kept[k].sum())
    places = Places(blocks, source, cell_index, matches, turned_cells, node_index, frozenset(upper))
    regions = make_regions(raw, places, notices)
    mesh = Mesh(np.ascontiguousarray(points), tuple(final), regions, node_ids)
    notices += _cells_in_no_region(mesh)
    return Built(mesh, tuple(notices))


def _cells_in_no_region(mesh: Mesh) -> list[mesh_pb2.Notice]:
    """Worth a word where there are regions of cells: those left out would have no material."""
    regions = [r for r in mesh.regions if r.kind == RegionKind.CELLS]
    covered = np.zeros(mesh.n_cells, dtype=bool)
    for region in regions:
        covered[region.entries] = True
    if not regions or covered.all():
        return []
    left = np.flatnonzero(~covered)
    return [notice("MESH_NOTICE_CELLS_IN_NO_REGION", count=len(left), first=int(mesh.cell_numbers(left[:1])[0]))]


def _merge(raw: RawMesh) -> tuple[list[CellBlock], list[tuple[int, int]]]:
    """One block a type, and for each block that was read (its merged block, its first cell there)."""
    types = list(dict.fromkeys(b.type.name for b in raw.blocks if len(b)))
    length = dict.fromkeys(types, 0)
    source: list[tuple[int, int]] = []
    pieces: dict[str, list[CellBlock]] = {name: [] for name in types}
    count = 0
    for block in raw.blocks:
        name = block.type.name
        if len(block) == 0:
            source.append((-1, 0))
            continue
        source.append((types.index(name), length[name]))
        ids = block.ids
        if ids is None:
            ids = np.arange(count + 1, count + len(block) + 1, dtype=np.int64)
        pieces[name].append(CellBlock(block.type, block.nodes, ids))
        length[name] += len(block)
        count += len(block)
    return [_joined(pieces[name]) for name in types], source


def _joined(pieces: list[CellBlock]) -> CellBlock:
    if len(pieces) == 1:
        return pieces[0]
    ids = np.concatenate([p.ids for p in pieces if p.ids is not None])
    return CellBlock(pieces[0].type, np.concatenate([p.nodes for p in pieces]), ids)


def _without_z(
    points: NDArray[np.float64], blocks: list[CellBlock], notices: list[mesh_pb2.Notice]
) -> NDArray[np.float64]:
    """The points without z where all cells lie in a plane of constant z."""
    used = np.zeros(len(points), dtype=bool)
    for block in blocks:
        used[block.nodes] = True
    x = points[used]
    z = x[:, 2]
    if z.max() - z.min() > _PLANE * float((x.max(axis=0) - x.min(axis=0)).max()):
        return points
    notices.append(notice("MESH_NOTICE_PLANE", z=f"{float(z[0]):g}"))
    return points[:, :2]


def _turn(
    points: NDArray[np.float64], blocks: list[CellBlock], upper: list[int], notices: list[mesh_pb2.Notice]
) -> dict[int, NDArray[np.bool_]]:
    """Turn cells that are listed inside out, in their blocks; which ones, where there are any."""
    found = dict(zip(upper, to_turn(points, [blocks[k] for k in upper]), strict=True))
    found = {k: cells for k, cells in found.items() if cells.any()}
    for k, cells in found.items():
        name, count, total = blocks[k].type.name, int(cells.sum()), len(cells)
        if count == total:
            notices.append(notice("MESH_NOTICE_TURNED", count=count, cell_type=name))
        else:
            notices.append(notice("MESH_NOTICE_CELLS_TURNED", count=count, total=total, type=name))
        blocks[k] = turned(blocks[k], cells)
    return found


def _match(blocks: list[CellBlock], upper: list[int], top: int, n_nodes: int) -> dict[int, FacetMatch]:
    """For each block of the next lower dimension where its cells are facets."""
    lower = [k for k, b in enumerate(blocks) if b.type.dim == top - 1]
    found = match_facets([blocks[k] for k in lower], [blocks[k] for k in upper], n_nodes)
    return dict(zip(lower, found, strict=True))


def _chosen(block: CellBlock, keep: NDArray[np.bool_]) -> CellBlock:
    if keep.all():
        return block
    return CellBlock(block.type, block.nodes[keep], None if block.ids is None else block.ids[keep])
