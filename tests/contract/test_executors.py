"""What every executor must do. Runs over each one found; a new executor needs no new test here.

Where an executor needs something this machine does not have, its module says so in `unavailable()`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dougong.internal import run_pb2
from dougong.server import processes
from dougong.server.config import Config
from dougong.server.executors import all_executors
from dougong.server.executors.base import Attempt, Executor, Sighting
from dougong.server.jobs.model import Phase
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2

sys.path.insert(0, str(Path(__file__).parents[1] / "server_fakes"))
from serve import config


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(params=[*sorted(all_executors()), "local with warm workers"])
def make(request: pytest.FixtureRequest, root: Path) -> Callable[[], Executor]:
    name, _, warm = request.param.partition(" ")
    module = all_executors()[name]
    settings: Config = config(root, "127.0.0.1:0", warm_workers=2 if warm else 0)
    reason = getattr(module, "unavailable", lambda: "")()
    if reason:
        pytest.skip(reason)
    return lambda: module.create(settings)


def _attempt(root: Path, name: str, ranks: int) -> Attempt:
    """A prepared run directory for the fake worker."""
    token = uuid.uuid4().hex
    spec = run_pb2.RunSpec(job_id="j", token=token, analysis=analysis_pb2.Analysis(name=name))
    rundir.prepare(root / "runs" / token, spec, root)
    return Attempt(token, root / "runs" / token, job_pb2.Resources(ranks=ranks))


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 40))


async def _until(executor: Executor, attempt: Attempt, condition: Callable[[Sighting], object]) -> Sighting:
    while not condition(seen := await executor.observe(attempt)):
        await asyncio.sleep(0.03)
    return seen


async def _begun(executor: Executor, attempt: Attempt) -> None:
    log = attempt.directory / rundir.LOG
    ranks = attempt.resources.ranks
    await _until(executor, attempt, lambda _: log.exists() and log.read_text().count("rank ") >= ranks)


async def _start(executor: Executor, root: Path, name: str, ranks: int) -> Attempt:
    attempt = _attempt(root, name, ranks)
    return replace(attempt, handle=await executor.launch(attempt))


@pytest.mark.parametrize("ranks", [1, 2])
def test_it_runs_and_is_gone(make: Callable[[], Executor], root: Path, ranks: int) -> None:
    async def story() -> None:
        executor = make()
        attempt = await _start(executor, root, "refuse", ranks)
        seen = await _until(executor, attempt, lambda s: s.phase is Phase.GONE)
        assert seen.lost is not None
        outcome = rundir.read_outcome(attempt.directory)
        assert outcome is not None
        assert outcome.token == attempt.token
        assert (attempt.directory / rundir.LOG).read_text().count("rank ") == ranks
        executor.forget(attempt, sound=True)
        await executor.close()

    _run(story())


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("name", ["wait", "deaf"])
def test_stop_leaves_nothing(make: Callable[[], Executor], root: Path, name: str, ranks: int) -> None:
    async def story() -> None:
        executor = make()
        attempt = await _start(executor, root, name, ranks)
        await _begun(executor, attempt)
        assert (await executor.observe(attempt)).phase is Phase.RUNNING
        await executor.stop(attempt)
        assert processes.find(attempt.token) == []
        assert (await executor.observe(attempt)).phase is Phase.GONE
        await executor.stop(attempt)
        await executor.close()

    _run(story())


@pytest.mark.parametrize("with_handle", [True, False])
def test_another_executor_finds_what_this_one_started(
    make: Callable[[], Executor], root: Path, with_handle: bool
) -> None:
    async def story() -> None:
        first = make()
        attempt = await _start(first, root, "wait", 2)
        await _begun(first, attempt)
        await first.close()
        second = make()
        if not with_handle:
            attempt = replace(attempt, handle=None)
        seen = await second.observe(attempt)
        assert seen.phase is Phase.RUNNING
        assert seen.run_seconds > 0
        await second.stop(attempt)
        assert (await second.observe(attempt)).phase is Phase.GONE

    _run(story())


def test_what_was_never_started_is_gone_and_may_be_tried_again(make: Callable[[], Executor], root: Path) -> None:
    async def story() -> None:
        executor = make()
        seen = await executor.observe(_attempt(root, "wait", 1))
        assert seen.phase is Phase.GONE
        assert seen.lost is not None
        assert seen.lost.reason == "LAUNCH_FAILED"

    _run(story())


def test_one_attempt_does_not_touch_another(make: Callable[[], Executor], root: Path) -> None:
    async def story() -> None:
        executor = make()
        one, two = await _start(executor, root, "wait", 1), await _start(executor, root, "wait", 1)
        await _begun(executor, one)
        await _begun(executor, two)
        await executor.stop(one)
        assert (await executor.observe(two)).phase is Phase.RUNNING
        await executor.stop(two)
        await executor.close()

    _run(story())


def test_memory_is_measured_when_there_is_a_limit(make: Callable[[], Executor], root: Path) -> None:
    async def story() -> None:
        executor = make()
        attempt = _attempt(root, "memory 100", 1)
        limited = replace(attempt, resources=job_pb2.Resources(ranks=1, memory_bytes=1 << 30))
        limited = replace(limited, handle=await executor.launch(limited))
        await _until(executor, limited, lambda s: s.memory_bytes > 100 << 20)
        await executor.stop(limited)
        await executor.close()

    _run(story())
