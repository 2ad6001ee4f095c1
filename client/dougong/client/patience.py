"""When a call is made again, and when it is given up: the same for the synchronous and the asynchronous client."""

from __future__ import annotations

import time

import grpc

from dougong.client.errors import from_rpc
from dougong.client.transport import RETRY_DELAYS_SECONDS, WATCH_PATIENCE_SECONDS
from dougong.v1 import job_pb2

TERMINAL_STATES = frozenset({job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED})

#: Seconds before a stream of events that broke off, or that the server ended, is asked for again.
BROKEN_SECONDS, ENDED_SECONDS = 0.5, 0.2


def delay(error: grpc.RpcError, attempt: int, address: str) -> float:
    """Seconds to wait before a call is made again; raises what the error stands for when it is not."""
    if error.code() != grpc.StatusCode.UNAVAILABLE or attempt >= len(RETRY_DELAYS_SECONDS):
        raise from_rpc(error, address) from error
    return RETRY_DELAYS_SECONDS[attempt]


class Watching:
    """How far the events of a job have been seen, and since when the server has been away.

    Parameters
    ----------
    job_id
        The job.
    after_sequence
        The last event that is known already.
    """

    def __init__(self, job_id: str, after_sequence: int) -> None:
        self._job_id = job_id
        self._after_sequence = after_sequence
        self._lost_since: float | None = None

    def request(self) -> job_pb2.WatchJobRequest:
        """Ask for what has not been seen."""
        return job_pb2.WatchJobRequest(job_id=self._job_id, after_sequence=self._after_sequence)

    def seen(self, event: job_pb2.JobEvent) -> None:
        """Remember an event."""
        self._lost_since = None
        self._after_sequence = event.sequence

    def is_over(self, job: job_pb2.Job) -> bool:
        """Whether a job has ended and its last event was known before: then its stream is empty."""
        return job.state in TERMINAL_STATES and job.last_sequence <= self._after_sequence

    def lost(self, error: grpc.RpcError, address: str) -> None:
        """Take note that the stream broke off; raises what the error stands for when waiting is of no use."""
        failure = from_rpc(error, address)
        now = time.monotonic()
        self._lost_since = self._lost_since or now
        # A watcher that took its events too slowly was dropped; the next call brings what it missed.
        passing = error.code() == grpc.StatusCode.UNAVAILABLE or failure.reason == "WATCHER_TOO_SLOW"
        if not passing or now - self._lost_since > WATCH_PATIENCE_SECONDS:
            raise failure from error


def is_last(event: job_pb2.JobEvent) -> bool:
    """Whether a job ends with this event."""
    return event.WhichOneof("event") == "state" and event.state.state in TERMINAL_STATES
