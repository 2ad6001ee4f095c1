"""One factorisation or preconditioner serves all load cases of a step, a rescue too; and what is told meanwhile."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

import solving
from dougong.solver import rundir, worker
from dougong.solver.linalg import rescue
from dougong.solver.linalg import systems as linalg
from dougong.solver.linalg.choice import Choice, Said
from dougong.solver.parallel.comm import Serial
from dougong.solver.procedures import static
from dougong.v1 import job_pb2
from meshgen import box
from solving import solve, store
from verification.test_load_cases import CASES, FACTORS, HELD, ROLLER, WEIGHT, beam, body, with_cases

__all__ = ["beam"]


class Counted(linalg.LinearSolver):
    """Counts how many were made, by whether they factorise, and how often they solved."""

    made: ClassVar[list[bool]] = []
    solves = 0

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        Counted.made.append(self.direct)

    def solve(self, *args: Any) -> Any:
        Counted.solves += 1
        return super().solve(*args)


@pytest.fixture
def counted(monkeypatch):
    Counted.made, Counted.solves = [], 0
    monkeypatch.setattr(rescue, "LinearSolver", Counted)
    return Counted


@pytest.mark.parametrize("method", ["METHOD_DIRECT", "METHOD_ITERATIVE"])
def test_one_setup_serves_all_cases(beam, counted, method):
    given = with_cases(body([HELD, ROLLER], [WEIGHT], solver={"method": method}), CASES, both=FACTORS)
    ended = solve(beam, given)
    assert counted.made == [method == "METHOD_DIRECT"]
    # Four cases, and the step alone, which the combination counts other than once.
    assert counted.solves == 5
    assert ended.step.solve.setups == 1
    assert [f.solve.setups for f in ended.step.frames[:4]] == [0, 0, 0, 0]
    assert ended.step.solve.iterations >= sum(f.solve.iterations for f in ended.step.frames)


def test_what_the_step_does_alone_is_solved_only_where_it_counts(beam, counted):
    solve(beam, with_cases(body([HELD, ROLLER], []), CASES, both=FACTORS))  # it does nothing
    solve(beam, with_cases(body([HELD, ROLLER], [WEIGHT]), CASES, mean={"pull": 0.25, "press": 0.75}))
    assert counted.solves == 8


@pytest.mark.skipif(bool(solving.FORCED), reason="is about the choice")
def test_a_rescue_of_one_case_serves_the_following(counted, monkeypatch):
    """The iteration is given up at its first look; a factorisation is made once."""
    monkeypatch.setattr(rescue.Patience, "__call__", lambda self, iteration, residual: iteration == 2)
    monkeypatch.setattr(static, "choose", lambda options, size: Choice(False, Said("BODY_LINEAR")))
    cube = store(box("hex8", (6, 6, 6)))
    ended = solve(cube, with_cases(body([HELD], [], solver={}), CASES[:2], both={"pull": 1.0, "press": 1.0}))
    assert counted.made == [False, True]
    assert [f.solve.setups for f in ended.step.frames[:2]] == [2, 0]
    for frame in ended.step.frames[:2]:
        assert "took over" in frame.solve.why
    assert ended.step.solve.setups == 2
    assert "took over" in ended.step.solve.why


def test_progress_tells_the_case_and_cancelling_is_heard_before_each(beam, counted, monkeypatch):
    told: list[tuple[str, int, int, str]] = []
    write = rundir.ProgressWriter.write

    def listen(writer: rundir.ProgressWriter, progress: job_pb2.Progress) -> None:
        told.append((progress.stage, progress.frame, progress.frames, progress.frame_name))
        write(writer, progress)

    monkeypatch.setattr(rundir.ProgressWriter, "write", listen)
    given = with_cases(body([HELD, ROLLER], []), CASES, both=FACTORS)
    solve(beam, given)
    cases = [(k + 1, 5, c["name"]) for k, c in enumerate(CASES)]
    assert [t[1:] for t in told if t[0] == "solve"] == cases
    assert [t[1:] for t in told if t[0] == "output"] == [*cases, (5, 5, "both")]
    monkeypatch.setattr(rundir, "is_revoked", lambda directory: counted.solves == 6)  # two of the second run
    with pytest.raises(worker._RevokedError):
        worker.run(solving.prepare(beam, given), Serial(), None)
    assert counted.solves == 6


def test_the_more_cases_follow_the_sooner_a_factorisation_pays():
    """From the 32nd to the 64th iteration the residual falls by 1e2: to 1e-8 there are 96 to go, 160 in all."""
    for further, worth, hopeless in ((0, 95, True), (0, 97, False), (2, 415, True), (2, 417, False)):
        patience = rescue.Patience(1e-8, worth)
        patience.further = further
        assert not patience(32, 1.0)
        assert patience(64, 1e-2) is hopeless
        assert not patience(33, 1.0)


def test_each_right_hand_side_is_judged_by_its_own_iteration():
    patience = rescue.Patience(1e-8, 100)
    for _ in range(3):
        assert not any(patience(k, 10.0 ** (-k / 4)) for k in range(20))
