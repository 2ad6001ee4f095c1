"""The server with the real check child and the real solver."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dougong.server import processes
from dougong.solver import rundir
from dougong.v1 import analysis_pb2 as a
from dougong.v1 import job_pb2, result_pb2
from server_harness import ServerProcess, arrays, refused, request, running_server, token_of, until

J = job_pb2.Job
N = 3
E, PULL = 1000.0, 10.0


def _bar() -> bytes:
    """A bar of 3N x N x N cubes with edge 1/N, in Abaqus' format, with the node set ROOT at x = 0."""
    nx, n = 3 * N, N + 1
    number = lambda i, j, k: 1 + i * n * n + j * n + k  # noqa: E731
    lines = ["*NODE"]
    for i in range(nx + 1):
        for j in range(n):
            lines += [f"{number(i, j, k)}, {i / N}, {j / N}, {k / N}" for k in range(n)]
    lines.append("*ELEMENT, TYPE=C3D8, ELSET=BAR")
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cells = [(i, j, k) for i in range(nx) for j in range(N) for k in range(N)]
    for c, (i, j, k) in enumerate(cells, 1):
        lines.append(f"{c}, " + ", ".join(str(number(i + x, j + y, k + z)) for x, y, z in corners))
    lines += ["*NSET, NSET=ROOT", *(str(number(0, j, k)) for j in range(n) for k in range(n))]
    return "\n".join(lines).encode() + b"\n"


def _analysis(mesh_id: str, modulus: float = E) -> a.Analysis:
    """The bar, pulled at its end; with Poisson's ratio 0 the exact solution is u = PULL / E * x."""
    tip = a.Region(plane=a.Region.Plane(point=a.Point(coordinates=[3, 0, 0]), normal=a.Point(coordinates=[1, 0, 0])))
    elastic = a.Elastic(young_modulus=a.Quantity(value=modulus), poisson_ratio=a.Quantity(value=0))
    return a.Analysis(
        name="bar",
        mesh=mesh_id,
        regions={"tip": tip},
        materials={"m": a.Material(elastic=elastic)},
        sections=[a.Section(material="m")],
        steps=[
            a.Step(
                static=a.Static(),
                conditions=[a.Condition(region="ROOT", fixed=a.Fixed())],
                loads=[a.Load(region="tip", traction=a.Vector(x=a.Quantity(value=PULL)))],
            )
        ],
    )


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    python = (sys.executable, "-s", "-P")
    worker = (*python, "-u", "-m", "mpi4py", "-m", "dougong.solver.worker")
    with running_server(worker_command=worker, check_command=(*python, "-m", "dougong.solver.check")) as process:
        yield process


@pytest.fixture(scope="module")
def mesh_id(server: ServerProcess) -> str:
    return server.upload(_bar(), format="abaqus").mesh_id


def _submit(server: ServerProcess, analysis: a.Analysis, ranks: int) -> str:
    message = request("", analysis.mesh, ranks)
    message.analysis.CopyFrom(analysis)
    return server.jobs.SubmitJob(message, timeout=60).job_id


def _tip(server: ServerProcess, job_id: str) -> float:
    wanted = result_pb2.ReadFieldRequest(job_id=job_id, name="displacement")
    (values,) = arrays(server.results.ReadField(wanted)).values()
    assert values.shape == ((3 * N + 1) * (N + 1) ** 2, 3)
    return float(np.abs(values).max())


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_bar_is_pulled(server: ServerProcess, mesh_id: str, ranks: int) -> None:
    job = server.wait(_submit(server, _analysis(mesh_id), ranks), timeout=60)
    assert job.state == J.STATE_SUCCEEDED, job.failure.text
    assert _tip(server, job.job_id) == pytest.approx(3 * PULL / E, rel=1e-7)
    result = server.results.GetResult(result_pb2.GetResultRequest(job_id=job.job_id))
    assert result.provenance.ranks == ranks
    assert result.steps[0].balance.equilibrium_error < 1e-7


def test_the_estimate_learns_from_a_job(server: ServerProcess, mesh_id: str) -> None:
    asked = job_pb2.EstimateJobRequest(analysis=_analysis(mesh_id))
    before = server.jobs.EstimateJob(asked)
    job = server.wait(_submit(server, _analysis(mesh_id), 2), timeout=60)
    outcome = rundir.read_outcome(server.run_directory(job.job_id))
    assert outcome is not None
    assert 0.1 < outcome.cost.seconds < 60.0
    # Two ranks, each with its libraries and hardly anything else.
    assert len(outcome.cost.peak_bytes) == 2
    assert all(30e6 < size < 500e6 for size in outcome.cost.peak_bytes)
    after = server.jobs.EstimateJob(asked)
    assert after.earlier_jobs == before.earlier_jobs + 1
    assert after.seconds != before.seconds
    assert after.memory_bytes != before.memory_bytes


def test_a_wrong_analysis_is_refused_with_its_place(server: ServerProcess, mesh_id: str) -> None:
    analysis = _analysis(mesh_id)
    analysis.steps[0].conditions[0].region = "ROOTS"
    error = refused(lambda: _submit(server, analysis, 1))
    assert any("conditions[0].region" in field for field in error.fields)
    assert "ROOT" in error.violations[0].text


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_solver_is_seen_within_five_seconds(server: ServerProcess, mesh_id: str, ranks: int) -> None:
    job_id = _submit(server, _analysis(mesh_id), ranks)
    directory = server.run_directory(job_id)
    # Past its first act, hence inside the solver.
    fence = directory / "fence"
    until(lambda: fence.exists() and fence.read_text().endswith("\n"))
    start = time.monotonic()
    rank_pid = int(fence.read_text().split()[2])
    os.kill(rank_pid, signal.SIGKILL)
    job = server.wait(job_id)
    assert time.monotonic() - start < 5
    assert (job.state, job.failure.reason) == (J.STATE_FAILED, "WORKER_DIED")
    assert processes.find(token_of(directory)) == []


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_server_dies_while_a_job_runs(server: ServerProcess, mesh_id: str, ranks: int) -> None:
    # Each job has a modulus of its own, by which its answer is known.
    modulus = E * (2 + ranks)
    job_id = _submit(server, _analysis(mesh_id, modulus), ranks)
    until(lambda: server.get(job_id).state == J.STATE_RUNNING)
    server.kill()
    server.start()
    job = server.wait(job_id, timeout=60)
    assert (job.state, job.attempts) == (J.STATE_SUCCEEDED, 1), job.failure.text
    assert _tip(server, job_id) == pytest.approx(3 * PULL / modulus, rel=1e-7)
    events = server.events(job_id)
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))


def test_run_directories_hold_no_token_in_their_log(server: ServerProcess, mesh_id: str) -> None:
    job = server.wait(_submit(server, _analysis(mesh_id), 1), timeout=60)
    directory: Path = server.run_directory(job.job_id)
    assert token_of(directory).encode() not in (directory / "log").read_bytes()
    assert token_of(directory) not in server.log()
