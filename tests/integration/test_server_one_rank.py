"""The real worker on two ranks, one of which fails: the job fails at once, says where, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dougong.server import processes
from dougong.v1 import analysis_pb2 as a
from dougong.v1 import job_pb2
from server_harness import FAKES, TWO_TETS, ServerProcess, request, running_server, token_of, until

J = job_pb2.Job


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    python = (sys.executable, "-s", "-P")
    path = os.pathsep.join(p for p in (str(FAKES / "faults"), os.environ.get("PYTHONPATH", "")) if p)
    with running_server(
        worker_command=(*python, "-u", "-m", "mpi4py", "-m", "dougong.solver.worker"),
        check_command=(*python, "-m", "dougong.solver.check"),
        worker_environment={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": path},
    ) as process:
        yield process


def _submit(server: ServerProcess, name: str, mesh_id: str) -> str:
    message = request(name, mesh_id, 2)
    elastic = a.Elastic(young_modulus=a.Quantity(value=1e3), poisson_ratio=a.Quantity(value=0.3))
    far = a.Region(sphere=a.Region.Sphere(center=a.Point(coordinates=[1, 1, 1]), radius=0.1), kind=a.Region.KIND_NODES)
    message.analysis.MergeFrom(
        a.Analysis(
            regions={"far": far},
            materials={"m": a.Material(elastic=elastic)},
            sections=[a.Section(material="m")],
            steps=[
                a.Step(
                    static=a.Static(),
                    conditions=[a.Condition(region="skin", fixed=a.Fixed())],
                    loads=[a.Load(region="far", nodal_force=a.Vector(x=a.Quantity(value=1)))],
                )
            ],
        )
    )
    return server.jobs.SubmitJob(message, timeout=60).job_id


def _failed(server: ServerProcess, job_id: str) -> job_pb2.Failure:
    start = time.monotonic()
    job = server.wait(job_id, timeout=60)
    directory = server.run_directory(job_id)
    assert time.monotonic() - start < 15
    assert (job.state, job.attempts) == (J.STATE_FAILED, 1), job.failure.text
    # The outcome ends the job; what is left of its processes has to go soon.
    until(lambda: not processes.find(token_of(directory)), 5)
    assert job.failure.text
    assert job.failure.text_zh
    return job.failure


def test_nothing_fails_by_itself(server: ServerProcess) -> None:
    job = server.wait(_submit(server, "solve", server.upload().mesh_id), timeout=60)
    assert job.state == J.STATE_SUCCEEDED, job.failure.text


@pytest.mark.parametrize(
    ("name", "reason", "text"),
    [
        ("raise", "WORKER_ERROR", "RuntimeError: raised on purpose"),
        ("memory", "SOLVER_OUT_OF_MEMORY", ""),
        ("exit", "WORKER_DIED", "exit code 7"),
    ],
)
def test_one_rank_fails_while_the_other_waits_for_it(server: ServerProcess, name: str, reason: str, text: str) -> None:
    failure = _failed(server, _submit(server, name, server.upload().mesh_id))
    assert failure.reason == reason
    assert text in failure.text
    assert failure.HasField("rank")
    assert failure.rank == 1


def test_a_mesh_that_is_damaged_while_its_job_waits(server: ServerProcess) -> None:
    first = _submit(server, "wait", server.upload().mesh_id)
    # The same mesh, but a file of its own.
    mesh_id = server.upload(TWO_TETS + b"\n").mesh_id
    second = _submit(server, "solve", mesh_id)
    assert server.get(second).state == J.STATE_QUEUED
    (points,) = (p for p in server.data.glob(f"meshes/meshes/{mesh_id}/conversion-*/*") if "points" in p.name)
    content = bytearray(points.read_bytes())
    content[-5] ^= 1
    os.chmod(points, 0o600)
    points.write_bytes(content)
    until(lambda: Path(server.run_directory(first), "fence").exists())
    (server.run_directory(first) / "go on").touch()
    assert server.wait(first, timeout=60).state == J.STATE_SUCCEEDED
    failure = _failed(server, second)
    assert (failure.reason, failure.rank, failure.params["file"]) == ("STORED_MESH_DAMAGED", 0, points.name)
