"""Streams that are many, slow or broken."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import grpc
import pytest

from dougong.v1 import job_pb2, job_pb2_grpc, mesh_pb2, mesh_pb2_grpc
from server_harness import TWO_TETS, Refused, ServerProcess, refused, running_server, until, upload_messages

J = job_pb2.Job


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(watcher_patience_seconds=1.0) as process:
        yield process


def _channel(server: ServerProcess) -> grpc.Channel:
    options = [("grpc.default_authority", "localhost"), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.insecure_channel(server.address, options)


def test_many_watchers_see_the_same_and_disturb_nobody(server: ServerProcess) -> None:
    job = server.submit("release")
    server.wait_running(job.job_id)
    seen: list[list[int]] = [[] for _ in range(100)]
    channels = [_channel(server) for _ in range(4)]

    def watch(k: int) -> None:
        stub = job_pb2_grpc.JobServiceStub(channels[k % len(channels)])
        request = job_pb2.WatchJobRequest(job_id=job.job_id, after_sequence=k % 3)
        for event in stub.WatchJob(request, timeout=60):
            seen[k].append(event.sequence - k % 3)

    threads = [threading.Thread(target=watch, args=(k,)) for k in range(len(seen))]
    for thread in threads:
        thread.start()
    until(lambda: all(seen))
    start = time.monotonic()
    server.get(job.job_id)
    assert time.monotonic() - start < 2
    (server.run_directory(job.job_id) / "release").touch()
    for thread in threads:
        thread.join(60)
    last = server.get(job.job_id).last_sequence
    for k, numbers in enumerate(seen):
        assert numbers == list(range(1, last + 1 - k % 3))
    for channel in channels:
        channel.close()


def test_a_watcher_that_never_reads_is_dropped_and_others_are_not(server: ServerProcess) -> None:
    job = server.submit("chatter")
    server.wait_running(job.job_id)
    channel = _channel(server)
    # A watcher that takes one event and then none: its window fills up.
    lazy = job_pb2_grpc.JobServiceStub(channel).WatchJob(job_pb2.WatchJobRequest(job_id=job.job_id), timeout=60)
    taken = [next(lazy).sequence]
    diligent = server.jobs.WatchJob(job_pb2.WatchJobRequest(job_id=job.job_id), timeout=60)
    # Far more than any window of HTTP/2, and for longer than the patience.
    numbers, size, deadline = [], 0, time.monotonic() + 2.5
    while size < 20 << 20 or time.monotonic() < deadline:
        event = next(diligent)
        numbers.append(event.sequence)
        size += event.ByteSize()
    with pytest.raises(grpc.RpcError) as caught:
        taken.extend(event.sequence for event in lazy)
    assert Refused(caught.value).reason == "WATCHER_TOO_SLOW"
    assert taken == list(range(1, len(taken) + 1))
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    numbers.extend(event.sequence for event in diligent)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(taken) < len(numbers)
    channel.close()


def test_a_newer_call_takes_an_upload_over(server: ServerProcess) -> None:
    content, upload_id = TWO_TETS + b"\n" * 33, str(uuid.uuid4())
    hold = threading.Event()

    def half() -> Iterator[mesh_pb2.UploadMeshRequest]:
        yield from upload_messages(content, stop=128, upload_id=upload_id)
        hold.wait(30)

    channel = _channel(server)
    older = mesh_pb2_grpc.MeshServiceStub(channel).UploadMesh.future(half())
    query = mesh_pb2.QueryUploadRequest(upload_id=upload_id)

    def arrived() -> bool:
        try:
            return server.meshes.QueryUpload(query).committed_bytes == 128
        except grpc.RpcError:
            return False

    until(arrived)
    mesh = server.meshes.UploadMesh(upload_messages(content, start=128, upload_id=upload_id), timeout=30)
    assert mesh.file_bytes == len(content)
    error = refused(older.result)
    assert (error.code, error.reason) == (grpc.StatusCode.ABORTED, "UPLOAD_TAKEN_OVER")
    hold.set()
    channel.close()


def test_the_same_file_from_many_at_once_is_one_mesh(server: ServerProcess) -> None:
    content = TWO_TETS + b"\n" * 44
    futures = [server.meshes.UploadMesh.future(upload_messages(content)) for _ in range(6)]
    assert len({f.result(30).mesh_id for f in futures}) == 1
    listed = server.meshes.ListMeshes(mesh_pb2.ListMeshesRequest()).meshes
    assert [m.file_bytes for m in listed].count(len(content)) == 1
    assert list((server.data / "uploads").iterdir()) == []
