"""Why an attempt left no outcome, as far as its exit code and the end of its log tell."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from dougong.server.jobs.model import failure
from dougong.solver import rundir
from dougong.v1 import job_pb2

#: Lines by which Open MPI 4 and 5, MPICH, and srun under whatever name, say which rank died first.
_RANK = re.compile(
    rb"process rank (\d+) with PID|MPI_ABORT was invoked on rank (\d+)|RANK (\d+) PID"
    rb"|Process name: \[(?:\[\d+,\d+\]|\S+@\d+),(\d+)\]|\w+: error: \S+: task (\d+):"
)


def why_lost(directory: Path, ranks: int, code: int | None, *, started: bool = True) -> job_pb2.Failure:
    """What the exit code and the log tell. An exit code is only a hint: launchers do not agree on it.

    Parameters
    ----------
    directory
        The run directory.
    ranks
        Number of ranks.
    code
        Exit code of the launcher, negative or above 128 for a signal; None: not known.
    started
        Whether it is known that anything was started at all.
    """
    tail = log_tail(directory / rundir.LOG)
    found = _RANK.search(tail)
    rank = next((int(g) for g in found.groups() if g is not None), None) if found else None
    if rank is None and ranks == 1:
        rank = 0
    log = tail[-500:].decode(errors="replace").strip()
    number = None if code is None else -code if code < 0 else code - 128 if 128 < code < 193 else None
    if number is not None:
        cause = f"signal {number} ({signal.strsignal(number) or 'unknown'})"
        return failure("WORKER_DIED", rank, cause=cause, log=log)
    if not started and code is None and not rundir.is_fenced(directory):
        return failure("LAUNCH_FAILED", cause="the server stopped before it could start the worker", log=log)
    if code not in (None, 0) and not rundir.is_fenced(directory):
        return failure("LAUNCH_FAILED", cause=f"exit code {code} before the worker began", log=log)
    return failure("WORKER_DIED", rank, cause="unknown" if code is None else f"exit code {code}", log=log)


def log_tail(path: Path) -> bytes:
    """The end of a log; nothing when there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 20_000))
            return file.read()
    except OSError:
        return b""
