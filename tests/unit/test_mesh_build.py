import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.check import check
from dougong.meshes.mesh import CellBlock, Mesh, RawMesh, RegionKind
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


def spatial(mesh):
    return np.column_stack([mesh.points, np.zeros((mesh.n_nodes, 3 - mesh.dim))])


def made(name):
    return (box if name in TYPES_3D else plate)(name, distort=0.2)


def with_regions(mesh, nodes, flipped):
    """The facet regions of a mesh as a file would name them in which some cells are listed inside out."""
    name = mesh.blocks[0].type.name
    sets = {}
    for region in mesh.regions:
        if region.kind == RegionKind.FACETS:
            cell, facet = region.entries.T
            facet = np.where(flipped[cell], mirrored_facets(name)[facet], facet)
            sets[region.name] = np.column_stack([np.zeros(len(cell), dtype=np.int64), cell, facet])
    ids = np.arange(100, 100 + len(nodes))
    return RawMesh(spatial(mesh), (CellBlock(mesh.blocks[0].type, nodes, ids),), facet_sets=sets)


@pytest.mark.parametrize("name", [*TYPES_3D, *TYPES_2D])
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_cells_listed_both_ways_are_turned_with_their_facets(name, share):
    mesh = made(name)
    flipped = np.random.default_rng(3).random(mesh.n_cells) < share
    flipped[:2] = True, False
    nodes = mesh.blocks[0].nodes.copy()
    nodes[flipped] = nodes[flipped][:, mirrored(name)]
    built = build(with_regions(mesh, nodes, flipped))
    (told,) = (n for n in built.notices if n.reason == "MESH_NOTICE_CELLS_TURNED")
    assert dict(told.params) == {"count": str(flipped.sum()), "total": str(mesh.n_cells), "type": name}
    np.testing.assert_array_equal(built.mesh.blocks[0].nodes, mesh.blocks[0].nodes)
    for region in mesh.regions:
        if region.kind == RegionKind.FACETS:
            np.testing.assert_array_equal(built.mesh.region(region.name, region.kind).entries, region.entries)
    assert check(built.mesh) == []


def tangled(name):
    """A mesh with a node moved through the opposite side of a cell, and the numbers of the cells that spoils."""
    mesh = plate(name, (5, 5)) if name in TYPES_2D else box(name, (4, 4, 4))
    points = mesh.points.copy()
    # Some way beyond the neighbours: the cells behind it are overrun, the others only grow.
    lattice = 5 if name in TYPES_2D else 4
    corner = int(np.argmin(np.abs(points - 2 / lattice).sum(axis=1)))
    points[corner] += 1.3 / lattice
    moved = Mesh(points, mesh.blocks, mesh.regions)
    (found,) = check(moved)
    assert len(found.cell_ids) < mesh.n_cells / 2
    return moved, {i + 99 for i in found.cell_ids}


@pytest.mark.parametrize("name", ["tri3", "quad4", "tet4", "hex8", "wedge6"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_tangled_cell_is_refused_whichever_way_the_cells_are_listed(name, share):
    mesh, spoiled = tangled(name)
    flipped = np.random.default_rng(1).random(mesh.n_cells) < share
    nodes = mesh.blocks[0].nodes.copy()
    nodes[flipped] = nodes[flipped][:, mirrored(name)]
    built = build(with_regions(mesh, nodes, flipped))
    (found,) = check(built.mesh)
    assert (found.reason, set(found.cell_ids)) == ("MESH_CELL_NOT_POSITIVE", spoiled)


def test_parts_are_oriented_each_by_itself():
    one, two = plate("quad4"), plate("tri3")
    points = np.vstack([spatial(one), spatial(two) + np.array([5, 0, 0]), spatial(one) + np.array([9, 0, 0])])
    quads = np.vstack([one.blocks[0].nodes, one.blocks[0].nodes[:, mirrored("quad4")] + one.n_nodes + two.n_nodes])
    tris = two.blocks[0].nodes[:, mirrored("tri3")] + one.n_nodes
    raw = RawMesh(points, (CellBlock(CELL_TYPES["quad4"], quads), CellBlock(CELL_TYPES["tri3"], tris)))
    built = build(raw)
    assert check(built.mesh) == []
    told = {n.reason: dict(n.params) for n in built.notices}
    assert told["MESH_NOTICE_CELLS_TURNED"] == {"count": "4", "total": "8", "type": "quad4"}
    assert told["MESH_NOTICE_TURNED"] == {"count": "8", "cell_type": "tri3"}


@pytest.mark.parametrize(
    "rows",
    [
        # Two triangles on the same side of their common edge: as many say this as that.
        [[0, 1, 2], [1, 0, 3]],
        # Three triangles at an edge.
        [[1, 0, 2], [1, 0, 4], [0, 1, 3]],
    ],
)
def test_where_neighbours_contradict_nothing_is_turned(rows):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.5, 2, 0], [0.5, -1, 0]])
    built = build(RawMesh(points, (block("tri3", *rows),)))
    np.testing.assert_array_equal(built.mesh.node_numbers(built.mesh.blocks[0].nodes) - 1, rows)
    assert not any(n.reason.endswith("TURNED") for n in built.notices)
    assert "MESH_CELL_NOT_POSITIVE" in [v.reason for v in check(built.mesh)]


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
