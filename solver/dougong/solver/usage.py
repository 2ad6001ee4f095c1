"""What a job takes: time and memory, told with its result so that the server can compare it with its estimate."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from dougong.internal import run_pb2
from dougong.solver.parallel.comm import Comm

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")

#: What `clear_refs` is given to have the peak of the resident set begin anew (proc(5)).
_RESET_PEAK = "5"


class Meter:
    """Measures from its making on, of this process alone.

    Parameters
    ----------
    since
        Monotonic time, in seconds, at which the job began; default: now.
    """

    def __init__(self, since: float | None = None) -> None:
        self._since = time.monotonic() if since is None else since
        # A warm worker has served others. Where the kernel refuses, its peak is one that some job had.
        with contextlib.suppress(OSError):
            _CLEAR.write_text(_RESET_PEAK)

    def read(self, comm: Comm) -> run_pb2.Cost:
        """Time until now, and the largest memory of each rank. Collective."""
        return run_pb2.Cost(seconds=time.monotonic() - self._since, peak_bytes=comm.gather(_peak_bytes()))


def process_began() -> float:
    """Monotonic time, in seconds, at which this process was started, to a hundredth."""
    try:
        # The name of the program, in parentheses, may contain blanks.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    # starttime, field 22 of the line, in ticks since the machine was started (proc(5)).
    ticks = int(fields[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - max(age, 0.0)


def _peak_bytes() -> int:
    """Largest resident set since the last reset; 0 where nobody tells."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)
