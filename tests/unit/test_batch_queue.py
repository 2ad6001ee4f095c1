"""The list of batch jobs: who asks, how often, and what becomes of answers that are none."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import pytest

from dougong.server.batch.commands import Answer, run
from dougong.server.batch.queue import Queue, Snapshot
from dougong.server.batch.system import Entry
from dougong.server.executors.slurm import SYSTEM

GOOD = Answer(0, "", "1|RUNNING|None|0:01|dougong-a\n2|PENDING|None|0:00|dougong-b\n")
BAD = [Answer(1, "error"), Answer(None, "late", late=True), Answer(0, "x", "garbage")]


class Controller:
    """Answers as it is told, and counts."""

    def __init__(self) -> None:
        self.answer = GOOD
        self.asked = 0
        self.now = 0.0
        self.queue = Queue(SYSTEM, self.ask, 1.0, 8.0, lambda: self.now)

    async def ask(self) -> Answer:
        self.asked += 1
        self.now += 0.01
        return self.answer

    async def look(self) -> Snapshot | None:
        self.queue.look()
        await asyncio.sleep(0.001)
        return self.queue.look()


def story(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 10))


def test_questions_get_rare_while_nothing_changes() -> None:
    async def tell() -> None:
        one = Controller()
        times: list[float] = []
        for _ in range(400):
            before = one.asked
            await one.look()
            if one.asked > before:
                times.append(one.now)
            one.now += 0.1
        pauses = [round(b - a, 6) for a, b in itertools.pairwise(times)]
        assert max(pauses) < 9
        assert pauses == sorted(pauses)
        assert pauses[-1] > 7
        # A change brings it back to often.
        one.answer = Answer(0, "", "1|COMPLETED|None|0:01|dougong-a\n")
        one.now += 9
        await one.look()
        one.now += 1.1
        before = one.asked
        await one.look()
        assert one.asked == before + 1
        await one.queue.close()

    story(tell())


@pytest.mark.parametrize("bad", BAD)
def test_an_answer_that_is_none_leaves_the_list_as_it_was(bad: Answer) -> None:
    async def tell() -> None:
        one = Controller()
        first = await one.queue.fresh()
        assert first is not None
        assert {e.name for e in first} == {"dougong-a", "dougong-b"}
        one.answer = bad
        one.now += 1
        assert await one.queue.fresh() is None
        assert one.queue.look() is first
        one.answer = GOOD
        one.now += 1
        again = await one.queue.fresh()
        assert again is not None
        assert again.time > first.time
        await one.queue.close()

    story(tell())


def test_many_who_ask_at_once_are_one_question() -> None:
    async def tell() -> None:
        one = Controller()
        lists = await asyncio.gather(*(one.queue.fresh() for _ in range(50)))
        assert None not in lists
        assert one.asked <= 2
        await one.queue.close()

    story(tell())


def test_a_number_that_was_given_again_is_not_the_job() -> None:
    seen = Snapshot(0.0, {"7": Entry("7", "somebody's", "RUNNING"), "8": Entry("8", "dougong-12", "RUNNING")})
    assert seen.of("dougong-1234", "7") == []
    assert seen.of("dougong-1234", "8") == [seen.by_id["8"]]
    assert seen.of("dougong-1234", None) == []


def test_commands_end_in_time_or_are_killed() -> None:
    async def tell() -> None:
        done = await run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], {}, 10)
        assert (done.code, done.output, done.text, done.started) == (3, "out\n", "out\nerr\n", True)
        # A child that keeps the output open is ended as well.
        late = await run(["/bin/sh", "-c", "sleep 100 & sleep 100"], {"PATH": "/bin:/usr/bin"}, 0.2)
        assert (late.code, late.started, late.sound) == (None, True, False)
        none = await run(["/no/such/command"], {}, 1)
        assert (none.code, none.started) == (None, False)

    story(tell())
