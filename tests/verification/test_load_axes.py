"""Loads in axes of their own: a turned model with turned axes has the turned answer."""

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import elastic, kinematics, solve, value, vector

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
