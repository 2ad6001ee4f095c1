"""What the executor of batch systems makes of answers, one after the other; no command is run."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from batch_clusters import FakeCluster
from dougong.server.batch.commands import Answer
from dougong.server.batch.executor import BatchExecutor
from dougong.server.executors.base import Attempt, LaunchError, Sighting
from dougong.server.executors.slurm import NAME, SYSTEM, create
from dougong.server.jobs.model import Phase
from dougong.server.starting import StartError
from dougong.solver import rundir
from dougong.v1 import job_pb2

sys.path.insert(0, str(Path(__file__).parents[1] / "server_fakes"))
from serve import config

GRACE = 0.3
TOKEN = "t" * 32
UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified\n"
NO_ANSWER = Answer(1, "Unable to contact slurm controller (connect failure)")


class Scripted(BatchExecutor):
    """Commands have the answers of a list, the last of them for ever: text, or an `Answer`."""

    def __init__(self, root: Path, **answers: Any) -> None:
        quick = {"grace_seconds": GRACE, "poll_seconds": 0.02, "poll_most_seconds": 0.05}
        cluster = FakeCluster(root / "fake", **quick).cluster
        super().__init__(NAME, SYSTEM, config(root, "127.0.0.1:0", cluster=cluster))
        self.answers = {name: answer if isinstance(answer, list) else [answer] for name, answer in answers.items()}
        self.asked: list[list[str]] = []

    async def _run(self, command: list[str]) -> Answer:
        name = Path(command[0]).name
        self.asked.append([name, *command[1:]])
        await asyncio.sleep(0)
        answers = self.answers.get(name, [NO_ANSWER])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Answer) else Answer(0, answer, answer)

    def count(self, name: str) -> int:
        return sum(command[0] == name for command in self.asked)


def row(state: str, number: int = 17) -> str:
    return f"{number}|{state}|None|0:01|dougong-{TOKEN}\n"


def shown(state: str) -> str:
    return f"JobId=17 JobName=dougong-{TOKEN} UserId=x(0) JobState={state} Reason=None\n"


def attempt(root: Path, handle: str | None = "17", partition: str = "") -> Attempt:
    """An attempt whose worker has begun."""
    directory = root / "run"
    directory.mkdir()
    rundir.raise_fence(directory, TOKEN)
    return Attempt(TOKEN, directory, job_pb2.Resources(ranks=1, partition=partition), handle)


def run(executor: BatchExecutor, story: Coroutine[Any, Any, Any]) -> None:
    async def whole() -> None:
        try:
            await asyncio.wait_for(story, 20)
        finally:
            await executor.close()

    asyncio.run(whole())


async def until(executor: BatchExecutor, one: Attempt, wanted: Callable[[Sighting], object]) -> Sighting:
    while not wanted(seen := await executor.observe(one)):
        await asyncio.sleep(0.01)
    return seen


async def gone(executor: BatchExecutor, one: Attempt) -> str:
    seen = await until(executor, one, lambda s: s.phase is Phase.GONE)
    assert seen.lost is not None
    return seen.lost.reason


async def stays_running(executor: BatchExecutor, one: Attempt) -> None:
    """For much longer than the grace."""
    await until(executor, one, lambda s: s.phase is Phase.RUNNING)
    deadline = time.monotonic() + 4 * GRACE
    while time.monotonic() < deadline:
        assert (await executor.observe(one)).phase is Phase.RUNNING
        await asyncio.sleep(0.01)


def test_a_command_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    for what in ("submit", "status", "cancel"):
        cluster = FakeCluster(tmp_path / what, commands={what: f"no-{what}"}).cluster
        Path(cluster.commands[what]).unlink()
        with pytest.raises(StartError) as caught:
            create(config(tmp_path, "127.0.0.1:0", cluster=cluster))
        assert caught.value.reason == "BATCH_COMMAND_MISSING"
        assert caught.value.params["key"] == f"commands.{what}"


# A partition that the description has no more


def test_a_job_of_a_former_partition_comes_to_its_end(tmp_path: Path) -> None:
    executor, one = Scripted(tmp_path, squeue=row("TIMEOUT")), attempt(tmp_path, partition="former")

    async def story() -> None:
        assert await gone(executor, one) == "TIME_LIMIT"

    run(executor, story())


def test_a_job_for_a_former_partition_is_refused(tmp_path: Path) -> None:
    executor, one = Scripted(tmp_path, squeue=""), attempt(tmp_path, None, partition="former")

    async def story() -> None:
        with pytest.raises(LaunchError, match="former") as caught:
            await executor.launch(one)
        assert caught.value.reason == "BATCH_REFUSED"
        assert executor.asked == []

    run(executor, story())


# Not in the list


def test_a_job_is_lost_only_when_it_is_missed_after_the_grace_too(tmp_path: Path) -> None:
    executor = Scripted(tmp_path, squeue=[row("RUNNING"), "", "", NO_ANSWER], scontrol=UNKNOWN_JOB)
    one = attempt(tmp_path)

    async def story() -> None:
        await stays_running(executor, one)
        executor.answers["squeue"] = [""]
        assert await gone(executor, one) == "BATCH_JOB_LOST"

    run(executor, story())


def test_what_the_controller_said_within_the_grace_does_not_count_after_it(tmp_path: Path) -> None:
    executor = Scripted(tmp_path, squeue=[row("RUNNING"), ""], scontrol=[UNKNOWN_JOB, NO_ANSWER])
    one = attempt(tmp_path)

    async def story() -> None:
        await stays_running(executor, one)
        executor.answers["scontrol"] = [UNKNOWN_JOB]
        assert await gone(executor, one) == "BATCH_JOB_LOST"

    run(executor, story())


def test_a_job_whose_handle_nobody_noted_is_asked_for_and_cancelled_by_its_number(tmp_path: Path) -> None:
    executor = Scripted(tmp_path, squeue=[row("RUNNING"), ""], scontrol=shown("RUNNING"), scancel="")
    one = attempt(tmp_path, handle=None)

    async def story() -> None:
        await stays_running(executor, one)
        assert (await executor.observe(one)).handle == "17"
        executor.answers["squeue"] = [NO_ANSWER]
        await executor.stop(one)
        assert ["scancel", "17"] in executor.asked

    run(executor, story())


@pytest.mark.parametrize(
    ("past", "reason"),
    [("RUNNING", "BATCH_JOB_LOST"), ("PENDING", "BATCH_JOB_LOST"), ("NODE_FAIL", "NODE_FAILED")],
)
def test_of_the_accounting_only_ends_are_believed(tmp_path: Path, past: str, reason: str) -> None:
    """A job whose end never came to the accounting runs there for ever."""
    executor = Scripted(tmp_path, squeue=[row("RUNNING"), ""], scontrol=UNKNOWN_JOB, sacct=f"dougong-{TOKEN}|{past}\n")
    one = attempt(tmp_path)

    async def story() -> None:
        assert await gone(executor, one) == reason
        assert executor.count("sacct")

    run(executor, story())


# Several


@pytest.mark.parametrize("order", [(17, 18), (18, 17)])
def test_of_several_that_have_ended_the_one_counts_of_which_is_known_why(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    states = {17: "FAILED", 18: "NODE_FAIL"}
    executor = Scripted(tmp_path, squeue="".join(row(states[number], number) for number in order))
    one = attempt(tmp_path)

    async def story() -> None:
        assert await gone(executor, one) == "NODE_FAILED"

    run(executor, story())


# Refused for now

POLICY = (
    "Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
)


def test_a_submission_refused_for_now_is_made_again(tmp_path: Path) -> None:
    full = Answer(1, f"sbatch: error: {POLICY}")
    executor = Scripted(tmp_path, sbatch=[full] * 5 + ["17\n"], squeue=NO_ANSWER)
    one = attempt(tmp_path, None)

    async def story() -> None:
        assert await executor.launch(one) == "17"
        assert executor.count("sbatch") == 6

    run(executor, story())


def test_who_waits_for_another_submission_can_be_cancelled(tmp_path: Path) -> None:
    executor, one = Scripted(tmp_path, sbatch=Answer(1, POLICY), squeue=""), attempt(tmp_path, None)

    async def story() -> None:
        launching = asyncio.create_task(executor.launch(one))
        while executor.count("sbatch") < 2:
            await asyncio.sleep(0.01)
        await executor.stop(one)
        with pytest.raises(LaunchError):
            await asyncio.wait_for(launching, 3)

    run(executor, story())
