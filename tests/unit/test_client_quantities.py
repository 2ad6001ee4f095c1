"""Numbers that vary, in analysis.yaml: expressions, tables with units, parameters with units of their own."""

import pytest

from dougong.client import yaml_analysis
from dougong.client.units import UnitConverter
from dougong.v1 import analysis_pb2, options_pb2

VARYING = """\
mesh: bracket.msh
units: mm-t-s
parameters: {h: 25 cm, p0: 2 MPa, n: 3, rate: 10 1/min, warm: 20 degC, rise: 30 delta_degC, f: 2 kN}
steps:
  - static:
    conditions:
      - region: side
        displacement:
          x: {expression: "1e-3*y*t"}
          y: {over_time: {at: [0, 1 min], value: [0, 1 cm]}}
      - {region: hot, temperature: {over_time: {at: [0, 2 h], value: [20 degC, 373.15 K]}}}
    loads:
      - {region: top, pressure: {expression: "p0*(1 - z/h)"}}
      - {region: top, traction: [0, {expression: x}, 5 MPa]}
"""


def test_every_way_arrives_in_the_message():
    a = yaml_analysis.loads(VARYING)[0]
    expected = {"h": 250, "p0": 2, "n": 3, "rate": 1 / 6, "warm": 293.15, "rise": 30, "f": 2000}
    assert dict(a.parameters) == pytest.approx(expected)
    moved, hot = a.steps[0].conditions
    assert moved.displacement.x.expression == "1e-3*y*t"
    table = moved.displacement.y.over_time
    assert (list(table.at), list(table.value)) == ([0, 60], [0, 10])
    assert list(hot.temperature.over_time.at) == [0, 7200]
    assert list(hot.temperature.over_time.value) == pytest.approx([293.15, 373.15])
    top, pulled = a.steps[0].loads
    assert top.pressure.expression == "p0*(1 - z/h)"
    assert pulled.traction.y.expression == "x"
    assert pulled.traction.z.value == 5


@pytest.mark.parametrize("text", ["2e3*(1 - z/h)", "p0*x", "1/2", "-x^2", "(1 + x)", "-(1 + x)", "sin(x)", "2 < x"])
def test_a_formula_may_stand_alone(text):
    a = yaml_analysis.loads(f'steps: [{{loads: [{{region: top, pressure: "{text}"}}]}}]')[0]
    assert a.steps[0].loads[0].pressure.expression == text
    assert not a.steps[0].loads[0].pressure.HasField("value")


@pytest.mark.parametrize("text", ["5 MPa", "-5 MPa", "+5", "-1e-3", "5 kg/m/s^2", "5 1/Pa^-1", ".5", "5N/mm^2"])
def test_a_number_with_a_unit_is_none(text):
    a = yaml_analysis.loads(f'steps: [{{loads: [{{region: top, pressure: "{text}"}}]}}]')[0]
    assert a.steps[0].loads[0].pressure.HasField("value")


@pytest.mark.parametrize("text", ["five", "nan", "-inf", "five MPa", "", "'", "MPa"])
def test_a_word_is_neither(text):
    with pytest.raises(yaml_analysis.AnalysisFileError):
        yaml_analysis.loads(f'steps: [{{loads: [{{region: top, pressure: "{text}"}}]}}]')


def test_dump_and_load_give_the_same_message():
    a = yaml_analysis.loads(VARYING)[0]
    assert yaml_analysis.loads(yaml_analysis.dump(a))[0] == a


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ("over_time: {at: [0, 1 mm], value: [0, 1 MPa]}", "over_time.at[1]", "UNIT_WRONG_DIMENSION"),
        ("over_time: {at: [0, 1 s], value: [0, 1 s]}", "over_time.value[1]", "UNIT_WRONG_DIMENSION"),
        ("over_temperature: {at: [20 degC, 1 s], value: [1, 2]}", "over_temperature.at[1]", "UNIT_WRONG_DIMENSION"),
        ("over_time: {at: [0], values: [0]}", "over_time.values", "YAML_UNKNOWN_KEY_NEAR"),
        ("over_time: [1, 2]", "over_time", "YAML_MAPPING_EXPECTED"),
        ("expression: [1, 2]", "expression", "YAML_VALUE_EXPECTED"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(line, field, reason):
    text = f"mesh: a.msh\nsteps:\n  - loads:\n      - {{region: top, pressure: {{{line}}}}}\n"
    with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
        yaml_analysis.loads(text)
    (found,) = caught.value.violations
    assert (found.field, found.reason) == (f"steps[0].loads[0].pressure.{field}", reason)


@pytest.mark.parametrize("text", ["3 mol", "2 cd", "5 furlongs_of", "1 m^0.5"])
def test_a_parameter_has_a_mechanical_unit(text):
    with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
        yaml_analysis.loads(f"mesh: a.msh\nparameters: {{a: {text}}}\n")
    (found,) = caught.value.violations
    assert (found.field, found.reason) == ('parameters["a"]', "UNIT_UNKNOWN")


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("60 rpm", options_pb2.DIMENSION_ANGULAR_VELOCITY, 6.283185307),
        ("90 deg/s", options_pb2.DIMENSION_ANGULAR_VELOCITY, 1.570796327),
        ("2 rad/s^2", options_pb2.DIMENSION_ANGULAR_ACCELERATION, 2.0),
        ("2 h", options_pb2.DIMENSION_TIME, 7200.0),
    ],
)
def test_time_and_rotation(text, dimension, value):
    converter = UnitConverter(analysis_pb2.UnitSystem())
    assert converter.convert(text, dimension) == pytest.approx(value, rel=1e-9)
