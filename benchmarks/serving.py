"""A real server in a process of its own, with an empty data folder, for as long as a benchmark needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from processes import CACHED, ENVIRONMENT, FailedError, python

from dougong.client.client import Client
from dougong.v1 import analysis_pb2, job_pb2, result_pb2

_START_SECONDS = 30.0

#: Until the children of a server are ready.
_SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Service:
    """A running server: a client of it, its address, its process, its data folder."""

    client: Client
    address: str
    pid: int
    data: Path


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """Start a server; end it and remove its data afterwards.

    Raises
    ------
    FailedError
        It did not start.
    """
    # A short path: those of Unix sockets are limited to 107 bytes.
    root = Path(tempfile.mkdtemp(prefix="dougong-bench-"))
    address = f"unix:{root}/s.sock"
    command = [str(c) for c in python("-m", "dougong.server.main", "--data", root / "data", "--listen", address)]
    with open(root / "log", "wb") as log:
        process = subprocess.Popen(command, env=os.environ | ENVIRONMENT | CACHED, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not (root / "s.sock").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise FailedError(f"the server did not start: {(root / 'log').read_text()[-500:]}")
            time.sleep(0.05)
        with Client(address) as client:
            client.capabilities()
            time.sleep(_SETTLE_SECONDS)
            yield Service(client, address, process.pid, root / "data")
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(root, ignore_errors=True)


def run(client: Client, analysis: analysis_pb2.Analysis) -> tuple[float, result_pb2.Result]:
    """Seconds from submit to result in hand, and the result.

    Raises
    ------
    FailedError
        The job failed, or the result is that of another.
    """
    start = time.perf_counter()
    job = client.submit(analysis)
    for _event in client.watch(job.job_id):
        pass
    ended = client.job(job.job_id)
    if ended.state != job_pb2.Job.STATE_SUCCEEDED:
        raise FailedError(f"{job.job_id} failed: {ended.failure.text}")
    result: result_pb2.Result = client.result(job.job_id)
    duration = time.perf_counter() - start
    if result.job_id != job.job_id:
        raise FailedError(f"{job.job_id}: the result of {result.job_id}")
    return duration, result
