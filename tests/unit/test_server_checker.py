"""The resident check child: it is kept while it is small."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dougong.messages import FemError
from dougong.server.checker import Checker
from dougong.server.config import CHILD_PYTHON
from dougong.v1 import analysis_pb2, job_pb2

FAKE = Path(__file__).parents[1] / "server_fakes" / "check.py"


def _numbers(*names: str, memory_bytes: int = 200 << 20) -> list[int]:
    """Numbers of the processes that answered requests of these names."""

    async def story() -> list[int]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        checker = Checker((*CHILD_PYTHON, str(FAKE)), environment, 20, memory_bytes)
        numbers = []
        for name in names:
            try:
                reply = await checker.check(analysis_pb2.Analysis(name=name), Path("/"), job_pb2.Resources())
                numbers.append(reply.estimate.dofs)
            except FemError:
                numbers.append(0)
        await checker.close()
        return numbers

    return asyncio.run(story())


def test_a_child_that_holds_much_memory_is_replaced_after_its_answer() -> None:
    first, second, large, next_one, last = _numbers("pid", "pid", "memory 300", "pid", "pid")
    assert first == second == large != next_one == last


def test_a_child_that_fits_stays() -> None:
    first, large, second = _numbers("pid", "memory 300", "pid", memory_bytes=1 << 40)
    assert first == large == second


def test_a_child_that_died_is_replaced() -> None:
    first, died, second = _numbers("pid", "die", "pid")
    assert died == 0
    assert 0 < first != second > 0
