"""Drives one attempt of a job from its row to its end: prepare, launch, look, act."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dougong.internal import run_pb2
from dougong.messages import DataLoss, FemError
from dougong.server.datafolder import DataFolder
from dougong.server.executors.base import Attempt, Executor, LaunchError
from dougong.server.jobs.life import SignsOfLife
from dougong.server.jobs.model import (
    Condemn,
    JobView,
    Move,
    Observation,
    Phase,
    State,
    Stop,
    failure,
    next_actions,
)
from dougong.server.jobs.store import AttemptRecord, JobRecord, JobStore
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2

_log = logging.getLogger(__name__)

#: A worker whose outcome is there may take so long to finalize MPI before it is ended.
_FINALIZE_SECONDS = 5.0

#: After an error of disk or database, try again after so long.
_RETRY_SECONDS = 1.0

#: A worker has half a dozen stages; one that goes mad must not fill the database.
_MAX_AT_ONCE = 20

#: Free space without which nothing is started: for the run directory and its log.
_SPACE_BYTES = 1 << 20


class AttemptDriver:
    """One attempt of one job.

    Attributes
    ----------
    ranks
        Cores that it has.
    requeued
        The job, when it has to be tried again.
    """

    def __init__(
        self,
        job: JobRecord,
        store: JobStore,
        executor: Executor,
        folder: DataFolder,
        mesh_directory: Callable[[str], Path],
        new_token: Callable[[], str],
        *,
        stall_limit_seconds: float,
        poll_seconds: float,
    ) -> None:
        self.ranks = job.ranks
        self.requeued: JobRecord | None = None
        self._succeeded = False
        self._job_id = job.job_id
        self._owner = job.owner
        self._store = store
        self._executor = executor
        self._folder = folder
        self._mesh_directory = mesh_directory
        self._new_token = new_token
        self._stall_limit_seconds = stall_limit_seconds
        self._poll_seconds = poll_seconds
        self._resources = job_pb2.Resources.FromString(job.resources)
        self._analysis = analysis_pb2.Analysis.FromString(job.analysis)
        self._mesh_id = job.mesh_id
        self._poke = asyncio.Event()
        self._record: AttemptRecord | None = None
        self._progress_offset = 0
        self._life = SignsOfLife(stall_limit_seconds)

    def poke(self) -> None:
        """Look now: cancellation was asked for."""
        self._poke.set()

    async def run(self, *, adopt: bool) -> None:
        """Drive to the end of the attempt. `adopt`: it was begun by an earlier server."""
        record = await self._store.attempt(self._job_id) if adopt else await self._begin()
        if record is None:
            return
        self._record, self._progress_offset = record, record.progress_offset
        directory = self._folder.attempt(self._job_id, record.attempt)
        attempt = Attempt(record.token, directory, self._resources, record.handle, self._owner)
        lost = None
        if not adopt:
            await self._await_space(directory)
            attempt, lost = await self._launch(attempt)
        while True:
            try:
                if await self._turn(attempt, lost):
                    break
                pause = self._poll_seconds
            except (FemError, OSError, sqlite3.Error) as error:
                _log.warning("job %s: %s; trying again", self._job_id, error)
                pause = _RETRY_SECONDS
            await self._wait(pause)
        if self.requeued is None:
            await self._await_exit(attempt)
        self._executor.forget(attempt, sound=self._succeeded)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._poke.wait(), seconds)
        self._poke.clear()

    async def _begin(self) -> AttemptRecord | None:
        return await self._store.begin_attempt(
            self._job_id, self._new_token(), self._executor.name, self._folder.elsewhere
        )

    async def _await_space(self, directory: Path) -> None:
        """Wait while the disk is full: that is not the job's fault, and no reason to count an attempt."""
        while shutil.disk_usage(self._folder.runs).free < _SPACE_BYTES:
            if (await self._store.get(self._job_id)).cancel_requested:
                return
            _log.warning("job %s waits for space on the disk of %s", self._job_id, directory.parent)
            await self._wait(_RETRY_SECONDS)

    async def _launch(self, attempt: Attempt) -> tuple[Attempt, job_pb2.Failure | None]:
        """Make the run directory and start the worker in it; the row of the attempt is on disk already."""
        try:
            spec = run_pb2.RunSpec(
                job_id=self._job_id,
                token=attempt.token,
                analysis=self._analysis,
                resources=self._resources,
                analysis_sha256=analysis_sha256(self._analysis),
            )
            mesh = self._mesh_directory(self._mesh_id)
            inputs = self._folder.inputs(self._job_id)
            await asyncio.to_thread(rundir.prepare, attempt.directory, spec, mesh, inputs)
            handle = await self._launch_unless_cancelled(attempt)
            self._executor.listen(attempt, self._poke.set)
        except LaunchError as error:
            return attempt, failure(error.reason, cause=str(error), log="")
        except (OSError, FemError) as error:
            return attempt, failure("LAUNCH_FAILED", cause=str(error), log="")
        try:
            await self._note_handle(attempt.token, handle)
        except FemError as error:
            # It is found by its token if the server should die now.
            _log.warning("job %s: the handle could not be stored: %s", self._job_id, error)
        return replace(attempt, handle=handle), None

    async def _note_handle(self, token: str, handle: str) -> None:
        if self._record is not None and handle and handle != self._record.handle:
            await self._store.record_handle(token, handle)
            self._record = replace(self._record, handle=handle)

    async def _launch_unless_cancelled(self, attempt: Attempt) -> str:
        """Launch; a cancellation is passed on at once, for a launcher may wait for long before it starts anything."""
        launching = asyncio.create_task(self._executor.launch(attempt))
        # It has something to tell, as a cancellation has.
        launching.add_done_callback(lambda _: self.poke())
        try:
            while not launching.done():
                await self._poke.wait()
                self._poke.clear()
                if not launching.done() and (await self._store.get(self._job_id)).cancel_requested:
                    await self._executor.stop(attempt)
        finally:
            launching.cancel()
        return await launching

    async def _turn(self, attempt: Attempt, lost: job_pb2.Failure | None) -> bool:
        """Look once and act; True when the attempt has ended."""
        seen = Observation(Phase.GONE, lost=lost) if lost is not None else await self._observe(attempt)
        await self._forward_progress(attempt.directory)
        job = await self._store.get(self._job_id)
        record = await self._store.attempt(self._job_id)
        view = JobView(
            state=job.state,
            attempts=job.attempts,
            cancel_requested=job.cancel_requested,
            verdict=None if record is None else record.verdict,
            time_limit_seconds=float(self._resources.time_limit_seconds),
            memory_limit_bytes=self._resources.memory_bytes,
            stall_limit_seconds=self._stall_limit_seconds,
        )
        for action in next_actions(view, seen):
            if isinstance(action, Condemn):
                await self._store.condemn(attempt.token, action.failure)
            elif isinstance(action, Stop):
                await self._stop(attempt)
            elif isinstance(action, Move):
                job = await self._store.move(self._job_id, action.state, action.failure, seen.cost)
        self._succeeded = job.state is State.SUCCEEDED
        if job.state is State.QUEUED:
            self.requeued = job
        return job.state.terminal or job.state is State.QUEUED

    async def _stop(self, attempt: Attempt) -> None:
        if attempt.directory.exists():
            await asyncio.to_thread(rundir.revoke, attempt.directory)
        await self._executor.stop(attempt)

    async def _observe(self, attempt: Attempt) -> Observation:
        # First the processes, then the outcome: once they are gone, no outcome can come any more.
        sighting = await self._executor.observe(attempt)
        await self._note_handle(attempt.token, sighting.handle)
        silent, rank = 0.0, None
        if sighting.phase is Phase.RUNNING:
            look = functools.partial(self._executor.cpu_time, attempt)
            silent, rank = await self._life.silence(_progress_sign(attempt.directory), look)
        succeeded, why, cost = await asyncio.to_thread(_read_outcome, attempt, sighting.phase is Phase.GONE)
        return Observation(
            phase=sighting.phase,
            succeeded=succeeded,
            failure=why,
            lost=sighting.lost,
            hopeless=sighting.hopeless,
            run_seconds=sighting.run_seconds,
            silent_seconds=silent,
            silent_rank=rank,
            memory_bytes=sighting.memory_bytes,
            cost=cost,
        )

    async def _forward_progress(self, directory: Path) -> None:
        steps, offset = await asyncio.to_thread(rundir.read_progress, directory, self._progress_offset)
        if steps and self._record is not None:
            await self._store.add_progress(self._record, coalesce(steps), offset)
        self._progress_offset = offset

    async def _await_exit(self, attempt: Attempt) -> None:
        """Hold the cores until no process is left."""
        deadline = time.monotonic() + _FINALIZE_SECONDS
        while time.monotonic() < deadline:
            if (await self._executor.observe(attempt)).phase is Phase.GONE:
                break
            await asyncio.sleep(self._poll_seconds)
        else:
            await self._executor.stop(attempt)


def _progress_sign(directory: Path) -> object:
    """What changes when the worker reports progress."""
    try:
        status = (directory / rundir.PROGRESS).stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def coalesce(steps: Sequence[job_pb2.Progress]) -> list[job_pb2.Progress]:
    """Of several reports of one stage, read at one time, the last; and of many stages the last ones."""
    kept: list[job_pb2.Progress] = []
    for step in steps:
        if kept and (kept[-1].stage, kept[-1].step) == (step.stage, step.step):
            kept[-1] = step
        else:
            kept.append(step)
    return kept[-_MAX_AT_ONCE:]


def analysis_sha256(analysis: analysis_pb2.Analysis) -> str:
    """Digest of an analysis without its name, which does not influence the result."""
    nameless = analysis_pb2.Analysis()
    nameless.CopyFrom(analysis)
    nameless.name = ""
    return hashlib.sha256(nameless.SerializeToString(deterministic=True)).hexdigest()


def _read_outcome(attempt: Attempt, gone: bool) -> tuple[bool, job_pb2.Failure | None, run_pb2.Cost | None]:
    """Whether a valid outcome says success, or the failure that it says, and what the job took; nothing without one."""
    try:
        outcome = rundir.read_outcome(attempt.directory)
        if outcome is None:
            return False, None, None
        if outcome.token != attempt.token:
            # Not of this attempt. While its own worker lives, that may still write one.
            return False, failure("OUTCOME_DAMAGED") if gone else None, None
        if outcome.HasField("failure"):
            return False, outcome.failure, None
        if not outcome.HasField("result"):
            return False, None, None
        rundir.verify_files(attempt.directory, outcome)
    except DataLoss as error:
        return False, failure(error.reason, None, **error.params), None
    return True, None, outcome.cost
