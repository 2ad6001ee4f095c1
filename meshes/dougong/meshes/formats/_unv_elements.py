"""Elements of universal files (datasets 71, 780, 2412).

Source: SDRC I-deas, "Universal dataset number 2412" and its list of finite element descriptors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.formats._textfile import TextFile
from dougong.meshes.formats._unv_lines import read_numbers
from dougong.meshes.formats.base import ReadError

#: Descriptors whose elements have a line about their cross-section before their nodes.
_BEAMS = frozenset({11, 21, 22, 23, 24})

_LINES = frozenset({*_BEAMS, 31, 32, 121, 136, 137, 138, 139, 141, 142, 151, 152})
_SURFACES = frozenset(10 * k + i for k in (4, 5, 6, 7, 8, 9) for i in (1, 2, 4, 5))
_SOLIDS = frozenset({101, 102, 104, 105, 111, 112, 113, 115, 116, 118})
_POINTS = frozenset({161})

_BY_COUNT = (
    (_POINTS, {1: "point1"}),
    (_LINES, {2: "line2", 3: "line3"}),
    (_SURFACES, {3: "tri3", 4: "quad4", 6: "tri6", 8: "quad8"}),
    (_SOLIDS, {4: "tet4", 6: "wedge6", 8: "hex8", 10: "tet10", 15: "wedge15", 20: "hex20"}),
)

#: Place in the file of each node of the cell: the file goes round the faces, corner, middle, corner, ...
_ROUND: dict[str, tuple[int, ...]] = {
    "line3": (0, 2, 1),
    "tri6": (0, 2, 4, 1, 3, 5),
    "quad8": (0, 2, 4, 6, 1, 3, 5, 7),
    "tet10": (0, 2, 4, 9, 1, 3, 5, 6, 7, 8),
    "wedge15": (0, 2, 4, 9, 11, 13, 1, 3, 5, 10, 12, 14, 6, 7, 8),
    "hex20": (0, 2, 4, 6, 12, 14, 16, 18, 1, 3, 5, 7, 13, 15, 17, 19, 8, 9, 10, 11),
}


@dataclass(frozen=True)
class ElementTable:
    """Elements of one type that stand one after another.

    Attributes
    ----------
    cell
        What they are.
    ids
        shape (n,), int64.
    nodes
        shape (n, n_nodes), int64 - numbers of the nodes, in the order of the file.
    start, end, first_line, lines
        Range of the dataset, the row in it where these elements begin, and rows for each of them; 0 when other
        elements stand between them.
    """

    cell: CellType
    ids: NDArray[np.int64]
    nodes: NDArray[np.int64]
    start: int
    end: int
    first_line: int
    lines: int

    def line(self, file: TextFile, row: int) -> int:
        """Count the line, from 1, with which an element begins."""
        wanted = self.first_line + row * self.lines
        for k, (offset, text) in enumerate(file.lines(self.start, self.end)):
            if (k == wanted) if self.lines else (k >= wanted and text.split()[0] == str(self.ids[row])):
                return file.line_number(offset)
        return file.line_number(self.start)

    def sort(self, points: NDArray[np.float64], nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
        """Put nodes in the product's order.

        Some programs write the corners first. The order is taken in which the mid-edge nodes lie nearer to the
        middles of their edges.

        Parameters
        ----------
        points
            shape (n_nodes, 3), float64 - length.
        nodes
            shape (n, n_nodes of the cell), int64 - indices, in the order of the file.

        Returns
        -------
        nodes
            In the product's order.
        corners_first
            Whether the file had them so.
        """
        order = _ROUND.get(self.cell.name)
        if order is None:
            return nodes, False
        turned = nodes[:, order]
        if _off_middle(self.cell, points, turned) <= _off_middle(self.cell, points, nodes):
            return turned, False
        return nodes, True


def _off_middle(cell: CellType, points: NDArray[np.float64], nodes: NDArray[np.int64]) -> float:
    """Sum up how far mid-edge nodes are from the middles of their edges; of at most 1000 cells."""
    some = nodes[:: max(len(nodes) // 1000, 1)]
    middle = points[some[:, cell.edges]].mean(axis=2)
    gap = np.linalg.norm(points[some[:, cell.n_corners : cell.n_corners + len(cell.edges)]] - middle, axis=2).sum()
    return float(gap) if np.isfinite(gap) else 0.0


def read_elements(file: TextFile, start: int, end: int, width: int) -> list[ElementTable]:
    """Read the elements of a dataset.

    Parameters
    ----------
    file, start, end
        The dataset.
    width
        Numbers on the first line of an element; the first is its number, the second its descriptor, the last says how
        many nodes it has.

    Raises
    ------
    ReadError
        With the line of the element that is wrong or of an unknown type.
    """
    values, counts = read_numbers(file, start, end, np.int64)
    begins = np.concatenate([[0], np.cumsum(counts)])  # of each row among the values
    out = []
    position = row = 0
    while position < len(values):
        if counts[row] != width:
            raise _wrong(file, start, end, row, "MESH_NUMBERS_ON_LINE", expected=width, found=int(counts[row]))
        kind, n_nodes = int(values[position + 1]), int(values[position + width - 1])
        cell = next((cells[n_nodes] for ids, cells in _BY_COUNT if kind in ids and n_nodes in cells), None)
        if cell is None:
            raise _wrong(file, start, end, row, "MESH_CELL_TYPE_UNKNOWN", type=f"{kind} ({n_nodes})")
        rows = [
            width,
            *([3] if kind in _BEAMS else []),
            *([8] * (n_nodes // 8)),
            *([n_nodes % 8] if n_nodes % 8 else []),
        ]
        stride = sum(rows)
        n = _run(values, counts, position, row, kind, n_nodes, width, rows)
        if n == 0:
            found = int(counts[row + 1 : row + len(rows)].sum()) - (3 if kind in _BEAMS else 0)
            label = int(values[position])
            raise _wrong(
                file, start, end, row, "MESH_WRONG_NODE_COUNT", cell=label, expected=n_nodes, found=max(found, 0)
            )
        table = values[position : position + n * stride].reshape(n, stride)
        ids, nodes = table[:, 0].copy(), table[:, stride - n_nodes :].copy()
        if ids.min() < 1 or nodes.min() < 1:
            bad = int(np.argmax((ids < 1) | (nodes < 1).any(axis=1)))
            raise _wrong(
                file, start, end, row + bad * len(rows), "MESH_BAD_NUMBER", text=str(min(ids[bad], nodes[bad].min()))
            )
        out.append(ElementTable(CELL_TYPES[cell], ids, nodes, start, end, row, len(rows)))
        position += n * stride
        row += n * len(rows)
        if int(begins[row]) != position:
            raise _wrong(file, start, end, row, "MESH_NUMBERS_ON_LINE", expected=width, found=0)
    return _merged(out)


def _run(
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
    position: int,
    row: int,
    kind: int,
    n_nodes: int,
    width: int,
    rows: list[int],
) -> int:
    """Count the elements from here on that are alike, looking at twice as many each time."""
    stride = sum(rows)
    most = min((len(values) - position) // stride, (len(counts) - row) // len(rows))
    n, window = 0, 16
    pattern = np.array(rows)
    while n < most:
        m = min(window, most - n)
        part = values[position + n * stride : position + (n + m) * stride].reshape(m, stride)
        lines = counts[row + n * len(rows) : row + (n + m) * len(rows)].reshape(m, len(rows))
        alike = (part[:, 1] == kind) & (part[:, width - 1] == n_nodes) & (lines == pattern).all(axis=1)
        if not alike.all():
            return n + int(np.argmin(alike))
        n += m
        window *= 2
    return n


def _merged(tables: list[ElementTable]) -> list[ElementTable]:
    """Join tables of one cell type when many short ones alternate."""
    if len(tables) <= 50:
        return tables
    out = []
    for cell in dict.fromkeys(t.cell for t in tables):
        own = [t for t in tables if t.cell is cell]
        first = own[0]
        ids, nodes = np.concatenate([t.ids for t in own]), np.concatenate([t.nodes for t in own])
        out.append(ElementTable(cell, ids, nodes, first.start, first.end, first.first_line, 0))
    return out


def _wrong(file: TextFile, start: int, end: int, row: int, reason: str, **params: object) -> ReadError:
    line = file.line_number(start)
    for k, (offset, _) in enumerate(file.lines(start, end)):
        if k == row:
            line = file.line_number(offset)
            break
    return ReadError(reason, line=line, **params)
