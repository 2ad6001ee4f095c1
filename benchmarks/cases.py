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
from budget import SHORT_SECONDS, Budget
from costs import Costs
from fenicsx import Dolfinx
from fenicsx import Solved as DolfinxSolved
from numpy.typing import NDArray
from processes import FailedError, Run, python, run
from record import Report, guess, record

#: Answers of two programs may differ by this part of the largest displacement.
AGREEMENT = 1e-6

HERE = Path(__file__).resolve().parent

#: Cases that CalculiX gets.
_CALCULIX_SIZES = ("100k", "300k")

#: Seconds an unknown that the peers take, until a run has told better: stocky bodies, thin walls.
_DOLFINX, _GAMG, _CALCULIX = (7e-5, 2.5e-4), (6e-5, 2e-4), (3e-4, 2e-4)


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
    budget
        The time there is.
    costs
        What each solve of ours took, for the fit of the estimate.
    runs
        Interleaved runs of what takes a short time.
    solved
        One run of ours for each body that was solved on one rank, by case.
    """

    report: Report
    folder: Path
    dolfinx: Dolfinx | str
    budget: Budget
    costs: Costs
    runs: int = 3
    solved: dict[str, ours.Solved] = field(default_factory=dict)

    def body(self, case: str) -> Body:
        """A body."""
        return make(case, self.folder)

    def solve(self, case: str, body: Body, ranks: int = 1, direct: bool = False) -> ours.Solved:
        """Run ours, and keep what it found."""
        solved = ours.solve(body, ranks, direct)
        self.costs.keep(body, solved, ranks)
        if ranks == 1 and not direct:
            self.solved[case] = solved
        return solved

    def interleaved(self, *calls: Callable[[], Run]) -> list[list[Run]]:
        """Runs of programs in turn; again those that take a short time, while there is time."""
        found = [[call()] for call in calls]
        for _ in range(1, self.runs):
            for runs, call in zip(found, calls, strict=True):
                if runs[0].seconds < SHORT_SECONDS and self.budget.allows(runs[0].seconds):
                    runs.append(call())
        return found

    def affords(self, name: str, body: Body, seconds_per_dof: tuple[float, float]) -> bool:
        """Whether there is time for a program that may take long."""
        guess = seconds_per_dof[body.name.startswith("thin")] * body.dofs
        return self.budget.allows(self.budget.needs(name, guess))


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
    report = bench.report

    def own() -> Run:
        return bench.solve(case, body).run

    theirs: list[DolfinxSolved] = []

    def dolfinx() -> Run:
        theirs.append(bench.dolfinx.solve(body))  # type: ignore[union-attr]
        return theirs[-1].run

    if isinstance(bench.dolfinx, str) or not bench.affords(f"dolfinx/{case}", body, _DOLFINX):
        (mine,) = bench.interleaved(own)
        peers, peer_name = None, bench.dolfinx if isinstance(bench.dolfinx, str) else "dolfinx: no time left"
    else:
        mine, peers = bench.interleaved(own, dolfinx)
        peer_name = bench.dolfinx.name + ", GAMG"
        bench.budget.note(f"dolfinx/{case}", peers[0].seconds)
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
    estimated(bench, f"estimate/{case}", body, mine, solved)
    if case.endswith(_CALCULIX_SIZES):
        _calculix(bench, case, body, seconds, solved)


def estimated(bench: Bench, case: str, body: Body, runs: list[Run], solved: ours.Solved, ranks: int = 1) -> None:
    """What the estimate says beforehand against what it took; on one rank processor time, whatever else runs."""
    seconds = statistics.median(min(r.seconds, r.processor_seconds) if ranks == 1 else r.seconds for r in runs)
    said = ours.predict(body, ranks, solved.direct)
    memory = sum(solved.cost.peak_bytes)
    bench.report.add(
        guess(case, "seconds", said.seconds, seconds, body.dofs, ranks),
        guess(case, "bytes/dof", said.memory_bytes / body.dofs, memory / body.dofs, body.dofs, ranks),
    )


def _calculix(bench: Bench, case: str, body: Body, seconds: float, solved: ours.Solved) -> None:
    """CalculiX from its input file to its results; to our time that of reading the same file is added."""

    def missing(why: str) -> None:
        bench.report.add(record(f"solve/{case}", "seconds", seconds, None, why, 0.1, body.dofs))

    peer_name = calculix.name()
    if peer_name is None:
        return missing("no CalculiX installed (benchmarks/peers.sh)")
    if not bench.affords(f"calculix/{case}", body, _CALCULIX):
        return missing(f"{peer_name}: no time left")
    try:
        done, displacement, reading = calculix.solve(body)
    except FailedError as error:
        return missing(f"CalculiX failed: {str(error).split()[-1]}")
    bench.budget.note(f"calculix/{case}", done.seconds)
    bench.report.add(record(f"solve/{case}", "seconds", seconds + reading, done.seconds, peer_name, 0.1, body.dofs))
    bench.report.note(
        f"{reading:.2f} s of ours for reading the same input file; "
        f"processor time {solved.run.processor_seconds + reading:.2f} s against {done.processor_seconds:.2f} s"
    )
    return bench.report.agree(f"solve/{case}", differ(solved.displacement, displacement), AGREEMENT, peer_name)


def gamg(bench: Bench, case: str) -> None:
    """Set-up and solve against plain GAMG on the same matrix."""
    body = bench.body(case)
    name = "GAMG on the same matrix"
    if not bench.affords(f"gamg/{case}", body, _GAMG):
        bench.report.note(f"solve/{case}: no time left for {name}")
        return
    done = run(python(HERE / "gamg.py", bench.folder, case, str(bench.runs)))
    bench.budget.note(f"gamg/{case}", done.seconds)
    said = json.loads(done.output)
    bench.report.add(record(f"solve/{case}", "seconds", said["ours"], said["plain"], name, 0.5, body.dofs))
    bench.report.note(f"set-up and solve alone: {said['iterations']} iterations against {said['plain_iterations']}")
    bench.report.agree(f"solve/{case}", said["difference"], AGREEMENT, name)


def ranks(bench: Bench, case: str) -> None:
    """Two ranks against one: assembly, set-up and solve together."""
    body = bench.body(case)
    times: dict[int, list[float]] = {1: [], 2: []}
    solved, elapsed = {}, []
    for _ in range(bench.runs):
        for n in times:
            solved[n] = bench.solve(case, body, n)
            times[n].append(sum(solved[n].stages.get(stage, 0.0) for stage in ("assemble", "setup", "solve")))
        elapsed.append(solved[2].run)
        if max(times[1][0], times[2][0]) >= SHORT_SECONDS or not bench.budget.allows(2 * times[1][0]):
            break
    two, one = statistics.median(times[2]), statistics.median(times[1])
    bench.report.add(record(f"ranks2/{case}", "seconds", two, one, "ours on 1 rank", 1 / 1.75, body.dofs, 2))
    bench.report.agree(f"ranks2/{case}", differ(solved[2].displacement, solved[1].displacement), AGREEMENT, "1 rank")
    estimated(bench, f"estimate/{case}", body, elapsed, solved[2], 2)


#: Bodies of the table of estimates beside those that are solved anyway, and whether they are told to be factorised.
GUESSED = (
    ("tet4/100k", False), ("hex8/100k", False), ("hex20/100k", False), ("beam/10k", False), ("beam/1k", False),
    ("tet4/10k", True), ("hex8/10k", True), ("hex20/10k", True), ("beam/10k", True), ("beam/50k", True),
)  # fmt: skip


def guessed(bench: Bench) -> None:
    """The estimate for other cells and for direct solves."""
    for case, direct in GUESSED:
        body = bench.body(case)
        runs = [bench.solve(case, body, direct=direct) for _ in range(bench.runs)]
        name = f"estimate/{case}{', direct' if direct else ''}"
        estimated(bench, name, body, [r.run for r in runs], runs[-1])


def flat(bench: Bench, small: str, large: str) -> None:
    """Iterations, and time per unknown of set-up and solve, of a large body against a small one."""
    for case in (small, large):
        if case not in bench.solved:
            bench.solve(case, bench.body(case))
    a, b = bench.solved[small], bench.solved[large]
    dofs = b.result.steps[0].dofs
    name = f"ours at {small}"
    bench.report.add(record(f"iterations/{large}", "iterations", b.iterations, a.iterations, name, 1.25, dofs))
    work = [sum(s.stages.get(k, 0.0) for k in ("assemble", "setup", "solve")) / s.result.steps[0].dofs for s in (b, a)]
    bench.report.add(record(f"cost/{large}", "seconds/dof", work[0], work[1], name, 1.25, dofs))


def _stages(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in stages.items())
