"""Motions that nothing holds are found and named, body by body; what is held is not refused."""

import numpy as np
import pytest

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from meshgen import box, plate
from solving import check_model, elastic, heat, value, vector

ALL_SIX = ", ".join(f"{kind} {axis}" for kind in ("translation", "rotation") for axis in "xyz")
PULL = {"region": "x1", "traction": vector(x=1.0)}


def with_nodes(mesh, **sets):
    extra = tuple(Region(name, RegionKind.NODES, np.array(nodes)) for name, nodes in sets.items())
    return Mesh(mesh.points, mesh.blocks, mesh.regions + extra)


def joined(first, second, shift, tolerance=9):
    """Two meshes of one cell type in one, the second moved; nodes at the same place become one. Regions: a_*, b_*."""
    points = np.concatenate([first.points, second.points + np.asarray(shift, float)])
    unique, index = np.unique(points.round(tolerance), axis=0, return_inverse=True)
    index = index.reshape(-1)
    nodes = np.concatenate([index[first.blocks[0].nodes], index[second.blocks[0].nodes + first.n_nodes]])
    regions = [Region(f"a_{r.name}", r.kind, r.entries) for r in first.regions if r.kind == RegionKind.FACETS]
    for r in second.regions:
        if r.kind == RegionKind.FACETS:
            regions.append(Region(f"b_{r.name}", r.kind, r.entries + np.array([first.n_cells, 0])))
    return Mesh(unique, (CellBlock(first.blocks[0].type, nodes),), tuple(regions))


def turned(mesh):
    Q, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    Q *= np.sign(np.linalg.det(Q))
    return Mesh(mesh.points @ Q.T, mesh.blocks, mesh.regions)


def free(mesh, conditions, **more):
    """The free modes that are told, by the first cell of the body."""
    reply = check_model(mesh, elastic(conditions=conditions, **more))
    assert all(v.reason == "FREE_MODES" for v in reply.violations), reply.violations
    return {v.cell_ids[0]: v.params["modes"] for v in reply.violations}


@pytest.mark.parametrize("cell_type", ["tet4", "hex20", "wedge6"])
def test_nothing_held(cell_type):
    assert free(box(cell_type), []) == {1: ALL_SIX}


def corners(mesh):
    """Nodes at the origin, and at the ends of the x, y and z axis."""
    size = np.ptp(mesh.points, axis=0)
    ends = [np.zeros(3), *(np.eye(3) * size)]
    return [int(np.argmin(np.linalg.norm(mesh.points - e, axis=1))) for e in ends]


def test_one_point_fixed():
    mesh = box("hex8")
    mesh = with_nodes(mesh, p=corners(mesh)[:1])
    (modes,) = free(mesh, [{"region": "p", "fixed": {}}]).values()
    # The rotations go about that point: each is one about the middle and a translation together.
    assert modes.startswith("3 combinations of")
    assert all(f"rotation {a}" in modes for a in "xyz")


def test_hinge_along_an_edge():
    mesh = box("hex8")
    edge = np.flatnonzero((mesh.points[:, 0] == 0.5) & (mesh.points[:, 1] == 0.5))
    assert free(with_nodes(mesh, e=edge), [{"region": "e", "fixed": {}}]) == {1: "rotation z"}


def test_three_points_hold():
    """3-2-1: six numbers are enough."""
    mesh = box("tet10")
    o, x, y, _ = corners(mesh)
    mesh = with_nodes(mesh, o=[o], x=[x], y=[y])
    six = [
        {"region": "o", "fixed": {}},
        {"region": "x", "displacement": vector(y=0.0, z=0.0)},
        {"region": "y", "displacement": vector(z=0.0)},
    ]
    assert free(mesh, six) == {}
    assert len(free(mesh, six[:2])) == 1


def test_slider():
    assert free(box("hex8"), [{"region": "x0", "displacement": vector(x=0.0, y=0.0)}]) == {1: "translation z"}


@pytest.mark.parametrize("turn", [False, True])
def test_symmetry_planes(turn):
    """One plane leaves three motions, two leave one, three none; also when the planes are oblique."""
    mesh = turned(box("hex20")) if turn else box("hex20")
    planes = [{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")]
    assert free(mesh, planes) == {}
    (one,) = free(mesh, planes[:2]).values()
    assert one == ("1 combination of translation x and translation y and translation z" if turn else "translation z")
    (three,) = free(mesh, planes[:1]).values()
    if turn:
        assert three.startswith("3 combinations of")
    else:
        assert three == "translation y, translation z, rotation x"


def test_parallel_symmetry_planes_leave_the_same():
    mesh = turned(box("hex8"))
    (modes,) = free(mesh, [{"region": r, "symmetry": {}} for r in ("x0", "x1")]).values()
    assert modes.startswith("3 combinations of")


def test_a_second_body_that_nothing_holds():
    mesh = joined(box("hex8"), box("hex8"), (3.0, 0, 0))
    assert free(mesh, [{"region": "a_x0", "fixed": {}}]) == {9: ALL_SIX}
    assert free(mesh, [{"region": "a_x0", "fixed": {}}, {"region": "b_x0", "fixed": {}}]) == {}


def test_bodies_that_share_a_face_are_one():
    assert free(joined(box("hex8"), box("hex8"), (1.0, 0, 0)), [{"region": "a_x0", "fixed": {}}]) == {}


def test_bodies_that_share_an_edge_are_hinged():
    mesh = joined(box("hex8"), box("hex8"), (1.0, 1.0, 0.0))
    (item,) = free(mesh, [{"region": "a_x0", "fixed": {}}]).items()
    cell, modes = item
    assert cell == 9
    assert modes == "rotation z"  # the middle of the model lies on the hinge


def test_bodies_that_share_a_node_turn_about_it():
    mesh = joined(box("hex8"), box("hex8"), (1.0, 1.0, 1.0))
    assert free(mesh, [{"region": "a_x0", "fixed": {}}]) == {9: "rotation x, rotation y, rotation z"}


def test_each_body_holds_the_other():
    """Neither is held alone, together they are: an arch of two hinged parts, its supports off the hinge's line."""
    mesh = joined(box("hex8"), box("hex8"), (1.0, 1.0, 0.0))

    def edge(x, y):
        return np.flatnonzero((mesh.points[:, 0] == x) & (mesh.points[:, 1] == y))

    mesh = with_nodes(mesh, first=edge(0, 0.5), second=edge(2, 1))
    supports = [{"region": r, "fixed": {}} for r in ("first", "second")]
    assert free(mesh, supports) == {}
    assert len(free(mesh, supports[:1])) == 2


def test_a_small_support_of_a_large_part_holds_it():
    """Four nodes a ten-thousandth of the part apart."""
    mesh = box("hex8", (2, 2, 2), (1e4, 1.0, 1.0))
    assert free(mesh, [{"region": "x0", "fixed": {}}]) == {}
    slim = box("hex8", (2, 1, 1), (1e5, 1.0, 1.0))
    assert free(slim, [{"region": "x0", "fixed": {}}]) == {}


def test_a_crooked_hinge_is_a_hinge():
    """Coordinates with seven digits."""
    mesh = box("hex8", (4, 4, 4))
    edge = np.flatnonzero((mesh.points[:, 0] == 0.5) & (mesh.points[:, 1] == 0.5))
    points = mesh.points + 2e-7 * np.random.default_rng(0).uniform(-1, 1, mesh.points.shape)
    mesh = with_nodes(Mesh(points, mesh.blocks, mesh.regions), e=edge)
    assert len(free(mesh, [{"region": "e", "fixed": {}}])) == 1


def test_heat():
    mesh = joined(box("hex8"), box("hex8"), (3.0, 0, 0))
    film = {"region": "b_x1", "convection": {"coefficient": value(1.0), "ambient": value(0.0)}}
    hot = {"region": "a_x0", "temperature": value(1.0)}

    def cells(**given):
        reply = check_model(mesh, heat(**given))
        assert all(v.reason == "TEMPERATURE_UNDETERMINED" for v in reply.violations)
        return [v.cell_ids[0] for v in reply.violations]

    assert cells(conditions=[hot]) == [9]
    assert cells(loads=[film]) == [1]
    assert cells(conditions=[hot], loads=[film]) == []
    assert cells() == [1, 9]


def test_heat_in_the_plane():
    reply = check_model(plate("tri6"), heat(loads=[{"region": "x0", "heatFlux": value(1.0)}]))
    assert [v.reason for v in reply.violations] == ["TEMPERATURE_UNDETERMINED"]


def test_many_bodies():
    """More than are examined together."""
    from dougong.solver import rigid

    mesh = joined(box("hex8", (1, 1, 1)), box("hex8", (1, 1, 1)), (2.0, 0, 0))
    mesh = joined(mesh, mesh, (0.0, 2.0, 0.0))
    assert len(free(mesh, [])) == 4
    limit, rigid._MAX_BODIES = rigid._MAX_BODIES, 2
    try:
        assert free(mesh, []) == dict.fromkeys((1, 2, 3, 4), ALL_SIX)
    finally:
        rigid._MAX_BODIES = limit


def test_free_motions_are_named_in_chinese_too():
    mesh = box("hex8", (1, 1, 1))
    (violation,) = [v for v in check_model(mesh, elastic()).violations if v.reason == "FREE_MODES"]
    assert "绕 z 转动" in violation.text_zh
    assert "rotation z" not in violation.text_zh
