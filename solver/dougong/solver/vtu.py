"""Writes a result as .vtu for ParaView: raw appended binary, every rank its slice.

Format: "VTK XML file formats", UnstructuredGrid, appended data with encoding "raw" and UInt64 headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.solver.comm import Comm
from dougong.solver.output import create, write_at

_TYPES = {"f8": "Float64", "i8": "Int64", "u1": "UInt8"}
_ROWS = 1 << 18
#: Nodes of a cell in VTK's order, where it is not ours: the triangle 0, 1, 2 of a linear wedge looks outwards there
#: (vtkWedge), unlike that of every other code. VTK 9.7 changed it to be as elsewhere: it takes these wedges as turned
#: inside out, and VTK 9.2 to 9.5 the others. Quadratic wedges have outward normals in our order from VTK 9.4 on.
_ORDER = {"wedge6": [0, 2, 1, 3, 5, 4]}


@dataclass(frozen=True)
class PointData:
    """A field at nodes: this rank's slice in stored order, shape (n, width)."""

    name: str
    components: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class _Array:
    name: str
    dtype: str
    rows: int
    width: int
    components: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return self.rows * self.width * np.dtype(self.dtype).itemsize


def write_vtu(path: Path, stored: StoredMesh, comm: Comm, fields: list[PointData]) -> None:
    """Write a mesh with fields at its nodes. Collective.

    Parameters
    ----------
    path
        The file.
    stored
        The mesh.
    comm
        The processes; each has the slice of the nodes that `dougong.solver.comm.Directory` gives it.
    fields
        The fields. Vectors in two dimensions get a third component, zero.
    """
    sizes = [n * t.n_nodes for n, t in zip(stored.block_sizes, stored.cell_types, strict=True)]
    points = _Array("Points", "<f8", stored.n_nodes, 3)
    cells = [
        _Array("connectivity", "<i8", sum(sizes), 1),
        _Array("offsets", "<i8", stored.n_cells, 1),
        _Array("types", "<u1", stored.n_cells, 1),
    ]
    data = [
        _Array(f.name, "<f8", stored.n_nodes, 3 if f.components == ("x", "y") else f.values.shape[1], f.components)
        for f in fields
    ]
    arrays = [points, *cells, *data]
    places, place = {}, 0
    for a in arrays:
        places[a.name] = place
        place += 8 + a.size_bytes
    head = _header(stored, points, cells, data, places)
    begin = len(head)
    if comm.rank == 0:
        tail = b"\n  </AppendedData>\n</VTKFile>\n"
        create(path, begin + place + len(tail))
        write_at(path, 0, np.frombuffer(head, dtype=np.uint8))
        write_at(path, begin + place, np.frombuffer(tail, dtype=np.uint8))
        for a in arrays:
            write_at(path, begin + places[a.name], np.array([a.size_bytes], dtype="<u8"))
    comm.barrier()

    def put(name: str, first: int, values: NDArray[Any]) -> None:
        array = next(a for a in arrays if a.name == name)
        values = np.ascontiguousarray(values, dtype=array.dtype)
        write_at(path, begin + places[name] + 8 + first * array.width * values.dtype.itemsize, values)

    first, last = _slice(stored.n_nodes, comm)
    for k in range(first, last, _ROWS):
        xyz = np.zeros((min(k + _ROWS, last) - k, 3))
        xyz[:, : stored.dim] = stored.points[k : k + len(xyz)]
        put("Points", k, xyz)
    for f, a in zip(fields, data, strict=True):
        padded = (
            f.values if a.width == f.values.shape[1] else np.pad(f.values, ((0, 0), (0, a.width - f.values.shape[1])))
        )
        put(f.name, first, padded)
    start = 0
    for b, t in enumerate(stored.cell_types):
        lo, hi = _slice(stored.block_sizes[b], comm)
        nodes = stored.cells(b)
        for k in range(lo, hi, _ROWS):
            piece = np.asarray(nodes[k : min(k + _ROWS, hi)])[:, _ORDER.get(t.name, slice(None))]
            put("connectivity", start + k * t.n_nodes, piece.ravel())
            ends = start + (k + 1 + np.arange(len(piece), dtype=np.int64)) * t.n_nodes
            put("offsets", int(stored.offsets[b]) + k, ends)
            put("types", int(stored.offsets[b]) + k, np.full(len(piece), t.vtk))
        start += sizes[b]
    comm.barrier()


def _slice(n: int, comm: Comm) -> tuple[int, int]:
    return n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size


def _header(
    stored: StoredMesh, points: _Array, cells: list[_Array], data: list[_Array], places: dict[str, int]
) -> bytes:
    def array(a: _Array) -> str:
        names = "".join(f' ComponentName{i}="{escape(c)}"' for i, c in enumerate(a.components))
        width = f' NumberOfComponents="{a.width}"' if a.width > 1 else ""
        kind, place = _TYPES[a.dtype[1:]], places[a.name]
        head = f'        <DataArray type="{kind}" Name="{escape(a.name)}"{width}{names}'
        return f'{head} format="appended" offset="{place}"/>'

    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
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
        "    </Piece>",
        "  </UnstructuredGrid>",
        '  <AppendedData encoding="raw">',
        "_",
    ]
    return "\n".join(lines).encode()
