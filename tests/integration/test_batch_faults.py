"""Nothing is lost and nothing doubled, whatever the commands of a batch system do: a real server, imitated commands.

COUNT is the number of jobs of the random run.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections.abc import Iterator

import grpc
import pytest

from batch_clusters import FakeCluster, fake_slurm
from dougong.server import processes
from dougong.solver import rundir
from dougong.v1 import job_pb2
from server_harness import ServerProcess, until

COUNT = int(os.environ.get("COUNT", "16"))
RUNNING, SUCCEEDED, FAILED = job_pb2.Job.STATE_RUNNING, job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED


@pytest.fixture
def batch() -> Iterator[FakeCluster]:
    with fake_slurm() as cluster:
        yield cluster


@pytest.fixture
def server(batch: FakeCluster) -> Iterator[ServerProcess]:
    process = ServerProcess(cluster_file=batch.file)
    try:
        yield process
    finally:
        process.end()


def end_by_file(server: ServerProcess, job_id: str, attempt: int = 1) -> None:
    """Let a job "release" come to its end."""
    (server.run_directory(job_id, attempt) / "release").touch()


def handle_of(server: ServerProcess, job_id: str) -> str | None:
    """What the server noted of the newest attempt."""
    with contextlib.closing(sqlite3.connect(server.data / "dougong.db")) as db:
        sql = "SELECT handle FROM attempts WHERE job_id = ? ORDER BY attempt DESC"
        return db.execute(sql, (job_id,)).fetchone()[0]


def calls(batch: FakeCluster, command: str, fault: str) -> int:
    return batch.calls().count((command, fault))


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_job_runs(server: ServerProcess, batch: FakeCluster, ranks: int) -> None:
    job = server.wait(server.submit("solve", ranks=ranks).job_id)
    assert (job.state, job.attempts) == (SUCCEEDED, 1), job.failure.text
    assert len(batch.jobs()) == 1


def test_more_than_a_partition_has_is_refused_at_once(server: ServerProcess) -> None:
    for asked, reason in (({"ranks": 5}, "TOO_MANY_RANKS"), ({"partition": "night"}, "PARTITION_UNKNOWN")):
        with pytest.raises(grpc.RpcError) as caught:
            server.submit("solve", **asked)
        assert reason in str(caught.value.trailing_metadata())
    assert server.wait(server.submit("solve", partition="debug").job_id).state == SUCCEEDED  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", ["fail", "hang", "empty", "garbage", "truncated", "unknown_state"])
def test_an_outage_changes_nothing(server: ServerProcess, batch: FakeCluster, fault: str) -> None:
    jobs = [server.submit("release").job_id for _ in range(2)]
    for job_id in jobs:
        server.wait_running(job_id)
    batch.knobs(squeue=fault, scontrol="fail" if fault == "empty" else "")
    before = calls(batch, "squeue", fault)
    until(lambda: calls(batch, "squeue", fault) >= before + (1 if fault == "hang" else 4))
    time.sleep(1)  # longer than the grace
    assert [server.get(job_id).state for job_id in jobs] == [RUNNING, RUNNING]
    # A result is taken also while the batch system does not answer.
    end_by_file(server, jobs[0])
    assert server.wait(jobs[0]).state == SUCCEEDED
    # Also a server that is started now invents nothing.
    server.kill()
    server.start()
    assert server.get(jobs[1]).state == RUNNING
    # And it takes a result while nothing answers yet.
    end_by_file(server, jobs[1])
    assert server.wait(jobs[1]).state == SUCCEEDED
    batch.knobs()
    assert [server.get(job_id).attempts for job_id in jobs] == [1, 1]


def test_a_submission_that_ran_though_it_is_said_to_have_failed_is_found(
    server: ServerProcess, batch: FakeCluster
) -> None:
    batch.knobs(sbatch="execute_and_fail")
    job = server.wait(server.submit("solve").job_id)
    assert (job.state, job.attempts) == (SUCCEEDED, 1)
    assert len(batch.jobs()) == 1


def test_a_submission_that_came_to_nothing_is_repeated(server: ServerProcess, batch: FakeCluster) -> None:
    batch.knobs(sbatch="fail")
    job_id = server.submit("solve").job_id
    until(lambda: calls(batch, "sbatch", "fail") == 1)
    batch.knobs()
    job = server.wait(job_id)
    assert (job.state, job.attempts) == (SUCCEEDED, 1)
    assert len(batch.jobs()) == 1


def test_a_submission_refused_for_now_waits_and_counts_no_attempt(server: ServerProcess, batch: FakeCluster) -> None:
    batch.knobs(sbatch="full")
    job_id = server.submit("solve").job_id
    until(lambda: calls(batch, "sbatch", "full") >= 5)
    assert server.get(job_id).state == job_pb2.Job.STATE_PREPARING
    batch.knobs()
    job = server.wait(job_id)
    assert (job.state, job.attempts) == (SUCCEEDED, 1)
    assert len(batch.jobs()) == 1


def test_while_nothing_answers_a_job_waits_and_can_be_cancelled(server: ServerProcess, batch: FakeCluster) -> None:
    batch.knobs(sbatch="fail", squeue="fail")
    job_id = server.submit("solve").job_id
    until(lambda: calls(batch, "squeue", "fail") >= 3)
    assert server.get(job_id).state == job_pb2.Job.STATE_PREPARING
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job_id))
    began = time.monotonic()
    assert server.wait(job_id).state == job_pb2.Job.STATE_CANCELLED
    assert time.monotonic() - began < 25
    assert rundir.is_revoked(server.run_directory(job_id))


def test_a_job_that_was_submitted_twice_runs_once(server: ServerProcess, batch: FakeCluster) -> None:
    """It ran, was said to have failed, and the list did not show it for longer than anybody waits."""
    batch.knobs(sbatch="execute_and_fail", squeue="empty")
    job_id = server.submit("release").job_id
    log = server.run_directory(job_id) / rundir.LOG
    until(lambda: log.exists() and "rank " in log.read_text())
    # The fence says that one has begun: no other is submitted.
    until(lambda: calls(batch, "squeue", "empty") >= 3)
    batch.knobs()
    end_by_file(server, job_id)
    job = server.wait(job_id)
    assert (job.state, job.attempts, len(batch.jobs())) == (SUCCEEDED, 1, 1)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("TIMEOUT", "TIME_LIMIT"),
        ("OUT_OF_MEMORY", "OUT_OF_MEMORY"),
        ("CANCELLED", "CANCELLED_OUTSIDE"),
        ("DEADLINE", "DEADLINE_PASSED"),
    ],
)
def test_acts_from_outside_are_told_apart(server: ServerProcess, batch: FakeCluster, state: str, reason: str) -> None:
    job_id = server.submit("wait").job_id
    server.wait_running(job_id)
    batch.change(1, state=state)
    job = server.wait(job_id)
    assert (job.state, job.failure.reason, job.attempts) == (FAILED, reason, 1)
    assert job.failure.text_zh


@pytest.mark.parametrize("state", ["PREEMPTED", "NODE_FAIL", "BOOT_FAIL", "forgotten"])
def test_what_the_job_cannot_help_is_tried_again_and_the_first_try_ends(
    server: ServerProcess, batch: FakeCluster, state: str
) -> None:
    """As when a node is lost to the controller: what ran there lives on, and would write its answer."""
    job_id = server.submit("release").job_id
    server.wait_running(job_id)
    token = rundir.read_spec(server.run_directory(job_id)).token
    batch.change(1, **({"forgotten": True} if state == "forgotten" else {"state": state}))
    second = server.run_directory(job_id, 2) / rundir.FENCE
    until(second.exists)
    assert rundir.is_revoked(server.run_directory(job_id))
    # The lost one comes back with an answer.
    end_by_file(server, job_id)
    until((server.run_directory(job_id) / rundir.OUTCOME).exists)
    assert server.get(job_id).state != SUCCEEDED
    end_by_file(server, job_id, 2)
    job = server.wait(job_id)
    assert (job.state, job.attempts) == (SUCCEEDED, 2)
    until(lambda: not processes.find(token))


def test_a_job_that_ends_without_an_answer_has_not_succeeded(server: ServerProcess, batch: FakeCluster) -> None:
    job = server.wait(server.submit("exit 0").job_id)
    assert (job.state, job.failure.reason) == (FAILED, "WORKER_DIED")
    assert batch.jobs()[1]["state"] == "COMPLETED"


def test_a_server_that_dies_in_the_middle_of_a_submission_finds_it(server: ServerProcess, batch: FakeCluster) -> None:
    batch.knobs(sbatch="slow")
    job_id = server.submit("release").job_id
    until(lambda: calls(batch, "sbatch", "slow") == 1)
    server.kill()
    until(lambda: batch.jobs())
    server.start()
    server.wait_running(job_id)
    assert handle_of(server, job_id) == "1"
    end_by_file(server, job_id)
    job = server.wait(job_id)
    assert (job.state, job.attempts, len(batch.jobs())) == (SUCCEEDED, 1, 1)


def test_one_question_serves_all_jobs(server: ServerProcess, batch: FakeCluster) -> None:
    jobs = [server.submit("wait").job_id for _ in range(4)]
    for job_id in jobs:
        server.wait_running(job_id)
    until(lambda: calls(batch, "squeue", "") > 5)
    time.sleep(1)
    before, began = calls(batch, "squeue", ""), time.monotonic()
    time.sleep(3)
    asked = calls(batch, "squeue", "") - before
    # Each 0.5 s when nothing changes, whatever the number of jobs.
    assert 1 <= asked <= (time.monotonic() - began) / 0.5 + 1
    for job_id in jobs:
        server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job_id))
        assert server.wait(job_id).state == job_pb2.Job.STATE_CANCELLED


def test_jobs_under_random_faults(server: ServerProcess, batch: FakeCluster) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    part = {"execute_and_fail": 0.1, "fail": 0.1, "slow": 0.05}
    batch.knobs(sbatch=part, squeue={"fail": 0.1, "garbage": 0.1, "truncated": 0.1, "empty": 0.05}, scontrol=part)
    jobs = [server.submit("solve").job_id for _ in range(COUNT)]
    ended = [server.wait(job_id, timeout=30 + 4 * COUNT) for job_id in jobs]
    lost = sum(job.state != SUCCEEDED for job in ended)
    doubled = wrong = 0
    for job in ended:
        states = [e.state.state for e in server.events(job.job_id) if e.HasField("state")]
        directories = [server.run_directory(job.job_id, number) for number in range(1, job.attempts + 1)]
        # A copy says so in the log when it is past the fence.
        copies = [(d / rundir.LOG).read_text().count("rank 0 of") for d in directories if (d / rundir.LOG).exists()]
        doubled += states.count(SUCCEEDED) > 1 or max(copies) > 1
        outcome = rundir.read_outcome(directories[-1])
        wrong += outcome is None or outcome.token != rundir.read_spec(directories[-1]).token
    injected = sum(bool(fault) for _, fault in batch.calls())
    print(f"seed {seed}; faults: {injected} injected, {lost} lost, {doubled} doubled, {wrong} wrong")  # noqa: T201
    assert (lost, doubled, wrong) == (0, 0, 0)
    assert injected >= COUNT / 4
