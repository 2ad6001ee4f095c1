"""Client of the resident child that checks analyses (`dougong.solver.check`).

The physics files need scikit-fem, which this process must not import: so they run in a child, which is started with the
server, restarted when it dies, and killed when a request takes too long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from dougong.internal import run_pb2
from dougong.messages import ResourceLimit, WorkerLost
from dougong.server import processes
from dougong.v1 import analysis_pb2, job_pb2

_log = logging.getLogger(__name__)

R = TypeVar("R")

#: Violations of a large analysis are some kilobytes; more than this is not a reply.
_MAX_REPLY = 64 << 20


class Checker:
    """The check child. One request at a time: a check is short.

    Parameters
    ----------
    command
        Its command line.
    environment
        What it gets of our environment.
    timeout_seconds
        For one request, the start of the child included.
    memory_bytes
        A child that holds more after a request is replaced: what a large mesh took is not always given back.
    """

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], timeout_seconds: float, memory_bytes: int
    ) -> None:
        self._command = command
        self._environment = {**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"}
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._turn = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._hello: run_pb2.CheckHello | None = None
        self._sequence = 0
        self._renewal: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the child ahead of the first request. A failure is only logged: the first request tries again."""
        try:
            await self.hello()
        except (ResourceLimit, WorkerLost) as error:
            _log.warning("the check process did not start: %s", error)

    async def hello(self) -> run_pb2.CheckHello:
        """What the solver can do.

        Raises
        ------
        ResourceLimit, WorkerLost
            The child does not start.
        """
        # Not in turn behind a long check, when it is known.
        if self._hello is not None:
            return self._hello
        async with self._turn:
            return self._hello if self._hello is not None else await self._bounded(self._greet())

    async def check(
        self, analysis: analysis_pb2.Analysis, mesh_directory: Path, resources: job_pb2.Resources
    ) -> run_pb2.CheckReply:
        """Everything that is wrong with an analysis, what is worth a look, and what it would cost.

        Raises
        ------
        ResourceLimit
            It took too long.
        WorkerLost
            The child died.
        """
        async with self._turn:
            self._sequence += 1
            request = run_pb2.CheckRequest(
                sequence=self._sequence, analysis=analysis, mesh_directory=str(mesh_directory), resources=resources
            )
            reply = await self._bounded(self._ask(request))
            if processes.memory_bytes([self._running().pid]) > self._memory_bytes:
                await asyncio.shield(self._drop())
                # The next request need not wait for its start, and this one does not either.
                self._renewal = asyncio.create_task(self.start())
            return reply

    async def _bounded(self, exchange: Coroutine[Any, Any, R]) -> R:
        """Bound the time of an exchange.

        When it is not finished, for whatever reason, the child goes: its pipe may hold half a message.
        """
        finished = False
        try:
            result = await asyncio.wait_for(exchange, self._timeout_seconds)
            finished = True
        except TimeoutError:
            raise ResourceLimit("CHECK_TIMEOUT", limit_seconds=f"{self._timeout_seconds:g}") from None
        except (OSError, EOFError, ValueError, DecodeError) as error:
            raise WorkerLost("CHECK_FAILED", detail=await self._how_it_ended(error)) from error
        finally:
            if not finished:
                await asyncio.shield(self._drop())
        return result

    async def _how_it_ended(self, error: Exception) -> str:
        if self._child is not None and isinstance(error, (EOFError, OSError)):
            try:
                return f"exit code {await asyncio.wait_for(self._child.wait(), 1)}"
            except TimeoutError:
                pass
        return str(error) or type(error).__name__

    async def _greet(self) -> run_pb2.CheckHello:
        if self._child is None or self._child.returncode is not None or self._hello is None:
            await self._drop()
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
            self._hello = run_pb2.CheckHello.FromString(await self._read())
        return self._hello

    async def _ask(self, request: run_pb2.CheckRequest) -> run_pb2.CheckReply:
        await self._greet()
        stdin = self._running().stdin
        assert stdin is not None
        data = request.SerializeToString()
        stdin.write(len(data).to_bytes(4, "big") + data)
        await stdin.drain()
        reply = run_pb2.CheckReply.FromString(await self._read())
        if reply.sequence != request.sequence:
            raise ValueError(f"reply {reply.sequence} to request {request.sequence}")
        return reply

    async def _read(self) -> bytes:
        stdout = self._running().stdout
        assert stdout is not None
        size = int.from_bytes(await stdout.readexactly(4), "big")
        if size > _MAX_REPLY:
            raise ValueError(f"a reply of {size} bytes")
        return await stdout.readexactly(size)

    def _running(self) -> asyncio.subprocess.Process:
        if self._child is None:
            raise EOFError("the check process was ended")
        return self._child

    async def _drop(self) -> None:
        child, self._child, self._hello = self._child, None, None
        if child is None:
            return
        if child.returncode is None:
            child.kill()
        await child.wait()
        if child.stdin is not None:
            child.stdin.close()

    async def close(self) -> None:
        """End the child."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
        await self._drop()
