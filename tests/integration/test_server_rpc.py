"""Every RPC over a real Unix socket, with a worker and a check child that do what the test says."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dougong.v1 import analysis_pb2, job_pb2, mesh_pb2, result_pb2, system_pb2
from server_harness import (
    TWO_TETS,
    ServerProcess,
    arrays,
    refused,
    request,
    running_server,
    until,
    upload_header,
    upload_messages,
)

Code = grpc.StatusCode
J = job_pb2.Job


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as process:
        yield process


@pytest.fixture(scope="module")
def mesh(server: ServerProcess) -> mesh_pb2.Mesh:
    return server.upload()


@pytest.fixture(scope="module")
def solved(server: ServerProcess) -> J:
    return server.wait(server.submit("solve").job_id)


def test_capabilities(server: ServerProcess) -> None:
    capabilities = server.system.GetCapabilities(system_pb2.GetCapabilitiesRequest())
    assert list(capabilities.procedures) == ["static"]
    assert capabilities.cores == 2
    assert "gmsh" in {f.name for f in capabilities.mesh_formats}
    assert capabilities.max_message_bytes == 4 << 20


def test_health_and_reflection(server: ServerProcess) -> None:
    health = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", "dougong.v1.JobService"):
        reply = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = reflection.ServerReflectionInfo(iter([asked]))
    names = {s.name for s in answer.list_services_response.service}
    assert {"dougong.v1.MeshService", "dougong.v1.ResultService", "grpc.health.v1.Health"} <= names


# Meshes


def test_an_uploaded_mesh_is_known_and_told(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    assert server.meshes.GetMesh(mesh_pb2.GetMeshRequest(mesh_id=mesh.mesh_id)) == mesh
    assert (mesh.info.node_count, mesh.info.cell_count, mesh.file_name) == (5, 2, "two.msh")
    assert {r.name for r in mesh.info.regions} >= {"skin", "body"}
    missing = server.meshes.FindMissing(mesh_pb2.FindMissingRequest(mesh_ids=[mesh.mesh_id, "0" * 64, "../x"]))
    assert list(missing.missing_mesh_ids) == ["0" * 64, "../x"]


def test_the_same_bytes_again_cost_nothing_and_are_the_same_mesh(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    header_only = [mesh_pb2.UploadMeshRequest(header=upload_header())]
    assert server.meshes.UploadMesh(iter(header_only)).mesh_id == mesh.mesh_id
    # Without a declared format the bytes must come, for it is found from them.
    assert server.upload(format="").mesh_id == mesh.mesh_id


@pytest.mark.parametrize("resume", [0, 1, 64, 100, 150])
def test_an_interrupted_upload_continues_anywhere_up_to_what_arrived(server: ServerProcess, resume: int) -> None:
    content = TWO_TETS + b"\n" * (resume + 1)
    upload_id = str(uuid.uuid4())
    cut = refused(lambda: server.meshes.UploadMesh(iter(list(upload_messages(content, stop=150, upload_id=upload_id)))))
    assert (cut.code, cut.reason) == (Code.INVALID_ARGUMENT, "UPLOAD_INCOMPLETE")
    query = mesh_pb2.QueryUploadRequest(upload_id=upload_id)
    assert server.meshes.QueryUpload(query).committed_bytes == 150
    mesh = server.meshes.UploadMesh(upload_messages(content, start=resume, upload_id=upload_id))
    assert mesh.file_bytes == len(content)
    assert refused(lambda: server.meshes.QueryUpload(query)).reason == "UPLOAD_NOT_FOUND"


def test_a_broken_connection_keeps_what_arrived(server: ServerProcess) -> None:
    content = TWO_TETS + b"\n" * 77
    upload_id = str(uuid.uuid4())
    query = mesh_pb2.QueryUploadRequest(upload_id=upload_id)

    def arrived() -> int:
        try:
            return server.meshes.QueryUpload(query).committed_bytes
        except grpc.RpcError:
            return 0

    def broken() -> Iterator[mesh_pb2.UploadMeshRequest]:
        yield from upload_messages(content, stop=128, upload_id=upload_id)
        until(lambda: arrived() == 128)
        raise RuntimeError("the client died")

    with pytest.raises(grpc.RpcError):
        server.meshes.UploadMesh(broken())
    assert arrived() == 128
    assert server.meshes.UploadMesh(upload_messages(content, start=128, upload_id=upload_id)).mesh_id


@pytest.mark.parametrize(
    ("make", "code", "reason"),
    [
        (lambda: iter(()), Code.INVALID_ARGUMENT, "UPLOAD_HEADER_EXPECTED"),
        (lambda: upload_messages(b"x", upload_id="../../etc"), Code.INVALID_ARGUMENT, "NOT_A_UUID"),
        (lambda: upload_messages(b"x", sha256="A" * 64), Code.INVALID_ARGUMENT, "NOT_A_SHA256"),
        (lambda: upload_messages(b"x", format="exe"), Code.INVALID_ARGUMENT, "MESH_FORMAT_UNKNOWN"),
        (lambda: upload_messages(b"x", size_bytes=0), Code.INVALID_ARGUMENT, "VALUE_OUT_OF_RANGE"),
        (lambda: upload_messages(b"x", size_bytes=1 << 60), Code.RESOURCE_EXHAUSTED, "MESH_FILE_TOO_LARGE"),
        (lambda: upload_messages(b"abc", sha256="0" * 64), Code.DATA_LOSS, "UPLOAD_DIGEST_WRONG"),
        (lambda: upload_messages(b"abc", start=1), Code.INVALID_ARGUMENT, "UPLOAD_OFFSET_WRONG"),
        (lambda: upload_messages(b"abc", size_bytes=2), Code.INVALID_ARGUMENT, "UPLOAD_TOO_LONG"),
        (lambda: upload_messages(b"abc", file_name="x" * 2000), Code.INVALID_ARGUMENT, "TEXT_TOO_LONG"),
        (lambda: upload_messages(b"$MeshFormat\n9.9 0 8\n"), Code.INVALID_ARGUMENT, None),
        (lambda: upload_messages(b"\0" * 100), Code.INVALID_ARGUMENT, None),
    ],
)
def test_a_bad_upload_is_refused(server: ServerProcess, make: object, code: Code, reason: str | None) -> None:
    error = refused(lambda: server.meshes.UploadMesh(make(), timeout=30))
    assert error.code == code, error.status
    assert reason in (None, error.reason)
    assert error.chinese


def test_a_name_is_only_a_name(server: ServerProcess) -> None:
    for name in ("../../../etc/passwd", "a\0b", "/dev/null", "é" * 900, "con\nlog"):
        content = TWO_TETS + b"\n" * len(name)
        assert server.upload(content, file_name=name).file_name == name
    assert not list(server.root.rglob("*passwd*"))


def test_an_upload_id_belongs_to_one_file(server: ServerProcess) -> None:
    upload_id = str(uuid.uuid4())
    refused(lambda: server.meshes.UploadMesh(upload_messages(b"abc", stop=1, upload_id=upload_id)))
    error = refused(lambda: server.meshes.UploadMesh(upload_messages(b"abcd", upload_id=upload_id)))
    assert (error.code, error.reason) == (Code.ALREADY_EXISTS, "UPLOAD_ID_REUSED")


def test_read_mesh(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    read = arrays(server.meshes.ReadMesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh.mesh_id)))
    assert read["points"].shape == (5, 3)
    assert read["cells/0"].shape == (2, 4)
    assert len(read["region/skin"]) == 2
    only = arrays(server.meshes.ReadMesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh.mesh_id, arrays=["points"])))
    assert list(only) == ["points"]
    skin = arrays(server.meshes.ReadMesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh.mesh_id, skin=True)))
    assert skin["triangles"].shape == (6, 3)
    assert np.array_equal(read["points"][skin["node_index"]], skin["points"])
    error = refused(lambda: server.meshes.ReadMesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh.mesh_id, arrays=["x"])))
    assert error.reason == "ARRAY_UNKNOWN"


def test_list_meshes_in_pages(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    server.upload(TWO_TETS + b"\n\n\n\n")
    everything = server.meshes.ListMeshes(mesh_pb2.ListMeshesRequest()).meshes
    paged, token = [], ""
    while True:
        page = server.meshes.ListMeshes(mesh_pb2.ListMeshesRequest(page_size=1, page_token=token))
        paged += page.meshes
        token = page.next_page_token
        if not token:
            break
    assert [m.mesh_id for m in paged] == [m.mesh_id for m in everything]
    assert len(paged) >= 2
    bad = refused(lambda: server.meshes.ListMeshes(mesh_pb2.ListMeshesRequest(page_token="zzz")))
    assert bad.reason == "PAGE_TOKEN_INVALID"


def test_a_mesh_in_use_stays_and_a_deleted_one_is_gone(server: ServerProcess) -> None:
    mesh = server.upload(TWO_TETS + b"\n" * 11)
    job = server.jobs.SubmitJob(request("wait", mesh.mesh_id))
    delete = mesh_pb2.DeleteMeshRequest(mesh_id=mesh.mesh_id)
    error = refused(lambda: server.meshes.DeleteMesh(delete))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "MESH_IN_USE")
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    assert server.wait(job.job_id).state == J.STATE_CANCELLED
    assert server.meshes.DeleteMesh(delete) == empty_pb2.Empty()
    assert refused(lambda: server.meshes.DeleteMesh(delete)).code == Code.NOT_FOUND
    assert not list(server.data.rglob(f"*{mesh.mesh_id}*"))


# Jobs


def test_validate_and_estimate(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    good = analysis_pb2.Analysis(name="ok", mesh=mesh.mesh_id)
    reply = server.jobs.ValidateAnalysis(job_pb2.ValidateAnalysisRequest(analysis=good))
    assert not reply.violations
    assert reply.estimate.dofs == 12
    assert server.jobs.EstimateJob(job_pb2.EstimateJobRequest(analysis=good)) == reply.estimate
    bad = analysis_pb2.Analysis(name="invalid 3", mesh=mesh.mesh_id)
    reply = server.jobs.ValidateAnalysis(job_pb2.ValidateAnalysisRequest(analysis=bad))
    assert len(reply.violations) == 3
    assert not reply.HasField("estimate")
    error = refused(lambda: server.jobs.EstimateJob(job_pb2.EstimateJobRequest(analysis=bad)))
    assert error.fields == ["steps[0].name", "steps[1].name", "steps[2].name"]


def test_long_lists_of_violations_fit_into_the_trailer(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    error = refused(lambda: server.jobs.SubmitJob(request("invalid 400", mesh.mesh_id)))
    assert error.code == Code.INVALID_ARGUMENT
    assert len(error.trailer) < 6000
    assert len(error.violations) > 3
    assert error.violations[-1].reason == "MORE_VIOLATIONS"
    assert int(error.violations[-1].params["count"]) == 400 - (len(error.violations) - 1)
    assert error.violations[0].text_zh
    assert list(error.violations[0].node_ids)[:3] == [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"request_id": "17"}, Code.INVALID_ARGUMENT, "NOT_A_UUID"),
        ({"ranks": -1}, Code.INVALID_ARGUMENT, "VALUE_OUT_OF_RANGE"),
        ({"ranks": 3}, Code.RESOURCE_EXHAUSTED, "TOO_MANY_RANKS"),
        ({"memory_bytes": -1}, Code.INVALID_ARGUMENT, "VALUE_OUT_OF_RANGE"),
        ({"mesh_id": ""}, Code.INVALID_ARGUMENT, "FIELD_MISSING"),
        ({"mesh_id": "0" * 64}, Code.NOT_FOUND, "MESH_NOT_FOUND"),
        ({"mesh_id": "../../x"}, Code.NOT_FOUND, "MESH_NOT_FOUND"),
        ({"name": "x" * 2000}, Code.INVALID_ARGUMENT, "TEXT_TOO_LONG"),
        ({"name": "die"}, Code.INTERNAL, "CHECK_FAILED"),
        ({"name": "babble"}, Code.INTERNAL, "CHECK_FAILED"),
    ],
)
def test_bad_submissions(server: ServerProcess, mesh: mesh_pb2.Mesh, change: dict, code: Code, reason: str) -> None:
    values = {"name": "solve", "mesh_id": mesh.mesh_id, **change}
    error = refused(lambda: server.jobs.SubmitJob(request(**values)))
    assert (error.code, error.reason) == (code, reason)
    if reason == "MESH_NOT_FOUND":
        assert error.precondition[0].type == "MISSING"
    if reason == "CHECK_FAILED":  # The child that died is replaced, and the server goes on.
        assert server.wait(server.submit("solve").job_id).state == J.STATE_SUCCEEDED


def test_a_solved_job_from_its_submission_to_its_end(server: ServerProcess, solved: J) -> None:
    assert solved.state == J.STATE_SUCCEEDED
    assert solved.attempts == 1
    assert solved.create_time.ToNanoseconds() <= solved.start_time.ToNanoseconds() <= solved.end_time.ToNanoseconds()
    events = server.events(solved.job_id)
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    states = [e.state.state for e in events if e.HasField("state")]
    assert states == [J.STATE_QUEUED, J.STATE_PREPARING, J.STATE_RUNNING, J.STATE_SUCCEEDED]
    stages = [e.progress.stage for e in events if e.HasField("progress")]
    assert stages[-1] == "solve"
    assert (solved.progress.iteration, solved.last_sequence) == (2, len(events))
    for after in range(len(events) + 1):
        assert server.events(solved.job_id, after) == events[after:]


def test_one_request_is_one_job(server: ServerProcess, mesh: mesh_pb2.Mesh) -> None:
    message = request("solve", mesh.mesh_id)
    futures = [server.jobs.SubmitJob.future(message) for _ in range(8)]
    assert len({f.result().job_id for f in futures}) == 1
    other = request("wait", mesh.mesh_id, request_id=message.request_id)
    error = refused(lambda: server.jobs.SubmitJob(other))
    assert (error.code, error.reason) == (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED")


def test_list_jobs_with_pages_and_filters(server: ServerProcess, solved: J, mesh: mesh_pb2.Mesh) -> None:
    for _ in range(3):
        server.submit("solve Straße Ünïque")
    found = server.jobs.ListJobs(job_pb2.ListJobsRequest(name_contains="STRASSE üNÏQUE")).jobs
    assert len(found) == 3
    assert not found[0].HasField("analysis")
    asked = job_pb2.ListJobsRequest(name_contains="ünïque", page_size=2)
    first = server.jobs.ListJobs(asked)
    asked.page_token = first.next_page_token
    second = server.jobs.ListJobs(asked)
    assert [j.job_id for j in (*first.jobs, *second.jobs)] == [j.job_id for j in found]
    assert not second.next_page_token
    asked.name_contains = "other"
    assert refused(lambda: server.jobs.ListJobs(asked)).reason == "PAGE_TOKEN_INVALID"
    succeeded = server.jobs.ListJobs(job_pb2.ListJobsRequest(states=[J.STATE_SUCCEEDED], mesh_id=mesh.mesh_id)).jobs
    assert solved.job_id in {j.job_id for j in succeeded}
    assert {j.state for j in succeeded} == {J.STATE_SUCCEEDED}
    for job in found:
        server.wait(job.job_id)


def test_the_log_from_any_offset(server: ServerProcess, solved: J) -> None:
    read = lambda offset: b"".join(  # noqa: E731
        c.data for c in server.jobs.ReadLog(job_pb2.ReadLogRequest(job_id=solved.job_id, offset=offset))
    )
    whole = read(0)
    assert whole == b"rank 0 of 1\n"
    assert [read(k) for k in (1, len(whole), len(whole) + 5)] == [whole[1:], b"", b""]


def test_a_followed_log_ends_with_the_job(server: ServerProcess) -> None:
    job = server.submit("wait")
    following = server.jobs.ReadLog(job_pb2.ReadLogRequest(job_id=job.job_id, follow=True), timeout=30)
    assert next(following).data == b"rank 0 of 1\n"
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    assert list(following) == []


def test_cancel_from_any_state(server: ServerProcess, solved: J) -> None:
    running, waiting = server.submit("wait", ranks=2), server.submit("wait", ranks=2)
    server.wait_running(running.job_id, 2)
    cancel = lambda job: server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))  # noqa: E731
    assert cancel(waiting).state == J.STATE_CANCELLED
    assert cancel(running).cancel_requested
    assert cancel(running).cancel_requested
    assert server.wait(running.job_id).state == J.STATE_CANCELLED
    assert cancel(solved).state == J.STATE_SUCCEEDED


def test_delete_removes_every_byte(server: ServerProcess) -> None:
    job = server.submit("wait")
    server.wait_running(job.job_id)
    delete = job_pb2.DeleteJobRequest(job_id=job.job_id)
    assert refused(lambda: server.jobs.DeleteJob(delete)).reason == "JOB_NOT_ENDED"
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    server.wait(job.job_id)
    server.jobs.DeleteJob(delete)
    assert refused(lambda: server.get(job.job_id)).code == Code.NOT_FOUND
    assert not list(server.data.rglob(f"*{job.job_id}*"))


@pytest.mark.parametrize("job_id", ["job-0", "../x", "x" * 150, ""])
def test_no_such_job(server: ServerProcess, job_id: str) -> None:
    calls = [
        lambda: server.get(job_id),
        lambda: server.events(job_id),
        lambda: server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job_id)),
        lambda: server.jobs.ReadLog(job_pb2.ReadLogRequest(job_id=job_id)),
        lambda: server.results.GetResult(result_pb2.GetResultRequest(job_id=job_id)),
    ]
    for call in calls:
        assert refused(call).code == (Code.NOT_FOUND if job_id else Code.INVALID_ARGUMENT)


# Results


def _field(server: ServerProcess, job: J, **wanted: object) -> np.ndarray:
    (values,) = arrays(server.results.ReadField(result_pb2.ReadFieldRequest(job_id=job.job_id, **wanted))).values()
    return values


def test_the_summary(server: ServerProcess, solved: J) -> None:
    result = server.results.GetResult(result_pb2.GetResultRequest(job_id=solved.job_id))
    assert result.job_id == solved.job_id
    assert [f.name for f in result.fields] == ["displacement", "stress"]


def test_fields_and_their_parts(server: ServerProcess, solved: J) -> None:
    whole = _field(server, solved, name="displacement")
    assert np.array_equal(whole, np.stack([np.arange(5.0), -np.arange(5.0), np.zeros(5)], axis=1))
    assert np.array_equal(_field(server, solved, name="displacement", component="y"), whole[:, 1])
    # Two facets that hold nodes 1, 2, 3 and 4 of the file.
    assert np.array_equal(_field(server, solved, name="displacement", region="skin"), whole[:4])
    assert np.array_equal(_field(server, solved, name="displacement", region="body", component="x"), whole[:, 0])
    assert np.array_equal(_field(server, solved, name="stress", region="body"), [[0.0], [1.0]])
    assert np.array_equal(_field(server, solved, name="displacement", offset=8 * 9), whole.ravel()[9:])
    assert len(_field(server, solved, name="displacement", offset=8 * 15)) == 0


@pytest.mark.parametrize(
    ("wanted", "code", "reason"),
    [
        ({"name": "entropy"}, Code.NOT_FOUND, "FIELD_NOT_FOUND"),
        ({"name": "displacement", "frame": 1}, Code.NOT_FOUND, "FIELD_NOT_FOUND"),
        ({"name": "displacement", "frame_name": "wind"}, Code.NOT_FOUND, "FRAME_NOT_FOUND"),
        ({"name": "displacement", "step": "step-9"}, Code.NOT_FOUND, "FIELD_NOT_FOUND"),
        ({"name": "displacement", "region": "nowhere"}, Code.INVALID_ARGUMENT, "RESULT_REGION_UNKNOWN"),
        ({"name": "displacement", "component": "w"}, Code.INVALID_ARGUMENT, "COMPONENT_UNKNOWN"),
        ({"name": "stress", "region": "skin"}, Code.INVALID_ARGUMENT, "RESULT_REGION_KIND"),
        ({"name": "displacement", "offset": 121}, Code.INVALID_ARGUMENT, "VALUE_OUT_OF_RANGE"),
        ({"name": "displacement", "offset": -1}, Code.INVALID_ARGUMENT, "VALUE_OUT_OF_RANGE"),
    ],
)
def test_no_such_part(server: ServerProcess, solved: J, wanted: dict, code: Code, reason: str) -> None:
    error = refused(lambda: _field(server, solved, **wanted))
    assert (error.code, error.reason) == (code, reason)


def test_artifacts_from_an_offset(server: ServerProcess, solved: J) -> None:
    chunks = list(
        server.results.ReadArtifact(result_pb2.ReadArtifactRequest(job_id=solved.job_id, name="report.txt", offset=5))
    )
    assert b"".join(c.data for c in chunks) == (b"seen by nobody\n" * 100)[5:]
    assert all(zlib.crc32(c.data) == c.crc32 for c in chunks)
    ask = lambda **k: server.results.ReadArtifact(result_pb2.ReadArtifactRequest(job_id=solved.job_id, **k))  # noqa: E731
    assert refused(lambda: ask(name="../spec.pb")).reason == "ARTIFACT_NOT_FOUND"
    assert refused(lambda: ask(name="report.txt", offset=10**6)).reason == "VALUE_OUT_OF_RANGE"


def test_damaged_results_are_not_served(server: ServerProcess) -> None:
    job = server.wait(server.submit("solve").job_id)
    assert len(_field(server, job, name="displacement")) == 5
    results = server.run_directory(job.job_id) / "results"
    for name in ("displacement.npy", "report.txt"):
        data = bytearray((results / name).read_bytes())
        data[-3] ^= 1
        (results / name).write_bytes(data)
    assert refused(lambda: _field(server, job, name="displacement")).code == Code.DATA_LOSS
    ask = result_pb2.ReadArtifactRequest(job_id=job.job_id, name="report.txt")
    assert refused(lambda: server.results.ReadArtifact(ask)).code == Code.DATA_LOSS
    (results.parent / "outcome.pb").write_bytes(b"DGOUT1\n" + b"0" * 40)
    assert refused(lambda: _field(server, job, name="stress")).reason == "OUTCOME_DAMAGED"


def test_no_result_before_success(server: ServerProcess) -> None:
    job = server.submit("refuse")
    error = refused(lambda: server.results.GetResult(result_pb2.GetResultRequest(job_id=job.job_id)))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "JOB_NOT_SUCCEEDED")
    ended = server.wait(job.job_id)
    assert (ended.state, ended.failure.reason, ended.failure.rank) == (J.STATE_FAILED, "OUT_OF_MEMORY", 0)
