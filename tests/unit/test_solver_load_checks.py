"""Loads with a geometry of their own: what is refused, where, and what is not."""

import pytest

from meshgen import box, plate
from solving import check_model, elastic, heat, kinematics, value

SOLID, FLAT = box("hex8", (1, 1, 1)), plate("quad4", (1, 1))
HELD = [{"region": "x0", "fixed": {}}]
SPEED, FASTER = {"angularVelocity": value(1.0)}, {"angularAcceleration": value(1.0)}
HEAVY = {"density": value(1.0)}


def point(*x):
    return {"coordinates": list(x)}


def said(mesh, loads, sections=None, **more):
    """Reason and field path of each violation, the path from the load on."""
    given = elastic(conditions=HELD, loads=loads, material=more.pop("material", HEAVY), **more)
    given["sections"] = sections or given["sections"]
    found = check_model(mesh, given).violations
    assert all(v.text and v.text_zh for v in found)
    return [(v.reason, v.field.removeprefix("steps[0].loads[0]").removeprefix(".")) for v in found]


SPIN = {"direction": point(0, 0, 1)} | SPEED
TURN = {"direction": point(0, 0, 1)} | FASTER
FLUID = {"down": point(0, 0, -1), "specificWeight": value(1.0)}


@pytest.mark.parametrize(
    ("load", "found"),
    [
        ({"centrifugal": SPIN}, []),
        ({"centrifugal": {"direction": point(0, 0, 1)}}, [("VALUE_MISSING", "centrifugal.angular_velocity")]),
        ({"centrifugal": SPEED}, [("VALUE_MISSING", "centrifugal.direction")]),
        ({"centrifugal": SPEED | {"direction": {}}}, [("VALUE_MISSING", "centrifugal.direction")]),
        ({"centrifugal": SPIN | {"direction": point(0, 0, 0)}}, [("DIRECTION_ZERO", "centrifugal.direction")]),
        (
            {"centrifugal": SPIN | {"direction": point(0, 1)}},
            [("WRONG_NUMBER_OF_COORDINATES", "centrifugal.direction")],
        ),
        ({"centrifugal": SPIN | {"point": point(0, 1)}}, [("WRONG_NUMBER_OF_COORDINATES", "centrifugal.point")]),
        (
            {"centrifugal": SPIN | {"angularVelocity": {"expression": "1 + x"}}},
            [("VARIATION_NOT_HERE", "centrifugal.angular_velocity.expression")],
        ),
        ({"euler": TURN}, []),
        ({"euler": {"direction": point(0, 0, 1)}}, [("VALUE_MISSING", "euler.angular_acceleration")]),
        ({"euler": FASTER}, [("VALUE_MISSING", "euler.direction")]),
        ({"region": "x0", "hydrostatic": FLUID}, []),
        ({"region": "all", "hydrostatic": FLUID}, [("REGION_WRONG_KIND", "region")]),
        ({"region": "x0", "centrifugal": SPIN}, [("REGION_WRONG_KIND", "region")]),
        ({"region": "x0", "hydrostatic": {"specificWeight": value(1.0)}}, [("VALUE_MISSING", "hydrostatic.down")]),
        ({"region": "x0", "hydrostatic": {"down": point(0, 0, 1)}}, [("WEIGHT_OF_FLUID_UNCLEAR", "hydrostatic")]),
        (
            {"region": "x0", "hydrostatic": FLUID | {"density": value(1.0)}},
            [("WEIGHT_OF_FLUID_UNCLEAR", "hydrostatic")],
        ),
        (
            {"region": "x0", "hydrostatic": {"down": point(0, 0, 1), "gravity": value(1.0)}},
            [("VALUE_MISSING", "hydrostatic.density")],
        ),
        (
            {"region": "x0", "hydrostatic": FLUID | {"specificWeight": value(-1.0)}},
            [("VALUE_NOT_POSITIVE", "hydrostatic.specific_weight")],
        ),
    ],
)
def test_in_space(load, found):
    assert said(SOLID, [load]) == found


AXES = {"xAxis": point(0, 1, 0), "xyPlane": point(-1, 0, 0)}
ROUND = {"cylindrical": {"origin": point(1, 1, 0)}}
PULL = {"region": "x1", "traction": {"x": value(1.0)}}
DOWN = {"gravity": {"x": value(1.0)}}


@pytest.mark.parametrize(
    ("load", "found"),
    [
        (DOWN | {"axes": AXES}, []),
        ({"region": "x1", "pressure": value(1.0), "axes": AXES}, [("AXES_NOT_FOR_LOAD", "axes")]),
        ({"centrifugal": SPIN, "axes": AXES}, [("AXES_NOT_FOR_LOAD", "axes")]),
        (DOWN | {"axes": {"xAxis": point(0, 1)} | {"xyPlane": AXES["xyPlane"]}},
         [("WRONG_NUMBER_OF_COORDINATES", "axes.x_axis")]),
        (DOWN | {"axes": AXES | {"xyPlane": point(0, 2, 0)}}, [("AXES_DEGENERATE", "axes")]),
        (DOWN | {"axes": ROUND}, [("AXES_MUST_BE_FIXED", "axes.cylindrical")]),
        (PULL | {"axes": ROUND}, []),
        (PULL | {"axes": ROUND | AXES}, [("AXES_TWO_WAYS", "axes")]),
        (PULL | {"axes": {"cylindrical": {"axis": point(0, 0, 0)}}}, [("DIRECTION_ZERO", "axes.cylindrical.axis")]),
        ({"region": "x1", "totalForce": {"x": value(1.0)}, "axes": ROUND},
         [("AXES_MUST_BE_FIXED", "axes.cylindrical")]),
        ({"region": "z1", "nodalForce": {"x": value(1.0)}, "axes": ROUND}, [("FORCE_WITHOUT_DIRECTION", "")]),
        ({"region": "z1", "nodalForce": {"z": value(1.0)}, "axes": ROUND}, []),
    ],
)  # fmt: skip
def test_axes_of_loads(load, found):
    assert said(SOLID, [load]) == found


PLANE, RING = kinematics("plane_stress"), kinematics("axisymmetric")
WATER = {"specificWeight": value(1.0)}


@pytest.mark.parametrize(
    ("sections", "load", "found"),
    [
        (PLANE, {"centrifugal": SPEED}, []),
        (PLANE, {"centrifugal": SPEED | {"direction": point(1, 0)}}, []),
        (PLANE, {"euler": FASTER | {"point": point(1, 0)}}, []),
        (PLANE, {"euler": FASTER | {"direction": point(0, 1)}}, [("EULER_AXIS_IN_PLANE", "euler.direction")]),
        (RING, {"centrifugal": SPEED}, []),
        (RING, {"centrifugal": SPEED | {"direction": point(0, 3), "point": point(0, 4)}}, []),
        (RING, {"centrifugal": SPEED | {"direction": point(1, 0)}}, [("ROTATION_NOT_ABOUT_AXIS", "centrifugal")]),
        (RING, {"centrifugal": SPEED | {"point": point(1, 0)}}, [("ROTATION_NOT_ABOUT_AXIS", "centrifugal")]),
        (RING, {"euler": FASTER}, [("EULER_OF_RING", "euler")]),
        (RING, {"gravity": {"y": value(1.0)}, "axes": {"xAxis": point(0, 1)}}, [("AXES_NOT_FOR_LOAD", "axes")]),
        (RING, {"region": "x1", "traction": {"y": value(1.0)}, "axes": {"xAxis": point(0, 1)}}, []),
        (
            RING,
            {"region": "x1", "traction": {"y": value(1.0)}, "axes": {"cylindrical": {}}},
            [("AXES_MUST_BE_FIXED", "axes.cylindrical")],
        ),
        (PLANE, {"region": "x1", "traction": {"y": value(1.0)}, "axes": {"cylindrical": {}}}, []),
        (RING, {"region": "x1", "hydrostatic": WATER | {"down": point(0, -1)}}, []),
        (
            RING,
            {"region": "x1", "hydrostatic": WATER | {"down": point(1, -1)}},
            [("FLUID_NOT_AXIAL", "hydrostatic.down")],
        ),
    ],
)
def test_in_the_plane(sections, load, found):
    assert said(FLAT, [load], sections) == found


@pytest.mark.parametrize("load", [{"centrifugal": SPIN}, {"euler": TURN}])
def test_inertia_needs_a_density(load):
    assert said(SOLID, [load], material={}) == [("MATERIAL_CONSTANT_MISSING", "")]


def test_one_body_has_one_speed():
    other = {"region": "all", "centrifugal": SPIN}
    assert said(SOLID, [{"centrifugal": SPIN}, other]) == [("ROTATION_TWICE", "steps[0].loads[1].centrifugal")]
    half = {"kind": "KIND_CELLS", "box": {"min": point(0, 0, 0), "max": point(1, 1, 1)}}
    given = elastic(
        conditions=HELD,
        regions={"a": half, "b": half},
        material=HEAVY,
        loads=[{"region": "a", "centrifugal": SPIN}, {"region": "b", "centrifugal": SPIN}],
    )
    assert not check_model(SOLID, given).violations
    given["steps"][0]["loadCases"] = [{"loads": [{"region": "b", "centrifugal": SPIN}]}, {"loads": [{"euler": TURN}]}]
    (found,) = check_model(SOLID, given).violations
    assert (found.reason, found.field) == ("ROTATION_TWICE", "steps[0].load_cases[0].loads[0].centrifugal")
    given["steps"][0]["loads"] = []
    given["steps"][0]["loadCases"] = [{"loads": [{"centrifugal": SPIN}]}] * 2  # each with a speed of its own
    assert not check_model(SOLID, given).violations


def test_they_are_no_loads_of_heat():
    given = heat(conditions=[{"region": "x0", "temperature": value(1.0)}], loads=[{"euler": TURN}])
    (found,) = check_model(SOLID, given).violations
    assert (found.reason, found.field) == ("KIND_NOT_FOR_PROCEDURE", "steps[0].loads[0].euler")
