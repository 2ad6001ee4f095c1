"""Damaged analysis files: read, or refused with places; never anything else."""

import random

import pytest

from dougong.client import yaml_analysis
from dougong.client.units import UnitConverter, UnitError
from dougong.v1 import analysis_pb2, options_pb2

SOUND = """\
name: bracket
mesh: bracket.msh
units: {system: mm-t-s, absolute_zero: -273.15}
regions:
  top: {kind: facets, plane: {point: [0, 0, 25 mm], normal: [0, 0, 1]}}
materials: &m
  steel: {elastic: {young_modulus: 210 GPa, poisson_ratio: 0.3}, density: "7850 kg/m^3"}
sections: [{region: everywhere, material: steel, thickness: {value: 2 cm}}]
steps:
  - name: load
    static:
    conditions: [{region: side, displacement: {x: 0, y: 0.1 mm}}]
    loads: [{region: top, pressure: 5 MPa}, {gravity: {z: -9.81 m/s^2}}]
outputs: {fields: [displacement, {name: stress, location: cell}], vtu: yes}
"""
PIECES = [
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        "-",
        "&a ",
        "*a",
        "*m",
        "!!x ",
        "'",
        '"',
        "\n",
        "\t",
        "#",
        "|",
        ">",
        "?",
        "%",
        "@",
        "\x00",
    ),
    *("\ufeff", "\u2028", "\x85", "\U0001f4a5", "1e999", "-0", "0x10", "~", "null", "<<: *m", "---", "...", "  "),
    *("9" * 400, "5 m^-9", "1/", "°C", "a" * 300),
]


def damaged(rng):
    text = SOUND
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        cut = rng.choice([0, 0, 1, 3, 20])
        text = text[:at] + rng.choice([*PIECES, ""]) + text[at + cut :]
    return text


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_read_or_refused(seed):
    rng = random.Random(seed)
    refused = []
    for _ in range(60):
        text = damaged(rng)
        try:
            analysis, _ = yaml_analysis.loads(text)
        except yaml_analysis.AnalysisFileError as error:
            refused.append(error)
        else:
            assert yaml_analysis.loads(yaml_analysis.dump(analysis))[0] == analysis
    assert len(refused) > 20
    for error in refused:
        assert all(v.text and v.text_zh and v.reason for v in error.violations)
        assert str(error)


def test_unit_texts_are_converted_or_refused():
    rng = random.Random(3)
    letters = "mkgsKNPaWJ°CdegF/*^ ()-0123456789.eEµ%²³·_[]{}'\"+\\\n"
    converter = UnitConverter(analysis_pb2.UnitSystem())
    converted, kinds = 0, set()
    for _ in range(3000):
        text = "5 " + "".join(rng.choice(letters) for _ in range(rng.randint(1, 8)))
        for dimension in (options_pb2.DIMENSION_PRESSURE, options_pb2.DIMENSION_TEMPERATURE):
            try:
                converter.convert(text, dimension)
                converted += 1
            except UnitError as error:
                kinds.add(error.kind)
    assert converted
    assert {"unit", "dimension"} <= kinds
