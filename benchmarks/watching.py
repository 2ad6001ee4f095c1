"""Memory, open files and threads of processes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: Of a window of so many samples the typical value counts: a job that runs has files open, and memory of its own.
_WINDOW = 10


@dataclass(frozen=True)
class Sample:
    """Some processes at one moment: anonymous memory in bytes, open files, threads; sums over all that live.

    Workers are replaced after some jobs: `processes` says how many there were.
    """

    time: float
    processes: int
    memory: int
    files: int
    threads: int


def sample(now: float, pids: Sequence[int]) -> Sample:
    """Look at processes; those that are gone are not counted."""
    found = []
    for pid in pids:
        place = Path("/proc") / str(pid)
        try:
            status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            files = len(list((place / "fd").iterdir()))
        except OSError:
            continue
        if "RssAnon" in status:
            found.append((int(status["RssAnon"].split()[0]) << 10, files, int(status["Threads"])))
    sums = [sum(f[k] for f in found) for k in range(3)]
    return Sample(now, len(found), *sums)


def children(parent: int, word: str) -> list[int]:
    """Processes below another whose command line has a word."""
    below, found = {parent}, []
    everything = sorted(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
    for pid in everything:
        try:
            stat = (Path("/proc") / str(pid) / "stat").read_text()
            command = (Path("/proc") / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) in below:
            below.add(pid)
            if word in command.split("\0"):
                found.append(pid)
    return found


@dataclass(frozen=True)
class Group:
    """How some processes fared after warming up.

    Attributes
    ----------
    begin_mb, end_mb
        Memory of one process, typical value at the begin and at the end.
    growth_mb_per_minute
        Slope of a line through the memory of one process.
    files, threads
        Of one process: smallest and largest number.
    files_grow, threads_grow
        By how much the fewest of the last quarter exceed the most of the first: above 0 something is leaked.
    """

    begin_mb: float
    end_mb: float
    growth_mb_per_minute: float
    files: tuple[int, int]
    threads: tuple[int, int]
    files_grow: int
    threads_grow: int

    @classmethod
    def of(cls, samples: Sequence[Sample], after: float) -> Group:
        """Sum up samples, without those before some time."""
        kept = [s for s in samples if s.time >= after and s.processes]
        if not kept:
            return cls(0.0, 0.0, 0.0, (0, 0), (0, 0), 0, 0)
        minutes = np.array([s.time for s in kept]) / 60.0
        memory = np.array([s.memory / s.processes for s in kept]) / 1e6
        files, threads = ([round(getattr(s, what) / s.processes) for s in kept] for what in ("files", "threads"))
        slope = np.polyfit(minutes, memory, 1)[0] if len(kept) > 2 else 0.0
        return cls(
            float(np.median(memory[:_WINDOW])),
            float(np.median(memory[-_WINDOW:])),
            float(slope),
            (min(files), max(files)),
            (min(threads), max(threads)),
            _grown(files),
            _grown(threads),
        )

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in vars(self).items()}


def _grown(counts: Sequence[int]) -> int:
    quarter = max(len(counts) // 4, 1)
    return max(0, min(counts[-quarter:]) - max(counts[:quarter]))
