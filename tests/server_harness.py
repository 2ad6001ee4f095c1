"""A real server in a process of its own, over a real Unix socket, and what tests ask of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.rpc import error_details_pb2, status_pb2

from dougong.server import processes
from dougong.v1 import (
    analysis_pb2,
    job_pb2,
    job_pb2_grpc,
    mesh_pb2,
    mesh_pb2_grpc,
    result_pb2_grpc,
    system_pb2_grpc,
)

FAKES = Path(__file__).parent / "server_fakes"

#: Two tetrahedra with a facet in common, a volume, a surface with two facets, in Gmsh's format 2.2.
TWO_TETS = b"""$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
2 1 "skin"
3 2 "body"
$EndPhysicalNames
$Nodes
5
1 0 0 0
2 1 0 0
3 0 1 0
4 0 0 1
5 1 1 1
$EndNodes
$Elements
4
1 2 2 1 1 1 3 2
2 2 2 1 1 1 2 4
3 4 2 2 1 1 2 3 4
4 4 2 2 1 2 3 4 5
$EndElements
"""

ENDED = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)


class ServerProcess:
    """The server, its stubs, and its data folder."""

    def __init__(self, command: list[str] | None = None, **changes: Any) -> None:
        # A short path: those of Unix sockets are limited to 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
        self.data = self.root / "data"
        self.address = f"unix:{self.root}/s.sock"
        self.changes = changes
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self, **changes: Any) -> None:
        """Start it, and wait until it listens."""
        self.changes.update(changes)
        ours = [sys.executable, str(FAKES / "serve.py"), str(self.data), self.address, json.dumps(self.changes)]
        with open(self.root / "server.log", "ab") as log:
            self.process = subprocess.Popen(self.command or ours, stdout=log, stderr=log)
        # It is asked often whether it listens already: one that ends when idle might have ended before the next time.
        options = [
            ("grpc.default_authority", "localhost"),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 100),
        ]
        self.channel = grpc.insecure_channel(self.address, options)
        self.meshes = mesh_pb2_grpc.MeshServiceStub(self.channel)
        self.jobs = job_pb2_grpc.JobServiceStub(self.channel)
        self.results = result_pb2_grpc.ResultServiceStub(self.channel)
        self.system = system_pb2_grpc.SystemServiceStub(self.channel)
        try:
            grpc.channel_ready_future(self.channel).result(20)
        except grpc.FutureTimeoutError:
            raise AssertionError(self.log()) from None

    def log(self) -> str:
        return (self.root / "server.log").read_text(errors="replace")

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None
        self.channel.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process is not None
        self.channel.close()
        self.process.terminate()
        return self.process.wait(15)

    def end(self) -> None:
        """Stop it, kill what its jobs left, remove its folder."""
        assert self.process is not None
        self.channel.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for spec in self.data.glob("runs/*/*/spec.pb"):
            processes.kill_all(token_of(spec.parent))
        shutil.rmtree(self.root, ignore_errors=True)

    # What tests do

    def upload(self, content: bytes = TWO_TETS, **header: Any) -> mesh_pb2.Mesh:
        """Upload a mesh in one go."""
        return self.meshes.UploadMesh(iter(upload_messages(content, **header)), timeout=30)

    def submit(self, name: str, ranks: int = 1, request_id: str | None = None, **resources: int) -> job_pb2.Job:
        """Submit a job for the fake worker."""
        mesh_id = self.upload().mesh_id
        return self.jobs.SubmitJob(request(name, mesh_id, ranks, request_id, **resources), timeout=30)

    def get(self, job_id: str) -> job_pb2.Job:
        return self.jobs.GetJob(job_pb2.GetJobRequest(job_id=job_id), timeout=10)

    def events(self, job_id: str, after: int = 0, timeout: float = 30) -> list[job_pb2.JobEvent]:
        """All events until the job ends."""
        watch = job_pb2.WatchJobRequest(job_id=job_id, after_sequence=after)
        return list(self.jobs.WatchJob(watch, timeout=timeout))

    def wait(self, job_id: str, timeout: float = 30) -> job_pb2.Job:
        """The job after its end."""
        self.events(job_id, timeout=timeout)
        return self.get(job_id)

    def run_directory(self, job_id: str, attempt: int = 1) -> Path:
        return self.data / "runs" / job_id / str(attempt)

    def wait_running(self, job_id: str, ranks: int = 1) -> list[int]:
        """Wait until the worker has begun on all ranks; numbers of the processes of the attempt."""
        log = self.run_directory(job_id) / "log"
        until(lambda: log.exists() and log.read_text().count("rank ") >= ranks)
        until(lambda: self.get(job_id).state == job_pb2.Job.STATE_RUNNING)
        return processes.find(token_of(log.parent))


def token_of(directory: Path) -> str:
    from dougong.solver import rundir

    return rundir.read_spec(directory).token


def request(
    name: str, mesh_id: str, ranks: int = 1, request_id: str | None = None, **resources: int
) -> job_pb2.SubmitJobRequest:
    return job_pb2.SubmitJobRequest(
        request_id=request_id or str(uuid.uuid4()),
        analysis=analysis_pb2.Analysis(name=name, mesh=mesh_id),
        resources=job_pb2.Resources(ranks=ranks, **resources),
    )


def upload_header(content: bytes = TWO_TETS, **changes: Any) -> mesh_pb2.UploadHeader:
    values = {
        "upload_id": str(uuid.uuid4()),
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "format": "gmsh",
        "file_name": "two.msh",
        **changes,
    }
    return mesh_pb2.UploadHeader(**values)


def upload_messages(
    content: bytes, start: int = 0, stop: int | None = None, piece: int = 64, **header: Any
) -> Iterator[mesh_pb2.UploadMeshRequest]:
    """The messages of an upload, or of the part of it from `start` to `stop`."""
    yield mesh_pb2.UploadMeshRequest(header=upload_header(content, **header))
    stop = len(content) if stop is None else stop
    for offset in range(start, stop, piece):
        chunk = mesh_pb2.UploadChunk(offset=offset, data=content[offset : min(offset + piece, stop)])
        yield mesh_pb2.UploadMeshRequest(chunk=chunk)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something that must come; the limit is only there to end a broken test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


class Refused:
    """The error that a call ended with."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code()
        self.trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
        self.status = status_pb2.Status.FromString(self.trailer)
        self.info = self._detail(error_details_pb2.ErrorInfo)
        self.reason = self.info.reason
        self.chinese = self._detail(error_details_pb2.LocalizedMessage).message
        self.fields = [v.field for v in self._detail(error_details_pb2.BadRequest).field_violations]
        self.violations = list(self._detail(job_pb2.ValidateAnalysisResponse).violations)
        self.retry = self._detail(error_details_pb2.RetryInfo).retry_delay.seconds
        self.precondition = self._detail(error_details_pb2.PreconditionFailure).violations

    def _detail(self, kind: Any) -> Any:
        message = kind()
        for packed in self.status.details:
            if packed.Unpack(message):
                break
        return message


def refused(call: Callable[[], object]) -> Refused:
    """Make a call that must be refused."""
    try:
        result = call()
        if hasattr(result, "__next__"):
            list(result)
    except grpc.RpcError as error:
        return Refused(error)
    raise AssertionError("the call was accepted")


def arrays(chunks: Any) -> dict[str, np.ndarray]:
    """Put the arrays of a stream together, checking each piece."""
    import zlib

    from dougong.server.arrays import NUMPY_TYPES

    heads: dict[str, mesh_pb2.ArrayChunk] = {}
    parts: dict[str, bytearray] = {}
    name = ""
    for chunk in chunks:
        assert zlib.crc32(chunk.data) == chunk.crc32
        if chunk.name:
            name = chunk.name
            heads[name] = chunk
            parts[name] = bytearray()
        assert chunk.offset == heads[name].offset + len(parts[name])
        parts[name] += chunk.data
    return {
        n: np.frombuffer(bytes(parts[n]), NUMPY_TYPES[h.dtype]).reshape(tuple(h.shape) if h.offset == 0 else -1)
        for n, h in heads.items()
    }


@contextlib.contextmanager
def running_server(**changes: Any) -> Iterator[ServerProcess]:
    """A server for a while."""
    server = ServerProcess(**changes)
    try:
        yield server
    finally:
        server.end()


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
