"""Rows of jobs: durability settings, idempotence, terminal states, numbering of events."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dougong.messages import Conflict, NotFound, ResourceLimit
from dougong.server.database import Database
from dougong.server.jobs.model import IllegalTransitionError, State, failure
from dougong.server.jobs.store import JobFilter, JobStore, NewJob
from dougong.server.schema import MIGRATIONS
from dougong.server.starting import StartError
from dougong.v1 import analysis_pb2, job_pb2

Published = list[job_pb2.JobEvent]
Story = Callable[[JobStore, Database, Published], Coroutine[Any, Any, None]]


def _run(path: Path, story: Story, max_queued: int = 100) -> Published:
    """Let a story happen in a store with one mesh, "m"."""

    async def main() -> Published:
        database = Database(path)
        published: Published = []
        time = iter(range(10**9, 10**12))
        store = JobStore(database, lambda: next(time), published.extend, max_queued)
        sql = "INSERT OR IGNORE INTO meshes VALUES (1, 'me', 'm', 'f', 1, 'gmsh', 0)"
        await database.write(lambda db: db.execute(sql) and None)
        try:
            await story(store, database, published)
        finally:
            database.close()
        return published

    return asyncio.run(main())


def _new(k: int, content: str = "c", mesh: str = "m", **resources: int) -> NewJob:
    analysis = analysis_pb2.Analysis(name=f"name {k}", mesh=mesh)
    return NewJob(f"job-{k}", "me", f"request-{k}", content, analysis, job_pb2.Resources(ranks=1, **resources))


def test_the_database_is_durable_and_says_so(tmp_path: Path) -> None:
    async def story(store: JobStore, database: Database, _: Published) -> None:
        assert (await database.write(lambda db: db.execute("PRAGMA synchronous").fetchone()))[0] == 2
        assert (await database.write(lambda db: db.execute("PRAGMA journal_mode").fetchone()))[0] == "wal"

    _run(tmp_path / "db", story)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StartError, match="newer"):
        Database(tmp_path / "db")


def test_a_job_and_its_events(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, published: Published) -> None:
        job = await store.submit(_new(1))
        assert (job.state, job.last_sequence, job.attempts) == (State.QUEUED, 1, 0)
        attempt = await store.begin_attempt(job.job_id, "token", "local")
        assert attempt is not None
        assert await store.begin_attempt(job.job_id, "other", "local") is None
        await store.record_handle("token", "77")
        await store.move(job.job_id, State.RUNNING)
        await store.add_progress(attempt, [job_pb2.Progress(stage="read"), job_pb2.Progress(stage="solve")], 99)
        stored = await store.attempt(job.job_id)
        assert stored is not None
        assert (stored.handle, stored.progress_offset, stored.attempt) == ("77", 99, 1)
        job = await store.move(job.job_id, State.FAILED, failure("STALLED", limit_seconds=1))
        assert job.failure is not None
        assert job.start_time is not None
        assert job.end_time is not None
        assert job.start_time < job.end_time
        assert await store.events(job.job_id, 0, 100) == published
        assert await store.events(job.job_id, 4, 1) == published[4:5]
        assert await store.unfinished() == []

    published = _run(tmp_path / "db", story)
    assert [e.sequence for e in published] == [1, 2, 3, 4, 5, 6]
    assert published[-1].state.failure.reason == "STALLED"


def test_it_is_all_there_when_opened_again(tmp_path: Path) -> None:
    async def first(store: JobStore, _: Database, __: Published) -> None:
        await store.submit(_new(1))
        await store.begin_attempt("job-1", "token", "local")
        await store.condemn("token", failure("STALLED", limit_seconds=1))

    async def second(store: JobStore, _: Database, __: Published) -> None:
        (job,) = await store.unfinished()
        assert (job.job_id, job.state) == ("job-1", State.PREPARING)
        attempt = await store.attempt("job-1")
        assert attempt is not None
        assert attempt.verdict is not None
        assert attempt.verdict.reason == "STALLED"

    _run(tmp_path / "db", first)
    _run(tmp_path / "db", second)


@pytest.mark.parametrize("end", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_nothing_leaves_a_terminal_state_not_even_by_sql(tmp_path: Path, end: State) -> None:
    async def story(store: JobStore, database: Database, _: Published) -> None:
        await store.submit(_new(1))
        await store.begin_attempt("job-1", "token", "local")
        await store.move("job-1", State.RUNNING)
        await store.move("job-1", end)
        for state in State:
            with pytest.raises(IllegalTransitionError):
                await store.move("job-1", state)
        assert (await store.request_cancel("job-1", "me")).state is end
        with pytest.raises(sqlite3.IntegrityError, match="has ended"):
            await database.write(lambda db: db.execute("UPDATE jobs SET state = 'QUEUED'") and None)
        with pytest.raises(sqlite3.IntegrityError, match="gap"):
            await database.write(lambda db: db.execute("INSERT INTO events VALUES ('job-1', 9, x'')") and None)
        assert (await store.get("job-1")).state is end

    _run(tmp_path / "db", story)


def test_a_refused_change_leaves_no_event(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, published: Published) -> None:
        await store.submit(_new(1))
        with pytest.raises(IllegalTransitionError):
            await store.move("job-1", State.SUCCEEDED)
        assert await store.events("job-1", 0, 10) == published
        assert len(published) == 1

    _run(tmp_path / "db", story)


def test_many_equal_submissions_are_one_job(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, published: Published) -> None:
        jobs = [NewJob(f"job-{k}", "me", "the same", "c", _new(0).analysis, job_pb2.Resources()) for k in range(20)]
        got = await asyncio.gather(*(store.submit(job) for job in jobs))
        assert len({job.job_id for job in got}) == 1
        assert len(published) == 1
        with pytest.raises(Conflict, match="the same"):
            await store.submit(NewJob("job-x", "me", "the same", "other", _new(0).analysis, job_pb2.Resources()))
        with pytest.raises(Conflict):
            await store.find_request("me", "the same", "other")
        # Another user's request ids are another user's.
        assert await store.find_request("you", "the same", "c") is None

    _run(tmp_path / "db", story)


def test_submissions_that_cannot_be(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, __: Published) -> None:
        with pytest.raises(NotFound):
            await store.submit(_new(1, mesh="x"))
        await store.submit(_new(2))
        with pytest.raises(ResourceLimit):
            await store.submit(_new(3))
        assert len(await store.unfinished()) == 1

    _run(tmp_path / "db", story, max_queued=1)


def test_a_foreign_job_does_not_exist(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, __: Published) -> None:
        await store.submit(_new(1))
        for call in (
            store.get("job-1", "you"),
            store.request_cancel("job-1", "you"),
            store.delete("job-1", "you"),
            store.get("job-2", "me"),
        ):
            with pytest.raises(NotFound):
                await call
        assert await store.page(JobFilter("you"), 2**62, 10) == []

    _run(tmp_path / "db", story)


def test_cancel_while_waiting_and_while_running(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, published: Published) -> None:
        await store.submit(_new(1))
        assert (await store.request_cancel("job-1", "me")).state is State.CANCELLED
        assert await store.begin_attempt("job-1", "t1", "local") is None
        await store.submit(_new(2))
        await store.begin_attempt("job-2", "t2", "local")
        job = await store.request_cancel("job-2", "me")
        assert (job.state, job.cancel_requested) == (State.PREPARING, True)
        with pytest.raises(Conflict):
            await store.delete("job-2", "me")
        await store.delete("job-1", "me")
        assert await store.known_ids() == {"job-2"}
        assert await store.events("job-1", 0, 10) == []

    _run(tmp_path / "db", story)


def test_a_full_disk_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    async def story(store: JobStore, database: Database, published: Published) -> None:
        await store.submit(_new(1))
        pages = await database.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await database.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())
        many = asyncio.gather(*(store.submit(_new(k)) for k in range(2, 200)), return_exceptions=True)
        refused = [r for r in await many if isinstance(r, BaseException)]
        assert refused
        assert {type(r) for r in refused} == {ResourceLimit}
        assert {r.reason for r in refused if isinstance(r, ResourceLimit)} == {"DISK_FULL"}
        ids = await store.known_ids()
        assert len(ids) == len(published)
        await database.write(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
        await store.submit(_new(500))
        assert (await store.get("job-1")).state is State.QUEUED

    _run(tmp_path / "db", story, max_queued=1000)


def test_a_job_cancelled_on_its_way_back_to_the_queue_ends(tmp_path: Path) -> None:
    async def story(store: JobStore, _: Database, published: Published) -> None:
        await store.submit(_new(1))
        await store.begin_attempt("job-1", "token", "local")
        await store.request_cancel("job-1", "me")
        await store.move("job-1", State.QUEUED)
        assert await store.begin_attempt("job-1", "another", "local") is None
        job = await store.get("job-1")
        assert job.state is State.CANCELLED
        assert job.end_time is not None
        assert published[-1].state.state == job_pb2.Job.STATE_CANCELLED

    _run(tmp_path / "db", story)


def test_a_slow_disk_does_not_hold_up_readers(tmp_path: Path) -> None:
    async def story(store: JobStore, database: Database, _: Published) -> None:
        await store.submit(_new(1))
        begun, go_on = threading.Event(), threading.Event()

        def slow(db: sqlite3.Connection) -> None:
            begun.set()
            assert go_on.wait(20)

        writing = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(begun.wait, 20)
        assert (await store.get("job-1")).state is State.QUEUED
        assert len(await store.events("job-1", 0, 10)) == 1
        assert not writing.done()
        go_on.set()
        await writing

    _run(tmp_path / "db", story)
