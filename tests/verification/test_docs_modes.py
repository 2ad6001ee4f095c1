"""The analysis of docs/how-to/modes.md runs, gives what the page says, and is told of in both languages."""

import re
from pathlib import Path

import pytest

from dougong.client.cli.summary import summarise
from dougong.client.yaml_analysis import loads
from dougong.meshes.mesh import Mesh, Region
from dougong.v1 import job_pb2
from meshgen import box
from solving import solve

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "modes.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def column():
    """The job of the page, and its result."""
    (text,) = re.findall(r"```yaml\n(# analysis.yaml\n.*?)```", PAGE, re.DOTALL)
    analysis, _ = loads(text)
    plain = box("hex20", (2, 2, 20), (20.0, 20.0, 1000.0))
    names = {"z0": "foot", "z1": "top"}
    regions = [Region(names[r.name], r.kind, r.entries) for r in plain.regions if r.name in names]
    ended = solve(Mesh(plain.points, plain.blocks, tuple(regions)), analysis)
    return job_pb2.Job(job_id="j", analysis=analysis), ended.result


def stated(pattern):
    return float(re.search(pattern, PAGE.replace("\n", " "))[1])


def test_the_numbers_are_those_of_the_page(column):
    empty, _, loaded, stability = column[1].steps
    assert empty.frames[0].value == pytest.approx(stated(r"frequency is ([\d.]+) Hz"), abs=0.006)
    assert loaded.frames[0].value == pytest.approx(stated(r"Under 2 kN it is ([\d.]+) Hz"), abs=0.006)
    assert stability.frames[0].value == pytest.approx(stated(r"buckles at ([\d.]+) times"), abs=6e-4)


@pytest.mark.parametrize(("language", "word", "sentence"), [
    ("en", "Frequency [Hz]", "The body buckles at 6.9"),
    ("zh", "频率 [Hz]", "载荷达到给定值的 6.9"),
])  # fmt: skip
def test_the_summary_is_a_table(column, monkeypatch, language, word, sentence):
    monkeypatch.setenv("DOUGONG_LANG", language)
    lines = summarise(*column)
    heads = [line for line in lines if word in line]
    assert len(heads) == 2
    assert heads[0].split()[-3:] == ["y", "Σ", "z"]
    first = next(line.split() for line in lines if line.strip().startswith("mode-1"))
    assert float(first[1]) == pytest.approx(column[1].steps[0].frames[0].value, rel=1e-3)
    assert any(sentence in line for line in lines)
    one = summarise(*column, frame="mode-2")
    assert sum(line.strip().startswith("mode-") for line in one) == 3
    assert all(line.strip().startswith("mode-2") for line in one if line.strip().startswith("mode-"))
