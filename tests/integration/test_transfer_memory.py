"""The memory of server and client does not grow with what travels between them."""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dougong.client import Client
from dougong.client.transfer import MeshFile
from dougong.messages import DataLoss
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, mesh_pb2
from server_harness import ServerProcess, running_server

#: What travels, and by how much memory may grow meanwhile: some pieces, and what is made once in a process.
SIZE, BOUND = 160 << 20, 48 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as process:
        yield process


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    with Client(server.address) as one:
        one.capabilities()
        yield one


class Peaks:
    """By how many bytes the resident memory of server and client grew at most, since this was made."""

    def __init__(self, server: ServerProcess) -> None:
        assert server.process is not None
        self._pids = (server.process.pid, os.getpid())
        for pid in self._pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = [_memory(pid, "VmRSS") for pid in self._pids]

    def grown(self) -> list[int]:
        return [_memory(pid, "VmHWM") - b for pid, b in zip(self._pids, self._before, strict=True)]


def _memory(pid: int, key: str) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split(f"{key}:")[1].split()[0]) << 10


def test_a_file_goes_up_in_flat_memory(server: ServerProcess, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.msh"
    with open(path, "wb") as out:
        out.truncate(SIZE)
    # With a wrong digest the answer comes when all has arrived, before anything is read as a mesh.
    mesh = replace(MeshFile.read(path), sha256="0" * 64)
    upload_id, peaks = str(uuid.uuid4()), Peaks(server)
    with pytest.raises(DataLoss):
        client._retried(lambda attempt: client._upload(mesh, upload_id, "gmsh", 1 << 20, None, attempt))
    assert max(peaks.grown()) < BOUND


def test_a_field_comes_down_into_a_file_in_flat_memory(server: ServerProcess, client: Client, tmp_path: Path) -> None:
    job = server.submit("solve")
    server.wait(job.job_id)
    values = np.arange(SIZE // 8, dtype=np.float64)
    _append_field(server.run_directory(job.job_id), "large", values)
    last = values[-1]
    del values
    peaks = Peaks(server)
    field = client.field(job.job_id, "large", out=tmp_path / "large.npy")
    assert max(peaks.grown()) < BOUND
    assert field.nbytes == SIZE
    assert field[-1] == last


def _append_field(directory: Path, name: str, values: np.ndarray) -> None:
    """Add a field to the result of a job that has ended."""
    outcome = rundir.read_outcome(directory)
    assert outcome is not None
    path = f"{rundir.RESULTS}/{name}.bin"
    values.tofile(directory / path)
    index = len(outcome.result.fields)
    outcome.files.add(path=path, size_bytes=values.nbytes, crc32=zlib.crc32(values), field_index=index)
    outcome.result.fields.add(
        name=name,
        step=outcome.result.steps[-1].name,
        location=analysis_pb2.LOCATION_NODE,
        dtype=mesh_pb2.DATA_TYPE_FLOAT64,
        shape=values.shape,
        size_bytes=values.nbytes,
    )
    rundir.write_outcome(directory, outcome)
