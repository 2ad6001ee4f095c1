"""A worker that speaks the run directory and computes nothing. What it does stands in the name of the analysis.

solve            three progress lines, a field of node numbers, success
wait             begins, touches its progress, and waits until it is revoked or asked to end
chatter          reports a new stage each millisecond until it is revoked
release          begins, waits for a file "release" in the run directory, then as solve
linger           as solve, but does not end afterwards, and does not listen to SIGTERM
deaf             the same, but SIGTERM is ignored
silent           begins, and then gives no sign of life
busy             begins, and then computes without a word until it is revoked, as in one long call of a library
raise            an exception (on the last rank when there are several)
exit N           ends with this exit code and no outcome
refuse           a failure outcome
early N          ends with this exit code before it begins
torn             success with a file that is not what it says
foreign          success with another token
memory MB        takes so much memory, and waits
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
import zlib
from pathlib import Path

import numpy as np

from dougong.internal import run_pb2
from dougong.meshes.canonical import StoredMesh
from dougong.messages import render
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2, mesh_pb2, result_pb2


def main(directory: Path) -> int:
    spec = rundir.read_spec(directory)
    # Under mpiexec, or under srun with PMIx.
    rank = int(os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMIX_RANK", "0")))
    size = "SLURM_STEP_NUM_TASKS" if "PMIX_RANK" in os.environ else "OMPI_COMM_WORLD_SIZE"
    ranks = int(os.environ.get("OMPI_COMM_WORLD_SIZE", os.environ.get(size, "1")))
    what, _, argument = spec.analysis.name.partition(" ")
    if what == "early":
        sys.stdout.write("no such library\n")
        return int(argument)
    if what in ("deaf", "linger"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if rank == 0:
        try:
            rundir.raise_fence(directory, spec.token)
        except rundir.AlreadyFencedError:
            return rundir.EXIT_NOT_MINE
        progress = rundir.ProgressWriter(directory)
        progress.write(job_pb2.Progress(stage="read"))
    sys.stdout.write(f"rank {rank} of {ranks}\n")
    sys.stdout.flush()
    if what == "raise" and rank == ranks - 1:
        raise RuntimeError("raised on purpose")
    if what == "exit":
        os._exit(int(argument))
    if what == "memory":
        held = np.ones(int(argument) << 17)
        sys.stdout.write(f"{held.sum()}\n")
    while what == "busy" and not rundir.is_revoked(directory):
        sum(range(200_000))
    if what in ("wait", "deaf", "silent", "raise", "memory"):
        while not rundir.is_revoked(directory) or what == "deaf":
            time.sleep(0.05)
            if rank == 0 and what != "silent":
                os.utime(directory / rundir.PROGRESS)
        return 0
    while what == "chatter" and rank == 0 and not rundir.is_revoked(directory):
        progress.write(job_pb2.Progress(stage=f"stage {time.monotonic_ns()} " + "x" * 20_000))
        time.sleep(0.001)
    while what == "release" and not (directory / "release").exists():
        time.sleep(0.02)
        if rank == 0:
            os.utime(directory / rundir.PROGRESS)
    if rank == 0:
        for iteration in range(3):
            progress.write(job_pb2.Progress(stage="solve", iteration=iteration, residual=10.0**-iteration))
        progress.close()
        rundir.write_outcome(directory, _outcome(directory, spec, what))
    while what == "linger":
        time.sleep(0.05)
    return 0


def _outcome(directory: Path, spec: run_pb2.RunSpec, what: str) -> run_pb2.Outcome:
    token = "somebody else's" if what == "foreign" else spec.token
    if what == "refuse":
        reason, params = "OUT_OF_MEMORY", {"peak_bytes": "2", "limit_bytes": "1"}
        failure = job_pb2.Failure(reason=reason, params=params, text=render(reason, params), rank=0)
        return run_pb2.Outcome(token=token, failure=failure)
    mesh = StoredMesh(directory / rundir.MESH)
    result = result_pb2.Result(steps=[result_pb2.StepResult(name="step-1", procedure="static")])
    files = []
    numbers = np.arange(mesh.n_nodes, dtype=np.float64)
    fields = {
        "displacement": (analysis_pb2.LOCATION_NODE, np.stack([numbers, -numbers, 0 * numbers], axis=1), "xyz"),
        "stress": (analysis_pb2.LOCATION_CELL, np.arange(mesh.n_cells, dtype=np.float64)[:, None], "p"),
    }
    for name, (location, values, components) in fields.items():
        path = f"{rundir.RESULTS}/{name}.npy"
        np.save(directory / path, values)
        data = (directory / path).read_bytes()
        files.append(_entry(path, data, field_index=len(result.fields)))
        result.fields.add(
            name=name,
            step="step-1",
            location=location,
            components=list(components),
            dtype=mesh_pb2.DATA_TYPE_FLOAT64,
            shape=values.shape,
            size_bytes=values.nbytes,
        )
    report = b"seen by nobody\n" * 100
    (directory / rundir.RESULTS / "report.txt").write_bytes(report)
    files.append(_entry(f"{rundir.RESULTS}/report.txt", report, artifact_index=0))
    result.artifacts.add(name="report.txt", media_type="text/plain", size_bytes=len(report))
    if what == "torn":
        (directory / files[0].path).write_bytes(b"something else")
    return run_pb2.Outcome(token=token, result=result, files=files)


def _entry(path: str, data: bytes, **content: int) -> run_pb2.ResultFile:
    return run_pb2.ResultFile(
        path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), crc32=zlib.crc32(data), **content
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
