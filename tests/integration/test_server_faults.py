"""What must hold when workers and servers die: true states, no orphans, no lost and no doubled jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from dougong.server import processes
from dougong.v1 import job_pb2, mesh_pb2
from server_harness import (
    TWO_TETS,
    ServerProcess,
    alive,
    kill,
    refused,
    request,
    running_server,
    token_of,
    until,
    upload_messages,
)

J = job_pb2.Job


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(stall_limit_seconds=1.5) as process:
        yield process


def _no_orphans(server: ServerProcess, job_id: str) -> None:
    assert processes.find(token_of(server.run_directory(job_id))) == []


def _worker(pids: list[int]) -> int:
    """A rank among the processes of an attempt."""
    return next(p for p in pids if b"worker.py" in Path(f"/proc/{p}/cmdline").read_bytes() and not _is_launcher(p))


def _is_launcher(pid: int) -> bool:
    return b"mpiexec" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]


# Workers that die


@pytest.mark.parametrize(("ranks", "number"), [(1, signal.SIGKILL), (1, signal.SIGSEGV), (2, signal.SIGKILL)], ids=str)
def test_a_killed_worker_is_seen_within_five_seconds(server: ServerProcess, ranks: int, number: signal.Signals) -> None:
    job = server.submit("wait", ranks=ranks)
    pids = server.wait_running(job.job_id, ranks)
    start = time.monotonic()
    os.kill(_worker(pids), number)
    ended = server.wait(job.job_id)
    assert time.monotonic() - start < 5
    assert (ended.state, ended.failure.reason) == (J.STATE_FAILED, "WORKER_DIED")
    assert f"signal {number.value}" in ended.failure.params["cause"]
    assert ended.failure.HasField("rank")
    assert ended.failure.text_zh
    assert ended.attempts == 1
    _no_orphans(server, job.job_id)


def test_a_killed_launcher_leaves_no_orphans(server: ServerProcess) -> None:
    job = server.submit("deaf", ranks=2)
    pids = server.wait_running(job.job_id, 2)
    kill(next(p for p in pids if _is_launcher(p)))
    assert server.wait(job.job_id).failure.reason == "WORKER_DIED"
    until(lambda: not any(alive(p) for p in pids), 5)


@pytest.mark.parametrize(("name", "ranks"), [("raise", 1), ("raise", 2), ("exit 7", 1), ("exit 0", 1)])
def test_an_exception_or_an_exit_ends_the_job_at_once(server: ServerProcess, name: str, ranks: int) -> None:
    job = server.submit(name, ranks=ranks)
    start = time.monotonic()
    ended = server.wait(job.job_id)
    assert time.monotonic() - start < 10
    assert (ended.state, ended.failure.reason, ended.attempts) == (J.STATE_FAILED, "WORKER_DIED", 1)
    if name == "raise":
        log = b"".join(c.data for c in server.jobs.ReadLog(job_pb2.ReadLogRequest(job_id=job.job_id)))
        assert b"raised on purpose" in log
    _no_orphans(server, job.job_id)


def test_a_worker_that_cannot_begin_is_tried_three_times(server: ServerProcess) -> None:
    job = server.submit("early 3")
    ended = server.wait(job.job_id)
    assert (ended.failure.reason, ended.attempts) == ("LAUNCH_FAILED", 3)
    assert "no such library" in ended.failure.params["log"]
    for attempt in (1, 2):
        assert (server.run_directory(job.job_id, attempt) / "revoked").exists()
    states = [e.state.state for e in server.events(job.job_id) if e.HasField("state")]
    # It never ran, and says so.
    assert states.count(J.STATE_PREPARING) == 3
    assert states[-1] == J.STATE_FAILED


@pytest.mark.parametrize(("name", "reason"), [("torn", "RESULT_DAMAGED"), ("foreign", "OUTCOME_DAMAGED")])
def test_a_result_that_is_not_what_it_says_is_not_accepted(server: ServerProcess, name: str, reason: str) -> None:
    ended = server.wait(server.submit(name).job_id)
    assert (ended.state, ended.failure.reason) == (J.STATE_FAILED, reason)


def test_a_worker_without_a_sign_of_life_has_stalled(server: ServerProcess) -> None:
    job = server.submit("silent", ranks=2)
    assert server.wait(job.job_id).failure.reason == "STALLED"
    _no_orphans(server, job.job_id)


def test_ranks_that_compute_without_a_word_live_until_one_is_stopped(server: ServerProcess) -> None:
    job = server.submit("busy", ranks=2)
    server.wait_running(job.job_id, 2)
    # Well beyond the limit.
    time.sleep(3)
    assert server.get(job.job_id).state == J.STATE_RUNNING
    token = token_of(server.run_directory(job.job_id))
    ((stopped, _),) = processes.cpu_time(token)[1]
    os.kill(stopped, signal.SIGSTOP)
    ended = server.wait(job.job_id)
    assert (ended.state, ended.failure.reason, ended.failure.rank) == (J.STATE_FAILED, "STALLED", 1)
    _no_orphans(server, job.job_id)


def test_the_time_limit(server: ServerProcess) -> None:
    job = server.submit("deaf", time_limit_seconds=1)
    ended = server.wait(job.job_id)
    assert (ended.state, ended.failure.reason) == (J.STATE_FAILED, "TIME_LIMIT")
    _no_orphans(server, job.job_id)


def test_the_memory_limit_hits_only_its_owner(server: ServerProcess) -> None:
    neighbour = server.submit("release")
    job = server.submit("memory 300", memory_bytes=200 << 20)
    ended = server.wait(job.job_id)
    assert ended.failure.reason == "OUT_OF_MEMORY"
    assert int(ended.failure.params["peak_bytes"]) > 200 << 20
    (server.run_directory(neighbour.job_id) / "release").touch()
    assert server.wait(neighbour.job_id).state == J.STATE_SUCCEEDED


def test_cancelling_a_worker_that_does_not_listen(server: ServerProcess) -> None:
    job = server.submit("deaf", ranks=2)
    server.wait_running(job.job_id, 2)
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    assert server.wait(job.job_id).state == J.STATE_CANCELLED
    _no_orphans(server, job.job_id)


def test_cores_are_never_overbooked_and_priority_goes_first(server: ServerProcess) -> None:
    first = server.submit("release", ranks=2)
    # Each takes all cores, so one must end before the other starts.
    low, high = server.submit("solve", ranks=2), server.submit("solve", ranks=2, priority=1)
    server.wait_running(first.job_id, 2)
    assert {server.get(j.job_id).state for j in (low, high)} == {J.STATE_QUEUED}
    (server.run_directory(first.job_id) / "release").touch()
    ended = [server.wait(j.job_id) for j in (low, high)]
    assert {j.state for j in ended} == {J.STATE_SUCCEEDED}
    assert ended[1].start_time.ToNanoseconds() < ended[0].start_time.ToNanoseconds()


@pytest.mark.parametrize(("name", "after"), [("release", 10**6), ("release", -1), ("solve", 10**6)])
def test_nobody_waits_for_an_event_that_never_comes(server: ServerProcess, name: str, after: int) -> None:
    job = server.submit(name)
    if name == "solve":
        server.wait(job.job_id)
    error = refused(lambda: server.events(job.job_id, after, timeout=5))
    assert (error.code, error.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["after_sequence"])
    assert (error.violations[0].reason, error.violations[0].params["value"]) == ("VALUE_OUT_OF_RANGE", str(after))
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    last = server.wait(job.job_id).last_sequence
    assert server.events(job.job_id, last) == []


def test_cancelling_a_job_that_waits_for_a_warm_worker() -> None:
    never = (sys.executable, "-c", "import time; time.sleep(100)")
    with running_server(warm_workers=1, warm_command=never) as other:
        job = other.submit("solve")
        until(lambda: other.run_directory(job.job_id).exists())
        other.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
        assert other.wait(job.job_id, timeout=5).state == J.STATE_CANCELLED
        # Its cores are free.
        assert other.wait(other.submit("solve", ranks=2).job_id).state == J.STATE_SUCCEEDED


# Servers that die


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_job_that_runs_on_without_its_server_is_adopted(server: ServerProcess, ranks: int) -> None:
    job = server.submit("release", ranks=ranks)
    pids = server.wait_running(job.job_id, ranks)
    seen = server.get(job.job_id).last_sequence
    server.kill()
    assert alive(_worker(pids))
    server.start()
    assert server.get(job.job_id).state == J.STATE_RUNNING
    (server.run_directory(job.job_id) / "release").touch()
    ended = server.wait(job.job_id)
    assert (ended.state, ended.attempts) == (J.STATE_SUCCEEDED, 1)
    events = server.events(job.job_id)
    assert [e.sequence for e in events] == list(range(1, ended.last_sequence + 1))
    assert len(events) > seen
    assert [e.progress.stage for e in events if e.HasField("progress")].count("read") == 1


def test_a_job_that_ended_without_its_server_is_found(server: ServerProcess) -> None:
    finished, died = server.submit("release"), server.submit("wait")
    server.wait_running(finished.job_id)
    pids = server.wait_running(died.job_id)
    server.kill()
    (server.run_directory(finished.job_id) / "release").touch()
    kill(_worker(pids))
    until(lambda: (server.run_directory(finished.job_id) / "outcome.pb").exists())
    server.start()
    assert server.wait(finished.job_id).state == J.STATE_SUCCEEDED
    assert server.wait(died.job_id).failure.reason == "WORKER_DIED"


def test_what_lingers_after_its_end_is_ended_by_the_next_server(server: ServerProcess) -> None:
    job = server.submit("linger")
    assert server.wait(job.job_id).state == J.STATE_SUCCEEDED
    token = token_of(server.run_directory(job.job_id))
    assert processes.find(token)
    server.kill()
    server.start()
    until(lambda: not processes.find(token), 5)
    assert server.get(job.job_id).state == J.STATE_SUCCEEDED


def test_a_cancellation_outlives_the_server(server: ServerProcess) -> None:
    job = server.submit("deaf")
    server.wait_running(job.job_id)
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job.job_id))
    server.kill()
    server.start()
    assert server.wait(job.job_id).state == J.STATE_CANCELLED
    _no_orphans(server, job.job_id)


def test_what_was_acknowledged_before_a_kill_is_there_after_it(server: ServerProcess) -> None:
    mesh_id = server.upload().mesh_id
    requests = [request("solve", mesh_id) for _ in range(5)]
    jobs = [server.jobs.SubmitJob(r).job_id for r in requests]
    server.kill()
    server.start()
    assert [server.jobs.SubmitJob(r).job_id for r in requests] == jobs
    assert {server.wait(j).state for j in jobs} == {J.STATE_SUCCEEDED}
    # A job that was cancelled while it waited never had one.
    jobs_run = [j for j in server.jobs.ListJobs(job_pb2.ListJobsRequest(page_size=1000)).jobs if j.attempts]
    assert len(list((server.data / "runs").iterdir())) == len(jobs_run)


def test_an_upload_continues_with_the_next_server(server: ServerProcess) -> None:
    content, upload_id = TWO_TETS + b"\n" * 55, str(uuid.uuid4())
    refused(lambda: server.meshes.UploadMesh(upload_messages(content, stop=100, upload_id=upload_id)))
    server.kill()
    server.start()
    assert server.meshes.QueryUpload(mesh_pb2.QueryUploadRequest(upload_id=upload_id)).committed_bytes == 100
    assert server.meshes.UploadMesh(upload_messages(content, start=100, upload_id=upload_id)).mesh_id


def test_abandoned_uploads_go_while_the_server_runs_and_slow_ones_stay() -> None:
    with running_server(upload_days=1 / 86400, sweep_seconds=0.1) as other:
        upload_id = str(uuid.uuid4())
        refused(lambda: other.meshes.UploadMesh(upload_messages(TWO_TETS, stop=100, upload_id=upload_id)))
        asked = mesh_pb2.QueryUploadRequest(upload_id=upload_id)
        assert other.meshes.QueryUpload(asked).committed_bytes == 100

        def slowly() -> Iterator[mesh_pb2.UploadMeshRequest]:
            for k, message in enumerate(upload_messages(TWO_TETS, piece=400)):
                yield message
                if k == 1:
                    # Longer than an abandoned one is kept.
                    until(lambda: len(list((other.data / "uploads").iterdir())) == 1)
                    time.sleep(1.5)

        assert other.meshes.UploadMesh(slowly(), timeout=30).mesh_id
        assert refused(lambda: other.meshes.QueryUpload(asked)).reason == "UPLOAD_NOT_FOUND"
        assert list((other.data / "uploads").iterdir()) == []


def test_a_graceful_stop_sends_watchers_away_and_jobs_go_on(server: ServerProcess) -> None:
    job = server.submit("release")
    server.wait_running(job.job_id)
    watch = server.jobs.WatchJob(job_pb2.WatchJobRequest(job_id=job.job_id), timeout=30)
    seen = [next(watch).sequence]
    assert server.process is not None
    server.process.terminate()
    with pytest.raises(grpc.RpcError) as caught:
        seen.extend(event.sequence for event in watch)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert server.stop() == 0
    (server.run_directory(job.job_id) / "release").touch()
    server.start()
    seen += [e.sequence for e in server.events(job.job_id, seen[-1])]
    assert seen == list(range(1, server.get(job.job_id).last_sequence + 1))
    assert server.get(job.job_id).state == J.STATE_SUCCEEDED


def test_a_launcher_that_does_not_exist() -> None:
    with running_server(mpiexec="/nowhere/mpiexec") as other:
        ended = other.wait(other.submit("solve", ranks=2).job_id)
        assert (ended.failure.reason, ended.attempts) == ("LAUNCH_FAILED", 3)
        assert "/nowhere/mpiexec" in ended.failure.text


def test_a_check_that_hangs_is_ended() -> None:
    with running_server(check_timeout_seconds=1.0) as other:
        mesh_id = other.upload().mesh_id
        error = refused(lambda: other.jobs.SubmitJob(request("hang", mesh_id)))
        assert (error.code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "CHECK_TIMEOUT")
        assert other.wait(other.submit("solve").job_id).state == J.STATE_SUCCEEDED


def test_a_full_queue_and_too_many_uploads_are_said_clearly() -> None:
    with running_server(max_queued_jobs=1, max_uploads=1) as other:
        other.submit("wait", ranks=2)
        until(lambda: len(other.jobs.ListJobs(job_pb2.ListJobsRequest(states=[J.STATE_RUNNING])).jobs) == 1)
        other.submit("solve")
        error = refused(lambda: other.submit("solve"))
        assert (error.code, error.reason, error.retry > 0) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", True)
        refused(lambda: other.meshes.UploadMesh(upload_messages(b"abc", stop=1)))
        error = refused(lambda: other.meshes.UploadMesh(upload_messages(b"abcd", stop=1)))
        assert (error.code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS")


# Starting


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dougong.server.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "nonsense"])
def test_only_this_machine_may_reach_it(tmp_path: Path, address: str) -> None:
    ended = _run("--data", str(tmp_path / "data"), "--listen", address)
    assert ended.returncode == 2
    assert address in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_one_server_for_a_data_folder(server: ServerProcess) -> None:
    ended = _run("--data", str(server.data), "--listen", "127.0.0.1:0")
    assert ended.returncode == 2
    assert f'"address": "{server.address}"' in ended.stderr


def test_one_server_for_a_socket(server: ServerProcess, tmp_path: Path) -> None:
    ended = _run("--data", str(tmp_path), "--listen", server.address)
    assert ended.returncode == 2
    assert "listens" in ended.stderr
    assert server.upload().mesh_id


def test_a_private_server_ends_when_idle_but_not_while_a_job_waits() -> None:
    with running_server(idle_exit_seconds=0.8) as other:
        job = other.submit("release")
        other.wait_running(job.job_id)
        time.sleep(1.2)
        (other.run_directory(job.job_id) / "release").touch()
        assert other.wait(job.job_id).state == J.STATE_SUCCEEDED
        other.channel.close()
        assert other.process is not None
        assert other.process.wait(10) == 0
        assert not (other.root / "s.sock").exists()


def test_loopback(tmp_path: Path) -> None:
    with running_server() as other:
        assert other.stop() == 0
        other.address = "127.0.0.1:0"
        fakes = Path(__file__).parents[1] / "server_fakes"
        command = [sys.executable, str(fakes / "serve.py"), str(other.data), other.address, "{}"]
        with open(other.root / "server.log", "ab") as log:
            other.process = subprocess.Popen(command, stderr=log)
        lock = other.data / "server.lock"
        until(lambda: lock.exists() and "address" in lock.read_text())
        import json

        address = json.loads(lock.read_text())["address"]
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(10)
