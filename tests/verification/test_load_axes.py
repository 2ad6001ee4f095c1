"""Loads in axes of their own: a turned model with turned axes has the turned answer."""

import numpy as np
import pytest

from dougong.solver.loads import LoadBuilder
from mapped import mapped, rotation
from meshgen import box, plate
from solving import elastic, kinematics, model_of, solve, value, vector

TURN = rotation((1.0, -2.0, 3.0), 0.8)


def point(x):
    return {"coordinates": list(x)}


def loads(**axes):
    return [
        {"region": "x1", "traction": vector(x=1.0, y=-2.0, z=3.0)} | axes,
        {"region": "x1", "totalForce": vector(y=5.0)} | axes,
        {"region": "x1", "nodalForce": {"x": {"expression": "0.1*t"}, "z": value(0.2)}} | axes,
        {"gravity": vector(z=-9.81)} | axes,
        {"bodyForce": {"x": value(1.0), "y": {"overTime": {"at": [0, 2], "value": [0, 8]}}}} | axes,
    ]


def moved(mesh, given):
    return solve(mesh, elastic(conditions=[{"region": "x0", "fixed": {}}], material={"density": value(0.1)}, **given))


def test_rectangular_axes_in_space():
    mesh = box("hex20", (3, 2, 2), (2.0, 1.0, 1.0))
    # xy_plane need not be at right angles.
    axes = {"axes": {"xAxis": point(2 * TURN[:, 0]), "xyPlane": point(TURN[:, 1] + 3 * TURN[:, 0])}}
    u = moved(mesh, {"loads": loads()}).field("displacement")
    turned = moved(mapped(mesh, lambda p: p @ TURN.T), {"loads": loads(**axes)}).field("displacement")
    assert np.abs(turned @ TURN - u).max() < 1e-8 * np.abs(u).max()


def test_rectangular_axes_in_the_plane():
    mesh = plate("quad8", (3, 2), (2.0, 1.0))
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s], [s, c]])

    def flat(**axes):
        return [
            {"region": "x1", "traction": vector(x=1.0, y=-2.0)} | axes,
            {"region": "x1", "nodalForce": vector(y=0.3)} | axes,
            {"gravity": vector(y=-9.81)} | axes,
        ]

    plane = {"sections": kinematics("plane_stress")}
    u = moved(mesh, plane | {"loads": flat()}).field("displacement")[:, :2]
    axes = {"axes": {"xAxis": point(turn[:, 0])}}
    turned = moved(mapped(mesh, lambda p: p @ turn.T), plane | {"loads": flat(**axes)}).field("displacement")[:, :2]
    assert np.abs(turned @ turn - u).max() < 1e-8 * np.abs(u).max()


@pytest.mark.parametrize("kinds", [("traction", "totalForce")])
def test_a_total_force_in_axes_is_that_force(kinds):
    mesh = box("tet4", (1, 1, 1))
    axes = {"xAxis": point([0, 1, 0]), "xyPlane": point([0, 0, 1])}
    for kind in kinds:
        load = {"region": "x1", kind: vector(x=2.0, y=3.0, z=5.0), "axes": axes}
        reaction = moved(mesh, {"loads": [load]}).step.reactions[0].sum
        np.testing.assert_allclose(reaction, [-5.0, -2.0, -3.0], rtol=1e-9)


def ring(cell_type):
    """Half a ring about an oblique axis, and a point of the axis."""
    shift = np.array([1.0, 2.0, -0.5])

    def into(p):
        r, angle = 0.5 + 0.5 * p[:, 0], np.pi * p[:, 1]
        return np.column_stack([r * np.cos(angle), r * np.sin(angle), 0.3 * p[:, 2]]) @ TURN.T + shift

    return mapped(box(cell_type, (2, 6, 1)), into), shift


@pytest.mark.parametrize("cell_type", ["hex20", "tet10"])
@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.mpi)])
def test_traction_along_r_is_pressure(cell_type, ranks):
    mesh, shift = ring(cell_type)
    axes = {"cylindrical": {"origin": point(shift), "axis": point(5 * TURN[:, 2])}}
    held = [{"region": r, "symmetry": {}} for r in ("y0", "z0")]
    held.append({"region": "y1", "fixed": {}})
    pressure = {"region": "x0", "pressure": {"expression": "1 + t"}}
    traction = {"region": "x0", "traction": {"x": {"expression": "1 + t"}}, "axes": axes}
    direct = {"method": "METHOD_DIRECT"}
    one, other = (
        solve(mesh, elastic(conditions=held, loads=[x], solver=direct), ranks).field("displacement")
        for x in (pressure, traction)
    )
    # The normals of the facets are those of parabolas, not of circles.
    assert np.abs(other - one).max() < 2e-3 * np.abs(one).max()


def test_traction_along_theta_has_the_moment_of_a_shaft():
    mesh, shift = ring("hex20")
    axes = {"cylindrical": {"origin": point(shift), "axis": point(TURN[:, 2])}}
    load = {"region": "x1", "traction": vector(y=7.0), "axes": axes}
    model = model_of(mesh, elastic(conditions=[{"region": "x0", "fixed": {}}], loads=[load]))
    builder = LoadBuilder(model)
    builder.run()
    n = model.part.n_owned
    moment = model.part.comm.sum(np.cross(model.part.points[:n] - shift, builder.rhs[:n]).sum(axis=0))
    assert TURN[:, 2] @ moment == pytest.approx(7.0 * np.pi * 1.0 * 0.3 * 1.0, rel=1e-3)
    assert abs(TURN[:, 0] @ moment) == pytest.approx(0.0, abs=7.0)


def test_nodal_forces_along_r_balance_around_a_ring():
    mesh = mapped(plate("quad8", (2, 8)), lambda p: np.column_stack([
        (1 + p[:, 0]) * np.cos(np.pi / 2 * p[:, 1]), (1 + p[:, 0]) * np.sin(np.pi / 2 * p[:, 1])]))  # fmt: skip
    load = {"region": "x1", "nodalForce": vector(x=2.0), "axes": {"cylindrical": {}}}
    given = elastic(
        sections=kinematics("plane_stress"),
        conditions=[{"region": r, "symmetry": {"normal": point(n)}} for r, n in (("y0", (0, 1)), ("y1", (1, 0)))],
        loads=[load],
    )
    solution = solve(mesh, given)
    rim = np.isclose(np.hypot(*mesh.points.T), 2.0)
    total = 2.0 * (mesh.points[rim] / 2.0).sum(axis=0)
    load_sum = np.array(solution.step.balance.load_sum)[:2]
    np.testing.assert_allclose(load_sum, total, rtol=1e-12)


def test_cases_scale_rotation_and_fluid():
    # A factor scales the force of a case, not its speed.
    spin = {"centrifugal": {"angularVelocity": value(30.0), "direction": point([0, 0, 1])}}
    fluid = {
        "region": "x1",
        "hydrostatic": {"down": point([0, 0, -1]), "specificWeight": value(9.0), "level": value(2.0)},
    }
    given = elastic(conditions=[{"region": "x0", "fixed": {}}], material={"density": value(0.1)})
    given["steps"][0] |= {
        "loadCases": [{"name": "spin", "loads": [spin]}, {"name": "fluid", "loads": [fluid]}],
        "combinations": [{"factors": {"spin": 2.0, "fluid": -0.5}}],
    }
    given["solver"] = {"method": "METHOD_DIRECT"}
    spun, wet, both = (solve(box("hex20"), given).field("displacement", frame=k) for k in range(3))
    assert np.abs(both - 2.0 * spun + 0.5 * wet).max() < 1e-10 * np.abs(both).max()
    faster = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        material={"density": value(0.1)},
        loads=[{"centrifugal": spin["centrifugal"] | {"angularVelocity": value(30.0 * 2**0.5)}}],
        solver=given["solver"],
    )
    assert np.abs(solve(box("hex20"), faster).field("displacement") - 2.0 * spun).max() < 1e-9 * np.abs(spun).max()
