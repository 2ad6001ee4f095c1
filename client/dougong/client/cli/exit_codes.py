"""What the exit code of `dougong` means; documented in docs/reference/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum

from dougong.client.errors import ServerUnreachable
from dougong.messages import Conflict, FemError, InputError, NotFound
from dougong.v1 import job_pb2


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    JOB_FAILED = 1
    INPUT = 2
    UNREACHABLE = 3
    CANCELLED = 4
    DETACHED = 5
    REFUSED = 6
    INTERRUPTED = 130


def of_error(error: FemError) -> ExitCode:
    """The exit code that an error ends the command with."""
    if isinstance(error, ServerUnreachable):
        return ExitCode.UNREACHABLE
    # More ranks than the server has cores, or a file it does not take, is the input's fault, not the server's state.
    if isinstance(error, InputError | NotFound | Conflict) or error.reason in ("TOO_MANY_RANKS", "MESH_FILE_TOO_LARGE"):
        return ExitCode.INPUT
    return ExitCode.REFUSED


def of_state(state: job_pb2.Job.State) -> ExitCode:
    """The exit code for a job that has ended; OK for one that has not."""
    return {
        job_pb2.Job.STATE_FAILED: ExitCode.JOB_FAILED,
        job_pb2.Job.STATE_CANCELLED: ExitCode.CANCELLED,
    }.get(state, ExitCode.OK)
