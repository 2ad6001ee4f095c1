"""What every executor must do. Runs over each one found; a new executor needs no new test here.

Batch systems run here with imitations of their commands; `make test-slurm` runs it over a real Slurm too.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import batch_clusters
from dougong.internal import run_pb2
from dougong.server import processes
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


#: Executors, and what they run on.
VARIANTS = {
    "local": {"warm_workers": 0},
    "local with warm workers": {"warm_workers": 2},
    "slurm": {},
    "slurm, a real one": {},
    "donau": {},
}


def test_every_executor_is_here() -> None:
    assert {re.match(r"\w+", variant)[0] for variant in VARIANTS} == set(all_executors())  # type: ignore[index]


@pytest.fixture(params=[pytest.param(v, marks=pytest.mark.slurm if "real" in v else ()) for v in VARIANTS])
def make(request: pytest.FixtureRequest, root: Path) -> Callable[[], Executor]:
    variant = request.param
    module = all_executors()[re.match(r"\w+", variant)[0]]
    settings = dict(VARIANTS[variant])
    if "real" in variant:
        batch_clusters.real_slurm()
        settings["cluster"] = batch_clusters.real_cluster()
    elif module.NAME != "local":
        settings = {"cluster": batch_clusters.FakeCluster(root / "fake", module.NAME, **settings).cluster}
    return lambda: module.create(config(root, "127.0.0.1:0", **settings))


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
        await _until(executor, attempt, lambda s: s.phase is Phase.RUNNING)
        await executor.stop(attempt)
        assert processes.find(attempt.token) == []
        await _until(executor, attempt, lambda s: s.phase is Phase.GONE)
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
        # Before it has been told it says so, and nothing else.
        seen = await _until(second, attempt, lambda s: s.phase is not Phase.UNKNOWN)
        assert seen.phase is Phase.RUNNING
        assert seen.run_seconds > 0
        assert attempt.token in await second.living()
        await second.stop(attempt)
        await _until(second, attempt, lambda s: s.phase is Phase.GONE)
        assert attempt.token not in await second.living()
        await second.close()

    _run(story())


def test_what_was_never_started_is_gone_and_may_be_tried_again(make: Callable[[], Executor], root: Path) -> None:
    async def story() -> None:
        executor = make()
        attempt = _attempt(root, "wait", 1)
        seen = await _until(executor, attempt, lambda s: s.phase not in (Phase.UNKNOWN, Phase.WAITING))
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
        await _until(executor, one, lambda s: s.phase is Phase.GONE)
        assert processes.find(two.token)
        await _until(executor, two, lambda s: s.phase is Phase.RUNNING)
        await executor.stop(two)
        await executor.close()

    _run(story())


def test_memory_is_measured_when_there_is_a_limit(make: Callable[[], Executor], root: Path) -> None:
    async def story() -> None:
        executor = make()
        if not all_executors()[executor.name].MEASURES_MEMORY:
            pytest.skip("who runs the job holds the limit")
        attempt = _attempt(root, "memory 100", 1)
        limited = replace(attempt, resources=job_pb2.Resources(ranks=1, memory_bytes=1 << 30))
        limited = replace(limited, handle=await executor.launch(limited))
        await _until(executor, limited, lambda s: s.memory_bytes > 100 << 20)
        await executor.stop(limited)
        await executor.close()

    _run(story())
