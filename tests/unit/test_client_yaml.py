"""analysis.yaml <-> dougong.v1.Analysis."""

from pathlib import Path

import pytest

from dougong.client import yaml_analysis
from dougong.client.dimensions import DIMENSIONS, ENERGY
from dougong.client.units import UnitConverter, UnitError, unit_name
from dougong.messages import NotFound
from dougong.v1 import analysis_pb2, options_pb2

BRACKET = """\
name: bracket
mesh: bracket.msh
units: mm-t-s
regions:
  top: {kind: facets, plane: {point: [0, 0, 25 mm], normal: [0, 0, 1]}}
  everywhere: {kind: cells, all: {}}
materials:
  steel:
    elastic: {young_modulus: 210 GPa, poisson_ratio: 0.3}
    density: 7850 kg/m^3
sections:
  - {region: everywhere, material: steel, thickness: {value: 2 cm}}
steps:
  - name: load
    static:
    conditions:
      - {region: holes, fixed: {}}
      - {region: side, displacement: {x: 0, y: 0.1 mm}}
    loads:
      - {region: top, pressure: 5 MPa}
      - gravity: {z: -9.81 m/s^2}
outputs: {fields: [displacement, {name: stress, location: integration-point}], vtu: yes}
solver: {method: direct, relative_tolerance: 1e-9, max_iterations: 500}
"""


def read(text):
    return yaml_analysis.loads(text)[0]


def refused(text):
    with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
        yaml_analysis.loads(text)
    return caught.value


def test_everything_that_can_be_written_arrives_in_the_message():
    a = read(BRACKET)
    assert a.units.system == analysis_pb2.UnitSystem.SYSTEM_MM_T_S
    assert list(a.regions["top"].plane.point.coordinates) == [0, 0, 25]
    assert a.regions["everywhere"].WhichOneof("shape") == "all"
    steel = a.materials["steel"]
    assert (steel.elastic.young_modulus.value, steel.elastic.poisson_ratio.value) == (210000, 0.3)
    assert steel.density.value == 7.85e-9
    assert a.sections[0].thickness.value == 20
    step = a.steps[0]
    assert step.WhichOneof("procedure") == "static"
    assert step.conditions[1].displacement.HasField("x")
    assert not step.conditions[1].displacement.HasField("z")
    assert step.loads[0].pressure.value == 5
    assert step.loads[1].gravity.z.value == -9810
    assert a.outputs.fields[1].location == analysis_pb2.LOCATION_INTEGRATION_POINT
    assert a.outputs.vtu
    assert a.solver.relative_tolerance == 1e-9


def test_dump_and_load_give_the_same_message():
    a = read(BRACKET)
    a.steps[0].name = "on"  # names that YAML would take for something else
    a.regions["12"].all.SetInParent()
    a.sections[0].region = "~"
    text = yaml_analysis.dump(a)
    assert "pressure: 5.0" in text
    assert "method: direct" in text
    assert read(text) == a


def test_the_keys_of_a_load_are_told_without_the_name_of_the_choice_among_them():
    with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
        read("mesh: a\nsteps: [{static: {}, loads: [{region: r, zzzzzz: 1}]}]")
    known = caught.value.violations[0].params["known"].split(", ")
    assert "pressure" in known
    assert "kind" not in known


def test_oneof_may_stand_under_its_own_name():
    short = read("mesh: a\nsteps: [{procedure: static, loads: [{region: r, kind: {pressure: 1}}]}]")
    long = read("mesh: a\nsteps: [{static: {}, loads: [{region: r, pressure: 1}]}]")
    assert short == long


@pytest.mark.parametrize(
    ("text", "field", "reason", "line", "words"),
    [
        ("mesh: a\nsteps:\n  - static: {}\n    lods: []", "steps[0].lods", "YAML_UNKNOWN_KEY_NEAR", 4, "loads"),
        ("zzzzz: 1", "zzzzz", "YAML_UNKNOWN_KEY", 1, "materials"),
        ("mesh: a\nmesh: b", "mesh", "YAML_DUPLICATE_KEY", 1, "twice"),
        ("materials:\n  a: {}\n  a: {}", 'materials["a"]', "YAML_DUPLICATE_KEY", 2, "twice"),
        (
            "materials: {steel: {elastic: {young_modulus: 210 kg}}}",
            'materials["steel"].elastic.young_modulus', "UNIT_WRONG_DIMENSION", 1, "210 GPa",
        ),
        (
            "materials: {s: {elastic: {young_modulus: 2 Gpaa}}}",
            'materials["s"].elastic.young_modulus', "UNIT_UNKNOWN", 1, "Gpaa",
        ),
        ("materials: {s: {density: 7.85e-9 ton/mm^3}}", 'materials["s"].density', "UNIT_UNKNOWN", 1, "ton/mm^3"),
        ("materials: {s: {density: heavy}}", 'materials["s"].density', "QUANTITY_EXPECTED", 1, "7850 kg/m^3"),
        ("materials: {s: {density: .nan}}", 'materials["s"].density', "QUANTITY_EXPECTED", 1, ".nan"),
        ("materials: {s: {density: 1e9999}}", 'materials["s"].density', "QUANTITY_TOO_LARGE", 1, "large"),
        ("materials: {s: {density: }}", 'materials["s"].density', "YAML_NO_VALUE", 1, "no value"),
        ("materials: {s: {density: [1]}}", 'materials["s"].density', "YAML_MAPPING_EXPECTED", 1, "value"),
        ("solver: {relative_tolerance: 5 mm}", "solver.relative_tolerance", "NUMBER_EXPECTED", 1, "5 mm"),
        ("solver: {max_iterations: 1.5}", "solver.max_iterations", "YAML_INTEGER_EXPECTED", 1, "1.5"),
        ("solver: {method: magic}", "solver.method", "YAML_ENUM_UNKNOWN", 1, "direct"),
        ("outputs: {vtu: perhaps}", "outputs.vtu", "YAML_BOOLEAN_EXPECTED", 1, "perhaps"),
        ("outputs: {fields: stress}", "outputs.fields", "YAML_LIST_EXPECTED", 1, "list"),
        (
            "steps:\n- loads:\n  - pressure: 1\n    heat_flux: 2",
            "steps[0].loads[0].heat_flux", "YAML_TWO_CHOICES", 4, "pressure",
        ),
        ("steps: [{procedure: [1, 2]}]", "steps[0].procedure", "YAML_ONE_CHOICE", 1, "steady_heat"),
        ("regions: {a: {box: {min: 5}}}", 'regions["a"].box.min', "YAML_LIST_EXPECTED", 1, "list"),
        ("regions: {a: {box: {min: [1, 2 kg]}}}", 'regions["a"].box.min[1]', "UNIT_WRONG_DIMENSION", 1, "length"),
        ("regions: [1]", "regions", "YAML_NAMES_EXPECTED", 1, "names"),
        ("- 1\n- 2", "", "YAML_MAPPING_EXPECTED", 1, "mesh"),
        ("units: furlongs", "units", "YAML_ENUM_UNKNOWN", 1, "mm_t_s"),
        ("units: {system: explicit, length: mm}", "units.mass", "UNITS_BASE_MISSING", 1, "mass"),
        ("units: {system: explicit, length: kg, mass: kg, time: s}", "units.length", "UNITS_BASE_WRONG", 1, "kg"),
        ("units: {system: si, length: mm}", "units.length", "UNITS_NOT_EXPLICIT", 1, "explicit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(text, field, reason, line, words):
    error = refused(text)
    found = error.violations[0]
    assert (found.field, found.reason) == (field, reason)
    assert error.place(field) == f"analysis.yaml:{line}"
    assert words in found.text
    assert "{" not in found.text.replace("{}", "")
    assert found.text_zh != found.text


def test_all_mistakes_are_found_at_once():
    error = refused("foo: 1\nbar: 2\nsolver: {method: x, max_iterations: y}")
    assert [v.field for v in error.violations] == ["foo", "bar", "solver.method", "solver.max_iterations"]
    assert "analysis.yaml:3: solver.method" in str(error)


def test_dimension_is_named_in_the_language_of_the_text():
    found = refused("materials: {s: {elastic: {young_modulus: 210 kg}}}").violations[0]
    assert "pressure, stress or modulus" in found.text
    assert "压强、应力或模量" in found.text_zh


BILLION = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [{','.join(['*' + chr(97 + k)] * 9)}]\n" for k in range(9)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BILLION, "YAML_TOO_MANY_VALUES"),
        ("a: " + "[" * 5000, "YAML_TOO_DEEP"),
        ("a: &a [*a]", "YAML_ALIAS_UNKNOWN"),
        ("a: [", "YAML_SYNTAX"),
        ("a: 1\n  b: 2", "YAML_SYNTAX"),
        ("\x00", "YAML_SYNTAX"),
        (b"a: \xff", "YAML_NOT_UTF8"),
        ("a: 1\n---\nb: 2", "YAML_TWO_DOCUMENTS"),
        ("? [a, b]\n: 1", "YAML_KEY_NOT_TEXT"),
        (b"#" * (1 << 21), "YAML_TOO_LARGE"),
        ("!!python/object/apply:os.system [ls]", "YAML_MAPPING_EXPECTED"),
    ],
)
def test_hostile_files_are_refused(text, reason):
    assert refused(text).violations[0].reason == reason


def test_mesh_is_a_path_beside_the_file_or_an_id(tmp_path):
    (tmp_path / "part.msh").write_bytes(b"x")
    yaml = tmp_path / "study.yaml"
    yaml.write_text("mesh: part.msh")
    got = yaml_analysis.load(yaml)
    assert got.mesh_file == tmp_path / "part.msh"
    assert (got.analysis.mesh, got.analysis.name) == ("", "study")
    yaml.write_text(f"mesh: {'a' * 64}")
    assert yaml_analysis.load(yaml).mesh_file is None
    for text, reason in (("mesh: gone.msh", "MESH_FILE_MISSING"), ("name: x", "ANALYSIS_WITHOUT_MESH")):
        yaml.write_text(text)
        with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
            yaml_analysis.load(yaml)
        assert caught.value.reason == reason
    with pytest.raises(NotFound) as gone:
        yaml_analysis.load(tmp_path / "no.yaml")
    assert gone.value.reason == "FILE_UNREADABLE"


US = analysis_pb2.UnitSystem(
    system=3, length="in", mass="lbf*s^2/in", time="s", temperature="delta_degF", absolute_zero=-459.67
)
SI = analysis_pb2.UnitSystem()
MM = analysis_pb2.UnitSystem(system=2)
CELSIUS = analysis_pb2.UnitSystem(system=2, absolute_zero=-273.15)


@pytest.mark.parametrize(
    ("units", "text", "dimension", "expected"),
    [
        (SI, "210 GPa", "PRESSURE", 210e9),
        (MM, "210GPa", "PRESSURE", 210e3),
        (MM, "7850 kg/m3", "DENSITY", 7.85e-9),
        (MM, "52 W/(m·K)", "CONDUCTIVITY", 52),
        (MM, "25 W/(m²*°C)", "FILM_COEFFICIENT", 0.025),
        (MM, "1.2e-5 1/K", "EXPANSION", 1.2e-5),
        (MM, "460 J/(kg*K)", "SPECIFIC_HEAT", 460e6),
        (SI, "20 degC", "TEMPERATURE", 293.15),
        (CELSIUS, "20 degC", "TEMPERATURE", 20),
        (CELSIUS, "20 K", "TEMPERATURE", -253.15),
        (CELSIUS, "20", "TEMPERATURE", 20),
        (US, "20 degC", "TEMPERATURE", 68),
        (US, "10 degC", "TEMPERATURE_DIFFERENCE", 18),
        (US, "1 lbf/in^2", "PRESSURE", 1),
        (SI, "30 %", "NONE", 0.3),
    ],
)
def test_values_arrive_in_the_units_of_the_analysis(units, text, dimension, expected):
    number = options_pb2.Dimension.Value(f"DIMENSION_{dimension}")
    assert UnitConverter(units).convert(text, number) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5 m**99999", "unit"),
        ("5 10**10**10 m", "unit"),
        ("5 ((m", "unit"),
        ("5 __import__('os')", "unit"),
        ("5 m/", "unit"),
        ("5 delta_degC", "difference"),
        ("5 kg", "dimension"),
        ("five", "number"),
        ("1e999 K", "not_finite"),
    ],
)
def test_nonsense_is_refused_and_costs_nothing(text, kind):
    with pytest.raises(UnitError) as caught:
        UnitConverter(SI).convert(text, options_pb2.DIMENSION_TEMPERATURE)
    assert caught.value.kind == kind


def test_every_dimension_of_the_schema_has_units_whose_own_name_converts_to_one():
    declared = set(options_pb2.Dimension.values()) - {options_pb2.DIMENSION_UNSPECIFIED}
    assert declared == set(DIMENSIONS)
    for dimension in declared - {options_pb2.DIMENSION_TEMPERATURE}:
        for units in (SI, MM):
            name = unit_name(dimension, units)
            assert UnitConverter(units).convert(f"1 {name}", dimension) == pytest.approx(1, rel=1e-14)
        for example in DIMENSIONS[dimension].examples.split(", "):
            UnitConverter(SI).convert(example, dimension)
    assert unit_name(options_pb2.DIMENSION_PRESSURE, US) == "lbf/in²"
    assert unit_name(ENERGY, MM) == "mJ"
    assert unit_name(options_pb2.DIMENSION_TEMPERATURE, CELSIUS) == "°C"


@pytest.mark.parametrize(
    ("temperature", "zero", "name"),
    [
        ("temperature: degC", -273.15, "°C"),
        ("temperature: delta_degC", -273.15, "°C"),
        ("temperature: K, absolute_zero: -273.15", -273.15, "°C"),
        ("temperature: degF", -459.67, "°F"),
        ("temperature: degR", 0, "°R"),
        ("temperature: K", 0, "K"),
        ("temperature: degC, absolute_zero: 0", 0, "K"),
    ],
)
def test_temperatures_of_an_explicit_system_mean_what_their_unit_says(temperature, zero, name):
    text = f"mesh: a\nunits: {{system: explicit, length: mm, mass: t, time: s, {temperature}}}\n"
    text += "steps: [{conditions: [{temperature: 20 degC}]}]\n"
    analysis, _ = yaml_analysis.loads(text)
    assert analysis.units.absolute_zero == zero
    degree = 5 / 9 if name in ("°F", "°R") else 1
    expected = 293.15 / degree + zero
    assert analysis.steps[0].conditions[0].temperature.value == pytest.approx(expected, abs=1e-8)
    assert unit_name(options_pb2.DIMENSION_TEMPERATURE, analysis.units) == name
    if degree == 1:  # millimetres, tonnes and seconds have names of their own products
        assert unit_name(options_pb2.DIMENSION_HEAT_FLUX, analysis.units) == "mW/mm²"
        assert unit_name(options_pb2.DIMENSION_TEMPERATURE_DIFFERENCE, analysis.units) == "K"


def test_place_of_what_is_not_written_is_that_of_its_parent():
    _, lines = yaml_analysis.loads("mesh: a\nsteps:\n  - static: {}")
    assert yaml_analysis.place(Path("x.yaml"), lines, "steps[0].loads[3].region") == "x.yaml:3"
    assert yaml_analysis.place(Path("x.yaml"), lines, "sections") == "x.yaml:1"


def test_a_map_of_plain_values_is_read_and_written():
    text = "mesh: m\nsolver:\n  petsc_options: {pc_type: jacobi, ksp_max_it: 50}\n"
    a, _ = yaml_analysis.loads(text)
    assert dict(a.solver.petsc_options) == {"pc_type": "jacobi", "ksp_max_it": "50"}
    again, _ = yaml_analysis.loads(yaml_analysis.dump(a))
    assert again == a


def test_a_vector_may_be_a_list_and_an_empty_message_takes_no_value():
    text = "mesh: a\nunits: mm-t-s\nsteps: [{loads: [{total_force: [0, 0, -1 kN]}, {traction: [1, 2]}]}]\n"
    analysis, lines = yaml_analysis.loads(text)
    first, second = analysis.steps[0].loads
    assert (first.total_force.x.value, first.total_force.z.value) == (0, -1000)
    assert (second.traction.y.value, second.traction.HasField("z")) == (2, False)
    assert lines["steps[0].loads[0].total_force.z"] == 3
    for wrong, reason, field in (
        ("loads: [{total_force: [1]}]", "YAML_VECTOR_EXPECTED", "steps[0].loads[0].total_force"),
        ("loads: [{total_force: [1, 2, 3, 4]}]", "YAML_VECTOR_EXPECTED", "steps[0].loads[0].total_force"),
        ("loads: [{total_force: [1, 2 kg]}]", "UNIT_WRONG_DIMENSION", "steps[0].loads[0].total_force.y"),
        ("conditions: [{fixed: true}]", "YAML_EMPTY_EXPECTED", "steps[0].conditions[0].fixed"),
    ):
        with pytest.raises(yaml_analysis.AnalysisFileError) as caught:
            yaml_analysis.loads(f"mesh: a\nsteps: [{{{wrong}}}]\n")
        assert [(v.reason, v.field) for v in caught.value.violations] == [(reason, field)]
