"""Estimates learn from earlier jobs: pure correction, and what is remembered in the database."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dougong.internal import run_pb2
from dougong.server.database import Database
from dougong.server.jobs import history
from dougong.server.jobs.history import History, Sample, corrected, correction
from dougong.server.jobs.model import State
from dougong.server.jobs.store import JobStore, NewJob
from dougong.server.schema import MIGRATIONS
from dougong.v1 import analysis_pb2, job_pb2

MODEL = job_pb2.Estimate(dofs=100_000, memory_bytes=10**9, seconds=10.0, solver="iterative")
KIND = "static/tet10/iterative"


def _samples(*ratios: float) -> list[Sample]:
    return [Sample(10.0, 10.0 * r, 10**9, round(10**9 * r)) for r in ratios]


def test_without_earlier_jobs_the_model_stands():
    assert corrected(MODEL, []) == MODEL


def test_after_jobs_that_took_twice_as_long_the_estimate_doubles():
    found = corrected(MODEL, _samples(*[2.0] * 12))
    assert found.seconds == pytest.approx(20.0, rel=0.06)
    assert found.memory_bytes == pytest.approx(2e9, rel=0.06)
    assert found.earlier_jobs == 12
    assert (found.dofs, found.solver) == (MODEL.dofs, MODEL.solver)


def test_more_jobs_are_believed_more_and_none_is_believed_beyond_itself():
    factors = [correction([(1.0, 2.0)] * n)[0] for n in range(1, 20)]
    assert factors == sorted(factors)
    assert all(1.0 < f < 2.0 for f in factors)


def test_time_and_memory_are_corrected_apart():
    found = corrected(MODEL, [Sample(10.0, 20.0, 10**9, 5 * 10**8)] * 30)
    assert found.seconds > 19.0
    assert found.memory_bytes < 0.53e9


def test_a_few_outliers_do_not_move_it():
    usual = correction([(10.0, 11.0)] * 20)[0]
    disturbed = correction([(10.0, 11.0)] * 20 + [(10.0, 900.0)] * 6)[0]
    assert disturbed == pytest.approx(usual, rel=0.02)


def test_what_cannot_be_true_is_left_out():
    wrong = [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -2.0), (math.nan, 1.0), (1.0, math.nan), (1.0, math.inf)]
    wrong += [(math.inf, 1.0), (1.0, 1e9), (1e9, 1.0)]
    assert correction(wrong) == (1.0, 0)
    assert correction([*wrong, (1.0, 3.0)]) == correction([(1.0, 3.0)])


def test_order_does_not_matter_and_inverse_ratios_give_the_inverse():
    ratios = [1.2, 3.0, 0.7, 2.2, 1.9]
    pairs = [(1.0, r) for r in ratios]
    assert correction(pairs) == correction(pairs[::-1])
    assert correction([(r, 1.0) for r in ratios])[0] == pytest.approx(1.0 / correction(pairs)[0])


Story = Callable[[JobStore, Database], Coroutine[Any, Any, None]]


def _run(path: Path, story: Story) -> None:
    async def main() -> None:
        database = Database(path)
        time = iter(range(10**9, 10**12))
        store = JobStore(database, lambda: next(time), lambda _: None)
        sql = "INSERT OR IGNORE INTO meshes VALUES (1, 'me', 'm', 'f', 1, 'gmsh', 0)"
        await database.write(lambda db: db.execute(sql) and None)
        try:
            await story(store, database)
        finally:
            database.close()

    asyncio.run(main())


async def _job(store: JobStore, name: str, seconds: float, kind: str = KIND, end: State = State.SUCCEEDED) -> None:
    prediction = run_pb2.Prediction(kind=kind, estimate=MODEL)
    analysis = analysis_pb2.Analysis(mesh="m")
    await store.submit(NewJob(name, "me", name, "c", analysis, job_pb2.Resources(ranks=1), prediction))
    await store.begin_attempt(name, f"token {name}", "local")
    await store.move(name, State.RUNNING)
    await store.move(name, end, None, run_pb2.Cost(seconds=seconds, peak_bytes=[10**9]))


def test_finished_jobs_correct_the_next_also_after_they_are_deleted(tmp_path):
    async def first(store: JobStore, database: Database) -> None:
        for k in range(9):
            await _job(store, f"job-{k}", 20.0)
            await store.delete(f"job-{k}", "me")
        await _job(store, "job-failed", 1000.0, end=State.FAILED)

    async def second(store: JobStore, database: Database) -> None:
        found = await History(database).correct(KIND, MODEL)
        assert found.earlier_jobs == 9
        assert found.seconds == pytest.approx(10.0 * 2.0**0.9)
        assert found.memory_bytes == MODEL.memory_bytes
        # Another kind, and another size of the same kind, know nothing of these.
        assert await History(database).correct("static/tet4/iterative", MODEL) == MODEL
        large = job_pb2.Estimate(dofs=10**7, seconds=10.0, memory_bytes=1)
        assert await History(database).correct(KIND, large) == large

    _run(tmp_path / "db", first)
    _run(tmp_path / "db", second)


def test_the_newest_jobs_of_a_kind_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 5)

    async def story(store: JobStore, database: Database) -> None:
        await _job(store, "job-other", 30.0, kind="steady_heat/tet4/direct")
        for k in range(12):
            await _job(store, f"job-{k}", float(k + 1))
        rows = await database.read(
            lambda db: db.execute("SELECT kind, measured_seconds FROM history ORDER BY number").fetchall()
        )
        assert [tuple(r) for r in rows] == [
            ("steady_heat/tet4/direct", 30.0),
            *((KIND, float(k)) for k in (8, 9, 10, 11, 12)),
        ]

    _run(tmp_path / "db", story)


def test_a_damaged_prediction_stops_no_job(tmp_path):
    async def story(store: JobStore, database: Database) -> None:
        await store.submit(NewJob("a", "me", "a", "c", analysis_pb2.Analysis(mesh="m"), job_pb2.Resources()))
        await database.write(lambda db: db.execute("UPDATE jobs SET prediction = x'ff07'") and None)
        await store.begin_attempt("a", "token", "local")
        await store.move("a", State.RUNNING)
        done = await store.move("a", State.SUCCEEDED, None, run_pb2.Cost(seconds=1.0, peak_bytes=[1]))
        assert done.state is State.SUCCEEDED
        assert (await History(database).correct(KIND, MODEL)) == MODEL

    _run(tmp_path / "db", story)


@pytest.mark.parametrize(
    "cost", [{"seconds": float("nan"), "peak_bytes": [1]}, {"seconds": 1.0, "peak_bytes": [2**62] * 4}]
)
def test_what_cannot_be_remembered_stops_no_job(tmp_path, cost):
    async def story(store: JobStore, database: Database) -> None:
        prediction = run_pb2.Prediction(kind=KIND, estimate=MODEL)
        analysis = analysis_pb2.Analysis(mesh="m")
        await store.submit(NewJob("a", "me", "a", "c", analysis, job_pb2.Resources(), prediction))
        await store.begin_attempt("a", "token", "local")
        await store.move("a", State.RUNNING)
        done = await store.move("a", State.SUCCEEDED, None, run_pb2.Cost(**cost))
        assert done.state is State.SUCCEEDED
        assert (await History(database).correct(KIND, MODEL)) == MODEL

    _run(tmp_path / "db", story)


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path, monkeypatch):
    monkeypatch.setattr("dougong.server.database.MIGRATIONS", MIGRATIONS[:1])

    async def old(_store: JobStore, database: Database) -> None:
        sql = (
            "INSERT INTO jobs (job_id, owner, request_id, content_sha256, name, mesh_id, analysis, resources, ranks,"
            " priority, state, create_time) VALUES ('old', 'me', 'r', 'c', '', 'm', x'', x'', 1, 0, 'QUEUED', 0)"
        )
        await database.write(lambda db: db.execute(sql) and None)

    _run(tmp_path / "db", old)
    monkeypatch.undo()

    async def new(store: JobStore, database: Database) -> None:
        await store.begin_attempt("old", "token", "local")
        await store.move("old", State.RUNNING)
        await store.move("old", State.SUCCEEDED, None, run_pb2.Cost(seconds=1.0, peak_bytes=[1]))
        await _job(store, "job-1", 20.0)
        assert (await History(database).correct(KIND, MODEL)).earlier_jobs == 1

    _run(tmp_path / "db", new)
