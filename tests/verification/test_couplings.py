"""Reference points: beams loaded through them against the theory of beams, prescribed motions, reactions."""

import numpy as np
import pytest

from linked_models import turned
from meshgen import box, plate
from solving import check_model, elastic, kinematics, solve, store, value, vector

DIRECT = {"method": "METHOD_DIRECT"}
L, B, H, E = 10.0, 1.0, 2.0, 2.1e5
AREA, IY, IZ = B * H, B * H**3 / 12, H * B**3 / 12


def beam(kind="hex20", n=(10, 2, 4)):
    return box(kind, n, (L, B, H))


def loaded(coupling, force, moment, nu=0.0, **more):
    load = {"coupling": "head", "force": vector(**force), "moment": vector(**moment)}
    return elastic(
        E=E,
        nu=nu,
        couplings={"head": {"region": "x1"} | coupling},
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"referenceForce": load}],
        solver=DIRECT,
        **more,
    )


def test_pure_bending_and_tension_are_exact():
    """Without Poisson's ratio a beam in bending has stress x alone, which a distributing coupling puts in exactly."""
    moment, force = 700.0, 300.0
    solution = solve(beam(), loaded({"distributing": {}}, {"x": force}, {"y": moment}))
    point = solution.step.points[0]
    motion = dict(zip(point.motions, point.motion, strict=True))
    assert motion["translation x"] == pytest.approx(force * L / (E * AREA), rel=1e-9)
    assert motion["rotation y"] == pytest.approx(moment * L / (E * IY), rel=1e-9)
    assert motion["translation z"] == pytest.approx(-moment * L**2 / (2 * E * IY), rel=1e-9)
    z = beam().points[:, 2] - H / 2
    stress = solution.field("stress")
    assert np.abs(stress[:, 0] - (force / AREA + moment / IY * z)).max() < 1e-7
    assert np.abs(stress[:, 1:]).max() < 1e-7


@pytest.mark.parametrize("coupling", [{"distributing": {}}, {"kinematic": {}}])
def test_a_force_off_the_end(coupling):
    """A force on a point beyond the end acts with its arm; deflection by Timoshenko's theory, to a hundredth."""
    arm, force = 5.0, -100.0
    place = {"point": {"coordinates": [L + arm, B / 2, H / 2]}}
    solution = solve(beam(), loaded(coupling | place, {"z": force}, {}))
    point = solution.step.points[0]
    motion = dict(zip(point.motions, point.motion, strict=True))
    M = force * arm
    rotation = force * L**2 / (2 * E * IY) + M * L / (E * IY)
    end = force * L**3 / (3 * E * IY) + M * L**2 / (2 * E * IY) + force * L / (5 / 6 * E / 2 * AREA)
    assert motion["rotation y"] == pytest.approx(-rotation, rel=1e-2)
    assert motion["translation z"] == pytest.approx(end + rotation * arm, rel=1e-2)
    balance = solution.step.balance
    assert balance.load_sum[2] == pytest.approx(force)
    assert balance.reaction_sum[2] == pytest.approx(-force)
    assert balance.equilibrium_error < 1e-10
    assert balance.energy_error < 1e-10


def test_torsion_of_a_turned_beam():
    """A moment about the axis turns the end, however the beam lies in space."""
    answers = []
    for around in (False, True):
        mesh, Q = turned(beam()) if around else (beam(), np.eye(3))
        moment = dict(zip("xyz", Q @ [50.0, 0, 0], strict=True))
        point = solve(mesh, loaded({"kinematic": {}}, {}, moment, nu=0.3)).step.points[0]
        answers.append(Q.T @ np.array(point.motion[3:]))
    assert answers[0] == pytest.approx(answers[1], rel=1e-7, abs=1e-12)
    # Thin rectangles have J = β h b³, β(2) = 0.229 (Timoshenko, Goodier, "Theory of Elasticity", table of § 109); the
    # held ends stiffen it a little.
    theory = 50.0 * L / (E / 2.6 * 0.229 * H * B**3)
    assert answers[0][0] == pytest.approx(theory, rel=0.06)
    assert answers[0][0] < theory


def test_prescribed_motion_and_its_reaction():
    """The reaction of a prescribed rotation is the moment that makes it."""
    moment = 700.0
    given = loaded({"distributing": {}}, {}, {"y": moment})
    angle = moment * L / (E * IY)
    given["steps"][0]["loads"] = []
    given["steps"][0]["conditions"].append({"referenceMotion": {"coupling": "head", "rotationY": value(angle)}})
    solution = solve(beam(), given)
    point = solution.step.points[0]
    assert point.reaction[4] == pytest.approx(moment, rel=1e-9)
    assert np.abs(np.delete(point.reaction, 4)).max() < 1e-8 * moment
    assert solution.step.balance.energy_error < 1e-10


def test_load_cases_and_their_combination():
    given = loaded({"kinematic": {}}, {"x": 1.0}, {})
    step = given["steps"][0]
    step["loads"] = []
    cases = ({"force": vector(z=-100.0)}, {"moment": vector(z=30.0)})
    step["loadCases"] = [
        {"name": name, "loads": [{"referenceForce": {"coupling": "head"} | load}]}
        for name, load in zip("ab", cases, strict=True)
    ]
    step["combinations"] = [{"name": "c", "factors": {"a": 1.5, "b": -2.0}}]
    solution = solve(beam(), given)
    a, b, c = (np.array(f.points[0].motion) for f in solution.step.frames)
    np.testing.assert_allclose(c, 1.5 * a - 2.0 * b, atol=1e-15)
    u = [solution.field("displacement", frame=k) for k in range(3)]
    np.testing.assert_allclose(u[2], 1.5 * u[0] - 2.0 * u[1], atol=1e-14)
    assert all(f.balance.energy_error < 1e-10 for f in solution.step.frames)
    assert solution.step.solve.setups == 1


def test_in_the_plane():
    mesh = plate("quad8", (10, 4), (L, H))
    given = loaded({"distributing": {}}, {"x": 300.0}, {"z": 700.0}, sections=kinematics("plane_stress", thickness=B))
    point = solve(mesh, given).step.points[0]
    assert list(point.motions) == ["translation x", "translation y", "rotation z"]
    assert point.motion[0] == pytest.approx(300.0 * L / (E * AREA), rel=1e-9)
    assert point.motion[2] == pytest.approx(700.0 * L / (E * IY), rel=1e-9)


def test_a_ring_is_pressed_along_its_axis():
    mesh = plate("quad8", (2, 4), (1.0, 3.0))
    given = elastic(
        E=E,
        nu=0.0,
        sections=kinematics("axisymmetric"),
        couplings={"head": {"region": "y1", "distributing": {}}},
        conditions=[{"region": "y0", "displacement": {"y": value(0.0)}}],
        loads=[{"referenceForce": {"coupling": "head", "force": vector(y=-500.0)}}],
        solver=DIRECT,
    )
    point = solve(mesh, given).step.points[0]
    assert list(point.motions) == ["translation y"]
    assert point.motion[0] == pytest.approx(-500.0 * 3.0 / (E * np.pi), rel=1e-9)


def test_some_components_follow():
    """Only x follows: the end stays plane but contracts freely, as in tension it should."""
    given = loaded({"kinematic": {"components": ["COMPONENT_X"]}}, {"x": 300.0}, {}, nu=0.3)
    given["steps"][0]["conditions"] = [
        {"region": "x0", "symmetry": {}},
        {"region": "y0", "symmetry": {}},
        {"region": "z0", "symmetry": {}},
    ]
    solution = solve(beam("hex8", (3, 2, 2)), given)
    assert np.abs(solution.field("stress") - [300.0 / AREA, 0, 0, 0, 0, 0]).max() < 1e-9
    given["steps"][0]["loads"][0]["referenceForce"]["force"]["z"] = value(1.0)
    found = check_model(beam("hex8", (3, 2, 2)), given).violations
    assert [v.reason for v in found] == ["POINT_LOAD_NOT_TAKEN"]


@pytest.mark.mpi
@pytest.mark.parametrize("coupling", [{"distributing": {}}, {"kinematic": {}}])
def test_the_same_on_several_ranks(coupling):
    stored = store(beam("tet10", (4, 2, 2)))
    given = loaded(coupling, {"z": -100.0}, {"x": 20.0})
    one, three = solve(stored, given), solve(stored, given, 3)
    a, b = one.field("displacement"), three.field("displacement")
    assert np.abs(a - b).max() < 1e-9 * np.abs(a).max()
    assert list(three.step.points[0].motion) == pytest.approx(list(one.step.points[0].motion), rel=1e-8, abs=1e-12)
    assert three.step.balance.energy_error < 1e-9


def test_a_body_on_a_free_point_is_loose():
    given = loaded({"kinematic": {}}, {"z": -100.0}, {})
    given["steps"][0]["conditions"] = []
    assert [v.reason for v in check_model(beam("hex8", (2, 1, 1)), given).violations] == ["FREE_MODES"]
    motion = {"coupling": "head"} | {c: value(0.0) for c in ("x", "y", "z", "rotationX", "rotationY", "rotationZ")}
    given["steps"][0]["conditions"] = [{"referenceMotion": motion}]
    assert not check_model(beam("hex8", (2, 1, 1)), given).violations
