"""What is measured, case by case."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import assembly
import calculix
import numpy as np
import ours
from bodies import Body, make
from fenicsx import Dolfinx
from fenicsx import Solved as DolfinxSolved
from numpy.typing import NDArray
from processes import FailedError, Run, python, run
from record import Report, record

#: Answers of two programs may differ by this part of the largest displacement.
AGREEMENT = 1e-6

#: Below so many seconds a time is the median of several interleaved runs.
SHORT_SECONDS = 10.0

HERE = Path(__file__).resolve().parent

#: Cases that CalculiX gets: those of about 100,000 and 300,000 unknowns.
_CALCULIX_DOFS = 320_000


@dataclass
class Bench:
    """What the cases share.

    Attributes
    ----------
    report
        Where records go.
    folder
        Where bodies are kept.
    dolfinx
        The peer, or why there is none.
    runs
        Interleaved runs of what takes a short time.
    solved
        One run of ours for each body that was solved on one rank, by case.
    """

    report: Report
    folder: Path
    dolfinx: Dolfinx | str
    runs: int = 3
    solved: dict[str, ours.Solved] = field(default_factory=dict)

    def body(self, case: str) -> Body | None:
        """A body; says when it cannot be had."""
        body = make(case, self.folder)
        if body is None:
            self.report.note(f"solve/{case} is left out: DOUGONG_EXTRA_MESHES does not name a folder with its mesh")
        return body

    def solve(self, case: str, body: Body) -> ours.Solved:
        """Run ours on one rank, and keep what it found."""
        self.solved[case] = ours.solve(body)
        return self.solved[case]

    def interleaved(self, *calls: Callable[[], Run]) -> list[list[Run]]:
        """Runs of programs in turn, several where the quickest takes a short time."""
        found = [[call()] for call in calls]
        while min(f[0].seconds for f in found) < SHORT_SECONDS and len(found[0]) < self.runs:
            for f, call in zip(found, calls, strict=True):
                f.append(call())
        return found


def _median(runs: list[Run]) -> float:
    return statistics.median(r.seconds for r in runs)


def differ(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference of two fields relative to the largest value."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def elements(bench: Bench, types: tuple[str, ...], unknowns: int) -> None:
    """Pattern and values of the matrix: cells per second of each type."""
    for name in types:
        found = assembly.measure(name, unknowns, bench.runs)
        for kind, m in found.items():
            case = f"assembly/{name}" if kind == "elasticity" else f"assembly/{name}/{kind}"
            bench.report.add(record(case, "elements/s", m.ours, m.stock, m.stock_name, 0.5, m.dofs))
        m = found["elasticity"]
        if isinstance(bench.dolfinx, str):
            peer, peer_name = None, bench.dolfinx
        else:
            rates = bench.dolfinx.rates(unknowns, name)
            peer = rates[name]["rate"] if name in rates else None
            peer_name = bench.dolfinx.name if rates else f"{bench.dolfinx.name}: no such element"
        bar = 0.2 if name == "tet10" else 0.5
        bench.report.add(record(f"assembly/{name}", "elements/s", m.ours, peer, peer_name, bar, m.dofs))


def solve(bench: Bench, case: str) -> None:
    """From the mesh to the results on disk, whole processes; and memory."""
    body = bench.body(case)
    if body is None:
        return
    report = bench.report

    def own() -> Run:
        return bench.solve(case, body).run

    theirs: list[DolfinxSolved] = []

    def dolfinx() -> Run:
        theirs.append(bench.dolfinx.solve(body))  # type: ignore[union-attr]
        return theirs[-1].run

    if isinstance(bench.dolfinx, str):
        (mine,) = bench.interleaved(own)
        peers, peer_name = None, bench.dolfinx
    else:
        mine, peers = bench.interleaved(own, dolfinx)
        peer_name = bench.dolfinx.name + ", GAMG"
    solved = bench.solved[case]
    seconds, dofs = _median(mine), body.dofs
    report.add(
        record(f"solve/{case}", "seconds", seconds, peers and _median(peers), peer_name, 0.35, dofs),
        record(
            f"memory/{case}",
            "bytes/dof",
            mine[-1].peak_bytes / dofs,
            peers and peers[-1].peak_bytes / dofs,
            peer_name,
            1.0,
            dofs,
        ),
    )
    report.note(f"ours: {solved.iterations} iterations; {_stages(solved.stages)}")
    if theirs:
        own_time, their_time = (statistics.median(r.processor_seconds for r in found) for found in (mine, peers))
        report.note(f"processor time {own_time:.2f} s against {their_time:.2f} s: {own_time / their_time:.3f}")
        report.note(f"dolfinx: {theirs[-1].iterations} iterations; {_stages(theirs[-1].stages)}")
        report.agree(f"solve/{case}", differ(solved.displacement, theirs[-1].displacement), AGREEMENT, peer_name)
    _calculix(bench, case, body, seconds, solved)


def _calculix(bench: Bench, case: str, body: Body, seconds: float, solved: ours.Solved) -> None:
    if body.dofs > _CALCULIX_DOFS:
        return
    peer_name = calculix.name()
    if peer_name is None:
        missing = "no CalculiX installed (benchmarks/peers.sh)"
        bench.report.add(record(f"solve/{case}", "seconds", seconds, None, missing, 0.1, body.dofs))
        return
    try:
        done, displacement = calculix.solve(body)
    except FailedError as error:
        why = f"CalculiX failed: {str(error).split()[-1]}"
        bench.report.add(record(f"solve/{case}", "seconds", seconds, None, why, 0.1, body.dofs))
        return
    bench.report.add(record(f"solve/{case}", "seconds", seconds, done.seconds, peer_name, 0.1, body.dofs))
    bench.report.agree(f"solve/{case}", differ(solved.displacement, displacement), AGREEMENT, peer_name)


def gamg(bench: Bench, case: str) -> None:
    """Set-up and solve against plain GAMG on the same matrix."""
    body = bench.body(case)
    if body is None:
        return
    said = json.loads(run(python(HERE / "gamg.py", bench.folder, case, str(bench.runs))).output)
    name = "GAMG on the same matrix"
    bench.report.add(record(f"solve/{case}", "seconds", said["ours"], said["plain"], name, 0.5, body.dofs))
    bench.report.note(f"set-up and solve alone: {said['iterations']} iterations against {said['plain_iterations']}")
    bench.report.agree(f"solve/{case}", said["difference"], AGREEMENT, name)


def ranks(bench: Bench, case: str) -> None:
    """Two ranks against one: assembly, set-up and solve together."""
    body = bench.body(case)
    if body is None:
        return
    times: dict[int, list[float]] = {1: [], 2: []}
    answers = {}
    for k in range(bench.runs):
        for n in times:
            solved = ours.solve(body, n)
            answers[n] = solved.displacement
            times[n].append(sum(solved.stages.get(stage, 0.0) for stage in ("assemble", "setup", "solve")))
        if k == 0 and min(times[1][0], times[2][0]) >= SHORT_SECONDS:
            break
    two, one = statistics.median(times[2]), statistics.median(times[1])
    bench.report.add(record(f"ranks2/{case}", "seconds", two, one, "ours on 1 rank", 1 / 1.75, body.dofs, 2))
    bench.report.agree(f"ranks2/{case}", differ(answers[2], answers[1]), AGREEMENT, "1 rank")


def flat(bench: Bench, small: str, large: str) -> None:
    """Iterations, and time per unknown of set-up and solve, of a large body against a small one."""
    for case in (small, large):
        if case not in bench.solved:
            body = bench.body(case)
            if body is None:
                return
            bench.solve(case, body)
    a, b = bench.solved[small], bench.solved[large]
    dofs = b.result.steps[0].dofs
    name = f"ours at {small}"
    bench.report.add(record(f"iterations/{large}", "iterations", b.iterations, a.iterations, name, 1.25, dofs))
    work = [sum(s.stages.get(k, 0.0) for k in ("assemble", "setup", "solve")) / s.result.steps[0].dofs for s in (b, a)]
    bench.report.add(record(f"cost/{large}", "seconds/dof", work[0], work[1], name, 1.25, dofs))


def _stages(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in stages.items())
