"""The command with a real private server, real conversion and real solves."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dougong.client.private import PrivateServer, socket_path

#: A beam of 8 x 2 x 2 hexahedra, 80 x 10 x 10 mm.
NX, NY, NZ, L, H = 8, 2, 2, 80.0, 10.0
STUDY = """\
name: beam
mesh: beam.inp
units: mm-t-s
regions:
  tip: {kind: facets, plane: {point: [80 mm, 0, 0], normal: [1, 0, 0]}}
materials: {steel: {elastic: {young_modulus: 210 GPa, poisson_ratio: 0}}}
sections: [{material: steel}]
steps:
  - static:
    conditions: [{region: ROOT, fixed: {}}]
    loads: [{region: tip, total_force: {x: 21 kN}}]
"""


def write_beam(path):
    def node(i, j, k):
        return 1 + i + (NX + 1) * (j + (NY + 1) * k)

    lines = ["*NODE"]
    for k in range(NZ + 1):
        for j in range(NY + 1):
            for i in range(NX + 1):
                lines.append(f"{node(i, j, k)}, {i * L / NX}, {j * H / NY}, {k * H / NZ}")
    lines.append("*ELEMENT, TYPE=C3D8, ELSET=BEAM")
    number = 0
    for k in range(NZ):
        for j in range(NY):
            for i in range(NX):
                number += 1
                corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
                nodes = [node(i + a, j + b, k + c) for c in (0, 1) for a, b in corners]
                lines.append(f"{number}, " + ", ".join(map(str, nodes)))
    lines.append("*NSET, NSET=ROOT")
    lines += [str(node(0, j, k)) for k in range(NZ + 1) for j in range(NY + 1)]
    path.write_text("\n".join(lines) + "\n")


class Command:
    """Runs `dougong` with a data folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.environment = {**os.environ, "DOUGONG_DATA": str(self.data), "DOUGONG_LANG": "en"}
        self.environment.pop("DOUGONG_SERVER", None)

    def start(self, *arguments):
        command = [sys.executable, "-m", "dougong.client.cli", *map(str, arguments)]
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, code=0):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out, err

    def server_pids(self):
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"dougong.server.main" in words and os.fsencode(self.data) in words:
                found.append(int(entry.name))
        return found


@pytest.fixture(scope="module")
def dougong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    write_beam(folder / "beam.inp")
    (folder / "beam.yaml").write_text(STUDY)
    command = Command(folder)
    yield command
    for pid in command.server_pids():
        os.kill(pid, signal.SIGTERM)


def test_two_commands_at_once_start_one_private_server(dougong):
    both = [dougong.start("jobs"), dougong.start("jobs")]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "no jobs" in out
    assert len(dougong.server_pids()) == 1
    assert PrivateServer(dougong.data).is_serving()
    assert socket_path(dougong.data).parent.stat().st_mode & 0o077 == 0


def test_beam_in_tension_has_its_closed_form(dougong):
    # sigma = F / A = 210 MPa, u = sigma L / E = 0.08 mm.
    out, _ = dougong("solve", "beam.yaml", "--json")
    document = json.loads(out)
    (step,) = document["result"]["steps"]
    extremes = {(e["field"], e.get("component", "")): e for e in step["extremes"]}
    assert extremes["displacement_magnitude", ""]["max"] == pytest.approx(0.08, rel=1e-9)
    assert extremes["von_mises", ""]["max"] == pytest.approx(210, rel=1e-9)
    assert step["balance"]["reaction_sum"] == pytest.approx([-21000, 0, 0], abs=1e-6)
    files = {Path(path).name: Path(path) for path in document["files"].values()}
    assert sorted(files) == ["beam.png", "beam.vtu"]
    assert files["beam.png"].read_bytes().startswith(b"\x89PNG")
    assert b"VTKFile" in files["beam.vtu"].read_bytes()[:200]


def test_what_is_wrong_with_the_model_is_told_with_its_line(dougong):
    for old, new, words in (
        ("region: ROOT", "region: ROOOT", "beam.yaml:10: steps[0].conditions[0].region: "),
        ("poisson_ratio: 0", "poisson_ratio: 0.5", 'beam.yaml:6: materials["steel"].elastic.poisson_ratio: '),
        ("210 GPa", "210 kg", 'beam.yaml:6: materials["steel"].elastic.young_modulus: '),
    ):
        (dougong.folder / "bad").mkdir(exist_ok=True)
        write_beam(dougong.folder / "bad" / "beam.inp")
        (dougong.folder / "bad" / "beam.yaml").write_text(STUDY.replace(old, new))
        for command in ("validate", "solve") if "ROOOT" in new else ("validate",):
            _, err = dougong(command, "bad/beam.yaml", code=2)
            assert words in err


def test_one_run_finds_five_faults(dougong):
    text = STUDY.replace("210 GPa", "210 kg").replace("region: ROOT", "region: ROOOT").replace("{x: 21 kN}", "{w: 1}")
    rubber = "rubber: {elastic: {young_modulus: 5 MPa, poisson_ratio: 0.5}}"
    text = text.replace("{steel: {elastic", f"{{{rubber}, steel: {{elastic")
    text = text.replace("[{material: steel}]", "[{material: steal}, {material: rubber}]")
    (dougong.folder / "five.yaml").write_text(text)
    for command in ("validate", "solve"):
        _, err = dougong(command, "five.yaml", code=2)
        places = [line.split(": ")[1] for line in err.splitlines() if line.startswith("five.yaml:")]
        assert sorted(places) == [
            'materials["rubber"].elastic.poisson_ratio',
            'materials["steel"].elastic.young_modulus',
            "sections[0].material",
            "steps[0].conditions[0].region",
            "steps[0].loads[0].total_force.w",
        ]


def test_submitted_job_has_the_files_that_solve_has(dougong):
    job = dougong("submit", "beam.yaml")[0].strip()
    dougong("watch", job)
    dougong("results", job, "--output", "later/beam-results")
    assert sorted(p.name for p in (dougong.folder / "later" / "beam-results").iterdir()) == ["beam.png", "beam.vtu"]


def test_more_ranks_than_cores_are_the_inputs_fault(dougong):
    _, err = dougong("solve", "beam.yaml", "-n", "1000", code=2)
    assert "Ask for at most" in err


def test_a_format_that_does_not_exist_is_told_in_the_users_words(dougong):
    _, err = dougong("mesh", "info", "beam.inp", "--format", "foo", code=2)
    assert err.splitlines()[-1].startswith("There is no mesh format foo.")


def test_server_says_in_one_sentence_why_it_cannot_start(dougong, tmp_path):
    _, err = dougong("serve", "--data", "/proc/1/nowhere", code=2)
    assert "cannot be used" in err
    assert err.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        _, err = dougong("serve", "--data", tmp_path / "other", "--listen", address, code=2)
    assert address in err
    assert "INFO" not in err


def test_mesh_that_is_none_is_refused_and_the_server_goes_on(dougong):
    (dougong.folder / "none.msh").write_bytes(b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 1000000000000 1 2\n")
    dougong("mesh", "info", "none.msh", code=2)
    out, _ = dougong("mesh", "info", "beam.inp")
    assert "32 hex8" in out


def test_detached_job_is_found_again_and_outlives_its_command(dougong):
    process = dougong.start("solve", "beam.yaml", "--no-picture")
    line = next(line for line in process.stderr if "submitted" in line)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 5), err  # it may have been quicker than the signal
    job = line.split()[1]
    dougong("watch", job)
    out, _ = dougong("results", job)
    assert "210 MPa" in out
    assert job in dougong("show", job)[0]
    assert dougong("logs", job)


def test_solve_outlives_its_private_server(dougong):
    process = dougong.start("solve", "beam.yaml", "--no-picture")
    next(line for line in process.stderr if "submitted" in line)
    (pid,) = dougong.server_pids()
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "210 MPa" in out
    assert dougong.server_pids() != [pid]


def test_killed_private_server_is_started_again_and_has_its_jobs(dougong):
    before = dougong("jobs", "--json")[0]
    (pid,) = dougong.server_pids()
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while dougong.server_pids() == [pid] and time.monotonic() < end:
        time.sleep(0.02)
    assert dougong("jobs", "--json")[0] == before


def test_data_folder_that_cannot_be_made_is_told(tmp_path):
    broken = Command(tmp_path)
    broken.environment["DOUGONG_DATA"] = "/proc/1/nowhere"
    _, err = broken("jobs", code=6)
    assert "cannot be used" in err


def test_server_that_does_not_start_is_told_with_the_end_of_its_log(tmp_path):
    broken = Command(tmp_path)
    broken.data.mkdir()
    # The folder of the socket is a file: the server cannot listen there.
    (broken.data / "socket").write_text("")
    _, err = broken("jobs", code=6)
    assert "cannot be used" in err
