import re
import struct

import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import ReadError, vtk, vtu
from dougong.messages import all_reasons, render
from meshgen import box, plate
from meshwriters import VTU_VARIANTS, write_vtk, write_vtu

TYPES = ("tet10", "hex8", "hex20", "hex27", "wedge15", "pyramid13", "pyramid5", "tri6", "quad9")
VTK_VARIANTS = [(binary, version) for binary in (False, True) for version in ("3.0", "5.1")]


def made(name):
    return plate(name, distort=0.2) if name[:3] in ("tri", "qua") else box(name, (3, 1, 1), distort=0.2)


def refused(reader, path, data):
    path.write_bytes(data)
    with pytest.raises(ReadError) as caught:
        reader.read(path)
    assert caught.value.reason in all_reasons()
    assert "{" not in render(caught.value.reason, caught.value.params), "a gap of the sentence is not filled"
    return caught.value


def verify(raw, mesh):
    built = build(raw)
    np.testing.assert_allclose(built.mesh.points, mesh.points, rtol=1e-15)
    (block,) = built.mesh.blocks
    assert block.type is mesh.blocks[0].type
    np.testing.assert_array_equal(block.nodes, mesh.blocks[0].nodes)
    assert [len(r) for r in built.mesh.regions] == [len(range(k, len(block), 3)) for k in range(3)]
    assert check(built.mesh) == []
    return built


@pytest.mark.parametrize("variant", VTU_VARIANTS, ids="-".join)
@pytest.mark.parametrize("name", TYPES)
def test_vtu_in_every_encoding(tmp_path, name, variant):
    mesh = made(name)
    write_vtu(tmp_path / "a.vtu", mesh, *variant)
    assert vtu.sniff((tmp_path / "a.vtu").read_bytes()[:4096])
    built = verify(vtu.read(tmp_path / "a.vtu"), mesh)
    assert [r.name for r in built.mesh.regions] == ["MaterialID_0", "MaterialID_1", "MaterialID_2"]
    (ignored,) = (n for n in built.notices if n.reason == "MESH_NOTICE_ARRAYS_IGNORED")
    assert ignored.params["names"] == "T"


@pytest.mark.parametrize("variant", VTK_VARIANTS)
@pytest.mark.parametrize("name", TYPES)
def test_legacy_vtk_text_and_binary_old_and_new(tmp_path, name, variant):
    mesh = made(name)
    write_vtk(tmp_path / "a.vtk", mesh, *variant)
    assert vtk.sniff((tmp_path / "a.vtk").read_bytes()[:4096])
    built = verify(vtk.read(tmp_path / "a.vtk"), mesh)
    assert [r.name for r in built.mesh.regions] == ["mat_id_0", "mat_id_1", "mat_id_2"]
    (ignored,) = (n for n in built.notices if n.reason == "MESH_NOTICE_ARRAYS_IGNORED")
    assert ignored.params["names"] == "T, u"


@pytest.mark.parametrize("variant", VTU_VARIANTS, ids="-".join)
def test_vtu_cut_anywhere(tmp_path, variant):
    write_vtu(tmp_path / "a.vtu", made("tet10"), *variant)
    whole = (tmp_path / "a.vtu").read_bytes()
    # Appended data are complete before the closing tags, and the array T at their end is not needed.
    needed = whole.index(b"</Piece>") if variant[0] in ("ascii", "binary") else whole.index(b"_") + 100
    for cut in range(0, needed, max(1, needed // 60)):
        refused(vtu, tmp_path / "b.vtu", whole[:cut])


@pytest.mark.parametrize("variant", VTK_VARIANTS)
def test_legacy_vtk_cut_anywhere(tmp_path, variant):
    write_vtk(tmp_path / "a.vtk", made("tet10"), *variant)
    whole = (tmp_path / "a.vtk").read_bytes()
    needed = whole.index(b"CELL_DATA") - 3 * len(made("tet10").blocks[0])
    for cut in range(0, needed, max(1, needed // 60)):
        refused(vtk, tmp_path / "b.vtk", whole[:cut])


def ascii_vtu(tmp_path, **changes):
    write_vtu(tmp_path / "a.vtu", plate("quad4", (2, 1)), "ascii", "", "UInt32", "<")
    text = (tmp_path / "a.vtu").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "y">]>'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('NumberOfPoints="6"', 'NumberOfPoints="1000000000000"', "MESH_COUNT_MISMATCH"),
        ('NumberOfPoints="6"', 'NumberOfPoints="-6"', "MESH_LINE_INVALID"),
        ('NumberOfPoints="6"', "", "MESH_LINE_INVALID"),
        ('NumberOfCells="2"', 'NumberOfCells="3"', "MESH_COUNT_MISMATCH"),
        ('type="UnstructuredGrid"', 'type="PolyData"', "MESH_FEATURE_UNSUPPORTED"),
        ('<?xml version="1.0"?>', BOMB, "MESH_FEATURE_UNSUPPORTED"),
        ("\n9 9\n", "\n9 42\n", "MESH_CELL_TYPE_UNSUPPORTED"),
        ("\n9 9\n", "\n9 7\n", "MESH_CELL_TYPE_UNSUPPORTED"),
        ("\n9 9\n", "\n9 5\n", "MESH_COUNT_MISMATCH"),
        ("\n4 8\n", "\n4 9\n", "MESH_COUNT_MISMATCH"),
        ("\n4 8\n", "\n-4 8\n", "MESH_COUNT_MISMATCH"),
        ("\n4 8\n", "\n4 x\n", "MESH_LINE_INVALID"),
        ("</Points>", "</Point>", "MESH_LINE_INVALID"),
        ('format="ascii"', 'format="xdmf"', "MESH_FEATURE_UNSUPPORTED"),
        ('type="Float64"', 'type="String"', "MESH_FEATURE_UNSUPPORTED"),
        ('header_type="UInt32"', 'compressor="vtkLZ4DataCompressor"', "MESH_FEATURE_UNSUPPORTED"),
        ("<Points>", "<Point>", "MESH_LINE_INVALID"),
        ('Name="offsets"', 'Name="offset"', "MESH_SECTION_MISSING"),
    ],
)
def test_vtu_that_is_wrong(tmp_path, old, new, reason):
    assert refused(vtu, tmp_path / "b.vtu", ascii_vtu(tmp_path, **{old: new})).reason == reason


def test_vtu_with_a_node_that_is_not_there(tmp_path):
    data = ascii_vtu(tmp_path)
    first = re.search(rb'Name="connectivity"[^>]*>\n(\d+) ', data)
    for node in (b"6", b"-1", b"99999999999999999999"):
        error = refused(vtu, tmp_path / "b.vtu", data[: first.start(1)] + node + data[first.end(1) :])
        assert error.reason == "MESH_NODE_UNKNOWN"


def test_vtu_of_depth_without_end_is_refused(tmp_path):
    assert refused(vtu, tmp_path / "b.vtu", b"<VTKFile>" * 100_000).reason == "MESH_FEATURE_UNSUPPORTED"


@pytest.mark.parametrize("claim", [10**12, 2**63])
def test_lying_sizes_of_raw_data(tmp_path, claim):
    mesh = made("tet10")
    write_vtu(tmp_path / "a.vtu", mesh, "raw", "", "UInt64", "<")
    data = bytearray((tmp_path / "a.vtu").read_bytes())
    at = data.index(b"_", data.index(b"AppendedData")) + 1
    data[at : at + 8] = struct.pack("<Q", claim)
    assert refused(vtu, tmp_path / "b.vtu", bytes(data)).reason == "MESH_COUNT_IMPOSSIBLE"
    write_vtu(tmp_path / "a.vtu", mesh, "raw", "zlib", "UInt64", "<")
    for word in range(4):
        data = bytearray((tmp_path / "a.vtu").read_bytes())
        at = data.index(b"_", data.index(b"AppendedData")) + 1 + 8 * word
        data[at : at + 8] = struct.pack("<Q", claim)
        assert refused(vtu, tmp_path / "b.vtu", bytes(data)).reason in ("MESH_COUNT_IMPOSSIBLE", "MESH_BYTES_INVALID")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"POINTS 6", b"POINTS 1000000000000", "MESH_COUNT_IMPOSSIBLE"),
        (b"CELL_TYPES 2", b"CELL_TYPES 1000000000000", "MESH_COUNT_IMPOSSIBLE"),
        (b"CELLS 2 10", b"CELLS 2 9", "MESH_LINE_INVALID"),
        (b"CELLS 2 10", b"CELLS 3 10", "MESH_COUNT_MISMATCH"),
        (b"\n9 9\n", b"\n9 7\n", "MESH_CELL_TYPE_UNSUPPORTED"),
        (b"double", b"string", "MESH_FEATURE_UNSUPPORTED"),
        (b"UNSTRUCTURED_GRID", b"POLYDATA", "MESH_FEATURE_UNSUPPORTED"),
        (b"Version 3.0", b"Version 9.0", "MESH_VERSION_UNSUPPORTED"),
        (b"ASCII", b"XDMF", "MESH_LINE_INVALID"),
        (b"4 0 ", b"4 77 ", "MESH_NODE_UNKNOWN"),
        (b"CELL_TYPES", b"CELL_TYPE", "MESH_LINE_INVALID"),
    ],
)
def test_legacy_vtk_that_is_wrong(tmp_path, old, new, reason):
    write_vtk(tmp_path / "a.vtk", plate("quad4", (2, 1)), False, "3.0")
    data = (tmp_path / "a.vtk").read_bytes()
    assert old in data
    assert refused(vtk, tmp_path / "b.vtk", data.replace(old, new, 1)).reason == reason


def test_pixels_voxels_and_cells_without_a_mesh(tmp_path):
    (tmp_path / "a.vtk").write_text(
        "# vtk DataFile Version 2.0\n\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 8 float\n"
        "0 0 0 1 0 0 0 1 0 1 1 0 0 0 1 1 0 1 0 1 1 1 1 1\nCELLS 2 13\n8 0 1 2 3 4 5 6 7\n3 0 1 2\nCELL_TYPES 2\n11 4\n"
    )
    built = build(vtk.read(tmp_path / "a.vtk"))
    assert built.mesh.blocks[0].nodes.tolist() == [[0, 1, 3, 2, 4, 5, 7, 6]]
    assert check(built.mesh) == []
    assert built.mesh.node_numbers(np.array([0])).tolist() == [0], "VTK counts from 0"
    assert [n.reason for n in built.notices] == ["MESH_NOTICE_CELLS_SKIPPED"]


def test_empty(tmp_path):
    assert refused(vtu, tmp_path / "a.vtu", b"").reason == "MESH_FILE_EMPTY"
    assert refused(vtk, tmp_path / "a.vtk", b"").reason == "MESH_FILE_EMPTY"
