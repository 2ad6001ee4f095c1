"""The library of materials: every entry is possible, in any unit system, and says where its numbers come from."""

import json

import pytest

from cli_cases import run
from dougong.client import library, library_material
from dougong.client.errors import input_error
from dougong.client.library import with_library
from dougong.client.yaml_analysis import loads
from dougong.messages import NotFound, violation
from dougong.solver import materials
from dougong.v1 import analysis_pb2 as pb

SI, MM = pb.UnitSystem(system=pb.UnitSystem.SYSTEM_SI), pb.UnitSystem(system=pb.UnitSystem.SYSTEM_MM_T_S)
INCHES = pb.UnitSystem(system=pb.UnitSystem.SYSTEM_EXPLICIT, length="in", mass="lbf*s^2/in", time="s")
CELSIUS = pb.UnitSystem(
    system=pb.UnitSystem.SYSTEM_EXPLICIT, length="m", mass="kg", time="s", temperature="degC", absolute_zero=-273.15
)
TEXT = """
mesh: {mesh}
units: mm-t-s
materials: {{copper: {{elastic: {{young_modulus: 1 MPa, poisson_ratio: 0}}}}}}
sections: [{{region: a, material: steel-S355}}, {{region: b, material: copper}}, {{region: c, material: steal}}]
steps: [{{static: {{}}}}]
""".format(mesh="0" * 64)


@pytest.mark.parametrize("name", library())
def test_every_material_is_possible_and_has_its_sources(name):
    entry, in_si, in_mm = library()[name], library_material(name), library_material(name, MM)
    given = {field.name for field, _ in in_si.ListFields()}
    assert entry.sources.keys() == given
    assert all(entry.sources.values())
    assert entry.en != entry.zh
    assert materials.check(in_si, "elasticity", "m", 3) == []
    assert materials.check(in_mm, "elasticity", "m", 3) == []
    if "conductivity" in given:
        assert materials.check(in_si, "conductivity", "m", 3) == []
    assert in_mm.density.value == pytest.approx(1e-12 * in_si.density.value)
    assert 400 < in_si.density.value < 20000
    stiffness = [materials.matrix_of(m, "elasticity")[0, 0] for m in (in_si, in_mm)]
    assert stiffness[1] == pytest.approx(1e-6 * stiffness[0])
    assert 1e8 < stiffness[0] < 1e12
    if "expansion" in given:
        assert 5e-6 < in_si.expansion.coefficient.value < 3e-5
        assert in_si.expansion.reference_temperature.value == 293.15
        in_degrees = library_material(name, CELSIUS)
        assert in_degrees.expansion.reference_temperature.value == 20.0
        assert in_degrees.expansion.coefficient.value == in_si.expansion.coefficient.value


def test_steel_in_three_unit_systems():
    found = {u.system: library_material("steel-S355", u) for u in (SI, MM, INCHES)}
    assert found[SI.system].elastic.young_modulus.value == 210e9
    assert found[MM.system].elastic.young_modulus.value == 210e3
    assert found[INCHES.system].elastic.young_modulus.value == pytest.approx(30.458e6, rel=1e-4)
    assert found[MM.system].density.value == pytest.approx(7.85e-9)


def test_an_analysis_gets_what_it_names_and_does_not_define():
    analysis, _ = loads(TEXT)
    complete = with_library(analysis)
    assert set(analysis.materials) == {"copper"}  # as it was given
    assert set(complete.materials) == {"copper", "steel-S355"}
    assert complete.materials["copper"].elastic.young_modulus.value == 1.0
    assert complete.materials["steel-S355"] == library_material("steel-S355", MM)
    assert with_library(complete) is complete


def test_an_unknown_name():
    with pytest.raises(NotFound) as error:
        library_material("unobtainium")
    assert error.value.reason == "LIBRARY_MATERIAL_UNKNOWN"


@pytest.mark.parametrize(
    ("wrong", "near"), [("steel-S356", "steel-S355"), ("Kupfer", "Kupfer_1"), ("qqqq", "Kupfer_1")]
)
def test_an_unknown_material_is_told_with_names_of_the_library(wrong, near):
    found = violation("MATERIAL_UNKNOWN", "sections[0].material", material=wrong, near="Kupfer_1")
    (told,) = input_error([found]).violations
    assert told.params["near"].split(", ")[0] == near
    assert near in told.text
    assert near in told.text_zh
    assert told.field == "sections[0].material"


def test_the_command_lists_and_shows(capsys, monkeypatch):
    monkeypatch.setenv("DOUGONG_LANG", "en")
    code, out, _ = run(capsys, "materials")
    assert code == 0
    assert all(name in out for name in library())
    code, out, _ = run(capsys, "materials", "steel-S355")
    assert code == 0
    assert "210 GPa" in out
    assert "EN 1993-1-1:2005" in out
    code, out, _ = run(capsys, "materials", "steel-S355", "--json")
    (one,) = json.loads(out)["materials"]
    assert one["constants"]["density"] == "7850 kg/m^3"
    code, _, err = run(capsys, "materials", "unobtainium")
    assert code != 0
    assert "steel-S355" in err
    monkeypatch.setenv("DOUGONG_LANG", "zh")
    assert "结构钢 S355" in run(capsys, "materials")[1]
