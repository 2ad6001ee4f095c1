"""Warm workers under a real server: what holds for jobs with a process of their own holds for theirs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dougong.server import processes
from dougong.v1 import analysis_pb2 as a
from dougong.v1 import job_pb2, result_pb2
from server_harness import ServerProcess, alive, arrays, request, running_server, token_of, until

J = job_pb2.Job


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(warm_workers=2, stall_limit_seconds=1.5) as process:
        yield process


def _pid(server: ServerProcess, job_id: str) -> int:
    """The process that served a job."""
    return int((server.run_directory(job_id) / "fence").read_text().split()[2])


def _is_warm(pid: int) -> bool:
    return b"warm" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_one_is_seen_within_five_seconds(server: ServerProcess, number: signal.Signals) -> None:
    job = server.submit("wait")
    (pid,) = server.wait_running(job.job_id)
    assert _is_warm(pid)
    start = time.monotonic()
    os.kill(pid, number)
    ended = server.wait(job.job_id)
    assert time.monotonic() - start < 5
    assert (ended.state, ended.failure.reason, ended.attempts) == (J.STATE_FAILED, "WORKER_DIED", 1)
    assert f"signal {number.value}" in ended.failure.params["cause"]
    assert server.wait(server.submit("solve").job_id).state == J.STATE_SUCCEEDED


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("wait", {"time_limit_seconds": 1}, "TIME_LIMIT"),
        ("silent", {}, "STALLED"),
        ("memory 300", {"memory_bytes": 200 << 20}, "OUT_OF_MEMORY"),
    ],
)
def test_limits_hold_and_end_the_process(server: ServerProcess, name: str, limits: dict[str, int], reason: str) -> None:
    job = server.submit(name, **limits)
    (pid,) = server.wait_running(job.job_id)
    assert _is_warm(pid)
    ended = server.wait(job.job_id)
    assert (ended.state, ended.failure.reason) == (J.STATE_FAILED, reason)
    assert not alive(pid)


@pytest.mark.parametrize("name", ["wait", "deaf"])
def test_a_cancelled_job_takes_its_process_with_it(server: ServerProcess, name: str) -> None:
    job = server.submit(name)
    (pid,) = server.wait_running(job.job_id)
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    assert server.wait(job.job_id).state == J.STATE_CANCELLED
    assert not alive(pid)


@pytest.mark.parametrize("name", ["torn", "foreign"])
def test_a_process_whose_result_was_not_accepted_serves_nobody_else(server: ServerProcess, name: str) -> None:
    job = server.submit(name)
    assert server.wait(job.job_id).state == J.STATE_FAILED
    pid = _pid(server, job.job_id)
    until(lambda: not alive(pid), 5)


def test_a_job_runs_on_without_its_server_and_is_adopted(server: ServerProcess) -> None:
    job = server.submit("release")
    (pid,) = server.wait_running(job.job_id)
    assert server.process is not None
    idle = [p for p in processes.find("0" * 32) if _parent(p) == server.process.pid]
    server.kill()
    # One without a job has nothing to live for.
    until(lambda: not any(alive(p) for p in idle), 5)
    assert alive(pid)
    server.start()
    (server.run_directory(job.job_id) / "release").touch()
    ended = server.wait(job.job_id)
    assert (ended.state, ended.attempts) == (J.STATE_SUCCEEDED, 1)
    until(lambda: not alive(pid), 5)


def test_a_job_that_dies_without_its_server_has_failed(server: ServerProcess) -> None:
    job = server.submit("wait")
    (pid,) = server.wait_running(job.job_id)
    server.kill()
    os.kill(pid, signal.SIGKILL)
    server.start()
    ended = server.wait(job.job_id)
    assert (ended.state, ended.failure.reason, ended.attempts) == (J.STATE_FAILED, "WORKER_DIED", 1)


# The real solver

BAR = b"""*NODE
1, 0, 0, 0
2, 1, 0, 0
3, 1, 1, 0
4, 0, 1, 0
5, 0, 0, 1
6, 1, 0, 1
7, 1, 1, 1
8, 0, 1, 1
*ELEMENT, TYPE=C3D8, ELSET=BAR
1, 1, 2, 3, 4, 5, 6, 7, 8
*NSET, NSET=ROOT
1, 4, 5, 8
"""


def _analysis(mesh_id: str, modulus: float) -> a.Analysis:
    """A cube under tension at x = 1; with Poisson's ratio 0 the exact displacement there is 1 / modulus."""
    tip = a.Region(plane=a.Region.Plane(point=a.Point(coordinates=[1, 0, 0]), normal=a.Point(coordinates=[1, 0, 0])))
    elastic = a.Elastic(young_modulus=a.Quantity(value=modulus), poisson_ratio=a.Quantity(value=0))
    load = a.Load(region="tip", traction=a.Vector(x=a.Quantity(value=1)))
    step = a.Step(static=a.Static(), conditions=[a.Condition(region="ROOT", fixed=a.Fixed())], loads=[load])
    return a.Analysis(
        name="cube",
        mesh=mesh_id,
        regions={"tip": tip},
        materials={"m": a.Material(elastic=elastic)},
        sections=[a.Section(material="m")],
        steps=[step],
    )


def test_one_process_solves_many_jobs_and_each_answer_is_its_own() -> None:
    python = (sys.executable, "-s", "-P")
    changes = {
        "warm_workers": 1,
        "warm_command": (*python, "-u", "-m", "dougong.solver.warm"),
        "check_command": (*python, "-m", "dougong.solver.check"),
    }
    with running_server(**changes) as server:
        mesh_id = server.upload(BAR, format="abaqus").mesh_id
        pids = set()
        for k in range(4):
            wanted = request("", mesh_id)
            wanted.analysis.CopyFrom(_analysis(mesh_id, 10.0 + k))
            if k == 2:
                # What one job sets in PETSc must not reach the next.
                wanted.analysis.solver.petsc_options["ksp_type"] = "minres"
                wanted.analysis.solver.petsc_options["pc_type"] = "jacobi"
            job = server.wait(server.jobs.SubmitJob(wanted).job_id)
            assert job.state == J.STATE_SUCCEEDED, job.failure.text
            read = result_pb2.ReadFieldRequest(job_id=job.job_id, name="displacement")
            (values,) = arrays(server.results.ReadField(read)).values()
            assert values[:, 0].max() == pytest.approx(1 / (10.0 + k), rel=1e-6)
            log = (server.run_directory(job.job_id) / "log").read_text()
            assert token_of(server.run_directory(job.job_id)) not in log
            pids.add(_pid(server, job.job_id))
        assert len(pids) == 1
