"""Whether a server is in use: open calls, and since when there are none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Activity:
    """Counts open calls."""

    def __init__(self) -> None:
        self._open = 0
        self._last = time.monotonic()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call, while it is open."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._last = time.monotonic()

    async def idle(self, seconds: float, busy: Callable[[], bool]) -> None:
        """Return when there was neither an open call nor, says `busy`, a job for so long."""
        while True:
            if self._open or busy():
                self._last = time.monotonic()
            quiet = time.monotonic() - self._last
            if quiet >= seconds:
                return
            await asyncio.sleep(min(max(seconds - quiet, 0.05), 1.0))
