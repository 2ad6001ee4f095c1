"""Signs of life: what counts as one, how long the silence is, and whose it is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid

from dougong.server import processes
from dougong.server.jobs.life import SignsOfLife


class _Told:
    """A clock and what would be seen."""

    def __init__(self, limit: float) -> None:
        self.now = 0.0
        self.ranks: dict[int, int] = {}
        self.looks = 0
        self.life = SignsOfLife(limit, lambda: self.now)

    async def _look(self) -> dict[int, int]:
        self.looks += 1
        return dict(self.ranks)

    def at(self, now: float, progress: object, *ranks: int) -> tuple[float, int | None]:
        self.now, self.ranks = now, dict(enumerate(ranks))
        return asyncio.run(self.life.silence(progress, self._look))


def test_without_cpu_time_only_progress_counts() -> None:
    told = _Told(100)
    assert told.at(30, None) == (30, None)
    assert told.at(60, "a") == (0, None)
    assert told.at(161, "a") == (101, None)


def test_the_rank_that_uses_no_cpu_time_is_the_silent_one() -> None:
    told = _Told(100)
    for now in range(0, 1000, 10):
        assert told.at(now, None, now, 7 * now)[0] < 50
    for now in range(1000, 1090, 10):
        told.at(now, None, now, 7777)
    silent, rank = told.at(1110, None, 1110, 7777)
    assert (100 <= silent <= 115, rank) == (True, 1)


def test_a_silence_counts_from_the_last_progress() -> None:
    told = _Told(100)
    told.at(10, "a", 5, 5)
    for now in range(10, 110, 10):
        assert told.at(now, "a", 5, 5)[0] <= 100
    assert told.at(111, "a", 5, 5)[0] == 101
    assert told.at(112, "b", 5, 5) == (0, None)


def test_nobody_looks_while_there_is_progress_and_rarely_otherwise() -> None:
    told = _Told(100)
    for now in range(100):
        told.at(now, now)
    assert told.looks == 0
    for now in range(100, 200):
        told.at(now, 99)
    assert 3 <= told.looks <= 9
    unlimited = _Told(0)
    unlimited.at(1e6, None, 1)
    assert unlimited.looks == 0


def test_cpu_time_of_ranks_and_not_of_their_launcher() -> None:
    token = uuid.uuid4().hex
    program = [sys.executable, "-c", "while True: pass"]
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    environment = {"DOUGONG_TOKEN": token}
    children = [subprocess.Popen(sleeper, env=environment)]
    try:
        while set(processes.cpu_time(token)) != {0}:
            pass
        for rank in (0, 1):
            children.append(subprocess.Popen(program, env={**environment, "OMPI_COMM_WORLD_RANK": str(rank)}))
        while {r: {pid for pid, _ in s} for r, s in processes.cpu_time(token).items()} != {
            0: {children[1].pid},
            1: {children[2].pid},
        }:
            pass
        os.kill(children[1].pid, signal.SIGSTOP)
        os.waitid(os.P_PID, children[1].pid, os.WSTOPPED | os.WNOWAIT)
        before = processes.cpu_time(token)
        while processes.cpu_time(token)[1] == before[1]:
            pass
        assert processes.cpu_time(token)[0] == before[0]
    finally:
        for child in children:
            child.kill()
            child.wait()
