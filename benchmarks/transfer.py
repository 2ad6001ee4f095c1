"""Transfer over a local socket: a file up with its digest checked, a field down with its checksums checked.

    python benchmarks/transfer.py [--megabytes N] [--runs N] [--to-file]

Prints a table with the memory that both sides took for it, and writes build/bench-transfer.json. The server is the
real one in a process of its own; the field is appended to the result of a small job, so that its size can be chosen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
import zlib
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
from bodies import ROOT, make
from processes import FailedError
from reading import write_gmsh
from record import Report, record
from serving import Service, service

from dougong.client.transfer import MeshFile
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, mesh_pb2

#: What is asked for, MB/s.
UP, DOWN = 600.0, 500.0

_FIELD = "large"
#: Values of the field that are made at a time.
_PIECE = 1 << 20


def upload(server: Service, size: int) -> tuple[float, list[int]]:
    """MB/s from the first byte until the server has all of them on disk and has checked their digest.

    The announced digest is wrong on purpose, so that the answer comes then, before anything is read as a mesh. Returns
    also how much the memory of the server and of this process grew.
    """
    with tempfile.NamedTemporaryFile(suffix=".msh") as file:
        block = os.urandom(1 << 20)
        for _ in range(size >> 20):
            file.write(block)
        file.flush()
        mesh = replace(MeshFile.read(file.name), sha256="0" * 64)
        chunk = server.client.capabilities().chunk_bytes
        before = _watch(server)
        start = time.perf_counter()
        try:
            server.client._upload(mesh, str(uuid.uuid4()), "gmsh", chunk, None, 0)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DATA_LOSS:
                raise
        return mesh.size_bytes / 1e6 / (time.perf_counter() - start), _grown(before, server)


def download(server: Service, job: str, size: int, out: Path | None = None) -> tuple[float, list[int]]:
    """MB/s of a field, from the call to the array, and how much memory grew; an array in memory is not counted.

    With `out` it goes into that file, and is mapped.
    """
    before = _watch(server)
    start = time.perf_counter()
    field = server.client.field(job, _FIELD, out=out)
    seconds = time.perf_counter() - start
    grown = _grown(before, server)
    if field.nbytes != size or field[-1] != len(field) - 1:
        raise FailedError("the field is not the one that was stored")
    return size / 1e6 / seconds, [grown[0], grown[1] - (size if out is None else 0)]


def job_with_field(server: Service, size: int) -> str:
    """Solve a small job and append a large field to its result."""
    report = Path(tempfile.mkdtemp(dir=server.data.parent))
    body = make("beam/1k", report)
    if body is None:
        raise FailedError("there is no body")
    write_gmsh(body, report / "beam.msh")
    analysis: analysis_pb2.Analysis = body.analysis()
    analysis.mesh = server.client.upload_mesh(report / "beam.msh").mesh_id
    job = server.client.submit(analysis)
    for _event in server.client.watch(job.job_id):
        pass
    directory = server.data / "runs" / job.job_id / "1"
    outcome = rundir.read_outcome(directory)
    if outcome is None or not outcome.HasField("result"):
        raise FailedError(f"the job failed: {server.client.job(job.job_id).failure.text}")
    path, crc = f"{rundir.RESULTS}/{_FIELD}.bin", 0
    with open(directory / path, "wb") as file:
        for start in range(0, size // 8, _PIECE):
            values = np.arange(start, min(start + _PIECE, size // 8), dtype=np.float64)
            crc = zlib.crc32(values, crc)
            values.tofile(file)
    outcome.files.add(path=path, size_bytes=size, crc32=crc, field_index=len(outcome.result.fields))
    outcome.result.fields.add(
        name=_FIELD,
        step=outcome.result.steps[-1].name,
        location=analysis_pb2.LOCATION_NODE,
        dtype=mesh_pb2.DATA_TYPE_FLOAT64,
        shape=(size // 8,),
        size_bytes=size,
    )
    rundir.write_outcome(directory, outcome)
    return job.job_id


def _watch(server: Service) -> list[int]:
    """Resident memory of the server and of this process; their peaks begin here."""
    for pid in (server.pid, os.getpid()):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return [_status(pid, "VmRSS") for pid in (server.pid, os.getpid())]


def _grown(before: list[int], server: Service) -> list[int]:
    return [_status(pid, "VmHWM") - b for pid, b in zip((server.pid, os.getpid()), before, strict=True)]


def _status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{key}:")[1].split()[0]) << 10


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300, help="size of the file and of the field (default 300)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--to-file", action="store_true", help="the field into a file instead of memory")
    options = parser.parse_args()
    size = options.megabytes << 20
    load = os.getloadavg()[0]
    sys.stdout.write(f"{options.megabytes} MiB, {os.cpu_count()} processors, load {load:.2f} at the start\n")
    report = Report(ROOT / "build" / "bench-transfer.json")
    with service() as server:
        up = [upload(server, size) for _ in range(options.runs)]
        job = job_with_field(server, size)
        out = server.data.parent / "field.npy" if options.to_file else None
        download(server, job, size, out)  # the server checks the file once
        down = [download(server, job, size, out) for _ in range(options.runs)]
    for case, found, wanted in (("transfer/up", up, UP), ("transfer/down", down, DOWN)):
        rate = statistics.median(rate for rate, _ in found)
        report.add(record(case, "MB/s", rate, wanted, "what is asked for", 1.0))
        spread = ", ".join(f"{rate:.0f}" for rate, _ in found)
        memory = [max(grown[k] for _, grown in found) / 1e6 for k in (0, 1)]
        report.note(f"{case}: {spread} MB/s; memory grew by {memory[0]:.0f} MB (server), {memory[1]:.0f} MB (client)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
