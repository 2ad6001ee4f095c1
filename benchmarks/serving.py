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

_START_SECONDS = 30.0

#: Until the children of a server are ready.
_SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Service:
    """A running server: its address, its process, its data folder."""

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
        yield Service(address, process.pid, root / "data")
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(root, ignore_errors=True)
