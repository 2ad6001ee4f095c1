"""Watchers get every event once, in order, from any sequence number on."""

from __future__ import annotations

import asyncio
import random

import pytest

from dougong.messages import NotFound
from dougong.server.jobs.watch import WatchHub
from dougong.server.stopping import ServerStoppingError
from dougong.v1 import job_pb2

J = job_pb2.Job


class _Job:
    """A job that happens: events are stored, then published, as the store does it."""

    def __init__(self, hub: WatchHub, count: int) -> None:
        self.hub = hub
        self.stored: list[job_pb2.JobEvent] = []
        self.events = [job_pb2.JobEvent(job_id="j", sequence=k + 1) for k in range(count)]
        for event in self.events:
            event.progress.iteration = event.sequence
        self.events[-1].state.state = J.STATE_SUCCEEDED

    async def read(self, job_id: str, after: int, count: int) -> list[job_pb2.JobEvent]:
        await asyncio.sleep(0)
        return self.stored[after : after + count]

    async def happen(self, chance: random.Random) -> None:
        while len(self.stored) < len(self.events):
            piece = self.events[len(self.stored) : len(self.stored) + chance.choice([1, 1, 2, 5, 300])]
            self.stored += piece
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            # Two tasks that write may wake in the other order.
            if chance.random() < 0.1:
                piece = piece[::-1]
            self.hub.publish(piece)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)

    async def watch(self, after: int, chance: random.Random, pause: bool) -> list[int]:
        seen = []
        async for event in self.hub.watch("j", after, self.read):
            seen.append(event.sequence)
            if pause and chance.random() < 0.2:
                await asyncio.sleep(0)
        return seen


@pytest.mark.parametrize("seed", range(40))
def test_past_and_future_without_gap_or_repetition(seed: int) -> None:
    chance = random.Random(seed)

    async def main() -> None:
        count = chance.choice([1, 3, 50, 700, 1200])
        hub = WatchHub()
        job = _Job(hub, count)
        starts = [0, 0, *(chance.randrange(count) for _ in range(6))]
        watches = [job.watch(after, chance, pause=k % 2 == 0) for k, after in enumerate(starts)]
        results = await asyncio.wait_for(asyncio.gather(job.happen(chance), *watches), 20)
        for after, seen in zip(starts, results[1:], strict=True):
            assert seen == list(range(after + 1, count + 1))
        assert hub.watchers == 0

    asyncio.run(main())


def test_a_watcher_that_comes_back_sees_the_rest() -> None:
    async def main() -> None:
        hub = WatchHub()
        job = _Job(hub, 20)
        job.stored = job.events[:10]
        stream = hub.watch("j", 0, job.read)
        seen = [(await anext(stream)).sequence for _ in range(7)]
        await stream.aclose()
        assert hub.watchers == 0
        rest = asyncio.create_task(job.watch(seen[-1], random.Random(1), pause=False))
        await asyncio.sleep(0.01)
        job.stored = job.events
        hub.publish(job.events[10:])
        assert seen + await asyncio.wait_for(rest, 5) == list(range(1, 21))

    asyncio.run(main())


@pytest.mark.parametrize(("end", "error"), [("forget", NotFound), ("close", ServerStoppingError)])
def test_watchers_end_when_the_job_is_deleted_or_the_server_stops(end: str, error: type[Exception]) -> None:
    async def main() -> None:
        hub = WatchHub()
        watching = asyncio.create_task(_Job(hub, 5).watch(0, random.Random(1), pause=False))
        await asyncio.sleep(0.01)
        hub.forget("j") if end == "forget" else hub.close()
        with pytest.raises(error):
            await asyncio.wait_for(watching, 5)

    asyncio.run(main())
