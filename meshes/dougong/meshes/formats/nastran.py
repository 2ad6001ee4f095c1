"""Nastran bulk data (.bdf, .dat, .nas): grid points, elements, coordinate systems, properties as sets.

What does not define the mesh (materials, loads, rigid elements) is left out, with a notice that names it.

Source: MSC/NX Nastran Quick Reference Guide, "Bulk data entries".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats._ids import IdMap, keep_last, listed, repeated
from dougong.meshes.formats._nastran_cards import Cards
from dougong.meshes.formats._nastran_frames import Frames
from dougong.meshes.formats._nastran_numbers import parse_integer, parse_integers, parse_real, parse_reals
from dougong.meshes.formats._nastran_sets import Names, read_names
from dougong.meshes.formats._order import find_order
from dougong.meshes.formats._textfile import reading, shorten
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh

NAME = "nastran"
SUFFIXES = (".bdf", ".nas", ".dat", ".blk", ".bulk")
DESCRIPTION = "Nastran bulk data (.bdf, .nas, .dat)"
OPENS_FILES = False

_CARD = re.compile(rb"^(?:BEGIN[ \t]+BULK|GRID[ *,\t]|CTETRA[ *,\t]|CHEXA[ *,\t]|CQUAD4[ *,\t]|NASTRAN )", re.I | re.M)


@dataclass(frozen=True)
class _Element:
    """Linear and quadratic cell, order of the nodes, and the fields of the property and the first node."""

    linear: str
    quadratic: str = ""
    order: tuple[int, ...] = ()
    property_field: int = 1
    node_field: int = 2


# Nastran lists the mid-edge nodes bottom, upright, top.
_HEX20 = (*range(12), *range(16, 20), *range(12, 16))
_WEDGE15 = (*range(9), *range(12, 15), *range(9, 12))

_ELEMENTS: dict[str, _Element] = {
    "CTETRA": _Element("tet4", "tet10"),
    "CHEXA": _Element("hex8", "hex20", _HEX20),
    "CPENTA": _Element("wedge6", "wedge15", _WEDGE15),
    "CPYRAM": _Element("pyramid5", "pyramid13"),
    "CPYRA": _Element("pyramid5", "pyramid13"),
    **{name: _Element("tri3") for name in ("CTRIA3", "CTRIAR", "CPLSTN3", "CPLSTS3")},
    **{name: _Element("tri3", "tri6") for name in ("CTRIA6", "CTRIAX", "CPLSTN6", "CPLSTS6")},
    **{name: _Element("quad4") for name in ("CQUAD4", "CQUADR", "CSHEAR", "CPLSTN4", "CPLSTS4")},
    **{name: _Element("quad4", "quad8") for name in ("CQUAD8", "CQUADX", "CPLSTN8", "CPLSTS8")},
    **{name: _Element("line2") for name in ("CBAR", "CBEAM", "CROD", "CTUBE")},
    "CONROD": _Element("line2", property_field=-1, node_field=1),
}

#: Entries that carry mesh of a kind that is not read, and so must not pass unseen.
_REFUSED = frozenset({"CTRIAX6", "CQUAD", "CBEND", "CBEAM3", "CIHEX1", "CIHEX2", "CHEX8", "CHEX20", "CAABSF", "CHACAB"})


def sniff(head: bytes) -> bool:
    """Say whether an entry that a mesh needs stands at the beginning of a line."""
    return _CARD.search(head) is not None


def read(path: Path) -> RawMesh:
    """Read bulk data. Raises `ReadError` with the line that is wrong."""
    with reading(path, NAME) as file:
        if not file.mentions(b"GRID", b"INCLUDE"):
            raise ReadError("MESH_NO_NODES")
        cards = Cards(file)
        try:
            return _Reader(cards).mesh()
        finally:
            cards.close()


class _Reader:
    def __init__(self, cards: Cards) -> None:
        self.cards = cards
        self.notices: list[tuple[str, dict[str, object]]] = []
        self.entry_of_cell: list[NDArray[np.int64]] = []

    def mesh(self) -> RawMesh:
        cards = self.cards
        names = self._bulk()
        node_ids, points = self._grids()
        if not len(node_ids):
            raise ReadError("MESH_NO_NODES")
        nodes = IdMap(node_ids)
        blocks: list[CellBlock] = []
        properties: list[NDArray[np.int64]] = []
        for name, element in _ELEMENTS.items():
            for cell, ids, pids, numbers, entries in self._elements(name, element):
                index = nodes.find(numbers)
                if len(index) and int(index.min()) < 0:
                    row = int(np.flatnonzero((index < 0).any(axis=1))[0])
                    raise ReadError(
                        "MESH_ABSENT_NODE",
                        line=cards.line_number(int(entries[row])),
                        cell=int(ids[row]),
                        nodes=listed(numbers[row][index[row] < 0]),
                    )
                if cell == "pyramid13":
                    # Some programs list its mid-edge nodes in an order of their own (Gmsh 4.15).
                    index = index[:, find_order(points, CELL_TYPES[cell], index)]
                blocks.append(CellBlock(CELL_TYPES[cell], index, ids))
                properties.append(pids)
                self.entry_of_cell.append(entries)
        if not blocks:
            raise ReadError("MESH_NO_CELLS")
        cell_ids = np.concatenate([b.ids for b in blocks if b.ids is not None])
        twice = repeated(cell_ids)
        if len(twice):
            entry = int(np.concatenate(self.entry_of_cell)[np.flatnonzero(cell_ids == twice[0])].max())
            raise ReadError("MESH_CELLS_TWICE", line=cards.line_number(entry), count=len(twice), ids=listed(twice))
        self._skipped()
        cell_sets = {}
        origins: dict[tuple[str, str], str] = {}
        for pid in np.unique(np.concatenate(properties)):
            if pid > 0:
                name = names.properties.get(int(pid), f"PID_{pid}")
                name = name if name not in cell_sets else f"{name}_{pid}"
                cell_sets[name] = [np.flatnonzero(p == pid) for p in properties]
                origins["cells", name] = f"property {pid}"
        node_sets: dict[str, NDArray[np.int64]] = {}
        self._named_sets(names, blocks, nodes, cell_sets, node_sets, origins)
        return RawMesh(
            points=points,
            blocks=tuple(blocks),
            cell_sets=cell_sets,
            node_sets=node_sets,
            node_ids=node_ids,
            notices=tuple(self.notices),
            origins=origins,
        )

    def _bulk(self) -> Names:
        """Leave only the bulk data among the cards; read names and sets from what is before and from comments."""
        cards = self.cards
        begin, end = cards.of("BEGIN"), cards.of("ENDDATA")
        first = int(begin[0]) + 1 if len(begin) else 0
        after = end[end >= first]
        last = int(after[0]) if len(after) else len(cards.card)
        inner = begin[(begin >= first) & (begin < last)]
        if len(inner):
            raise ReadError("MESH_CARD_UNSUPPORTED", line=cards.line_number(int(inner[0])), card="BEGIN SUPER")
        for entry in cards.of("INCLUDE"):
            if entry < last:
                raise ReadError("MESH_OTHER_FILE", line=cards.line_number(int(entry)), card="INCLUDE")
        names = read_names(cards, first)
        cards.cut(first, last)
        return names

    # -- grid points -------------------------------------------------------------------------------------------------

    def _grids(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        cards = self.cards
        ids, systems, points, own, entries = [], [], [], [], []
        for chosen, columns in cards.tables(cards.of("GRID"), 6):
            table = None if columns is None else self._grid_table(columns)
            id_, cp, cd, xyz = table if table is not None else self._grids_one_by_one(chosen)
            ids.append(id_)
            systems.append(cp)
            own.append(cd)
            points.append(xyz)
            entries.append(chosen)
        if not ids:
            return np.empty(0, np.int64), np.empty((0, 3))
        all_ids, cp, cd = np.concatenate(ids), np.concatenate(systems), np.concatenate(own)
        xyz, entry = np.concatenate(points), np.concatenate(entries)
        if int(all_ids.min()) < 1:
            wrong = int(entry[int(np.argmin(all_ids))])
            raise ReadError("MESH_BAD_NUMBER", line=cards.line_number(wrong), text=shorten(cards.fields(wrong, 1)[0]))
        # Entries of different formats were read apart: back to the order of the file.
        order = np.argsort(entry, kind="stable")
        all_ids, cp, cd, xyz, entry = all_ids[order], cp[order], cd[order], xyz[order], entry[order]
        last = keep_last(all_ids)
        if last is not None:
            again = repeated(all_ids)
            self.notices.append(("MESH_NOTICE_NODES_TWICE", {"count": len(again), "ids": listed(again)}))
            all_ids, cp, cd, xyz, entry = all_ids[last], cp[last], cd[last], xyz[last], entry[last]
        default_cp, default_cd = self._defaults()
        cp, cd = np.where(cp == 0, default_cp, cp), np.where(cd == 0, default_cd, cd)
        if np.any(cd != 0):
            self.notices.append(("MESH_NOTICE_NODE_FRAMES", {"card": "GRID", "count": int(np.count_nonzero(cd))}))
        index = IdMap(all_ids)

        def grid(number: int) -> tuple[int, NDArray[np.float64]] | None:
            k = int(index.find(np.array([number], np.int64))[0])
            return None if k < 0 else (int(cp[k]), xyz[k])

        frames = Frames(cards, grid)
        out = xyz.copy()
        for system in np.unique(cp):
            if system:
                here = cp == system
                out[here] = frames.frame(int(system), int(entry[np.argmax(here)])).to_basic(xyz[here])
        return all_ids, out

    def _grid_table(
        self, columns: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None:
        if columns.shape[1] < 6:  # no second line of a large field entry
            rest = np.full((len(columns), 6 - columns.shape[1], columns.shape[2]), 32, np.uint8)
            columns = np.concatenate([columns, rest], axis=1)
        numbers = [parse_integers(columns[:, k]) for k in (0, 1, 5)]
        reals = parse_reals(columns[:, 2:5].reshape(-1, columns.shape[2]))
        if reals is None or not all(good.all() for _, good in numbers):
            return None
        return numbers[0][0], numbers[1][0], numbers[2][0], reals.reshape(-1, 3)

    def _grids_one_by_one(
        self, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        numbers, points = [], []
        for entry in chosen:
            fields = self.cards.fields(int(entry), 6)
            numbers.append([self._integer(entry, f) for f in (fields[0], fields[1])])
            # -1 in CD says that the point belongs to a fluid.
            numbers[-1].append(0 if fields[5] == "-1" else self._integer(entry, fields[5]))
            points.append([self._real(entry, f) for f in fields[2:5]])
        table = np.array(numbers, np.int64)
        return table[:, 0], table[:, 1], table[:, 2], np.array(points)

    def _integer(self, entry: int, text: str) -> int:
        try:
            return parse_integer(text)
        except ValueError:
            line = self.cards.line_number(int(entry))
            raise ReadError("MESH_BAD_NUMBER", line=line, text=shorten(text)) from None

    def _real(self, entry: int, text: str) -> float:
        try:
            return parse_real(text)
        except ValueError:
            line = self.cards.line_number(int(entry))
            raise ReadError("MESH_BAD_NUMBER", line=line, text=shorten(text)) from None

    def _defaults(self) -> tuple[int, int]:
        cp = cd = 0
        for entry in self.cards.of("GRDSET"):
            fields = self.cards.fields(int(entry), 6)
            cp, cd = self._integer(entry, fields[1]), self._integer(entry, fields[5])
        return cp, cd

    # -- elements ----------------------------------------------------------------------------------------------------

    def _elements(
        self, name: str, element: _Element
    ) -> list[tuple[str, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Read the elements of an entry: cell, numbers, properties, nodes in the product's order, entries."""
        chosen = self.cards.of(name)
        corners = CELL_TYPES[element.linear].n_nodes
        n_nodes = CELL_TYPES[element.quadratic].n_nodes if element.quadratic else corners
        most = element.node_field + n_nodes
        found: dict[str, list[tuple[NDArray[np.int64], ...]]] = {}
        for part, columns in self.cards.tables(chosen, most):
            table = None
            if columns is not None:
                values, good = parse_integers(columns.reshape(-1, columns.shape[2]))
                if good.all():
                    table = np.zeros((len(part), most), np.int64)
                    table[:, : columns.shape[1]] = values.reshape(len(part), -1)
            if table is None:
                table = np.array(
                    [[self._integer(e, f) for f in self.cards.fields(int(e), most)] for e in part], np.int64
                ).reshape(-1, most)
            nodes, ids = table[:, element.node_field :], table[:, 0].copy()
            # Where the property is left out it has the number of the element.
            pids = table[:, element.property_field] if element.property_field > 0 else np.zeros_like(ids)
            pids = np.where((pids == 0) & (element.property_field > 0), ids, pids)
            middle = np.zeros(len(nodes), np.int8)
            for k in range(corners, n_nodes):
                middle += nodes[:, k] != 0
            wrong = (ids < 1) | ((middle > 0) & (middle < n_nodes - corners))
            for k in range(corners):
                wrong |= nodes[:, k] == 0
            if wrong.any():
                row = int(np.argmax(wrong))
                raise ReadError(
                    "MESH_WRONG_NODE_COUNT",
                    line=self.cards.line_number(int(part[row])),
                    cell=int(ids[row]),
                    expected=f"{corners} / {n_nodes}" if n_nodes > corners else str(corners),
                    found=int(np.count_nonzero(nodes[row])),
                )
            for cell, here, width in ((element.linear, middle == 0, corners), (element.quadratic, middle > 0, n_nodes)):
                if cell and here.any():
                    order = list(element.order) if element.order and width == n_nodes else list(range(width))
                    found.setdefault(cell, []).append((ids[here], pids[here], nodes[here][:, order], part[here]))
        out = []
        for cell, parts in found.items():
            ids, pids, nodes, entries = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            out.append((cell, ids, pids, nodes, entries))
        return out

    # -- sets and what is left out -----------------------------------------------------------------------------------

    def _named_sets(
        self,
        names: Names,
        blocks: list[CellBlock],
        nodes: IdMap,
        cell_sets: dict[str, list[NDArray[np.int64]]],
        node_sets: dict[str, NDArray[np.int64]],
        origins: dict[tuple[str, str], str],
    ) -> None:
        maps = [IdMap(b.ids) for b in blocks if b.ids is not None]
        for listed_set in names.sets:
            if listed_set.kind == "nodes":
                found = [nodes.in_range(a, b, 1) for a, b in listed_set.spans]
                name = listed_set.name if listed_set.name not in node_sets else f"{listed_set.name}_{listed_set.number}"
                node_sets[name] = np.unique(np.concatenate([*found, np.empty(0, np.int64)]))
            else:
                name = listed_set.name if listed_set.name not in cell_sets else f"{listed_set.name}_{listed_set.number}"
                cell_sets[name] = [
                    np.unique(
                        np.concatenate([*(m.in_range(a, b, 1) for a, b in listed_set.spans), np.empty(0, np.int64)])
                    )
                    for m in maps
                ]
            origins[listed_set.kind, name] = listed_set.origin
        if names.undecided:
            shown = ", ".join(f"SET {n}" for n in names.undecided[:20])
            self.notices.append(("MESH_NOTICE_SETS_UNDECIDED", {"count": len(names.undecided), "sets": shown}))

    def _skipped(self) -> None:
        """Refuse elements that are not read though they are mesh; say what else was left out."""
        cards = self.cards
        refused = cards.of(*_REFUSED)
        if len(refused):
            name = cards.names[cards.kind[cards.card[refused[0]]]]
            raise ReadError("MESH_CELL_TYPE_UNKNOWN", line=cards.line_number(int(refused[0])), type=shorten(name))
        read_ones = {*_ELEMENTS, "GRID", "GRDSET", "CORD1R", "CORD1C", "CORD1S", "CORD2R", "CORD2C", "CORD2S", ""}
        kinds, counts = np.unique(cards.kind[cards.card], return_counts=True)
        found = [
            (cards.names[k], int(c))
            for k, c in zip(kinds, counts, strict=True)
            if cards.names[k] not in read_ones and cards.names[k][:1].isalpha()
        ]
        if found:
            shown = ", ".join(f"{shorten(n)} ({c})" for n, c in found[:40]) + (", ..." if len(found) > 40 else "")
            self.notices.append(("MESH_NOTICE_CARDS_SKIPPED", {"cards": shown}))
