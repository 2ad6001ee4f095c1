"""Bad links are refused before anything is computed: the reason, the field, in both languages."""

import pytest

from meshgen import box, plate
from solving import check_model, elastic, heat, kinematics, solve, store, value, vector

TERM = {"node": 1, "component": "COMPONENT_X", "coefficient": 1.0}
POINT = {"c": {"region": "x1", "kinematic": {}}}
PLACE = {"coordinates": [0.0, 0.0, 0.0]}
LINE = {"line": {"kind": "KIND_NODES", "box": {"min": PLACE, "max": {"coordinates": [0.0, 0.0, 1.0]}}}}


def axes(**cylinder):
    return {"cylindrical": cylinder}


def held(**displacement):
    return [{"region": "x0", "displacement": displacement}]


def spring(**more):
    return {"springs": [{"at": {"region": "x1"}} | more]}


def mass(**more):
    return {"masses": [more]}


def motion(**more):
    return {"couplings": POINT, "conditions": [{"referenceMotion": {"coupling": "c"} | more}]}


#: Name -> what is added to a static analysis held at x0, reason, field.
CASES = {
    "no terms": ({"equations": [{}]}, "EQUATION_EMPTY", "equations[0]"),
    "no place": (
        {"equations": [{"terms": [{"component": "COMPONENT_X", "coefficient": 1.0}]}]},
        "PLACE_MISSING",
        "equations[0].terms[0]",
    ),
    "no such node": ({"equations": [{"terms": [TERM | {"node": 99}]}]}, "NODE_UNKNOWN", "equations[0].terms[0].node"),
    "node zero": ({"equations": [{"terms": [TERM | {"node": 0}]}]}, "NODE_UNKNOWN", "equations[0].terms[0].node"),
    "several nodes": (
        {
            "regions": LINE,
            "equations": [{"terms": [{k: v for k, v in TERM.items() if k != "node"} | {"region": "line"}]}],
        },
        "REGION_NOT_ONE_NODE",
        "equations[0].terms[0].region",
    ),
    "mixed": (
        {"equations": [{"terms": [TERM, TERM | {"component": "COMPONENT_TEMPERATURE"}]}]},
        "EQUATION_MIXED",
        "equations[0]",
    ),
    "a node does not rotate": (
        {"equations": [{"terms": [TERM | {"component": "COMPONENT_ROTATION_X"}]}]},
        "LINK_COMPONENT_UNKNOWN",
        "equations[0].terms[0].component",
    ),
    "coefficient": (
        {"equations": [{"terms": [TERM | {"coefficient": 0.0}]}]},
        "COEFFICIENT_ZERO",
        "equations[0].terms[0].coefficient",
    ),
    "no such coupling": (
        {
            "couplings": POINT,
            "equations": [{"terms": [{"coupling": "d", "component": "COMPONENT_X", "coefficient": 1.0}]}],
        },
        "COUPLING_UNKNOWN",
        "equations[0].terms[0].coupling",
    ),
    "no such region": (
        {"couplings": {"c": {"region": "x9", "kinematic": {}}}},
        "REGION_UNKNOWN",
        'couplings["c"].region',
    ),
    "no kind": ({"couplings": {"c": {"region": "x1"}}}, "COUPLING_WITHOUT_KIND", 'couplings["c"]'),
    "point in the plane": (
        {"couplings": {"c": POINT["c"] | {"point": {"coordinates": [0.0, 1.0]}}}},
        "WRONG_NUMBER_OF_COORDINATES",
        'couplings["c"].point',
    ),
    "temperature follows": (
        {"couplings": {"c": {"region": "x1", "kinematic": {"components": ["COMPONENT_TEMPERATURE"]}}}},
        "LINK_COMPONENT_UNKNOWN",
        'couplings["c"].kinematic.components[0]',
    ),
    "area of nodes": (
        {"regions": LINE, "couplings": {"c": {"region": "line", "distributing": {"weighting": "WEIGHTING_AREA"}}}},
        "AREA_NEEDS_FACETS",
        'couplings["c"].distributing.weighting',
    ),
    "rotation of a line": (
        {"regions": LINE, "couplings": {"c": {"region": "line", "distributing": {"weighting": "WEIGHTING_NODES"}}}},
        "COUPLING_TOO_NARROW",
        'couplings["c"].region',
    ),
    "nobody takes it": (
        {
            "couplings": {"c": {"region": "x1", "kinematic": {"components": ["COMPONENT_X"]}}},
            "loads": [{"referenceForce": {"coupling": "c", "force": vector(y=1.0)}}],
        },
        "POINT_LOAD_NOT_TAKEN",
        "steps[0].loads[0].reference_force",
    ),
    "a free point": (
        {
            "regions": LINE,
            "couplings": {"c": {"region": "line", "kinematic": {}, "point": {"coordinates": [0.0, 1.0, 0.0]}}},
        },
        "POINT_FREE",
        'couplings["c"]',
    ),
    "tie to itself": ({"ties": [{"slave": "x1", "master": "x1"}]}, "TIE_TO_ITSELF", "ties[0].master"),
    "tie to cells": ({"ties": [{"slave": "x1", "master": "all"}]}, "REGION_WRONG_KIND", "ties[0].master"),
    "tolerance": (
        {"ties": [{"slave": "x1", "master": "y1", "tolerance": -1.0}]},
        "VALUE_NOT_POSITIVE",
        "ties[0].tolerance",
    ),
    "tied far away": ({"ties": [{"slave": "x1", "master": "x0"}]}, "TIE_TOO_FAR", "ties[0].tolerance"),
    "spring without": (spring(), "SPRING_WITHOUT_STIFFNESS", "springs[0]"),
    "stiffness of nothing": (spring(stiffness={}), "VECTOR_EMPTY", "springs[0].stiffness"),
    "negative stiffness": (spring(stiffness=vector(x=-1.0)), "VALUE_NEGATIVE", "springs[0].stiffness.x"),
    "axial to the ground": (spring(axial=value(1.0)), "SPRING_WITHOUT_DIRECTION", "springs[0].direction"),
    "ends at one place": (
        {"springs": [{"at": {"node": 1}, "to": {"node": 1}, "axial": value(1.0)}]},
        "SPRING_WITHOUT_DIRECTION",
        "springs[0].direction",
    ),
    "direction": (
        spring(axial=value(1.0), direction={"coordinates": [0.0, 0.0, 0.0]}),
        "DIRECTION_ZERO",
        "springs[0].direction",
    ),
    "axial of nothing": (
        spring(axial=value(0.0), direction={"coordinates": [1.0, 0, 0]}),
        "VALUE_NOT_POSITIVE",
        "springs[0].axial",
    ),
    "nodes do not turn": (spring(rotational=vector(x=1.0)), "ROTATION_NEEDS_POINT", "springs[0].rotational"),
    "turning axes of a spring": (
        spring(stiffness=vector(x=1.0), axes=axes()),
        "AXES_MUST_BE_FIXED",
        "springs[0].axes.cylindrical",
    ),
    "springs from face to face": (
        spring(stiffness=vector(x=1.0), to={"node": 1}),
        "REGION_NOT_ONE_NODE",
        "springs[0].at.region",
    ),
    "no mass": (mass(node=1), "MASS_EMPTY", "masses[0]"),
    "mass of nothing": (mass(node=1, mass=value(0.0)), "VALUE_NOT_POSITIVE", "masses[0].mass"),
    "area of a node": (mass(node=1, perArea=value(1.0)), "AREA_NEEDS_FACETS", "masses[0].per_area"),
    "inertia of a node": (mass(node=1, inertia=vector(x=1.0)), "ROTATION_NEEDS_POINT", "masses[0].inertia"),
    "negative inertia": (
        {"couplings": POINT} | mass(coupling="c", inertia=vector(x=-1.0)),
        "VALUE_NEGATIVE",
        "masses[0].inertia.x",
    ),
    "motion of nothing": (motion(), "MOTION_EMPTY", "steps[0].conditions[0].reference_motion"),
    "motion of another": (
        {"couplings": POINT, "conditions": [{"referenceMotion": {"coupling": "d", "x": value(1.0)}}]},
        "COUPLING_UNKNOWN",
        "steps[0].conditions[0].reference_motion.coupling",
    ),
    "motion of a region": (
        {"couplings": POINT, "conditions": [{"region": "x1", "referenceMotion": {"coupling": "c", "x": value(1.0)}}]},
        "REGION_NOT_WANTED",
        "steps[0].conditions[0].region",
    ),
    "two motions": (
        {
            "couplings": POINT,
            "conditions": [{"referenceMotion": {"coupling": "c", "x": value(x)}} for x in (1.0, 2.0)],
        },
        "MOTIONS_CONTRADICT",
        "steps[0].conditions[1].reference_motion",
    ),
    "force on a region": (
        {"couplings": POINT, "loads": [{"region": "x1", "referenceForce": {"coupling": "c", "force": vector(x=1.0)}}]},
        "REGION_NOT_WANTED",
        "steps[0].loads[0].region",
    ),
    "force of nothing": (
        {"couplings": POINT, "loads": [{"referenceForce": {"coupling": "c"}}]},
        "VECTOR_EMPTY",
        "steps[0].loads[0].reference_force",
    ),
    "foundation of nothing": (
        {"loads": [{"region": "x1", "foundation": {}}]},
        "FOUNDATION_EMPTY",
        "steps[0].loads[0].foundation",
    ),
    "negative foundation": (
        {"loads": [{"region": "x1", "foundation": {"normal": value(-1.0)}}]},
        "VALUE_NEGATIVE",
        "steps[0].loads[0].foundation.normal",
    ),
    "x in cylindrical axes": (
        {"conditions": held(x=value(0.0), axes=axes())},
        "COMPONENT_OF_OTHER_AXES",
        "steps[0].conditions[0].displacement.x",
    ),
    "r in global axes": (
        {"conditions": held(r=value(0.0))},
        "COMPONENT_OF_OTHER_AXES",
        "steps[0].conditions[0].displacement.r",
    ),
    "both axes": (
        {"conditions": held(r=value(0.0), axes=axes() | {"xAxis": {"coordinates": [1.0, 0.0, 0.0]}})},
        "AXES_TWO_WAYS",
        "steps[0].conditions[0].displacement.axes",
    ),
    "axis of nothing": (
        {"conditions": held(r=value(0.0), axes=axes(axis={"coordinates": [0.0, 0.0, 0.0]}))},
        "DIRECTION_ZERO",
        "steps[0].conditions[0].displacement.axes.cylindrical.axis",
    ),
    "nodes on the axis": (
        {"conditions": held(r=value(0.0), axes=axes())},
        "NODES_ON_AXIS",
        "steps[0].conditions[0].region",
    ),
    "antisymmetry of nodes": (
        {"regions": LINE, "conditions": [{"region": "line", "antisymmetry": {}}]},
        "SYMMETRY_NEEDS_NORMAL",
        "steps[0].conditions[0].antisymmetry",
    ),
}


@pytest.fixture(scope="module")
def cube():
    return store(box("hex8", (1, 1, 1)))


@pytest.mark.parametrize("case", CASES)
def test_bad_links_are_refused(cube, case):
    added, reason, field = CASES[case]
    added = dict(added)
    own = added.pop("conditions", [])
    given = elastic(conditions=[*own, {"region": "x0", "fixed": {}}], **added)
    found = {(v.reason, v.field): v for v in check_model(cube, given).violations}
    assert (reason, field) in found, found.keys()
    told = found[reason, field]
    assert "{" not in told.text + told.text_zh
    assert told.text != told.text_zh


def test_in_the_plane_and_about_an_axis():
    mesh = store(plate("quad4", (1, 1)))
    conditions = [{"region": "x0", "fixed": {}}]
    load = {"referenceForce": {"coupling": "c", "force": vector(x=1.0), "moment": vector(x=1.0, z=1.0)}}
    given = elastic(conditions=conditions, couplings=POINT, loads=[load], sections=kinematics("plane_stress"))
    fields = [(v.reason, v.field) for v in check_model(mesh, given).violations]
    assert fields == [("COMPONENT_NOT_IN_MODEL", "steps[0].loads[0].reference_force.moment.x")]
    given["sections"] = kinematics("axisymmetric")
    fields = [v.field for v in check_model(mesh, given).violations]
    assert [f.split("reference_force.")[1] for f in fields] == ["force.x", "moment.x", "moment.z"]
    turned = {"displacement": {"r": value(0.0), "axes": axes(axis={"coordinates": [0.0, 0.0, 1.0]})}}
    given = elastic(conditions=[*conditions, {"region": "x1"} | turned], sections=kinematics("plane_stress"))
    assert [v.reason for v in check_model(mesh, given).violations] == ["AXIS_IN_PLANE"]


def test_regions_of_links_are_used_and_a_motion_drives_a_step(cube):
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        regions=dict(LINE),
        couplings={"c": {"region": "line", "kinematic": {}}},
    )
    motion = {"coupling": "c"} | {m: value(0.0) for m in ("y", "z", "rotationX", "rotationY", "rotationZ")}
    given["couplings"]["c"]["region"] = "x1"
    given["springs"] = [{"at": {"region": "line"}, "stiffness": vector(x=1.0)}]
    given["steps"][0]["conditions"].append({"referenceMotion": motion | {"x": value(0.1)}})
    reply = check_model(cube, given)
    assert not reply.violations
    assert [n.reason for n in reply.notices] == ["LINEAR_CELLS_STIFF"]


def test_a_case_moves_what_the_step_leaves_free(cube):
    given = elastic(conditions=[{"region": "x0", "fixed": {}}], couplings=POINT)
    given["steps"][0]["loadCases"] = [{"conditions": [{"referenceMotion": {"coupling": "c", "x": value(1.0)}}]}]
    assert [v.reason for v in check_model(cube, given).violations] == ["CASE_MOVES_MORE"]


def test_procedures_that_cannot_take_links_say_so(cube):
    given = heat(conditions=[{"region": "x0", "temperature": value(0.0)}], ties=[{"slave": "x1", "master": "y1"}])
    given["materials"]["m"]["conductivity"] = {"overTemperature": {"at": [0.0, 100.0], "value": [1.0, 2.0]}}
    assert "LINKS_NOT_FOR_PROCEDURE" in [v.reason for v in check_model(cube, given).violations]


def test_a_region_without_nodes_cannot_be_linked(cube):
    far = {"far": {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [9.0, 9, 9]}, "radius": 0.1}}}
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}], regions=far, couplings={"c": {"region": "far", "kinematic": {}}}
    )
    assert [v.reason for v in check_model(cube, given).violations] == ["REGION_EMPTY"]
    assert [v.reason for v in solve(cube, given).failure.violations] == ["LINK_REGION_EMPTY"]
