"""A job takes the temperature from the result of another one: over the real server, check child and solver."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from dougong.v1 import analysis_pb2 as a
from dougong.v1 import job_pb2, result_pb2
from server_harness import ServerProcess, arrays, refused, request, running_server
from thermal_cases import ALPHA, expansion, warm

#: A bar of three cubes along x.
BAR = """*NODE
{nodes}
*ELEMENT, TYPE=C3D8, ELSET=BAR
{cells}
"""
E = 1000.0


def _bar(length: float = 3.0) -> bytes:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    nodes = [f"{1 + 4 * i + c}, {i * length / 3}, {y}, {z}" for i in range(4) for c, (y, z) in enumerate(corners)]
    cells = [f"{k + 1}, " + ", ".join(str(1 + 4 * (k + d) + c) for d in (0, 1) for c in range(4)) for k in range(3)]
    return BAR.format(nodes="\n".join(nodes), cells="\n".join(cells)).encode()


def plane(x: float) -> dict[str, Any]:
    return {"plane": {"point": {"coordinates": [x, 0, 0]}, "normal": {"coordinates": [1, 0, 0]}}}


BASE = {
    "regions": {"left": plane(0.0), "right": plane(3.0)},
    "materials": {"m": {"elastic": {"youngModulus": {"value": E}, "poissonRatio": {"value": 0.0}},
                        "conductivity": {"value": 2.0}} | expansion()},
    "sections": [{"material": "m"}],
}  # fmt: skip


def heating(*flows: float) -> dict[str, Any]:
    """20 degrees on the left; heat flows in on the right, a load case for each flow."""
    cases = [{"loads": [{"region": "right", "heatFlux": {"value": q}}]} for q in flows]
    held = {"region": "left", "temperature": {"value": 20.0}}
    return BASE | {"steps": [{"name": "heating", "steadyHeat": {}, "conditions": [held], "loadCases": cases}]}


def stressing(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Both ends held."""
    conditions = [{"region": "left", "fixed": {}}, {"region": "right", "displacement": {"x": {"value": 0.0}}}]
    load = warm({"fromJob": source} | more)
    return BASE | {"steps": [{"static": {}, "conditions": conditions, "loads": [load]}]}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    python = (sys.executable, "-s", "-P")
    worker = (*python, "-u", "-m", "mpi4py", "-m", "dougong.solver.worker")
    with running_server(worker_command=worker, check_command=(*python, "-m", "dougong.solver.check")) as process:
        yield process


def submit(server: ServerProcess, given: dict[str, Any], mesh_id: str, ranks: int = 1) -> str:
    message = request("", mesh_id, ranks)
    json_format.ParseDict(given, message.analysis)
    return server.jobs.SubmitJob(message, timeout=60).job_id


@pytest.fixture(scope="module")
def mesh_id(server: ServerProcess) -> str:
    return server.upload(_bar(), format="abaqus").mesh_id


@pytest.fixture(scope="module")
def heated(server: ServerProcess, mesh_id: str) -> str:
    """A heat job that succeeded: with flow q the temperature is 20 + q/2 x."""
    job = server.wait(submit(server, heating(10.0, 40.0), mesh_id), timeout=60)
    assert job.state == job_pb2.Job.STATE_SUCCEEDED, job.failure.text
    return job.job_id


def stress(server: ServerProcess, job_id: str, frame: int = 0) -> np.ndarray:
    wanted = result_pb2.ReadFieldRequest(job_id=job_id, name="stress", frame=frame)
    (values,) = arrays(server.results.ReadField(wanted)).values()
    return values[:, 0]


@pytest.mark.parametrize(("frame", "flow"), [({"frame": 0}, 10.0), ({}, 40.0), ({"step": "heating", "frame": 1}, 40.0)])
@pytest.mark.parametrize("ranks", [1, 2])
def test_thermal_stress_of_another_job(server, mesh_id, heated, frame, flow, ranks):
    """The bar cannot become longer: its mean stress is -E α times the mean rise of temperature, q/2 3/2."""
    job = server.wait(submit(server, stressing({"job_id": heated} | frame), mesh_id, ranks), timeout=60)
    assert job.state == job_pb2.Job.STATE_SUCCEEDED, job.failure.text
    np.testing.assert_allclose(stress(server, job.job_id), -E * ALPHA * flow / 2 * 1.5, rtol=1e-6)


def test_all_frames_of_another_job(server, mesh_id, heated):
    job = server.wait(submit(server, stressing({"job_id": heated}, allFrames=True), mesh_id), timeout=60)
    assert job.state == job_pb2.Job.STATE_SUCCEEDED, job.failure.text
    result = server.results.GetResult(result_pb2.GetResultRequest(job_id=job.job_id))
    assert [f.name for f in result.steps[0].frames] == ["case-1", "case-2"]
    for frame, flow in enumerate((10.0, 40.0)):
        np.testing.assert_allclose(stress(server, job.job_id, frame), -E * ALPHA * flow / 2 * 1.5, rtol=1e-6)


def test_the_other_job_may_be_deleted_meanwhile(server, mesh_id):
    """What a job needs is kept for it when it is accepted; with it, it goes."""
    source = server.wait(submit(server, heating(10.0), mesh_id), timeout=60).job_id
    job_id = submit(server, stressing({"job_id": source}), mesh_id)
    server.jobs.DeleteJob(job_pb2.DeleteJobRequest(job_id=source))
    job = server.wait(job_id, timeout=60)
    assert job.state == job_pb2.Job.STATE_SUCCEEDED, job.failure.text
    np.testing.assert_allclose(stress(server, job_id), -E * ALPHA * 7.5, rtol=1e-6)
    folder = server.run_directory(job_id).parent
    assert (folder / "inputs" / "0.bin").exists()
    server.jobs.DeleteJob(job_pb2.DeleteJobRequest(job_id=job_id))
    assert not folder.exists()


def test_a_repeated_request_is_one_job(server, mesh_id, heated):
    message = request("", mesh_id, request_id=str(uuid.uuid4()))
    json_format.ParseDict(stressing({"job_id": heated}), message.analysis)
    first = server.jobs.SubmitJob(message, timeout=60).job_id
    assert server.jobs.SubmitJob(message, timeout=60).job_id == first
    server.wait(first, timeout=60)
    assert {d.name for d in (server.data / "runs").iterdir()} >= {first}
    assert os.listdir(server.run_directory(first).parent).count("inputs") == 1


PLACE = "steps[0].loads[0].temperature.from_job"


def test_what_cannot_be_taken_is_refused(server, mesh_id, heated):
    """Before anything is queued, with the place of the field."""
    static = server.wait(submit(server, stressing({"job_id": heated}), mesh_id), timeout=60).job_id
    other = server.upload(_bar(6.0), format="abaqus").mesh_id
    failed = a.Analysis()
    json_format.ParseDict(heating(10.0), failed)
    cases = [
        ({"job_id": "job-none"}, mesh_id, "INPUT_JOB_UNKNOWN", "job_id"),
        ({}, mesh_id, "INPUT_JOB_UNKNOWN", "job_id"),
        ({"job_id": heated}, other, "INPUT_MESH_DIFFERS", "job_id"),
        ({"job_id": static}, mesh_id, "INPUT_STEP_WITHOUT_FIELD", "step"),
        ({"job_id": heated, "step": "cooling"}, mesh_id, "INPUT_STEP_WITHOUT_FIELD", "step"),
        ({"job_id": heated, "frame": 2}, mesh_id, "INPUT_FRAME_UNKNOWN", "frame"),
        ({"job_id": heated, "frame": -1}, mesh_id, "INPUT_FRAME_UNKNOWN", "frame"),
    ]
    before = len(server.jobs.ListJobs(job_pb2.ListJobsRequest()).jobs)
    for source, mesh, reason, field in cases:
        error = refused(lambda s=source, m=mesh: submit(server, stressing(s), m))
        found = [(v.reason, v.field) for v in error.violations]
        assert (reason, f"{PLACE}.{field}") in found, (source, found)
    assert len(server.jobs.ListJobs(job_pb2.ListJobsRequest()).jobs) == before


@pytest.mark.parametrize(
    "units",
    [
        {"system": "SYSTEM_SI", "absolute_zero": -273.15},
        {"system": "SYSTEM_EXPLICIT", "temperature": "degC"},
        {"system": "SYSTEM_MM_T_S"},
        {"system": "SYSTEM_EXPLICIT", "length": "in"},
        {"system": "SYSTEM_EXPLICIT", "temperature": "degF"},
    ],
)
def test_a_job_in_other_units_is_refused(server, mesh_id, heated, units):
    """Its numbers would be taken as they are: kelvin for degrees Celsius."""
    error = refused(lambda: submit(server, stressing({"job_id": heated}) | {"units": units}, mesh_id))
    assert [(v.reason, v.field) for v in error.violations] == [("INPUT_UNITS_DIFFER", f"{PLACE}.job_id")]
    assert "m, kg, s, K, absolute zero 0;" in error.violations[0].text


def test_the_same_units_under_another_name_are_the_same(server, mesh_id, heated):
    units = {"system": "SYSTEM_EXPLICIT", "length": "m", "temperature": "K", "absolute_zero": 0.0}
    submitted = submit(server, stressing({"job_id": heated}) | {"units": units}, mesh_id)
    assert server.wait(submitted, timeout=60).state == job_pb2.Job.STATE_SUCCEEDED


def test_too_many_frames(monkeypatch):
    from dougong.server import inputs

    monkeypatch.setattr(inputs, "_MOST_FILES", -1)
    found = asyncio.run(inputs.Inputs(None, None, None).find(a.Analysis(), "local"))
    assert [(v.reason, v.params["limit"]) for v in found.violations] == [("INPUT_TOO_MANY_FRAMES", "-1")]


def test_a_job_that_failed_has_nothing(server, mesh_id):
    """Its temperatures would be infinite: the conductivity is next to nothing."""
    given = heating(1e300)
    given["materials"] = {"m": given["materials"]["m"] | {"conductivity": {"value": 1e-300}}}
    job = server.wait(submit(server, given, mesh_id), timeout=60)
    assert job.state == job_pb2.Job.STATE_FAILED
    error = refused(lambda: submit(server, stressing({"job_id": job.job_id}), mesh_id))
    assert [(v.reason, v.field) for v in error.violations] == [("INPUT_JOB_NOT_SUCCEEDED", f"{PLACE}.job_id")]
    assert "FAILED" in error.violations[0].text


def test_a_damaged_file_is_not_taken(server, mesh_id):
    source = server.wait(submit(server, heating(10.0), mesh_id), timeout=60).job_id
    field = server.run_directory(source) / "results" / "field-0.bin"
    data = bytearray(field.read_bytes())
    data[0] ^= 1
    field.write_bytes(bytes(data))
    error = refused(lambda: submit(server, stressing({"job_id": source}), mesh_id))
    assert error.reason == "RESULT_DAMAGED"
    left = [d for d in (server.data / "runs").iterdir() if not (d / "1").exists()]
    assert left == []
