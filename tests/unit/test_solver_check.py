"""Everything that can be wrong with an analysis, each with its reason and the path of its field."""

# ruff: noqa: E501 - one line a case

import copy
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.physics import for_procedure
from dougong.v1 import analysis_pb2 as pb
from meshgen import box, plate
from solving import check_model, elastic, heat, kinematics, model_of, store, value, vector

NAN, INFINITE = "NaN", "Infinity"  # as JSON writes them
FIXED = {"region": "x0", "fixed": {}}
PULL = {"region": "x1", "traction": vector(x=1.0)}
HOT = {"region": "x0", "temperature": value(100.0)}


def point(*x):
    return {"coordinates": list(x)}


@pytest.fixture(scope="module")
def solid():
    mesh = box("hex8", (2, 2, 2))
    corner = Region("corner", RegionKind.NODES, np.array([0]))
    part = Region("part", RegionKind.CELLS, np.array([0, 1, 2]))
    return store(Mesh(mesh.points, mesh.blocks, (*mesh.regions, corner, part)))


@pytest.fixture(scope="module")
def sheet():
    return store(plate("quad4", (2, 2)))


@pytest.fixture(scope="module")
def beyond():
    """Reaches to x = -0.5."""
    mesh = plate("quad4", (2, 2))
    return store(Mesh(mesh.points - [0.5, 0.0], mesh.blocks, mesh.regions))


@pytest.fixture(scope="module")
def seven_nodes():
    return store(plate("tri7", (2, 2)))


def good(**more):
    return elastic(conditions=[FIXED], loads=[PULL], material={"density": value(1.0)}) | more


def volts(x):
    return {
        "materials": {"m": {"permittivity": value(1.0)}},
        "sections": [{"material": "m"}],
        "steps": [{"electrostatics": {}, "conditions": [{"region": "x0", "electricPotential": value(x)}]}],
    }


def warm(**more):
    return heat(conditions=[HOT]) | more


def flat(**more):
    """A sheet, held and pulled."""
    return good(sections=kinematics("plane_stress")) | more


def ring(**more):
    """The same about the y axis."""
    return good(sections=kinematics("axisymmetric")) | more


def changed(given, path, new):
    """A copy with the entry at a path, such as steps.0.loads, replaced."""
    out = copy.deepcopy(given)
    *way, last = path.split(".")
    place = out
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if isinstance(place, list):
        place[int(last)] = new
    else:
        place[last] = new
    return out


def loads(*entries):
    return changed(good(), "steps.0.loads", list(entries))


def conditions(*entries):
    return changed(good(), "steps.0.conditions", list(entries))


def region(**given):
    return good(regions={"r": given})


def cases(*entries, combinations=(), of=None):
    """A step with load cases; combinations by their factors."""
    given = copy.deepcopy(of or good())
    given["steps"][0] |= {"loadCases": list(entries), "combinations": [{"factors": f} for f in combinations]}
    return given


ELASTIC = "materials.m.elastic"
AXES = "steps[0].conditions[0].displacement.axes"

#: reason, field, analysis; the mesh is `solid` but where a fourth entry names another.
TABLE = [
    ("NUMBER_NOT_FINITE", "steps[0].loads[0].pressure.value", loads({"region": "x1", "pressure": value(NAN)})),
    ("NUMBER_NOT_FINITE", 'materials["m"].elastic.young_modulus.value', elastic(E=INFINITE, conditions=[FIXED])),
    ("NUMBER_NOT_FINITE", 'regions["r"].box.min.coordinates[1]', region(box={"min": point(0, NAN, 0), "max": point(1, 1, 1)})),
    ("CELL_TYPE_NOT_SOLVABLE", "mesh", warm(), "seven_nodes"),
    ("REGION_NAME_TAKEN", 'regions["x0"]', good(regions={"x0": {"all": {}}})),
    ("REGION_WITHOUT_SHAPE", 'regions["r"]', region(kind="KIND_NODES")),
    ("DIRECTION_ZERO", 'regions["r"].plane.normal', region(plane={"point": point(0, 0, 0), "normal": point(0, 0, 0)})),
    ("DIRECTION_ZERO", "steps[0].conditions[0].symmetry.normal", conditions({"region": "x0", "symmetry": {"normal": point(0, 0, 0)}})),
    ("VALUE_NOT_POSITIVE", 'regions["r"].sphere.radius', region(sphere={"center": point(0, 0, 0), "radius": 0.0})),
    ("VALUE_NOT_POSITIVE", "sections[0].thickness", warm(sections=[{"material": "m", "thickness": value(0.0)}]), "sheet"),
    ("VALUE_NOT_POSITIVE", "solver.max_iterations", good(solver={"maxIterations": 0})),
    ("VALUE_NEGATIVE", 'regions["r"].sphere.tolerance', region(sphere={"center": point(0, 0, 0), "radius": 1.0, "tolerance": -1.0})),
    ("VALUE_MISSING", "steps[0].loads[0].convection.ambient", heat(loads=[{"region": "x0", "convection": {"coefficient": value(1.0)}}])),
    ("VALUE_MISSING", "steps[0].loads[0].pressure", loads({"region": "x1", "pressure": {}})),
    ("TEMPERATURE_BELOW_ABSOLUTE_ZERO", "steps[0].conditions[0].temperature", heat(conditions=[{"region": "x0", "temperature": value(-1.0)}])),
    ("NORMAL_NEEDS_FACETS", 'regions["r"].kind', region(kind="KIND_NODES", normal={"direction": point(1, 0, 0)})),
    ("WRONG_NUMBER_OF_COORDINATES", 'regions["r"].sphere.center', region(sphere={"center": point(0, 0), "radius": 1.0})),
    ("WRONG_NUMBER_OF_COORDINATES", "steps[0].conditions[0].symmetry.normal", conditions({"region": "x0", "symmetry": {"normal": point(1, 0)}})),
    ("WRONG_NUMBER_OF_COORDINATES", f"{AXES}.x_axis", conditions({"region": "x0", "displacement": vector(x=0.0) | {"axes": {"xAxis": point(1), "xyPlane": point(0, 1, 0)}}})),
    ("REGION_MISSING", "steps[0].loads[0].region", loads({"pressure": value(1.0)})),
    ("REGION_UNKNOWN", "steps[0].conditions[0].region", conditions({"region": "x00", "fixed": {}})),
    ("REGION_WRONG_KIND", "steps[0].loads[0].region", loads({"region": "corner", "pressure": value(1.0)})),
    ("REGION_WRONG_KIND", "steps[0].conditions[0].region", conditions({"region": "part", "fixed": {}})),
    ("REGION_WRONG_KIND", "sections[0].region", good(sections=[{"material": "m", "region": "x0"}])),
    ("REGION_EMPTY", 'regions["r"]', region(sphere={"center": point(9, 9, 9), "radius": 1.0})),
    ("NO_SECTIONS", "sections", good(sections=[])),
    ("THICKNESS_OF_SOLID", "sections[0].thickness", good(sections=[{"material": "m", "thickness": value(2.0)}])),
    ("MATERIAL_UNKNOWN", "sections[0].material", good(sections=[{"material": "steel"}])),
    ("MATERIAL_CONSTANT_MISSING", 'materials["m"].elastic.young_modulus', changed(good(), ELASTIC, {"poissonRatio": value(0.3)})),
    ("MATERIAL_CONSTANT_MISSING", 'materials["m"].elastic.poisson_ratio', changed(good(), ELASTIC, {"youngModulus": value(1.0)})),
    ("MATERIAL_CONSTANT_MISSING", 'materials["m"].conductivity', changed(warm(), "materials.m", {})),
    ("MATERIAL_CONSTANT_MISSING", "steps[0].loads[0]", elastic(conditions=[FIXED], loads=[{"gravity": vector(z=-9.8)}])),
    ("YOUNG_MODULUS_NOT_POSITIVE", 'materials["m"].elastic.young_modulus', elastic(E=0.0, conditions=[FIXED])),
    ("POISSON_RATIO_OUT_OF_RANGE", 'materials["m"].elastic.poisson_ratio', elastic(nu=0.5, conditions=[FIXED])),
    ("POISSON_RATIO_OUT_OF_RANGE", 'materials["m"].elastic.poisson_ratio', elastic(nu=-1.0, conditions=[FIXED])),
    ("CONDUCTIVITY_NOT_POSITIVE", 'materials["m"].conductivity', heat(k=-1.0, conditions=[HOT])),
    ("FILM_COEFFICIENT_NOT_POSITIVE", "steps[0].loads[0].convection.coefficient", heat(loads=[{"region": "x0", "convection": {"coefficient": value(0.0), "ambient": value(1.0)}}])),
    ("CELLS_WITHOUT_SECTION", "sections", good(sections=[{"material": "m", "region": "part"}])),
    ("CELLS_IN_TWO_SECTIONS", "sections[1].region", good(sections=[{"material": "m"}, {"material": "m", "region": "part"}])),
    ("NO_STEPS", "steps", good(steps=[])),
    ("STEP_NAME_TAKEN", "steps[1].name", good(steps=[{"name": "a", "static": {}, "conditions": [FIXED]}] * 2)),
    ("STEP_WITHOUT_PROCEDURE", "steps[0]", good(steps=[{"conditions": [FIXED]}])),
    ("KINEMATICS_MISSING", "sections[0].kinematics", good(), "sheet"),
    ("KINEMATICS_UNKNOWN", "sections[0].kinematics", good(sections=[{"material": "m", "kinematics": 99}]), "sheet"),
    ("KINEMATICS_OF_SOLID", "sections[0].kinematics", flat()),
    ("KINEMATICS_OF_SOLID", "sections[0].kinematics", warm(sections=kinematics("plane_strain"))),
    ("KINEMATICS_MIXED", "sections[1].kinematics", good(sections=[*kinematics("axisymmetric"), *kinematics("plane_strain")]), "sheet"),
    ("KINEMATICS_MIXED", "sections[1].kinematics", warm(sections=[{"material": "m"}, *kinematics("axisymmetric")]), "sheet"),
    ("THICKNESS_OF_RING", "sections[0].thickness", good(sections=kinematics("axisymmetric", thickness=1.0)), "sheet"),
    ("GRAVITY_NOT_AXIAL", "steps[0].loads[0].gravity.x", changed(ring(), "steps.0.loads.0", {"gravity": vector(x=1.0, y=2.0)}), "sheet"),
    ("FORCE_ON_AXIS", "steps[0].loads[0].total_force", changed(ring(), "steps.0.loads.0", {"region": "x0", "totalForce": vector(y=1.0)}), "sheet"),
    ("RADIUS_NEGATIVE", "mesh", ring(), "beyond"),
    ("FREE_MODES", "steps[0].conditions", changed(ring(), "steps.0.conditions", [{"region": "x0", "symmetry": {}}]), "sheet"),
    ("COMPONENT_NOT_IN_MODEL", "steps[0].loads[0].traction.z", changed(flat(), "steps.0.loads.0.traction", vector(z=1.0)), "sheet"),
    ("COMPONENT_NOT_IN_MODEL", "steps[0].conditions[0].displacement.z", changed(flat(), "steps.0.conditions.0", {"region": "x0", "displacement": vector(z=0.0)}), "sheet"),
    ("FREE_MODES", "steps[0].conditions", changed(flat(), "steps.0.conditions", []), "sheet"),
    ("WRONG_NUMBER_OF_COORDINATES", AXES + ".x_axis", changed(flat(), "steps.0.conditions.0", {"region": "x0", "displacement": vector(x=0.0) | {"axes": {"xAxis": point(1, 0, 0)}}}), "sheet"),
    ("KIND_MISSING", "steps[0].loads[0]", loads({"region": "x1"})),
    ("KIND_MISSING", "steps[0].conditions[0]", conditions({"region": "x0"})),
    ("KIND_NOT_FOR_PROCEDURE", "steps[0].loads[0].heat_flux", loads({"region": "x1", "heatFlux": value(1.0)})),
    ("KIND_NOT_FOR_PROCEDURE", "steps[0].conditions[1].temperature", conditions(FIXED, HOT)),
    ("SYMMETRY_NEEDS_NORMAL", "steps[0].conditions[0].symmetry", conditions({"region": "corner", "symmetry": {}})),
    ("SYMMETRY_NOT_PLANE", "steps[0].conditions[0].symmetry", conditions({"region": "r", "symmetry": {}}) | {"regions": {"r": {"all": {}}}}),
    ("DISPLACEMENT_EMPTY", "steps[0].conditions[0].displacement", conditions({"region": "x0", "displacement": {}})),
    ("AXES_DEGENERATE", AXES, conditions({"region": "x0", "displacement": vector(x=0.0) | {"axes": {"xAxis": point(1, 1, 0), "xyPlane": point(2, 2, 0)}}})),
    ("AXES_DEGENERATE", AXES, conditions({"region": "x0", "displacement": vector(x=0.0) | {"axes": {"xAxis": point(0, 0, 0), "xyPlane": point(2, 2, 0)}}})),
    ("VECTOR_EMPTY", "steps[0].loads[0].traction", loads({"region": "x1", "traction": {}})),
    ("CONDITIONS_CONTRADICT", "steps[0].conditions[1]", conditions(FIXED, {"region": "y0", "displacement": vector(x=1.0)})),
    ("FIELD_UNKNOWN", "outputs.fields[0].name", good(outputs={"fields": [{"name": "stres"}]})),
    ("FIELD_LOCATION_NOT_AVAILABLE", "outputs.fields[0].location", good(outputs={"fields": [{"name": "displacement", "location": "LOCATION_INTEGRATION_POINT"}]})),
    ("FIELD_LOCATION_NOT_AVAILABLE", "outputs.fields[0].location", good(outputs={"fields": [{"name": "reaction", "location": "LOCATION_CELL"}]})),
    ("TOLERANCE_OUT_OF_RANGE", "solver.relative_tolerance", good(solver={"relativeTolerance": 0.2})),
    ("PETSC_OPTION_NOT_ALLOWED", 'solver.petsc_options["options_file"]', good(solver={"petscOptions": {"options_file": "/etc/passwd"}})),
    ("FREE_MODES", "steps[0].conditions", conditions()),
    ("FRAME_NAME_TAKEN", "steps[0].load_cases[1].name", cases({"name": "a"}, {"name": "a"})),
    ("FRAME_NAME_TAKEN", "steps[0].combinations[0].name", cases({"name": "combination-1"}, combinations=[{"combination-1": 1.0}])),
    ("COMBINATION_EMPTY", "steps[0].combinations[1].factors", cases({}, combinations=[{"case-1": 2.0}, {}])),
    ("CASE_UNKNOWN", 'steps[0].combinations[0].factors["pul"]', cases({"name": "pull"}, combinations=[{"pul": 1.0}])),
    ("CASE_UNKNOWN", 'steps[0].combinations[0].factors["pull"]', cases(combinations=[{"pull": 1.0}])),
    ("NUMBER_NOT_FINITE", 'steps[0].combinations[0].factors["case-1"]', cases({}, combinations=[{"case-1": NAN}])),
    ("CASE_LOAD_CHANGES_MATRIX", "steps[0].load_cases[0].loads[0].convection", cases({"loads": [{"region": "x1", "convection": {"coefficient": value(1.0), "ambient": value(1.0)}}]}, of=warm())),
    ("CASE_HOLDS_MORE", "steps[0].load_cases[1].conditions[0]", cases({"conditions": [FIXED]}, {"conditions": [{"region": "x1", "displacement": vector(x=1.0)}]})),
    ("CASE_HOLDS_MORE", "steps[0].load_cases[0].conditions[0]", cases({"conditions": [{"region": "x1", "displacement": vector(z=1.0)}]}, of=conditions(FIXED, {"region": "x1", "displacement": vector(x=0.0)}))),
    ("CONDITIONS_CONTRADICT", "steps[0].load_cases[0].conditions[1]", cases({"conditions": [FIXED, {"region": "x0", "displacement": vector(x=1.0)}]})),
    ("REGION_UNKNOWN", "steps[0].load_cases[0].loads[0].region", cases({"loads": [{"region": "x11", "pressure": value(1.0)}]})),
    ("KIND_NOT_FOR_PROCEDURE", "steps[0].load_cases[0].conditions[0].temperature", cases({"conditions": [HOT]})),
    ("MATERIAL_CONSTANT_MISSING", "steps[0].load_cases[0].loads[0]", cases({"loads": [{"gravity": vector(z=-9.8)}]}, of=elastic(conditions=[FIXED]))),
    ("TEMPERATURE_UNDETERMINED", "steps[0].conditions", heat(loads=[{"region": "x0", "heatFlux": value(1.0)}])),
]  # fmt: skip


def row_id(row):
    return f"{row[0]}-{row[1]}"


@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_violation(row, request):
    reason, field, given, *mesh = row
    reply = check_model(request.getfixturevalue(mesh[0] if mesh else "solid"), given)
    found = [(v.reason, v.field) for v in reply.violations]
    assert (reason, field) in found
    violation = next(v for v in reply.violations if v.reason == reason)
    assert "{" not in violation.text
    assert "{" not in violation.text_zh
    assert not reply.HasField("estimate")


def test_every_reason_of_the_catalogue_is_reached():
    catalogue = Path(__file__).parents[2] / "proto/dougong/messages/texts/analysis.toml"
    reasons = set(tomllib.loads(catalogue.read_text()))
    notices = {"REGION_UNUSED", "STEP_WITHOUT_LOAD", "LINEAR_CELLS_STIFF"}
    of_other_physics = {"MESH_DIMENSION_NOT_SUPPORTED"}  # those that there are know all dimensions
    assert reasons - {row[0] for row in TABLE} == notices | of_other_physics


def test_a_physics_without_this_dimension(sheet, monkeypatch):
    monkeypatch.setattr(type(for_procedure("static")), "DIMENSIONS", (3,))
    (found,) = check_model(sheet, flat()).violations
    assert (found.reason, found.field) == ("MESH_DIMENSION_NOT_SUPPORTED", "steps[0]")
    assert found.params["wanted"] == "3-D"


def test_free_motions_in_the_plane(sheet):
    (found,) = check_model(sheet, changed(flat(), "steps.0.conditions", [])).violations
    assert found.params["modes"] == "translation x, translation y, rotation z"
    sliding = changed(flat(), "steps.0.conditions", [{"region": "x0", "symmetry": {}}])
    (found,) = check_model(sheet, sliding).violations
    assert found.params["modes"] == "translation y"


def test_about_an_axis_only_the_axial_motion_is_free(sheet, beyond):
    (found,) = check_model(sheet, changed(ring(), "steps.0.conditions", [])).violations
    assert found.params["modes"] == "translation y"
    assert not check_model(sheet, changed(ring(), "steps.0.conditions", [{"region": "y0", "symmetry": {}}])).violations
    (found,) = check_model(beyond, ring()).violations
    assert list(found.node_ids) == [1, 2, 3]


def test_the_choices_of_kinematics_are_told(sheet):
    (found,) = check_model(sheet, good()).violations
    assert found.params["known"] == "plane_stress, plane_strain, axisymmetric"


def test_an_unknown_load_case_offers_the_nearest_names(solid):
    given = cases({"name": "wind from north"}, {"name": "snow"}, combinations=[{"wind": 1.0}])
    (found,) = check_model(solid, given).violations
    assert found.params["near"] == "wind from north"


def test_what_acts_in_a_case_is_used_and_is_a_load(solid):
    r = {"r": {"all": {}}}
    given = cases({"loads": [{"region": "r", "pressure": value(1.0)}]}, of=good(regions=r))
    given["steps"][0]["loads"] = []
    assert [n.reason for n in check_model(solid, given).notices] == ["LINEAR_CELLS_STIFF"]
    idle = changed(given, "steps.0.loadCases", [{}])
    assert {n.reason for n in check_model(solid, idle).notices} >= {"STEP_WITHOUT_LOAD", "REGION_UNUSED"}


@pytest.mark.parametrize(
    ("mesh", "given"), [("solid", good()), ("solid", warm()), ("sheet", warm()), ("sheet", flat()), ("sheet", ring())]
)
def test_nothing_wrong(mesh, given, request):
    reply = check_model(request.getfixturevalue(mesh), given)
    assert not reply.violations
    assert reply.estimate.dofs > 0
    assert reply.estimate.memory_bytes > 1e6


def test_notices(solid):
    given = conditions(FIXED) | {"regions": {"r": {"all": {}}}}
    given["steps"][0]["loads"] = []
    found = {n.reason: n.text for n in check_model(solid, given).notices}
    assert set(found) == {"REGION_UNUSED", "STEP_WITHOUT_LOAD", "LINEAR_CELLS_STIFF"}
    moved = conditions(FIXED, {"region": "x1", "displacement": vector(x=1.0)})
    moved["steps"][0]["loads"] = []
    assert {n.reason for n in check_model(solid, moved).notices} == {"LINEAR_CELLS_STIFF"}


def test_unused_regions_are_one_notice(solid):
    reply = check_model(solid, good(regions={name: {"all": {}} for name in ("b", "a")}))
    (unused,) = [n for n in reply.notices if n.reason == "REGION_UNUSED"]
    assert "a, b" in unused.text
    assert "a, b" in unused.text_zh


CYLINDER = {"axes": {"cylindrical": {"origin": point(-1, 0, 0)}}}
COUPLED = {"c": {"region": "x1", "kinematic": {}}}
HINGE = [{"terms": [{"coupling": "c", "component": "COMPONENT_X", "coefficient": 1.0}], "value": 0.1}]


@pytest.mark.parametrize(
    ("given", "idle"),
    [
        (conditions(FIXED, {"region": "x1", "displacement": vector(r=0.0, theta=0.0, z=0.0) | CYLINDER}), True),
        (conditions(FIXED, {"region": "x1", "displacement": vector(r=0.1, theta=0.0, z=0.0) | CYLINDER}), False),
        (conditions(FIXED, {"region": "x1", "displacement": vector(theta=0.1) | CYLINDER}), False),
        (conditions(FIXED, {"referenceMotion": {"coupling": "c", "x": value(0.0)}}) | {"couplings": COUPLED}, True),
        (conditions(FIXED, {"referenceMotion": {"coupling": "c", "rotationX": value(0.1)}}) | {"couplings": COUPLED}, False),
        (conditions(FIXED) | {"couplings": COUPLED, "equations": HINGE}, False),
        (volts(0.0), True),
        (volts(5.0), False),
    ],
)  # fmt: skip
def test_a_step_is_idle_when_all_that_it_prescribes_is_zero(solid, given, idle):
    given = changed(given, "steps.0.loads", [])
    reply = check_model(solid, given)
    assert not reply.violations
    assert ("STEP_WITHOUT_LOAD" in [n.reason for n in reply.notices]) is idle


def test_everything_wrong_is_told_at_once(solid):
    given = elastic(E=0.0, nu=0.5, conditions=[{"region": "nowhere", "fixed": {}}], loads=[{"region": "x1", "pressure": value(NAN)}])  # fmt: skip
    reasons = {v.reason for v in check_model(solid, given).violations}
    wanted = {"YOUNG_MODULUS_NOT_POSITIVE", "POISSON_RATIO_OUT_OF_RANGE", "REGION_UNKNOWN", "NUMBER_NOT_FINITE"}
    assert reasons >= wanted


def test_an_unknown_region_offers_the_nearest_names(solid):
    reply = check_model(solid, conditions({"region": "XX1", "fixed": {}}))
    (violation,) = reply.violations
    assert "x1" in violation.params["near"]


def test_a_name_that_differs_by_case_alone_is_meant(solid):
    assert not check_model(solid, conditions({"region": "X0", "fixed": {}})).violations


def test_contradictions_name_nodes_and_both_regions(solid):
    reply = check_model(solid, conditions(FIXED, {"region": "y0", "displacement": vector(x=1.0)}))
    (violation,) = reply.violations
    assert violation.params["regions"] == "x0, y0"
    mesh = box("hex8", (2, 2, 2))
    shared = np.flatnonzero((mesh.points[:, 0] == 0) & (mesh.points[:, 1] == 0)) + 1
    assert list(violation.node_ids) == shared.tolist()


def test_the_same_value_twice_is_no_contradiction(solid):
    given = conditions(FIXED, {"region": "y0", "displacement": vector(x=0.0)}, {"region": "x0", "symmetry": {}})
    assert not check_model(solid, given).violations


@pytest.mark.parametrize("lean", [1e-7, 1e-5])
def test_nearly_equal_normals_do_not_hold_a_node_within_the_plane(solid, lean):
    """Normals of regions of one plane differ by the digits of the coordinates."""
    leaning = {"region": "z0", "symmetry": {"normal": point(lean, 0.0, 1.0)}}
    pushed = {"region": "x0", "displacement": vector(x=2.0)}
    model = model_of(solid, conditions(leaning, {"region": "z0", "symmetry": {}}, pushed))
    builder = ConstraintBuilder(model)
    held = builder.run()
    assert not builder.violations
    assert set(held.rank[model.part.points[held.nodes, 0] > 0]) == {1}
    assert np.abs(held.prescribed).max() == pytest.approx(2.0)
    given = conditions(leaning, {"region": "z0", "displacement": vector(z=1.0)})
    assert [v.reason for v in check_model(solid, given).violations] == ["CONDITIONS_CONTRADICT"]


def test_cells_without_section_are_named(solid):
    (violation,) = check_model(solid, good(sections=[{"material": "m", "region": "part"}])).violations
    assert list(violation.cell_ids) == [4, 5, 6, 7, 8]


def test_paths_name_fields_of_the_contract(solid):
    """Every field of the table exists in the message, so that a client can point at it."""
    for _, path, *_ in TABLE:
        message = pb.Analysis.DESCRIPTOR
        for part in re.findall(r"[a-z_]+(?=\[|\.|$)", re.sub(r'\["[^"]*"\]', "[]", path)):
            field = message.fields_by_name[part]
            message = field.message_type
            if message is not None and message.GetOptions().map_entry:
                message = message.fields_by_name["value"].message_type


def test_gravity_asks_only_the_loaded_materials_for_a_density(solid):
    left = {"kind": "KIND_CELLS", "box": {"min": point(0, 0, 0), "max": point(0.5, 1, 1)}}
    right = {"kind": "KIND_CELLS", "box": {"min": point(0.5, 0, 0), "max": point(1, 1, 1)}}
    elastic_only = {"elastic": {"youngModulus": value(1.0), "poissonRatio": value(0.3)}}
    given = good(
        regions={"left": left, "right": right, "also left": left},
        materials={"light": elastic_only, "heavy": elastic_only | {"density": value(1.0)}},
        sections=[{"region": "left", "material": "heavy"}, {"region": "right", "material": "light"}],
    )
    right_place = changed(given, "steps.0.loads", [{"region": "also left", "gravity": vector(z=-9.8)}])
    assert not check_model(solid, right_place).violations
    # Only the cells tell that this load acts on the light material: the names have nothing to do with each other.
    given["regions"]["also left"] = right
    (found,) = check_model(
        solid, changed(given, "steps.0.loads", [{"region": "also left", "gravity": vector(z=-9.8)}])
    ).violations
    assert (found.reason, found.field) == ("MATERIAL_CONSTANT_MISSING", "steps[0].loads[0]")


def test_linear_cells_that_bend_are_not_noticed_beside_quadratic_ones():
    linear, quadratic = box("hex8", (1, 1, 1)), box("hex20", (1, 1, 1))
    n = len(linear.points)
    blocks = (*linear.blocks, CellBlock(quadratic.blocks[0].type, quadratic.blocks[0].nodes + n))
    regions = [Region("bends", RegionKind.CELLS, np.array([0])), Region("curved", RegionKind.CELLS, np.array([1]))]
    regions.append(Region("held", RegionKind.NODES, np.arange(n + len(quadratic.points))))
    mesh = store(Mesh(np.concatenate([linear.points, quadratic.points + np.array([2.0, 0.0, 0.0])]), blocks, regions))
    bending = {"material": "m", "region": "bends", "formulation": "FORMULATION_INCOMPATIBLE_MODES"}
    given = conditions({"region": "held", "fixed": {}}) | {"sections": [bending, {"material": "m", "region": "curved"}]}
    given["steps"][0]["loads"] = [{"region": "held", "nodalForce": vector(x=1.0)}]
    reply = check_model(mesh, given)
    assert not reply.violations
    assert "LINEAR_CELLS_STIFF" not in [n.reason for n in reply.notices]
    stiff = check_model(mesh, changed(given, "sections.0.formulation", "FORMULATION_PLAIN"))
    (told,) = [n for n in stiff.notices if n.reason == "LINEAR_CELLS_STIFF"]
    assert dict(told.params)["cell_types"] == "hex8"


def test_linear_cells_are_noticed(solid):
    reply = check_model(solid, good())
    assert [n.reason for n in reply.notices] == ["LINEAR_CELLS_STIFF"]
    assert "hex8" in reply.notices[0].text or "tet4" in reply.notices[0].text
