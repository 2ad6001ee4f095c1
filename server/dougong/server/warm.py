"""Warm workers: processes that have imported everything and started MPI and PETSc before their job is there.

The other end of each is `dougong.solver.warm`; they talk over a socket pair, one JSON object a line. The token of its
job stands in a warm worker's environment as in any other's, so that it is found, measured, adopted and ended in the
same way, also by a later server. All of this runs on the event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from dougong.server import processes
from dougong.server.executors.base import LaunchError
from dougong.solver import rundir

_log = logging.getLogger(__name__)

#: A worker starts in a second; on a machine that is very busy it may take long.
_START_SECONDS = 60.0

#: A worker that is ready answers at once.
_ANSWER_SECONDS = 5.0

#: After so many workers in a row that did not start, no more are tried: the usual way will say in a job's log why.
_MAX_FAILED_STARTS = 2

#: A worker that was let go and has no job ends within this time, or is killed.
_END_SECONDS = 10.0


class WarmWorker:
    """One process.

    Attributes
    ----------
    process
        It leads a session of its own.
    owner
        Whom it serves; None before its first job.
    jobs
        How many it was given.
    taken
        It has a job, or will get one as soon as it is ready, or had one of which it is not known yet how it ended.
    token
        Of the job that it is at.
    served
        Token of the job that it was given last.
    """

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                command,
                env={**environment, **processes.IDLE},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self.socket = ours
        self.owner: str | None = None
        self.jobs = 0
        self.taken = False
        self.started = False
        self.open = True
        self.token: str | None = None
        self.served: str | None = None
        self._ready = False
        self._received = b""
        self._changed = asyncio.Event()
        self._begun = False
        self.on_change: Callable[[], None] = lambda: None
        self.timer: asyncio.TimerHandle | None = None

    def forget_timer(self) -> None:
        """Look no more whether it is idle."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    @property
    def ready(self) -> bool:
        """Whether it waits for a job."""
        return self.open and self._ready

    def receive(self) -> bool:
        """Read what it says; False when it has nothing more to say."""
        try:
            data = self.socket.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            what = json.loads(line)["say"]
            if what == "ready":
                self._ready = self.started = True
            elif what == "begun":
                self._begun = True
            elif what == "done":
                self.token = None
        self.changed()
        return bool(data)

    def changed(self) -> None:
        """Wake all who wait for a change."""
        self._changed.set()
        self.on_change()

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition; False when it does not come about in time, or the worker has ended."""
        try:
            async with asyncio.timeout(seconds):
                while self.open and not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return self.open

    async def give(self, token: str, directory: Path) -> bool:
        """Give it a run directory; False when it did not take it."""
        self._ready = self._begun = False
        self.jobs += 1
        self.token = self.served = token
        job = {"directory": str(directory), "environment": processes.attempt_environment(token)}
        try:
            self.socket.sendall(json.dumps(job).encode() + b"\n", socket.MSG_NOSIGNAL)
        except OSError:
            return False
        await self.until(lambda: self._begun, _ANSWER_SECONDS)
        return self._begun


class Serving:
    """A warm worker's process while it has a job; to those who look after a job, it ends with the job."""

    def __init__(self, worker: WarmWorker, token: str) -> None:
        self._worker = worker
        self._token = token
        self.pid = worker.process.pid

    @property
    def done(self) -> bool:
        """Whether the worker said that it is done with the job; False when it died at it."""
        return self._worker.token != self._token

    @property
    def returncode(self) -> int | None:
        """As of `subprocess.Popen`."""
        return 0 if self.done else self._worker.process.returncode

    def poll(self) -> int | None:
        """As of `subprocess.Popen`."""
        return 0 if self.done else self._worker.process.poll()

    def wait(self, timeout: float) -> None:
        """As of `subprocess.Popen`."""
        if not self.done:
            self._worker.process.wait(timeout)

    def listen(self, call: Callable[[], None]) -> None:
        """Call it when the job may have ended."""
        self._worker.on_change = call


class WarmPool:
    """Warm workers of this server.

    Parameters
    ----------
    command
        Starts one.
    environment
        Of each.
    size
        Most workers at one time; 0: none.
    jobs
        Most jobs of one worker.
    idle_seconds
        A worker without a job for so long ends.
    """

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], *, size: int, jobs: int, idle_seconds: float
    ) -> None:
        self._command = command
        self._environment = environment
        self._size = size
        self._jobs = jobs
        self._idle_seconds = idle_seconds
        self._workers: list[WarmWorker] = []
        self._failed_starts = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, WarmWorker] = {}

    def start(self) -> None:
        """Get one worker ready ahead of the first job."""
        if self._size:
            self._spawn()

    async def give(self, owner: str, token: str, directory: Path) -> Serving | None:
        """Give a run directory to a worker of this owner; None when there is none: then nothing was begun.

        Raises
        ------
        LaunchError
            The attempt was doomed while a worker got ready.
        """
        # One that ends while it is waited for is replaced by another.
        for _ in range(2):
            worker = self._take(owner)
            if worker is None:
                return None
            if not await self._until_ready(worker, token):
                self._retire(worker)
                continue
            if await worker.give(token, directory):
                return Serving(worker, token)
            # What it has begun must not be begun a second time.
            self._retire(worker, kill=True)
            await asyncio.to_thread(worker.process.wait)
            if rundir.is_fenced(directory):
                return Serving(worker, token)
        return None

    async def _until_ready(self, worker: WarmWorker, token: str) -> bool:
        """Wait for a worker, as long as the attempt is wanted; False when it does not get ready."""
        self._waiting[token] = worker
        try:
            ready = await worker.until(lambda: worker.ready or token not in self._waiting, _START_SECONDS)
        finally:
            wanted = self._waiting.pop(token, None) is not None
        if not wanted:
            worker.taken = False
            if worker.jobs == 0:
                worker.owner = None
            self._end_if_idle(worker)
            raise LaunchError("called off")
        return ready

    def _take(self, owner: str) -> WarmWorker | None:
        """Reserve the worker that will be ready first; it serves this owner from now on."""
        free = [w for w in self._workers if not w.taken]
        usable = [w for w in free if w.owner in (None, owner)]
        # One that has served before is quicker: its memory is warm too.
        worker = min(usable, key=lambda w: (not w.ready, not w.started, w.owner is None), default=None)
        if worker is None:
            if len(self._workers) >= self._size and free:
                self._retire(free[0])
            worker = self._spawn()
        if worker is not None:
            worker.owner, worker.taken = owner, True
        return worker

    def _spawn(self) -> WarmWorker | None:
        if len(self._workers) >= self._size or self._failed_starts >= _MAX_FAILED_STARTS:
            return None
        try:
            worker = WarmWorker(self._command, self._environment)
        except OSError as error:
            self._failed_starts = _MAX_FAILED_STARTS
            _log.warning("no warm workers: %s", error)
            return None
        self._workers.append(worker)
        asyncio.get_running_loop().add_reader(worker.socket, self._hear, worker)
        return worker

    def _hear(self, worker: WarmWorker) -> None:
        if worker.receive():
            if worker.ready:
                self._failed_starts = 0
                self._end_if_idle(worker)
            return
        if not worker.started:
            self._failed_starts += 1
            _log.warning("a warm worker did not start")
        self._retire(worker)
        # It had failed at a job, or found what that had left behind. Then another takes its place.
        if worker.jobs:
            self._refill()

    def _refill(self) -> None:
        if all(w.taken for w in self._workers):
            self._spawn()

    def _end_if_idle(self, worker: WarmWorker) -> None:
        """Let a worker go if it is given no job for a while."""
        jobs = worker.jobs

        def look() -> None:
            if worker.jobs == jobs and not worker.taken:
                self._retire(worker)

        # One timer a worker: with many small jobs those of earlier ones would be thousands.
        worker.forget_timer()
        worker.timer = asyncio.get_running_loop().call_later(self._idle_seconds, look)

    def release(self, token: str, *, sound: bool) -> None:
        """A job has ended; its worker may serve another when all was sound."""
        for worker in [w for w in self._workers if w.served == token]:
            worker.taken = False
            if not sound or worker.jobs >= self._jobs:
                self._retire(worker)
                self._refill()
            else:
                self._end_if_idle(worker)

    def doom(self, token: str) -> None:
        """The worker of this attempt is about to be ended: it gets no other job meanwhile.

        Should the attempt still wait for one, it gets none.
        """
        waited_for = self._waiting.pop(token, None)
        if waited_for is not None:
            waited_for.changed()
        for worker in [w for w in self._workers if w.served == token]:
            self._retire(worker)

    def _retire(self, worker: WarmWorker, *, kill: bool = False) -> None:
        """Let a worker go: it ends after its job, or at once."""
        if worker in self._workers:
            self._workers.remove(worker)
        if kill:
            worker.process.kill()
        if not worker.open:
            return
        worker.open = False
        worker.forget_timer()
        asyncio.get_running_loop().remove_reader(worker.socket)
        worker.socket.close()
        worker.changed()
        task = asyncio.create_task(self._reap(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reap(self, worker: WarmWorker) -> None:
        """Wait for the end of a process; one without a job has to end soon."""
        deadline = asyncio.get_running_loop().time() + _END_SECONDS
        while worker.process.poll() is None:
            await asyncio.sleep(0.05)
            if worker.token is None and asyncio.get_running_loop().time() > deadline:
                worker.process.kill()
        worker.changed()

    async def close(self) -> None:
        """Let all go. Those without a job end now; the others go on, and end after it."""
        workers = list(self._workers)
        for worker in workers:
            self._retire(worker)
        idle = [w for w in workers if w.token is None]
        for _ in range(40):
            if all(w.process.poll() is not None for w in idle):
                break
            await asyncio.sleep(0.05)
        for worker in idle:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in workers:
            if worker.process.poll() is None:
                # Otherwise Popen warns, when it is collected, of a process nobody waited for. That is intended here.
                worker.process.returncode = 0
