"""What earlier jobs took against what was predicted, and estimates corrected by it.

The model of the solver is fitted on other machines, with other bodies. Jobs of one kind (physics, cells, method) and of
about the same size err alike, so the median of their ratios measured / predicted corrects the next estimate: a few
jobs that were slow for reasons of their own do not move it. With few jobs the correction is drawn towards 1.
"""

from __future__ import annotations

import math
import sqlite3
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from dougong.internal import run_pb2
from dougong.server.database import Database
from dougong.v1 import job_pb2

#: Jobs of a kind and size that are remembered: the newest ones.
KEPT = 50

#: A ratio beyond this tells of a mistake, not of a machine.
_CREDIBLE = 1e3

#: The correction is drawn towards 1 as by so many jobs that took what was predicted.
_DOUBT = 1.0


@dataclass(frozen=True)
class Sample:
    """A job that has ended: what it was to take, and what it took."""

    predicted_seconds: float
    measured_seconds: float
    predicted_bytes: int
    measured_bytes: int


def size_class(dofs: int) -> int:
    """Jobs of one class differ by a factor of four in their unknowns at most."""
    return int(math.log(max(dofs, 1), 4.0))


def correction(pairs: Iterable[tuple[float, float]]) -> tuple[float, int]:
    """The factor by which predictions are to be multiplied, and how many jobs tell so.

    Parameters
    ----------
    pairs
        Predicted and measured, of each job. What cannot be true is left out.
    """
    logs = [
        math.log(measured / predicted)
        for predicted, measured in pairs
        if 0.0 < predicted < math.inf and 1.0 / _CREDIBLE <= measured / predicted <= _CREDIBLE
    ]
    if not logs:
        return 1.0, 0
    trust = len(logs) / (len(logs) + _DOUBT)
    return math.exp(trust * statistics.median(logs)), len(logs)


def corrected(estimate: job_pb2.Estimate, samples: Iterable[Sample]) -> job_pb2.Estimate:
    """An estimate of the model as earlier jobs correct it."""
    samples = list(samples)
    seconds, told_seconds = correction((s.predicted_seconds, s.measured_seconds) for s in samples)
    memory, told_memory = correction((s.predicted_bytes, s.measured_bytes) for s in samples)
    found = job_pb2.Estimate()
    found.CopyFrom(estimate)
    found.seconds *= seconds
    found.memory_bytes = round(estimate.memory_bytes * memory)
    found.earlier_jobs = max(told_seconds, told_memory)
    return found


def keep(db: sqlite3.Connection, prediction: bytes | None, ranks: int, cost: run_pb2.Cost) -> None:
    """Remember a job that has succeeded, within the transaction that says so; forget the oldest of its kind."""
    try:
        said = run_pb2.Prediction.FromString(prediction or b"")
    except DecodeError:
        return
    measured = sum(cost.peak_bytes)
    plausible = all(math.isfinite(x) for x in (said.estimate.seconds, cost.seconds)) and 0 < measured < 1 << 60
    if not said.kind or not plausible:  # what cannot be remembered must not hold up the job
        return
    size = size_class(said.estimate.dofs)
    db.execute(
        "INSERT INTO history (kind, size, dofs, ranks, predicted_seconds, measured_seconds, predicted_bytes,"
        " measured_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            said.kind,
            size,
            said.estimate.dofs,
            ranks,
            said.estimate.seconds,
            cost.seconds,
            said.estimate.memory_bytes,
            measured,
        ),
    )
    db.execute(
        "DELETE FROM history WHERE number <= (SELECT number FROM history WHERE kind = ? AND size = ?"
        " ORDER BY number DESC LIMIT 1 OFFSET ?) AND kind = ? AND size = ?",
        (said.kind, size, KEPT, said.kind, size),
    )


class History:
    """What is remembered of earlier jobs.

    Parameters
    ----------
    database
        Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def correct(self, kind: str, estimate: job_pb2.Estimate) -> job_pb2.Estimate:
        """The estimate of a job of some kind as earlier jobs correct it."""
        sql = (
            "SELECT predicted_seconds, measured_seconds, predicted_bytes, measured_bytes FROM history"
            " WHERE kind = ? AND size = ?"
        )
        key = (kind, size_class(estimate.dofs))
        rows = await self._database.read(lambda db: db.execute(sql, key).fetchall())
        return corrected(estimate, (Sample(*row) for row in rows))
