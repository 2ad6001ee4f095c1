"""Conductivity, film coefficient and specific heat as tables over temperature, beside closed forms.

Kirchhoff's transformation: with θ(T) = ∫ k dT, div(k grad T) = 0 becomes Laplace's equation for θ. In a wall between
two temperatures θ is linear; between two cylinders it is linear in ln r.
Source: Carslaw, Jaeger, "Conduction of Heat in Solids", 1959, section 1.6.
"""

import numpy as np
import pytest
from scipy import optimize

from mapped import at, mapped, rotation
from meshgen import box, plate
from solving import Discrete, check_model, heat, kinematics, solve, value
from transients import film, transient

#: k = 10 at 0 to 50 at 400, linear, constant beyond.
AT, K = (0.0, 400.0), (10.0, 50.0)
TABLE = {"overTemperature": {"at": list(AT), "value": list(K)}}
HOT, COLD = 500.0, 100.0


def theta(T):
    """∫ k dT from 0."""
    inside = np.clip(T, *AT)
    return K[0] * inside + (K[1] - K[0]) / (AT[1] - AT[0]) * inside**2 / 2 + K[1] * np.maximum(T - AT[1], 0.0)


def temperature(wanted):
    return optimize.brentq(lambda T: theta(T) - wanted, -10.0, 1000.0)


def wall(**more):
    conditions = [{"region": "x0", "temperature": value(HOT)}, {"region": "x1", "temperature": value(COLD)}]
    given = heat(1.0, conditions=conditions, **more)
    given["materials"]["m"]["conductivity"] = TABLE
    return given


@pytest.mark.parametrize(("cell", "n"), [("quad4", 40), ("tri6", 10), ("quad8", 10)])
def test_wall_in_the_plane(cell, n):
    mesh = plate(cell, (n, 2), size=(1.0, 0.2))
    ended = solve(mesh, wall(solver={"method": "METHOD_DIRECT"}))
    for x in (0.25, 0.5, 0.75) if n == 40 else (0.2, 0.5, 0.8):
        exact = temperature(theta(HOT) + (theta(COLD) - theta(HOT)) * x)
        assert ended.field("temperature")[at(mesh.points, (x, 0.0)), 0] == pytest.approx(exact, rel=2e-4)
    flow = (theta(HOT) - theta(COLD)) * 0.2
    assert ended.step.reactions[0].sum[0] == pytest.approx(flow, rel=1e-3)
    record = ended.step.solve
    # The tangent is the right one: corrections fall quadratically.
    assert len(record.newton_corrections) <= 8
    assert record.newton_residuals[-1] < 1e-9
    assert "LU" in record.method
    assert ended.step.balance.energy_error < 1e-9
    assert ended.step.balance.equilibrium_error < 1e-9


def test_wall_in_space_iterated_turned_and_on_two_ranks():
    mesh = box("tet10", (6, 2, 2), (1.0, 0.3, 0.3))
    tight = {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}
    whole = solve(mesh, wall(solver=tight))
    assert "GMRES" in whole.step.solve.method
    exact = temperature((theta(HOT) + theta(COLD)) / 2)
    assert whole.field("temperature")[at(mesh.points, (0.5, 0.0, 0.0)), 0] == pytest.approx(exact, rel=1e-3)
    turn = rotation((1.0, 2.0, 3.0), 0.7)
    for other in (
        solve(mesh, wall(solver=tight), ranks=2),
        solve(mapped(mesh, lambda p: p @ turn.T), wall()),
    ):
        np.testing.assert_allclose(other.field("temperature"), whole.field("temperature"), rtol=1e-8)


def test_between_two_cylinders():
    a, b = 1.0, 3.0
    mesh = mapped(plate("quad8", (16, 1)), lambda p: np.stack([a + (b - a) * p[:, 0], 0.2 * p[:, 1]], axis=1))
    ended = solve(mesh, wall(sections=kinematics("axisymmetric")))
    exact = temperature(theta(HOT) + (theta(COLD) - theta(HOT)) * np.log(2.0) / np.log(3.0))
    assert ended.field("temperature")[at(mesh.points, (2.0, 0.0)), 0] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(("cell", "rate"), [("tri3", 2), ("quad8", 3)])
def test_rate(cell, rate):
    """θ = 3000 + 1000 (x² - y²) is harmonic: the temperature that belongs to it is the solution, on an uneven mesh."""
    exact = np.vectorize(temperature)

    def field(p):
        return exact(3000 + 1000 * (p[:, :1] ** 2 - p[:, 1:2] ** 2))

    def slope(p):
        k = np.interp(field(p), AT, K)
        return (2000 * p * np.array([1.0, -1.0]) / k)[:, None]

    # The inverse of θ within the table, as an expression.
    T = {"expression": "-100 + sqrt(10000 + 20*(3000 + 1000*(x*x - y*y)))"}
    errors = []
    for n in (4, 8, 16) if cell == "tri3" else (2, 4, 8):
        mesh = plate(cell, (n, n), distort=0.2)
        given = heat(1.0, conditions=[{"region": r, "temperature": T} for r in ("x0", "x1", "y0", "y1")])
        given["materials"]["m"]["conductivity"] = TABLE
        found = solve(mesh, given).field("temperature")
        discrete = Discrete(mesh, given)
        errors.append(discrete.errors(found[discrete.model.part.nodes], field, slope)[0])
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(rate, abs=0.15)


def test_orthotropic_conductivity_over_temperature():
    mesh = plate("quad8", (10, 2), size=(1.0, 0.2))
    given = wall()
    given["materials"]["m"] = {"orthotropicConductivity": {"k1": TABLE, "k2": value(5.0), "k3": value(7.0)}}
    exact = temperature((theta(HOT) + theta(COLD)) / 2)
    found = solve(mesh, given).field("temperature")
    assert found[at(mesh.points, (0.5, 0.0)), 0] == pytest.approx(exact, rel=2e-4)


def test_film_over_temperature():
    """k (T₀ - T)/L = h(T) (T - T∞), h growing with the temperature of the surface."""
    h = {"overTemperature": {"at": [20.0, 500.0], "value": [5.0, 200.0]}}
    load = {"region": "x1", "convection": {"coefficient": h, "ambient": value(20.0)}}
    held = [{"region": "x0", "temperature": value(400.0)}]
    given = heat(20.0, conditions=held, loads=[load], solver={"method": "METHOD_DIRECT"})
    exact = optimize.brentq(lambda T: 20 * (400 - T) / 0.1 - np.interp(T, [20, 500], [5, 200]) * (T - 20), 20, 400)
    for mesh in (plate("quad4", (2, 1), size=(0.1, 0.05)), box("hex8", (2, 1, 1), (0.1, 0.05, 0.05))):
        ended = solve(mesh, given)
        assert ended.field("temperature").min() == pytest.approx(exact, rel=1e-9)
        assert "Cholesky" in ended.step.solve.method


def test_film_that_falls_with_the_temperature():
    """As in boiling: more heat leaves the colder surface, so that the tangent of the film would be negative."""
    h = {"overTemperature": {"at": [100.0, 200.0], "value": [1000.0, 100.0]}}
    load = {"region": "x1", "convection": {"coefficient": h, "ambient": value(20.0)}}
    given = heat(400.0, conditions=[{"region": "x0", "temperature": value(300.0)}], loads=[load])
    exact = optimize.brentq(lambda T: 400 * (300 - T) / 0.1 - np.interp(T, [100, 200], [1000, 100]) * (T - 20), 20, 300)
    ended = solve(plate("quad4", (2, 1), size=(0.1, 0.05)), given)
    assert ended.field("temperature").min() == pytest.approx(exact, rel=1e-6)


def test_specific_heat_over_temperature():
    """A body of one temperature: heat s t has entered, and e(T) = ∫ ρ c dT of the table says how warm it is."""
    c = {"overTemperature": {"at": [0.0, 100.0], "value": [1.0, 3.0]}}
    source = {"region": "", "heatSource": value(150.0)}
    given = transient(
        1.0, initial=0.0, duration=2.0, times=[0.5, 1.0, 2.0], loads=[source], material={"specificHeat": c}
    )
    for cell in ("quad4", "quad8"):
        ended = solve(plate(cell, (2, 2)), given)
        # e = T + T²/100 below 100, 200 + 3 (T - 100) above.
        for k, heat_in in enumerate((75.0, 150.0, 300.0)):
            exact = -50 + np.sqrt(2500 + 100 * heat_in) if heat_in <= 200 else 100 + (heat_in - 200) / 3
            np.testing.assert_allclose(ended.field("temperature", frame=k), exact, rtol=1e-8)
        history = ended.step.heat_history
        assert history.stored[-1] == pytest.approx(300.0, rel=1e-9)
        assert history.balance_error < 1e-9


def test_everything_over_temperature_over_time():
    """The wall of above, from uniform to steady: it ends in the steady state, and its heat is accounted for."""
    mesh = plate("quad8", (10, 1), size=(1.0, 0.1))
    conditions = wall()["steps"][0]["conditions"]
    c = {"overTemperature": {"at": [0.0, 300.0, 500.0], "value": [1.0, 4.0, 1.0]}}
    material = {"conductivity": TABLE, "specificHeat": c}
    quick = {"tolerance": 1e-2}
    given = transient(
        initial=COLD, duration=2.0, times=[0.02, 2.0], conditions=conditions, material=material, options=quick
    )
    ended = solve(mesh, given)
    exact = temperature((theta(HOT) + theta(COLD)) / 2)
    node = at(mesh.points, (0.5, 0.0))
    assert ended.field("temperature", frame=0)[node, 0] < exact - 10
    assert ended.field("temperature", frame=1)[node, 0] == pytest.approx(exact, rel=1e-3)
    assert ended.step.heat_history.balance_error < 1e-6
    with_film = transient(1.0, initial=COLD, loads=[film("x1", 1.0)], material=material, options=quick)
    assert solve(mesh, with_film).step.heat_history.balance_error < 1e-6


@pytest.mark.parametrize(
    ("table", "reason", "place"),
    [
        ({"at": [0.0, 1.0], "value": [1.0, -1.0]}, "CONDUCTIVITY_NOT_POSITIVE", ""),
        ({"at": [1.0, 0.0], "value": [1.0, 1.0]}, "TABLE_NOT_ASCENDING", ".over_temperature.at[1]"),
        ({"at": [0.0], "value": [1.0, 1.0]}, "TABLE_LENGTHS_DIFFER", ".over_temperature"),
        ({"at": [], "value": []}, "TABLE_EMPTY", ".over_temperature"),
    ],
)
def test_a_table_that_cannot_be_is_refused(table, reason, place):
    given = wall()
    given["materials"]["m"]["conductivity"] = {"overTemperature": table}
    found = check_model(plate("quad4", (1, 1)), given).violations
    assert (reason, f'materials["m"].conductivity{place}') in [(v.reason, v.field) for v in found]


def test_load_cases_of_a_wall_cannot_be_combined():
    given = wall()
    given["steps"][0] |= {"loadCases": [{"name": "a"}], "combinations": [{"factors": {"a": 2.0}}]}
    (found,) = check_model(plate("quad4", (1, 1)), given).violations
    assert (found.reason, found.field) == ("COMBINATION_NONLINEAR", "steps[0].combinations")
