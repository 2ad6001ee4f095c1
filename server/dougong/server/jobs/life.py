"""Whether an attempt lives: it told progress, or every one of its ranks used CPU time.

A worker cannot tell that it lives while it is in one long call of a library, such as a direct factorisation. But then
it uses CPU time; one that was stopped, or waits for something that does not come, does not. Ranks that wait for another
rank spin, and so each rank counts for itself.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

#: Ranks are looked at once the progress is silent for this part of the limit, and again after half of it.
_LOOK_AT = 0.25


class SignsOfLife:
    """Signs of life of one attempt, by a monotonic clock: a jump of the wall clock changes nothing.

    Parameters
    ----------
    limit_seconds
        Silence that will count; 0: none does, and nobody looks.
    clock
        Seconds.
    """

    def __init__(self, limit_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = limit_seconds * _LOOK_AT
        self._clock = clock
        self._progress: tuple[object, float] = (None, clock())
        self._ranks: dict[int, tuple[object, float]] = {}
        self._looked = float("-inf")

    async def silence(
        self, progress: object, look: Callable[[], Awaitable[Mapping[int, object]]]
    ) -> tuple[float, int | None]:
        """Seconds since the last sign of life, and the rank that has been silent for longest, if one is known.

        Parameters
        ----------
        progress
            Changes with each report of progress.
        look
            What changes whenever a rank uses CPU time, by rank; nothing where that cannot be told. It may cost some
            milliseconds, so it is asked rarely.
        """
        now = self._clock()
        if progress != self._progress[0]:
            self._progress = (progress, now)
            self._ranks.clear()
        since = self._progress[1]
        if self._pause > 0 and now - since >= self._pause and now - self._looked >= self._pause / 2:
            self._looked = now
            # Ranks that nobody looked at before may have been silent for as long as the progress.
            first = not self._ranks
            for rank, sign in (await look()).items():
                if rank not in self._ranks or sign != self._ranks[rank][0]:
                    self._ranks[rank] = (sign, since if first else now)
        if not self._ranks:
            return now - since, None
        rank = min(self._ranks, key=lambda r: self._ranks[r][1])
        return now - max(since, self._ranks[rank][1]), rank
