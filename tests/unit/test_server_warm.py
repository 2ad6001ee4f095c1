"""Warm workers, with the fake worker: whom they serve, how long, and when another takes their place."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dougong.internal import run_pb2
from dougong.meshes import canonical
from dougong.server import processes
from dougong.server.executors.base import Attempt, LaunchError, Sighting
from dougong.server.executors.local import LocalExecutor, create
from dougong.server.jobs.model import Phase
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2
from meshgen import box

sys.path.insert(0, str(Path(__file__).parents[1] / "server_fakes"))
from serve import config


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as folder:
        (Path(folder) / "mesh").mkdir()
        canonical.write(box("hex8", (1, 1, 1)), Path(folder) / "mesh")
        yield Path(folder)


class Bench:
    """An executor and what it ran."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.root = root
        self.executor: LocalExecutor = create(config(root, "127.0.0.1:0", **{"warm_workers": 1, **changes}))

    async def start(self, name: str, owner: str = "", token: str = "") -> Attempt:
        token = token or uuid.uuid4().hex
        spec = run_pb2.RunSpec(job_id="j", token=token, analysis=analysis_pb2.Analysis(name=name))
        directory = self.root / "runs" / token
        rundir.prepare(directory, spec, self.root / "mesh")
        attempt = Attempt(token, directory, job_pb2.Resources(ranks=1), None, owner)
        return replace(attempt, handle=await self.executor.launch(attempt))

    async def until(self, attempt: Attempt, condition: Callable[[Sighting], object]) -> Sighting:
        while not condition(seen := await self.executor.observe(attempt)):
            await asyncio.sleep(0.01)
        return seen

    async def begun(self, name: str) -> Attempt:
        """Start a job, and wait until it has begun."""
        attempt = await self.start(name)
        while not (attempt.directory / rundir.LOG).read_text():
            await asyncio.sleep(0.01)
        return attempt

    async def run(self, name: str, owner: str = "") -> int:
        """Run a job to its end; number of the process that served it."""
        attempt = await self.start(name, owner)
        seen = await self.until(attempt, lambda s: s.phase is Phase.GONE)
        outcome = rundir.read_outcome(attempt.directory)
        sound = outcome is not None and outcome.HasField("result")
        assert sound or seen.lost is not None
        self.executor.forget(attempt, sound=sound)
        return pid(attempt)


def pid(attempt: Attempt) -> int:
    return int((attempt.directory / rundir.FENCE).read_text().split()[2])


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 40))


def test_one_process_serves_many_jobs_each_with_its_own_log_and_token(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root)
        first = await bench.start("solve")
        await bench.until(first, lambda s: s.phase is Phase.GONE)
        assert processes.find(first.token) == []
        bench.executor.forget(first, sound=True)
        second = await bench.begun("wait")
        assert pid(first) == pid(second) == int(second.handle or 0)
        assert processes.find(second.token) == [pid(second)]
        assert processes.find(first.token) == []
        assert os.readlink(f"/proc/{pid(second)}/cwd") == str(second.directory)
        # Its time is that of the job, not of the process.
        assert (await bench.executor.observe(second)).run_seconds < 0.5
        await bench.executor.stop(second)
        assert (await bench.executor.observe(second)).phase is Phase.GONE
        for attempt in (first, second):
            assert (attempt.directory / rundir.LOG).read_text() == "rank 0 of 1\n"
        await bench.executor.close()

    _run(story())


def test_nobody_is_served_by_a_process_that_served_another(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root, warm_workers=1)
        ours = [await bench.run("solve", "li") for _ in range(2)]
        theirs = [await bench.run("solve", "wang") for _ in range(2)]
        again = await bench.run("solve", "li")
        assert len(set(ours)) == len(set(theirs)) == 1
        assert len({ours[0], theirs[0], again}) == 3
        await bench.executor.close()

    _run(story())


@pytest.mark.parametrize("name", ["refuse", "raise", "exit 7", "litter"])
def test_a_process_that_failed_or_leaves_something_is_replaced(root: Path, name: str) -> None:
    async def story() -> None:
        bench = Bench(root)
        pids = [await bench.run("solve"), await bench.run(name), await bench.run("solve")]
        assert pids[0] == pids[1] != pids[2]
        await bench.executor.close()

    _run(story())


def test_a_process_is_replaced_when_the_server_finds_its_result_wrong(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root)
        attempt = await bench.start("solve")
        await bench.until(attempt, lambda s: s.phase is Phase.GONE)
        bench.executor.forget(attempt, sound=False)
        assert await bench.run("solve") != pid(attempt)
        await bench.executor.close()

    _run(story())


def test_a_process_serves_so_many_jobs_and_no_more(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root, warm_jobs=2)
        pids = [await bench.run("solve") for _ in range(5)]
        assert [pids.count(p) for p in dict.fromkeys(pids)] == [2, 2, 1]
        await bench.executor.close()

    _run(story())


def _alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_without_work_ends_and_a_killed_one_is_replaced(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root, warm_idle_seconds=0.3)
        number = await bench.run("solve")
        while _alive(number):
            await asyncio.sleep(0.02)
        other = await bench.run("solve")
        os.kill(other, signal.SIGKILL)
        assert await bench.run("solve") not in (number, other)
        await bench.executor.close()

    _run(story())


def test_many_jobs_leave_one_timer_and_not_one_each(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root)
        loop = asyncio.get_running_loop()
        pending: list[asyncio.TimerHandle] = []
        later = loop.call_later

        def counted(delay: float, *given: Any, **more: Any) -> asyncio.TimerHandle:
            pending.append(later(delay, *given, **more))
            return pending[-1]

        loop.call_later = counted  # type: ignore[method-assign]
        for _ in range(8):
            await bench.run("solve")
        waiting = [t for t in pending if not t.cancelled() and t.when() > loop.time() + 10.0]
        assert len(waiting) <= 1
        await bench.executor.close()

    asyncio.run(story())


def test_without_warm_workers_each_job_has_its_process(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root, warm_workers=0)
        assert await bench.run("solve") != await bench.run("solve")
        await bench.executor.close()

    _run(story())


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(3)")])
def test_where_warm_workers_do_not_start_jobs_run_all_the_same(root: Path, command: tuple[str, ...]) -> None:
    async def story() -> None:
        bench = Bench(root, warm_command=command)
        await bench.executor.start()
        pids = [await bench.run("solve") for _ in range(3)]
        assert len(set(pids)) == 3
        await bench.executor.close()

    _run(story())


def test_a_token_that_cannot_be_shown_takes_the_usual_way(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root)
        attempt = await bench.start("solve", token="short")
        await bench.until(attempt, lambda s: s.phase is Phase.GONE)
        assert (rundir.read_outcome(attempt.directory) or run_pb2.Outcome()).token == "short"
        bench.executor.forget(attempt, sound=True)
        await bench.executor.close()

    _run(story())


def test_nobody_waits_for_a_process_that_does_not_get_ready_after_a_cancel(root: Path) -> None:
    """An attempt that is stopped while it waits for a worker's start is not started, and the worker is another's."""

    async def story() -> None:
        marker = root / "go on"
        slow = "import sys, time, pathlib, runpy\nwhile not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.02)\n"
        program = slow + "runpy.run_path(sys.argv[1], run_name='__main__')\n"
        fake = str(Path(__file__).parents[1] / "server_fakes" / "warm_worker.py")
        bench = Bench(root, warm_command=(sys.executable, "-c", program, fake, str(marker)))
        token = uuid.uuid4().hex
        launching = asyncio.create_task(bench.start("solve", "li", token))
        while not (bench.root / "runs" / token / "results").exists():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not launching.done()
        attempt = Attempt(token, bench.root / "runs" / token, job_pb2.Resources(ranks=1), None, "li")
        await bench.executor.stop(attempt)
        with pytest.raises(LaunchError):
            await asyncio.wait_for(launching, 5)
        assert processes.find(token) == []
        marker.touch()
        # The one that nobody waits for any more serves whoever comes.
        assert await bench.run("solve", "wang") == await bench.run("solve", "wang")
        assert not rundir.is_fenced(attempt.directory)
        await bench.executor.close()

    _run(story())


def test_a_process_whose_server_goes_away_ends_its_job_first(root: Path) -> None:
    async def story() -> None:
        bench = Bench(root)
        attempt = await bench.begun("release")
        await bench.executor.close()
        assert processes.find(attempt.token) == [pid(attempt)]
        later = Bench(root, warm_workers=0)
        assert (await later.executor.observe(attempt)).phase is Phase.RUNNING
        (attempt.directory / "release").touch()
        await later.until(attempt, lambda s: s.phase is Phase.GONE)
        assert (rundir.read_outcome(attempt.directory) or run_pb2.Outcome()).HasField("result")
        while _alive(pid(attempt)):
            await asyncio.sleep(0.02)

    _run(story())
