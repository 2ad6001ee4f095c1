"""Workers on this machine: of one rank warm ones where there are any, of more ranks under mpiexec."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping

from dougong.server import processes
from dougong.server.config import Config
from dougong.server.executors.base import Attempt, LaunchError, Sighting
from dougong.server.jobs.model import Phase
from dougong.server.postmortem import why_lost
from dougong.server.warm import Serving, WarmPool
from dougong.solver import rundir
from dougong.v1 import job_pb2

NAME = "local"
MEASURES_MEMORY = True

#: How often the memory of a job with a limit is measured.
_MEASURE_SECONDS = 0.5

#: One BLAS thread a rank. Root is the usual user in a container. Ranks are bound to no core, for several jobs share
#: them, and Open MPI would bind each job to the same first ones. Single-copy transfer needs ptrace rights that
#: containers do not give.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}


def create(config: Config) -> LocalExecutor:
    """Make the executor."""
    environment = {**config.worker_environment, **_ENVIRONMENT, "TMPDIR": _short_tmp()}
    pool = WarmPool(
        config.warm_command,
        environment,
        size=min(config.warm_workers, config.cores),
        jobs=config.warm_jobs,
        idle_seconds=config.warm_idle_seconds,
    )
    return LocalExecutor(config.worker_command, config.mpiexec, environment, config.stop_patience_seconds, pool)


class LocalExecutor:
    """Starts each attempt as a process of its own session; one rank directly, more through mpiexec.

    Parameters
    ----------
    worker
        The worker's command; the run directory is appended.
    mpiexec
        The launcher for more than one rank.
    environment
        Of a worker, but for its token.
    patience_seconds
        Between SIGTERM and SIGKILL.
    pool
        Warm workers.
    """

    name = NAME

    def __init__(
        self,
        worker: tuple[str, ...],
        mpiexec: str,
        environment: Mapping[str, str],
        patience_seconds: float,
        pool: WarmPool,
    ) -> None:
        self._worker = worker
        self._mpiexec = mpiexec
        self._environment = dict(environment)
        self._patience_seconds = patience_seconds
        self._pool = pool
        self._children: dict[str, subprocess.Popen[bytes] | Serving] = {}
        self._measured: dict[str, tuple[float, int]] = {}

    async def start(self) -> None:
        """Get a warm worker ready."""
        self._pool.start()

    async def launch(self, attempt: Attempt) -> str:
        """Start the worker; the handle is the number of the process that leads its session."""
        if attempt.resources.ranks == 1:
            serving = await self._pool.give(attempt.owner, attempt.token, attempt.directory)
            if serving is not None:
                self._children[attempt.token] = serving
                return str(serving.pid)
        return await asyncio.to_thread(self._launch, attempt)

    def _launch(self, attempt: Attempt) -> str:
        command = [*self._worker, str(attempt.directory)]
        if attempt.resources.ranks > 1:
            command = [self._mpiexec, "-n", str(attempt.resources.ranks), *command]
        environment = {**self._environment, processes.TOKEN_VARIABLE: attempt.token}
        try:
            with open(attempt.directory / rundir.LOG, "ab") as log:
                child = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise LaunchError(f"{command[0]}: {error.strerror}") from error
        self._children[attempt.token] = child
        return str(child.pid)

    async def observe(self, attempt: Attempt) -> Sighting:
        """Look at the processes of an attempt."""
        return await asyncio.to_thread(self._observe, attempt)

    def _observe(self, attempt: Attempt) -> Sighting:
        child = self._children.get(attempt.token)
        leader = self._adopted_leader(attempt) if child is None else _living(child)
        if leader is not None:
            return Sighting(
                Phase.RUNNING, run_seconds=processes.age_seconds(leader), memory_bytes=self._memory(attempt)
            )
        if isinstance(child, Serving) and child.done:
            # It was this one process, and it has put the token away.
            return Sighting(Phase.GONE, _why_lost(attempt, child.returncode))
        # Open MPI 5 leaves the ranks running when mpiexec is killed.
        if not processes.kill_all(attempt.token):
            return Sighting(Phase.UNKNOWN)
        return Sighting(Phase.GONE, _why_lost(attempt, None if child is None else child.returncode))

    def _adopted_leader(self, attempt: Attempt) -> int | None:
        """The launcher of an attempt that an earlier server started."""
        if attempt.handle is None:
            return processes.find_leader(attempt.token)
        pid = int(attempt.handle)
        return pid if processes.has_token(pid, attempt.token) else None

    def _memory(self, attempt: Attempt) -> int:
        if attempt.resources.memory_bytes <= 0:
            return 0
        last, value = self._measured.get(attempt.token, (float("-inf"), 0))
        now = time.monotonic()
        if now - last >= _MEASURE_SECONDS:
            value = processes.memory_bytes(processes.find(attempt.token))
            self._measured[attempt.token] = (now, value)
        return value

    async def cpu_time(self, attempt: Attempt) -> Mapping[int, object]:
        """CPU time of the processes of each rank."""
        return await asyncio.to_thread(processes.cpu_time, attempt.token)

    def listen(self, attempt: Attempt, call: Callable[[], None]) -> None:
        """Call it when a warm worker has something to tell."""
        child = self._children.get(attempt.token)
        if isinstance(child, Serving):
            child.listen(call)

    async def stop(self, attempt: Attempt) -> None:
        """SIGTERM to the session's process group, SIGKILL to whatever has the token after the patience."""
        self._pool.doom(attempt.token)
        await asyncio.to_thread(self._stop, attempt)

    def _stop(self, attempt: Attempt) -> None:
        leader = processes.find_leader(attempt.token)
        if leader is not None:
            try:
                os.killpg(leader, signal.SIGTERM)
            except ProcessLookupError:
                leader = None
        deadline = time.monotonic() + self._patience_seconds
        while processes.find(attempt.token) and time.monotonic() < deadline:
            time.sleep(0.02)
        processes.kill_all(attempt.token)
        child = self._children.get(attempt.token)
        if child is not None:
            child.wait(self._patience_seconds)

    async def living(self) -> set[str]:
        """Tokens in the environments of all processes."""
        return await asyncio.to_thread(processes.all_tokens)

    def forget(self, attempt: Attempt, *, sound: bool) -> None:
        """Let go of the child."""
        self._pool.release(attempt.token, sound=sound)
        self._children.pop(attempt.token, None)
        self._measured.pop(attempt.token, None)

    async def close(self) -> None:
        """Let go of the children; they go on without us."""
        await self._pool.close()
        for child in self._children.values():
            if isinstance(child, subprocess.Popen) and child.poll() is None:
                # Otherwise Popen warns, when it is collected, of a process nobody waited for. That is intended here.
                child.returncode = 0
        self._children.clear()


def _living(child: subprocess.Popen[bytes] | Serving) -> int | None:
    return child.pid if child.poll() is None else None


def _short_tmp() -> str:
    """Folder for the session files of Open MPI, which are Unix sockets with a long name of their own."""
    wanted = os.environ.get("TMPDIR", "/tmp")
    return wanted if len(wanted) <= 30 else "/tmp"


def _why_lost(attempt: Attempt, code: int | None) -> job_pb2.Failure:
    return why_lost(attempt.directory, attempt.resources.ranks, code, started=attempt.handle is not None)
