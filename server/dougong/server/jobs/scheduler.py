"""The scheduler: who starts when, and recovery after a restart."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from dougong.messages import NotFound
from dougong.server.datafolder import DataFolder
from dougong.server.executors.base import Attempt, Executor
from dougong.server.jobs.driver import AttemptDriver
from dougong.server.jobs.model import State, Waiting, pick
from dougong.server.jobs.store import JobRecord, JobStore
from dougong.server.starting import StartError
from dougong.v1 import job_pb2

_log = logging.getLogger(__name__)

#: After a driver failed, take its job up again after so long.
_AGAIN_SECONDS = 2.0


class Scheduler:
    """Starts waiting jobs as cores get free, and drives each to its end.

    Parameters
    ----------
    store
        Jobs.
    executor
        Starts and watches workers.
    folder
        The data folder.
    mesh_directory
        Directory of a converted mesh by its id. Raises a `FemError` when there is none.
    new_token
        Makes unique tokens.
    cores
        Cores that jobs may use together.
    stall_limit_seconds
        Silence after which a worker has failed.
    poll_seconds
        How often a running job is looked at.
    retry_seconds
        Before the second attempt at a job.
    """

    def __init__(
        self,
        store: JobStore,
        executor: Executor,
        folder: DataFolder,
        mesh_directory: Callable[[str], Path],
        new_token: Callable[[], str],
        *,
        cores: int,
        stall_limit_seconds: float,
        poll_seconds: float,
        retry_seconds: float,
    ) -> None:
        self._store = store
        self._executor = executor
        self._folder = folder
        self._mesh_directory = mesh_directory
        self._new_token = new_token
        self._cores = cores
        self._stall_limit_seconds = stall_limit_seconds
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._queue: dict[str, tuple[Waiting, JobRecord]] = {}
        self._drivers: dict[str, AttemptDriver] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up where an earlier server stopped, then begin to start jobs.

        Raises
        ------
        StartError
            Attempts of that server can only be looked after by another executor, or lie in another folder.
        """
        await self._refuse_strangers()
        await self._executor.start()
        await self._sweep()
        await self._end_leftovers()
        for job in await self._store.unfinished():
            if job.state is State.QUEUED:
                self._enqueue(job)
            else:
                self._drive(job, adopt=True)
        self._loop_task = asyncio.create_task(self._run(), name="scheduler")

    async def _refuse_strangers(self) -> None:
        """An executor that never heard of an attempt would say that it has ended, and it would run twice."""
        attempts = await self._store.unfinished_attempts()
        name, shared = self._executor.name, self._folder.elsewhere
        strangers = [a for a in attempts if a.executor != name]
        if strangers:
            theirs = ", ".join(sorted({a.executor for a in strangers}))
            raise StartError("EXECUTOR_CHANGED", count=len(strangers), theirs=theirs, ours=name)
        elsewhere = [a for a in attempts if a.shared is not None and a.shared != shared]
        if elsewhere:
            here = self._folder.root
            theirs = ", ".join(sorted({str(a.shared or here) for a in elsewhere}))
            raise StartError("SHARED_FOLDER_CHANGED", count=len(elsewhere), theirs=theirs, ours=shared or here)

    async def _sweep(self) -> None:
        """Remove run directories of jobs that were deleted just before the server died."""
        known = await self._store.known_ids()

        def sweep() -> None:
            for directory in self._folder.runs.iterdir():
                if directory.name not in known:
                    shutil.rmtree(directory, ignore_errors=True)

        await asyncio.to_thread(sweep)

    async def _end_leftovers(self) -> None:
        """End what still runs of attempts that have ended: an earlier server died before it could."""
        for record in await self._store.ended_attempts(await self._executor.living()):
            directory = self._folder.attempt(record.job_id, record.attempt)
            await self._executor.stop(Attempt(record.token, directory, job_pb2.Resources(ranks=1), record.handle))

    def add(self, job: JobRecord) -> None:
        """A job was accepted."""
        if job.state is State.QUEUED and job.job_id not in self._drivers:
            self._enqueue(job)

    def cancel(self, job: JobRecord) -> None:
        """Cancellation of a job was asked for and recorded."""
        self._queue.pop(job.job_id, None)
        driver = self._drivers.get(job.job_id)
        if driver is not None:
            driver.poke()

    @property
    def busy(self) -> bool:
        """Whether a job waits or runs."""
        return bool(self._queue or self._tasks)

    @property
    def free_cores(self) -> int:
        """Cores that no job has."""
        return self._cores - sum(driver.ranks for driver in self._drivers.values())

    def _enqueue(self, job: JobRecord) -> None:
        delay = self._retry_seconds * 2.0 ** (job.attempts - 1) if job.attempts else 0.0
        waiting = Waiting(job.job_id, job.number, job.priority, job.ranks, time.monotonic() + delay)
        self._queue[job.job_id] = (waiting, job)
        if delay:
            asyncio.get_running_loop().call_later(delay + 0.01, self._wake.set)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            queue = [waiting for waiting, _ in self._queue.values()]
            for job_id in pick(queue, self.free_cores, self._cores, time.monotonic()):
                _, job = self._queue.pop(job_id)
                self._drive(job, adopt=False)

    def _drive(self, job: JobRecord, *, adopt: bool) -> None:
        driver = AttemptDriver(
            job,
            self._store,
            self._executor,
            self._folder,
            self._mesh_directory,
            self._new_token,
            stall_limit_seconds=self._stall_limit_seconds,
            poll_seconds=self._poll_seconds,
        )
        self._drivers[job.job_id] = driver
        task = asyncio.create_task(driver.run(adopt=adopt), name=f"job {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(lambda task: self._driven(job.job_id, task))

    def _driven(self, job_id: str, task: asyncio.Task[None]) -> None:
        """A driver has come to its end: its cores are free, and a job that lost its attempt waits again."""
        driver = self._drivers.pop(job_id)
        del self._tasks[job_id]
        if task.cancelled():
            return
        if task.exception() is not None:
            # Every accepted job reaches an end: whatever went wrong here, it is looked at again.
            _log.error("driving job %s failed; trying again", job_id, exc_info=task.exception())
            again = asyncio.create_task(self._take_up(job_id), name=f"job {job_id} again")
            self._tasks[job_id] = again
        elif driver.requeued is not None:
            self._enqueue(driver.requeued)
        self._wake.set()

    async def _take_up(self, job_id: str) -> None:
        """Go on with a job whose driver failed, as after a restart."""
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            try:
                job = await self._store.get(job_id)
                break
            except NotFound:
                del self._tasks[job_id]
                return
            except sqlite3.Error as error:
                _log.warning("job %s cannot be read: %s", job_id, error)
        del self._tasks[job_id]
        if job.state is State.QUEUED:
            self._enqueue(job)
        elif not job.state.terminal:
            self._drive(job, adopt=True)

    async def close(self) -> None:
        """Stop driving. What runs goes on, and is found by the next server."""
        tasks = [*self._tasks.values(), *([self._loop_task] if self._loop_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._executor.close()
