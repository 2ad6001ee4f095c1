"""The analysis of docs/how-to/thermal-stress.md gives the stresses that the page states; its excerpts run too."""

import re
from pathlib import Path

import numpy as np

from dougong.client import yaml_analysis
from mapped import mapped
from meshgen import plate
from solving import check_model, solve
from verification.test_thermal_sequence import exact

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "thermal-stress.md").read_text(encoding="utf-8")
EXAMPLE, EXPANSION, TRANSIENT = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)


def pipe():
    return mapped(plate("quad8", (10, 30)), lambda p: p * [50.0, 400.0] + [50.0, 0.0])


def read(text):
    given, _ = yaml_analysis.loads(text)
    given.mesh = ""
    return given


def test_the_pipe():
    mesh = pipe()
    solved = solve(mesh, read(EXAMPLE))
    hoop = solved.field("stress", step="stress")[:, 2]
    stated = re.search(r"is (-?\d+) MPa inside and (-?\d+) MPa outside", PAGE)
    for radius, said in zip((1.0, 2.0), map(float, stated.groups()), strict=True):
        found = hoop[np.isclose(mesh.points[:, 0], 50 * radius) & (mesh.points[:, 1] == 0.0)]
        # By article 151: for a difference of 100 degrees, and this is one of 150.
        formula = 1.5 * exact(np.array([radius]))[1][0]
        assert abs(formula - said) < 1
        assert abs(found[0] - formula) < 0.01 * abs(formula)


def test_coefficients_over_temperature():
    text = re.sub(r"    expansion: .*\n", lambda _: EXPANSION, EXAMPLE)
    solved = solve(pipe(), read(text))
    assert np.abs(solved.field("stress", step="stress")).max() > 0


def test_over_a_transient():
    given = EXAMPLE[: EXAMPLE.index("  - name: stress")] + TRANSIENT
    given = given.replace("name: heat\n    steady_heat: {}", "name: warming\n    transient_heat: {duration: 60 s}")
    begin = "    conditions:\n      - {region: inside, t"
    given = given.replace(begin, f"    initial: 20 degC\n{begin}")
    given = given.replace("W/(m*K)\n", "W/(m*K)\n    density: 7850 kg/m^3\n    specific_heat: 480 J/(kg*K)\n")
    solved = solve(pipe(), read(given))
    frames = solved.result.steps[1].frames
    assert [f.value for f in frames] == [f.value for f in solved.result.steps[0].frames]
    assert len(frames) == 10
    assert sum(f.solve.setups for f in frames) == 1


def test_every_source_of_the_table_can_be_written():
    sources = re.findall(r"^\| `temperature: (.*?)` \|", PAGE, re.M)
    assert len(sources) == 6
    for source in sources:
        given = EXAMPLE.replace("temperature: {from_step: heat}", f"temperature: {source}")
        wrong = [v.field for v in check_model(pipe(), read(given)).violations]
        # The pipe's heat step has one frame.
        assert wrong == (["steps[1].loads[0].temperature.from_step.frame"] if "frame: 3" in source else [])
