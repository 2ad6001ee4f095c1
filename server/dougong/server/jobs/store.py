"""Rows of jobs, attempts and events. A change and the event that tells of it are one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf import timestamp_pb2

from dougong.internal import run_pb2
from dougong.messages import Conflict, NotFound, ResourceLimit
from dougong.server.database import Database
from dougong.server.jobs import history
from dougong.server.jobs.model import State, check_transition
from dougong.v1 import analysis_pb2, job_pb2

T = TypeVar("T")

#: Nanoseconds since 1970, from the injected clock.
Nanoseconds = int


@dataclass(frozen=True)
class NewJob:
    """What is accepted at submission."""

    job_id: str
    owner: str
    request_id: str
    content_sha256: str
    analysis: analysis_pb2.Analysis
    resources: job_pb2.Resources
    prediction: run_pb2.Prediction | None = None


@dataclass(frozen=True)
class JobRecord:
    """A job as it is stored."""

    number: int
    job_id: str
    name: str
    mesh_id: str
    state: State
    ranks: int
    priority: int
    cancel_requested: bool
    attempts: int
    analysis: bytes
    resources: bytes
    prediction: bytes | None
    failure: bytes | None
    progress: bytes | None
    last_sequence: int
    create_time: Nanoseconds
    start_time: Nanoseconds | None
    end_time: Nanoseconds | None
    owner: str


@dataclass(frozen=True)
class AttemptRecord:
    """An attempt as it is stored.

    Attributes
    ----------
    executor, shared
        Who runs it, and the shared folder in which; empty: the data folder; None: not known.
    """

    job_id: str
    attempt: int
    token: str
    executor: str
    handle: str | None = None
    verdict: job_pb2.Failure | None = None
    progress_offset: int = 0
    shared: str | None = ""


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to list."""

    owner: str
    states: Sequence[State] = ()
    name_contains: str = ""
    mesh_id: str = ""


_JOB_COLUMNS = ", ".join(JobRecord.__dataclass_fields__)
_ENDED = "('SUCCEEDED', 'FAILED', 'CANCELLED')"


class JobStore:
    """The only place that knows the tables of jobs.

    Parameters
    ----------
    database
        Where they are.
    clock
        Wall-clock nanoseconds.
    publish
        Told of every event after it is on disk, in order.
    max_queued
        Jobs that may wait.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], Nanoseconds],
        publish: Callable[[Sequence[job_pb2.JobEvent]], None],
        max_queued: int = 10_000,
    ) -> None:
        self._database = database
        self._clock = clock
        self._publish = publish
        self._max_queued = max_queued

    async def submit(self, job: NewJob) -> JobRecord:
        """Store a job with its first event; or find the job of an earlier request with the same id and content.

        Raises
        ------
        Conflict
            The request id was used for something else.
        NotFound
            The user has no such mesh.
        ResourceLimit
            Too many jobs wait.
        """

        def transaction(db: sqlite3.Connection) -> tuple[JobRecord, list[job_pb2.JobEvent]]:
            earlier = _earlier(db, job.owner, job.request_id, job.content_sha256)
            if earlier is not None:
                return earlier, []
            mesh_id = job.analysis.mesh
            if (
                db.execute("SELECT 1 FROM meshes WHERE owner = ? AND mesh_id = ?", (job.owner, mesh_id)).fetchone()
                is None
            ):
                raise NotFound("MESH_NOT_FOUND", mesh_id=mesh_id)
            waiting = db.execute("SELECT count(*) FROM jobs WHERE state = 'QUEUED'").fetchone()[0]
            if waiting >= self._max_queued:
                raise ResourceLimit("QUEUE_FULL", limit=self._max_queued)
            now = self._clock()
            db.execute(
                "INSERT INTO jobs (job_id, owner, request_id, content_sha256, name, mesh_id, analysis, resources,"
                " prediction, ranks, priority, state, create_time)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'QUEUED', ?)",
                (
                    job.job_id,
                    job.owner,
                    job.request_id,
                    job.content_sha256,
                    job.analysis.name,
                    mesh_id,
                    job.analysis.SerializeToString(),
                    job.resources.SerializeToString(),
                    None if job.prediction is None else job.prediction.SerializeToString(),
                    max(job.resources.ranks, 1),
                    job.resources.priority,
                    now,
                ),
            )
            events = [_append(db, job.job_id, now, _state_event(State.QUEUED))]
            return _get(db, job.job_id), events

        return await self._write(transaction)

    async def find_request(self, owner: str, request_id: str, content_sha256: str) -> JobRecord | None:
        """The job that an earlier request with this id made.

        Raises
        ------
        Conflict
            That request was for something else.
        """
        return await self._database.read(lambda db: _earlier(db, owner, request_id, content_sha256))

    async def get(self, job_id: str, owner: str | None = None) -> JobRecord:
        """A job.

        Raises
        ------
        NotFound
            There is none, or it belongs to somebody else.
        """
        return await self._database.read(lambda db: _get(db, job_id, owner))

    async def page(self, wanted: JobFilter, below: int, count: int) -> list[JobRecord]:
        """Jobs, newest first, with a number less than `below`."""
        where, values = ["owner = ?", "number < ?"], [wanted.owner, below]
        if wanted.states:
            where.append(f"state IN ({', '.join('?' * len(wanted.states))})")
            values += [str(s) for s in wanted.states]
        if wanted.name_contains:
            where.append("instr(casefold(name), casefold(?)) > 0")
            values.append(wanted.name_contains)
        if wanted.mesh_id:
            where.append("mesh_id = ?")
            values.append(wanted.mesh_id)
        sql = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"
        rows = await self._database.read(lambda db: db.execute(sql, (*values, count)).fetchall())
        return [_job(row) for row in rows]

    async def unfinished(self) -> list[JobRecord]:
        """All jobs that have not ended, oldest first."""
        sql = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE state NOT IN {_ENDED} ORDER BY number"
        return [_job(row) for row in await self._database.read(lambda db: db.execute(sql).fetchall())]

    async def attempt(self, job_id: str) -> AttemptRecord | None:
        """The newest attempt of a job."""
        sql = "SELECT * FROM attempts WHERE job_id = ? ORDER BY attempt DESC LIMIT 1"
        row = await self._database.read(lambda db: db.execute(sql, (job_id,)).fetchone())
        return None if row is None else _attempt(row)

    async def unfinished_attempts(self) -> list[AttemptRecord]:
        """The attempts that have not ended, oldest first."""
        sql = (
            "SELECT attempts.* FROM attempts JOIN jobs USING (job_id)"
            f" WHERE attempt = jobs.attempts AND state NOT IN {_ENDED} AND state <> 'QUEUED' ORDER BY number"
        )
        rows = await self._database.read(lambda db: db.execute(sql).fetchall())
        return [_attempt(row) for row in rows]

    async def ended_attempts(self, tokens: set[str]) -> list[AttemptRecord]:
        """The attempts among these that have ended."""
        sql = "SELECT * FROM attempts WHERE token = ? AND end_time IS NOT NULL"

        def query(db: sqlite3.Connection) -> list[AttemptRecord]:
            rows = (db.execute(sql, (token,)).fetchone() for token in tokens)
            return [_attempt(row) for row in rows if row is not None]

        return await self._database.read(query)

    async def begin_attempt(self, job_id: str, token: str, executor: str, shared: str = "") -> AttemptRecord | None:
        """Commit to an attempt before anything is started. None when the job no longer waits, or is to be cancelled.

        A job that went back to the queue while its cancellation was asked for is cancelled here: nobody else looks.
        """

        def transaction(db: sqlite3.Connection) -> tuple[AttemptRecord | None, list[job_pb2.JobEvent]]:
            job = _get(db, job_id)
            now = self._clock()
            if job.state is not State.QUEUED:
                return None, []
            if job.cancel_requested:
                return None, [_cancel_waiting(db, job_id, now)]
            number = job.attempts + 1
            db.execute(
                "INSERT INTO attempts (job_id, attempt, token, executor, shared, begin_time) VALUES (?, ?, ?, ?, ?, ?)",
                (job_id, number, token, executor, shared, now),
            )
            db.execute("UPDATE jobs SET state = 'PREPARING', attempts = ? WHERE job_id = ?", (number, job_id))
            event = _append(db, job_id, now, _state_event(State.PREPARING))
            return AttemptRecord(job_id, number, token, executor, shared=shared), [event]

        return await self._write(transaction)

    async def record_handle(self, token: str, handle: str) -> None:
        """Remember under what name the launcher knows an attempt."""
        await self._database.write(
            lambda db: db.execute("UPDATE attempts SET handle = ? WHERE token = ?", (handle, token)) and None
        )

    async def condemn(self, token: str, verdict: job_pb2.Failure) -> None:
        """Record that an attempt has failed, before it is ended."""
        data = verdict.SerializeToString()
        await self._database.write(
            lambda db: db.execute("UPDATE attempts SET verdict = ? WHERE token = ?", (data, token)) and None
        )

    async def move(
        self,
        job_id: str,
        state: State,
        failure: job_pb2.Failure | None = None,
        cost: run_pb2.Cost | None = None,
    ) -> JobRecord:
        """Change the state of a job; what a job took that has succeeded is remembered.

        Raises
        ------
        IllegalTransitionError
            It cannot go there.
        """

        def transaction(db: sqlite3.Connection) -> tuple[JobRecord, list[job_pb2.JobEvent]]:
            job = _get(db, job_id)
            check_transition(job.state, state)
            now = self._clock()
            start = now if state is State.RUNNING and job.start_time is None else job.start_time
            end = now if state.terminal else None
            why = None if failure is None else failure.SerializeToString()
            db.execute(
                "UPDATE jobs SET state = ?, start_time = ?, end_time = ?, failure = ? WHERE job_id = ?",
                (str(state), start, end, why, job_id),
            )
            if state.terminal or state is State.QUEUED:
                ending = str(state) if failure is None else failure.reason
                db.execute(
                    "UPDATE attempts SET end_time = ?, ending = ? WHERE job_id = ? AND attempt = ?",
                    (now, ending, job_id, job.attempts),
                )
            if state is State.SUCCEEDED and cost is not None:
                history.keep(db, job.prediction, job.ranks, cost)
            event = _append(db, job_id, now, _state_event(state, failure))
            return _get(db, job_id), [event]

        return await self._write(transaction)

    async def add_progress(self, attempt: AttemptRecord, steps: Sequence[job_pb2.Progress], offset: int) -> None:
        """Append progress as events, and note up to where it was read: none is told twice after a restart."""
        job_id = attempt.job_id

        def transaction(db: sqlite3.Connection) -> tuple[None, list[job_pb2.JobEvent]]:
            now = self._clock()
            events = [_append(db, job_id, now, job_pb2.JobEvent(progress=step)) for step in steps]
            db.execute("UPDATE jobs SET progress = ? WHERE job_id = ?", (steps[-1].SerializeToString(), job_id))
            db.execute("UPDATE attempts SET progress_offset = ? WHERE token = ?", (offset, attempt.token))
            return None, events

        await self._write(transaction)

    async def request_cancel(self, job_id: str, owner: str) -> JobRecord:
        """Ask for the end of a job; one that waits ends at once, one that has ended stays as it is."""

        def transaction(db: sqlite3.Connection) -> tuple[JobRecord, list[job_pb2.JobEvent]]:
            job = _get(db, job_id, owner)
            if job.state.terminal:
                return job, []
            db.execute("UPDATE jobs SET cancel_requested = 1 WHERE job_id = ?", (job_id,))
            events = []
            if job.state is State.QUEUED:
                events.append(_cancel_waiting(db, job_id, self._clock()))
            return _get(db, job_id), events

        return await self._write(transaction)

    async def delete(self, job_id: str, owner: str) -> None:
        """Remove a job that has ended.

        Raises
        ------
        Conflict
            It has not.
        """

        def transaction(db: sqlite3.Connection) -> None:
            job = _get(db, job_id, owner)
            if not job.state.terminal:
                raise Conflict("JOB_NOT_ENDED", job_id=job_id)
            db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

        await self._database.write(transaction)

    async def events(self, job_id: str, after: int, count: int) -> list[job_pb2.JobEvent]:
        """Events of a job with a larger sequence number than `after`, in order."""
        sql = "SELECT event FROM events WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        rows = await self._database.read(lambda db: db.execute(sql, (job_id, after, count)).fetchall())
        return [job_pb2.JobEvent.FromString(row[0]) for row in rows]

    async def known_ids(self) -> set[str]:
        """Ids of all jobs."""
        rows = await self._database.read(lambda db: db.execute("SELECT job_id FROM jobs").fetchall())
        return {row[0] for row in rows}

    async def _write(self, transaction: Callable[[sqlite3.Connection], tuple[T, Iterable[job_pb2.JobEvent]]]) -> T:
        result, events = await self._database.write(transaction)
        self._publish(list(events))
        return result


def _get(db: sqlite3.Connection, job_id: str, owner: str | None = None) -> JobRecord:
    row = db.execute(
        f"SELECT {_JOB_COLUMNS} FROM jobs WHERE job_id = ? AND owner = coalesce(?, owner)", (job_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound("JOB_NOT_FOUND", job_id=job_id)
    return _job(row)


def _earlier(db: sqlite3.Connection, owner: str, request_id: str, content_sha256: str) -> JobRecord | None:
    row = db.execute(
        "SELECT job_id, content_sha256 FROM jobs WHERE owner = ? AND request_id = ?", (owner, request_id)
    ).fetchone()
    if row is None:
        return None
    if row["content_sha256"] != content_sha256:
        raise Conflict("REQUEST_ID_REUSED", request_id=request_id, job_id=row["job_id"])
    return _get(db, row["job_id"])


def _job(row: sqlite3.Row) -> JobRecord:
    values = {name: row[name] for name in JobRecord.__dataclass_fields__}
    values["state"] = State(row["state"])
    values["cancel_requested"] = bool(row["cancel_requested"])
    return JobRecord(**values)


def _attempt(row: sqlite3.Row) -> AttemptRecord:
    verdict = None if row["verdict"] is None else job_pb2.Failure.FromString(row["verdict"])
    return AttemptRecord(
        row["job_id"],
        row["attempt"],
        row["token"],
        row["executor"],
        row["handle"],
        verdict,
        row["progress_offset"],
        row["shared"],
    )


def _append(db: sqlite3.Connection, job_id: str, now: Nanoseconds, event: job_pb2.JobEvent) -> job_pb2.JobEvent:
    """Number an event and store it, in the transaction of the change that it tells of."""
    sequence = db.execute("SELECT last_sequence FROM jobs WHERE job_id = ?", (job_id,)).fetchone()[0] + 1
    event.job_id = job_id
    event.sequence = sequence
    event.time.CopyFrom(timestamp_pb2.Timestamp(seconds=now // 10**9, nanos=now % 10**9))
    db.execute("INSERT INTO events VALUES (?, ?, ?)", (job_id, sequence, event.SerializeToString()))
    db.execute("UPDATE jobs SET last_sequence = ? WHERE job_id = ?", (sequence, job_id))
    return event


def _cancel_waiting(db: sqlite3.Connection, job_id: str, now: Nanoseconds) -> job_pb2.JobEvent:
    """End a job that waits."""
    db.execute("UPDATE jobs SET state = 'CANCELLED', end_time = ? WHERE job_id = ?", (now, job_id))
    return _append(db, job_id, now, _state_event(State.CANCELLED))


def wire_state(state: State) -> Any:
    """A state as it travels."""
    return job_pb2.Job.State.Value(f"STATE_{state}")


def _state_event(state: State, failure: job_pb2.Failure | None = None) -> job_pb2.JobEvent:
    change = job_pb2.StateChange(state=wire_state(state), failure=failure)
    return job_pb2.JobEvent(state=change)
