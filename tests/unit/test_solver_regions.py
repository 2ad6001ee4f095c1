"""Regions: sets of the mesh file and shapes in space, whole on every number of ranks."""

import numpy as np
import pytest

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.loads import LoadBuilder
from dougong.solver.parallel.comm import Serial
from dougong.solver.parallel.partition import build_part
from dougong.solver.regions import Regions, facet_normals
from dougong.v1 import analysis_pb2 as pb
from meshgen import box, plate
from solving import analysis, elastic, model_of, store
from threads import on_ranks


def point(*x):
    return {"coordinates": list(x)}


SELECTORS = {
    "box nodes": {"kind": "KIND_NODES", "box": {"min": point(0.4, 0, 0), "max": point(1, 0.6, 1)}},
    "box facets": {"box": {"min": point(0.4, 0, 0), "max": point(1, 0.6, 1)}},
    "box cells": {"kind": "KIND_CELLS", "box": {"min": point(0.4, 0, 0), "max": point(1, 0.6, 1)}},
    "ball": {"kind": "KIND_NODES", "sphere": {"center": point(0, 0, 0), "radius": 0.8}},
    "shell": {"kind": "KIND_NODES", "sphere": {"center": point(0, 0, 0), "radius": 1.0, "surfaceOnly": True}},
    "plane": {"plane": {"point": point(1, 5, 5), "normal": point(-3, 0, 0)}},
    "middle": {"plane": {"point": point(0.5, 0, 0), "normal": point(1, 0, 0)}},
    "middle nodes": {"kind": "KIND_NODES", "plane": {"point": point(0.5, 0, 0), "normal": point(2, 0, 0)}},
    "up": {"normal": {"direction": point(0, 0, 4)}},
    "all nodes": {"kind": "KIND_NODES", "all": {}},
    "all facets": {"all": {}},
    "all cells": {"kind": "KIND_CELLS", "all": {}},
}


def regions_of(mesh, comm=None, **more):
    stored = store(mesh)
    message = analysis({"regions": SELECTORS | more})
    return Regions(stored, build_part(stored, comm or Serial()), dict(message.regions))


def count(regions, name):
    return sum(len(f.rows) for f in regions.facets(name))


@pytest.fixture(scope="module")
def hexes():
    return regions_of(box("hex20", (4, 4, 4)))


def test_box(hexes):
    x = hexes.part.points
    inside = (x[:, 0] >= 0.4) & (x[:, 1] <= 0.6)
    np.testing.assert_array_equal(hexes.nodes("box nodes"), np.flatnonzero(inside))
    # Bricks 2, 3 in x, 0, 1 in y, all in z: whole facets only.
    assert sum(len(c) for c in hexes.cells("box cells")) == 2 * 2 * 4
    assert count(hexes, "box facets") == 4 * 2 + 4 * 2 + 2 * 2 * 2  # x = 1, y = 0, z = 0 and 1
    assert hexes.kinds("box cells") == {RegionKind.CELLS}
    assert hexes.kinds("box facets") == {RegionKind.FACETS}


def test_sphere(hexes):
    r = np.linalg.norm(hexes.part.points, axis=1)
    np.testing.assert_array_equal(hexes.nodes("ball"), np.flatnonzero(r <= 0.8))
    np.testing.assert_array_equal(hexes.nodes("shell"), np.flatnonzero(np.isclose(r, 1.0)))
    assert len(hexes.nodes("shell")) == 3


def test_plane(hexes):
    assert count(hexes, "plane") == 16
    np.testing.assert_array_equal(hexes.nodes("plane"), hexes.nodes("x1"))
    # Facets are selected on the boundary only; nodes anywhere.
    assert count(hexes, "middle") == 0
    np.testing.assert_array_equal(hexes.nodes("middle nodes"), np.flatnonzero(hexes.part.points[:, 0] == 0.5))


def test_normal_direction(hexes):
    np.testing.assert_array_equal(hexes.nodes("up"), hexes.nodes("z1"))
    facets = hexes.facets("up")
    for f in facets:
        np.testing.assert_allclose(facet_normals(hexes.part.points, f), [[0, 0, 1]] * len(f.rows))
    wide = regions_of(box("tet4", (2, 2, 2)), wide={"normal": {"direction": point(1, 1, 0), "angleDegrees": 45.001}})
    assert count(wide, "wide") == count(wide, "x1") + count(wide, "y1")
    narrow = regions_of(box("tet4", (2, 2, 2)), narrow={"normal": {"direction": point(1, 1, 0), "angleDegrees": 44.9}})
    assert count(narrow, "narrow") == 0


def test_everything(hexes):
    assert len(hexes.nodes("all nodes")) == hexes.part.n_local
    assert count(hexes, "all facets") == 6 * 16
    assert len(hexes.cells("all cells")[0]) == len(hexes.cells("")[0]) == 64


def test_tolerance():
    given = {"kind": "KIND_NODES", "box": {"min": point(0.01, 0, 0), "max": point(1, 1, 1)}}
    assert len(regions_of(box("hex8"), b=given).nodes("b")) == 18
    given["box"]["tolerance"] = 0.01
    assert len(regions_of(box("hex8"), b=given).nodes("b")) == 27
    # The default knows the size of the mesh.
    shifted = {"kind": "KIND_NODES", "box": {"min": point(1e-7, 0, 0), "max": point(1, 1, 1)}}
    assert len(regions_of(box("hex8"), b=shifted).nodes("b")) == 27


@pytest.mark.parametrize("cell_type", ["tri3", "tri6", "quad8", "tet10", "wedge6", "hex27"])
def test_boundary(cell_type):
    """Normals point outwards: the divergence theorem gives the volume."""
    planar = cell_type.startswith(("tri", "quad"))
    mesh = plate(cell_type, (3, 2), distort=0.3) if planar else box(cell_type, (2, 2, 2), distort=0.3)
    regions = Regions(store(mesh), build_part(store(mesh), Serial()))
    total = 0.0
    for f in regions.boundary():
        x = regions.part.points[f.nodes]
        n = facet_normals(regions.part.points, f)
        c = x[:, : 2 if planar else (3 if f.type.startswith("tri") else 4)]
        if planar:
            area = np.linalg.norm(c[:, 1] - c[:, 0], axis=1)
        elif c.shape[1] == 3:
            area = np.linalg.norm(np.cross(c[:, 1] - c[:, 0], c[:, 2] - c[:, 0]), axis=1) / 2
        else:
            area = np.linalg.norm(np.cross(c[:, 2] - c[:, 0], c[:, 3] - c[:, 1]), axis=1) / 2
        total += float((area * np.einsum("fi,fi->f", n, c[:, 0])).sum()) / mesh.dim
    assert total == pytest.approx(1.0, rel=1e-12)


def test_one_name_for_several_kinds():
    mesh = box("hex8")
    extra = (Region("x0", RegionKind.NODES, np.array([0, 5])), Region("x0", RegionKind.CELLS, np.array([3])))
    regions = regions_of(Mesh(mesh.points, mesh.blocks, mesh.regions + extra))
    assert regions.kinds("x0") == {RegionKind.NODES, RegionKind.FACETS, RegionKind.CELLS}
    assert sorted(regions.part.nodes[regions.nodes("x0")]) == [0, 5]
    assert count(regions, "x0") == 4
    assert regions.part.blocks[0].cells[regions.cells("x0")[0]].tolist() == [3]


def patchy(cell_type):
    """A mesh with a facet region of a few scattered facets, whose rims lie inside faces."""
    mesh = box(cell_type, (3, 3, 3), distort=0.2, seed=1)
    rng = np.random.default_rng(0)
    some = next(r for r in mesh.regions if r.name == "x0").entries
    some = np.sort(rng.choice(some, len(some) // 3, replace=False), axis=0)
    return Mesh(mesh.points, mesh.blocks, (*mesh.regions, Region("patch", RegionKind.FACETS, some)))


@pytest.mark.parametrize("ranks", [2, 3, 4])
@pytest.mark.parametrize("cell_type", ["tet4", "hex20", "wedge6"])
def test_ranks_see_the_same_regions(cell_type, ranks):
    mesh = patchy(cell_type)
    names = ["patch", "x0", "all", *SELECTORS]
    one = regions_of(mesh)
    nodes = {n: set(one.part.nodes[one.nodes(n)]) for n in names}
    areas = {n: count(one, n) for n in names if RegionKind.FACETS in one.kinds(n)}

    def work(comm):
        regions = regions_of(mesh, comm)
        for name in names:
            # Ghosts too: their conditions belong into the columns of this rank.
            assert set(regions.part.nodes[regions.nodes(name)]) == nodes[name] & set(regions.part.nodes), name
        return {n: sum(int(f.mine(regions.part).sum()) for f in regions.facets(n)) for n in areas}

    found = on_ranks(ranks, work)
    assert {n: sum(f[n] for f in found) for n in areas} == areas


@pytest.mark.parametrize("ranks", [2, 3])
def test_conditions_and_loads_do_not_depend_on_ranks(ranks):
    oblique = {"coordinates": [1.0, 1.0, 0.5]}
    given = elastic(
        regions={"top": {"normal": {"direction": point(0, 0, 1)}}, "some": SELECTORS["box facets"]},
        conditions=[
            {"region": "patch", "displacement": {"x": {"value": 1e-3}}},
            {"region": "y0", "symmetry": {}},
            {"region": "some", "symmetry": {"normal": oblique}},
        ],
        loads=[
            {"region": "top", "totalForce": {"z": {"value": 7.0}}},
            {"region": "x1", "pressure": {"value": 3.0}},
            {"region": "patch", "nodalForce": {"y": {"value": 2.0}}},
            {"region": "all", "bodyForce": {"x": {"value": 5.0}}},
        ],
    )
    mesh = patchy("tet10")
    mesh = Mesh(mesh.points, (CellBlock(mesh.blocks[0].type, mesh.blocks[0].nodes),), mesh.regions)

    def work(comm):
        model = model_of(mesh, given, comm)
        builder = ConstraintBuilder(model)
        constraints, loads = builder.run(), LoadBuilder(model)
        assert not builder.violations
        loads.run()
        part, n = model.part, model.part.n_owned
        held = {int(part.nodes[k]): i for i, k in enumerate(constraints.nodes)}
        return part.nodes, n, held, constraints, loads.rhs[:n], loads.measure("top")

    (nodes, n, held, constraints, rhs, area), *_ = on_ranks(1, work)
    assert area == pytest.approx(1.0)
    load = dict(zip(nodes[:n], rhs, strict=True))
    for others, n, theirs, other, rhs, area in on_ranks(ranks, work):
        assert area == pytest.approx(1.0)
        assert set(theirs) == set(held) & set(others)
        for node, i in theirs.items():
            np.testing.assert_allclose(other.projectors[i], constraints.projectors[held[node]], atol=1e-13)
            np.testing.assert_allclose(other.prescribed[i], constraints.prescribed[held[node]], atol=1e-13)
        np.testing.assert_allclose(rhs, [load[k] for k in others[:n]], atol=1e-12)


def test_kind_of_a_selector_is_facets_by_default():
    assert regions_of(box("hex8"), any={"all": {}}).kinds("any") == {RegionKind.FACETS}
    assert pb.Region.KIND_UNSPECIFIED == 0
