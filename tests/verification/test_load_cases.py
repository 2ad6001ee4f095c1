"""Load cases and combinations of a step: each is what a step with those loads alone would give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import solving
from dougong.v1 import result_pb2
from meshgen import box
from solving import elastic, heat, solve, store, value, vector

#: Steps of a factorisation: rounding alone.
EXACT = 1e-10
DIRECT = {"method": "METHOD_DIRECT"}

HELD = {"region": "x0", "fixed": {}}
ROLLER = {"region": "x1", "displacement": vector(z=0.0)}
PULL = {"region": "x1", "traction": vector(x=2.0)}
PRESS = {"region": "z1", "pressure": value(0.5)}
WEIGHT = {"gravity": vector(z=-3.0)}


def settled(z: float) -> dict[str, Any]:
    """The roller, with a value."""
    return {"region": "x1", "displacement": vector(z=z)}


def hot(temperature: float) -> dict[str, Any]:
    return {"region": "x0", "temperature": value(temperature)}


def scaled(given: Any, factor: float) -> Any:
    """Loads and conditions with all their values times a factor."""
    if isinstance(given, list):
        return [scaled(item, factor) for item in given]
    if isinstance(given, dict):
        return {k: factor * v if k == "value" else scaled(v, factor) for k, v in given.items()}
    return given


def with_cases(given: dict[str, Any], cases: list[dict[str, Any]], **combinations: dict[str, float]) -> dict[str, Any]:
    """An analysis with load cases and combinations in its only step."""
    (step,) = given["steps"]
    step["loadCases"] = cases
    step["combinations"] = [{"name": name, "factors": factors} for name, factors in combinations.items()]
    return given


@pytest.fixture(scope="module")
def beam():
    return store(box("hex20", (3, 1, 1), (3.0, 1.0, 1.0)))


def body(conditions: list[Any], loads: list[Any], **more: Any) -> dict[str, Any]:
    return elastic(conditions=conditions, loads=loads, material={"density": value(1.0)}, **{"solver": DIRECT} | more)


CASES = [
    {"name": "pull", "loads": [PULL]},
    {"name": "press", "loads": [PRESS]},
    {"name": "settlement", "conditions": [settled(-0.01)]},
    {"name": "nothing"},
]
FACTORS = {"pull": 1.5, "press": -0.75, "settlement": 2.0}


def same(got: solving.Solution, frame: int, want: solving.Solution, tolerance: float = EXACT) -> None:
    """A frame is the only frame of another run, in all its fields."""
    for info in want.result.fields:
        a, b = got.field(info.name, frame=frame), want.field(info.name)
        assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), np.finfo(float).tiny), info.name


def test_each_case_is_the_step_with_its_loads_and_values(beam):
    ended = solve(beam, with_cases(body([HELD, ROLLER], [WEIGHT]), CASES))
    assert [f.name for f in ended.step.frames] == ["pull", "press", "settlement", "nothing"]
    assert {f.kind for f in ended.step.frames} == {result_pb2.Frame.KIND_LOAD_CASE}
    for frame, (conditions, loads) in enumerate(
        [
            ([HELD, ROLLER], [WEIGHT, PULL]),
            ([HELD, ROLLER], [WEIGHT, PRESS]),
            ([HELD, settled(-0.01)], [WEIGHT]),
            ([HELD, ROLLER], [WEIGHT]),
        ]
    ):
        alone = solve(beam, body(conditions, loads))
        same(ended, frame, alone)
        assert len(alone.step.frames) == 1
        told = ended.step.frames[frame]
        assert told.balance.equilibrium_error < 1e-9
        assert told.balance.energy_error < 1e-9
        assert told.solve.backward_error < 1e-14
        assert [r.region for r in told.reactions] == ["x0", "x1"]
        for a, b in zip(told.reactions, alone.step.reactions, strict=True):
            assert np.allclose(a.sum, b.sum, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("own", [[], [WEIGHT]], ids=["step without loads", "step with weight"])
@pytest.mark.parametrize("roller", [0.0, 0.004], ids=["roller at rest", "roller moved"])
def test_a_combination_is_the_step_with_scaled_loads(beam, own, roller):
    """Loads of the step count once, those of a case by its factor, a prescribed value by how much a case changes it."""
    held = [HELD, settled(roller)]
    ended = solve(beam, with_cases(body(held, own), CASES, both=FACTORS))
    value_then = roller + FACTORS["settlement"] * (-0.01 - roller)
    loads = [*own, scaled(PULL, FACTORS["pull"]), scaled(PRESS, FACTORS["press"])]
    same(ended, 4, solve(beam, body([HELD, settled(value_then)], loads)))
    told = ended.step.frames[4]
    assert (told.kind, told.name) == (result_pb2.Frame.KIND_COMBINATION, "both")
    assert not told.HasField("solve")
    assert told.balance.equilibrium_error < 1e-9
    assert told.balance.energy_error < 1e-9


def test_fields_of_a_combination_are_sums_where_they_are_linear(beam):
    ended = solve(beam, with_cases(body([HELD, ROLLER], []), CASES, both=FACTORS))
    for name in ("displacement", "reaction", "stress", "von_mises"):
        parts = [ended.field(name, frame=k) for k in range(3)]
        total = sum(f * p for f, p in zip(FACTORS.values(), parts, strict=True))
        linear = np.abs(ended.field(name, frame=4) - total).max() <= EXACT * np.abs(total).max()
        assert linear == (name != "von_mises")


def test_values_in_turned_axes_are_replaced_in_their_direction_alone(beam):
    turned = {"xAxis": {"coordinates": [1, 0, 1]}, "xyPlane": {"coordinates": [0, 1, 0]}}
    moved = {"region": "x1", "displacement": vector(x=1e-3, z=2e-3)}
    along = {"region": "x1", "displacement": vector(x=5e-3) | {"axes": turned}}
    ended = solve(beam, with_cases(body([HELD, moved], []), [{"conditions": [along]}]))
    tip = ended.field("displacement")[beam.load().points[:, 0] > 2.999]
    axis, across = np.array([1, 0, 1]) / np.sqrt(2), np.array([-1, 0, 1]) / np.sqrt(2)
    assert np.allclose(tip @ axis, 5e-3, rtol=1e-9)
    assert np.allclose(tip @ across, 1e-3 / np.sqrt(2), rtol=1e-9)


def test_temperatures_combine_whatever_the_zero_of_their_scale():
    bar = store(box("hex8", (4, 1, 1), (4.0, 1.0, 1.0)))

    def ended(zero: float) -> solving.Solution:
        film = {"region": "x1", "convection": {"coefficient": value(5.0), "ambient": value(zero + 10.0)}}
        given = heat(conditions=[{"region": "x0", "temperature": value(zero + 50.0)}], loads=[film], solver=DIRECT)
        cases = [
            {"name": "sun", "loads": [{"region": "z1", "heatFlux": value(30.0)}]},
            {"name": "fire", "conditions": [{"region": "x0", "temperature": value(zero + 400.0)}]},
        ]
        return solve(bar, with_cases(given, cases, both={"sun": 2.0, "fire": 1.0}))

    low, high = ended(0.0), ended(300.0)
    for frame in range(3):
        assert np.allclose(low.field("temperature", frame=frame) + 300.0, high.field("temperature", frame=frame))
    hot = low.field("temperature", frame=2)
    assert np.allclose(hot[bar.load().points[:, 0] == 0.0], 400.0)
    alone = heat(
        conditions=[{"region": "x0", "temperature": value(400.0)}],
        loads=[
            {"region": "x1", "convection": {"coefficient": value(5.0), "ambient": value(10.0)}},
            {"region": "z1", "heatFlux": value(60.0)},
        ],
        solver=DIRECT,
    )
    same(low, 2, solve(bar, alone))


def test_the_worst_of_all_frames_is_named(beam):
    ended = solve(beam, with_cases(body([HELD, ROLLER], []), CASES, both=FACTORS, less={"pull": 0.1}))
    for extreme in ended.step.extremes:
        every = [
            e
            for f in ended.step.frames
            for e in f.extremes
            if (e.field, e.component) == (extreme.field, extreme.component)
        ]
        assert extreme.max == max(e.max for e in every) == every[extreme.max_frame].max
        assert extreme.min == min(e.min for e in every) == every[extreme.min_frame].min
        assert extreme.max_node == every[extreme.max_frame].max_node
    assert ended.step.frames[ended.extreme("von_mises").max_frame].name == "both"


def test_a_combination_in_which_all_cancels_is_no_failure(beam):
    cases = [{"name": "a", "loads": [PULL]}, {"name": "b", "loads": [scaled(PULL, 1 + 1e-13)]}]
    ended = solve(beam, with_cases(body([HELD], []), cases, nothing={"a": 1.0, "b": -1.0}))
    assert ended.step.frames[2].balance.energy_error < 1e-6
    assert ended.step.frames[2].balance.equilibrium_error < 1e-6
    assert np.abs(ended.field("stress", frame=2)).max() < 1e-9 * np.abs(ended.field("stress", frame=0)).max()


@pytest.mark.parametrize("ranks", [2, 3])
def test_cases_do_not_depend_on_the_number_of_ranks(ranks):
    mesh = store(box("tet10", (4, 2, 2), (4.0, 1.0, 1.0)))
    given = with_cases(
        body(
            [HELD, settled(0.001)],
            [WEIGHT],
            outputs={"vtu": True},
            solver={"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12},
        ),
        CASES,
        both=FACTORS,
    )
    one, many = solve(mesh, given), solve(mesh, given, ranks=ranks)
    for info in one.result.fields:
        a, b = (s.field(info.name, frame=info.frame) for s in (one, many))
        assert np.abs(a - b).max() <= 1e-8 * max(np.abs(a).max(), 1e-300), (info.name, info.frame)
    for a, b in zip(one.step.frames, many.step.frames, strict=True):
        assert a.balance.internal_energy == pytest.approx(b.balance.internal_energy, rel=1e-8)
    assert [a.name for a in many.result.artifacts] == [f"result-1-{k}.vtu" for k in range(1, 6)]


@pytest.mark.parametrize("ranks", [2, 3])
def test_temperatures_of_cases_do_not_depend_on_the_number_of_ranks(ranks):
    film = {"region": "x1", "convection": {"coefficient": value(5.0), "ambient": value(10.0)}}
    cases = [{"loads": [{"region": "z1", "heatFlux": value(30.0)}]}, {"conditions": [hot(400.0)]}]
    given = with_cases(
        heat(conditions=[hot(50.0)], loads=[film], solver=DIRECT), cases, both={"case-1": 2.0, "case-2": 1.0}
    )
    mesh = store(box("hex8", (4, 2, 2), (4.0, 1.0, 1.0)))
    one, many = solve(mesh, given), solve(mesh, given, ranks=ranks)
    for frame in range(3):
        assert np.allclose(one.field("temperature", frame=frame), many.field("temperature", frame=frame), rtol=1e-10)


def test_reactions_are_told_of_the_regions_of_cases_too():
    """A support that settles in a case is a part of what the step holds."""
    mesh = store(box("hex8", (2, 2, 2)))
    edge = {"kind": "KIND_NODES", "box": {"min": {"coordinates": [1, 0, 0]}, "max": {"coordinates": [1, 1, 0]}}}
    settles = {"region": "edge", "displacement": vector(z=-0.01)}
    ended = solve(mesh, with_cases(body([HELD, ROLLER], [], regions={"edge": edge}), [{"conditions": [settles]}]))
    (frame,) = ended.step.frames
    sums = {r.region: r.sum[2] for r in frame.reactions}
    assert sums.keys() == {"x0", "x1", "edge"}
    assert sums["edge"] < 0 < sums["x1"] - sums["edge"]
    low = (mesh.load().points[:, [0, 2]] == [1.0, 0.0]).all(axis=1)
    assert np.allclose(ended.field("displacement")[low, 2], -0.01)


def test_settlement_of_a_propped_cantilever():
    """Support moments of a beam, fixed at x = 0 and propped at x = L, by published formulas.

    Load over the length q: moment at the fixed end q L^2 / 8, reaction of the prop 3 q L / 8. Prop settled by d:
    moment 3 E I d / L^2, reaction 3 E I d / L^3. (Roark's Formulas for Stress and Strain, 7th ed., table 8.1, cases 1c
    and 2c; slender beam, nu = 0.) Combined as 1.35 q + 1.5 d.
    """
    L, b, E, q, d = 20.0, 1.0, 2.1e5, 0.6, 0.05
    inertia = b**4 / 12
    mesh = store(box("hex20", (20, 1, 1), (L, b, b)))
    given = elastic(E=E, nu=0.0, conditions=[HELD, {"region": "prop", "displacement": vector(z=0.0)}], solver=DIRECT)
    low, high = ({"coordinates": [L, 0.0, z]} for z in (0.0, b))
    given["regions"] = {
        "prop": {"kind": "KIND_NODES", "box": {"min": low, "max": high | {"coordinates": [L, b, b]}, "tolerance": 1e-6}}
    }
    cases = [
        {"name": "load", "loads": [{"bodyForce": vector(z=-q / b**2)}]},
        {"name": "settlement", "conditions": [{"region": "prop", "displacement": vector(z=-d)}]},
    ]
    ended = solve(mesh, with_cases(given, cases, ultimate={"load": 1.35, "settlement": 1.5}))
    reaction = np.array([3 * q * L / 8, -3 * E * inertia * d / L**3])
    moment = np.array([q * L**2 / 8, 3 * E * inertia * d / L**2])
    factors = np.array([[1, 0], [0, 1], [1.35, 1.5]])
    points = mesh.load().points
    root = points[:, 0] == 0.0
    for frame, (prop, fixed) in enumerate(zip(factors @ reaction, factors @ moment, strict=True)):
        told = next(r for r in ended.step.frames[frame].reactions if r.region == "prop")
        # Shear deformation, which the formulas leave out, is of order (b / L)^2.
        assert told.sum[2] == pytest.approx(prop, rel=5e-3)
        forces = ended.field("reaction", frame=frame)[root]
        about_y = (forces[:, 0] * (points[root, 2] - b / 2)).sum()
        assert abs(about_y) == pytest.approx(abs(fixed), rel=5e-3)
