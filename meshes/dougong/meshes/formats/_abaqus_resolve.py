"""From what an Abaqus deck defines to a `RawMesh`: instances placed, sets and surfaces looked up."""

from __future__ import annotations

import re
from collections.abc import Container

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._abaqus_cards import element_records
from dougong.meshes.formats._abaqus_elements import sort_hex27
from dougong.meshes.formats._abaqus_model import ElementGroup, Instance, Members, NamedSet, Placed, Scope
from dougong.meshes.formats._ids import IdMap, keep_last, listed, repeated
from dougong.meshes.formats._surfaces import free_facets
from dougong.meshes.formats._textfile import TextFile, shorten
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh
from dougong.meshes.rows import ascending

#: Sets that name sets that name sets: deeper than this is a circle.
_MAX_DEPTH = 100

#: Face identifiers that mean a shell (CalculiX calls its sides S1 and S2) or a beam itself.
_SIDES = {2: ("", "SPOS", "SNEG", "S1", "S2"), 1: ("", "SPOS", "SNEG")}
_FACE = re.compile(r"(?:S|E|END)(\d)")
_EMPTY = np.empty(0, np.int64)


class Resolver:
    """Builds the mesh.

    Parameters
    ----------
    file
        For line numbers in messages.
    instances
        All of them, the assembly's own last.
    """

    def __init__(self, file: TextFile, instances: list[Instance]) -> None:
        self.file = file
        self.notices: list[tuple[str, dict[str, object]]] = []
        self.points: list[NDArray[np.float64]] = []
        self.node_ids: list[NDArray[np.int64]] = []
        self.blocks: list[CellBlock] = []
        self.structural: list[bool] = []
        self.placed: dict[str, Placed] = {}
        self._sets: dict[tuple[str, str, str], NDArray[np.int64]] = {}
        self._absent: dict[str, int] = {}
        self._free: list[NDArray[np.bool_]] | None = None
        first_node = first_cell = 0
        for instance in instances:
            placed = self._place(instance, first_node, first_cell)
            self.placed[instance.name.upper()] = placed
            first_node += placed.n_nodes
            first_cell += placed.n_cells
        if first_node == 0:
            raise ReadError("MESH_NO_NODES")
        if first_cell == 0:
            raise ReadError("MESH_NO_CELLS")
        self.starts = np.concatenate([[0], np.cumsum([len(b) for b in self.blocks])]).astype(np.int64)
        self._with_mesh = [p for p in self.placed.values() if p.n_nodes]

    # -- nodes and cells ---------------------------------------------------------------------------------------------

    def _place(self, instance: Instance, first_node: int, first_cell: int) -> Placed:
        ids = _joined([a for s in instance.scopes for a in s.node_ids])
        points = _joined_points([p for s in instance.scopes for p in s.points])
        last = keep_last(ids)
        if last is not None:
            again = repeated(ids)
            self.notices.append(("MESH_NOTICE_NODES_TWICE", {"count": len(again), "ids": listed(again)}))
            ids, points = ids[last], points[last]
        if not np.array_equal(instance.rotation, np.eye(3)):
            points = points @ instance.rotation.T
        if np.any(instance.shift):
            points = points + instance.shift
        nodes = IdMap(ids)
        groups = [g for s in instance.scopes for g in s.groups]
        for group in groups:
            index = nodes.rows(group.nodes, np.int32 if first_node + len(ids) < 2**31 else np.int64)
            if len(index) and int(index.min()) < 0:
                raise self._absent_node(group, index)
            if group.type.cell.name == "hex27":
                index, doubtful = sort_hex27(points, index)
                if len(doubtful):
                    raise ReadError(
                        "MESH_HEX27_NODES",
                        line=self.file.line_number(group.card.offset),
                        cells=listed(group.ids[doubtful]),
                    )
            index += index.dtype.type(first_node)
            self.blocks.append(CellBlock(group.type.cell, index, group.ids))
            self.structural.append(group.type.structural)
        cell_ids = _joined([g.ids for g in groups])
        twice = repeated(cell_ids)
        if len(twice):
            where = next(g.card for g in reversed(groups) if np.isin(twice, g.ids).any())
            raise ReadError(
                "MESH_CELLS_TWICE", line=self.file.line_number(where.offset), count=len(twice), ids=listed(twice)
            )
        self.points.append(points)
        self.node_ids.append(ids)
        return Placed(instance, nodes, IdMap(cell_ids), first_node, first_cell, len(ids), len(cell_ids))

    def _absent_node(self, group: ElementGroup, index: NDArray[np.int64]) -> ReadError:
        ids, nodes, card = group.ids, group.nodes, group.card
        row = int(np.flatnonzero((index < 0).any(axis=1))[0])
        line = self.file.line_number(card.offset)
        for offset, record in element_records(self.file, card, nodes.shape[1], True):
            if record[0] == ids[row]:
                line = self.file.line_number(offset)
                break
        return ReadError("MESH_ABSENT_NODE", line=line, cell=int(ids[row]), nodes=listed(nodes[row][index[row] < 0]))

    # -- sets --------------------------------------------------------------------------------------------------------

    def members(self, kind: str, placed: Placed, key: str, offset: int, depth: int = 0) -> NDArray[np.int64]:
        """Look up a set named in the scope of an instance: indices in the whole mesh, ascending."""
        memo = (kind, placed.instance.name.upper(), key)
        if memo in self._sets:
            return self._sets[memo]
        if depth > _MAX_DEPTH:
            raise ReadError("MESH_SET_CIRCLE", line=self.file.line_number(offset), name=shorten(key))
        own = [s.sets[kind][key] for s in placed.instance.scopes if key in s.sets[kind]]
        found = [self._one(kind, placed, named, m, depth) for named in own for m in _without_repeats(named.members)]
        result = ascending(_joined(found))
        self._sets[memo] = result
        return result

    def _one(self, kind: str, placed: Placed, named: NamedSet, m: Members, depth: int) -> NDArray[np.int64]:
        where = placed
        if m.instance:
            where = self._instance(m.instance, m.offset)
        if m.name:
            of = m.kind or kind
            found = self.lookup(of, where, m.name, m.offset, depth + 1)
            return self._nodes_of(found) if of != kind else found
        numbers = where.nodes if kind == "nodes" else where.cells
        first = where.first_node if kind == "nodes" else where.first_cell
        if m.span is not None:
            index = numbers.in_range(*m.span)
            self._count_absent(named.name, (m.span[1] - m.span[0]) // m.span[2] + 1 - len(index))
            return index + first
        index = numbers.find(m.ids if m.ids is not None else _EMPTY)
        there = index >= 0
        self._count_absent(named.name, len(index) - int(there.sum()))
        return index[there] + first

    def _count_absent(self, name: str, count: int) -> None:
        if count > 0:
            self._absent[name] = self._absent.get(name, 0) + count

    def _instance(self, name: str, offset: int) -> Placed:
        try:
            return self.placed[name.upper()]
        except KeyError:
            raise ReadError("MESH_INSTANCE_UNKNOWN", line=self.file.line_number(offset), name=shorten(name)) from None

    def lookup(self, kind: str, placed: Placed, name: str, offset: int, depth: int = 0) -> NDArray[np.int64]:
        """Look up what a data line names: a set, a number, or either of an instance. Indices in the whole mesh.

        Raises
        ------
        ReadError
            There is no such set or number.
        """
        name = name.strip('"')
        key = name.upper()
        if any(key in s.sets[kind] for s in placed.instance.scopes):
            return self.members(kind, placed, key, offset, depth)
        if key.isdecimal() and len(key) < 17:
            numbers, first = (placed.nodes, placed.first_node) if kind == "nodes" else (placed.cells, placed.first_cell)
            index = numbers.find(np.array([int(key)], np.int64))
            if index[0] >= 0:
                return index + first
        head, dot, tail = name.partition(".")
        if dot and head.upper() in self.placed and depth <= _MAX_DEPTH:
            return self.lookup(kind, self.placed[head.upper()], tail, offset, depth + 1)
        raise ReadError("MESH_SET_UNKNOWN", line=self.file.line_number(offset), name=shorten(name))

    def _nodes_of(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        parts = [self.blocks[b].nodes[local].ravel() for b, local in self._by_block(cells)]
        return np.unique(_joined([np.asarray(p, np.int64) for p in parts]))

    def _by_block(self, cells: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
        """Blocks that have some of these cells, given ascending, with their indices there."""
        cuts = np.searchsorted(cells, self.starts)
        return [
            (b, cells[cuts[b] : cuts[b + 1]] - self.starts[b]) for b in range(len(self.blocks)) if cuts[b] < cuts[b + 1]
        ]

    def _split(self, cells: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        out = [_EMPTY] * len(self.blocks)
        for b, local in self._by_block(cells):
            out[b] = local
        return out

    # -- surfaces ----------------------------------------------------------------------------------------------------

    def surface(self, placed: Placed, scope: Scope, key: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Look up an element surface: facets, shape (n, 3), and cells that are themselves the surface."""
        facets: list[NDArray[np.int64]] = []
        cells: list[NDArray[np.int64]] = []
        for row in scope.surfaces[key].rows:
            for b, local in self._by_block(self.lookup("cells", placed, row.name, row.offset)):
                block = self.blocks[b]
                match = _FACE.fullmatch(row.face)
                if self.structural[b] and row.face in _SIDES.get(block.type.dim, ()):
                    cells.append(local + self.starts[b])
                elif row.face in ("", "EDGE"):
                    cell, facet = np.nonzero(self._free_facets()[b][local])
                    facets.append(np.column_stack([np.full(len(cell), b), local[cell], facet]))
                elif match and 1 <= int(match[1]) <= len(block.type.facets):
                    facet = np.full(len(local), int(match[1]) - 1)
                    facets.append(np.column_stack([np.full(len(local), b), local, facet]))
                else:
                    raise ReadError(
                        "MESH_FACE_UNKNOWN",
                        line=self.file.line_number(row.offset),
                        face=shorten(row.face),
                        type=block.type.name,
                    )
        found = np.concatenate(facets) if facets else np.empty((0, 3), np.int64)
        return np.unique(found, axis=0), np.unique(_joined(cells))

    def _free_facets(self) -> list[NDArray[np.bool_]]:
        if self._free is None:
            self._free = free_facets(self.blocks)
        return self._free

    # -- all of it ---------------------------------------------------------------------------------------------------

    def mesh(self) -> RawMesh:
        """Look everything up and name it.

        A set of the assembly has its own name. A set of a part has its own too when there is one instance and the
        assembly has no set of that name; else it is "instance.set".
        """
        cell_sets: dict[str, list[NDArray[np.int64]]] = {}
        node_sets: dict[str, NDArray[np.int64]] = {}
        facet_sets: dict[str, NDArray[np.int64]] = {}
        origins: dict[tuple[str, str], str] = {}
        late: list[tuple[str, list[NDArray[np.int64]]]] = []
        for placed in reversed(self.placed.values()):
            plain = not placed.instance.name or sum(1 for p in self._with_mesh if p.instance.name) <= 1
            for scope in placed.instance.scopes:
                for key, named in scope.sets["nodes"].items():
                    name = _full_name(named.name, placed, plain, node_sets)
                    node_sets[name] = self.members("nodes", placed, key, 0)
                    origins["nodes", name] = named.origin
                for key, named in scope.sets["cells"].items():
                    name = _full_name(named.name, placed, plain, cell_sets)
                    cell_sets[name] = self._split(self.members("cells", placed, key, 0))
                    origins["cells", name] = named.origin
                for key, surface in scope.surfaces.items():
                    facets, cells = self.surface(placed, scope, key)
                    name = _full_name(surface.name, placed, plain, facet_sets)
                    if len(facets) or not len(cells):
                        facet_sets[name] = facets
                        origins["facets", name] = "*SURFACE"
                    if len(cells):
                        late.append((name, self._split(cells)))
        for name, by_block in late:
            # Sets and surfaces have separate names in a deck; both are sets of cells here.
            free = name if name not in cell_sets else f"{name} (surface)"
            cell_sets[free] = by_block
            origins["cells", free] = "*SURFACE"
        node_ids, blocks = self._numbers()
        return RawMesh(
            points=_joined_points(self.points),
            blocks=blocks,
            cell_sets=cell_sets,
            node_sets=node_sets,
            facet_sets=facet_sets,
            node_ids=node_ids,
            notices=tuple(self.notices + self._final_notices()),
            origins=origins,
        )

    def _numbers(self) -> tuple[NDArray[np.int64], tuple[CellBlock, ...]]:
        """Number nodes and cells as in the deck, unless instances repeat numbers.

        With one part instance its numbers stay, and what the assembly adds (reference points) is numbered after them.
        """
        ids = _joined(self.node_ids)
        cell_ids = _joined([b.ids for b in self.blocks if b.ids is not None])
        if len(self._with_mesh) == 1 or not (len(repeated(ids)) or len(repeated(cell_ids))):
            return ids, tuple(self.blocks)
        self.notices.append(("MESH_NOTICE_INSTANCES_RENUMBERED", {"count": len(self._with_mesh)}))
        first, others = self._with_mesh[0], self._with_mesh[1:]
        if len(others) == 1 and not others[0].instance.name:
            for numbers, kept in ((ids, first.n_nodes), (cell_ids, first.n_cells)):
                top = int(numbers[:kept].max()) if kept else 0
                numbers[kept:] = np.arange(top + 1, top + 1 + len(numbers) - kept)
        else:
            ids = np.arange(1, len(ids) + 1, dtype=np.int64)
            cell_ids = np.arange(1, len(cell_ids) + 1, dtype=np.int64)
        cuts = list(zip(self.blocks, self.starts[:-1], self.starts[1:], strict=True))
        return ids, tuple(CellBlock(b.type, b.nodes, cell_ids[start:end]) for b, start, end in cuts)

    def _final_notices(self) -> list[tuple[str, dict[str, object]]]:
        out: list[tuple[str, dict[str, object]]] = []
        if self._absent:
            names = ", ".join(list(self._absent)[:10])
            out.append(
                ("MESH_NOTICE_SET_NUMBERS_ABSENT", {"count": sum(self._absent.values()), "names": shorten(names)})
            )
        return out


def _full_name(name: str, placed: Placed, plain: bool, taken: Container[str]) -> str:
    """Name a set of an instance: plainly where that is allowed and free, else "instance.set"."""
    return name if plain and name not in taken else f"{placed.instance.name or 'Assembly'}.{name}"


def _without_repeats(members: list[Members]) -> list[Members]:
    seen: set[tuple[str, str]] = set()
    out = []
    for m in members:
        if m.name:
            if (m.instance, m.name) in seen:
                continue
            seen.add((m.instance, m.name))
        out.append(m)
    return out


def _joined(arrays: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    arrays = [a for a in arrays if len(a)]
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def _joined_points(arrays: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    arrays = [a for a in arrays if len(a)]
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate(arrays) if arrays else np.empty((0, 3))
