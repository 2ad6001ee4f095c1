"""Linear buckling: columns, sheets and rings whose factors are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import Solution, elastic, kinematics, solve, vector
from verification import published

pytestmark = pytest.mark.published

E = 2.1e5
HELD = [{"region": "x0", "fixed": {}}]


def buckling(loads: list[Any], conditions: list[Any] = HELD, nu: float = 0.3, **asked: Any) -> dict[str, Any]:
    given = elastic(E=E, nu=nu)
    return given | {"steps": [{"buckling": asked, "conditions": conditions, "loads": loads}]}


def push(force: float, area: float) -> list[Any]:
    return [{"region": "x1", "traction": vector(x=-force / area)}]


def factors(ended: Solution, step: int = 0) -> np.ndarray:
    told = ended.result.steps[step]
    assert told.modes.missed == 0
    assert max(f.mode.error for f in told.frames) < 1e-6
    assert told.balance.equilibrium_error < 1e-7
    assert told.balance.energy_error < 1e-7
    return np.array([f.value for f in told.frames])


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_euler_column(ranks):
    """A cantilever 1000 x 20 x 20 mm: both planes buckle at the same load."""
    mesh = box("hex20", (30, 2, 2), (1000.0, 20.0, 20.0))
    # The root is held along the column and its middle across it, so that it can contract.
    held = [{"region": "x0", "displacement": vector(x=0.0)}]
    held += [{"region": "x0", "symmetry": {"normal": {"coordinates": n}}} for n in ([0, 1, 0], [0, 0, 1])]
    ended = solve(mesh, buckling(push(1.0, 400.0), held, nu=0.0, count=2), ranks=ranks)
    found = factors(ended)
    published.check(
        case="Euler column, solid",
        quantity=f"critical load, hex20, {ranks} rank(s)",
        source="Altair SimSolid verification VS16; pi^2 E I / 4 L^2",
        target=6909.0,
        ours=found[0],
        tolerance=0.002,
        unit="N",
    )
    assert found[1] == pytest.approx(found[0], rel=1e-6)
    u = ended.field("displacement")
    assert np.linalg.norm(u, axis=1).max() == pytest.approx(1.0, rel=1e-12)
    assert ended.step.frames[0].kind == ended.step.frames[0].KIND_BUCKLING


def test_column_of_tetrahedra_turned():
    """The same of another element, turned in space; the load goes with it."""
    Q = rotation((1.0, -2.0, 0.5), 1.1)
    straight = box("tet10", (24, 2, 2), (1000.0, 20.0, 20.0))
    mesh = mapped(straight, lambda p: p @ Q.T)
    axis = -Q[:, 0] / 400.0
    load = [{"region": "x1", "traction": vector(x=axis[0], y=axis[1], z=axis[2])}]
    turned = factors(solve(mesh, buckling(load, nu=0.0, count=2)))
    along = factors(solve(straight, buckling(push(1.0, 400.0), nu=0.0, count=2)))
    np.testing.assert_allclose(turned, along, rtol=1e-6)
    np.testing.assert_allclose(along, np.pi**2 * E * 20.0**4 / 12 / 4 / 1000.0**2, rtol=5e-3)


def test_tension_buckles_reversed():
    """A pulled column has negative factors only, of the size of the pushed one's."""
    mesh = box("hex20", (12, 1, 1), (500.0, 10.0, 10.0))
    pushed = factors(solve(mesh, buckling(push(1.0, 100.0), nu=0.0, count=2)))
    pulled = factors(solve(mesh, buckling(push(-1.0, 100.0), nu=0.0, count=2)))
    np.testing.assert_allclose(pulled, -pushed, rtol=1e-6)


def test_a_positive_factor_is_always_told():
    """Bending of a strip in its stiff plane: it tips over either way, and the factors come in pairs."""
    length = 400.0
    mesh = box("hex20", (20, 6, 2), (length, 20.0, 2.0))
    side = [{"region": "x1", "traction": vector(y=1.0 / 40.0)}]
    found = factors(solve(mesh, buckling(side, nu=0.0, count=1)))
    assert len(found) == 2
    assert found.max() == pytest.approx(-found.min(), rel=1e-6)
    # Lateral buckling of a cantilever with a force at its end: 4.013 sqrt(E I_z G J) / L^2 (Timoshenko, Gere, "Theory
    # of Elastic Stability", 1961, section 6.3); the clamped end keeps its section from warping: some percent more.
    G, Iz, J = E / 2, 20.0 * 2.0**3 / 12, 20.0 * 2.0**3 / 3 * (1 - 0.63 * 0.1)
    assert found.max() == pytest.approx(4.013 * np.sqrt(E * Iz * G * J) / length**2, rel=0.04)


def test_a_sheet_in_its_plane():
    """A column as a sheet in plane stress."""
    mesh = plate("quad8", (40, 2), (400.0, 10.0))
    loads = [{"region": "x1", "traction": vector(x=-1.0 / 30.0)}]
    given = buckling(loads, nu=0.0, count=2) | {"sections": kinematics("plane_stress", thickness=3.0)}
    found = factors(solve(mesh, given))
    exact = np.pi**2 * E * 3.0 * 10.0**3 / 12 / 4 / 400.0**2
    np.testing.assert_allclose(found, exact * np.array([1.0, 9.0]), rtol=[3e-3, 1e-2][1])
    assert found[0] == pytest.approx(exact, rel=2e-3)


def test_a_constant_prestress_takes_its_share():
    """Half of the critical load stands on the column already: the factor of the rest is the other half."""
    mesh = box("hex20", (12, 1, 1), (500.0, 10.0, 10.0))
    whole = factors(solve(mesh, buckling(push(1.0, 100.0), nu=0.0, count=1)))[0]
    given = elastic(E=E, nu=0.0)
    given["steps"] = [
        {"name": "stand", "static": {}, "conditions": HELD, "loads": push(0.5 * whole, 100.0)},
        {
            "name": "rest",
            "buckling": {"count": 1},
            "conditions": HELD,
            "loads": push(1.0, 100.0),
            "prestress": {"step": "stand"},
        },
    ]
    rest = factors(solve(mesh, given), 1)[0]
    assert rest == pytest.approx(0.5 * whole, rel=1e-4)
    given["steps"][0]["loads"] = push(2.0 * whole, 100.0)
    assert solve(mesh, given).failure.reason == "PRESTRESS_BUCKLES"


def test_prescribed_displacements_load_too():
    """The end is pushed by 1: the factor is the shortening at which the column gives way."""
    mesh = box("hex20", (12, 1, 1), (500.0, 10.0, 10.0))
    held = [*HELD, {"region": "x1", "displacement": vector(x=-1.0)}]
    found = factors(solve(mesh, buckling([], held, nu=0.0, count=1)))[0]
    # Its end is held straight, but may move sideways: clamped and guided, an effective length of L.
    force = np.pi**2 * E * 10.0**4 / 12 / 500.0**2
    assert found * E * 100.0 / 500.0 == pytest.approx(force, rel=5e-3)


def test_a_tube_in_compression_wrinkles():
    """Axisymmetric models have axisymmetric shapes: the classical stress E t / R sqrt(3 (1 - nu²))."""
    radius, t = 100.0, 1.0
    mesh = plate("quad8", (1, 80), (t, 100.0))
    mesh.points[:, 0] += radius - t / 2
    ends = [{"region": "y1", "traction": vector(y=-1.0)}]
    held = [{"region": "y0", "displacement": vector(y=0.0)}]
    across = [{"region": r, "displacement": vector(x=0.0)} for r in ("y0", "y1")]
    given = buckling(ends, held + across, nu=0.0, count=1) | {"sections": kinematics("axisymmetric")}
    ideal = E * t / radius / np.sqrt(3)
    assert factors(solve(mesh, given))[0] == pytest.approx(ideal, rel=0.02)


def test_a_load_that_comes_to_nothing():
    """It is seen where its values are."""
    nothing = {"region": "x1", "traction": {"x": {"expression": "0 * y"}}}
    assert solve(box("hex8", (2, 1, 1)), buckling([nothing])).failure.violations[0].reason == "BUCKLING_LOAD_ZERO"


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_column_loaded_through_a_reference_point(ranks):
    """Euler's load again: the force acts on the point of a coupling."""
    length, h = 500.0, 10.0
    mesh = box("hex20", (12, 1, 1), (length, h, h))
    given = buckling([{"referenceForce": {"coupling": "tip", "force": vector(x=-1.0)}}], nu=0.0, count=2)
    given["couplings"] = {"tip": {"region": "x1", "point": {"coordinates": [length, h / 2, h / 2]}, "kinematic": {}}}
    ended = solve(mesh, given, ranks=ranks)
    np.testing.assert_allclose(factors(ended), np.pi**2 * E * h**4 / 12 / 4 / length**2, rtol=3e-3)
    assert ended.step.balance.load_sum[0] == pytest.approx(-1.0)


def test_a_spring_at_the_tip_braces_a_column():
    """A stiff spring across the tip: clamped and pinned, 20.19 E I / L^2 (Timoshenko, Gere, section 2.3)."""
    length, h = 500.0, 10.0
    mesh = box("hex20", (16, 1, 1), (length, h, h))
    given = buckling(push(1.0, h * h), [*HELD, {"region": "z0", "symmetry": {}}], nu=0.0, count=1)
    given["springs"] = [{"at": {"region": "x1"}, "stiffness": vector(y=1e5)}]
    found = factors(solve(mesh, given))
    assert found[0] == pytest.approx(20.19 * E * h**4 / 12 / length**2, rel=0.01)
