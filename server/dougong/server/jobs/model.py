"""The life of a job, as pure functions: states, legal transitions, and what is to be done next.

    QUEUED -> PREPARING -> RUNNING -> SUCCEEDED | FAILED | CANCELLED

Nothing here reads a clock, a file or a process. `next_actions` is given all that is known and answers with what the
scheduler has to do; times are seconds of a monotonic clock, so that a jump of the wall clock ends no job.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dougong.internal import run_pb2
from dougong.messages import render
from dougong.v1 import job_pb2

#: An attempt that was lost for a cause outside the job is repeated; so many attempts in all.
MAX_ATTEMPTS = 3

#: Causes outside the job. All others fail it at once: the same would happen again.
RETRYABLE = frozenset(
    {"NODE_FAILED", "NODE_BOOT_FAILED", "PREEMPTED", "LAUNCH_FAILED", "BATCH_JOB_LOST", "BATCH_REQUEUED"}
)


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether a job in this state has ended."""
        return self in TERMINAL


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})

#: Where each state may lead.
LEGAL: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.PREPARING, State.FAILED, State.CANCELLED}),
    State.PREPARING: frozenset({State.RUNNING, State.QUEUED, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}


class IllegalTransitionError(Exception):
    """A mistake in the program: a job was to go where it cannot."""


def check_transition(old: State, new: State) -> None:
    """Refuse an illegal transition.

    Raises
    ------
    IllegalTransitionError
        `new` cannot follow `old`.
    """
    if new not in LEGAL[old]:
        raise IllegalTransitionError(f"{old} -> {new}")


class Phase(StrEnum):
    """What a launcher knows of an attempt."""

    UNKNOWN = "UNKNOWN"  # It could not be asked: nothing follows.
    WAITING = "WAITING"  # Accepted, not started.
    RUNNING = "RUNNING"
    GONE = "GONE"  # No process of it is left.


@dataclass(frozen=True)
class Observation:
    """All that is known of the current attempt at one moment.

    Attributes
    ----------
    phase
        What the launcher says.
    succeeded
        A valid outcome of this attempt says so, and all its files have their checksums.
    failure
        The failure in a valid outcome, or that the outcome is damaged.
    lost
        When the attempt is gone without an outcome: why, as the launcher knows it.
    hopeless
        Why it will never start, if the launcher knows that.
    run_seconds
        Since the attempt started.
    silent_seconds
        Since the last sign of life.
    silent_rank
        The rank that gives none, if it is known.
    memory_bytes
        Memory of all its processes; 0 when not measured.
    cost
        What it took, as a valid outcome says; it decides nothing.
    """

    phase: Phase
    succeeded: bool = False
    failure: job_pb2.Failure | None = None
    lost: job_pb2.Failure | None = None
    hopeless: job_pb2.Failure | None = None
    run_seconds: float = 0.0
    silent_seconds: float = 0.0
    silent_rank: int | None = None
    memory_bytes: int = 0
    cost: run_pb2.Cost | None = None


@dataclass(frozen=True)
class JobView:
    """What the model needs to know of a job.

    Attributes
    ----------
    verdict
        The server has decided that the current attempt has failed, and is ending it.
    time_limit_seconds, memory_limit_bytes, stall_limit_seconds
        0: no limit.
    """

    state: State
    attempts: int = 0
    cancel_requested: bool = False
    verdict: job_pb2.Failure | None = None
    time_limit_seconds: float = 0.0
    memory_limit_bytes: int = 0
    stall_limit_seconds: float = 0.0


@dataclass(frozen=True)
class Move:
    """Change the state."""

    state: State
    failure: job_pb2.Failure | None = None


@dataclass(frozen=True)
class Condemn:
    """Record that the current attempt has failed, before anything is done about it."""

    failure: job_pb2.Failure


@dataclass(frozen=True)
class Stop:
    """Revoke the attempt and end its processes."""


Action = Move | Condemn | Stop


def failure(reason: str, rank: int | None = None, **params: object) -> job_pb2.Failure:
    """A failure with its sentences."""
    texts = {key: str(value) for key, value in params.items()}
    english, chinese = (render(reason, _with_log(texts, language), language).rstrip() for language in ("en", "zh"))
    message = job_pb2.Failure(reason=reason, params=texts, text=english, text_zh=chinese)
    if rank is not None:
        message.rank = rank
    return message


def _with_log(params: dict[str, str], language: str) -> dict[str, str]:
    """The end of a log is announced only where there is one."""
    return {**params, "log": render("LOG_END", params, language)} if params.get("log", "").strip() else params


def next_actions(job: JobView, seen: Observation | None) -> list[Action]:
    """What is to be done, in this order.

    Parameters
    ----------
    job
        The job.
    seen
        Its current attempt; None while it has none.
    """
    if job.state.terminal:
        return []
    if job.state is State.QUEUED:
        return [Move(State.CANCELLED)] if job.cancel_requested else []
    if seen is None:
        return []
    unknown = seen.phase is Phase.UNKNOWN
    if job.verdict is not None:
        return [] if unknown else [_fail(job.verdict)] if seen.phase is Phase.GONE else [Stop()]
    # An outcome counts whoever else does not answer.
    if seen.succeeded:
        return [*_seen_running(job), Move(State.SUCCEEDED)]
    if seen.failure is not None:
        return [*_seen_running(job), _fail(seen.failure)]
    if unknown:
        return []
    if job.cancel_requested:
        return [Move(State.CANCELLED)] if seen.phase is Phase.GONE else [Stop()]
    if seen.phase is Phase.GONE:
        return _after_loss(job, seen.lost or failure("WORKER_DIED", cause="unknown", log=""))
    excess = _excess(job, seen)
    if excess is not None:
        return [Condemn(excess), Stop()]
    return _seen_running(job) if seen.phase is Phase.RUNNING else []


def _fail(why: job_pb2.Failure) -> Move:
    return Move(State.FAILED, why)


def _seen_running(job: JobView) -> list[Action]:
    """Every result passes through RUNNING, also when it came before anybody looked."""
    return [Move(State.RUNNING)] if job.state is State.PREPARING else []


def _after_loss(job: JobView, lost: job_pb2.Failure) -> list[Action]:
    if lost.reason in RETRYABLE and job.attempts < MAX_ATTEMPTS:
        return [Stop(), Move(State.QUEUED)]
    return [_fail(lost)]


def _excess(job: JobView, seen: Observation) -> job_pb2.Failure | None:
    """Why it must not go on: it cannot, or a limit is exceeded."""
    if seen.hopeless is not None:
        return seen.hopeless
    if 0 < job.time_limit_seconds < seen.run_seconds:
        return failure("TIME_LIMIT", limit_seconds=f"{job.time_limit_seconds:g}")
    if 0 < job.memory_limit_bytes < seen.memory_bytes:
        return failure("OUT_OF_MEMORY", limit_bytes=job.memory_limit_bytes, peak_bytes=seen.memory_bytes)
    if seen.phase is Phase.RUNNING and 0 < job.stall_limit_seconds < seen.silent_seconds:
        return failure("STALLED", seen.silent_rank, limit_seconds=f"{job.stall_limit_seconds:g}")
    return None


@dataclass(frozen=True)
class Waiting:
    """A job in the queue.

    Attributes
    ----------
    number
        Order of submission.
    not_before
        Monotonic time before which it is not tried again.
    """

    job_id: str
    number: int
    priority: int
    ranks: int
    not_before: float = field(default=0.0)


def pick(queue: list[Waiting], free_cores: int, all_cores: int, now: float) -> list[str]:
    """The jobs to start now: highest priority first, then first come first served.

    A job that does not fit holds back those behind it: otherwise a stream of small jobs would keep a large one waiting
    for ever. A job that waits to be tried again holds nobody back. A job that wants more cores than there are (there
    were more when it was accepted) gets all of them.
    """
    chosen = []
    for job in sorted(queue, key=lambda j: (-j.priority, j.number)):
        if job.not_before > now:
            continue
        wanted = min(job.ranks, all_cores)
        if wanted > free_cores:
            break
        free_cores -= wanted
        chosen.append(job.job_id)
    return chosen
