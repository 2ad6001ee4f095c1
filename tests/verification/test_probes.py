"""Values at points: the cell that contains a point is found, and the field is that of the cell."""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.solver.elements import SOLVABLE, tabulate
from dougong.solver.outputs.locate import Locator, nearest, sides
from meshgen import box, mixed, plate
from solving import Discrete, check_model, elastic, heat, kinematics, model_of, solve, value, vector

HELD = {"region": "x0", "fixed": {}}
QUADRATIC = tuple(n for n in SOLVABLE if CELL_TYPES[n].order == 2)


def curved(name, n=2):
    flat = CELL_TYPES[name].dim == 2
    more = {"distort": 0.3, "curve": 0.3 if CELL_TYPES[name].order == 2 else 0.0, "seed": 4}
    return plate(name, (n, n), **more) if flat else box(name, (n, n, n), **more)


@pytest.mark.parametrize("name", SOLVABLE)
def test_every_point_is_found_in_its_cell(name):
    mesh = curved(name)
    model = model_of(mesh, heat(sections=[{"material": "m"}]))
    locator = Locator(model.part, 0.0)
    rng = np.random.default_rng(1)
    for cell in rng.choice(len(mesh.blocks[0].nodes), 6):
        A, b = sides(mesh.blocks[0].type.family)
        X = rng.uniform(0.05, 0.3, (1, A.shape[1]))
        assert (b > X @ A.T).all()
        N, _ = tabulate(name, X.T)
        point = N[0] @ mesh.points[mesh.blocks[0].nodes[cell]]
        place = locator.find(point)
        assert place.distance == 0.0
        assert place.cell == cell
        np.testing.assert_allclose(place.X, X[0], atol=1e-8)
        np.testing.assert_allclose(place.point, point, atol=1e-12)


def quadratic_field(x):
    """A displacement with all second-order terms."""
    dim = x.shape[1]
    rng = np.random.default_rng(9)
    b, C = rng.normal(size=(dim, dim)), rng.normal(size=(dim, dim, dim))
    return 1e-3 * (1.0 + x @ b.T + np.einsum("kij,ni,nj->nk", C, x, x))


@pytest.mark.parametrize("name", QUADRATIC)
def test_a_field_the_cells_contain_is_exact_on_distorted_curved_cells(name):
    mesh = curved(name)
    flat = mesh.points.shape[1] == 2
    given = elastic(sections=kinematics("plane_strain")) if flat else elastic()
    part = model_of(mesh, given).part
    # What isoparametric cells contain: a quadratic field in their reference coordinates; of x, the linear ones.
    linear = part.points @ np.random.default_rng(3).normal(size=(part.dim, 2))
    locator = Locator(part, 0.0)
    rng = np.random.default_rng(2)
    for point in rng.uniform(0.0, 1.0, (12, part.dim)):
        place = locator.find(point)
        block = part.blocks[place.block]
        N, _ = tabulate(block.type.name, np.array(place.X)[:, None])
        nodes = block.nodes[place.row]
        expected = point @ np.random.default_rng(3).normal(size=(part.dim, 2))
        np.testing.assert_allclose(N[0] @ linear[nodes], expected, atol=1e-10)


@pytest.mark.parametrize("name", QUADRATIC)
def test_quadratic_displacement_at_probes(name):
    """On straight distorted cells that contain it the solution is the field, and so are the probes."""
    flat = CELL_TYPES[name].dim == 2
    full = name in ("tri6", "tet10", "quad9", "hex27")
    mesh = (plate(name, (3, 3)) if flat else box(name, (2, 2, 2))) if not full else _affine(name, flat)
    case = Discrete(mesh, elastic(sections=kinematics("plane_strain")) if flat else elastic())
    u = quadratic_field(case.points)  # the cells contain it: no need to solve
    locator = Locator(case.model.part, 0.0)
    for point in np.random.default_rng(5).uniform(0, 1, (8, case.points.shape[1])):
        place = locator.find(point)
        block = case.model.part.blocks[place.block]
        N, _ = tabulate(name, np.array(place.X)[:, None])
        np.testing.assert_allclose(N[0] @ u[block.nodes[place.row]], quadratic_field(point[None])[0], atol=1e-13)


def _affine(name, flat):
    simplex = name in ("tri6", "tet10")
    more = {"distort": 0.3} if simplex else {}
    return plate(name, (3, 3), **more) if flat else box(name, (2, 2, 2), **more)


@pytest.mark.parametrize("name", ["tri6", "quad8", "tet10", "hex20", "wedge15", "pyramid13", "hex8"])
def test_the_nearest_point_of_a_cell(name):
    """Outside points are brought to the surface, as near as a search over the whole surface finds."""
    mesh = curved(name, 1)
    family, nodes = mesh.blocks[0].type.family, mesh.blocks[0].nodes
    A, b = sides(family)
    rng = np.random.default_rng(6)
    X = rng.uniform(0, 1, (60000, A.shape[1]))
    # Onto a side each: what lies inside, pushed against it along its normal.
    for k in range(len(b)):
        some = slice(k * len(X) // len(b), (k + 1) * len(X) // len(b))
        X[some] += ((b[k] - X[some] @ A[k]) / (A[k] @ A[k]))[:, None] * A[k]
    X = X[(b + 1e-12 >= X @ A.T).all(axis=1)]
    samples = tabulate(name, X.T)[0] @ mesh.points[nodes[0]]
    middle = mesh.points[nodes[0]].mean(axis=0)
    for direction in rng.normal(size=(8, A.shape[1])):
        point = middle + 1.0 * direction / np.linalg.norm(direction)
        _, x = nearest(name, family, mesh.points[nodes[:1]], point)
        found, sampled = np.linalg.norm(x[0] - point), np.linalg.norm(samples - point, axis=1).min()
        assert found <= sampled + 1e-3


def test_probes_of_a_solution():
    """Tension: u = sigma x / E; and a point a little outside is told of and moved."""
    mesh = mixed(2, n=(1, 2, 2), distort=0.2)
    roller = [{"region": r, "displacement": vector(**{c: 0.0})} for r, c in (("x0", "x"), ("y0", "y"), ("z0", "z"))]
    probes = [
        {"point": {"coordinates": [1.3, 0.4, 0.7]}},
        {"name": "tip", "point": {"coordinates": [2.5005, 0.5, 0.5]}, "fields": ["displacement", "tresca"]},
    ]
    loads = [{"region": "x1", "traction": vector(x=21.0)}]
    given = elastic(E=2.1e5, nu=0.3, conditions=roller, loads=loads, outputs={"probes": probes})
    ended = solve(mesh, given)
    (frame,) = ended.step.frames
    found = {(v.probe, v.field): list(v.values) for v in frame.probes}
    assert set(found) == {(p, f) for p, fs in (("probe-1", ("displacement", "stress", "von_mises")),
                                               ("tip", ("displacement", "tresca"))) for f in fs}  # fmt: skip
    e = 21.0 / 2.1e5
    np.testing.assert_allclose(found["probe-1", "displacement"], [e * 1.3, -0.3 * e * 0.4, -0.3 * e * 0.7], rtol=1e-8)
    np.testing.assert_allclose(found["probe-1", "stress"], [21.0, 0, 0, 0, 0, 0], atol=1e-7)
    np.testing.assert_allclose(found["probe-1", "von_mises"], [21.0], rtol=1e-8)
    np.testing.assert_allclose(found["tip", "tresca"], [21.0], rtol=1e-8)
    np.testing.assert_allclose(found["tip", "displacement"][0], e * 2.5, rtol=1e-8)
    first, tip = ended.step.probes
    assert (first.probe, first.distance) == ("probe-1", 0.0)
    assert tip.distance == pytest.approx(5e-4, rel=1e-6)
    np.testing.assert_allclose(tip.point, [2.5, 0.5, 0.5], atol=1e-9)


def test_a_probe_beside_an_interface_sees_its_own_material_only():
    mesh = box("hex8", (4, 1, 1), (4.0, 1.0, 1.0))
    left = Region("left", RegionKind.CELLS, np.arange(2))
    right = Region("right", RegionKind.CELLS, np.arange(2, 4))
    mesh = Mesh(mesh.points, mesh.blocks, (*mesh.regions, left, right))
    ends = [{"region": "x0", "temperature": value(0.0)}, {"region": "x1", "temperature": value(30.0)}]
    given = heat(conditions=ends, sections=[{"region": "left", "material": "m"}, {"region": "right", "material": "n"}])
    given["materials"]["n"] = {"conductivity": value(100.0)}
    given["outputs"] = {
        "probes": [
            {"name": n, "point": {"coordinates": [x, 0.5, 0.5]}, "fields": ["temperature_gradient"]}
            for n, x in (("a", 1.99), ("b", 2.01))
        ]
    }
    (frame,) = solve(mesh, given).step.frames
    gradient = {v.probe: v.values[0] for v in frame.probes}
    assert gradient["a"] == pytest.approx(10.0)
    assert gradient["b"] == pytest.approx(5.0)


@pytest.mark.mpi
def test_probes_and_error_are_the_same_on_any_number_of_ranks():
    mesh = mixed(2, n=(1, 2, 2), distort=0.2, curve=0.2)
    ids = np.random.default_rng(0).permutation(sum(len(b.nodes) for b in mesh.blocks)) + 100
    starts = np.cumsum([0, *(len(b.nodes) for b in mesh.blocks)])
    blocks = tuple(
        CellBlock(b.type, b.nodes, ids[s : s + len(b.nodes)]) for b, s in zip(mesh.blocks, starts[:-1], strict=True)
    )
    mesh = Mesh(mesh.points, blocks, mesh.regions)
    points = np.random.default_rng(3).uniform(0, 1, (6, 3)) * [2.5, 1.0, 1.0]
    probes = [{"point": {"coordinates": p.tolist()}, "fields": ["displacement", "stress"]} for p in points]
    given = elastic(
        conditions=[HELD],
        loads=[{"region": "x1", "traction": vector(z=1.0)}],
        outputs={"probes": probes, "fields": [{"name": "error", "location": "LOCATION_CELL"}]},
        solver={"method": "METHOD_DIRECT"},
    )
    one = solve(mesh, given)
    for ranks in (2, 3):
        other = solve(mesh, given, ranks)
        assert [p.cell for p in other.step.probes] == [p.cell for p in one.step.probes]
        a, b = one.step.frames[0], other.step.frames[0]
        for x, y in zip(a.probes, b.probes, strict=True):
            assert (x.probe, x.field) == (y.probe, y.field)
            np.testing.assert_allclose(x.values, y.values, atol=1e-9 * max(map(abs, x.values)))
        assert a.error.relative_error == pytest.approx(b.error.relative_error, rel=1e-9)
        assert a.error.cells_for_target == pytest.approx(b.error.cells_for_target, rel=1e-9)
        assert [s.cell for s in a.error.spots] == [s.cell for s in b.error.spots]
        np.testing.assert_allclose(one.field("error", "cell"), other.field("error", "cell"), rtol=1e-6)


def test_a_probe_outside_is_refused_with_the_nearest_point():
    def wrong(point, **more):
        probes = [{"name": "p", "point": {"coordinates": point}, **more}]
        reply = check_model(box("hex8"), elastic(conditions=[HELD], outputs={"probes": probes}))
        return list(reply.violations)

    assert not wrong([1.0005, 0.5, 0.5])
    assert not wrong([1.2, 0.5, 0.5], tolerance=0.21)
    for point, near in (([1.2, 0.5, 0.5], "(1, 0.5, 0.5)"), ([9.0, 1.0, 1.0], "(1, 1, 1)")):
        (v,) = wrong(point)
        assert (v.reason, v.field) == ("PROBE_OUTSIDE", "outputs.probes[0].point")
        assert near in v.text
        assert v.params["tolerance"] == "0.001732"
