"""The analysis of the page about heat, through the command, a real server and a real solver."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from integration.test_cli_real import Command, write_beam

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "heat.md"


@pytest.fixture(scope="module")
def dougong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heat")
    write_beam(folder / "plate.inp")
    text = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]
    # The beam is 80 mm long.
    (folder / "plate.yaml").write_text(text.replace("[20 mm, 0, 0]", "[80 mm, 0, 0]"))
    command = Command(folder)
    command.out, _ = command("solve", "plate.yaml")
    yield command
    for pid in command.server_pids():
        os.kill(pid, signal.SIGTERM)


def test_the_history_is_shown(dougong):
    lines = dougong.out.splitlines()
    assert "Step heating (transient heat)" in dougong.out
    head = next(k for k, line in enumerate(lines) if line.strip().startswith("Time [s]"))
    rows = [[float(x.replace(",", "")) for x in line.split()] for line in lines[head + 1 : head + 7]]
    assert [row[0] for row in rows] == [0, 120, 240, 360, 480, 600]
    assert rows[0][1:] == [293.1, 293.1, 0, 0, 0] or rows[0][1] == pytest.approx(293.15, abs=0.1)
    assert all(row[2] > 300 for row in rows[1:])
    for row in rows[1:]:
        assert row[3] == pytest.approx(row[4] + row[5], rel=1e-3)
    assert "Error of the heat balance" in dougong.out
    assert (dougong.folder / "plate-results" / "plate.png").exists()


def test_the_history_in_chinese(dougong, monkeypatch):
    monkeypatch.setitem(dougong.environment, "DOUGONG_LANG", "zh")
    out, _ = dougong("results", "last")
    assert "瞬态热传导" in out
    assert "热平衡误差" in out
    assert "最高温度" in out


def test_one_time_is_told_of(dougong):
    out, _ = dougong("results", "last", "--frame", "t=240", "--output", "one")
    assert "Heat that the body stores" in out
    assert "Highest temperature" in out
    assert (dougong.folder / "one" / "plate-t_240.png").exists() or list(
        (dougong.folder / "one").glob("plate-*240*.png")
    )


def test_the_document_has_the_evidence(dougong):
    out, _ = dougong("results", "last", "--json", "--no-picture")
    history = json.loads(out)["result"]["steps"][0]["heat_history"]
    assert float(history["balance_error"]) < 1e-6
    assert int(history["steps"]) > 5


def test_seepage_as_the_page_has_it(dougong):
    page = PAGE.with_name("fields.md").read_text(encoding="utf-8")
    text = re.search(r"```yaml\n(.*?)```", page, re.S)[1]
    # The beam stands for the ground: 80 m long, 10 m high and wide.
    (dougong.folder / "dam.yaml").write_text(text.replace("ground.inp", "plate.inp"))
    out, _ = dougong("solve", "dam.yaml")
    assert "Step step-1 (seepage)" in out
    line = next(line for line in out.splitlines() if "Water entering at upstream" in line)
    value, unit = line.split()[-2:]
    assert float(value) == pytest.approx(1e-5 * 100 * 5 / 80, rel=1e-3)
    assert unit == "m³/s"
    assert (dougong.folder / "dam-results" / "dam.png").exists()
