import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.check import check
from dougong.meshes.mesh import CellBlock, RawMesh, RegionKind
from dougong.meshes.orient import mirrored, mirrored_facets
from dougong.messages import InputError
from meshgen import TYPES_2D, TYPES_3D, box, plate

CUBE = np.array(CELL_TYPES["hex8"].reference)


def block(name, *rows, ids=None):
    return CellBlock(CELL_TYPES[name], np.array(rows, dtype=np.int64), ids)


def reasons(built):
    return [n.reason for n in built.notices]


def test_facets_edges_and_points_of_a_cube_become_regions():
    raw = RawMesh(
        np.vstack([CUBE, [[9.0, 9, 9]]]),
        (
            block("point1", [3], [8]),
            block("line2", [0, 1], [1, 2], [0, 6]),
            block("quad4", [2, 1, 0, 3], [0, 1, 6, 7]),
            block("hex8", range(8)),
        ),
        cell_sets={
            "points": [np.array([0, 1]), *[np.empty(0, dtype=np.int64)] * 3],
            "edges": [np.empty(0, dtype=np.int64), np.array([0, 1]), *[np.empty(0, dtype=np.int64)] * 2],
            "beam": [np.empty(0, dtype=np.int64), np.array([2]), *[np.empty(0, dtype=np.int64)] * 2],
            "sides": [*[np.empty(0, dtype=np.int64)] * 2, np.array([0, 1]), np.empty(0, dtype=np.int64)],
            "body": [*[np.empty(0, dtype=np.int64)] * 3, np.array([0])],
            "none": [np.empty(0, dtype=np.int64)] * 4,
        },
        node_sets={"n": np.array([7, 7, 0, 8])},
        facet_sets={"top": np.array([[3, 0, 1]])},
    )
    built = build(raw)
    mesh = built.mesh
    # The shell across the cube and the beam along its diagonal lie on no facet or edge: they stay cells.
    assert [(b.type.name, len(b)) for b in mesh.blocks] == [("hex8", 1), ("quad4", 1), ("line2", 1)]
    assert mesh.n_nodes == 8
    assert {(r.name, r.kind.value): r.entries.tolist() for r in mesh.regions} == {
        ("points", "nodes"): [3],
        ("edges", "nodes"): [0, 1, 2],
        ("beam", "cells"): [2],
        ("sides", "cells"): [1],
        ("sides", "facets"): [[0, 0]],
        ("body", "cells"): [0],
        ("top", "facets"): [[0, 1]],
        ("n", "nodes"): [0, 7],
    }
    told = {n.reason: dict(n.params) for n in built.notices}
    assert told["MESH_NOTICE_NODES_UNUSED"] == {"count": "1", "first": "9"}
    assert told["MESH_NOTICE_SET_EMPTY"] == {"name": "none"}
    assert [dict(n.params) for n in built.notices if n.reason == "MESH_NOTICE_SET_PARTLY"] == [
        {"name": "points", "count": "1"},
        {"name": "n", "count": "1"},
    ]


@pytest.mark.parametrize("name", [*TYPES_3D, *TYPES_2D])
def test_blocks_of_a_type_are_merged_and_regions_follow(name):
    mesh = (box if name in TYPES_3D else plate)(name)
    nodes = mesh.blocks[0].nodes
    half = len(nodes) // 2
    points = np.column_stack([mesh.points, np.zeros((mesh.n_nodes, 3 - mesh.dim))])
    facets = [
        np.column_stack([r.entries[:, 0] >= half, r.entries[:, 0] % half, r.entries[:, 1]])
        for r in mesh.regions
        if r.kind == RegionKind.FACETS
    ]
    ct = mesh.blocks[0].type
    raw = RawMesh(
        points,
        (CellBlock(ct, nodes[:half]), CellBlock(ct, nodes[half:])),
        cell_sets={"second": [np.empty(0, dtype=np.int64), np.arange(len(nodes) - half)]},
        facet_sets={r.name: f for r, f in zip(mesh.regions[1:], facets, strict=True)},
    )
    built = build(raw)
    np.testing.assert_array_equal(built.mesh.blocks[0].nodes, nodes)
    assert built.mesh.region("second", RegionKind.CELLS).entries.tolist() == list(range(half, len(nodes)))
    for region in mesh.regions[1:]:
        np.testing.assert_array_equal(built.mesh.region(region.name, region.kind).entries, region.entries)


@pytest.mark.parametrize("name", [*TYPES_3D, *TYPES_2D])
def test_a_mesh_listed_inside_out_is_turned_with_its_facets(name):
    mesh = (box if name in TYPES_3D else plate)(name, distort=0.2)
    ct = mesh.blocks[0].type
    inside_out = mesh.blocks[0].nodes[:, mirrored(name)]
    points = np.column_stack([mesh.points, np.zeros((mesh.n_nodes, 3 - mesh.dim))])
    x0 = mesh.region("x0", RegionKind.FACETS).entries
    given = np.column_stack([np.zeros(len(x0), dtype=np.int64), x0[:, 0], mirrored_facets(name)[x0[:, 1]]])
    built = build(RawMesh(points, (CellBlock(ct, inside_out),), facet_sets={"x0": given}))
    assert "MESH_NOTICE_TURNED" in reasons(built)
    np.testing.assert_array_equal(built.mesh.blocks[0].nodes, mesh.blocks[0].nodes)
    np.testing.assert_array_equal(built.mesh.region("x0", RegionKind.FACETS).entries, x0)
    assert check(built.mesh) == []


def test_one_cell_inside_out_is_not_turned_but_refused():
    mesh = plate("tri3")
    nodes = mesh.blocks[0].nodes.copy()
    nodes[3] = nodes[3, [1, 0, 2]]
    ids = np.arange(100, 100 + len(nodes))
    points = np.column_stack([mesh.points, np.full(mesh.n_nodes, 2.5)])
    built = build(RawMesh(points, (CellBlock(mesh.blocks[0].type, nodes, ids),)))
    assert reasons(built) == ["MESH_NOTICE_PLANE"]
    (violation,) = check(built.mesh)
    assert violation.reason == "MESH_CELL_NOT_POSITIVE"
    assert list(violation.cell_ids) == [103]


def test_cells_in_no_region_are_told():
    mesh = plate("quad4")
    points = np.column_stack([mesh.points, np.zeros(mesh.n_nodes)])
    raw = RawMesh(points, (CellBlock(mesh.blocks[0].type, mesh.blocks[0].nodes),), {"some": [np.array([0, 1, 3])]})
    (told,) = (n for n in build(raw).notices if n.reason == "MESH_NOTICE_CELLS_IN_NO_REGION")
    assert dict(told.params) == {"count": "1", "first": "3"}


def test_an_interior_facet_is_that_of_the_first_cell():
    mesh = box("hex8", (2, 1, 1))
    shared = sorted(set(mesh.blocks[0].nodes[0]) & set(mesh.blocks[0].nodes[1]))
    local = next(
        k for k, (_, f) in enumerate(CELL_TYPES["hex8"].facets) if set(mesh.blocks[0].nodes[0][list(f)]) == set(shared)
    )
    ring = mesh.blocks[0].nodes[0][list(CELL_TYPES["hex8"].facets[local][1])]
    raw = RawMesh(
        mesh.points, (mesh.blocks[0], block("quad4", ring)), {"middle": [np.empty(0, dtype=np.int64), np.array([0])]}
    )
    built = build(raw)
    assert built.mesh.region("middle", RegionKind.FACETS).entries.tolist() == [[0, local]]
    assert reasons(built) == ["MESH_NOTICE_INTERIOR_FACETS"]


def test_a_surface_that_is_not_plane_stays_in_space():
    skin = plate("quad4")
    points = np.column_stack([skin.points, skin.points[:, 0] ** 2])
    mesh = build(RawMesh(points, skin.blocks)).mesh
    assert mesh.dim == 3
    assert check(mesh) == []


def test_two_sets_of_one_name_and_kind_are_both_kept():
    raw = RawMesh(
        CUBE,
        (block("hex8", range(8)), block("point1", [1])),
        {"a": [np.empty(0, dtype=np.int64), np.array([0])]},
        node_sets={"a": np.array([0]), " a\n": np.array([1])},
    )
    built = build(raw)
    assert [(r.name, r.entries.tolist()) for r in built.mesh.regions] == [("a", [1]), ("a_2", [0])]
    assert "MESH_NOTICE_NAME_CHANGED" in reasons(built)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (RawMesh(np.empty((0, 3)), ()), "MESH_NO_NODES"),
        (RawMesh(CUBE, ()), "MESH_NO_CELLS"),
        (RawMesh(CUBE, (block("line2", [0, 1]),)), "MESH_NO_CELLS"),
        (RawMesh(CUBE, (block("hex8", [0, 1, 2, 3, 4, 5, 6, 8]),)), "MESH_INDEX_OUT_OF_RANGE"),
        (RawMesh(CUBE, (block("hex8", [0, 1, 2, 3, 4, 5, 6, -1]),)), "MESH_INDEX_OUT_OF_RANGE"),
        (RawMesh(CUBE + np.inf, (block("hex8", range(8)),)), "MESH_NOT_FINITE"),
        (RawMesh(CUBE, (block("hex8", range(8)),), node_sets={"s": np.array([8])}), "MESH_SET_INVALID"),
        (RawMesh(CUBE, (block("hex8", range(8)),), {"s": [np.array([1])]}), "MESH_SET_INVALID"),
        (RawMesh(CUBE, (block("hex8", range(8)),), facet_sets={"s": np.array([[0, 0, 6]])}), "MESH_SET_INVALID"),
        (RawMesh(CUBE, (block("hex8", range(8)),), facet_sets={"s": np.array([[1, 0, 0]])}), "MESH_SET_INVALID"),
    ],
)
def test_what_cannot_be_built_is_refused(raw, reason):
    with pytest.raises(InputError) as caught:
        build(raw)
    assert [v.reason for v in caught.value.violations] == [reason]
