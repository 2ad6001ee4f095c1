"""A worker that is ready before its job: everything is imported, MPI and PETSc have started, one rank.

    python -s -P -u -m dougong.solver.warm      with a Unix stream socket as standard input

It says ``{"say": "ready"}``, is given ``{"directory": ..., "environment": {...}}``, answers ``begun``, carries out the
run directory as `dougong.solver.worker` does, says ``done``, cleans up, and is ``ready`` again; one JSON object a line.

A job that is no success ends the process, and so does anything that a job leaves behind: the next job always finds
what a new process would. When the server goes away, so does the worker, but not before its job has ended.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dougong.solver import rundir

#: Anonymous memory that jobs may leave behind, in pools of allocators for example; more would count as that of the
#: next job.
_LEFT_BYTES = 64 << 20


class NotShownError(Exception):
    """The environment could not be changed where others see it."""


class ShownEnvironment:
    """Variables of this process as others see them, in /proc/PID/environ.

    The kernel shows the memory in which the environment lay when the process started, so a value is replaced there, by
    one of the same length. By its token in the environment the server finds the processes of a job, also after a crash.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.getenv.restype = ctypes.c_void_p
        self._libc.getenv.argtypes = [ctypes.c_char_p]

    def replace(self, values: Mapping[str, str]) -> dict[str, str]:
        """Replace values; returns the old ones.

        Raises
        ------
        NotShownError
            A variable is missing, or has a value of another length.
        """
        old = {}
        for name, value in values.items():
            address, data = self._libc.getenv(os.fsencode(name)), os.fsencode(value)
            before = ctypes.string_at(address) if address else b""
            if len(data) != len(before):
                raise NotShownError(name)
            # Not `os.environ[name] = value`: that would move the variable to other memory.
            ctypes.memmove(address, data, len(data))
            old[name] = os.fsdecode(before)
        shown = Path("/proc/self/environ").read_bytes().split(b"\0")
        if not all(os.fsencode(f"{name}={value}") in shown for name, value in values.items()):
            raise NotShownError(", ".join(values))
        return old


class Remains:
    """What a job must not leave behind.

    Parameters
    ----------
    settings
        Tells what libraries hold, and their settings that a job could change.
    """

    def __init__(self, settings: Callable[[], Any]) -> None:
        self._libc = ctypes.CDLL(None)
        self._settings = settings
        self._before: tuple[Any, ...] | None = None
        self._bytes = 0

    def none(self) -> bool:
        """Clean up; whether nothing is left. The first call, before all jobs, says what there is without any."""
        gc.collect()
        if self._before is None:
            # What was imported stays: the collector need not look at it again after each job.
            gc.freeze()
        if hasattr(self._libc, "malloc_trim"):
            self._libc.malloc_trim(0)
        now = (self._settings(), sorted(os.listdir("/proc/self/fd")), dict(os.environ), os.getcwd())
        held = _anonymous_bytes()
        if self._before is None:
            self._before, self._bytes = now, held
            return True
        return now == self._before and held - self._bytes <= _LEFT_BYTES


def _anonymous_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def serve(control: socket.socket, work: Callable[[Path], int], settings: Callable[[], Any]) -> int:
    """Carry out run directories until the server goes away, or a job is no success.

    Parameters
    ----------
    control
        Connected to the server.
    work
        Carries out a run directory. Returns 0 after a success, else the exit code for this process.
    settings
        Tells settings of libraries that a job could change.

    Returns
    -------
    int
        Exit code for this process.
    """
    environment, remains = ShownEnvironment(), Remains(settings)
    os.chdir("/")
    lines = control.makefile("rb")
    try:
        while remains.none():
            _say(control, "ready")
            line = lines.readline()
            if not line:
                return 0
            job = json.loads(line)
            directory = Path(job["directory"])
            idle = environment.replace(job["environment"])
            quiet = _print_to(directory / rundir.LOG)
            os.chdir(directory)
            _say(control, "begun")
            code = work(directory)
            sys.stdout.flush()
            sys.stderr.flush()
            if code != 0:
                return code
            _print_as_before(quiet)
            os.chdir("/")
            environment.replace(idle)
            _say(control, "done")
    except (BrokenPipeError, ConnectionResetError):
        # The server is gone. What it wants to know of the job is in the run directory.
        return 0
    return 0


def _say(control: socket.socket, what: str) -> None:
    # PETSc takes the signal SIGPIPE, which Python ignores, for an error of the program.
    control.sendall(json.dumps({"say": what}).encode() + b"\n", socket.MSG_NOSIGNAL)


def _print_to(log: Path) -> tuple[int, int]:
    """Send standard output and error to a log; returns where they went before."""
    before = (os.dup(1), os.dup(2))
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    return before


def _print_as_before(before: tuple[int, int]) -> None:
    # The C library has a buffer of its own.
    ctypes.CDLL(None).fflush(None)
    for number, fd in enumerate(before, 1):
        os.dup2(fd, number)
        os.close(fd)


def take_control() -> socket.socket:
    """The socket that is standard input; from now on standard input is empty, and nobody inherits the socket."""
    control = socket.socket(fileno=os.dup(0))
    control.set_inheritable(False)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return control


def main() -> int:
    """The program."""
    control = take_control()
    import numpy as np

    from dougong.solver import worker
    from dougong.solver.linalg import systems as linalg

    np.seterr(all="ignore")

    def work(directory: Path) -> int:
        code = worker.main([str(directory)])
        outcome = rundir.read_outcome(directory)
        return code or (0 if outcome is not None and outcome.HasField("result") else rundir.EXIT_NOT_MINE)

    return serve(control, work, lambda: (linalg.in_use(), np.geterr()))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
