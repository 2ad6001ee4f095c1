"""Radiation to surroundings, steady and over time.

NAFEMS T2: a bar of 0.1 m, one end at 1000 K, the other radiating with ε = 0.98 to 300 K. Target: 927 K at that end.
Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, October 1990, test T2, as given by the Abaqus Benchmarks
Manual. Tolerance: 0.1 %; the root of k (1000 - T)/L = ε σ (T⁴ - 300⁴) is 927.0076, which is met to rounding, the field
being linear.

A body of one temperature everywhere that radiates into nothing: ρ c V dT/dt = -ε σ A T⁴, so that
1/T³ = 1/T₀³ + 3 ε σ A t/(ρ c V).
"""

import numpy as np
import pytest
from scipy import optimize

from mapped import mapped, rotation
from meshgen import box, plate
from solving import check_model, heat, kinematics, solve, value
from transients import transient
from verification import published

pytestmark = pytest.mark.published

K, L, EMISSIVITY, SIGMA = 55.6, 0.1, 0.98, 5.67e-8
ROOT = optimize.brentq(lambda T: K * (1000 - T) / L - EMISSIVITY * SIGMA * (T**4 - 300**4), 300, 1000)


def radiating(region="x1", ambient=300.0, emissivity=EMISSIVITY, sigma=SIGMA):
    given = {"emissivity": value(emissivity), "ambient": value(ambient)}
    if sigma:
        given["constant"] = value(sigma)
    return {"region": region, "radiation": given}


def bar(**more):
    conditions = [{"region": "x0", "temperature": value(1000.0)}]
    return heat(K, conditions=conditions, loads=[radiating()], **more)


MESHES = {
    "quad4": plate("quad4", (3, 1), size=(L, 0.01)),
    "tri6": plate("tri6", (2, 1), size=(L, 0.01)),
    "hex8": box("hex8", (3, 1, 1), (L, 0.01, 0.01)),
    "tet10": box("tet10", (2, 1, 1), (L, 0.02, 0.02)),
    "wedge15": box("wedge15", (2, 1, 1), (L, 0.02, 0.02)),
}


@pytest.mark.parametrize("cell", MESHES)
def test_nafems_t2(cell):
    ended = solve(MESHES[cell], bar())
    found = ended.field("temperature").min()
    published.check(
        case=f"NAFEMS T2, {cell}",
        quantity="temperature of the radiating end",
        source="NAFEMS, TNSB rev. 3, 1990, T2 (Abaqus Benchmarks Manual)",
        target=927.0,
        ours=found,
        tolerance=1e-3,
        unit="K",
    )
    assert found == pytest.approx(ROOT, rel=1e-9)
    assert pytest.approx(927.0076, abs=5e-5) == ROOT
    record = ended.step.solve
    # Quadratic at the end: each correction is of the order of the square of the one before.
    assert 3 <= len(record.newton_corrections) <= 8
    assert record.newton_residuals[-1] < 1e-10
    assert record.newton_corrections[-1] < 1e-3
    assert ended.step.balance.equilibrium_error < 1e-9
    assert ended.step.balance.energy_error < 1e-9
    assert ended.step.balance.load_sum[0] == pytest.approx(-ended.step.balance.reaction_sum[0], rel=1e-9)


def test_iterating_on_two_ranks():
    given = bar(solver={"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12})
    mesh = box("tet4", (8, 2, 2), (L, 0.02, 0.02))
    whole = solve(mesh, given)
    assert whole.field("temperature").min() == pytest.approx(ROOT, rel=1e-9)
    assert whole.step.solve.iterations > 0
    parts = solve(mesh, given, ranks=2)
    np.testing.assert_allclose(parts.field("temperature"), whole.field("temperature"), rtol=1e-10)


def test_a_turned_bar():
    turn = rotation((1.0, 2.0, 3.0), 0.7)
    mesh = mapped(MESHES["hex8"], lambda p: p @ turn.T)
    assert solve(mesh, bar()).field("temperature").min() == pytest.approx(ROOT, rel=1e-9)


def test_other_units():
    """In millimetres and tonnes, in degrees Celsius; the constant is that of the system, or given."""
    exact = optimize.brentq(lambda T: K * (1000 - T) / L - EMISSIVITY * 5.670374419e-8 * (T**4 - 300**4), 300, 1000)
    conditions = [{"region": "x0", "temperature": value(1000.0 - 273.15)}]
    explicit = {"system": "SYSTEM_EXPLICIT", "length": "mm", "mass": "t", "time": "s", "absoluteZero": -273.15}
    for units, sigma in (
        ({"system": "SYSTEM_MM_T_S", "absoluteZero": -273.15}, 0.0),
        (explicit, 5.670374419e-11),
    ):
        loads = [radiating(ambient=300 - 273.15, sigma=sigma)]
        given = heat(K, conditions=conditions, loads=loads, units=units)
        found = solve(box("hex8", (3, 1, 1), (100.0, 10.0, 10.0)), given).field("temperature").min()
        assert found + 273.15 == pytest.approx(exact, rel=1e-9)


def test_about_an_axis():
    """Between two cylinders: 2 π k (T₁ - T)/ln(b/a) = ε σ 2 π b (T⁴ - T∞⁴)."""
    a, b = 0.1, 0.3
    mesh = mapped(plate("quad8", (12, 1)), lambda p: np.stack([a + (b - a) * p[:, 0], 0.1 * p[:, 1]], axis=1))
    given = bar(sections=kinematics("axisymmetric"))
    exact = optimize.brentq(
        lambda T: K * (1000 - T) / np.log(b / a) - EMISSIVITY * SIGMA * b * (T**4 - 300**4), 300, 1000
    )
    assert solve(mesh, given).field("temperature").min() == pytest.approx(exact, rel=1e-6)


def test_radiation_alone_holds_the_temperature():
    """What the source generates is radiated: the mean over the surface follows; begun far away too."""
    mesh = box("hex8", (2, 2, 2))
    source = {"region": "", "heatSource": value(6000.0)}
    faces = [radiating(r) for r in ("x0", "x1", "y0", "y1", "z0", "z1")]
    exact = (300.0**4 + 1000.0 / (EMISSIVITY * SIGMA)) ** 0.25
    for initial in ({}, {"initial": {"temperature": value(100.0)}}, {"initial": {"temperature": value(5000.0)}}):
        given = heat(1e6, loads=[source, *faces])
        given["steps"][0] |= initial
        ended = solve(mesh, given)
        np.testing.assert_allclose(ended.field("temperature"), exact, rtol=1e-3)
        assert ended.step.balance.load_sum[0] == pytest.approx(0.0, abs=1e-5)


def test_load_cases_are_solved_one_by_one():
    given = bar()
    given["steps"][0]["loadCases"] = [
        {"name": "hot"},
        {"name": "cool", "conditions": [{"region": "x0", "temperature": value(500.0)}]},
    ]
    ended = solve(MESHES["quad4"], given)
    cool = optimize.brentq(lambda T: K * (500 - T) / L - EMISSIVITY * SIGMA * (T**4 - 300**4), 300, 1000)
    assert ended.field("temperature", frame=0).min() == pytest.approx(ROOT, rel=1e-9)
    assert ended.field("temperature", frame=1).min() == pytest.approx(cool, rel=1e-9)
    given["steps"][0]["combinations"] = [{"name": "both", "factors": {"hot": 1.0, "cool": 1.0}}]
    (found,) = check_model(MESHES["quad4"], given).violations
    assert (found.reason, found.field) == ("COMBINATION_NONLINEAR", "steps[0].combinations")


def test_a_body_that_radiates_into_nothing():
    mesh = box("hex8", (1, 1, 1))
    loads = [radiating("x1", ambient=0.0, emissivity=1.0)]
    times = [100.0, 1000.0]
    given = transient(1e6, 1e3, duration=1000.0, initial=1000.0, times=times, loads=loads, options={"tolerance": 3e-4})
    ended = solve(mesh, given)
    exact = [(1 / 1000.0**3 + 3 * SIGMA * t / 1e3) ** (-1 / 3) for t in times]
    for k, T in enumerate(exact):
        np.testing.assert_allclose(ended.field("temperature", frame=k), T, rtol=1e-3)
    history = ended.step.heat_history
    assert history.balance_error < 1e-9
    assert history.stored[-1] == pytest.approx(1e3 * (exact[-1] - 1000.0), rel=2e-3)
    assert history.newton_iterations > 2 * history.steps


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        ({"emissivity": value(1.2)}, "EMISSIVITY_OUT_OF_RANGE", "emissivity"),
        ({"emissivity": value(0.0)}, "EMISSIVITY_OUT_OF_RANGE", "emissivity"),
        ({"constant": value(-1.0)}, "VALUE_NOT_POSITIVE", "constant"),
        ({"ambient": value(-1.0)}, "TEMPERATURE_BELOW_ABSOLUTE_ZERO", "ambient"),
    ],
)
def test_what_cannot_radiate_is_refused(change, reason, place):
    given = bar()
    given["steps"][0]["loads"][0]["radiation"] |= change
    (found,) = check_model(MESHES["quad4"], given).violations
    assert (found.reason, found.field) == (reason, f"steps[0].loads[0].radiation.{place}")


def test_what_is_missing_is_told():
    given = heat(
        K, loads=[radiating(sigma=0.0)], units={"system": "SYSTEM_EXPLICIT", "length": "in", "mass": "lb", "time": "s"}
    )
    (found,) = check_model(MESHES["quad4"], given).violations
    assert (found.reason, found.field) == ("STEFAN_BOLTZMANN_MISSING", "steps[0].loads[0].radiation.constant")
    given = heat(K, loads=[{"region": "x1", "radiation": {"emissivity": value(0.5)}}])
    (found,) = check_model(MESHES["quad4"], given).violations
    assert (found.reason, found.field) == ("VALUE_MISSING", "steps[0].loads[0].radiation.ambient")
