"""Benchmarks of Dougong beside its peers, all in one run on one machine.

    python benchmarks [--quick | --large] [--only PREFIX]

Prints a table and writes build/bench.json. A peer that is not there is said to be missing; nothing is taken from
elsewhere. The exit code says whether everything ran and the answers agree, not whether it was fast.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

# One thread a process, as in a job: set before numpy comes in.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cases
import fenicsx
import ours
import overhead
import reading
import traffic
from assembly import TYPES
from bodies import ROOT
from processes import FailedError
from record import Report

from dougong.solver import kernels

#: Cases in order: name, what runs, in the quick set, in the full set.
_SOLVED = ("beam/100k", "beam/300k", "beam/800k", "demo/100k", "demo/800k", "thin/300k")
_GAMG = ("beam/100k", "demo/100k", "thin/300k")
_RANKS = ("beam/100k", "beam/300k", "beam/800k")


def main() -> int:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="some small cases, about two minutes")
    parser.add_argument("--large", action="store_true", help="the beam of three million unknowns too")
    parser.add_argument("--only", default="", help="cases whose name begins so; the file keeps the others")
    parser.add_argument("--runs", type=int, help="interleaved runs of short cases (default 3, quick 1)")
    options = parser.parse_args()
    if not kernels.available():
        sys.stderr.write("the kernels are not built: run python -m dougong.solver.kernels.build\n")
        return 1
    start = time.perf_counter()
    peer = fenicsx.find()
    load = os.getloadavg()[0]
    sys.stdout.write(f"{platform.machine()}, {os.cpu_count()} processors, load {load:.2f} at the start\n")
    if load > 0.5:
        sys.stdout.write("the machine is not quiet: these times say little\n")
    name = "bench-quick.json" if options.quick else "bench.json"
    report = Report(ROOT / "build" / name, keep=bool(options.only))
    bench = cases.Bench(report, ROOT / "build" / "bench", peer, runs=options.runs or (1 if options.quick else 3))
    failures = _run(bench, options)
    sys.stdout.write(f"{time.perf_counter() - start:.0f} s, {len(report.records)} records in build/{name}\n")
    missed = [r for r in report.records if r.ok is False]
    if missed and not options.quick:
        sys.stdout.write(f"{len(missed)} bars missed: {', '.join(f'{r.case} ({r.peer_name})' for r in missed)}\n")
    for text in report.disagreements + failures:
        sys.stdout.write(f"WRONG: {text}\n")
    return 1 if report.disagreements or failures else 0


def _run(bench: cases.Bench, options: argparse.Namespace) -> list[str]:
    quick = options.quick
    work = []
    for name in ("tet10", "hex20") if quick else TYPES:
        work.append((f"assembly/{name}", lambda n=name: cases.elements(bench, (n,), 30_000 if quick else 100_000)))
    for name in ("beam/50k", "demo/100k") if quick else _SOLVED:
        work.append((f"solve/{name}", lambda n=name: cases.solve(bench, n)))
    for name in ("beam/50k",) if quick else _GAMG:
        work.append((f"solve/{name}", lambda n=name: cases.gamg(bench, n)))
    for name in ("beam/50k",) if quick else _RANKS:
        work.append((f"ranks2/{name}", lambda n=name: cases.ranks(bench, n)))
    traffic_case = "beam/50k" if quick else "beam/800k"
    work.append((f"traffic/{traffic_case}", lambda: traffic.measure(bench, traffic_case)))
    if not quick:
        work.append(("iterations/", lambda: cases.flat(bench, "beam/50k", "beam/800k")))
    work.append(("read/", lambda: reading.measure(bench, "beam/50k" if quick else "beam/800k")))
    work.append(("overhead/", lambda: overhead.added(bench, "beam/50k" if quick else "beam/100k")))
    work.append(("small/", lambda: overhead.small(bench)))
    work.append(("transfer/", lambda: overhead.moving(bench)))
    if options.large:
        work.append(("solve/beam/3M", lambda: cases.solve(bench, "beam/3M")))
        work.append(("iterations/", lambda: cases.flat(bench, "beam/50k", "beam/3M")))
    failures = []
    # Python code and forms are compiled before anything is timed.
    first = bench.body("beam/1k")
    if first is not None:
        ours.solve(first)
        if not isinstance(bench.dolfinx, str):
            bench.dolfinx.warm(first)
    for case, call in work:
        if case.startswith(options.only) or options.only.startswith(case):
            try:
                call()
            except (FailedError, ValueError) as error:
                failures.append(f"{case}: {error}")
                bench.report.note(f"{case} failed: {error}")
    return failures


if __name__ == "__main__":
    sys.exit(main())
