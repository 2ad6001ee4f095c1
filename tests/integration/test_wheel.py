"""The wheel, without the checkout: the command, the server and the worker run from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dougong.internal import run_pb2
from dougong.meshes import canonical
from dougong.solver import rundir
from dougong.v1 import analysis_pb2
from meshgen import box

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([*command, str(ROOT)], check=True, timeout=110)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on comes from the environment the tests run in.

    A path file adds that one's packages, but not its path files in turn: the checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True, with_pip=False)
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    command = [sys.executable, "-m", "pip", "--python", str(folder), "install", "-qq", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, timeout=60)
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def clean_environ(folder: Path) -> dict[str, str]:
    """Environment variables that lead nowhere near the checkout, with data folders of their own."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR")}
    return kept | {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_RUNTIME_DIR": str(folder)}


def test_wheel_holds_all_source_roots(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("v1/job_pb2.py", "v1/job.proto", "messages/catalogue.py", "meshes/mesh.py", "solver/worker.py"):
        assert f"dougong/{part}" in names
    for part in ("server/main.py", "client/__init__.py"):
        assert f"dougong/{part}" in names
    assert any(name.startswith("dougong/messages/texts/") and name.endswith(".toml") for name in names)
    assert any(name.endswith("/licenses/NOTICE") for name in names)
    assert all(name.startswith(("dougong/", "dougong-")) for name in names)
    assert len([name for name in names if name.endswith(".so")]) <= 1


def test_code_comes_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = "import dougong.v1, dougong.solver.rundir as r; print(list(dougong.__path__), r.__file__)"
    answer = subprocess.run(
        [environment / "bin" / "python", "-c", code],
        cwd=tmp_path,
        env=clean_environ(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert str(ROOT) not in answer.stdout.replace(str(environment), "")


def test_version(environment: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [environment / "bin" / "dougong", "version", "--json"],
        cwd=tmp_path,
        env=clean_environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert "0.1.0" in json.dumps(json.loads(answer.stdout))


def test_serve_answers_and_stops(environment: Path, tmp_path: Path) -> None:
    socket = tmp_path / "s"
    log = tmp_path / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [environment / "bin" / "dougong", "serve", "--data", tmp_path / "d", "--listen", f"unix:{socket}"],
            cwd=tmp_path,
            env=clean_environ(tmp_path),
            stderr=out,
        )
    try:
        options = [("grpc.default_authority", "localhost")]
        with grpc.insecure_channel(f"unix:{socket}", options=options) as channel:
            request = health_pb2.HealthCheckRequest()
            stub = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(request, timeout=60, wait_for_ready=True)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0, log.read_text()
    finally:
        server.kill()
        server.wait()


def tiny_run(folder: Path) -> Path:
    """A run directory: a cube of one millimetre, pulled by 1 N, held like a tensile test."""
    mesh = folder / "mesh"
    mesh.mkdir()
    canonical.write(box("hex8", n=(1, 1, 1)), mesh)
    number = analysis_pb2.Quantity
    elastic = analysis_pb2.Elastic(young_modulus=number(value=1000.0), poisson_ratio=number(value=0.25))
    symmetry = [analysis_pb2.Condition(region=name, symmetry=analysis_pb2.Symmetry()) for name in ("x0", "y0", "z0")]
    pull = analysis_pb2.Load(region="x1", total_force=analysis_pb2.Vector(x=number(value=1.0)))
    step = analysis_pb2.Step(static=analysis_pb2.Static(), conditions=symmetry, loads=[pull])
    analysis = analysis_pb2.Analysis(
        mesh="0" * 64,
        units=analysis_pb2.UnitSystem(system=analysis_pb2.UnitSystem.SYSTEM_MM_T_S),
        materials={"soft": analysis_pb2.Material(elastic=elastic)},
        sections=[analysis_pb2.Section(material="soft")],
        steps=[step],
    )
    run = folder / "run"
    rundir.prepare(run, run_pb2.RunSpec(job_id="job-1", token="t", analysis=analysis), mesh)
    return run


def test_worker_solves(environment: Path, tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    answer = subprocess.run(
        [environment / "bin" / "python", "-s", "-P", "-u", "-m", "mpi4py", "-m", "dougong.solver.worker", run],
        cwd=tmp_path,
        env=clean_environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    outcome = rundir.read_outcome(run)
    assert outcome is not None, answer.stderr
    assert outcome.WhichOneof("end") == "result", f"{outcome.failure.text}\n{answer.stderr}"
    rundir.verify_files(run, outcome)
    # A cube of side 1 under 1 N: u = F / E.
    displacement = {e.component: e.max for e in outcome.result.steps[0].extremes if e.field == "displacement"}
    assert displacement["x"] == pytest.approx(1e-3, rel=1e-9)
