"""The list of all jobs of the service account: one question to the batch system for all drivers.

It is put more and more rarely while nothing changes. Nobody waits for an answer who need not: a command that hangs
delays no result. What could not be asked, or was garbled, changes nothing; the last list stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from dougong.server.batch.commands import Answer
from dougong.server.batch.system import BatchSystem, Entry, GarbledError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A list of jobs.

    Attributes
    ----------
    time
        When it was asked for, by the monotonic clock: it knows nothing of what came later.
    """

    time: float
    by_id: dict[str, Entry] = field(default_factory=dict)
    by_name: dict[str, list[Entry]] = field(default_factory=dict)

    def of(self, name: str, job_id: str | None) -> list[Entry]:
        """All jobs of a name; there are two when a submission ran that was said to have failed."""
        found = self.by_name.get(name)
        if found is not None:
            return found
        # Some systems cut names short. Of another name it is another job, to which the number was given again.
        entry = self.by_id.get(job_id or "")
        return [entry] if entry is not None and entry.name and name.startswith(entry.name) else []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.by_id.values())


class Queue:
    """Keeps the newest list.

    Parameters
    ----------
    system
        Which batch system.
    ask
        Runs its status command.
    least_seconds, most_seconds
        Between two questions.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        system: BatchSystem,
        ask: Callable[[], Awaitable[Answer]],
        least_seconds: float,
        most_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system = system
        self._ask = ask
        self._least_seconds = least_seconds
        self._most_seconds = most_seconds
        self._clock = clock
        self._pause = least_seconds
        self._begun = float("-inf")
        self._snapshot: Snapshot | None = None
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def look(self) -> Snapshot | None:
        """The newest list; another is asked for when it is due. None: none has come yet."""
        if self._task is None and self._clock() - self._begun >= self._pause:
            self._refresh()
        return self._snapshot

    async def fresh(self) -> Snapshot | None:
        """A list that was asked for after this call; None when it did not come."""
        since = self._clock()
        while True:
            task = self._task or self._refresh()
            # Not the task itself: who waits may give up, and others go on waiting.
            await asyncio.wait({task})
            if self._snapshot is not None and self._snapshot.time >= since:
                return self._snapshot
            if self._begun >= since:
                return None

    def hurry(self) -> None:
        """Something is going to change."""
        self._pause = self._least_seconds

    async def close(self) -> None:
        """End a question that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _refresh(self) -> asyncio.Task[None]:
        self._begun = self._clock()
        self._task = asyncio.create_task(self._read(), name="batch queue")
        self._task.add_done_callback(self._done)
        return self._task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            _log.error("the list of batch jobs could not be read", exc_info=task.exception())

    async def _read(self) -> None:
        before = self._pause
        self._pause = min(2 * self._pause, self._most_seconds)
        answer = await self._ask()
        try:
            if not answer.sound:
                raise GarbledError(answer.text.strip()[-200:] or f"exit code {answer.code}")
            entries = self._system.entries(answer.output)
        except GarbledError as error:
            if not self._failing:
                _log.warning("%s does not tell the states of jobs, which stay as they are: %s", self._title, error)
            self._failing = True
            return
        if self._failing:
            _log.info("%s tells the states of jobs again", self._title)
        self._failing = False
        new = Snapshot(self._begun, {entry.job_id: entry for entry in entries})
        for entry in entries:
            new.by_name.setdefault(entry.name, []).append(entry)
        old, self._snapshot = self._snapshot, new
        if old is None or {e.job_id: e.state for e in old} != {e.job_id: e.state for e in new}:
            self._pause = min(before, self._least_seconds)

    @property
    def _title(self) -> str:
        return f"{self._system.title} ({self._system.programs['status']})"
