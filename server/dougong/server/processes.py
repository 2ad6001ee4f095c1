"""Processes of an attempt, found by the token in their environment (/proc, Linux).

A token is found whatever became of parents, sessions and process groups: MPI launchers put ranks into groups of their
own, and after a crash of server or launcher nobody is left who knows their numbers.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterable
from pathlib import Path

#: Environment variable that carries the token of an attempt.
TOKEN_VARIABLE = "DOUGONG_TOKEN"

#: When a process that serves several attempts began the present one: seconds of the clock that counts from boot.
_SINCE_VARIABLE = "DOUGONG_SINCE"
_SINCE_FORMAT = "020.2f"

#: What stands there while such a process has no attempt. It can replace values only by others of the same length.
IDLE = {TOKEN_VARIABLE: "0" * 32, _SINCE_VARIABLE: f"{0:{_SINCE_FORMAT}}"}

#: The rank of a process, as Open MPI and the MPICH family tell it.
_RANK = re.compile(rb"(?:^|\0)(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)(?:\0|$)")

_PROC = Path("/proc")
#: Clock ticks per second, in which the kernel counts; the same on every architecture since Linux 2.6 (proc(5)).
_TICKS = 100


def has_token(pid: int, token: str) -> bool:
    """Whether a living process belongs to the attempt. A zombie has no environment, and does not."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"{TOKEN_VARIABLE}={token}".encode() in environment.split(b"\0")


def find(token: str) -> list[int]:
    """Numbers of all living processes of an attempt."""
    return [int(name) for name in os.listdir(_PROC) if name.isdigit() and has_token(int(name), token)]


def all_tokens() -> set[str]:
    """Tokens of all attempts, of whatever server, that have a living process."""
    found = set()
    start = f"{TOKEN_VARIABLE}=".encode()
    for name in os.listdir(_PROC):
        if not name.isdigit():
            continue
        try:
            environment = (_PROC / name / "environ").read_bytes()
        except OSError:
            continue
        found |= {
            entry[len(start) :].decode(errors="replace")
            for entry in environment.split(b"\0")
            if entry.startswith(start)
        }
    return found


def find_leader(token: str) -> int | None:
    """The launcher among them: it was started in a session of its own."""
    return next((pid for pid in find(token) if _session(pid) == pid), None)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def attempt_environment(token: str) -> dict[str, str]:
    """Environment of a process that serves several attempts, as it begins this one."""
    return {TOKEN_VARIABLE: token, _SINCE_VARIABLE: f"{time.clock_gettime(time.CLOCK_BOOTTIME):{_SINCE_FORMAT}}"}


def age_seconds(pid: int) -> float:
    """Seconds since a process began its attempt, by the clock that counts from boot; 0 when it is gone.

    That is when the process started, unless its environment says otherwise.
    """
    start = f"{_SINCE_VARIABLE}=".encode()
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    since = next((float(e[len(start) :]) for e in environment if e.startswith(start)), int(fields[19]) / _TICKS)
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - since)


def memory_bytes(pids: Iterable[int]) -> int:
    """Memory that processes hold together.

    Counted are anonymous and shared-memory pages. Mapped files (libraries, the mesh) are left out: every rank maps
    them, and the kernel can drop them.
    """
    total = 0
    for pid in pids:
        try:
            status = (_PROC / str(pid) / "status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) * 1024
    return total


def cpu_time(token: str) -> dict[int, frozenset[tuple[int, int]]]:
    """What changes whenever a rank of an attempt uses CPU time.

    By rank: the numbers of its processes (a compiler that it waits for is one), each with its CPU time in clock ticks.
    A launcher, which sleeps while its ranks work, has no rank and does not count. Where no process has one there is no
    launcher, and the worker is rank 0.
    """
    ranked: dict[int, set[tuple[int, int]]] = {}
    others: set[tuple[int, int]] = set()
    for pid in find(token):
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            environment = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        # utime and stime, of all threads (proc(5)).
        sign = (pid, int(fields[11]) + int(fields[12]))
        found = _RANK.search(environment)
        (others if found is None else ranked.setdefault(int(found[1]), set())).add(sign)
    if others and not ranked:
        ranked[0] = others
    return {rank: frozenset(signs) for rank, signs in ranked.items()}


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, as far as they are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def kill_all(token: str, patience_seconds: float = 5.0) -> bool:
    """Kill every process of an attempt, again and again until none is left; False when some would not go."""
    deadline = time.monotonic() + patience_seconds
    while pids := find(token):
        if time.monotonic() > deadline:
            return False
        send(pids, signal.SIGKILL)
        time.sleep(0.02)
    return True
