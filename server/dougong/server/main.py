"""The server's program: builds every object, listens, and ends gracefully.

    python -m dougong.server.main --data DIR --listen ADDRESS [--idle-exit SECONDS] [--cores N]

`dougong serve` calls `run`. A private server is the same program with ``--idle-exit``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sqlite3
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from dougong.meshes.store import MeshStore
from dougong.messages import FemError, user_language
from dougong.server.activity import Activity
from dougong.server.api.bulk import BulkInterceptor
from dougong.server.api.errors import ErrorInterceptor
from dougong.server.api.job import JobService
from dougong.server.api.mesh import MeshService
from dougong.server.api.result import ResultService
from dougong.server.api.system import SystemService
from dougong.server.checker import Checker
from dougong.server.config import Config, from_arguments
from dougong.server.database import Database
from dougong.server.datafolder import DataFolder, Lock, prepare_socket
from dougong.server.executors import all_executors
from dougong.server.jobs.history import History
from dougong.server.jobs.scheduler import Scheduler
from dougong.server.jobs.store import JobStore
from dougong.server.jobs.watch import WatchHub
from dougong.server.memory import reuse_pieces
from dougong.server.meshes import MeshLibrary
from dougong.server.starting import StartError
from dougong.server.uploads import Uploads
from dougong.v1 import job_pb2_grpc, mesh_pb2_grpc, result_pb2_grpc, system_pb2_grpc

_log = logging.getLogger("dougong.server")

#: Calls that are open at a graceful stop may go on for so long; streams of events end at once.
_GRACE_SECONDS = 5.0

SERVICES = (
    "dougong.v1.MeshService",
    "dougong.v1.JobService",
    "dougong.v1.ResultService",
    "dougong.v1.SystemService",
)


def server_options(config: Config) -> list[tuple[str, int]]:
    """Options of the gRPC server.

    Clients ping idle connections each 60 s; without the ping options gRPC would end those connections. Two servers on
    one port would share its calls, therefore no SO_REUSEPORT. (A client of a Unix socket has to set
    ``grpc.default_authority=localhost``: some versions send the escaped path, which others refuse.)
    """
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_concurrent_streams", 1000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]


class Server:
    """A running server.

    Parameters
    ----------
    config
        Everything that can be chosen.

    Raises
    ------
    StartError
        It cannot be as it was chosen.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        executors = all_executors()
        if config.executor not in executors:
            raise StartError("EXECUTOR_UNKNOWN", name=config.executor, known=", ".join(sorted(executors)))
        self.folder = DataFolder(config.data, config.shared)
        self.folder.make()
        self._lock = Lock(self.folder)
        self.folder.claim_shared()
        self._database = Database(self.folder.database)
        self._hub = WatchHub()
        self._activity = Activity()
        store = JobStore(self._database, time.time_ns, self._hub.publish, config.max_queued_jobs)
        storage = MeshStore(self.folder.meshes)
        library = MeshLibrary(self._database, storage, time.time_ns)
        self._uploads = Uploads(
            self._database,
            self.folder.uploads,
            library,
            time.time_ns,
            max_uploads=config.max_uploads,
            max_upload_bytes=config.max_upload_bytes,
        )
        self._checker = Checker(
            config.check_command, config.worker_environment, config.check_timeout_seconds, config.check_memory_bytes
        )
        self._executor = executors[config.executor].create(config)
        self._scheduler = Scheduler(
            store,
            self._executor,
            self.folder,
            storage.directory,
            lambda: secrets.token_hex(16),
            cores=config.cores,
            stall_limit_seconds=config.stall_limit_seconds,
            poll_seconds=config.poll_seconds,
            retry_seconds=config.retry_seconds,
        )
        history = History(self._database)
        self._jobs = JobService(
            store, self._scheduler, self._hub, library, self._checker, history, self.folder, new_job_id, config
        )
        self._meshes = MeshService(library, self._uploads, config)
        self._results = ResultService(store, library, self.folder, config)
        self._system = SystemService(self._checker, config.executor, config)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._stopping = asyncio.Event()
        self._listening = False

    async def start(self) -> str:
        """Recover, then listen; returns the address. Raises `StartError` when somebody listens there."""
        config = self.config
        prepare_socket(config.listen)
        self._background = asyncio.create_task(self._checker.start())
        await self._sweep_uploads()
        self._sweeping = asyncio.create_task(self._sweep_again())
        await self._scheduler.start()
        self._server = grpc.aio.server(
            interceptors=[ErrorInterceptor(self._activity), BulkInterceptor()], options=server_options(config)
        )
        mesh_pb2_grpc.add_MeshServiceServicer_to_server(self._meshes, self._server)
        job_pb2_grpc.add_JobServiceServicer_to_server(self._jobs, self._server)
        result_pb2_grpc.add_ResultServiceServicer_to_server(self._results, self._server)
        system_pb2_grpc.add_SystemServiceServicer_to_server(self._system, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        try:
            port = self._server.add_insecure_port(str(config.listen))
        except RuntimeError:
            port = 0
        if port == 0:
            raise StartError("ADDRESS_IN_USE", address=config.listen)
        await self._server.start()
        self._listening = True
        address = str(config.listen)
        if config.listen.socket is None:
            address = f"{address.rpartition(':')[0]}:{port}"
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._lock.announce(address)
        return address

    async def _sweep_uploads(self) -> None:
        await self._uploads.sweep(time.time_ns() - int(self.config.upload_days * 86400e9))

    async def _sweep_again(self) -> None:
        while True:
            await asyncio.sleep(self.config.sweep_seconds)
            try:
                await self._sweep_uploads()
            except (FemError, OSError, sqlite3.Error) as error:
                _log.warning("abandoned uploads could not be removed: %s", error)

    async def serve(self) -> None:
        """Until asked to stop, or idle for long enough."""
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(self._stopping.wait())]
        if self.config.idle_exit_seconds > 0:
            idle = self._activity.idle(self.config.idle_exit_seconds, lambda: self._scheduler.busy)
            waiting.append(asyncio.create_task(idle))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def request_stop(self) -> None:
        """Ask `serve` to return."""
        self._stopping.set()

    async def stop(self) -> None:
        """Graceful end: watchers are sent away to come back, open calls may finish, jobs go on."""
        if hasattr(self, "_server"):
            await self._health.enter_graceful_shutdown()
            self._hub.close()
            await self._server.stop(_GRACE_SECONDS)
        await self._scheduler.close()
        for name in ("_background", "_sweeping"):
            task = getattr(self, name, None)
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._checker.close()
        self._database.close()
        if self._listening and self.config.listen.socket is not None:
            self.config.listen.socket.unlink(missing_ok=True)
        self._lock.release()


def new_job_id() -> str:
    """A job id: short enough to type, too long to meet twice."""
    return f"job-{uuid.uuid4().hex[:12]}"


async def serve(config: Config) -> None:
    """Run a server to its end."""
    server = Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.request_stop)
    try:
        # Not before it listens: why it cannot would be lost below its configuration.
        address = await server.start()
        for line in config.lines():
            _log.info("%s", line)
        _log.info("listening on %s", address)
        await server.serve()
        _log.info("stopping")
    finally:
        await server.stop()


def run(argv: Sequence[str]) -> int:
    """The program; returns its exit code: 0, or 2 when it could not start as asked."""
    # Jobs and meshes are nobody else's business, and who can write to the socket can use the server.
    os.umask(0o077)
    reuse_pieces()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(serve(from_arguments(argv)))
    except StartError as error:
        print(f"dougong serve: {error.text(user_language())}", file=sys.stderr)  # noqa: T201 - the answer to a command line
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
