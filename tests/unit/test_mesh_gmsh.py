import struct

import meshio
import numpy as np
import pytest
from meshio.gmsh.common import _gmsh_to_meshio_order

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import ReadError, gmsh
from dougong.meshes.formats._gmsh_cells import GMSH_CELLS
from dougong.meshes.mesh import RegionKind
from dougong.messages import InputError, all_reasons, render
from meshgen import TYPES_2D, TYPES_3D, box, plate
from meshwriters import GMSH_VARIANTS, write_gmsh

TYPES = tuple(t for t in (*TYPES_3D, *TYPES_2D) if t != "tri7")  # Gmsh has no triangle of seven nodes


def made(name, **options):
    return box(name, (2, 1, 1), **options) if name in TYPES_3D else plate(name, (2, 2), **options)


def refused(path, data):
    path.write_bytes(data)
    with pytest.raises(ReadError) as caught:
        gmsh.read(path)
    assert caught.value.reason in all_reasons()
    assert "{" not in render(caught.value.reason, caught.value.params), "a gap of the sentence is not filled"
    return caught.value


@pytest.mark.parametrize("name", TYPES)
def test_every_version_and_encoding_gives_the_mesh_that_was_written(tmp_path, name):
    mesh = made(name, distort=0.2)
    path = tmp_path / "a.msh"
    for variant in GMSH_VARIANTS:
        write_gmsh(path, mesh, *variant)
        assert gmsh.sniff(path.read_bytes()[:4096])
        built = build(gmsh.read(path))
        assert built.mesh.dim == mesh.dim
        np.testing.assert_array_equal(built.mesh.points, mesh.points)
        (block,) = built.mesh.blocks
        assert block.type.name == name
        np.testing.assert_array_equal(block.nodes, mesh.blocks[0].nodes)
        assert {(r.name, r.kind) for r in built.mesh.regions} == {(r.name, r.kind) for r in mesh.regions}
        for region in mesh.regions:
            found = built.mesh.region(region.name, region.kind)
            np.testing.assert_array_equal(found.entries, region.entries)
        assert check(built.mesh) == []


MESHIO = {
    "tet10": "tetra10", "hex20": "hexahedron20", "hex27": "hexahedron27", "tri6": "triangle6", "quad8": "quad8",
    "quad9": "quad9", "wedge6": "wedge", "pyramid5": "pyramid", "hex8": "hexahedron",
}  # fmt: skip


@pytest.mark.parametrize("name", MESHIO)
def test_the_node_order_is_the_one_meshio_knows(tmp_path, name):
    write_gmsh(tmp_path / "a.msh", made(name), "2.2")
    theirs = meshio.read(tmp_path / "a.msh", file_format="gmsh").get_cells_type(MESHIO[name])
    ours = next(b for b in gmsh.read(tmp_path / "a.msh").blocks if b.type.name == name)
    np.testing.assert_array_equal(ours.nodes, theirs)


@pytest.mark.parametrize(("number", "name"), [(18, "wedge15"), (19, "pyramid13")])
def test_node_orders_of_types_that_meshio_can_order_but_not_hold(number, name):
    ct, order = GMSH_CELLS[number]
    assert ct.name == name
    np.testing.assert_array_equal(order, _gmsh_to_meshio_order(name, np.arange(ct.n_nodes)[None])[0])


TRIANGLE = """$MeshFormat
2.2 0 8
$EndMeshFormat
$Nodes
4
10 0 0 0
20 1 0 0
30 0 1 0
7 5 5 0
$EndNodes
$Elements
4
1 2 2 3 1 10 20 30
2 2 2 4 1 10 20 30
5 1 2 3 1 10 20
9 15 2 3 1 10
$EndElements
$NodeData
what ever $Nodes
$EndNodeData
"""


def test_unnamed_groups_numbers_copies_and_skipped_sections(tmp_path):
    path = tmp_path / "a.msh"
    path.write_text(TRIANGLE)
    built = build(gmsh.read(path))
    mesh = built.mesh
    # An element of two groups is listed twice and is one cell; group 3 exists in three dimensions.
    assert mesh.n_cells == 1
    assert {(r.name, r.kind, len(r)) for r in mesh.regions} == {
        ("physical_3", RegionKind.CELLS, 1),
        ("physical_4", RegionKind.CELLS, 1),
        ("physical_3", RegionKind.FACETS, 1),
        ("physical_3", RegionKind.NODES, 1),
    }
    assert mesh.region("physical_4", RegionKind.CELLS).origin == "physical group 4"
    assert mesh.node_ids.tolist() == [10, 20, 30]
    assert mesh.blocks[0].ids.tolist() == [1]
    assert {n.reason for n in built.notices} == {
        "MESH_NOTICE_SECTION_SKIPPED",
        "MESH_NOTICE_COPIES_MERGED",
        "MESH_NOTICE_PLANE",
        "MESH_NOTICE_CELLS_LEFT_OUT",
        "MESH_NOTICE_NODES_UNUSED",
    }


def test_an_entity_in_several_groups_and_pieces_of_partitions(tmp_path):
    path = tmp_path / "a.msh"
    path.write_text(
        '$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$PhysicalNames\n2\n2 1 "钢"\n2 5 "both"\n$EndPhysicalNames\n'
        "$Entities\n0 0 1 0\n1 0 0 0 1 1 0 2 1 5 0\n$EndEntities\n"
        "$PartitionedEntities\n2\n0\n0 0 2 0\n11 2 1 1 1 0 0 0 1 1 0 0 0\n12 2 1 1 2 0 0 0 1 1 0 1 5 0\n"
        "$EndPartitionedEntities\n$Nodes\n1 4 1 4\n2 1 1 4\n1\n2\n3\n4\n"
        "0 0 0 0 0\n1 0 0 1 0\n1 1 0 1 1\n0 1 0 0 1\n$EndNodes\n"
        "$Elements\n2 2 1 2\n2 11 2 1\n1 1 2 3\n2 12 2 1\n2 1 3 4\n$EndElements\n"
    )
    mesh = build(gmsh.read(path)).mesh
    assert mesh.region("钢", RegionKind.CELLS).entries.tolist() == [0]
    assert mesh.region("both", RegionKind.CELLS).entries.tolist() == [0, 1]
    assert mesh.points.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("old", "new", "reason", "where"),
    [
        ("20 1 0 0", "20 1 x 0", "MESH_LINE_INVALID", {"line": 7}),
        ("20 1 0 0", "20 1 0", "MESH_LINE_INVALID", {"line": 7}),
        ("20 1 0 0", "20.5 1 0 0", "MESH_LINE_INVALID", {"line": 7}),
        ("20 1 0 0", "nan 1 0 0", "MESH_LINE_INVALID", {"line": 7}),
        ("20 1 0 0", "1e300 1 0 0", "MESH_LINE_INVALID", {"line": 7}),
        ("20 1 0 0", "10 1 0 0", "MESH_NODE_DUPLICATE", {"first": 10}),
        ("20 1 0 0", "0 1 0 0", "MESH_NODE_UNKNOWN", {"node": 0}),
        ("1 10 20 30\n2", "1 10 0 30\n2", "MESH_NODE_UNKNOWN", {"node": 0}),
        ("1 10 20 30\n2", "1 10 99 30\n2", "MESH_NODE_UNKNOWN", {"node": 99}),
        ("1 10 20 30\n2", "1 10 99999999999999999999 30\n2", "MESH_NODE_UNKNOWN", {}),
        ("$Nodes\n4", "$Nodes\n5", "MESH_COUNT_IMPOSSIBLE", {"count": 5, "possible": 4}),
        ("$Nodes\n4", "$Nodes\n1000000000000", "MESH_COUNT_IMPOSSIBLE", {"count": 10**12, "possible": 4}),
        ("$Nodes\n4", "$Nodes\n3", "MESH_LINE_INVALID", {"line": 9}),
        ("$Nodes\n4", "$Nodes\n-4", "MESH_LINE_INVALID", {"line": 5}),
        ("$Elements\n4", "$Elements\n1000000000000", "MESH_COUNT_MISMATCH", {"found": 4}),
        ("1 2 2 3 1", "1 29 2 3 1", "MESH_CELL_TYPE_UNSUPPORTED", {"cell_type": "Gmsh 29 (tetrahedron 20)"}),
        ("1 2 2 3 1 10 20 30", "1 2 -2 3 1 10 20 30", "MESH_LINE_INVALID", {"line": 13}),
        ("9 15 2 3 1 10\n", "9 15 2 3\n", "MESH_LINE_INVALID", {"line": 16}),
        ("2.2 0 8", "1.0 0 8", "MESH_VERSION_UNSUPPORTED", {}),
        ("2.2 0 8", "2.2 0 4", "MESH_FEATURE_UNSUPPORTED", {}),
        ("2.2 0 8", "2.2 1 8", "MESH_BYTES_INVALID", {}),
        ("$Nodes", "$ParametricNodes", "MESH_FEATURE_UNSUPPORTED", {}),
        ("$EndNodes", "$EndNode", "MESH_TRUNCATED", {}),
        ("$NodeData", "NodeData", "MESH_LINE_INVALID", {"line": 18}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path, old, new, reason, where):
    assert old in TRIANGLE
    error = refused(tmp_path / "a.msh", TRIANGLE.replace(old, new, 1).encode())
    assert error.reason == reason
    assert {k: error.params[k] for k in where} == where


@pytest.mark.parametrize("missing", ["$Nodes", "$Elements", "$MeshFormat"])
def test_a_missing_section(tmp_path, missing):
    name = missing[1:]
    start, end = TRIANGLE.index(missing), TRIANGLE.index(f"$End{name}\n") + len(f"$End{name}\n")
    error = refused(tmp_path / "a.msh", (TRIANGLE[:start] + TRIANGLE[end:]).encode())
    assert (error.reason, error.params["section"]) == ("MESH_SECTION_MISSING", missing)


def test_empty(tmp_path):
    assert refused(tmp_path / "a.msh", b"").reason == "MESH_FILE_EMPTY"


@pytest.mark.parametrize("variant", GMSH_VARIANTS)
def test_cut_anywhere(tmp_path, variant):
    path = tmp_path / "a.msh"
    write_gmsh(path, made("tet4"), *variant)
    whole = path.read_bytes()
    for cut in range(0, len(whole.rstrip()), max(1, len(whole) // 150)):
        refused(path, whole[:cut])


@pytest.mark.parametrize("version", ["4.0", "4.1"])
@pytest.mark.parametrize("section", [b"$Nodes\n", b"$Elements\n", b"$Entities\n"])
@pytest.mark.parametrize("claim", [10**12, 2**63 - 1, -1])
def test_lying_counts_in_binary_files(tmp_path, version, section, claim):
    path = tmp_path / "a.msh"
    write_gmsh(path, made("tet4"), version, True, "<")
    data = bytearray(path.read_bytes())
    at = data.index(section) + len(section)
    if section == b"$Entities\n":
        at += 24  # the number of volumes
    else:
        at += (32 if version == "4.1" else 16) + 12  # the number in the first block
    data[at : at + 8] = struct.pack("<q", claim)
    refused(path, bytes(data))


def test_lying_counts_in_version_2_binary(tmp_path):
    path = tmp_path / "a.msh"
    write_gmsh(path, made("tet4"), "2.2", True, "<")
    data = path.read_bytes()
    n = int(data.split(b"$Nodes\n")[1].split(b"\n")[0])
    error = refused(path, data.replace(b"$Nodes\n%d\n" % n, b"$Nodes\n1000000000000\n"))
    assert error.reason == "MESH_COUNT_IMPOSSIBLE"
    refused(path, data.replace(b"$Elements\n", b"$Elements\n1000000000000"))


def test_coordinates_that_are_no_numbers_are_left_to_the_check(tmp_path):
    path = tmp_path / "a.msh"
    path.write_text(TRIANGLE.replace("20 1 0 0", "20 nan 0 0"))
    with pytest.raises(InputError) as caught:
        build(gmsh.read(path))
    (violation,) = caught.value.violations
    assert violation.reason == "MESH_NOT_FINITE"
    assert list(violation.node_ids) == [20]
