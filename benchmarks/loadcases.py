"""Load cases of one step, which share matrix and preconditioner, against a job for each of them."""

from __future__ import annotations

import dataclasses
import statistics
from dataclasses import dataclass

import ours
from bodies import ACCELERATION, Body
from cases import AGREEMENT, Bench
from processes import Run
from record import record

from dougong.v1 import analysis_pb2 as pb

#: Directions of the weight in each case.
_DIRECTIONS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.8, 0.0))

#: A job of all cases may take this part of what the jobs of one case take together.
BAR = 0.65


@dataclass(frozen=True)
class Turned(Body):
    """A body that carries its weight in some directions: a load case for each where there are several."""

    directions: tuple[tuple[float, float, float], ...] = _DIRECTIONS

    def analysis(self) -> pb.Analysis:
        """See `Body.analysis`."""
        found = super().analysis()
        (step,) = found.steps
        del step.loads[:]
        loads = []
        for direction in self.directions:
            values = (pb.Quantity(value=ACCELERATION * d) for d in direction)
            loads.append(pb.Load(gravity=pb.Vector(**dict(zip("xyz", values, strict=True)))))
        if len(loads) == 1:
            step.loads.extend(loads)
        else:
            step.load_cases.extend(pb.LoadCase(loads=[load]) for load in loads)
        return found


def measure(bench: Bench, case: str) -> None:
    """A job of four cases against four jobs of one case."""
    body = bench.body(case)
    given = {f.name: getattr(body, f.name) for f in dataclasses.fields(Body)}
    together = Turned(**given)
    alone = [Turned(**given, directions=(d,)) for d in _DIRECTIONS]
    differences, told = [], [""]

    def all_cases() -> Run:
        solved = ours.solve(together)
        step = solved.result.steps[0]
        told[0] = f"{step.solve.setups} set-up(s), {step.solve.iterations} iterations"
        differences.append([e.max for f in step.frames for e in f.extremes if e.field == "displacement_magnitude"])
        return solved.run

    def each_case() -> Run:
        found = [ours.solve(one) for one in alone]
        differences.append([_largest(one) for one in found])
        runs = [one.run for one in found]
        total = {name: sum(getattr(r, name) for r in runs) for name in ("seconds", "processor_seconds")}
        return Run(peak_bytes=max(r.peak_bytes for r in runs), output="", **total)

    mine, theirs = bench.interleaved(all_cases, each_case)
    name = f"cases/{case.split('/')[1]}"
    seconds = [statistics.median(r.seconds for r in runs) for runs in (mine, theirs)]
    bench.report.add(record(name, "seconds", *seconds, "four jobs of one case", BAR, body.dofs))
    own, other = (statistics.median(r.processor_seconds for r in runs) for runs in (mine, theirs))
    bench.report.note(f"processor time {own:.2f} s against {other:.2f} s: {own / other:.3f}; {told[0]}")
    ours_, peers = differences[:2]
    worst = max(abs(a - b) / b for a, b in zip(ours_, peers, strict=True))
    bench.report.agree(name, worst, AGREEMENT, "the jobs of one case")


def _largest(solved: ours.Solved) -> float:
    return next(e.max for e in solved.result.steps[0].extremes if e.field == "displacement_magnitude")
