"""The synchronous client against a server with faults."""

import asyncio
import inspect

import numpy as np
import pytest

import dougong.client
from dougong.client import AsyncClient, Client, NotFound, ServerUnreachable
from dougong.client.transport import channel_options, check_address
from dougong.messages import DataLoss, FemError, InputError, violation
from dougong.v1 import analysis_pb2, job_pb2
from fake_server import FakeServer, wait_for

J = job_pb2.Job


@pytest.fixture
def server(tmp_path):
    fake = FakeServer(tmp_path / "s")
    yield fake
    fake.stop()


@pytest.fixture
def client(server):
    with Client(server.target) as one:
        yield one


@pytest.fixture
def mesh_file(tmp_path):
    path = tmp_path / "part.msh"
    path.write_bytes(bytes(range(256)) * 40)
    return path


def submit(client, **kwargs):
    return client.submit(analysis_pb2.Analysis(name="study"), **kwargs)


def test_public_names_are_those_that_are_promised():
    for name in dougong.client.__all__:
        assert getattr(dougong.client, name)


def test_mesh_is_sent_once(client, server, mesh_file):
    seen = []
    first = client.upload_mesh(mesh_file, progress=lambda sent, total: seen.append((sent, total)))
    assert seen[-1] == (10240, 10240)
    assert client.upload_mesh(mesh_file) == first
    assert server.calls.count("UploadMesh") == 1


def test_upload_goes_on_where_the_connection_broke(client, server, mesh_file):
    server.faults["UploadMesh"] = 4
    seen = []
    client.upload_mesh(mesh_file, progress=lambda sent, total: seen.append(sent))
    assert server.calls.count("UploadMesh") == 2
    (upload,) = server.partial.values()
    assert bytes(upload) == mesh_file.read_bytes()


def test_what_is_wrong_with_a_mesh_comes_back_as_violations(client, mesh_file):
    mesh_file.write_bytes(b"bad")
    with pytest.raises(InputError) as caught:
        client.upload_mesh(mesh_file)
    assert caught.value.violations[0].params["file"] == "part.msh"
    with pytest.raises(NotFound, match="cannot be read"):
        client.upload_mesh(mesh_file.with_name("gone.msh"))


def test_lookups_are_repeated_when_the_server_was_away(client, server):
    job = submit(client)
    server.faults["GetJob"] = 2
    assert client.job(job.job_id).name == "study"
    assert server.calls.count("GetJob") == 3


def test_submit_with_a_lost_reply_makes_one_job(client, server):
    server.faults["SubmitJob.reply"] = True
    job = submit(client)
    assert list(server.jobs) == [job.job_id]
    assert server.calls.count("SubmitJob") == 2


def test_submit_brings_back_every_violation(client, server):
    server.violations = [violation("RESULT_DAMAGED", "steps[0]", file="a"), violation("RESULT_DAMAGED", "b", file="c")]
    with pytest.raises(InputError) as caught:
        submit(client)
    assert [v.field for v in caught.value.violations] == ["steps[0]", "b"]
    server.violations = [job_pb2.Violation(field="x", reason="NOT_YET_KNOWN", text="Say why.", text_zh="原因。")]
    with pytest.raises(InputError) as unknown:
        submit(client)
    assert unknown.value.violations[0].text == "Say why."


def test_unknown_reason_keeps_the_words_of_the_server(client, monkeypatch):
    with pytest.raises(NotFound, match="no such job"):
        client.job("x")
    monkeypatch.setenv("DOUGONG_LANG", "zh_CN")
    with pytest.raises(NotFound) as caught:
        client.job("x")
    assert "没有这个作业" in caught.value.text("zh")


def test_watch_goes_on_behind_the_last_event(client, server):
    job = submit(client)
    server.faults["WatchJob"] = 4
    events = list(client.watch(job.job_id))
    assert [e.sequence for e in events] == list(range(1, 10))
    assert events[-1].state.state == J.STATE_SUCCEEDED
    assert server.calls.count("WatchJob") == 2
    assert [e.sequence for e in client.watch(job.job_id, after_sequence=8)] == [9]
    assert list(client.watch(job.job_id, after_sequence=9)) == []  # ended, and all of it known


def test_log_goes_on_at_its_offset(client, server):
    job = submit(client)
    server.faults["ReadLog"] = 300
    assert b"".join(client.logs(job.job_id)).count(b"line") == 100
    assert server.calls.count("ReadLog") == 2


def test_jobs_come_page_by_page(client):
    made = {submit(client).job_id for _ in range(5)}
    assert {j.job_id for j in client.jobs()} == made


def test_field_is_an_array_and_survives_a_cut(client, server):
    job = submit(client)
    server.faults["ReadField"] = 2
    got = client.field(job.job_id, "displacement")
    assert np.array_equal(got, server.displacement)
    server.faults["damage"] = 1
    with pytest.raises(DataLoss):
        client.field(job.job_id, "displacement")


def test_a_frame_is_asked_for_by_any_whole_number_or_by_name(client, server):
    job = submit(client)
    for frame, expected in ((np.arange(3)[2], (2, "")), (1, (1, "")), ("pull", (0, "pull"))):
        client.field(job.job_id, "displacement", frame=frame)
        assert (server.asked.frame, server.asked.frame_name) == expected
    with pytest.raises(TypeError):
        client.field(job.job_id, "displacement", frame=1.5)


def test_a_field_goes_into_a_file_whole_or_not_at_all(client, server, tmp_path):
    job = submit(client)
    server.faults["ReadField"] = 2
    target = tmp_path / "out" / "u.npy"
    got = client.field(job.job_id, "displacement", out=target)
    assert np.array_equal(got, server.displacement)
    assert not got.flags.writeable
    assert np.array_equal(np.load(target), server.displacement)
    assert target.stat().st_size % 64 == server.displacement.nbytes % 64
    server.faults["damage"] = 1
    with pytest.raises(DataLoss):
        client.field(job.job_id, "displacement", out=tmp_path / "out" / "damaged.npy")
    with pytest.raises(NotFound):
        client.field(job.job_id, "nothing", out=tmp_path / "out" / "nothing.npy")
    (tmp_path / "file").touch()
    with pytest.raises(FemError, match=r"u\.npy"):
        client.field(job.job_id, "displacement", out=tmp_path / "file" / "u.npy")
    assert [p.name for p in target.parent.iterdir()] == ["u.npy"]


def test_skin_has_its_arrays(client, server, mesh_file):
    skin = client.skin(client.upload_mesh(mesh_file).mesh_id)
    assert np.array_equal(skin["points"], server.points)
    assert np.array_equal(skin["triangles"], server.triangles)


def test_artifact_is_whole_or_not_there(client, server, tmp_path):
    job = submit(client)
    (info,) = client.result(job.job_id).artifacts
    server.faults["ReadArtifact"] = 2000
    target = tmp_path / "out" / "r.vtu"
    assert client.artifact(job.job_id, info, target).read_bytes() == server.vtu
    info.sha256 = "0" * 64
    other = tmp_path / "out" / "other.vtu"
    with pytest.raises(DataLoss):
        client.artifact(job.job_id, info, other)
    assert [p.name for p in target.parent.iterdir()] == ["r.vtu"]


def test_nobody_there_is_said_with_the_address(tmp_path, monkeypatch):
    monkeypatch.setattr("dougong.client.patience.RETRY_DELAYS_SECONDS", (0.01,))
    with Client(f"unix:{tmp_path}/none") as client, pytest.raises(ServerUnreachable, match="none"):
        client.capabilities()


def test_server_is_found_by_environment(server, monkeypatch):
    monkeypatch.setenv("DOUGONG_SERVER", server.target)
    with Client() as client:
        assert client.capabilities().executor == "local"


@pytest.mark.parametrize("address", ["nonsense", "host:99999", "http://a:1", "a b:1", ":1"])
def test_bad_addresses_are_refused(address):
    with pytest.raises(InputError) as caught:
        check_address(address)
    assert caught.value.reason == "ADDRESS_INVALID"


def test_channel_options_fit_the_address():
    assert ("grpc.default_authority", "localhost") in channel_options(check_address("/run/x"))
    assert ("grpc.enable_http_proxy", 0) in channel_options("127.0.0.1:5")
    assert ("grpc.enable_http_proxy", 0) not in channel_options("far.example:5")


def test_cancel_while_watching_ends_the_watch(client, server):
    job = submit(client)
    server.hold.clear()
    seen = []
    for event in client.watch(job.job_id):
        seen.append(event)
        if event.sequence == 8:
            client.cancel(job.job_id)
    assert seen[-1].state.state == J.STATE_CANCELLED
    wait_for(lambda: server.jobs[job.job_id].state == J.STATE_CANCELLED)


def test_both_clients_have_the_same_methods():
    def face(cls):
        methods = inspect.getmembers(cls, inspect.isfunction)
        return {name: list(inspect.signature(m).parameters) for name, m in methods if not name.startswith("_")}

    ours = face(Client)
    del ours["close"]
    assert face(AsyncClient) == ours


def test_asynchronous_client_does_the_same(server, mesh_file, tmp_path):
    async def work():
        async with AsyncClient(server.target) as client:
            server.faults["UploadMesh"] = 4
            mesh = await client.upload_mesh(mesh_file)
            assert await client.upload_mesh(mesh_file) == mesh
            server.faults["SubmitJob.reply"] = True
            job = await client.submit(analysis_pb2.Analysis(name="study", mesh=mesh.mesh_id))
            server.faults.update(WatchJob=4, ReadLog=300, ReadField=2, ReadArtifact=2000, GetJob=1)
            assert [e.sequence async for e in client.watch(job.job_id)] == list(range(1, 10))
            assert (await client.job(job.job_id)).state == J.STATE_SUCCEEDED
            assert b"".join([data async for data in client.logs(job.job_id)]).count(b"line") == 100
            assert np.array_equal(await client.field(job.job_id, "displacement"), server.displacement)
            mapped = await client.field(job.job_id, "displacement", out=tmp_path / "u.npy")
            assert np.array_equal(mapped, np.load(tmp_path / "u.npy"))
            assert np.array_equal((await client.skin(mesh.mesh_id))["triangles"], server.triangles)
            (info,) = (await client.result(job.job_id)).artifacts
            assert (await client.artifact(job.job_id, info, tmp_path / "r.vtu")).read_bytes() == server.vtu
            assert [j.job_id async for j in client.jobs()] == [job.job_id]
            with pytest.raises(NotFound):
                await client.job("x")

    asyncio.run(work())
    assert len(server.jobs) == 1
