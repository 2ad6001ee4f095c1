"""Work that goes on to its end when the caller goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: The event loop itself holds tasks weakly.
_running: set[asyncio.Task[Any]] = set()


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await work; when the awaiting call is cancelled, the work is not.

    For what must not be half done: a change that is on disk but of which scheduler and watchers were not told.
    """
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)
