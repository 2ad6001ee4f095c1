"""Fan-out of events to watchers: each gets every event once, in order, from any sequence number on.

The database is the truth. A short memory of the newest events of each watched job spares it the reading by every
watcher; whoever has fallen behind that memory reads on from the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from dougong.messages import NotFound
from dougong.server.stopping import ServerStoppingError
from dougong.v1 import job_pb2

_REMEMBERED = 256
_PAGE = 500

ReadEvents = Callable[[str, int, int], Awaitable[list[job_pb2.JobEvent]]]


class _Feed:
    """What the watchers of one job share."""

    def __init__(self) -> None:
        self.recent: deque[job_pb2.JobEvent] = deque(maxlen=_REMEMBERED)
        self.newest = 0
        self.wakes: set[asyncio.Event] = set()
        self.deleted = False

    def remember(self, event: job_pb2.JobEvent) -> None:
        """Keep an event, as long as there is no gap before it; the database knows what is between.

        Two tasks that wrote one after the other may come here in the other order.
        """
        self.newest = max(self.newest, event.sequence)
        if self.recent and event.sequence != self.recent[-1].sequence + 1:
            self.recent.clear()
        else:
            self.recent.append(event)

    def after(self, sequence: int) -> list[job_pb2.JobEvent] | None:
        """Remembered events after `sequence`; None when the memory has not all of them."""
        if not self.recent or self.recent[0].sequence > sequence + 1 or self.recent[-1].sequence < self.newest:
            return None
        return [event for event in self.recent if event.sequence > sequence]

    def wake(self) -> None:
        for event in self.wakes:
            event.set()


class WatchHub:
    """All watchers of a server. Used on the event loop only."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self._closed = False

    def publish(self, events: Sequence[job_pb2.JobEvent]) -> None:
        """Tell the watchers of events that are on disk."""
        for event in events:
            feed = self._feeds.get(event.job_id)
            if feed is not None:
                feed.remember(event)
                feed.wake()

    def forget(self, job_id: str) -> None:
        """The job was deleted: its watchers end."""
        feed = self._feeds.get(job_id)
        if feed is not None:
            feed.deleted = True
            feed.wake()

    def close(self) -> None:
        """The server stops: all watchers end, and come back later."""
        self._closed = True
        for feed in self._feeds.values():
            feed.wake()

    @property
    def watchers(self) -> int:
        """Number of watchers."""
        return sum(len(feed.wakes) for feed in self._feeds.values())

    async def watch(self, job_id: str, after: int, read: ReadEvents) -> AsyncGenerator[job_pb2.JobEvent, None]:
        """Events after `after`: past ones, then those to come, up to the one that ends the job.

        Parameters
        ----------
        read
            Reads events from the database: job, after which sequence number, at most how many.

        Raises
        ------
        NotFound
            The job was deleted meanwhile.
        ServerStoppingError
            The server stops; watch again later from the last number seen.
        """
        feed = self._feeds.setdefault(job_id, _Feed())
        wake = asyncio.Event()
        feed.wakes.add(wake)
        try:
            while True:
                wake.clear()
                self._check(feed, job_id)
                events = feed.after(after)
                if events is None:
                    events = await read(job_id, after, _PAGE)
                for event in events:
                    yield event
                    after = event.sequence
                    if is_last(event):
                        return
                if not events:
                    await wake.wait()
        finally:
            feed.wakes.discard(wake)
            if not feed.wakes and self._feeds.get(job_id) is feed:
                del self._feeds[job_id]

    def _check(self, feed: _Feed, job_id: str) -> None:
        if feed.deleted:
            raise NotFound("JOB_NOT_FOUND", job_id=job_id)
        self.check_open()

    def check_open(self) -> None:
        """For other streams that follow a job.

        Raises
        ------
        ServerStoppingError
            The server stops.
        """
        if self._closed:
            raise ServerStoppingError("SERVER_STOPPING")


def is_last(event: job_pb2.JobEvent) -> bool:
    """Whether an event ends its job."""
    ended = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)
    return event.HasField("state") and event.state.state in ended
