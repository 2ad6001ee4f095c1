"""Damaged analyses: each is refused with reasons or solved; none is an error of the program."""

import copy
import random

import numpy as np
import pytest
from google.protobuf import json_format

from meshgen import box, plate
from solving import analysis, check_model, elastic, heat, solve, store, value, vector


def point(*x):
    return {"coordinates": list(x)}


AXES = {"axes": {"xAxis": point(1, 0, 0), "xyPlane": point(0, 1, 0)}}
SHAPES = {
    "r": {"kind": "KIND_NODES", "box": {"min": point(0, 0, 0), "max": point(0.6, 1, 1), "tolerance": 0.1}},
    "s": {"sphere": {"center": point(0, 0, 0), "radius": 1.0, "surfaceOnly": True}},
    "p": {"kind": "KIND_CELLS", "plane": {"point": point(0, 0, 0), "normal": point(1, 0, 0), "tolerance": 0.3}},
    "n": {"normal": {"direction": point(1, 0, 0), "angleDegrees": 10}},
}
TABLE = {"overTime": {"at": [0, 1, 3], "value": [0, 1, -2]}}
SOLID = elastic(
    parameters={"a": 2.0},
    material={"density": value(1.0)},
    regions=SHAPES,
    conditions=[
        {"region": "x0", "fixed": {}},
        {"region": "r", "displacement": vector(x=0.0, y=0.0) | AXES},
        {"region": "y0", "symmetry": {"normal": point(0, 1, 0)}},
    ],
    loads=[
        {"region": "x1", "totalForce": vector(x=1.0, z=2.0)},
        {"region": "n", "pressure": value(1.0)},
        {"region": "r", "nodalForce": vector(y=1.0)},
        {"gravity": vector(z=1.0)},
        {"region": "all", "bodyForce": {"y": {"expression": "a*x + if(z > 0.5, t, sin(y))"}, "z": value(1.0)}},
        {"centrifugal": {"angularVelocity": value(1.0), "point": point(0, 0, 1), "direction": point(0, 1, 0)}},
        {"region": "all", "euler": {"angularAcceleration": TABLE, "direction": point(0, 1, 0)}},
        {"region": "y1", "hydrostatic": {"down": point(0, -1, 0), "density": value(1.0), "gravity": value(2.0)}},
    ],
    outputs={"vtu": True, "fields": [{"name": "stress", "location": "LOCATION_INTEGRATION_POINT"}, {"name": "strain"}]},
    solver={"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-8, "maxIterations": 50},
    units={"system": "SYSTEM_SI"},
)
CASES = [
    {"name": "push", "loads": [{"region": "x1", "pressure": value(2.0)}]},
    {"conditions": [{"region": "x0", "displacement": vector(x=1e-3, z=0.0)}, {"region": "y0", "symmetry": {}}]},
]
COMBINATIONS = [{"name": "both", "factors": {"push": 1.5, "case-2": -1.0}}, {"factors": {"push": 0.5}}]
SOLID["steps"][0] |= {"loadCases": CASES, "combinations": COMBINATIONS}
HOT = {"region": "x0", "temperature": value(5.0)}
WARM = heat(
    regions={"r": {"kind": "KIND_CELLS", "all": {}}},
    conditions=[{"region": "x0", "temperature": value(1.0)}],
    loads=[
        {"region": "x1", "convection": {"coefficient": value(1.0), "ambient": value(2.0)}},
        {"region": "y1", "heatFlux": TABLE},
        {"region": "r", "heatSource": value(1.0)},
    ],
)
WARM["steps"][0] |= {
    "loadCases": [{"name": "r", "loads": [{"region": "r", "heatSource": value(2.0)}]}, {"conditions": [HOT]}],
    "combinations": [{"factors": {"r": 2.0, "case-2": 1.0}}],
}
PRESSED = {"loads": [{"region": "x1", "pressure": value(1.0)}]}
# Heat, then the stress of its temperatures: by load cases, and of all frames.
HEATED = elastic(
    material={
        "elastic": {
            "youngModulus": {"overTemperature": {"at": [0, 50], "value": [2.0, 1.0]}}, "poissonRatio": value(0.3),
        },
        "conductivity": value(1.0),
        "expansion": {
            "coefficient": {"overTemperature": {"at": [0.0, 9.0], "value": [0.1, 0.2]}},
            "referenceTemperature": value(2.0), "zero": value(1.0),
        },
    },
    regions={"r": {"kind": "KIND_CELLS", "all": {}}},
    conditions=[{"region": "x0", "fixed": {}}],
    loads=[
        {"temperature": {"fromStep": {"step": "heat", "frame": 1}}},
        {"region": "r", "temperature": {"value": {"expression": "3 + x*t"}}},
        {"region": "x1", "temperature": {"value": value(4.0)}},
    ],
    outputs={"fields": [{"name": "thermal_strain"}, {"name": "elastic_strain"}, {"name": "temperature"}]},
)  # fmt: skip
HEATED["steps"] = [
    {"name": "heat", "steadyHeat": {}} | {k: v for k, v in WARM["steps"][0].items() if k != "steadyHeat"},
    HEATED["steps"][0] | {"name": "first", "loadCases": [{"name": "push"}, PRESSED]},
    {
        "static": {}, "conditions": [{"region": "x0", "fixed": {}}],
        "loads": [{"temperature": {"fromStep": {"step": "heat"}, "allFrames": True}}],
    },
]  # fmt: skip
NUMBERS = [0, -1, 1e-300, 1e300, -1e18, "NaN", "Infinity", 0.5, 2**40]
NAMES = ["", "push", "case-2", "x0", "r", "all", "p", "n", "s", "x1", "m", "zz", "von_mises", "temperature", "reaction"]
FORMULAS = ["1/x", "1/0", "t*", "x > 0 + z", "exp(1e3*y)", "sqrt(-a)", "b", "((1)"]
ENUMS = ["METHOD_DIRECT", "KIND_CELLS", "KIND_FACETS", "KIND_NODES", "LOCATION_NODE", "LOCATION_CELL"]
THINGS = [True, [], {}, point(), point(0, 0, 0), point(1, 2), point(1, 1, 1, 1), value(0), value(-1.0), value("NaN")]


def places(thing, path=()):
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def get(thing, path):
    for key in path:
        thing = thing[key]
    return thing


def damage(given, rng):
    """One thing taken away, doubled, moved from elsewhere, or replaced."""
    path = rng.choice(list(places(given)))
    holder, key, kind = get(given, path[:-1]), path[-1], rng.random()
    if kind < 0.25:
        del holder[key]
    elif kind < 0.4 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif kind < 0.6:
        holder[key] = copy.deepcopy(get(given, rng.choice(list(places(given)))))
    else:
        holder[key] = copy.deepcopy(rng.choice(NUMBERS + NAMES + FORMULAS + ENUMS + THINGS))


@pytest.fixture(scope="module")
def meshes():
    return [
        store(m) for m in (box("hex8", (2, 1, 1)), box("tet10", (1, 1, 1)), plate("quad8"), box("wedge15", (1, 1, 1)))
    ]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_analyses(seed, meshes):
    rng = random.Random(seed)
    checked = solved = 0
    while checked < 100:
        given = copy.deepcopy(rng.choice([SOLID, WARM, HEATED]))
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            damage(given, rng)
        try:
            message = analysis(given)
        except json_format.ParseError:
            continue  # the schema already refuses it
        checked += 1
        mesh = rng.choice(meshes)
        with np.errstate(all="ignore"):
            reply = check_model(mesh, message)
        for violation in reply.violations:
            assert violation.reason != "WORKER_ERROR"
            assert "{" not in violation.text.replace("{}", "")
        if not reply.violations:
            with np.errstate(all="ignore"):
                solution = solve(mesh, message)
            if solution.failure is None:
                solved += 1
                assert solution.step.balance.equilibrium_error < 1e-3
            else:
                assert solution.failure.reason in ("NON_FINITE", "NOT_CONVERGED", "SINGULAR_SYSTEM")
    assert solved > 10
