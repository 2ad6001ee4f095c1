"""Small writers of mesh files in all their variants, for tests: Gmsh 2.2, 4.0, 4.1, VTU and legacy VTK."""

from __future__ import annotations

import base64
import struct
import zlib
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats._gmsh_cells import GMSH_CELLS
from dougong.meshes.mesh import Mesh, RegionKind

_NUMBER = {ct.name: (number, order) for number, (ct, order) in GMSH_CELLS.items()}

#: version, binary, byte order
GMSH_VARIANTS = [(v, *b) for v, b in product(("2.2", "4.0", "4.1"), ((False, "<"), (True, "<"), (True, ">")))]


class Group:
    """A physical group: its cells, each a row of Gmsh node numbers."""

    def __init__(self, name: str, tag: int, cell_type: str, nodes: NDArray[np.integer]) -> None:
        self.name, self.tag, self.type = name, tag, CELL_TYPES[cell_type]
        self.number, order = _NUMBER[cell_type]
        self.rows = np.empty(nodes.shape, dtype=np.int64)
        self.rows[:, order] = np.asarray(nodes) + 1


def groups_of(mesh: Mesh) -> list[Group]:
    """The cell region "all" and each facet region as a group of cells of its own."""
    block = mesh.blocks[0]
    groups = [Group("all", 1, block.type.name, block.nodes)]
    for region in mesh.regions:
        if region.kind != RegionKind.FACETS:
            continue
        for name in dict.fromkeys(f for f, _ in block.type.facets):
            rows = [
                block.nodes[c][list(block.type.facets[f][1])]
                for c, f in region.entries
                if block.type.facets[f][0] == name
            ]
            if rows:
                groups.append(
                    Group(region.name, 2 + [r.name for r in mesh.regions].index(region.name), name, np.array(rows))
                )
    return groups


def points3(mesh: Mesh) -> NDArray[np.float64]:
    """Coordinates with z."""
    return np.column_stack([mesh.points, np.zeros((mesh.n_nodes, 3 - mesh.dim))])


def write_gmsh(path: Path, mesh: Mesh, version: str = "4.1", binary: bool = False, order: str = "<") -> None:
    """Write a mesh with its regions as physical groups."""
    groups = groups_of(mesh)
    names = {(g.type.dim, g.tag): g.name for g in groups}
    size = 8
    out = [f"$MeshFormat\n{version if version != '4.0' else '4'} {int(binary)} {size}\n".encode()]
    if binary:
        out.append(struct.pack(order + "i", 1) + b"\n")
    out.append(b"$EndMeshFormat\n$PhysicalNames\n%d\n" % len(names))
    out += [f'{d} {t} "{n}"\n'.encode() for (d, t), n in names.items()]
    out.append(b"$EndPhysicalNames\n")
    w = _Writer(binary, order)
    body = _gmsh2 if version == "2.2" else _gmsh4
    body(w, groups, points3(mesh), version)
    path.write_bytes(b"".join(out) + w.bytes())


class _Writer:
    """Numbers as text or binary."""

    def __init__(self, binary: bool, order: str) -> None:
        self.binary, self.order, self.parts = binary, order, []

    def text(self, text: str) -> None:
        self.parts.append(text.encode())

    def put(self, codes: str, *values: Any) -> None:
        if self.binary:
            self.parts.append(struct.pack(self.order + codes, *values))
        else:
            self.text(" ".join(repr(v) if isinstance(v, float) else str(v) for v in values) + "\n")

    def bytes(self) -> bytes:
        return b"".join(self.parts)


def _gmsh2(w: _Writer, groups: list[Group], points: NDArray[np.float64], version: str) -> None:
    w.text(f"$Nodes\n{len(points)}\n")
    for k, p in enumerate(points.tolist()):
        w.put("i3d", k + 1, *p)
    w.text(f"\n$EndNodes\n$Elements\n{sum(len(g.rows) for g in groups)}\n")
    number = 0
    for g in groups:
        # One header for each element, as Gmsh does, for the first group; one for all, as the manual allows, for others.
        if w.binary and g is not groups[0]:
            w.put("3i", g.number, len(g.rows), 2)
        for row in g.rows.tolist():
            number += 1
            if w.binary and g is groups[0]:
                w.put("3i", g.number, 1, 2)
            if w.binary:
                w.put(f"{3 + len(row)}i", number, g.tag, 7, *row)
            else:
                w.put("", number, g.number, 2, g.tag, 7, *row)
    w.text("\n$EndElements\n")


def _gmsh4(w: _Writer, groups: list[Group], points: NDArray[np.float64], version: str) -> None:
    new = version == "4.1"
    entities = [sorted({g.tag for g in groups if g.type.dim == d}) for d in range(4)]
    w.text("$Entities\n")
    w.put("4q", *(len(e) for e in entities))
    for dim, tags in enumerate(entities):
        for tag in tags:
            box = [0.0] * (3 if dim == 0 and new else 6)
            values: list[Any] = [tag, *box, 1, tag]
            w.put(f"i{len(box)}dqi" + ("q" if dim else ""), *values, *([0] if dim else []))
    w.text("\n$EndEntities\n$Nodes\n")
    dim = max(g.type.dim for g in groups)
    half = len(points) // 2
    pieces = [(0, half), (half, len(points))]
    w.put("4q" if new else "2q", *([2, len(points), 1, len(points)] if new else [2, len(points)]))
    for a, b in pieces:
        w.put("3iq", *((dim, 1, 0) if new else (1, dim, 0)), b - a)
        if new:
            for k in range(a, b):
                w.put("q", k + 1)
            for p in points[a:b].tolist():
                w.put("3d", *p)
        else:
            for k in range(a, b):
                w.put("i3d", k + 1, *points[k].tolist())
    w.text("\n$EndNodes\n$Elements\n")
    total = sum(len(g.rows) for g in groups)
    w.put("4q" if new else "2q", *([len(groups), total, 1, total] if new else [len(groups), total]))
    number = 0
    for g in groups:
        w.put("3iq", *((g.type.dim, g.tag) if new else (g.tag, g.type.dim)), g.number, len(g.rows))
        for row in g.rows.tolist():
            number += 1
            w.put(f"{1 + len(row)}{'q' if new else 'i'}", number, *row)
    w.text("\n$EndElements\n")


#: format of arrays, compressor, header type, byte order
VTU_VARIANTS = [
    ("ascii", "", "UInt32", "<"),
    ("binary", "", "UInt32", "<"),
    ("binary", "", "UInt64", ">"),
    ("binary", "zlib", "UInt32", "<"),
    ("binary", "zlib", "UInt64", ">"),
    ("raw", "", "UInt32", "<"),
    ("raw", "zlib", "UInt64", "<"),
    ("base64", "", "UInt64", "<"),
    ("base64", "zlib", "UInt32", "<"),
]


def write_vtu(path: Path, mesh: Mesh, kind: str, compressor: str, header: str, order: str) -> None:
    """Write the first block of a mesh with a cell array MaterialID (0, 1, 2, 0, ...) and a point array T."""
    block = mesh.blocks[0]
    n, width = block.nodes.shape
    arrays = {
        "Points": [("Points", "Float64", 3, points3(mesh).ravel())],
        "Cells": [
            ("connectivity", "Int32", 1, block.nodes.ravel()),
            ("offsets", "Int64", 1, np.arange(1, n + 1) * width),
            ("types", "UInt8", 1, np.full(n, block.type.vtk)),
        ],
        "CellData": [("MaterialID", "Int32", 1, np.arange(n) % 3)],
        "PointData": [("T", "Float32", 1, np.arange(mesh.n_nodes))],
    }
    appended = b""
    xml = []
    for group, members in arrays.items():
        xml.append(f"<{group}>")
        for name, dtype, components, values in members:
            code = {"Float64": "f8", "Float32": "f4", "Int32": "i4", "Int64": "i8", "UInt8": "u1"}[dtype]
            attributes = f'type="{dtype}" Name="{name}" NumberOfComponents="{components}"'
            if kind == "ascii":
                text = " ".join(map(str, values.tolist()))
                xml.append(f'<DataArray {attributes} format="ascii">\n{text}\n</DataArray>')
                continue
            raw = values.astype(order + code).tobytes()
            coded = _vtu_bytes(raw, compressor, order + ("I" if header == "UInt32" else "Q"), plain=kind == "raw")
            if kind == "binary":
                xml.append(f'<DataArray {attributes} format="binary">\n {coded.decode()}\n</DataArray>')
            else:
                xml.append(f'<DataArray {attributes} format="appended" offset="{len(appended)}"/>')
                appended += coded
        xml.append(f"</{group}>")
    endian = "LittleEndian" if order == "<" else "BigEndian"
    packed = ' compressor="vtkZLibDataCompressor"' if compressor else ""
    head = (
        f'<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="{endian}"'
        f' header_type="{header}"{packed}>\n<UnstructuredGrid>\n'
        f'<Piece NumberOfPoints="{mesh.n_nodes}" NumberOfCells="{n}">\n'
    )
    tail = b"</Piece></UnstructuredGrid>\n"
    if appended:
        tail += b'<AppendedData encoding="%s">\n _' % kind.encode() + appended + b"\n</AppendedData>"
    path.write_bytes(head.encode() + "\n".join(xml).encode() + tail + b"</VTKFile>\n")


def _vtu_bytes(raw: bytes, compressor: str, code: str, plain: bool) -> bytes:
    if not compressor:
        whole = struct.pack(code, len(raw)) + raw
        return whole if plain else base64.b64encode(whole)
    block = 256
    blocks = [raw[k : k + block] for k in range(0, len(raw), block)]
    packed = [zlib.compress(b) for b in blocks]
    last = len(raw) % block
    head = struct.pack(f"{code[0]}{3 + len(packed)}{code[1]}", len(packed), block, last, *map(len, packed))
    return head + b"".join(packed) if plain else base64.b64encode(head) + base64.b64encode(b"".join(packed))


def write_vtk(path: Path, mesh: Mesh, binary: bool, version: str) -> None:
    """Write the first block of a mesh in the legacy format, with a field, scalars "mat_id" and vectors."""
    block = mesh.blocks[0]
    n, width = block.nodes.shape
    out: list[bytes] = [f"# vtk DataFile Version {version}\na test\n{'BINARY' if binary else 'ASCII'}\n".encode()]

    def numbers(values: NDArray[Any], code: str) -> None:
        text = " ".join(map(str, np.asarray(values).ravel().tolist())).encode()
        out.append((np.asarray(values).astype(">" + code).tobytes() if binary else text) + b"\n")

    out.append(f"DATASET UNSTRUCTURED_GRID\nPOINTS {mesh.n_nodes} double\n".encode())
    numbers(points3(mesh), "f8")
    if version == "5.1":
        out.append(f"CELLS {n + 1} {n * width}\nOFFSETS vtktypeint64\n".encode())
        numbers(np.arange(n + 1) * width, "i8")
        out.append(b"CONNECTIVITY vtktypeint64\n")
        numbers(block.nodes, "i8")
    else:
        out.append(f"CELLS {n} {n * (width + 1)}\n".encode())
        numbers(np.column_stack([np.full(n, width), block.nodes]), "i4")
    out.append(f"CELL_TYPES {n}\n".encode())
    numbers(np.full(n, block.type.vtk), "i4")
    out.append(f"CELL_DATA {n}\nFIELD FieldData 1\nmat_id 1 {n} int\n".encode())
    numbers(np.arange(n) % 3, "i4")
    out.append(f"POINT_DATA {mesh.n_nodes}\nSCALARS T float 1\nLOOKUP_TABLE default\n".encode())
    numbers(np.arange(mesh.n_nodes), "f4")
    out.append(b"VECTORS u double\n")
    numbers(np.ones((mesh.n_nodes, 3)), "f8")
    path.write_bytes(b"".join(out))
