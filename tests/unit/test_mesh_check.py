import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.check import check
from dougong.meshes.geometry import cell_geometry, measures
from dougong.meshes.info import mesh_info
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.meshes.shapes import shape_gradients
from dougong.messages import notice
from meshgen import TYPES_2D, TYPES_3D, box, plate


def made(name, n=2, **options):
    return box(name, (n, n, n), **options) if name in TYPES_3D else plate(name, (n, n), **options)


def geometry(mesh):
    return [cell_geometry(mesh.points, b.type, b.nodes) for b in mesh.blocks]


def reasons(mesh):
    return [v.reason for v in check(mesh)]


@pytest.mark.parametrize("name", [*TYPES_3D, *TYPES_2D])
def test_curved_cells_fill_the_box(name):
    mesh = made(name, distort=0.2, curve=0.2)
    assert check(mesh) == []
    assert geometry(mesh)[0].measure.sum() == pytest.approx(1.0, rel=1e-13)
    info = mesh_info(mesh, "d", geometry(mesh))
    assert {r.name: r.measure for r in info.regions} == pytest.approx(
        dict.fromkeys([r.name for r in mesh.regions], 1.0)
    )
    assert sum(info.quality.scaled_jacobian_histogram) == sum(info.quality.aspect_histogram) == mesh.n_cells


@pytest.mark.parametrize("name", sorted(set(CELL_TYPES) - {"point1"}))
def test_gradients_of_the_shape_functions_are_right(name):
    ct = CELL_TYPES[name]
    reference = np.array(ct.reference)
    points = reference.mean(axis=0) + 0.3 * (reference - reference.mean(axis=0))
    grads = shape_gradients(name, points)
    np.testing.assert_allclose(grads.sum(axis=1), 0, atol=1e-12)
    identity = np.einsum("pnd,ne->pde", grads, reference)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(ct.dim), identity.shape), atol=1e-12)
    if ct.order == 2:
        square = np.einsum("pnd,n->pd", grads, reference[:, 0] ** 2)
        np.testing.assert_allclose(square[:, 0], 2 * points[:, 0], atol=1e-12)


def test_a_curved_edge_and_a_curved_face_are_measured_as_such():
    # Parabola y = x (1 - x) over [0, 1]: length by the closed form of sqrt(1 + (1 - 2x)^2).
    points = np.array([[0.0, 0], [1, 0], [0.5, 0.25]])
    exact = (np.sqrt(2) + np.arcsinh(1.0)) / 2
    assert measures(points, CELL_TYPES["line3"], np.array([[0, 1, 2]]))[0] == pytest.approx(exact, rel=1e-3)


def test_a_flood_of_notices_is_cut():
    mesh = plate("quad4")
    many = [notice("MESH_NOTICE_SET_EMPTY", name=k) for k in range(500)]
    told = mesh_info(mesh, "", geometry(mesh), many).notices
    assert len(told) == 201
    assert dict(told[-1].params) == {"count": "300"}


def test_perfect_cells_have_quality_one():
    corners = {
        "tet4": [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
        "pyramid5": [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], [0, 0, np.sqrt(2)]],
        "wedge6": [[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0], [0, 0, 1], [1, 0, 1], [0.5, np.sqrt(0.75), 1]],
        "hex8": CELL_TYPES["hex8"].reference,
    }
    for name, points in corners.items():
        x = np.array(points, dtype=float)
        found = cell_geometry(x, CELL_TYPES[name], np.arange(len(x))[None])
        assert abs(found.scaled_jacobian[0]) == pytest.approx(1.0), name
        assert found.aspect[0] == pytest.approx(1.0), name


def test_a_thin_cell_is_poor_but_positive():
    mesh = box("hex8", (1, 1, 1), (1.0, 1.0, 1e-6))
    assert check(mesh) == []
    assert mesh_info(mesh, "", geometry(mesh)).quality.max_aspect == pytest.approx(1e6)
    assert list(mesh_info(mesh, "", geometry(mesh)).quality.aspect_histogram) == [0] * 7 + [1]


@pytest.mark.parametrize("name", ["tet10", "hex20", "wedge15", "tri6", "quad8"])
def test_a_cell_turned_inside_out_by_its_mid_side_node_is_found(name):
    mesh = made(name, 1)
    points = mesh.points.copy()
    cell = mesh.blocks[0].nodes[0]
    a, b = points[cell[0]], points[cell[1]]
    points[cell[mesh.blocks[0].type.n_corners]] = a + 1.4 * (b - a)
    bad = check(Mesh(points, mesh.blocks))
    assert [v.reason for v in bad] == ["MESH_CELL_NOT_POSITIVE"]
    assert 1 in bad[0].cell_ids


def test_a_quarter_point_cell_is_allowed():
    # Mid-side nodes a quarter from the tip: no volume at the tip itself, a proper cell everywhere else.
    reference = np.array(CELL_TYPES["tri6"].reference)
    reference[3], reference[5] = [0.25, 0], [0, 0.25]
    assert check(Mesh(reference, (CellBlock(CELL_TYPES["tri6"], np.arange(6)[None]),))) == []


def test_each_wrong_thing_is_named():
    good = box("tet4", (1, 1, 1))
    nodes = good.blocks[0].nodes
    tet = good.blocks[0].type

    def with_nodes(changed):
        return Mesh(good.points, (CellBlock(tet, changed, np.arange(len(nodes)) + 50),))

    twice = nodes.copy()
    twice[2, 3] = twice[2, 0]
    (found,) = check(with_nodes(twice))
    assert (found.reason, list(found.cell_ids)) == ("MESH_CELL_REPEATS_NODE", [52])
    inverted = nodes.copy()
    inverted[1] = inverted[1, [1, 0, 2, 3]]
    (found,) = check(with_nodes(inverted))
    assert (found.reason, list(found.cell_ids)) == ("MESH_CELL_NOT_POSITIVE", [51])
    copied = nodes.copy()
    copied[4] = copied[3]
    (found,) = check(with_nodes(copied))
    assert (found.reason, list(found.cell_ids)) == ("MESH_CELL_DUPLICATE", [54])
    outside = nodes.copy()
    outside[0, 0] = 8
    (found,) = check(with_nodes(outside))
    assert (found.reason, list(found.cell_ids)) == ("MESH_INDEX_OUT_OF_RANGE", [50])
    flat = good.points * [1, 1, 0]
    assert reasons(Mesh(flat, good.blocks)) == ["MESH_CELL_NOT_POSITIVE"]
    nan = good.points.copy()
    nan[5, 1] = np.nan
    (found,) = check(Mesh(nan, good.blocks))
    assert (found.reason, list(found.node_ids)) == ("MESH_NOT_FINITE", [6])
    assert reasons(Mesh(good.points * 1e200, good.blocks)) == ["MESH_CELL_NOT_POSITIVE"]
    assert reasons(Mesh(np.empty((0, 3)), ())) == ["MESH_NO_NODES"]
    assert reasons(Mesh(good.points, ())) == ["MESH_NO_CELLS"]


@pytest.mark.parametrize(
    ("kind", "entries"),
    [(RegionKind.NODES, [8]), (RegionKind.CELLS, [-1]), (RegionKind.FACETS, [[0, 4]]), (RegionKind.FACETS, [[6, 0]])],
)
def test_regions_out_of_range(kind, entries):
    mesh = box("tet4", (1, 1, 1))
    bad = Mesh(mesh.points, mesh.blocks, (Region("r", kind, np.array(entries)),))
    assert reasons(bad) == ["MESH_SET_INVALID"]
