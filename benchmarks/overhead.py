"""The service as a user meets it: what it adds to the bare worker, small jobs, and what moves over its socket."""

from __future__ import annotations

import statistics
import threading
import time

import ours
import transfer
from bodies import Body
from cases import Bench
from processes import FailedError
from reading import write_gmsh
from record import record
from serving import run, service

from dougong.client.client import Client
from dougong.v1 import analysis_pb2 as pb

#: What a small job may take from submit to result in hand, and how many there should be in a second.
LATENCY_SECONDS, JOBS_PER_SECOND = 0.5, 10.0

#: The service may add this much to the worker, or 5 %.
ADDED_SECONDS = 0.3

_STREAMS = 4


def added(bench: Bench, case: str) -> None:
    """A job through the service against the bare worker."""
    with service() as served:
        _overhead(bench, served.client, case, bench.body(case))


def small(bench: Bench) -> None:
    """Latency and rate of small jobs."""
    with service() as served:
        _small(bench, served.client, bench.body("beam/1k"))


def _upload(client: Client, body: Body) -> str:
    path = body.folder / "beam.msh"
    if not path.exists():
        write_gmsh(body, path)
    return client.upload_mesh(path).mesh_id


def _analysis(client: Client, body: Body) -> pb.Analysis:
    analysis = body.analysis()
    analysis.mesh = _upload(client, body)
    return analysis


def _overhead(bench: Bench, client: Client, case: str, body: Body) -> None:
    analysis = _analysis(client, body)
    through, bare = [], []
    for _ in range(bench.runs):
        through.append(run(client, analysis)[0])
        bare.append(ours.solve(body).run.seconds)
    mine, worker = statistics.median(through), statistics.median(bare)
    bar = max(1.05, 1.0 + ADDED_SECONDS / worker)
    bench.report.add(
        record(f"overhead/{case.split('/')[1]}", "seconds", mine, worker, "the bare worker", bar, body.dofs)
    )


def _small(bench: Bench, client: Client, body: Body) -> None:
    analysis = _analysis(client, body)
    run(client, analysis)
    latency = statistics.median(run(client, analysis)[0] for _ in range(5))
    bench.report.add(record("small/latency", "seconds", latency, LATENCY_SECONDS, "what is asked for", 1.0, body.dofs))
    seconds = 60.0 if bench.runs > 1 else 5.0
    done, failures = [0] * _STREAMS, list[str]()
    start = time.perf_counter()

    def stream(k: int) -> None:
        try:
            while time.perf_counter() - start < seconds:
                run(client, analysis)
                done[k] += 1
        except FailedError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=stream, args=(k,)) for k in range(_STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise FailedError(failures[0])
    rate = sum(done) / (time.perf_counter() - start)
    bench.report.add(record("small/rate", "jobs/s", rate, JOBS_PER_SECOND, "what is asked for", 1.0, body.dofs))


def moving(bench: Bench) -> None:
    """A file up and a field down over a local socket."""
    size = (300 if bench.runs > 1 else 64) << 20
    with service() as at:
        up = [transfer.upload(at, size) for _ in range(bench.runs)]
        job = transfer.job_with_field(at, size)
        transfer.download(at, job, size)  # the server checks the file once
        down = [transfer.download(at, job, size) for _ in range(bench.runs)]
    for case, found, wanted in (("transfer/up", up, transfer.UP), ("transfer/down", down, transfer.DOWN)):
        rate = statistics.median(rate for rate, _ in found)
        bench.report.add(record(case, "MB/s", rate, wanted, "what is asked for", 1.0))
        memory = [max(grown[k] for _, grown in found) / 1e6 for k in (0, 1)]
        bench.report.note(f"{size >> 20} MiB; memory grew by {memory[0]:.0f} MB (server), {memory[1]:.0f} MB (client)")
