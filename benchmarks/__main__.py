"""Benchmarks of Dougong beside its peers, all in one run on one machine.

    python benchmarks [--quick | --large] [--only PREFIX]

Prints a table and writes build/bench.json, after each case anew. A peer that is not there is said to be missing;
nothing is taken from elsewhere. The exit code says whether everything ran and the answers agree, not whether it was
fast.
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
import plan
from bodies import ROOT
from budget import Budget
from costs import Costs
from processes import FailedError, set_deadline
from record import Report, say

from dougong.solver import kernels

#: Of the forty minutes of `make bench`, for what is measured; the rest is for setting up and for the last case.
_LIMIT_SECONDS = 38 * 60.0

#: A program that still runs so long after that is ended.
_GRACE_SECONDS = 60.0


def main() -> int:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="some small cases, about two minutes")
    parser.add_argument("--large", action="store_true", help="the beam of three million unknowns too")
    parser.add_argument("--only", default="", help="cases whose name begins so; the file keeps the others")
    parser.add_argument("--runs", type=int, help="interleaved runs of short cases (default 3, quick 1)")
    parser.add_argument("--minutes", type=float, help="time for everything (default 38, large: no limit)")
    options = parser.parse_args()
    if not kernels.available():
        sys.stderr.write("the kernels are not built: run python -m dougong.solver.kernels.build\n")
        return 1
    peer = fenicsx.find()
    load = os.getloadavg()[0]
    say(f"{platform.machine()}, {os.cpu_count()} processors, load {load:.2f} at the start")
    if load > 0.5:
        say("the machine is not quiet: these times say little")
    name = "bench-quick.json" if options.quick else "bench.json"
    report = Report(ROOT / "build" / name, keep=bool(options.only))
    folder = ROOT / "build" / "bench"
    limit = options.minutes * 60.0 if options.minutes else float("inf") if options.large else _LIMIT_SECONDS
    budget = Budget(limit, folder / ("seconds-quick.json" if options.quick else "seconds.json"))
    set_deadline(limit + _GRACE_SECONDS)
    costs = Costs(ROOT / "build" / "costs.json")
    bench = cases.Bench(report, folder, peer, budget, costs, runs=options.runs or (1 if options.quick else 3))
    every = plan.quick(bench) if options.quick else plan.large(bench) if options.large else plan.full(bench)
    wanted = [case for case in every if case.wanted(options.only)]
    if not wanted:
        say(f"no case begins with {options.only!r}; there are: {', '.join(case.name for case in every)}")
        return 2
    failures = _run(bench, wanted)
    say(f"{budget.elapsed:.0f} s, {len(report.records)} records in build/{name}")
    missed = [r for r in report.records if r.ok is False]
    if missed and not options.quick:
        say(f"{len(missed)} bars missed: {', '.join(f'{r.case} ({r.peer_name})' for r in missed)}")
    for text in report.disagreements + failures:
        say(f"WRONG: {text}")
    return 1 if report.disagreements or failures else 0


def _run(bench: cases.Bench, wanted: list[plan.Case]) -> list[str]:
    """Run cases; returns what went wrong. A case that fails, or an interruption, loses nothing of the others."""
    failures = []
    bench.budget.plan([case.name for case in wanted if not case.spare])
    # Python code and forms are compiled before anything is timed.
    first = bench.body("beam/1k")
    ours.solve(first)
    if not isinstance(bench.dolfinx, str):
        bench.dolfinx.warm(first)
    for case in wanted:
        if not bench.budget.allows(0.0):
            say(f"{case.name} is left out: the time is up")
            continue
        say(bench.budget.begin(case.name))
        start = time.perf_counter()
        try:
            case.call()
        except KeyboardInterrupt:
            return [*failures, f"{case.name}: interrupted"]
        except (FailedError, ValueError) as error:
            failures.append(f"{case.name}: {error}")
            bench.report.note(f"{case.name} failed: {error}")
        bench.budget.end(case.name, time.perf_counter() - start)
    return failures


if __name__ == "__main__":
    sys.exit(main())
