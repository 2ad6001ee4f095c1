"""Regions on a part: named sets of the mesh file and shapes in space, as local nodes, facets and cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import RegionKind
from dougong.solver.parallel.partition import Part
from dougong.v1 import analysis_pb2 as pb

_CHUNK = 1 << 20

#: Half the angle within which a facet's normal counts as a given direction, degrees.
DEFAULT_ANGLE = 5.0
#: Tolerance of a geometric shape, as a fraction of the diagonal of the mesh.
DEFAULT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Facets:
    """Local facets with the same facet number in cells of one block.

    Attributes
    ----------
    type
        Cell type of the facet.
    nodes
        shape (n, n_nodes of the facet), int32 - local nodes; the normal points outwards.
    rows
        shape (n,), int32 - rows of their cells in the local block.
    block, number
        Block, and number of the facet in its cells.
    """

    type: str
    nodes: NDArray[np.int32]
    rows: NDArray[np.int32]
    block: int
    number: int

    def mine(self, part: Part) -> NDArray[np.bool_]:
        """Which facets this rank counts in sums, shape (n,): those whose first node it owns.

        Not those of the cells it counts: such a facet may have no node of this rank's own, and is then not looked for.
        """
        return self.nodes[:, 0] < part.n_owned


@dataclass
class Regions:
    """All regions of an analysis on one part; sets are looked up when asked for and kept.

    Attributes
    ----------
    stored, part
        The mesh, and this rank's part of it.
    selectors
        Geometric regions of the analysis.
    """

    stored: StoredMesh
    part: Part
    selectors: dict[str, pb.Region] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nodes: dict[str, NDArray[np.int32]] = {}
        self._facets: dict[str, list[Facets]] = {}
        self._boundary: list[Facets] | None = None
        diagonal = 0.0
        if self.selectors:
            low = self.part.comm.min(self.part.points.min(axis=0, initial=np.inf))
            high = self.part.comm.max(self.part.points.max(axis=0, initial=-np.inf))
            diagonal = float(np.linalg.norm(high - low))
        self._default_tolerance = DEFAULT_TOLERANCE * diagonal

    def kinds(self, name: str) -> set[RegionKind]:
        """What kinds of region bear this name; none: there is no such region."""
        if name in self.selectors:
            return {_selected_kind(self.selectors[name])}
        return {r.kind for r in self.stored.find_regions(name)}

    def cell_number(self, cell: int) -> int:
        """The number in the mesh file of a cell, from its index in the stored mesh."""
        block = int(np.searchsorted(self.stored.offsets, cell, side="right")) - 1
        ids = self.stored.cell_ids(block)
        return cell + 1 if ids is None else int(ids[cell - self.stored.offsets[block]])

    def nodes(self, name: str) -> NDArray[np.int32]:
        """Local nodes of a region, ascending: of facets and cells all their nodes, mid-side nodes too.

        Collective the first time a region is asked for.
        """
        if name not in self._nodes:
            self._nodes[name] = self._find_nodes(name)
        return self._nodes[name]

    def _find_nodes(self, name: str) -> NDArray[np.int32]:
        kinds = self.kinds(name)
        if RegionKind.NODES in kinds:
            if name in self.selectors:
                return np.flatnonzero(self._inside(self.selectors[name], self.part.points)).astype(np.int32)
            found = [self.part.local_nodes(piece)[0] for piece in self._entries(name, RegionKind.NODES)]
        elif RegionKind.FACETS in kinds:
            found = [f.nodes.ravel() for f in self.facets(name)]
        else:
            found = [b.nodes[c].ravel() for b, c in zip(self.part.blocks, self.cells(name), strict=True)]
        # A ghost may belong to the region by a facet or cell that is not here: its owner has all of them and knows.
        belongs = np.zeros(self.part.n_local)
        for nodes in found:
            belongs[nodes] = 1.0
        self.part.halo.update(belongs)
        return np.flatnonzero(belongs).astype(np.int32)

    def facets(self, name: str) -> list[Facets]:
        """Local facets of a region of facets."""
        if name not in self._facets:
            self._facets[name] = self._find_facets(name)
        return self._facets[name]

    def _find_facets(self, name: str) -> list[Facets]:
        if name in self.selectors:
            return list(self._select_facets(self.selectors[name]))
        out = []
        for piece in self._entries(name, RegionKind.FACETS):
            for k, block in enumerate(self.part.blocks):
                rows, here = self.part.local_cells(k, piece[:, 0])
                sides = piece[here, 1]
                for number, (facet_type, corner) in enumerate(block.type.facets):
                    chosen = rows[sides == number]
                    if len(chosen):
                        out.append(Facets(facet_type, block.nodes[chosen][:, corner], chosen, k, number))
        return out

    def cells(self, name: str) -> list[NDArray[np.int32]]:
        """For each local block the rows of the cells of a region of cells. The empty name means all cells."""
        if not name:
            return [np.arange(len(b), dtype=np.int32) for b in self.part.blocks]
        if name in self.selectors:
            return [
                np.flatnonzero(self._inside(self.selectors[name], self.part.points)[b.nodes].all(axis=1)).astype(
                    np.int32
                )
                for b in self.part.blocks
            ]
        found: list[list[NDArray[np.int32]]] = [[] for _ in self.part.blocks]
        for piece in self._entries(name, RegionKind.CELLS):
            for k in range(len(self.part.blocks)):
                found[k].append(self.part.local_cells(k, piece)[0])
        return [np.sort(np.concatenate(f)) if f else np.empty(0, dtype=np.int32) for f in found]

    def _entries(self, name: str, kind: RegionKind) -> Iterator[NDArray[np.int64]]:
        """Entries of a region of the mesh file, some at a time, so that no rank holds a large region whole."""
        for region in self.stored.find_regions(name):
            if region.kind == kind:
                entries = self.stored.entries(region)
                for k in range(0, len(entries), _CHUNK):
                    yield np.asarray(entries[k : k + _CHUNK])

    def boundary(self) -> list[Facets]:
        """Local facets on the boundary of the mesh that have an owned node.

        A facet with an owned node has all its cells here; so it is on the boundary of the mesh if it occurs once.
        """
        if self._boundary is None:
            self._boundary = list(_boundary(self.part))
        return self._boundary

    def _select_facets(self, selector: pb.Region) -> Iterator[Facets]:
        if selector.WhichOneof("shape") == "normal":
            direction = _coordinates(selector.normal.direction)
            angle = selector.normal.angle_degrees if selector.normal.HasField("angle_degrees") else DEFAULT_ANGLE
            limit = np.cos(np.radians(angle)) - 1e-12
            for f in self.boundary():
                yield from _pick(f, facet_normals(self.part.points, f) @ direction / np.linalg.norm(direction) >= limit)
            return
        inside = self._inside(selector, self.part.points)
        for f in self.boundary():
            yield from _pick(f, inside[f.nodes].all(axis=1))

    def _inside(self, selector: pb.Region, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie in a shape."""
        shape = selector.WhichOneof("shape")
        body = getattr(selector, shape)
        tolerance = self._default_tolerance
        if shape in ("box", "sphere", "plane") and body.HasField("tolerance"):
            tolerance = body.tolerance
        if shape == "box":
            low, high = _coordinates(body.min), _coordinates(body.max)
            return np.all((points >= low - tolerance) & (points <= high + tolerance), axis=1)
        if shape == "sphere":
            distance = np.linalg.norm(points - _coordinates(body.center), axis=1) - body.radius
            return (np.abs(distance) if body.surface_only else distance) <= tolerance
        if shape == "plane":
            normal = _coordinates(body.normal)
            return np.abs((points - _coordinates(body.point)) @ normal) <= tolerance * np.linalg.norm(normal)
        return np.ones(len(points), dtype=bool)


def _pick(f: Facets, which: NDArray[np.bool_]) -> Iterator[Facets]:
    if which.any():
        yield Facets(f.type, f.nodes[which], f.rows[which], f.block, f.number)


def _selected_kind(selector: pb.Region) -> RegionKind:
    kinds = {pb.Region.KIND_NODES: RegionKind.NODES, pb.Region.KIND_CELLS: RegionKind.CELLS}
    return kinds.get(selector.kind, RegionKind.FACETS)


def _coordinates(point: pb.Point) -> NDArray[np.float64]:
    return np.array(point.coordinates, dtype=np.float64)


def facet_normals(points: NDArray[np.float64], f: Facets) -> NDArray[np.float64]:
    """Outward unit normals of facets from their corners, shape (n, dim)."""
    x = points[f.nodes]
    if points.shape[1] == 2:
        t = x[:, 1] - x[:, 0]
        normal = np.stack([t[:, 1], -t[:, 0]], axis=1)
    elif CELL_TYPES[f.type].n_corners == 3:
        normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    else:
        normal = np.cross(x[:, 2] - x[:, 0], x[:, 3] - x[:, 1])
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _boundary(part: Part) -> Iterator[Facets]:
    keys, places = [], []
    for k, block in enumerate(part.blocks):
        for number, (facet_type, corner) in enumerate(block.type.facets):
            n_corners = CELL_TYPES[facet_type].n_corners
            corners = np.sort(block.nodes[:, corner[:n_corners]], axis=1)
            if n_corners < 4:  # one width for triangles and quadrilaterals
                corners = np.pad(corners, ((0, 0), (0, 4 - n_corners)), constant_values=-1)
            keys.append(corners)
            places.append(
                np.stack([np.full(len(block), k), np.full(len(block), number), np.arange(len(block))], axis=1)
            )
    if not keys:
        return
    key, place = np.concatenate(keys), np.concatenate(places)
    order = np.lexsort(key.T)
    key = key[order]
    new = np.ones(len(key), dtype=bool)
    new[1:] = (key[1:] != key[:-1]).any(axis=1)
    single = new & np.append(new[1:], True)
    place = place[order[single]]
    for k, block in enumerate(part.blocks):
        for number, (facet_type, corner) in enumerate(block.type.facets):
            rows = np.sort(place[(place[:, 0] == k) & (place[:, 1] == number), 2])
            nodes = block.nodes[rows][:, corner]
            owned = (nodes < part.n_owned).any(axis=1)
            if owned.any():
                yield Facets(facet_type, nodes[owned], rows[owned].astype(np.int32), k, number)
