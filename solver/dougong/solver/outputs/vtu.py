"""Writes a result as .vtu for ParaView: appended binary, raw or compressed, every rank its share.

An array is cut into blocks of equal size, wherever the ranks' slices end; each rank converts, compresses and writes the
blocks of its share, so that the file does not depend on the number of ranks and none of them has more than its share.

Format: "VTK XML file formats", UnstructuredGrid, appended data with encoding "raw" and UInt64 headers. Before a plain
array stands its size in bytes; before a compressed one the number of blocks, the size of a block, the size of the last
one where it is smaller, otherwise 0, and the compressed size of each.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CELL_TYPES
from dougong.solver.outputs.writer import create, write_at
from dougong.solver.parallel.comm import Comm

_TYPES = {"<f8": "Float64", "<i8": "Int64", "|u1": "UInt8"}
#: No array begins further on.
_MAX_PLACE = 2**63 - 1
#: Bytes of a block, or a little less: whole rows.
_BLOCK_BYTES = 1 << 20
#: The fastest: on fields and points the others take several times as long and gain a few per cent.
_LEVEL = 1
#: Nodes of a cell in VTK's order, where it is not ours: the triangle 0, 1, 2 of a linear wedge looks outwards there
#: (vtkWedge), unlike that of every other code. VTK 9.7 changed it to be as elsewhere: it takes these wedges as turned
#: inside out, and VTK 9.2 to 9.5 the others. Quadratic wedges have outward normals in our order from VTK 9.4 on.
#: It has no pyramid with a node in the middle of the base: that node is left out of the cell.
_ORDER = {"wedge6": [0, 2, 1, 3, 5, 4], "pyramid14": list(range(13))}
_WRITTEN_AS = {"pyramid14": "pyramid13"}


@dataclass(frozen=True)
class PointData:
    """A field at nodes, or of cells: this rank's slice in stored order, shape (n, width)."""

    name: str
    components: tuple[str, ...]
    values: NDArray[np.float64]
    at_cells: bool = False


@dataclass(frozen=True)
class _Array:
    """An array of the file: `part(first, last)` makes those of its rows; a rank is asked for its share only."""

    name: str
    dtype: str
    rows: int
    width: int
    part: Callable[[int, int], NDArray[Any]]
    components: tuple[str, ...] = ()

    @property
    def row_bytes(self) -> int:
        return self.width * np.dtype(self.dtype).itemsize

    @property
    def block_rows(self) -> int:
        return max(_BLOCK_BYTES // self.row_bytes, 1)

    @property
    def n_blocks(self) -> int:
        return -(-self.rows // self.block_rows)

    def share(self, comm: Comm) -> range:
        """The blocks of this rank."""
        return range(*(self.n_blocks * r // comm.size for r in (comm.rank, comm.rank + 1)))

    def block(self, k: int) -> NDArray[Any]:
        """The rows of a block, as they are in the file."""
        rows = self.part(k * self.block_rows, min((k + 1) * self.block_rows, self.rows))
        return np.ascontiguousarray(rows, dtype=self.dtype)


def write_vtu(path: Path, stored: StoredMesh, comm: Comm, fields: list[PointData], *, compressed: bool = False) -> None:
    """Write a mesh with fields at its nodes and cells. Collective.

    Parameters
    ----------
    path
        The file.
    stored
        The mesh.
    comm
        The processes; each has the slice of nodes and cells that `dougong.solver.parallel.comm.Directory` gives it.
    fields
        The fields. Vectors in two dimensions get a third component, zero.
    compressed
        Whether to compress the arrays with zlib. A rank then holds its share of one array compressed.
    """
    points, cells = _points(stored), _cells(stored)
    data = [_field(stored, comm, f) for f in fields if not f.at_cells]
    cell_data = [_field(stored, comm, f) for f in fields if f.at_cells]
    arrays = [points, *cells, *data, *cell_data]
    described = points, cells, data, cell_data

    # Where compressed arrays begin is known when they are written: there is room for any number.
    start = b'  <AppendedData encoding="raw">\n_'
    begin = len(_header(stored, *described, [_MAX_PLACE] * len(arrays), compressed)) + len(start)
    if comm.rank == 0:
        create(path, 0)
    comm.barrier()
    put = _put_compressed if compressed else _put_plain
    places, place = [], 0
    for array in arrays:
        places.append(place)
        place += put(path, begin + place, array, comm)
    if comm.rank == 0:
        head = _header(stored, *described, places, compressed).ljust(begin - len(start)) + start
        write_at(path, 0, np.frombuffer(head, dtype=np.uint8))
        write_at(path, begin + place, np.frombuffer(b"\n  </AppendedData>\n</VTKFile>\n", dtype=np.uint8))
    comm.barrier()


def _put_plain(path: Path, begin: int, array: _Array, comm: Comm) -> int:
    """Write an array at an offset of the file; how many bytes it takes."""
    size = array.rows * array.row_bytes
    if comm.rank == 0:
        write_at(path, begin, np.array([size], dtype="<u8"))
    for k in array.share(comm):
        write_at(path, begin + 8 + k * array.block_rows * array.row_bytes, array.block(k))
    return 8 + size


def _put_compressed(path: Path, begin: int, array: _Array, comm: Comm) -> int:
    """Write an array, compressed, at an offset of the file; how many bytes it takes."""
    blocks = [zlib.compress(array.block(k).data, _LEVEL) for k in array.share(comm)]
    sizes = [size for part in comm.gather([len(b) for b in blocks]) for size in part]
    partial = array.rows % array.block_rows
    table = [array.n_blocks, array.block_rows * array.row_bytes, partial * array.row_bytes, *sizes]
    if comm.rank == 0:
        write_at(path, begin, np.array(table, dtype="<u8"))
    at = begin + 8 * len(table) + sum(sizes[: array.share(comm).start])
    for block in blocks:
        write_at(path, at, np.frombuffer(block, dtype=np.uint8))
        at += len(block)
    return 8 * len(table) + sum(sizes)


def _points(stored: StoredMesh) -> _Array:
    points = stored.points

    def part(first: int, last: int) -> NDArray[Any]:
        return _with_width(points[first:last], 3)

    return _Array("Points", "<f8", stored.n_nodes, 3, part)


def _cells(stored: StoredMesh) -> list[_Array]:
    blocks = [stored.cells(k) for k in range(len(stored.cell_types))]
    written = [CELL_TYPES[_WRITTEN_AS.get(t.name, t.name)] for t in stored.cell_types]
    widths = np.array([t.n_nodes for t in written])
    orders = [_ORDER.get(t.name, slice(None)) for t in stored.cell_types]
    # Cells, and entries of the connectivity, before each block.
    cells, entries = stored.offsets, np.concatenate([[0], np.cumsum(widths * stored.block_sizes)])

    def within(starts: NDArray[np.int64], first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Blocks that have some of a range, and which of theirs."""
        for b, (low, high) in enumerate(pairwise(starts.tolist())):
            if max(first, low) < min(last, high):
                yield b, max(first, low) - low, min(last, high) - low

    def connectivity(first: int, last: int) -> NDArray[Any]:
        parts = []
        for b, lo, hi in within(entries, first, last):
            width = int(widths[b])
            nodes = np.asarray(blocks[b][lo // width : -(-hi // width)])[:, orders[b]]
            parts.append(nodes.reshape(-1)[lo % width :][: hi - lo])
        return np.concatenate(parts)

    def ends(first: int, last: int) -> NDArray[Any]:
        parts = [entries[b] + np.arange(lo + 1, hi + 1) * widths[b] for b, lo, hi in within(cells, first, last)]
        return np.concatenate(parts)

    def types(first: int, last: int) -> NDArray[Any]:
        return np.concatenate([np.full(hi - lo, written[b].vtk) for b, lo, hi in within(cells, first, last)])

    return [
        _Array("connectivity", "<i8", int(entries[-1]), 1, connectivity),
        _Array("offsets", "<i8", stored.n_cells, 1, ends),
        _Array("types", "|u1", stored.n_cells, 1, types),
    ]


def _field(stored: StoredMesh, comm: Comm, field: PointData) -> _Array:
    """A field; its rows at the ends of the slices go to the ranks that write their blocks."""
    width = 3 if field.components == ("x", "y") else field.values.shape[1]
    n = stored.n_cells if field.at_cells else stored.n_nodes
    array = _Array(field.name, "<f8", n, width, lambda first, last: np.empty((0, width)), field.components)
    cuts = np.minimum(array.block_rows * (array.n_blocks * np.arange(comm.size + 1) // comm.size), n)
    first, last = n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size
    counts = np.maximum(np.minimum(cuts[1:], last) - np.maximum(cuts[:-1], first), 0)
    rows, _ = comm.exchange(np.ascontiguousarray(field.values), counts)
    low = int(cuts[comm.rank])
    return replace(array, part=lambda first, last: _with_width(rows[first - low : last - low], width))


def _with_width(rows: NDArray[Any], width: int) -> NDArray[Any]:
    """Rows with zeros added."""
    return rows if rows.shape[1] == width else np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


def _header(
    stored: StoredMesh,
    points: _Array,
    cells: list[_Array],
    data: list[_Array],
    cell_data: list[_Array],
    places: Sequence[int],
    compressed: bool,
) -> bytes:
    """The file up to its data, when the arrays begin at these places."""
    described = iter(places)

    def array(a: _Array) -> str:
        names = "".join(f' ComponentName{i}="{escape(c)}"' for i, c in enumerate(a.components))
        width = f' NumberOfComponents="{a.width}"' if a.width > 1 else ""
        head = f'        <DataArray type="{_TYPES[a.dtype]}" Name="{escape(a.name)}"{width}{names}'
        return f'{head} format="appended" offset="{next(described)}"/>'

    compressor = ' compressor="vtkZLibDataCompressor"' if compressed else ""
    kind = f'type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64"{compressor}'
    lines = [
        '<?xml version="1.0"?>',
        f"<VTKFile {kind}>",
        "  <UnstructuredGrid>",
        f'    <Piece NumberOfPoints="{stored.n_nodes}" NumberOfCells="{stored.n_cells}">',
        "      <Points>",
        array(points),
        "      </Points>",
        "      <Cells>",
        *map(array, cells),
        "      </Cells>",
        "      <PointData>",
        *map(array, data),
        "      </PointData>",
        "      <CellData>",
        *map(array, cell_data),
        "      </CellData>",
        "    </Piece>",
        "  </UnstructuredGrid>",
        "",
    ]
    return "\n".join(lines).encode()
