"""What is wrong with a transient heat step is said before anything is computed, with its place; the plan of times."""

import copy

import numpy as np
import pytest

from dougong.solver.heat.time_plan import time_plan
from meshgen import plate
from solving import analysis, check_model, solve, value
from transients import film, transient

MESH = plate("quad4", (2, 2))
STEP = "steps[0].transient_heat"


def changed(change):
    given = copy.deepcopy(transient(loads=[film("x1", 1.0)], conditions=[{"region": "x0", "temperature": value(1.0)}]))
    change(given, given["steps"][0])
    return given


def option(**options):
    def change(given, step):
        for name, what in options.items():
            step["transientHeat"].pop(name, None) if what is None else step["transientHeat"].update({name: what})

    return change


WRONG = {
    "no initial state": (lambda g, s: s.pop("initial"), "INITIAL_STATE_MISSING", "steps[0].initial"),
    "no duration": (option(duration=None), "DURATION_MISSING", f"{STEP}.duration"),
    "negative duration": (option(duration=value(-1.0)), "VALUE_NOT_POSITIVE", f"{STEP}.duration"),
    "no density": (
        lambda g, s: g["materials"]["m"].pop("density"),
        "MATERIAL_CONSTANT_MISSING",
        'materials["m"].density',
    ),
    "no specific heat": (
        lambda g, s: g["materials"]["m"].pop("specificHeat"),
        "MATERIAL_CONSTANT_MISSING",
        'materials["m"].specific_heat',
    ),
    "negative specific heat": (
        lambda g, s: g["materials"]["m"].update(specificHeat=value(-1.0)),
        "VALUE_NOT_POSITIVE",
        'materials["m"].specific_heat',
    ),
    "negative output": (option(outputTimes=[-0.5]), "OUTPUT_TIME_OUTSIDE", f"{STEP}.output_times[0]"),
    "output beyond the end": (option(outputTimes=[0.5, 2.0]), "OUTPUT_TIME_OUTSIDE", f"{STEP}.output_times[1]"),
    "output backwards": (option(outputTimes=[0.5, 0.2]), "OUTPUT_TIMES_NOT_ASCENDING", f"{STEP}.output_times[1]"),
    "output twice": (option(outputInterval=value(0.5)), "OUTPUT_TIMES_TWICE", f"{STEP}.output_interval"),
    "too many frames": (
        option(outputTimes=None, outputInterval=value(1e-4)),
        "TOO_MANY_FRAMES",
        f"{STEP}.output_interval",
    ),
    "too many steps": (option(fixedStep=value(1e-7)), "TOO_MANY_STEPS", f"{STEP}.fixed_step"),
    "negative step": (option(maxStep=value(-1.0)), "VALUE_NOT_POSITIVE", f"{STEP}.max_step"),
    "long step": (option(initialStep=value(2.0)), "LONGER_THAN_DURATION", f"{STEP}.initial_step"),
    "fixed and controlled": (
        option(fixedStep=value(0.1), maxStep=value(0.2)),
        "FIXED_STEP_AND_CONTROL",
        f"{STEP}.max_step",
    ),
    "tolerance": (option(tolerance=1.5), "TIME_TOLERANCE_OUT_OF_RANGE", f"{STEP}.tolerance"),
    "load cases": (
        lambda g, s: s.update(loadCases=[{"name": "a"}]),
        "CASES_NOT_OVER_TIME",
        "steps[0].load_cases",
    ),
    "initial below absolute zero": (
        lambda g, s: s.update(initial={"temperature": value(-1.0)}),
        "TEMPERATURE_BELOW_ABSOLUTE_ZERO",
        "steps[0].initial.temperature",
    ),
    "initial over time": (
        lambda g, s: s.update(initial={"temperature": {"expression": "t"}}),
        "VARIATION_NOT_HERE",
        "steps[0].initial.temperature.expression",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused(name):
    change, reason, place = WRONG[name]
    found = check_model(MESH, changed(change)).violations
    assert [(v.reason, v.field) for v in found] == [(reason, place)]
    assert found[0].text


def test_nothing_needs_to_hold_a_body_over_time():
    given = transient(loads=[])
    assert not check_model(MESH, given).violations


def test_the_initial_temperature_may_depend_on_the_place():
    given = transient(1e-9, initial={"temperature": {"expression": "1 + x*y"}}, duration=1e-6)
    ended = solve(MESH, given)
    x, y = MESH.points.T
    np.testing.assert_allclose(ended.field("temperature")[:, 0], 1 + x * y, rtol=1e-9)


def test_an_initial_temperature_without_value_is_told():
    given = transient(initial={"temperature": {"expression": "1/(x - 0.5)"}})
    assert solve(MESH, given).failure.reason == "INVALID_MODEL"


def plan(**options):
    given = transient(duration=10.0, options=options)
    given["steps"][0]["transientHeat"].pop("outputTimes") if "outputTimes" not in options else None
    return time_plan(analysis(given).steps[0])


def test_outputs():
    assert plan().outputs == pytest.approx(range(1, 11))
    assert plan(outputTimes=[2.0, 5.0]).outputs == (2.0, 5.0)
    assert plan(outputInterval=value(4.0)).outputs == (4.0, 8.0, 10.0)
    assert plan(outputInterval=value(2.5)).outputs == (2.5, 5.0, 7.5, 10.0)
    assert plan(outputTimes=[2.0]).ends == (2.0, 10.0)


def test_steps():
    assert plan().limits.first == pytest.approx(0.01)
    assert plan(maxStep=value(0.5), initialStep=value(0.1)).limits.largest == 0.5
    assert plan(fixedStep=value(0.5)).limits.fixed


def test_temperatures_that_grow_without_bounds_end_the_run():
    """The source goes to infinity at 0.5, as its integral does."""
    source = {"region": "", "heatSource": {"expression": "(0.5 - t)^-3"}}
    failure = solve(MESH, transient(loads=[source], options={"initialStep": value(0.01)})).failure
    assert failure.reason == "TIME_STEP_TOO_SMALL"
    assert failure.params["time"] == "0.5"
