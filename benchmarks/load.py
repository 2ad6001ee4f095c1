"""Small jobs at full rate through a real server for a long time: nothing may grow, and every answer must be right.

    python benchmarks/load.py [--seconds N]

Several clients, processes of their own, submit, watch, fetch and delete jobs, each with a weight of its own: the
answer is in proportion to it, so that an answer of another job would be noticed. Meanwhile memory, open files and
threads of server, warm workers and clients are watched. Prints a table and writes build/load.json.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import serving
from bodies import ROOT, make
from processes import CACHED, ENVIRONMENT, FailedError, python
from reading import write_gmsh
from serving import Service, service
from watching import Group, Sample, children, sample

from dougong.client.client import Client
from dougong.v1 import analysis_pb2

#: Client processes, and threads of each that wait for a job.
CLIENTS, STREAMS = 2, 2

#: Jobs that a stream keeps before it deletes the oldest; of so many one has its whole field compared.
KEPT, FIELD_EVERY = 5, 10

#: Jobs in a second that there must be.
RATE = 10.0

#: Memory may grow by so much in a minute, MB, after a part of the time for warming up.
GROWTH, WARM_UP = {"server": 0.5, "workers": 1.0, "clients": 0.5}, 0.25

#: In less time growth says nothing: it is told but not judged.
JUDGED_SECONDS = 110.0

#: Answers are in proportion to the weight but for rounding; two weights differ by far more.
_TOLERANCE = 1e-9


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "load.json")
    parser.add_argument("--client", nargs=4, metavar=("ADDRESS", "MESH", "FIRST", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        address, mesh, first, seconds = options.client
        sys.stdout.write(json.dumps(be_client(address, mesh, int(first), float(seconds))) + "\n")
        return 0
    found = run(options.seconds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(found, indent=1) + "\n")
    show(found)
    return 0 if found["ok"] else 1


def run(seconds: float) -> dict[str, Any]:
    """Load a server for some time; what was found, as in build/load.json."""
    body = make("beam/1k", ROOT / "build" / "bench")
    path = body.folder / "beam.msh"
    if not path.exists():
        write_gmsh(body, path)
    with service() as served:
        mesh = served.client.upload_mesh(path).mesh_id
        clients = [_start_client(served, mesh, 1 + k, seconds) for k in range(CLIENTS)]
        for process in clients:
            assert process.stdout is not None
            process.stdout.readline()  # it has begun
        samples = _watch(served, clients, time.monotonic(), seconds)
        said = [_join(process) for process in clients]
    return summary(said, samples, seconds)


def _start_client(served: Service, mesh: str, first: int, seconds: float) -> subprocess.Popen[str]:
    command = [str(c) for c in python(Path(__file__), "--client", served.address, mesh, str(first), str(seconds))]
    return subprocess.Popen(command, env=os.environ | ENVIRONMENT | CACHED, stdout=subprocess.PIPE, text=True)


def _join(process: subprocess.Popen[str]) -> dict[str, Any]:
    output = process.communicate(timeout=120)[0]
    if process.returncode:
        raise FailedError(f"a client ended with exit code {process.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def _watch(
    served: Service, clients: Sequence[subprocess.Popen[str]], start: float, seconds: float
) -> dict[str, list[Sample]]:
    """Look at all processes each second, until the clients begin to end."""
    found: dict[str, list[Sample]] = {"server": [], "workers": [], "clients": []}
    while time.monotonic() - start < seconds - 1.0 and all(c.poll() is None for c in clients):
        time.sleep(1.0)
        now = time.monotonic() - start
        for name, pids in (
            ("server", [served.pid]),
            ("workers", children(served.pid, "dougong.solver.warm")),
            ("clients", [c.pid for c in clients]),
        ):
            found[name].append(sample(now, pids))
    return found


def be_client(address: str, mesh: str, first: int, seconds: float) -> dict[str, Any]:
    """Streams of jobs until the time is over: how long each took, and what was wrong."""
    body = make("beam/1k", ROOT / "build" / "bench")
    analysis = body.analysis()
    analysis.mesh = mesh
    took: list[float] = []
    wrong: list[str] = []
    with Client(address) as client:
        _, unit_job, unit = _job(client, analysis, 1.0)
        field = client.field(unit_job, "displacement")
        client.delete_job(unit_job)
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        end = time.monotonic() + seconds

        def stream(k: int) -> None:
            kept: collections.deque[str] = collections.deque()
            weight = first + k * CLIENTS
            while time.monotonic() < end and len(wrong) < 10:
                weight += CLIENTS * STREAMS
                try:
                    duration, job_id, answer = _job(client, analysis, float(weight))
                except FailedError as error:
                    wrong.append(str(error))
                    continue
                took.append(duration)
                if abs(answer / (weight * unit) - 1.0) > _TOLERANCE:
                    wrong.append(f"{job_id}, weight {weight}: {answer} instead of {weight * unit}")
                if len(took) % FIELD_EVERY == 0:
                    there = client.field(job_id, "displacement")
                    if not np.allclose(there, weight * field, rtol=_TOLERANCE, atol=_TOLERANCE * weight * unit):
                        wrong.append(f"{job_id}, weight {weight}: another field")
                kept.append(job_id)
                if len(kept) > KEPT:
                    client.delete_job(kept.popleft())

        threads = [threading.Thread(target=stream, args=(k,)) for k in range(STREAMS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {"took": took, "wrong": wrong}


def _job(client: Client, analysis: analysis_pb2.Analysis, weight: float) -> tuple[float, str, float]:
    """Seconds from submit to result in hand, the job, and its largest displacement."""
    own = analysis_pb2.Analysis()
    own.CopyFrom(analysis)
    (load,) = own.steps[0].loads
    for _, component in load.gravity.ListFields():
        component.value *= weight
    duration, result = serving.run(client, own)
    largest = next(e.max for e in result.steps[0].extremes if e.field == "displacement_magnitude")
    return duration, result.job_id, largest


def summary(said: Sequence[dict[str, Any]], samples: dict[str, list[Sample]], seconds: float) -> dict[str, Any]:
    """What is written to build/load.json."""
    took = sorted(t for s in said for t in s["took"])
    wrong = [w for s in said for w in s["wrong"]]
    groups = {name: Group.of(found, WARM_UP * seconds) for name, found in samples.items()}
    judged = seconds >= JUDGED_SECONDS
    steady = all(
        group.files_grow == 0 and group.threads_grow == 0 and (not judged or group.growth_mb_per_minute <= GROWTH[name])
        for name, group in groups.items()
    )
    rate = len(took) / seconds
    return {
        "seconds": seconds,
        "jobs": len(took),
        "rate": round(rate, 2),
        "rate_bar": RATE,
        "median_seconds": round(statistics.median(took), 4) if took else None,
        "p99_seconds": round(took[int(0.99 * len(took))], 4) if took else None,
        "wrong": wrong,
        "growth_bar_mb_per_minute": GROWTH,
        "growth_judged": judged,
        "processes": {name: group.plain() for name, group in groups.items()},
        "ok": not wrong and steady and rate >= RATE,
    }


def show(found: dict[str, Any]) -> None:
    """Print a table."""
    lines = [
        f"{found['jobs']} jobs in {found['seconds']:g} s: {found['rate']:.1f} jobs/s (at least {found['rate_bar']:g}), "
        f"median {found['median_seconds']} s, 99 % within {found['p99_seconds']} s; {len(found['wrong'])} wrong",
        f"{'':10}{'MB begin':>10}{'MB end':>10}{'MB/min':>10}{'bar':>6}{'files':>12}{'threads':>12}",
    ]
    for name, g in found["processes"].items():
        files, threads = ("{}..{}".format(*g[what]) for what in ("files", "threads"))
        lines.append(
            f"{name:10}{g['begin_mb']:10.1f}{g['end_mb']:10.1f}{g['growth_mb_per_minute']:10.2f}"
            f"{found['growth_bar_mb_per_minute'][name]:6.1f}{files:>12}{threads:>12}"
        )
    if not found["growth_judged"]:
        lines.append(f"growth is not judged in less than {JUDGED_SECONDS:g} s")
    lines += [f"WRONG: {text}" for text in found["wrong"][:10]]
    lines.append("ok" if found["ok"] else "NOT ok")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
