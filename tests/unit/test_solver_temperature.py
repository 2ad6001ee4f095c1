"""Temperatures of a step: what is refused before anything is computed, and where values come from."""

import numpy as np
import pytest

from dougong.internal import run_pb2
from dougong.messages import FemError
from dougong.solver import rundir
from dougong.solver.thermal.inputs import Inputs, KeptFrame
from dougong.v1 import analysis_pb2 as pb
from meshgen import box
from solving import check_model, elastic, heat, kinematics, prepare, solve, store, value
from thermal_cases import ALPHA, COLD, HOT, expansion, heated, orthotropic, table, warm

MESH = box("hex8", (2, 1, 1))
HELD = ("x0", "x1", "y0", "z0")
HEATING = {
    "name": "heating",
    "steadyHeat": {},
    "conditions": [{"region": "x0", "temperature": value(20.0)}],
    "loadCases": [{"name": n, "loads": [{"region": "x1", "heatFlux": value(q)}]} for n, q in (("a", 0.0), ("b", 5e3))],
}


def sequence(temperature, *more, **kwargs):
    """Heating, then a static step with a temperature, and more steps."""
    given = heated(temperature, HELD, **kwargs)
    given["materials"]["m"]["conductivity"] = value(50.0)
    given["steps"][0]["name"] = "stress"
    given["steps"] = [HEATING, *given["steps"], *more]
    return given


def from_step(step="heating", all_frames=False, **frame):
    return {"fromStep": {"step": step} | frame, "allFrames": all_frames}


def without(given, *path):
    """An analysis without a field."""
    place = given
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return given


def refused(given, mesh=MESH):
    return [(v.reason, v.field) for v in check_model(mesh, given).violations]


FIRST, LATER = "steps[0].loads[0].temperature", "steps[1].loads[0].temperature"
EXPANSION = 'materials["m"].expansion'
WRONG = {
    "no expansion": (
        lambda: without(heated(HOT, HELD), "materials", "m", "expansion"), "EXPANSION_MISSING", EXPANSION,
    ),
    "no coefficient": (
        lambda: without(heated(HOT, HELD), "materials", "m", "expansion", "coefficient"), "EXPANSION_EMPTY", EXPANSION,
    ),
    "no reference": (
        lambda: without(heated(HOT, HELD), "materials", "m", "expansion", "referenceTemperature"),
        "REFERENCE_TEMPERATURE_MISSING", f"{EXPANSION}.reference_temperature",
    ),
    "two of three coefficients": (
        lambda: without(
            heated(HOT, HELD, material=orthotropic((1e-5, 1e-5, 1e-5))),
            "materials", "m", "expansion", "orthotropic", "alpha3",
        ),
        "MATERIAL_CONSTANT_MISSING", f"{EXPANSION}.orthotropic.alpha3",
    ),
    "stiffness over temperature without reference": (
        lambda: elastic(
            conditions=[{"region": "x0", "fixed": {}}],
            material={"elastic": {"youngModulus": table(at=[0.0, 1.0], value=[1.0, 2.0]), "poissonRatio": value(0.3)}},
        ),
        "PROPERTY_WITHOUT_REFERENCE", EXPANSION,
    ),
    "a table with an impossible constant": (
        lambda: heated(
            HOT, HELD,
            material={"elastic": {"youngModulus": table(at=[0.0, 9.0], value=[1.0, 0.0]), "poissonRatio": value(0.3)}},
        ),
        "YOUNG_MODULUS_NOT_POSITIVE", 'materials["m"].elastic.young_modulus',
    ),
    "no source": (lambda: heated({}, HELD), "TEMPERATURE_WITHOUT_SOURCE", FIRST),
    "below absolute zero": (lambda: heated(-1.0, HELD), "TEMPERATURE_BELOW_ABSOLUTE_ZERO", f"{FIRST}.value"),
    "an expression that goes below": (lambda: heated("1 - 2*x", HELD), "VALUE_TOO_LOW_AT", f"{FIRST}.value"),
    "an unknown step": (
        lambda: sequence(from_step("heatin")), "STATE_OF_UNKNOWN_STEP", f"{LATER}.from_step.step",
    ),
    "itself": (lambda: sequence(from_step("stress")), "STATE_OF_LATER_STEP", f"{LATER}.from_step.step"),
    "a later step": (
        lambda: sequence(from_step("again"), HEATING | {"name": "again"}),
        "STATE_OF_LATER_STEP", f"{LATER}.from_step.step",
    ),
    "a step without temperature": (
        lambda: sequence(HOT, heated(from_step("stress"), HELD)["steps"][0]),
        "STATE_NOT_THERMAL", "steps[2].loads[0].temperature.from_step.step",
    ),
    "a frame too many": (lambda: sequence(from_step(frame=2)), "FRAME_NUMBER_UNKNOWN", f"{LATER}.from_step.frame"),
    "a negative frame": (lambda: sequence(from_step(frame=-1)), "FRAME_NUMBER_UNKNOWN", f"{LATER}.from_step.frame"),
    "an initial state of an unknown step": (
        lambda: sequence(HOT, HEATING | {"name": "again", "initial": {"fromStep": {"step": "heatin"}}}),
        "STATE_OF_UNKNOWN_STEP", "steps[2].initial.from_step.step",
    ),
    "an initial state without temperature": (
        lambda: sequence(HOT, HEATING | {"name": "again", "initial": {"fromStep": {"step": "stress"}}}),
        "STATE_NOT_THERMAL", "steps[2].initial.from_step.step",
    ),
    "all frames of a number": (
        lambda: heated({"value": value(HOT), "allFrames": True}, HELD), "ALL_FRAMES_OF_VALUE", f"{FIRST}.all_frames",
    ),
    "all frames and one of them": (
        lambda: sequence(from_step(all_frames=True, frame=0)), "ALL_FRAMES_AND_ONE", f"{LATER}.all_frames",
    ),
    "an unknown region": (lambda: elastic(loads=[warm(HOT, "nowhere")]), "REGION_UNKNOWN", "steps[0].loads[0].region"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case):
    given, reason, field = WRONG[case]
    assert (reason, field) in refused(given())


def test_all_frames_beside_load_cases():
    given = sequence(from_step(all_frames=True))
    given["steps"][1]["loadCases"] = [{"name": "a"}]
    assert ("ALL_FRAMES_AND_CASES", f"{LATER}.all_frames") in refused(given)


def test_all_frames_of_two_steps():
    given = sequence(from_step(all_frames=True))
    given["steps"].insert(1, HEATING | {"name": "again"})
    given["steps"][2]["loads"].append(warm(from_step("again", all_frames=True)))
    assert ("ALL_FRAMES_OF_TWO", "steps[2].loads[1].temperature.all_frames") in refused(given)


def test_a_load_case_cannot_change_the_matrix():
    modulus = table(at=[0.0, 200.0], value=[2e5, 1e5])
    material = {"elastic": {"youngModulus": modulus, "poissonRatio": value(0.3)}}
    given = heated(HOT, HELD, material=material)
    given["steps"][0]["loadCases"] = [{"name": "a", "loads": [warm(50.0)]}]
    place = "steps[0].load_cases[0].loads[0].temperature"
    assert ("CASE_TEMPERATURE_CHANGES_MATRIX", place) in refused(given)


def test_what_expands_is_asked_of_the_cells_that_are_heated():
    """Two materials, one of which does not say how it expands: heated nodes next to it reach it, others do not."""
    given = heated(HOT, HELD)
    half = {"min": {"coordinates": [0.5, 0, 0]}, "max": {"coordinates": [1, 1, 1]}}
    given["regions"] = {"right": {"kind": "KIND_CELLS", "box": half}, "left": {"kind": "KIND_CELLS", "box": {
        "min": {"coordinates": [0, 0, 0]}, "max": {"coordinates": [0.5, 1, 1]}}}}  # fmt: skip
    given["materials"]["plain"] = elastic()["materials"]["m"]
    given["sections"] = [{"region": "left", "material": "m"}, {"region": "right", "material": "plain"}]
    load = given["steps"][0]["loads"][0]
    for region, fine in (("left", True), ("x0", True), ("right", False), ("x1", False), ("", False)):
        load["region"] = region
        assert (refused(given) == []) == fine, region


def test_a_heat_step_takes_no_temperature_load():
    given = heat(loads=[warm(HOT)], conditions=[{"region": "x0", "temperature": value(1.0)}])
    assert ("KIND_NOT_FOR_PROCEDURE", FIRST) in refused(given)


@pytest.mark.parametrize("asks", ["a temperature", "an initial state"])
def test_a_frame_that_was_not_there_is_an_error_of_the_model(asks):
    """Of a transient step it is not known before how many frames it will have."""
    given = sequence(HOT)
    transient = {"duration": value(1.0), "outputTimes": [0.5, 1.0]}
    given["materials"]["m"] |= {"density": value(1.0), "specificHeat": value(1.0)}
    given["steps"][0] = {"name": "heating", "transientHeat": transient, "initial": {"temperature": value(20.0)}}
    state = {"fromStep": {"step": "heating", "frame": 2}}
    if asks == "a temperature":
        given["steps"][1]["loads"] = [warm(state)]
        place = f"{LATER}.from_step.frame"
    else:
        del given["outputs"]  # of a static step
        given["steps"][1] = given["steps"][0] | {"name": "again", "initial": state}
        place = "steps[1].initial.from_step.frame"
    assert refused(given) == []
    failure = solve(MESH, given).failure
    assert [(v.reason, v.field) for v in failure.violations] == [("FRAME_NUMBER_UNKNOWN", place)]


def test_what_a_step_that_follows_another_costs():
    """As many solutions as there are frames; as many matrices where the stiffness depends on temperature."""
    given = sequence(from_step(all_frames=True))
    one = check_model(MESH, sequence(from_step())).estimate
    given["steps"][0] = HEATING | {"loadCases": [{"name": f"c{k}"} for k in range(40)]}
    many = check_model(MESH, given).estimate
    assert many.seconds > one.seconds
    assert many.memory_bytes > one.memory_bytes
    modulus = table(at=[0.0, 200.0], value=[2e5, 1e5])
    given["materials"]["m"]["elastic"]["youngModulus"] = modulus
    assert check_model(MESH, given).estimate.seconds > many.seconds


@pytest.mark.parametrize(("frame", "case"), [({}, 1), ({"frame": 0}, 0), ({"frame": 1}, 1)])
def test_a_frame_is_chosen(frame, case):
    solved = solve(MESH, sequence(from_step(**frame)))
    x = MESH.points[:, 0]
    rise = (0.0, 100.0)[case] * x  # flux over conductivity
    temperature = solved.field("temperature", step="heating", frame=case)[:, 0]
    np.testing.assert_allclose(temperature, 20.0 + rise, rtol=1e-9)
    strain = solved.field("thermal_strain", step="stress")[:, 0]
    mean = ALPHA * (0.0, 50.0)[case]
    assert strain.mean() == pytest.approx(mean, abs=1e-12)


def with_inputs(given, fields):
    """A run directory with fields of another job beside it, given as (frame, name, value, values)."""
    directory = prepare(MESH, given)
    folder = directory / rundir.INPUTS
    folder.mkdir()
    listed = run_pb2.InputList()
    for k, (frame, name, at, values) in enumerate(fields):
        np.asarray(values, "<f8").tofile(folder / f"{k}.bin")
        listed.fields.add(
            job_id="job-1", step="heating", frame=frame, frame_name=name, value=at, last=k == len(fields) - 1,
            file=f"{k}.bin", size_bytes=8 * len(values),
        )  # fmt: skip
    rundir.write_inputs(folder, listed)
    return directory


def test_fields_of_another_job(tmp_path):
    n = len(MESH.points)
    fields = [(0, "t=1", 1.0, np.full(n, 50.0)), (3, "t=2", 2.0, np.arange(n) + 0.5)]
    inputs = Inputs(with_inputs(heated(HOT, HELD), fields))
    state = pb.FromJob(job_id="job-1", step="heating")
    assert inputs.frames(state) == [KeptFrame("t=1", 1.0), KeptFrame("t=2", 2.0)]
    nodes = np.array([3, 0, 7])
    np.testing.assert_array_equal(inputs.values(state, None, nodes), nodes + 0.5)
    np.testing.assert_array_equal(inputs.values(state, 0, nodes), [50.0] * 3)
    for wrong, frame in ((state, 1), (pb.FromJob(job_id="job-2", step="heating"), None)):
        with pytest.raises(FemError) as told:
            inputs.values(wrong, frame, nodes)
        assert told.value.reason == "INPUT_MISSING"
    assert Inputs(tmp_path).frames(state) == []


def test_zero_expansion_is_allowed():
    given = heated(HOT, HELD, material=expansion(0.0))
    assert refused(given) == []
    assert np.abs(solve(MESH, given).field("stress")).max() < 1e-9


def test_plane_models_are_checked_alike():
    from meshgen import plate

    given = heated(HOT, ("x0", "y0"), sections=kinematics("plane_strain"))
    assert refused(given, store(plate("quad4"))) == []
    assert COLD < HOT
