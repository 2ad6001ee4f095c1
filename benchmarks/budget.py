"""Time of a whole run: how much there is, what is still to come, and what therefore can be afforded."""

from __future__ import annotations

import fnmatch
import json
import time
from collections.abc import Sequence
from pathlib import Path

#: Below so many seconds a time is the median of several interleaved runs.
SHORT_SECONDS = 10.0

#: Seconds on two quiet cores of what is not known from an earlier run; the first pattern that fits the name counts.
_GUESSES = (
    ("solve/thin/800k, GAMG", 160.0),
    ("solve/thin/300k, GAMG", 80.0),
    ("solve/*/800k, GAMG", 80.0),
    ("solve/*/300k, GAMG", 40.0),
    ("solve/*, GAMG", 25.0),
    ("solve/thin/800k", 230.0),
    ("solve/*/800k", 80.0),
    ("solve/*/300k", 150.0),
    ("solve/*", 50.0),
    ("ranks2/*/800k", 60.0),
    ("ranks2/*/300k", 25.0),
    ("estimate/*", 70.0),
    ("small/*", 70.0),
    ("read/*", 60.0),
    ("traffic/*", 40.0),
    ("*", 15.0),
)


class Budget:
    """Keeps a run of the benchmarks within its time.

    What each case took is kept in a file for the next run: from it comes what is to be expected. When time gets short,
    first repetitions are left out, then programs that take long.

    Parameters
    ----------
    limit_seconds
        Time for everything.
    file
        Where durations are kept.
    """

    def __init__(self, limit_seconds: float, file: Path) -> None:
        self._limit = limit_seconds
        self._file = file
        self._known: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
        self._start = time.perf_counter()
        self._ahead: list[str] = []
        self._expected_done = 0.0

    def plan(self, names: Sequence[str]) -> None:
        """What will be run, in this order."""
        self._ahead = list(names)

    def expected(self, name: str, guess: float | None = None) -> float:
        """Seconds that something took the last time, or a guess."""
        if guess is None:
            guess = next(seconds for pattern, seconds in _GUESSES if fnmatch.fnmatchcase(name, pattern))
        return self._known.get(name, guess)

    def needs(self, name: str, guess: float) -> float:
        """Seconds that a program will take, at the pace of this run."""
        return self.expected(name, guess) * self._pace()

    def note(self, name: str, seconds: float) -> None:
        """Remember what something took."""
        self._known[name] = round(seconds, 2)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._known, indent=1, sort_keys=True) + "\n")

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    @property
    def ahead(self) -> float:
        """Seconds that the cases after this one will take, at the pace of those that have been."""
        return sum(map(self.expected, self._ahead)) * self._pace()

    def _pace(self) -> float:
        if self._expected_done < 60.0:
            return 1.0
        return min(max(self.elapsed / self._expected_done, 0.25), 4.0)

    def begin(self, name: str) -> str:
        """A case begins; returns a line that says where the run stands."""
        if name in self._ahead:
            self._ahead.remove(name)
        left = self.ahead + self.expected(name) * self._pace()
        return f"[{_minutes(self.elapsed)} of about {_minutes(self.elapsed + left)}] {name}"

    def end(self, name: str, seconds: float) -> None:
        """A case has ended after so many seconds."""
        self._expected_done += self.expected(name)
        self.note(name, seconds)

    def allows(self, seconds: float) -> bool:
        """Whether there is time for something more in the case that runs, for nothing more (0) while any is left."""
        return self.elapsed + (self.ahead if seconds else 0.0) + seconds <= self._limit


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
