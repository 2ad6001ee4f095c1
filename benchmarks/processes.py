"""Runs a program and says how long it took and how much memory it had."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: One BLAS thread a process, and what Open MPI wants of root.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}


#: Seconds between looks at the memory of a process.
_LOOK_EVERY = 0.02


class FailedError(Exception):
    """A program ended with an error."""


_deadline = math.inf


def set_deadline(seconds: float) -> None:
    """End every program that still runs in so many seconds from now."""
    global _deadline
    _deadline = time.monotonic() + seconds


@dataclass(frozen=True)
class Run:
    """How a program ran.

    Attributes
    ----------
    seconds
        From start to end of the process.
    peak_bytes
        Largest resident set of the process; of programs that it starts nothing is known.
    output
        What it printed.
    processor_seconds
        Time on processors, its children included: hardly depends on what else runs.
    """

    seconds: float
    peak_bytes: int
    output: str
    processor_seconds: float


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Run:
    """Run a program to its end.

    Raises
    ------
    FailedError
        It ended with an error, or is not there.
    """
    words = [str(word) for word in command]
    before = _processor_seconds()
    start = time.perf_counter()
    try:
        child = subprocess.Popen(
            words,
            env=os.environ | ENVIRONMENT | dict(environment or {}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise FailedError(f"{words[0]}: {error.strerror}") from error
    memory = _Memory(child.pid)
    try:
        left = None if math.isinf(_deadline) else max(_deadline - time.monotonic(), 0.1)
        output = child.communicate(timeout=left)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        memory.end()
        raise FailedError(f"{words[0]}: ended, the time is up") from None
    seconds = time.perf_counter() - start
    peak = memory.end()
    if child.returncode:
        raise FailedError(f"{' '.join(words)}: exit code {child.returncode}\n{output[-2000:]}")
    return Run(seconds, peak, output, _processor_seconds() - before)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Memory(threading.Thread):
    """Looks again and again at the largest resident set that a process has had so far.

    What the kernel tells at the end of a child is no good here: it contains what the parent had when it forked.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._path = f"/proc/{pid}/status"
        self._ended = threading.Event()
        self._peak = 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                with open(self._path) as file:
                    line = next((text for text in file if text.startswith("VmHWM:")), "")
            except OSError:
                line = ""
            if line:
                self._peak = max(self._peak, int(line.split()[1]) * 1024)
            if self._ended.wait(_LOOK_EVERY):
                return

    def end(self) -> int:
        """The largest, in bytes."""
        self._ended.set()
        self.join()
        return self._peak


#: Compiled Python code of ours is kept, as an installation would have it.
CACHE = Path(__file__).resolve().parents[1] / "build" / "bench" / "pycache"
CACHED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(CACHE)}


def python(*arguments: str | Path) -> list[str | Path]:
    """Command of our interpreter."""
    settings = [f"{name}={value}" for name, value in CACHED.items()]
    return ["env", *settings, sys.executable, *arguments]
