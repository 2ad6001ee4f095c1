"""I-deas universal files (.unv): nodes, elements and groups.

Source: SDRC I-deas, "Universal file datasets" 15, 781, 2411 (nodes), 71, 780, 2412 (elements), 164 (units), 2417 to
2477 (groups).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._ids import IdMap, keep_last, listed, repeated
from dougong.meshes.formats._textfile import TextFile, bad_number, reading, shorten
from dougong.meshes.formats._unv_elements import ElementTable, read_elements
from dougong.meshes.formats._unv_lines import read_table
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh

NAME = "unv"
SUFFIXES = (".unv", ".uff")
DESCRIPTION = "I-deas universal files (.unv)"
OPENS_FILES = False

_MARK = re.compile(rb"^[ \t]{0,20}-1[ \t\r]*$", re.M)
_HEAD = re.compile(rb"\A\s*-1[ \t\r]*\n[ \t]*\d{1,6}\b")

_NODES = {2411: (4, 3), 781: (4, 3), 15: (7,)}
_ELEMENTS = {2412: 6, 71: 6, 780: 8}
#: How many numbers there are for each member of a group; type and number come first.
_GROUPS = {2417: 2, 2429: 2, 2430: 2, 2432: 2, 2435: 4, 2452: 4, 2467: 4, 2477: 4}
#: Types of members of a group.
_NODE, _CELL = 7, 8


def sniff(head: bytes) -> bool:
    """Say whether the file begins with the mark and the number of a dataset."""
    return _HEAD.match(head) is not None


def read(path: Path) -> RawMesh:
    """Read a universal file. Raises `ReadError` with the line that is wrong."""
    with reading(path, NAME) as file:
        reader = _Reader(file)
        for number, start, end in _datasets(file):
            reader.take(number, start, end)
        return reader.mesh()


def _datasets(file: TextFile) -> list[tuple[int, int, int]]:
    """Find number, beginning and end of each dataset."""
    marks = [(m.start(), m.end()) for m in _MARK.finditer(file.data)] if file.mentions(b"-1") else []
    if not marks:
        raise ReadError("MESH_UNV_MARK", line=1)
    out = []
    k = 0
    while k < len(marks):
        first = min(marks[k][1] + 1, len(file))
        line_end = file.end_of_line(first)
        head = file.data[first : min(line_end, first + 80)].split()
        if not head or not head[0][:6].isdigit():
            raise ReadError("MESH_UNV_MARK", line=file.line_number(first))
        if k + 1 >= len(marks):
            raise ReadError("MESH_TRUNCATED", section=f"dataset {head[0].decode()[:6]}", offset=len(file))
        # A b follows the number of a binary dataset.
        digits = re.match(rb"\d{1,6}", head[0])
        number = int(digits[0]) if digits and digits[0] == head[0] else 0
        out.append((number, min(line_end + 1, marks[k + 1][0]), marks[k + 1][0]))
        k += 2
    return out


@dataclass(frozen=True)
class _Group:
    name: str
    nodes: NDArray[np.int64]
    cells: NDArray[np.int64]


class _Reader:
    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.notices: list[tuple[str, dict[str, object]]] = []
        self.nodes: list[NDArray[np.float64]] = []
        self.elements: list[ElementTable] = []
        self.groups: list[_Group] = []
        self.skipped: list[str] = []
        self.systems: dict[int, int] = {}
        self.other_members = 0

    def take(self, number: int, start: int, end: int) -> None:
        if number in _NODES:
            self._take_nodes(_NODES[number], start, end)
        elif number in _ELEMENTS:
            self.elements += read_elements(self.file, start, end, _ELEMENTS[number])
        elif number in _GROUPS:
            self._take_groups(_GROUPS[number], start, end)
        elif number == 164:
            text = next((line for _, line in self.file.lines(start, end)), "")
            self.notices.append(("MESH_NOTICE_UNITS", {"units": shorten(" ".join(text.split()))}))
        elif number == 2420:
            self._take_systems(start, end)
        elif str(number) not in self.skipped and number != 151:
            self.skipped.append(str(number))

    def _take_nodes(self, pattern: tuple[int, ...], start: int, end: int) -> None:
        table = read_table(self.file, start, end, np.float64, pattern)
        labels = table[:, 0]
        wrong = ~((labels > 0) & (labels < 2**53) & (labels == np.floor(labels)))
        if wrong.any():
            line = self.file.line_number(start) + int(np.argmax(wrong)) * len(pattern)
            raise ReadError("MESH_BAD_NUMBER", line=line, text=f"{labels[np.argmax(wrong)]:.17g}")
        self.nodes.append(table)

    def _take_systems(self, start: int, end: int) -> None:
        """Note the local systems that are not the global one: number of the system -> where it is defined."""
        lines = list(self.file.lines(start, end))[2:]
        for k in range(0, len(lines) - 5, 6):
            offset, head = lines[k]
            fields = head.split()
            rows = [text.upper().replace("D", "E").split() for _, text in lines[k + 2 : k + 6]]
            try:
                matrix = np.array(rows, float)
                label, kind = int(fields[0]), int(fields[1])
            except (ValueError, IndexError):
                raise bad_number(self.file, offset, head) from None
            if kind != 0 or matrix.shape != (4, 3) or not np.allclose(matrix, np.eye(4, 3)):
                self.systems[label] = offset

    def _take_groups(self, width: int, start: int, end: int) -> None:
        lines = list(self.file.lines(start, end))
        k = 0
        while k < len(lines):
            offset, head = lines[k]
            try:
                count = int(head.split()[-1])
            except ValueError:
                raise bad_number(self.file, offset, head) from None
            per_line = 8 // width
            n_lines = -(-count // per_line)
            if count < 0 or k + 2 + n_lines > len(lines):
                raise ReadError(
                    "MESH_GROUP_TRUNCATED",
                    line=self.file.line_number(offset),
                    count=count,
                    found=max(len(lines) - k - 2, 0) * per_line,
                )
            name = lines[k + 1][1] if k + 1 < len(lines) else str(k)
            numbers = " ".join(text for _, text in lines[k + 2 : k + 2 + n_lines]).split()
            try:
                members = np.array(numbers[: count * width], np.int64).reshape(count, width)[:, :2]
            except (ValueError, OverflowError):
                raise ReadError(
                    "MESH_GROUP_TRUNCATED", line=self.file.line_number(offset), count=count, found=len(numbers) // width
                ) from None
            self.groups.append(_Group(name, members[members[:, 0] == _NODE, 1], members[members[:, 0] == _CELL, 1]))
            self.other_members += int(np.count_nonzero((members[:, 0] != _NODE) & (members[:, 0] != _CELL)))
            k += 2 + n_lines

    def mesh(self) -> RawMesh:
        if not self.nodes or not sum(len(t) for t in self.nodes):
            raise ReadError("MESH_NO_NODES")
        table = np.concatenate(self.nodes)
        ids, points = table[:, 0].astype(np.int64), np.ascontiguousarray(table[:, 4:7])
        foreign = np.isin(table[:, 1], list(self.systems))
        if foreign.any():
            label = int(table[np.argmax(foreign), 1])
            line = self.file.line_number(self.systems[label])
            raise ReadError("MESH_NODE_SYSTEM", line=line, system=label, count=int(foreign.sum()))
        last = keep_last(ids)
        if last is not None:
            again = repeated(ids)
            self.notices.append(("MESH_NOTICE_NODES_TWICE", {"count": len(again), "ids": listed(again)}))
            ids, points = ids[last], points[last]
        index = IdMap(ids)
        blocks = [self._block(t, index, points) for t in self.elements if len(t.ids)]
        if not blocks:
            raise ReadError("MESH_NO_CELLS")
        twice = repeated(np.concatenate([b.ids for b in blocks if b.ids is not None]))
        if len(twice):
            again_in = next(t for t in reversed(self.elements) if np.isin(t.ids, twice).any())
            line = again_in.line(self.file, int(np.flatnonzero(np.isin(again_in.ids, twice))[-1]))
            raise ReadError("MESH_CELLS_TWICE", line=line, count=len(twice), ids=listed(twice))
        node_sets, cell_sets, origins = self._sets(blocks, index)
        if self.other_members:
            self.notices.append(("MESH_NOTICE_MEMBERS_SKIPPED", {"count": self.other_members}))
        if self.skipped:
            shown = ", ".join(f"dataset {n}" for n in self.skipped[:40])
            self.notices.append(("MESH_NOTICE_CARDS_SKIPPED", {"cards": shown}))
        return RawMesh(
            points=points,
            blocks=tuple(blocks),
            cell_sets=cell_sets,
            node_sets=node_sets,
            node_ids=ids,
            notices=tuple(self.notices),
            origins=origins,
        )

    def _block(self, table: ElementTable, index: IdMap, points: NDArray[np.float64]) -> CellBlock:
        nodes = index.find(table.nodes)
        if int(nodes.min()) < 0:
            row = int(np.flatnonzero((nodes < 0).any(axis=1))[0])
            raise ReadError(
                "MESH_ABSENT_NODE",
                line=table.line(self.file, row),
                cell=int(table.ids[row]),
                nodes=listed(table.nodes[row][nodes[row] < 0]),
            )
        ordered, corners_first = table.sort(points, nodes)
        if corners_first:
            self.notices.append(("MESH_NOTICE_CORNERS_FIRST", {"count": len(nodes), "type": table.cell.name}))
        return CellBlock(table.cell, ordered, table.ids)

    def _sets(
        self, blocks: list[CellBlock], index: IdMap
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, list[NDArray[np.int64]]], dict[tuple[str, str], str]]:
        maps = [IdMap(b.ids) for b in blocks if b.ids is not None]
        node_sets: dict[str, list[NDArray[np.int64]]] = {}
        cell_sets: dict[str, list[list[NDArray[np.int64]]]] = {}
        origins: dict[tuple[str, str], str] = {}
        absent = 0
        for group in self.groups:
            if len(group.nodes):
                found = index.find(group.nodes)
                absent += int(np.count_nonzero(found < 0))
                node_sets.setdefault(group.name, []).append(found[found >= 0])
                origins["nodes", group.name] = "group"
            if len(group.cells):
                places = [m.find(group.cells) for m in maps]
                absent += int(np.count_nonzero(np.max(places, axis=0) < 0))
                cell_sets.setdefault(group.name, []).append([p[p >= 0] for p in places])
                origins["cells", group.name] = "group"
        if absent:
            names = shorten(", ".join(g.name for g in self.groups[:10]))
            self.notices.append(("MESH_NOTICE_SET_NUMBERS_ABSENT", {"count": absent, "names": names}))
        return (
            {name: np.unique(np.concatenate(parts)) for name, parts in node_sets.items()},
            {
                name: [np.unique(np.concatenate(p)) for p in zip(*parts, strict=True)]
                for name, parts in cell_sets.items()
            },
            origins,
        )
