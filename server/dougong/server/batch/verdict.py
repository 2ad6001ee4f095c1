"""Why a batch job has ended without an outcome: the state that the batch system shows, as a reason of the catalogue."""

from __future__ import annotations

from dougong.server.batch.script import EXIT_MODULE, read_exit_code, time_limit_seconds, was_copy
from dougong.server.batch.system import Meaning
from dougong.server.cluster import Partition
from dougong.server.executors.base import Attempt
from dougong.server.jobs.model import failure
from dougong.server.postmortem import log_tail, why_lost
from dougong.solver import rundir
from dougong.v1 import job_pb2


def why_ended(title: str, attempt: Attempt, partition: Partition, meaning: str, state: str) -> job_pb2.Failure:
    """Why a job in this state left no outcome.

    Parameters
    ----------
    title
        Name of the batch system.
    attempt
        The attempt.
    partition
        Where it ran.
    meaning
        `Meaning.ENDED`, or a reason.
    state
        The state in the batch system's own words.
    """
    cause = f"{title} {attempt.handle or ''}: {state}"
    if meaning == Meaning.ENDED:
        if was_copy(attempt.directory):
            return failure("BATCH_REQUEUED", cause=cause, log=_log(attempt))
        return _why_exit(attempt, cause, read_exit_code(attempt.directory))
    if meaning == "TIME_LIMIT":
        return failure("TIME_LIMIT", limit_seconds=time_limit_seconds(partition, attempt.resources) or "?")
    if meaning == "OUT_OF_MEMORY":
        limit = attempt.resources.memory_bytes or partition.memory_bytes
        return failure("OUT_OF_MEMORY", limit_bytes=limit or "?", peak_bytes=f"> {limit}" if limit else "?")
    return failure(meaning, cause=cause, log=_log(attempt))


def why_unknown(title: str, attempt: Attempt) -> job_pb2.Failure:
    """Why a job that the batch system does not know (any more) left no outcome."""
    code = read_exit_code(attempt.directory)
    cause = f"{title} {attempt.handle or ''}".strip()
    if was_copy(attempt.directory):
        return failure("BATCH_REQUEUED", cause=cause, log=_log(attempt))
    if code is not None:
        return _why_exit(attempt, cause, code)
    if rundir.is_fenced(attempt.directory):
        return failure("BATCH_JOB_LOST", cause=cause, log=_log(attempt))
    return failure("LAUNCH_FAILED", cause=f"{cause} does not know the job", log=_log(attempt))


def _why_exit(attempt: Attempt, cause: str, code: int | None) -> job_pb2.Failure:
    if not rundir.is_fenced(attempt.directory):
        if code == EXIT_MODULE:
            return failure("MODULE_NOT_LOADED", cause=cause, log=_log(attempt))
        if code in (None, 0):
            return failure("LAUNCH_FAILED", cause=f"{cause} before the worker began", log=_log(attempt))
    return why_lost(attempt.directory, attempt.resources.ranks, code)


def _log(attempt: Attempt) -> str:
    return log_tail(attempt.directory / rundir.LOG)[-500:].decode(errors="replace").strip()
