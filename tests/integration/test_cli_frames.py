"""Load cases and combinations through the command, a real server and a real solver."""

import json
import os
import signal

import numpy as np
import pytest

from dougong.client import Client
from dougong.client.private import socket_path
from dougong.client.yaml_analysis import dump, load, loads
from dougong.messages import NotFound
from dougong.v1 import result_pb2
from integration.test_cli_real import STUDY, Command, write_beam

#: sigma = F / A and u = sigma L / E: 210 MPa and 0.08 mm of tension by 21 kN. Poisson's ratio is 0.
CASES = """\
    load_cases:
      - {name: pull, loads: [{region: tip, total_force: {x: 21 kN}}]}
      - {name: push, loads: [{region: tip, total_force: {x: -2.1 kN}}]}
    combinations:
      - {name: ultimate, factors: {pull: 1.5, push: 1}}
"""
WITH_CASES = STUDY.replace("    loads: [{region: tip, total_force: {x: 21 kN}}]\n", CASES)
STRESS = {"pull": 210.0, "push": 21.0, "ultimate": 294.0}


@pytest.fixture(scope="module")
def dougong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    write_beam(folder / "beam.inp")
    (folder / "beam.yaml").write_text(WITH_CASES)
    command = Command(folder)
    command("solve", "beam.yaml")
    yield command
    for pid in command.server_pids():
        os.kill(pid, signal.SIGTERM)


def row(out, begin):
    """The words of the line that begins so."""
    return next(line.split() for line in out.splitlines() if line.strip().startswith(begin))


@pytest.mark.parametrize(("language", "words"), [("en", "Largest von Mises stress"), ("zh", "最大 von Mises 应力")])
def test_a_table_shows_each_case_and_the_worst_of_all(dougong, monkeypatch, language, words):
    monkeypatch.setitem(dougong.environment, "DOUGONG_LANG", language)
    out, _ = dougong("results", "last")
    for name, stress in STRESS.items():
        assert float(row(out, name)[3]) == pytest.approx(stress, rel=1e-9)
    assert "= 1.5 pull + push" in out
    worst = next(line for line in out.splitlines() if line.strip().startswith(words))
    assert "294 MPa" in worst
    assert worst.endswith("ultimate")
    applied = {"en": "ultimate: Applied loads", "zh": "ultimate: 外加载荷"}[language]
    assert row(out, applied)[-4:] == ["29,400", "0", "0", "N"]


def test_files_are_named_after_the_frames(dougong):
    assert sorted(p.name for p in (dougong.folder / "beam-results").iterdir()) == [
        "beam-pull.vtu",
        "beam-push.vtu",
        "beam-ultimate.vtu",
        "beam.png",
    ]


def test_one_frame_is_told_of_and_drawn(dougong):
    out, _ = dougong("results", "last", "--frame", "push", "--output", "push-results")
    assert "Step step-1 (static), push" in out
    assert row(out, "Applied loads") == ["Applied", "loads", "-2,100", "0", "0", "N"]
    assert "Backward error" in out
    assert (dougong.folder / "push-results" / "push-push.png").exists()
    out, _ = dougong("results", "last", "--frame", "ultimate")
    assert "superposed from the load cases" in out
    assert "Backward error" not in out
    for command in (("results", "last"), ("solve", "beam.yaml")):
        _, err = dougong(*command, "--frame", "pul", code=2)
        assert "no load case or combination named pul. It has: pull, push, ultimate" in err


def test_json_has_the_frames(dougong):
    (step,) = json.loads(dougong("results", "last", "--json")[0])["result"]["steps"]
    assert [(f["kind"], f["name"]) for f in step["frames"]] == [
        ("load_case", "pull"),
        ("load_case", "push"),
        ("combination", "ultimate"),
    ]
    assert step["solve"]["setups"] == 1
    assert "solve" not in step["frames"][2]


def test_fields_are_read_by_name_of_their_frame(dougong):
    with Client(f"unix:{socket_path(dougong.data)}") as client:
        job = next(client.jobs(page_size=1)).job_id
        frames = client.result(job).steps[0].frames
        assert frames[2].kind == result_pb2.Frame.KIND_COMBINATION
        for number, name in enumerate(STRESS):
            stress = client.field(job, "von_mises", frame=name)
            assert np.allclose(stress, STRESS[name])
            assert np.array_equal(stress, client.field(job, "von_mises", frame=number))
        with pytest.raises(NotFound) as caught:
            client.field(job, "von_mises", frame="pul")
        assert caught.value.reason == "FRAME_NOT_FOUND"
        assert "pull, push, ultimate" in str(caught.value)


def test_what_is_wrong_with_a_combination_is_told_with_its_line(dougong):
    bad = dougong.folder / "bad.yaml"
    bad.write_text(WITH_CASES.replace("push: 1}", "pus: 1}"))
    line = 1 + WITH_CASES[: WITH_CASES.index("factors")].count("\n")
    _, err = dougong("validate", "bad.yaml", code=2)
    assert f'bad.yaml:{line}: steps[0].combinations[0].factors["pus"]: ' in err
    assert "The nearest names are: push" in err


def test_the_file_comes_back_as_it_was_read(dougong):
    analysis = load(dougong.folder / "beam.yaml").analysis
    analysis.mesh = "0" * 64
    again, _ = loads(dump(analysis))
    assert again == analysis
    assert dict(again.steps[0].combinations[0].factors) == {"pull": 1.5, "push": 1.0}
