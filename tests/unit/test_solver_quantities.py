"""Numbers that vary: what they are worth, where they may stand, and what is said of those that are wrong."""

import numpy as np
import pytest

from dougong.messages import InputError
from dougong.solver.loads import LoadBuilder
from dougong.solver.problem import resolve
from dougong.solver.values.quantities import depends_on, evaluate, is_constant, is_zero, places, settled
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2
from meshgen import box, plate
from solving import analysis, check_model, elastic, heat, kinematics, model_of, solve, store, value, vector

HELD = [{"region": "x0", "fixed": {}}]
POINTS = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])


def formula(text):
    return {"expression": text}


def over_time(at, values):
    return {"overTime": {"at": at, "value": values}}


def quantity(given):
    return analysis({"sections": [{"thickness": given}]}).sections[0].thickness


def test_values():
    assert evaluate(quantity(value(3.0))) == 3.0
    assert evaluate(quantity(formula("2*a + t")), time=0.5, parameters={"a": 1.5}) == 3.5
    np.testing.assert_array_equal(evaluate(quantity(formula("x + y*z")), points=POINTS), [2.0, 23.0])
    table = quantity(over_time([1.0, 2.0, 4.0], [10.0, 20.0, 0.0]))
    assert [evaluate(table, time=t) for t in (0.0, 1.0, 1.5, 3.0, 9.0)] == [10.0, 10.0, 15.0, 10.0, 0.0]
    hot = quantity({"overTemperature": {"at": [0, 100], "value": [1, 3]}})
    np.testing.assert_array_equal(evaluate(hot, temperature=np.array([-5.0, 50.0])), [1.0, 2.0])
    with pytest.raises(ValueError, match="needs the temperature"):
        evaluate(hot)


def test_many_points_are_evaluated_in_pieces():
    points = np.random.default_rng(0).uniform(size=(40_000, 2, 3))
    found = evaluate(quantity(formula("a*x + y^z")), points=points, parameters={"a": 2.0})
    np.testing.assert_array_equal(found, 2 * points[..., 0] + points[..., 1] ** points[..., 2])
    assert evaluate(quantity(formula("x")), points=np.empty((0, 4, 3))).shape == (0, 4)


def test_what_depends_on_what():
    assert is_constant(quantity(value(1.0)))
    assert is_constant(pb.Quantity())
    assert not is_constant(quantity(formula("1")))
    assert not is_constant(quantity(over_time([0], [1])))
    assert is_zero(quantity(value(0.0)))
    assert is_zero(quantity(over_time([0, 1], [0, 0])))
    assert not is_zero(quantity(over_time([0, 1], [0, 2])))
    assert not is_zero(quantity(formula("0*x")))
    assert depends_on(quantity(formula("x*t + a"))) == {"x", "t"}
    assert depends_on(quantity(over_time([0], [1]))) == {"t"}


def test_places_have_path_dimension_and_what_they_may_vary_with():
    loads = [{"region": "x1", "traction": {"y": formula("x")}}, {"region": "x1", "totalForce": {"x": value(1.0)}}]
    given = elastic(loads=loads, sections=kinematics("plane_stress", thickness=2.0))
    found = {p.path: p for p in places(analysis(given))}
    place = found["steps[0].loads[0].traction.y"]
    assert place.dimension == options_pb2.DIMENSION_PRESSURE
    assert place.varies == {options_pb2.VARIATION_SPACE, options_pb2.VARIATION_TIME}
    assert found["steps[0].loads[1].total_force.x"].varies == {options_pb2.VARIATION_TIME}
    assert found["sections[0].thickness"].varies == set()


def test_an_expression_of_parameters_is_a_number_like_any_other():
    given = elastic(conditions=HELD, parameters={"E0": 2e5, "f": 1.05})
    given["materials"]["m"]["elastic"]["youngModulus"] = formula("E0*f")
    given["steps"][0]["loads"] = [{"region": "x1", "pressure": formula("x*0 + E0")}]
    problem = resolve(analysis(given), store(box("hex8", (1, 1, 1))))
    assert problem.sections[0].material.elastic.young_modulus.value == pytest.approx(2.1e5)
    assert problem.steps[0].message.loads[0].pressure.expression == "x*0 + E0"
    assert analysis(given).materials["m"].elastic.young_modulus.expression == "E0*f"
    assert settled(analysis(given)).materials["m"].elastic.young_modulus.value == pytest.approx(2.1e5)


PRESSURE = "steps[0].loads[0].pressure"
WRONG = [
    ({}, "VALUE_MISSING", PRESSURE, ""),
    (value(1.0) | formula("x"), "QUANTITY_TWO_WAYS", PRESSURE, "value, expression"),
    (formula("2*"), "EXPRESSION_ENDS_EARLY", f"{PRESSURE}.expression", "character 3"),
    (formula("2*hh"), "EXPRESSION_NAME_UNKNOWN", f"{PRESSURE}.expression", "near: h"),
    (formula("log(h - 1)"), "EXPRESSION_WITHOUT_VALUE", f"{PRESSURE}.expression", "-inf"),
    (over_time([], []), "TABLE_EMPTY", f"{PRESSURE}.over_time", ""),
    (over_time([0, 1], [1]), "TABLE_LENGTHS_DIFFER", f"{PRESSURE}.over_time", "2 arguments"),
    (over_time([0, 1, 1], [1, 2, 3]), "TABLE_NOT_ASCENDING", f"{PRESSURE}.over_time.at[2]", "1"),
    (over_time([0, 1], [1, "NaN"]), "NUMBER_NOT_FINITE", f"{PRESSURE}.over_time.value[1]", "nan"),
    (over_time(["Infinity"], [1]), "NUMBER_NOT_FINITE", f"{PRESSURE}.over_time.at[0]", "inf"),
    (
        {"overTemperature": {"at": [0], "value": [1]}},
        "VARIATION_NOT_HERE",
        f"{PRESSURE}.over_temperature",
        "position, time",
    ),
]


@pytest.mark.parametrize(("pressure", "reason", "path", "says"), WRONG)
def test_what_is_wrong_is_said_where_it_stands(pressure, reason, path, says):
    given = elastic(conditions=HELD, loads=[{"region": "x1", "pressure": pressure}], parameters={"h": 1.0})
    (found,) = check_model(box("hex8", (1, 1, 1)), given).violations
    assert (found.reason, found.field) == (reason, path)
    assert says in found.text


@pytest.mark.parametrize("dim", [2, 3])
def test_coordinates_are_those_of_the_mesh(dim):
    mesh = box("hex8", (1, 1, 1)) if dim == 3 else plate("quad4", (1, 1))
    given = elastic(conditions=HELD, loads=[{"region": "x1", "pressure": formula("1 + z")}])
    given["sections"] = kinematics("plane_stress") if dim == 2 else given["sections"]
    found = [v.reason for v in check_model(mesh, given).violations]
    assert found == (["EXPRESSION_COORDINATE_NOT_IN_MODEL"] if dim == 2 else [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"materials": {"m": {"elastic": {"youngModulus": formula("x"), "poissonRatio": value(0.3)}}}},
         'materials["m"].elastic.young_modulus.expression'),
        ({"materials": {"m": {"elastic": {"youngModulus": over_time([0], [1]), "poissonRatio": value(0.3)}}}},
         'materials["m"].elastic.young_modulus.over_time'),
    ],
)  # fmt: skip
def test_where_nothing_may_vary_that_is_all_that_is_said(change, path):
    (found,) = check_model(box("hex8", (1, 1, 1)), elastic(conditions=HELD) | change).violations
    assert (found.reason, found.field) == ("VARIATION_NOT_HERE", path)


def test_a_total_force_depends_on_time_alone():
    load = {"region": "x1", "totalForce": {"x": formula("x*t")}}
    (found,) = check_model(box("hex8", (1, 1, 1)), elastic(conditions=HELD, loads=[load])).violations
    assert (found.reason, found.field) == ("VARIATION_NOT_HERE", "steps[0].loads[0].total_force.x.expression")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x", "PARAMETER_NAME_TAKEN"), ("pi", "PARAMETER_NAME_TAKEN"), ("sin", "PARAMETER_NAME_TAKEN"),
     ("2a", "PARAMETER_NAME_WRONG"), ("", "PARAMETER_NAME_WRONG"), ("a b", "PARAMETER_NAME_WRONG")],
)  # fmt: skip
def test_names_of_parameters(name, reason):
    given = elastic(conditions=HELD, parameters={name: 1.0})
    (found,) = check_model(box("hex8", (1, 1, 1)), given).violations
    assert (found.reason, found.field) == (reason, f'parameters["{name}"]')


def test_a_parameter_is_finite():
    (found,) = check_model(box("hex8", (1, 1, 1)), elastic(conditions=HELD, parameters={"a": "NaN"})).violations
    assert (found.reason, found.field) == ("NUMBER_NOT_FINITE", 'parameters["a"]')


def test_a_number_in_a_formula_for_a_temperature_is_not_below_absolute_zero():
    given = heat(conditions=[{"region": "x0", "temperature": formula("2 - a")}], parameters={"a": 3.0})
    (found,) = check_model(box("hex8", (1, 1, 1)), given).violations
    path = "steps[0].conditions[0].temperature.expression"
    assert (found.reason, found.field) == ("TEMPERATURE_BELOW_ABSOLUTE_ZERO", path)


def test_an_expression_without_a_value_somewhere_says_where():
    load = {"region": "x1", "traction": {"y": formula("1/(1 - x)"), "z": value(1.0)}}
    (found,) = check_model(box("hex8", (1, 1, 1)), elastic(conditions=HELD, loads=[load])).violations
    assert (found.reason, found.field) == ("EXPRESSION_NOT_FINITE", "steps[0].loads[0].traction.y.expression")
    assert found.params["value"] == "inf"
    assert found.params["place"].startswith("(1, ")


def test_a_condition_without_a_value_somewhere_says_where():
    condition = {"region": "x0", "displacement": {"x": formula("sqrt(y - 0.5)"), "y": value(0), "z": value(0)}}
    (found,) = check_model(box("hex8", (1, 1, 1)), elastic(conditions=[condition])).violations
    path = "steps[0].conditions[0].displacement.x.expression"
    assert (found.reason, found.field) == ("EXPRESSION_NOT_FINITE", path)
    assert found.params["place"].startswith("(0, 0, ")


def test_temperatures_are_not_below_absolute_zero():
    table = over_time([0, 1], [5, -3])
    given = heat(conditions=[{"region": "x0", "temperature": table}])
    (found,) = check_model(box("hex8", (1, 1, 1)), given).violations
    path = "steps[0].conditions[0].temperature.over_time.value[1]"
    assert (found.reason, found.field) == ("TEMPERATURE_BELOW_ABSOLUTE_ZERO", path)
    given = heat(conditions=[{"region": "x0", "temperature": formula("y - 0.5")}])
    (found,) = check_model(box("hex8", (1, 1, 1)), given).violations
    assert (found.reason, found.field) == ("VALUE_TOO_LOW_AT", "steps[0].conditions[0].temperature")


def test_a_film_coefficient_is_not_negative():
    load = {"region": "x1", "convection": {"coefficient": formula("y - 0.5"), "ambient": value(20)}}
    (found,) = check_model(box("hex8", (1, 1, 1)), heat(loads=[load])).violations
    assert (found.reason, found.field) == ("VALUE_TOO_LOW_AT", "steps[0].loads[0].convection.coefficient")
    load["convection"]["coefficient"] = over_time([0, 1], [1, -1])
    (found,) = check_model(box("hex8", (1, 1, 1)), heat(loads=[load])).violations
    path = "steps[0].loads[0].convection.coefficient.over_time.value[1]"
    assert (found.reason, found.field) == ("VALUE_NEGATIVE", path)


def test_what_has_no_value_at_a_later_time_ends_the_solution():
    from dataclasses import replace

    from dougong.solver.loadings import Conditions, loadings_of

    given = elastic(conditions=HELD, loads=[{"region": "x1", "pressure": formula("1/(2 - t)")}])
    model = model_of(box("hex8", (1, 1, 1)), given)
    loadings_of(model, Conditions(model))
    late = replace(model, time=2.0)
    with pytest.raises(InputError, match=r"pressure.expression: .*inf"):
        loadings_of(late, Conditions(late))


def test_time_counts():
    from dataclasses import replace

    load = {"region": "x1", "pressure": over_time([0, 2], [0, 8])}
    model = model_of(box("hex8", (1, 1, 1)), elastic(conditions=HELD, loads=[load]))
    totals = []
    for at in (0.5, 1.0, 2.0):
        builder = LoadBuilder(replace(model, time=at))
        builder.run()
        totals.append(builder.rhs[:, 0].sum())
    np.testing.assert_allclose(totals, [-2.0, -4.0, -8.0], rtol=1e-14)
    assert model.time == 1.0


def same(mesh, one, other):
    """Whether two analyses have the same solution, digit by digit but for rounding."""
    a, b = (solve(mesh, given).field("displacement") for given in (one, other))
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(a).max())


def test_an_expression_that_is_a_constant_everywhere_is_that_constant():
    mesh = box("tet10", (2, 2, 2))
    kinds = [
        ("pressure", value, "x1"),
        ("traction", lambda v: {"y": v if isinstance(v, dict) else value(v)}, "x1"),
        ("nodalForce", lambda v: {"y": v if isinstance(v, dict) else value(v)}, "x1"),
        ("bodyForce", lambda v: {"z": v if isinstance(v, dict) else value(v)}, "all"),
        ("gravity", lambda v: {"z": v if isinstance(v, dict) else value(v)}, "all"),
        ("totalForce", lambda v: {"z": v if isinstance(v, dict) else value(v)}, "x1"),
    ]
    for kind, made, region in kinds:
        text = formula("2.5 + 0*x + 0*t") if kind != "totalForce" else formula("2.5*t")
        varying = made(text) if kind != "pressure" else text
        one, other = (
            elastic(conditions=HELD, loads=[{"region": region, kind: v}], material={"density": value(2.0)})
            for v in (made(2.5), varying)
        )
        same(mesh, one, other)


def test_prescribed_values_may_vary_with_position():
    mesh = box("tet10", (2, 2, 2))
    # A linear field prescribed on all faces is the solution.
    moved = {"x": formula("e*(x + 2*y)"), "y": formula("e*z"), "z": formula("-e*x*t")}
    conditions = [{"region": r, "displacement": moved} for r in ("x0", "x1", "y0", "y1", "z0", "z1")]
    found = solve(mesh, elastic(conditions=conditions, parameters={"e": 1e-3}))
    x, y, z = mesh.points.T
    np.testing.assert_allclose(found.field("displacement"), 1e-3 * np.stack([x + 2 * y, z, -x], axis=1), atol=1e-12)


def test_convection_may_vary_with_position():
    # With the ambient at the temperature of the body nothing flows, whatever the coefficient.
    mesh = plate("quad9", (3, 3))
    film = {"coefficient": formula("1 + y^2"), "ambient": formula("20 + 3*x")}
    loads = [{"region": r, "convection": film} for r in ("x0", "x1", "y0", "y1")]
    found = solve(mesh, heat(k=1e-9, loads=loads))
    boundary = np.unique(np.flatnonzero((np.abs(mesh.points - 0.5) > 0.4999).any(axis=1)))
    np.testing.assert_allclose(found.field("temperature")[boundary, 0], 20 + 3 * mesh.points[boundary, 0], rtol=1e-6)


def test_a_step_whose_values_vary_is_not_without_load():
    given = heat(conditions=[{"region": "x0", "temperature": formula("y")}], loads=[])
    assert "STEP_WITHOUT_LOAD" not in [n.reason for n in check_model(box("hex8", (1, 1, 1)), given).notices]
    given = elastic(conditions=[{"region": "x0", "displacement": vector(x=0.0, y=0.0) | {"z": formula("y")}}])
    assert "STEP_WITHOUT_LOAD" not in [n.reason for n in check_model(box("hex8", (1, 1, 1)), given).notices]
