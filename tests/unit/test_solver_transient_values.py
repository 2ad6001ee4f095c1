"""Values that change in a transient heat step: where they end, where tables have kinks, and what a step hands on."""

import numpy as np
import pytest

from dougong.solver.heat.time_plan import instants, time_plan
from meshgen import plate
from solving import analysis, check_model, heat, solve, value
from transients import film, transient

MESH = plate("quad4", (2, 2))


def expression(text):
    return {"expression": text}


def table(at, values):
    return {"overTime": {"at": at, "value": values}}


def flux(quantity):
    return [{"region": "x1", "heatFlux": quantity}]


def held(quantity):
    return [{"region": "x0", "temperature": quantity}]


ENDED = {
    "condition": ({"conditions": held(expression("20+sqrt(50-t)"))}, "steps[0].conditions[0].temperature.expression"),
    "load": ({"loads": flux(expression("sqrt(50-t)"))}, "steps[0].loads[0].heat_flux.expression"),
    "ambient": (
        {"loads": [film("x1", 1.0, expression("sqrt(50-t)"))]},
        "steps[0].loads[0].convection.ambient.expression",
    ),
}


@pytest.mark.parametrize("name", ENDED)
def test_a_value_that_ends_before_the_step_is_refused(name):
    more, place = ENDED[name]
    given = transient(duration=100.0, **more)
    # Before anything is computed, and where nobody looked: not a temperature or a flux of zero.
    for found in (check_model(MESH, given).violations, solve(MESH, given).failure.violations):
        assert [(v.reason, v.field) for v in found] == [("EXPRESSION_NOT_FINITE", place)]
        assert "t = " in found[0].params["place"]


def test_all_ranks_refuse_it_together():
    given = transient(duration=100.0, loads=flux(expression("if(y > 0.6, sqrt(50-t), 1)")))
    assert solve(MESH, given, ranks=2).failure.reason == "INVALID_MODEL"


def test_a_load_of_a_nonlinear_steady_step_without_value_is_refused():
    material = {"conductivity": {"overTemperature": {"at": [0, 100], "value": [1, 2]}}}
    given = heat(conditions=held(value(1.0)), loads=flux(expression("log(y-2)")), material=material)
    assert solve(MESH, given).failure.violations[0].reason == "EXPRESSION_NOT_FINITE"


@pytest.mark.parametrize("duration", [0.5, 0.7, 50.0])
def test_a_value_that_ends_with_the_step_is_right(duration):
    given = transient(duration=duration, loads=flux(expression(f"sqrt({duration}-t)")), initial=1.0)
    assert not check_model(MESH, given).violations
    ended = solve(MESH, given)
    assert ended.step.heat_history.by_loads[-1] == pytest.approx(2 / 3 * duration**1.5, rel=1e-2)


def test_a_value_that_ends_at_an_output_and_comes_back_is_found():
    gap = flux(expression("sqrt((t-0.4)*(t-0.6))"))
    assert check_model(MESH, transient(times=[0.5, 1.0], loads=gap)).violations
    assert not check_model(MESH, transient(times=[0.3, 1.0], loads=gap)).violations


def test_of_very_many_outputs_some_are_looked_at():
    times = np.linspace(0.001, 1.0, 1000).tolist()
    step = analysis(transient(times=times, loads=flux(expression("t")))).steps[0]
    found = instants(step)
    assert 40 < len(found) <= 52
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert instants(analysis(transient(times=times)).steps[0]) == [0.0]


@pytest.mark.parametrize(
    ("duration", "kink", "times"),
    [
        (1.0, 0.3 - 5e-10, [0.3, 0.6, 1.0]),
        (1.0, 0.3 + 5e-10, [0.3, 0.6, 1.0]),
        (1000.0, 0.001, [0.0010005, 1000.0]),
    ],
)
def test_a_kink_near_an_output_loses_none(duration, kink, times):
    given = transient(duration=duration, times=times, loads=flux(table([0.0, kink, duration], [0.0, 1.0, 1.0])))
    assert set(times) <= set(time_plan(analysis(given).steps[0]).ends)
    ended = solve(MESH, given)
    assert [f.value for f in ended.step.frames] == pytest.approx(times, rel=1e-6)


def test_nothing_happens_before_a_load_begins():
    material = {"conductivity": {"overTemperature": {"at": [0, 100], "value": [1, 2]}}}
    loads = flux(table([0.0, 5.0, 10.0], [0.0, 0.0, 1.0]))
    ended = solve(MESH, transient(duration=10.0, times=[5.0, 10.0], loads=loads, material=material))
    np.testing.assert_array_equal(ended.field("temperature", frame=0), 0.0)
    assert ended.step.heat_history.by_loads[-1] == pytest.approx(2.5, rel=1e-3)


def test_a_step_begins_at_the_end_of_an_earlier_one_though_that_was_not_written():
    source = [{"region": "", "heatSource": value(1.0)}]
    given = transient(duration=10.0, times=[5.0], loads=source)
    first = given["steps"][0] | {"name": "first"}

    def start(**frame):
        short = {"transientHeat": {"duration": value(1e-6), "outputTimes": [1e-6]}, "loads": []}
        second = first | short | {"name": "second", "initial": {"fromStep": {"step": "first"} | frame}}
        return solve(MESH, given | {"steps": [first, second]}).field("temperature", step="second")

    np.testing.assert_allclose(start(), 10.0, rtol=1e-6)
    np.testing.assert_allclose(start(frame=0), 5.0, rtol=1e-6)
