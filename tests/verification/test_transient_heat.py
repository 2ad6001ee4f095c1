"""Bodies that warm up and cool down, beside exact solutions.

Sources in tests/transients.py (series of Carslaw and Jaeger); a body of one temperature everywhere follows an ordinary
differential equation that is solved in closed form. Tolerances: 1e-3 of the initial excess for the series on meshes of
some ten cells; what is exact in space and time to rounding.
"""

import numpy as np
import pytest

from mapped import at, mapped, rotation
from meshgen import box, plate
from solving import Discrete, kinematics, solve, value
from transients import cylinder, film, slab, sphere, transient

TIGHT = {"tolerance": 1e-5}


def at_frames(solution, mesh, place):
    """Temperatures at a node in all frames."""
    node = at(mesh.points, place)
    return [float(solution.field("temperature", frame=k)[node, 0]) for k in range(len(solution.step.frames))]


def balanced(solution):
    history = solution.step.heat_history
    assert history.balance_error < 1e-9
    for frame in solution.step.frames:
        assert frame.balance.equilibrium_error < 1e-8
        assert frame.balance.energy_error < 1e-7
    return history


@pytest.mark.parametrize("cell", ["tri6", "quad8", "quad4"])
def test_slab_whose_face_is_held(cell):
    mesh = plate(cell, (12 if cell != "quad4" else 30, 1), size=(1.0, 0.1))
    times = [0.05, 0.2, 0.5, 1.0]
    conditions = [{"region": "x1", "temperature": value(0.0)}]
    ended = solve(mesh, transient(initial=1.0, times=times, conditions=conditions))
    for place in (0.0, 0.5):
        found = at_frames(ended, mesh, (place, 0.0))
        np.testing.assert_allclose(found, [slab(place, t) for t in times], atol=1e-3)
    history = balanced(ended)
    assert list(history.time)[-1] == 1.0
    if cell == "quad4":  # lumped
        assert max(history.max_temperature) <= 1.0 + 1e-9
    assert [f.value for f in ended.step.frames] == times
    # Heat leaves through the condition alone.
    assert history.by_loads[-1] == 0.0
    assert history.stored[-1] == pytest.approx(history.by_conditions[-1], rel=1e-9)


def test_slab_with_a_film_in_space():
    mesh = box("hex20", (8, 1, 1), (1.0, 0.1, 0.1))
    times = [0.1, 0.5, 1.0]
    ended = solve(mesh, transient(initial=30.0, times=times, loads=[film("x1", 2.0, 20.0)]))
    for place in (0.0, 1.0):
        found = at_frames(ended, mesh, (place, 0.0, 0.0))
        np.testing.assert_allclose(found, [20 + 10 * slab(place, t, 2.0) for t in times], atol=1e-2)
    history = balanced(ended)
    assert history.stored[-1] == pytest.approx(history.by_loads[-1], rel=1e-9)


def test_long_cylinder():
    mesh = plate("quad8", (8, 1), size=(1.0, 0.2))
    times = [0.1, 0.3, 1.0]
    given = transient(initial=1.0, times=times, loads=[film("x1", 1.0)], sections=kinematics("axisymmetric"))
    ended = solve(mesh, given)
    for place in (0.0, 1.0):
        found = at_frames(ended, mesh, (place, 0.0))
        np.testing.assert_allclose(found, [cylinder(place, t, 1.0) for t in times], atol=1e-3)
    history = balanced(ended)
    # Heat is that of the whole ring: initially pi * 0.2.
    mean = (history.stored[-1] + np.pi * 0.2) / (np.pi * 0.2)
    assert cylinder(1.0, 1.0, 1.0) < mean < cylinder(0.0, 1.0, 1.0)


def ball(p):
    """A unit square as a quarter of a disc, but for a small hole about the centre."""
    r, angle = 0.02 + 0.98 * p[:, 0], p[:, 1] * np.pi / 2
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def test_sphere():
    mesh = mapped(plate("quad8", (8, 4)), ball)
    times = [0.1, 0.3, 1.0]
    given = transient(initial=1.0, times=times, loads=[film("x1", 1.0)], sections=kinematics("axisymmetric"))
    ended = solve(mesh, given)
    np.testing.assert_allclose(at_frames(ended, mesh, (0.0, 1.0)), [sphere(1.0, t, 1.0) for t in times], atol=2e-3)
    balanced(ended)


def test_body_of_one_temperature_with_a_film():
    """ρ c V dT/dt = h A (T∞ - T): k so large that the temperature is the same everywhere."""
    mesh = box("hex8", (2, 1, 1), (2.0, 1.0, 1.0))
    times = [0.5, 1.0, 4.0]
    given = transient(1e6, 3.0, duration=4.0, initial=100.0, times=times, loads=[film("x1", 6.0, 20.0)], options=TIGHT)
    exact = [20 + 80 * np.exp(-t) for t in times]
    np.testing.assert_allclose(at_frames(solve(mesh, given), mesh, (0.0, 0.0, 0.0)), exact, atol=80 * 5e-5)


def test_heat_source_over_time():
    """Nothing leaves: ρ c T = ∫ s dt, and a parabola in time is exact with a method of second order."""
    mesh = plate("tri3", (3, 3))
    source = {"region": "", "heatSource": {"expression": "6*t"}}
    ended = solve(mesh, transient(1.0, 3.0, duration=2.0, initial=5.0, times=[1.0, 2.0], loads=[source]))
    np.testing.assert_allclose(at_frames(ended, mesh, (0.0, 0.0)), [6.0, 9.0], rtol=1e-9)
    assert balanced(ended).by_loads[-1] == pytest.approx(12.0, rel=1e-9)


def test_time_steps_end_where_a_table_has_a_kink():
    mesh = plate("quad4", (2, 2))
    flux = {"region": "x1", "heatFlux": {"overTime": {"at": [0.0, 0.3, 0.7], "value": [1.0, 1.0, 0.0]}}}
    ended = solve(mesh, transient(1e6, loads=[flux], options={"maxStep": value(0.2)}))
    times = list(ended.step.heat_history.time)
    assert any(abs(t - 0.3) < 1e-12 for t in times)
    assert any(abs(t - 0.7) < 1e-12 for t in times)
    np.testing.assert_allclose(at_frames(ended, mesh, (0.0, 0.0)), [0.5], rtol=1e-6)


def errors_of_fixed_steps(loads, exact):
    """Error at the end for steps of one length, halved twice."""
    mesh = plate("quad4", (1, 1))
    found = []
    for n in (8, 16, 32):
        options = {"fixedStep": value(1.0 / n)}
        ended = solve(mesh, transient(1e6, initial=1.0, loads=loads, options=options))
        assert ended.step.heat_history.steps == n
        found.append(abs(at_frames(ended, mesh, (0.0, 0.0))[0] - exact))
    return np.log2(np.array(found[:-1]) / np.array(found[1:]))


def test_second_order_in_time():
    np.testing.assert_allclose(errors_of_fixed_steps([film("x1", 1.0)], np.exp(-1.0)), 2.0, atol=0.1)


def test_second_order_in_time_with_an_ambient_temperature_over_time():
    """T' = sin(3 t) - T."""
    loads = [film("x1", 1.0, {"expression": "sin(3*t)"})]
    exact = (1 + 3 / 10) * np.exp(-1) + (np.sin(3) - 3 * np.cos(3)) / 10
    np.testing.assert_allclose(errors_of_fixed_steps(loads, exact), 2.0, atol=0.1)


def test_a_film_that_changes_with_time():
    """T' = -2 t T."""
    load = {"region": "x1", "convection": {"coefficient": {"expression": "2*t"}, "ambient": value(0.0)}}
    ended = solve(plate("quad4", (1, 1)), transient(1e6, initial=1.0, loads=[load], options=TIGHT))
    assert ended.extreme("temperature").max == pytest.approx(np.exp(-1.0), rel=5e-5)
    balanced(ended)


def test_the_tolerance_governs_the_error():
    mesh = plate("quad8", (10, 1), size=(1.0, 0.1))
    errors, steps = [], []
    for tolerance in (1e-2, 1e-3, 1e-4):
        given = transient(initial=1.0, times=[0.2], duration=0.2, loads=[film("x1", 2.0)])
        given["steps"][0]["transientHeat"]["tolerance"] = tolerance
        ended = solve(mesh, given)
        errors.append(abs(at_frames(ended, mesh, (1.0, 0.0))[0] - slab(1.0, 0.2, 2.0)))
        steps.append(ended.step.heat_history.steps)
    assert steps[0] < steps[1] < steps[2] < 200
    assert errors[0] < 1e-2
    assert errors[2] < 1e-4


def decayed(p):
    return np.exp(-0.5) * np.sin(p[:, :1] + 2 * p[:, 1:2])


def slope(p):
    return np.exp(-0.5) * np.cos(p[:, :1] + 2 * p[:, 1:2])[:, :, None] * np.array([1.0, 2.0])


@pytest.mark.parametrize(("cell", "rate"), [("tri3", 2), ("quad8", 3)])
def test_rate_in_space(cell, rate):
    """T = e^-t sin(x + 2 y): refined in space with steps whose error does not count."""
    errors = []
    for n in (4, 8, 16) if cell == "tri3" else (2, 4, 8):
        mesh = plate(cell, (n, n), distort=0.2)
        T = {"expression": "exp(-t)*sin(x + 2*y)"}
        source = {"region": "", "heatSource": {"expression": "4*exp(-t)*sin(x + 2*y)"}}
        given = transient(
            duration=0.5,
            initial={"temperature": {"expression": "sin(x + 2*y)"}},
            times=[0.5],
            conditions=[{"region": r, "temperature": T} for r in ("x0", "x1", "y0", "y1")],
            loads=[source],
            options={"tolerance": 1e-6, "capacity": "CAPACITY_CONSISTENT"},
        )
        found = solve(mesh, given).field("temperature")
        discrete = Discrete(mesh, given)
        errors.append(discrete.errors(found[discrete.model.part.nodes], decayed, slope)[0])
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert rates[-1] == pytest.approx(rate, abs=0.15)


def sudden(cell, capacity):
    """Lowest temperature of a body whose face becomes hot, in very short steps."""
    options = {"capacity": f"CAPACITY_{capacity.upper()}", "fixedStep": value(2e-4)}
    given = transient(
        duration=2e-3, times=[2e-3], conditions=[{"region": "x1", "temperature": value(1.0)}], options=options
    )
    return min(solve(plate(cell, (10, 1), size=(1.0, 0.1)), given).step.heat_history.min_temperature)


def test_lumped_capacities_do_not_overshoot():
    assert sudden("quad4", "lumped") > -1e-12
    assert sudden("quad4", "unspecified") > -1e-12
    assert sudden("quad4", "consistent") < -0.01


@pytest.mark.parametrize("cell", ["tri3", "quad8", "tri6"])
def test_lumping_keeps_the_heat(cell):
    """The heat of a body of uniform temperature is its volume times the temperature, however it is lumped."""
    mesh = plate(cell, (3, 3), distort=0.2)
    flux = {"region": "", "heatSource": value(2.0)}
    for capacity in ("LUMPED", "CONSISTENT"):
        ended = solve(mesh, transient(1.0, 4.0, loads=[flux], options={"capacity": f"CAPACITY_{capacity}"}))
        assert ended.step.heat_history.stored[-1] == pytest.approx(2.0, rel=1e-9)
        # Loads of quadratic cells are shared out to their nodes in another ratio than lumped capacities.
        loose = capacity == "LUMPED" and cell != "tri3"
        assert ended.extreme("temperature").max == pytest.approx(0.5, rel=0.02 if loose else 1e-9)


def test_ranks_rotation_and_units_change_nothing():
    """The same body on two ranks, turned, and in millimetres, tonnes and minutes."""
    mesh = box("tet10", (4, 2, 2), (0.1, 0.05, 0.05))

    def given(length=1.0, mass=1.0, time=1.0, **more):
        """A block of steel; numbers in units so many times smaller."""
        power = mass * length**2 / time**3
        flux = {"region": "y0", "heatFlux": value(2e4 * power / length**2)}
        return transient(
            50.0 * power / length,
            7850 * 460 * power * time / length**3,
            duration=60.0 * time,
            initial=20.0,
            times=[20.0 * time, 60.0 * time],
            loads=[film("x1", 500.0 * power / length**2, 100.0), flux],
            solver={"method": "METHOD_DIRECT"},
            **more,
        )

    whole = solve(mesh, given())
    fields = [whole.field("temperature", frame=k) for k in range(2)]
    turn = rotation((1.0, 2.0, 3.0), 0.7)
    others = [
        solve(mesh, given(), ranks=2),
        solve(mapped(mesh, lambda p: p @ turn.T), given()),
        solve(mapped(mesh, lambda p: 1e3 * p), given(1e3, 1e-3, 1 / 60)),
    ]
    for other in others:
        for k in range(2):
            np.testing.assert_allclose(other.field("temperature", frame=k), fields[k], rtol=1e-8)
        assert other.step.heat_history.steps == whole.step.heat_history.steps
        balanced(other)


def test_iterating_gives_the_same():
    mesh = box("hex8", (8, 4, 4), (1.0, 0.5, 0.5))
    given = transient(initial=1.0, duration=0.2, times=[0.1, 0.2], loads=[film("x1", 2.0)])
    exact = solve(mesh, given)
    ended = solve(mesh, given | {"solver": {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-10}})
    np.testing.assert_allclose(ended.field("temperature", frame=1), exact.field("temperature", frame=1), atol=1e-8)
    assert ended.step.solve.iterations > 10
    assert ended.step.solve.setups < ended.step.heat_history.steps


def test_a_step_begins_where_an_earlier_one_ends():
    mesh = plate("quad8", (8, 1), size=(1.0, 0.1))
    loads = [film("x1", 2.0)]
    whole = solve(mesh, transient(initial=1.0, duration=0.4, times=[0.4], loads=loads))
    given = transient(initial=1.0, duration=0.2, times=[0.2], loads=loads)
    first = given["steps"][0] | {"name": "first"}
    second = first | {"name": "second", "initial": {"fromStep": {"step": "first"}}}
    ended = solve(mesh, given | {"steps": [first, second]})
    found, exact = ended.field("temperature", step="second"), whole.field("temperature")
    np.testing.assert_allclose(found, exact, atol=3e-4)
