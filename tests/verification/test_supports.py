"""Cylindrical axes, planes of antisymmetry, elastic foundations and springs against exact solutions."""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh
from linked_models import turned
from meshgen import box, plate
from solving import check_model, elastic, kinematics, solve, store, value, vector
from verification import published

pytestmark = pytest.mark.published

DIRECT = {"method": "METHOD_DIRECT"}
EXACT = "exact solution"


def sector(kind="hex20", n=(6, 4, 1), angle=50.0, inner=1.0, outer=2.0):
    """A sector of a tube about the z axis whose ends lie on no coordinate plane."""
    flat = box(kind, n, (outer - inner, np.radians(angle), 0.2))
    r, theta = inner + flat.points[:, 0], np.radians(13.0) + flat.points[:, 1]
    points = np.stack([r * np.cos(theta), r * np.sin(theta), flat.points[:, 2]], axis=1)
    return Mesh(points, flat.blocks, flat.regions)


def cylindrical(origin=(0, 0, 0), axis=(0, 0, 1), **components):
    axes = {"cylindrical": {"origin": {"coordinates": list(origin)}, "axis": {"coordinates": list(axis)}}}
    return {"displacement": {"axes": axes} | {c: value(x) for c, x in components.items()}}


def tube(mesh, origin=(0, 0, 0), axis=(0, 0, 1)):
    """Internal pressure; the ends of the sector move along rays, its faces stay in their planes."""
    hold = cylindrical(origin, axis, theta=0.0)
    return elastic(
        E=1000.0,
        nu=0.3,
        conditions=[
            {"region": "y0"} | hold,
            {"region": "y1"} | hold,
            {"region": "z0"} | cylindrical(origin, axis, z=0.0),
            {"region": "z1"} | cylindrical(origin, axis, z=0.0),
        ],
        loads=[{"region": "x0", "pressure": value(10.0)}],
        solver=DIRECT,
    )


def test_lame_tube_as_a_sector():
    """Timoshenko, Goodier, "Theory of Elasticity", article 28: plane strain, internal pressure alone."""
    E, nu, p, a, b = 1000.0, 0.3, 10.0, 1.0, 2.0
    mesh = sector()
    solution = solve(mesh, tube(mesh))
    r = np.linalg.norm(mesh.points[:, :2], axis=1)
    u = solution.field("displacement")
    radial = np.einsum("ni,ni->n", u[:, :2], mesh.points[:, :2]) / r
    A, B = p * a**2 / (b**2 - a**2), p * a**2 * b**2 / (b**2 - a**2)
    exact = (1 + nu) / E * ((1 - 2 * nu) * A * r + B / r)
    assert np.abs(radial - exact).max() < 2e-4 * exact.max()
    around = mesh.points[:, [1, 0]] * [-1, 1] / r[:, None]
    assert np.abs(np.einsum("ni,ni->n", u[:, :2], around)).max() < 2e-4 * exact.max()
    inside = float(radial[np.isclose(r, a)].mean())
    published.check(
        case="Lamé tube, sector in cylindrical axes", quantity="radial displacement inside", source=EXACT,
        target=float(exact[np.isclose(r, a)][0]), ours=inside, tolerance=5e-4,
    )  # fmt: skip


def test_prescribed_radial_displacement_about_an_axis_in_space():
    """The sector turned and moved, its inside pushed out by u_r = 0.01: the same field, turned."""
    mesh = sector("hex8", (4, 4, 1))
    straight = tube(mesh)
    straight["steps"][0]["loads"] = []
    straight["steps"][0]["conditions"].append({"region": "x0"} | cylindrical(r=0.01))
    around, Q = turned(mesh)
    shift = np.array([3.0, -1.0, 0.5])
    moved = Mesh(around.points + shift, around.blocks, around.regions)
    other = tube(moved, shift, Q @ [0, 0, 2.0])
    other["steps"][0]["loads"] = []
    other["steps"][0]["conditions"].append({"region": "x0"} | cylindrical(shift, Q @ [0, 0, 2.0], r=0.01))
    u, v = solve(mesh, straight).field("displacement"), solve(moved, other).field("displacement")
    assert np.abs(v - u @ Q.T).max() < 1e-9
    inside = np.isclose(np.linalg.norm(mesh.points[:, :2], axis=1), 1.0)
    assert np.linalg.norm(u[inside, :2], axis=1) == pytest.approx(0.01, rel=1e-12)


def test_in_the_plane_and_on_the_axis():
    """Twist of a disc in the plane, r held; a node on the axis has no r."""
    mesh = plate("quad8", (4, 4), (2.0, 2.0))
    centred = Mesh(mesh.points - 1.0, mesh.blocks, mesh.regions)
    given = elastic(
        sections=kinematics("plane_stress"),
        conditions=[
            {"region": r} | {"displacement": {"axes": {"cylindrical": {}}, "r": value(0.0)}} for r in ("x0", "x1")
        ],
        loads=[{"region": "y1", "traction": vector(x=1.0)}],
    )
    for condition in given["steps"][0]["conditions"]:
        condition["displacement"]["theta"] = {"expression": "0.01*sqrt(x^2 + y^2)"}
    given["steps"][0]["loads"] = []
    u = solve(centred, given).field("displacement")
    edge = np.isclose(np.abs(centred.points[:, 0]), 1.0)
    assert np.abs(u[edge] - 0.01 * (centred.points[edge][:, ::-1] * [-1, 1])).max() < 1e-14
    given["regions"] = {"every": {"kind": "KIND_NODES", "all": {}}}
    given["steps"][0]["conditions"][0]["region"] = "every"
    found = [v for v in check_model(centred, given).violations if v.reason == "NODES_ON_AXIS"]
    assert found
    assert found[0].params["count"] == "1"


def test_antisymmetry_is_half_of_a_model():
    """A beam in bending: on its middle plane nothing moves along the plane's directions."""
    whole = box("hex20", (8, 2, 2), (4.0, 1.0, 1.0))
    half = box("hex20", (4, 2, 2), (2.0, 1.0, 1.0))
    twist = [{"region": "x1", "traction": {"z": {"expression": "y - 0.5"}, "y": {"expression": "0.5 - z"}}}]
    left = [{"region": "x0", "traction": {"z": {"expression": "-(y - 0.5)"}, "y": {"expression": "-(0.5 - z)"}}}]
    middle = {
        "kind": "KIND_NODES",
        "plane": {"point": {"coordinates": [2.0, 0, 0]}, "normal": {"coordinates": [1, 0, 0]}},
    }
    # A square in torsion does not warp on its own axes of symmetry, which hold it in x.
    flat = [{"region": r, "displacement": {"x": value(0.0)}} for r in ("along_y", "along_z")]

    def axes_at(x):
        low, high = [x, 0.0, 0.0], [x, 1.0, 1.0]
        lines = {}
        for name, axis in (("along_y", 2), ("along_z", 1)):
            a, b = list(low), list(high)
            a[axis] = b[axis] = 0.5
            lines[name] = {"kind": "KIND_NODES", "box": {"min": {"coordinates": a}, "max": {"coordinates": b}}}
        return lines

    # Torsion: antisymmetric about the middle plane, which turns in neither half and warps freely.
    given = elastic(
        regions={"middle": middle} | axes_at(2.0),
        conditions=[{"region": "middle", "antisymmetry": {"normal": {"coordinates": [1, 0, 0]}}}, *flat],
        loads=twist + left, solver=DIRECT,
    )  # fmt: skip
    u = solve(whole, given).field("displacement")
    # The other half from the plane on: x0 of the half is the plane, found by its own normal.
    given = elastic(
        regions=axes_at(0.0),
        conditions=[{"region": "x0", "antisymmetry": {}}, *flat],
        loads=twist, solver=DIRECT,
    )  # fmt: skip
    v = solve(half, given).field("displacement")
    at = {tuple(np.round(p, 9)): k for k, p in enumerate(whole.points)}
    same = [at[tuple(np.round(p + np.array([2.0, 0, 0]), 9))] for p in half.points]
    assert np.abs(u[same] - v).max() < 1e-10 * np.abs(u).max()


def beam_on_foundation(kind, n, solver, stiffness=2.0):
    """A long beam with a load in its middle, its underside on springs; half of it."""
    mesh = plate(kind, n, (60.0, 1.0))
    middle = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0.0, 1.0]}, "radius": 1e-6}}
    return mesh, elastic(
        E=1000.0, nu=0.0, sections=kinematics("plane_stress", thickness=1.0),
        regions={"top": middle}, conditions=[{"region": "x0", "symmetry": {}}],
        loads=[{"region": "y0", "foundation": {"normal": value(stiffness)}},
               {"region": "top", "nodalForce": vector(y=-0.5)}],
        solver=solver,
    )  # fmt: skip


def hetenyi(x, P=1.0, k=2.0, EI=1000.0 / 12):
    """Hetényi, "Beams on Elastic Foundation", 1946, chapter II: an infinite beam under a force."""
    beta = (k / (4 * EI)) ** 0.25
    return -P * beta / (2 * k) * np.exp(-beta * x) * (np.cos(beta * x) + np.sin(beta * x))


@pytest.mark.parametrize("solver", [DIRECT, {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-10}])
def test_a_beam_on_an_elastic_foundation(solver):
    """Soft enough that the beam is slender on the scale of its waves; shear adds a little under the force."""
    k = 0.1
    mesh, given = beam_on_foundation("quad8", (120, 2), solver, k)
    solution = solve(mesh, given)
    below = np.flatnonzero(mesh.points[:, 1] < 1e-9)
    x, v = mesh.points[below, 0], solution.field("displacement")[below, 1]
    exact = hetenyi(x, k=k)
    assert np.abs(v - exact).max() < 0.02 * np.abs(exact).max()
    away = x > 2.0
    assert np.abs(v - exact)[away].max() < 0.01 * np.abs(exact).max()
    published.check(
        case="Beam on elastic foundation", quantity="deflection at 4 heights from the force",
        source="exact solution of a slender beam (Hetényi)",
        target=float(hetenyi(4.0, k=k)), ours=float(v[np.isclose(x, 4.0)][0]), tolerance=0.01,
    )  # fmt: skip
    # Without any reaction in y the foundation takes the whole load.
    assert abs(solution.step.balance.reaction_sum[1]) < 1e-12
    assert solution.step.balance.support_sum[1] == pytest.approx(0.5, rel=1e-6)
    assert solution.step.balance.energy_error < 1e-6
    assert not check_model(mesh, given).violations


def test_a_foundation_holds_its_normal_alone():
    mesh, given = beam_on_foundation("quad4", (10, 1), DIRECT)
    given["steps"][0]["conditions"] = []
    assert [v.reason for v in check_model(mesh, given).violations] == ["FREE_MODES"]
    given["steps"][0]["loads"][0]["foundation"]["tangential"] = value(1.0)
    assert not check_model(mesh, given).violations
    # In space: a block pressed on its bed of springs sinks by p / k, and slides by t / k_t.
    block = elastic(
        loads=[
            {"region": "z0", "foundation": {"normal": value(4.0), "tangential": value(2.0)}},
            {"region": "z1", "pressure": value(8.0)},
            {"region": "", "bodyForce": vector(x=1.0)},
        ],
        E=1e9,
        solver=DIRECT,
    )
    for around in (False, True):
        solid, Q = turned(box("hex8", (2, 2, 2))) if around else (box("hex8", (2, 2, 2)), np.eye(3))
        block["steps"][0]["loads"][2]["bodyForce"] = vector(**dict(zip("xyz", Q @ [1.0, 0, 0], strict=True)))
        u = solve(solid, block).field("displacement") @ Q
        # The force has its arm of 0.5 about the bed, whose stiffness against turning is k / 12.
        turn = 0.5 / (4.0 / 12)
        z = solid.points @ Q[:, 2]
        assert u[:, 0] == pytest.approx(0.5 + turn * z, abs=1e-5)
        assert u[:, 1] == pytest.approx(0.0, abs=1e-5)
        assert u[:, 2].mean() == pytest.approx(-2.0, abs=1e-5)


def springs(mesh, **more):
    return elastic(E=1e7, nu=0.0, loads=[{"region": "x1", "totalForce": vector(x=10.0)}], solver=DIRECT, **more)


def test_springs_in_line():
    """A block between a spring to the ground and one to a point that is held: forces share by stiffness."""
    mesh = box("hex8", (1, 1, 1))
    point = {"region": "x1", "kinematic": {}}
    base = {"region": "x0", "kinematic": {}}
    given = springs(
        mesh,
        couplings={"a": base, "b": point},
        springs=[
            {"at": {"coupling": "a"}, "stiffness": vector(x=30.0, y=1.0, z=1.0)},
            {"at": {"coupling": "a"}, "rotational": vector(x=1.0, y=1.0, z=1.0)},
            {"at": {"coupling": "b"}, "axial": value(20.0), "direction": {"coordinates": [2.0, 0, 0]}},
        ],
    )
    solution = solve(mesh, given)
    assert solution.field("displacement")[:, 0] == pytest.approx(0.2, rel=1e-4)
    balance = solution.step.balance
    assert balance.internal_energy == pytest.approx(0.5 * 10 * 0.2, rel=1e-4)
    assert balance.energy_error < 1e-9
    assert balance.equilibrium_error < 1e-9
    assert abs(balance.load_sum[0]) < 1e-9  # what springs take counts as load
    assert balance.support_sum[0] == pytest.approx(-10.0, rel=1e-4)
    assert not check_model(mesh, given).violations
    given["springs"] = given["springs"][1:]
    assert [v.reason for v in check_model(mesh, given).violations] == ["FREE_MODES"]


@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.mpi)])
def test_a_spring_between_two_nodes(ranks):
    """Two blocks, one held, joined by a spring along the line between two of their nodes, and guided."""
    from linked_models import together

    mesh = together(("a_", box("hex8", (2, 2, 2)), (0, 0, 0)), ("b_", box("hex8", (2, 2, 2)), (3.0, 0, 0)))
    n = len(mesh.points) // 2
    near = int(np.flatnonzero(np.all(np.isclose(mesh.points, [1.0, 0.5, 0.5]), axis=1))[0]) + 1
    far = int(np.flatnonzero(np.all(np.isclose(mesh.points, [3.0, 0.5, 0.5]), axis=1))[0]) + 1
    assert near <= n < far
    guided = [{"region": "a_x0", "fixed": {}}, *({"region": f"b_{r}", "symmetry": {}} for r in ("y0", "z0", "y1"))]
    given = elastic(
        E=1e6, nu=0.0,
        conditions=guided,
        loads=[{"region": "b_x1", "totalForce": vector(x=10.0)}],
        springs=[{"at": {"node": near}, "to": {"node": far}, "axial": value(50.0)}],
        solver=DIRECT,
    )  # fmt: skip
    stored = store(mesh)
    solution = solve(stored, given, ranks)
    u = solution.field("displacement")
    assert u[far - 1, 0] - u[near - 1, 0] == pytest.approx(0.2, rel=1e-9)
    assert solution.step.reactions[0].sum[0] == pytest.approx(-10.0, rel=1e-9)
    assert solution.step.balance.energy_error < 1e-9
    across = [{"at": {"node": near}, "to": {"node": far}, "stiffness": vector(x=50.0),
               "axes": {"xAxis": {"coordinates": [1, 0, 0]}, "xyPlane": {"coordinates": [0, 1, 0]}}}]  # fmt: skip
    v = solve(stored, given | {"springs": across}, ranks).field("displacement")
    assert np.abs(u - v).max() < 1e-9
