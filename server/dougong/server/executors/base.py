"""What an executor is: one module of this package, found by scan, that starts workers somewhere and looks after them.

    NAME                        the name, for example "local"
    MEASURES_MEMORY             whether sightings tell the memory of a job with a limit; else who runs the job holds it
    create(config) -> Executor  makes it

An executor must survive the death of the server: whatever it needs to know of a running attempt it finds again from
the attempt's token and handle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dougong.server.config import Config
from dougong.server.jobs.model import Phase
from dougong.v1 import job_pb2


class LaunchError(Exception):
    """The launcher refused; no process of the attempt exists.

    Attributes
    ----------
    reason
        Code of the failure, which has the gaps `cause` and `log`.
    """

    def __init__(self, cause: str, reason: str = "LAUNCH_FAILED") -> None:
        super().__init__(cause)
        self.reason = reason


@dataclass(frozen=True)
class Attempt:
    """An attempt, as an executor sees it.

    Attributes
    ----------
    token
        Unique; goes into the environment of every process (and into the name of a batch job).
    directory
        Its run directory.
    resources
        What was asked for; `ranks` is at least 1.
    handle
        What `launch` returned; None when the server died before it could note it.
    owner
        Whose job it is. A process that serves several attempts serves one owner only.
    """

    token: str
    directory: Path
    resources: job_pb2.Resources
    handle: str | None = None
    owner: str = ""


@dataclass(frozen=True)
class Sighting:
    """What the executor sees of an attempt.

    Attributes
    ----------
    phase
        Where it stands. GONE is said only when no process of it is left anywhere, or its machine is lost: whatever may
        live there finds the run directory revoked before another attempt begins.
    lost
        With GONE: why it ended, should it have left no outcome.
    hopeless
        With WAITING: why it will never start.
    run_seconds
        Since it started.
    memory_bytes
        Memory of all its processes; 0 when not measured.
    handle
        The handle, where that was found out or has changed since the launch; else empty.
    """

    phase: Phase
    lost: job_pb2.Failure | None = None
    hopeless: job_pb2.Failure | None = None
    run_seconds: float = 0.0
    memory_bytes: int = 0
    handle: str = ""


class Executor(Protocol):
    """Starts attempts and looks after them."""

    name: str

    async def start(self) -> None:
        """Get ready, ahead of the first attempt, what makes launches quick."""

    async def launch(self, attempt: Attempt) -> str:
        """Start the worker in the run directory; returns the handle. Raises `LaunchError`."""

    async def observe(self, attempt: Attempt) -> Sighting:
        """Look at an attempt, also one that an earlier server started."""

    async def cpu_time(self, attempt: Attempt) -> Mapping[int, object]:
        """What changes whenever a rank uses CPU time, by rank; nothing where that cannot be told."""

    def listen(self, attempt: Attempt, call: Callable[[], None]) -> None:
        """Call it, on the event loop, when the attempt may have changed: a hint, which need not come."""

    async def stop(self, attempt: Attempt) -> None:
        """Ask its processes to end, then kill them. Returns when none is left; does nothing when there is none.

        It returns also when that cannot be told (a batch system that does not answer), and is then called again.
        """

    async def living(self) -> set[str]:
        """Tokens of everything that runs, also of what is not ours."""

    def forget(self, attempt: Attempt, *, sound: bool) -> None:
        """The attempt has ended and was dealt with: nobody will ask for it again.

        `sound`: it succeeded, and a process that served it may serve another.
        """

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""


class ExecutorModule(Protocol):
    """A module of this package."""

    NAME: str
    MEASURES_MEMORY: bool

    def create(self, config: Config) -> Executor:
        """Make the executor."""
