"""Runs a command of the batch system: a list of arguments, no shell, a time limit, nothing of our own environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: A list of ten thousand jobs has one megabyte.
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Answer:
    """What came of a command.

    Attributes
    ----------
    code
        Exit code; None when it was not found or took too long.
    text
        What it printed on both streams, the output first.
    output
        What it printed as output.
    late
        It took too long.
    """

    code: int | None
    text: str
    output: str = ""
    late: bool = False

    @property
    def started(self) -> bool:
        """Whether there is such a command: only then may anything have come of it."""
        return self.code is not None or self.late

    @property
    def sound(self) -> bool:
        """Whether it says that it did what it was asked to."""
        return self.code == 0


async def run(command: Sequence[str], environment: Mapping[str, str], limit_seconds: float) -> Answer:
    """Run a command to its end, or kill it and all it started."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_MOST_BYTES,
        )
    except OSError as error:
        return Answer(None, f"{command[0]}: {error.strerror}")
    try:
        output, errors = await asyncio.wait_for(process.communicate(), limit_seconds)
    except TimeoutError:
        return Answer(None, f"{command[0]}: no answer in {limit_seconds:g} s", late=True)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    shown = output.decode(errors="replace")
    return Answer(process.returncode, shown + errors.decode(errors="replace"), shown)
