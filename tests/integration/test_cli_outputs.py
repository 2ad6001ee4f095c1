"""docs/how-to/outputs.md through the command, a real server and a real solver: it gives what the page says."""

import csv
import io
import os
import re
import signal
from pathlib import Path

import pytest
from PIL import Image

from integration.test_cli_real import Command, write_beam

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "outputs.md").read_text(encoding="utf-8")
STUDY = re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1]


@pytest.fixture(scope="module")
def dougong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    write_beam(folder / "beam.inp")
    (folder / "arm.yaml").write_text(STUDY)
    command = Command(folder)
    command.told = command("solve", "arm.yaml", "--gif")[0]
    yield command
    for pid in command.server_pids():
        os.kill(pid, signal.SIGTERM)


def row(out, begin):
    return next(line for line in out.splitlines() if line.strip().startswith(begin))


def test_the_summary_says_what_the_page_says(dougong):
    out = dougong.told
    assert row(out, "Force through middle").split()[-4:] == ["0", "0", "100", "N"]
    assert row(out, "Moment through middle").split()[-4:] == ["0", "-4,000", "0", "N·mm"]
    assert "Estimated discretisation error, energy norm" in out
    assert "Probe tip at (80, 5, 5) mm, in cell" in out
    assert "top" in row(out, "top")
    assert "is not used" not in out


def test_the_tip_moves_as_the_theory_of_beams_says(dougong):
    """F l^3 / 3 E I and the shear, 6 F l / 5 G A: 0.09835 mm; the root, held across, is a little stiffer."""
    out, _ = dougong("results", "last", "--probes")
    (one,) = csv.DictReader(io.StringIO(out))
    assert float(one["tip displacement.z [mm]"]) == pytest.approx(-0.0983, rel=0.03)
    # M c / I at 75 mm from the load: 45 MPa.
    assert float(one["root stress.xx [MPa]"]) == pytest.approx(45.0, rel=0.05)
    assert (dougong.folder / "arm-results" / "arm-probes.csv").read_text() == out


def test_files_and_the_animation(dougong):
    folder = dougong.folder / "arm-results"
    assert sorted(p.name for p in folder.iterdir()) == ["arm-probes.csv", "arm.gif", "arm.png", "arm.vtu"]
    with Image.open(folder / "arm.gif") as animation:
        assert animation.n_frames == 24


def test_pictures_are_coloured_by_a_field_that_is_there(dougong):
    dougong("results", "last", "--field", "principal_stress.p1", "--output", "other-results")
    assert (dougong.folder / "other-results" / "other.png").exists()
    _, err = dougong("results", "last", "--field", "strain", "--output", "wrong", code=2)
    assert "no field strain" in err
    assert "principal_stress.p1" in err


def test_a_result_without_probes_says_so(dougong):
    (dougong.folder / "plain.yaml").write_text(STUDY[: STUDY.index("outputs:")])
    dougong("solve", "plain.yaml", "--no-picture")
    _, err = dougong("results", "last", "--probes", code=2)
    assert "no probes" in err


def test_a_probe_outside_is_refused_with_its_line(dougong):
    wrong = STUDY.replace("[80 mm, 5 mm, 5 mm]", "[90 mm, 5 mm, 5 mm]")
    (dougong.folder / "wrong.yaml").write_text(wrong)
    line = 1 + STUDY[: STUDY.index("{name: tip")].count("\n")
    _, err = dougong("validate", "wrong.yaml", code=2)
    assert f"wrong.yaml:{line}: outputs.probes[0].point: " in err
    assert "(80, 5, 5)" in err
