"""From the sets of a mesh file to regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.facets import FacetMatch
from dougong.meshes.mesh import CellBlock, RawMesh, Region, RegionKind
from dougong.meshes.orient import mirrored_facets
from dougong.meshes.rows import ascending
from dougong.messages import notice
from dougong.v1 import mesh_pb2

_Index = NDArray[np.int64]
#: Names are for people and for analyses; a longer one is cut.
_MAX_NAME = 255


@dataclass(frozen=True)
class Places:
    """Where cells and nodes of the file went.

    Attributes
    ----------
    blocks
        Merged blocks, one a type.
    source
        For each block that was read its merged block (-1 when empty) and its first cell there.
    cells
        merged block -> for each cell its index in the mesh, or -1; absent: none of it is in the mesh.
    matches
        merged block -> which facets its cells are.
    turned
        merged block -> which of its cells were turned inside out; absent: none.
    nodes
        For each node its index in the mesh, or -1; None: as in the file.
    upper
        The merged blocks of the highest dimension.
    """

    blocks: list[CellBlock]
    source: list[tuple[int, int]]
    cells: dict[int, _Index]
    matches: dict[int, FacetMatch]
    turned: dict[int, NDArray[np.bool_]]
    nodes: NDArray[np.signedinteger] | None
    upper: frozenset[int]

    def node_index(self, nodes: NDArray[np.integer]) -> _Index:
        """Indices in the mesh, ascending, each once; nodes that are not in it are left out."""
        index = ascending(nodes if self.nodes is None else self.nodes[nodes])
        return index[np.searchsorted(index, 0) :].astype(np.int64, copy=False)


def make_regions(raw: RawMesh, places: Places, notices: list[mesh_pb2.Notice]) -> tuple[Region, ...]:
    """All regions of a mesh; what is left out or changed is added to the notices."""
    regions: dict[tuple[str, RegionKind], Region] = {}

    def add(name: str, kind: RegionKind, entries: _Index, origin: str) -> None:
        clean = _clean(name)
        known = regions.get((clean, kind))
        if known is not None:
            if np.array_equal(known.entries, entries):
                return
            new = next(f"{clean}_{k}" for k in range(2, 10**6) if (f"{clean}_{k}", kind) not in regions)
            notices.append(notice("MESH_NOTICE_NAME_CHANGED", name=clean, new_name=new))
            clean = new
        regions[clean, kind] = Region(clean, kind, entries, origin)

    def tell(name: str, wanted: int, got: int) -> None:
        if got == 0:
            notices.append(notice("MESH_NOTICE_SET_EMPTY", name=_clean(name)))
        elif got < wanted:
            notices.append(notice("MESH_NOTICE_SET_PARTLY", name=_clean(name), count=wanted - got))

    for name, per_block in raw.cell_sets.items():
        origin = raw.origins.get(("cells", name), "")
        cells, facets, nodes, interior, missing = _cell_set(per_block, places)
        if interior:
            notices.append(notice("MESH_NOTICE_INTERIOR_FACETS", name=_clean(name), count=interior))
        for kind, entries in ((RegionKind.CELLS, cells), (RegionKind.FACETS, facets), (RegionKind.NODES, nodes)):
            if len(entries):
                add(name, kind, entries, origin)
        tell(name, len(cells) + len(facets) + len(nodes) + missing, len(cells) + len(facets) + len(nodes))
    for name, triples in raw.facet_sets.items():
        entries, wanted = _facet_set(triples, places)
        if len(entries):
            add(name, RegionKind.FACETS, entries, raw.origins.get(("facets", name), ""))
        tell(name, wanted, len(entries))
    for name, nodes in raw.node_sets.items():
        entries = places.node_index(nodes)
        if len(entries):
            add(name, RegionKind.NODES, entries, raw.origins.get(("nodes", name), ""))
        tell(name, len(ascending(nodes)), len(entries))
    return tuple(regions.values())


def _clean(name: str) -> str:
    text = "".join(c if c.isprintable() else "_" for c in name.strip())[:_MAX_NAME]
    return text or "unnamed"


def _cell_set(per_block: list[_Index], places: Places) -> tuple[_Index, _Index, _Index, int, int]:
    """Cells, facets and nodes of a set of cells; how many facets are interior; how many nodes are not in the mesh."""
    cells: list[_Index] = []
    facets: list[_Index] = []
    nodes: list[_Index] = []
    interior = missing = 0
    for (merged, first), members in zip(places.source, per_block, strict=False):
        if merged < 0 or len(members) == 0:
            continue
        members = ascending(members) + first
        if merged in places.cells:
            kept = places.cells[merged][members]
            cells.append(kept[kept >= 0])
            members = members[kept < 0]
        match = places.matches.get(merged)
        if match is not None:
            members = members[match.cell[members] >= 0]
            # The larger blocks come first in the mesh, in the order in which they were matched.
            facets.append(np.column_stack([match.cell[members], match.facet[members]]))
            interior += int(match.interior[members].sum())
        elif merged not in places.upper and len(members):
            wanted = np.unique(places.blocks[merged].nodes[members])
            found = places.node_index(wanted)
            missing += len(wanted) - len(found)
            nodes.append(found)
    return _joined(cells), _joined_facets(facets), _joined(nodes), interior, missing


def _facet_set(triples: _Index, places: Places) -> tuple[_Index, int]:
    """Facets of a set of (block, cell, facet), and how many different ones there were."""
    triples = np.unique(np.asarray(triples, dtype=np.int64).reshape(-1, 3), axis=0)
    found: list[_Index] = []
    for block in np.unique(triples[:, 0]):
        merged, first = places.source[block]
        if merged not in places.upper:
            continue
        part = triples[triples[:, 0] == block]
        cells, number = part[:, 1] + first, part[:, 2]
        if merged in places.turned:
            renumbered = mirrored_facets(places.blocks[merged].type.name)[number]
            number = np.where(places.turned[merged][cells], renumbered, number)
        found.append(np.column_stack([places.cells[merged][cells], number]))
    return _joined_facets(found), len(triples)


def _joined(parts: list[_Index]) -> _Index:
    return ascending(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def _joined_facets(parts: list[_Index]) -> _Index:
    if not parts:
        return np.empty((0, 2), dtype=np.int64)
    packed = ascending(np.concatenate([p[:, 0] * 8 + p[:, 1] for p in parts]))
    return np.column_stack([packed // 8, packed % 8])
