"""Jobs in random histories, over the real store, scheduler and run directories; only the processes are imagined.

Whatever happens and in whatever order - equal submissions, cancellations at any point, launchers that refuse, machines
that fail, workers that die, servers that stop in the middle - each job reaches one end, and its events tell the truth.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dougong.internal import run_pb2
from dougong.server.database import Database
from dougong.server.datafolder import DataFolder
from dougong.server.executors.base import Attempt, LaunchError, Sighting
from dougong.server.jobs import driver, scheduler
from dougong.server.jobs.model import LEGAL, MAX_ATTEMPTS, Phase, State, failure
from dougong.server.jobs.scheduler import Scheduler
from dougong.server.jobs.store import JobStore, NewJob, wire_state
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2, result_pb2

CORES = 3
JOBS = 7

#: What becomes of an attempt. An end without outcome has the reason that the launcher knows.
FATES = ("refused", "success", "success", "failure", "foreign", "NODE_FAILED", "PREEMPTED", "WORKER_DIED", "hang")


@dataclass
class Process:
    """The processes of one attempt; looks at it are its clock."""

    attempt: Attempt
    fate: str
    end: int
    lingers: int
    looks: int = 0
    living: bool = True
    lost: job_pb2.Failure | None = None

    @property
    def job_id(self) -> str:
        return self.attempt.directory.parent.name

    def write(self) -> None:
        """Its last act, where it gets so far."""
        directory, token = self.attempt.directory, self.attempt.token
        if rundir.read_outcome(directory) is not None:
            return
        outcome = run_pb2.Outcome(token=token, result=result_pb2.Result(job_id=self.job_id))
        if self.fate == "failure":
            outcome = run_pb2.Outcome(token=token, failure=failure("SINGULAR_SYSTEM"))
        if self.fate == "foreign":
            outcome.token = "another"
        rundir.write_outcome(directory, outcome)


class World:
    """What outlives a server: processes, and the will of users."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.processes: dict[str, Process] = {}
        self.wanted_gone: set[str] = set()
        self.faults: list[str] = []
        self.cancel: Callable[[str], object] = lambda _: None

    async def moment(self, job_id: str, likely: float = 0.03) -> None:
        """Time passes here, and anything may be asked for meanwhile."""
        if self.chance.random() < likely:
            await self.cancel(job_id)  # type: ignore[misc]
        if self.chance.random() < 0.3:
            await asyncio.sleep(self.chance.random() * 0.003)

    def running(self) -> list[Process]:
        return [p for p in self.processes.values() if p.living]


class Executor:
    """The launcher of one server."""

    name = "imagined"

    def __init__(self, world: World) -> None:
        self._world = world

    async def start(self) -> None:
        pass

    async def launch(self, attempt: Attempt) -> str:
        world = self._world
        job_id = attempt.directory.parent.name
        await world.moment(job_id)
        if attempt.token in world.processes:
            world.faults.append(f"{job_id}: one attempt was launched twice")
        if any(p.job_id == job_id for p in world.running()):
            world.faults.append(f"{job_id}: two attempts run")
        fate = world.chance.choice(FATES)
        if fate == "refused":
            raise LaunchError("not now")
        rundir.raise_fence(attempt.directory, attempt.token)
        process = Process(attempt, fate, world.chance.randrange(6), world.chance.randrange(3))
        world.processes[attempt.token] = process
        if sum(p.attempt.resources.ranks for p in world.running()) > CORES:
            world.faults.append("too many cores are in use")
        await world.moment(job_id)
        return attempt.token

    async def observe(self, attempt: Attempt) -> Sighting:
        world = self._world
        process = world.processes.get(attempt.token)
        await world.moment(attempt.directory.parent.name)
        if world.chance.random() < 0.1:
            return Sighting(Phase.UNKNOWN)
        if process is None:
            return Sighting(Phase.GONE, failure("LAUNCH_FAILED", cause="never started", log=""))
        process.looks += 1
        if process.living and process.looks > process.end and process.fate != "hang":
            if process.fate.isupper():
                process.living = False
                process.lost = failure(process.fate, cause="as imagined", log="")
            else:
                process.write()
                process.living = process.looks <= process.end + process.lingers
        if not process.living:
            return Sighting(Phase.GONE, process.lost or failure("WORKER_DIED", cause="ended", log=""))
        return Sighting(Phase.RUNNING if process.looks > 1 else Phase.WAITING, run_seconds=process.looks)

    async def cpu_time(self, attempt: Attempt) -> Mapping[int, object]:
        return {}

    def listen(self, attempt: Attempt, call: Callable[[], None]) -> None:
        pass

    async def stop(self, attempt: Attempt) -> None:
        job_id = attempt.directory.parent.name
        await self._world.moment(job_id, 0.2)
        process = self._world.processes.get(attempt.token)
        if process is not None and process.living:
            if process.fate in ("success", "failure") and self._world.chance.random() < 0.3:
                process.write()
            process.living = False
        await self._world.moment(job_id, 0.2)

    async def living(self) -> set[str]:
        return {p.attempt.token for p in self._world.running()}

    def forget(self, attempt: Attempt, *, sound: bool) -> None:
        process = self._world.processes.get(attempt.token)
        if process is not None and process.living:
            self._world.faults.append(f"{process.job_id}: forgotten while it runs")

    async def close(self) -> None:
        pass


class Server:
    """As much of a server as has to do with jobs."""

    def __init__(self, folder: DataFolder, world: World) -> None:
        self._world = world
        self._database = Database(folder.database)
        time = iter(range(10**9, 10**12))
        self.store = JobStore(self._database, lambda: next(time), lambda _: None)
        self._scheduler = Scheduler(
            self.store,
            Executor(world),
            folder,
            lambda _: folder.meshes,
            lambda: f"{world.chance.getrandbits(128):032x}",
            cores=CORES,
            stall_limit_seconds=0,
            poll_seconds=0.001,
            retry_seconds=0.002,
        )
        world.cancel = self.cancel

    async def start(self) -> None:
        sql = "INSERT OR IGNORE INTO meshes VALUES (1, 'me', 'm', 'f', 1, 'gmsh', 0)"
        await self._database.write(lambda db: db.execute(sql) and None)
        await self._scheduler.start()

    async def submit(self, k: int) -> None:
        analysis = analysis_pb2.Analysis(name=f"{k}", mesh="m")
        # A time of so many looks.
        resources = job_pb2.Resources(ranks=1 + k % CORES, time_limit_seconds=12, priority=k % 2)
        new = NewJob(f"job-{self._world.chance.getrandbits(64)}", "me", f"request-{k}", "c", analysis, resources)
        self._scheduler.add(await self.store.submit(new))

    async def cancel(self, job_id: str) -> None:
        self._world.wanted_gone.add(job_id)
        self._scheduler.cancel(await self.store.request_cancel(job_id, "me"))

    async def cancel_any(self) -> None:
        jobs = sorted(await self.store.known_ids())
        if jobs:
            await self.cancel(self._world.chance.choice(jobs))

    @property
    def busy(self) -> bool:
        return self._scheduler.busy

    async def stop(self) -> None:
        await self._scheduler.close()
        self._database.close()


async def _history(folder: DataFolder, world: World) -> None:
    server = Server(folder, world)
    await server.start()
    pending = list(range(JOBS)) * 2
    world.chance.shuffle(pending)
    while pending:
        what = world.chance.random()
        if what < 0.7:
            await asyncio.gather(*(server.submit(pending.pop()) for _ in range(min(len(pending), 2))))
        elif what < 0.8:
            await server.cancel_any()
        elif what < 0.9:
            await server.stop()
            server = Server(folder, world)
            await server.start()
        await asyncio.sleep(world.chance.random() * 0.01)
    # A server more, which has only what is on disk.
    await server.stop()
    server = Server(folder, world)
    await server.start()
    async with asyncio.timeout(20):
        # What lingers after its job has ended is ended too.
        while server.busy or await server.store.unfinished():
            await asyncio.sleep(0.005)
    await server.stop()


def _check(path: Path, folder: DataFolder, world: World) -> None:
    assert world.faults == []
    with sqlite3.connect(path) as db:
        db.row_factory = sqlite3.Row
        jobs = db.execute("SELECT * FROM jobs").fetchall()
        assert sorted(job["request_id"] for job in jobs) == [f"request-{k}" for k in range(JOBS)]
        for job in jobs:
            rows = db.execute("SELECT event FROM events WHERE job_id = ? ORDER BY sequence", (job["job_id"],))
            events = [job_pb2.JobEvent.FromString(row[0]) for row in rows]
            attempts = db.execute("SELECT * FROM attempts WHERE job_id = ? ORDER BY attempt", (job["job_id"],))
            _check_job(job, events, attempts.fetchall(), folder, world)
    db.close()


def _check_job(
    job: sqlite3.Row, events: list[job_pb2.JobEvent], attempts: list[sqlite3.Row], folder: DataFolder, world: World
) -> None:
    assert [e.sequence for e in events] == list(range(1, job["last_sequence"] + 1))
    names = {wire_state(state): state for state in State}
    path = [names[e.state.state] for e in events if e.HasField("state")]
    assert path[0] is State.QUEUED
    assert all(after in LEGAL[before] for before, after in itertools.pairwise(path)), path
    assert path[-1].terminal
    assert path[-1] == job["state"]
    assert [state.terminal for state in path].count(True) == 1
    assert len(attempts) == job["attempts"] == path.count(State.PREPARING) <= MAX_ATTEMPTS
    assert all(attempt["end_time"] is not None for attempt in attempts)
    if path[-1] is State.CANCELLED:
        assert job["job_id"] in world.wanted_gone
    if path[-1] is State.SUCCEEDED:
        outcome = rundir.read_outcome(folder.attempt(job["job_id"], job["attempts"]))
        assert outcome is not None
        assert (outcome.token, outcome.HasField("result")) == (attempts[-1]["token"], True)
    if path[-1] is State.FAILED:
        assert job["failure"] is not None
    # Only the last attempt can have been accepted: what an earlier one left was revoked.
    for attempt in attempts[:-1]:
        directory = folder.attempt(job["job_id"], attempt["attempt"])
        assert rundir.is_revoked(directory) or not rundir.is_fenced(directory)
    assert not any(p.living for p in world.processes.values() if p.job_id == job["job_id"])


@pytest.mark.parametrize("seed", range(25))
def test_every_job_reaches_one_end(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(driver, "_FINALIZE_SECONDS", 0.02)
    monkeypatch.setattr(driver, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(scheduler, "_AGAIN_SECONDS", 0.01)
    folder = DataFolder(tmp_path / "data")
    folder.make()
    world = World(seed)
    with caplog.at_level(logging.WARNING):
        asyncio.run(_history(folder, world))
    # A driver that fails goes on after a while, and nobody may need that here.
    assert [record.getMessage() for record in caplog.records] == []
    _check(folder.database, folder, world)
