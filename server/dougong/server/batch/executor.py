"""Runs attempts as jobs of a batch system, and does not believe it.

- The token is the name of the batch job, and was stored before it was submitted. A submission that is said to have
  failed may have run all the same: the name is looked up before a second try, and should both run, the fence in the run
  directory lets one.
- A job that is not in the list has not ended, let alone well: a second command has to say that it is unknown, and then
  only its files tell how it ended.
- What could not be asked, or not be understood, changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from dougong.server.batch import script
from dougong.server.batch.commands import Answer, run
from dougong.server.batch.queue import Queue, Snapshot
from dougong.server.batch.system import BatchSystem, Entry, GarbledError, Meaning
from dougong.server.batch.verdict import why_ended, why_unknown
from dougong.server.cluster import Partition
from dougong.server.config import Config
from dougong.server.executors.base import Attempt, LaunchError, Sighting
from dougong.server.jobs.model import Phase, failure
from dougong.server.starting import StartError
from dougong.solver import rundir

_log = logging.getLogger(__name__)

#: Batch jobs of ours begin with this; the token follows.
_PREFIX = "dougong-"

#: A submission that seems to have come to nothing is repeated; so many in all.
_SUBMISSIONS = 3

#: Submissions at one time: controllers answer slowly to many.
_AT_ONCE = 4

#: A server that starts asks no longer what runs.
_START_SECONDS = 5.0

#: Who waits before another submission looks so often whether it is still wanted.
_STOP_SECONDS = 0.5

#: After killing a job, its end is waited for no longer.
_KILL_SECONDS = 10.0

#: Meanings of a job that may have to do with us yet; None: nobody knows what its state means.
_UNDER_WAY = (None, Meaning.WAITING, Meaning.RUNNING)

#: Of several jobs of one attempt, the one with the least weight tells; reasons for which one has ended have 2.
_WEIGHT: dict[str, int] = {Meaning.RUNNING: 0, Meaning.WAITING: 1, Meaning.ENDED: 3}


@dataclass
class _Track:
    """What is remembered of an attempt between two looks; after a restart it is gathered again.

    Attributes
    ----------
    submitted
        Monotonic time since when the batch system may know it.
    last
        The last that was seen, which holds while nothing else can be told.
    shown
        State by the detail command, for a job that is not in the list; empty: it is unknown there too.
    shown_time
        Monotonic time when that was asked.
    job_id
        Of the batch job that was seen last; an earlier server may have died before it could note the handle.
    """

    submitted: float = float("-inf")
    last: Sighting = field(default_factory=lambda: Sighting(Phase.UNKNOWN))
    absent_since: float | None = None
    ended_since: float | None = None
    hopeless_since: float | None = None
    shown: str | None = None
    shown_time: float = float("-inf")
    job_id: str = ""
    asking: asyncio.Task[None] | None = None


class BatchExecutor:
    """An executor for any batch system that a table describes.

    Parameters
    ----------
    name
        Name of the executor.
    system
        The table.
    config
        Of the server; its `cluster` says the rest.

    Raises
    ------
    StartError
        A command is not there without which no job can be run.
    """

    def __init__(self, name: str, system: BatchSystem, config: Config) -> None:
        if config.cluster is None:
            raise ValueError("a batch system needs a cluster in the configuration")
        self.name = name
        cluster = self._cluster = config.cluster
        self._system = replace(
            system,
            programs={**system.programs, **cluster.commands},
            options=cluster.options,
            states={**system.states, **cluster.states},
        )
        self._config = config
        self._check_commands()
        kept = ("PATH", "HOME", "USER", "LOGNAME", *cluster.keep)
        self._environment = {"LANG": "C.UTF-8", **{name: os.environ[name] for name in kept if name in os.environ}}
        self._queue = Queue(self._system, self._ask_status, cluster.poll_seconds, cluster.poll_most_seconds)
        self._tracks: dict[str, _Track] = {}
        self._stopped: set[str] = set()
        self._odd: set[str] = set()
        self._submitting = asyncio.Semaphore(_AT_ONCE)

    # Commands

    def _check_commands(self) -> None:
        for what in ("submit", "status", "cancel"):
            program = self._system.programs[what]
            if shutil.which(program) is None:
                raise StartError(
                    "BATCH_COMMAND_MISSING", command=program, key=f"commands.{what}", system=self._system.title
                )

    async def _run(self, command: list[str]) -> Answer:
        return await run(command, self._environment, self._cluster.command_seconds)

    async def _ask_status(self) -> Answer:
        return await self._run(self._system.command("status", self._system.status, user=_user()))

    # Start

    async def start(self) -> None:
        """Nothing makes launches quicker."""

    async def launch(self, attempt: Attempt) -> str:
        """Submit the attempt; the handle is the id of the batch job."""
        name, partition = self._partition(attempt)
        await asyncio.to_thread(self._write_script, attempt, partition)
        command = self._submit_command(attempt, name, partition)
        track = self._track(attempt)
        tries, pause = 0, self._cluster.poll_seconds
        while tries < _SUBMISSIONS:
            self._unless_stopped(attempt)
            async with self._submitting:
                # A list that is being made now may not have it yet.
                track.submitted = time.monotonic()
                answer = await self._run(command)
                track.submitted = time.monotonic()
            self._queue.hurry()
            job_id = self._system.submitted_id(answer.output) if answer.sound else None
            if job_id is None:
                _log.warning("%s: %s", command[0], answer.text.strip()[-500:])
                if not answer.started:
                    raise LaunchError(answer.text)
                if not answer.sound and self._system.postpones(answer.text):
                    # It is not the job's fault, nor that of an attempt: this one goes on when there is room.
                    await self._pause(attempt, pause)
                    pause = min(2 * pause, self._cluster.poll_most_seconds)
                    continue
                if not answer.sound and self._system.refuses(answer.text):
                    raise LaunchError(answer.text.strip()[-500:], "BATCH_REFUSED")
                tries += 1
                job_id = await self._look_up(attempt)
            if job_id is not None:
                if attempt.token in self._stopped:
                    await self.stop(replace(attempt, handle=job_id or None))
                self._unless_stopped(attempt)
                return job_id
        raise LaunchError(f"{command[0]}: {answer.text.strip()[-500:]}")

    async def _pause(self, attempt: Attempt, seconds: float) -> None:
        """Wait, but no longer than until the attempt is stopped."""
        until = time.monotonic() + seconds
        while attempt.token not in self._stopped and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _STOP_SECONDS))

    def _unless_stopped(self, attempt: Attempt) -> None:
        if attempt.token in self._stopped:
            raise LaunchError("cancelled before it was submitted")

    def _partition(self, attempt: Attempt) -> tuple[str, Partition]:
        try:
            return self._cluster.partition(attempt.resources.partition)
        except KeyError as error:
            # Accepted before the description was changed.
            raise LaunchError(
                f"the description of the cluster has no partition {error} any more", "BATCH_REFUSED"
            ) from error

    def _write_script(self, attempt: Attempt, partition: Partition) -> None:
        config = self._config
        mpiexec = self._cluster.mpiexec or config.mpiexec
        launcher = script.launcher(self._system, partition, mpiexec, max(attempt.resources.ranks, 1))
        worker = script.worker_command(self._cluster, config.worker_command)
        variables = script.environment(config.worker_environment, partition, attempt.token)
        text = script.job_script(
            variables, partition.modules, [*launcher, *worker, str(attempt.directory)], attempt.directory
        )
        path = attempt.directory / script.SCRIPT
        rundir.write_durably(path, text.encode())
        path.chmod(0o700)

    def _submit_command(self, attempt: Attempt, name: str, partition: Partition) -> list[str]:
        values = script.request(
            name, partition, attempt.resources, _PREFIX + attempt.token, attempt.directory, rundir.LOG
        )
        return self._system.submit_command(values, partition.submit_options)

    async def _look_up(self, attempt: Attempt) -> str | None:
        """The id of a job whose submission was said to have failed; None when it is certain that there is none.

        Empty when it has begun and its id is not known any more. While the batch system does not answer, this waits.
        """
        since: float | None = None
        pause = self._cluster.poll_seconds
        while attempt.token not in self._stopped:
            seen = await self._queue.fresh()
            if seen is not None:
                entries = seen.of(_PREFIX + attempt.token, None)
                if entries:
                    return entries[0].job_id
                if await asyncio.to_thread(rundir.is_fenced, attempt.directory):
                    return ""
                since = since or seen.time
                if seen.time - since >= self._cluster.grace_seconds:
                    return None
            await self._pause(attempt, pause)
            pause = min(2 * pause, self._cluster.poll_most_seconds)
        return None

    # Look

    async def observe(self, attempt: Attempt) -> Sighting:
        """What the newest list says of an attempt, and for one that it does not have, what else tells."""
        snapshot = self._queue.look()
        track = self._track(attempt)
        if snapshot is None:
            return track.last
        entries = snapshot.of(_PREFIX + attempt.token, self._job_id(attempt))
        if not entries:
            seen = await self._observe_absent(attempt, track, snapshot)
        else:
            track.absent_since = track.shown = None
            seen = await self._observe_listed(attempt, track, entries, snapshot)
        track.last = replace(seen, handle=track.job_id)
        return track.last

    def _job_id(self, attempt: Attempt) -> str | None:
        track = self._tracks.get(attempt.token)
        return (track.job_id if track else "") or attempt.handle or None

    async def _observe_listed(
        self, attempt: Attempt, track: _Track, entries: list[Entry], snapshot: Snapshot
    ) -> Sighting:
        meanings = {self._meaning(entry.state): entry for entry in entries}
        if None in meanings:
            return track.last
        # Of several, one that runs, or waits; of those that have ended, one of which is known why.
        meaning = min(meanings, key=lambda m: _WEIGHT.get(str(m), 2))
        entry = meanings[meaning]
        track.job_id = entry.job_id
        if meaning == Meaning.RUNNING:
            track.ended_since = None
            if track.last.phase is Phase.WAITING or await asyncio.to_thread(_has_outcome, attempt):
                self._queue.hurry()
            seconds = entry.run_seconds + time.monotonic() - snapshot.time
            return Sighting(Phase.RUNNING, run_seconds=seconds)
        if meaning == Meaning.WAITING:
            return self._waiting(track, entry)
        return await self._ended(attempt, track, str(meaning), entry.state, by_itself=Meaning.ENDED in meanings)

    def _waiting(self, track: _Track, entry: Entry) -> Sighting:
        if entry.reason not in self._system.hopeless:
            track.hopeless_since = None
            return Sighting(Phase.WAITING)
        # For a moment it may be said of any job, while the controller gets to know its nodes.
        now = time.monotonic()
        track.hopeless_since = track.hopeless_since or now
        if now - track.hopeless_since < self._cluster.grace_seconds:
            return Sighting(Phase.WAITING)
        cause = f"{self._system.title} {entry.job_id}: {entry.reason}"
        return Sighting(Phase.WAITING, hopeless=failure("BATCH_NEVER", cause=cause))

    async def _observe_absent(self, attempt: Attempt, track: _Track, snapshot: Snapshot) -> Sighting:
        if snapshot.time <= track.submitted:
            return Sighting(Phase.WAITING)
        if track.absent_since is None:
            track.absent_since = snapshot.time
            self._queue.hurry()
        # What was asked for within the grace may be of a controller that has just begun, or was cut short.
        settled_from = track.absent_since + self._cluster.grace_seconds
        settled = snapshot.time >= settled_from
        job_id = self._job_id(attempt)
        if job_id:
            self._ask_detail(track, attempt, job_id)
            if track.shown is None:
                return track.last
            if track.shown:
                meaning = self._meaning(track.shown)
                if meaning in _UNDER_WAY:
                    return track.last
                return await self._ended(attempt, track, str(meaning), track.shown)
            settled = settled and track.shown_time >= settled_from
        if settled or await asyncio.to_thread(_has_ended, attempt):
            named = replace(attempt, handle=job_id)
            return Sighting(Phase.GONE, await asyncio.to_thread(why_unknown, self._system.title, named))
        return track.last

    def _ask_detail(self, track: _Track, attempt: Attempt, job_id: str) -> None:
        if track.asking is None:
            reading = self._read_detail(track, job_id, _PREFIX + attempt.token)
            track.asking = asyncio.create_task(reading, name=f"batch job {job_id}")

    async def _read_detail(self, track: _Track, job_id: str, name: str) -> None:
        """Ask the controller about one job, and for one that it has forgotten the accounting, if there is any."""
        system, asked = self._system, time.monotonic()
        try:
            if not system.detail:
                track.shown, track.shown_time = "", asked
                return
            answer = await self._run(system.command("detail", system.detail, id=job_id))
            if not answer.started:
                return
            shown = system.shown_state(answer.text, name)
            if shown is None and system.history:
                past = await self._run(system.command("history", system.history, id=job_id))
                shown = system.past_state(past.output, name) if past.sound else None
                # A job whose end never reached the accounting runs there for ever.
                if shown is not None and self._meaning(shown) in _UNDER_WAY:
                    shown = None
            track.shown, track.shown_time = shown or "", asked
        except GarbledError as error:
            _log.warning("batch job %s: %s", job_id, error)
        finally:
            await asyncio.sleep(self._cluster.poll_seconds)
            track.asking = None

    async def _ended(
        self, attempt: Attempt, track: _Track, meaning: str, state: str, *, by_itself: bool = False
    ) -> Sighting:
        """It has ended; but a shared file system may show its last files later than the batch system its end.

        `by_itself`: one of several has, whatever became of the one that is looked at.
        """
        now = time.monotonic()
        track.ended_since = track.ended_since or now
        waited = now - track.ended_since >= self._cluster.grace_seconds
        by_itself = by_itself or meaning == Meaning.ENDED
        if by_itself and not waited and not await asyncio.to_thread(_has_ended, attempt):
            return track.last
        try:
            _, partition = self._partition(attempt)
        except LaunchError:
            # Of one that the description does not have any more, no limits are known.
            partition = Partition(cores=1)
        named = replace(attempt, handle=self._job_id(attempt))
        why = await asyncio.to_thread(why_ended, self._system.title, named, partition, meaning, state)
        return Sighting(Phase.GONE, why)

    def _meaning(self, state: str) -> str | None:
        meaning = self._system.meaning(state)
        if meaning is None and state not in self._odd:
            self._odd.add(state)
            _log.warning("%s says %r of a job; nobody knows what that means, and nothing follows", self.name, state)
        return meaning

    async def cpu_time(self, attempt: Attempt) -> Mapping[int, object]:
        """Nothing: the ranks are on other machines."""
        return {}

    def listen(self, attempt: Attempt, call: Callable[[], None]) -> None:
        """A batch system gives no hint."""

    async def living(self) -> set[str]:
        """Tokens of all jobs of ours that wait or run; none when it does not answer soon, for a server has to start."""
        try:
            snapshot = await asyncio.wait_for(self._queue.fresh(), _START_SECONDS)
        except TimeoutError:
            snapshot = None
        return {
            entry.name.removeprefix(_PREFIX)
            for entry in snapshot or ()
            if entry.name.startswith(_PREFIX) and self._meaning(entry.state) in (Meaning.WAITING, Meaning.RUNNING)
        }

    def _lives(self, entry: Entry) -> bool:
        return self._meaning(entry.state) in _UNDER_WAY

    # End

    async def stop(self, attempt: Attempt) -> None:
        """Revoke the attempt, cancel its batch jobs, and kill them after the patience."""
        self._stopped.add(attempt.token)
        if attempt.directory.exists():
            # Should one be on its way to the batch system, it ends as soon as it begins.
            await asyncio.to_thread(rundir.revoke, attempt.directory)
        begun = time.monotonic()
        patience = self._config.stop_patience_seconds
        while True:
            snapshot = await self._queue.fresh()
            job_id = self._job_id(attempt)
            if snapshot is None:
                ids = [job_id] if job_id else []
            else:
                entries = snapshot.of(_PREFIX + attempt.token, job_id)
                ids = [entry.job_id for entry in entries if self._lives(entry)]
            if not ids:
                return
            waited = time.monotonic() - begun
            how = self._system.kill if waited > patience else self._system.cancel
            await self._run([*self._system.command("cancel", how), *ids])
            if snapshot is None or waited > patience + _KILL_SECONDS:
                return
            await asyncio.sleep(min(0.3, self._cluster.poll_seconds))

    def forget(self, attempt: Attempt, *, sound: bool) -> None:
        """Let go of what is remembered."""
        track = self._tracks.pop(attempt.token, None)
        if track is not None and track.asking is not None:
            track.asking.cancel()
        self._stopped.discard(attempt.token)

    async def close(self) -> None:
        """Let go of everything; batch jobs go on."""
        asking = [track.asking for track in self._tracks.values() if track.asking is not None]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._queue.close()

    def _track(self, attempt: Attempt) -> _Track:
        return self._tracks.setdefault(attempt.token, _Track())


def _has_outcome(attempt: Attempt) -> bool:
    return (attempt.directory / rundir.OUTCOME).exists()


def _has_ended(attempt: Attempt) -> bool:
    """Whether its files tell how it ended: an outcome, or an exit code, which comes after one."""
    return _has_outcome(attempt) or script.read_exit_code(attempt.directory) is not None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
