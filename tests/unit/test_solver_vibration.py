"""What is said of steps of modes and buckling that cannot be: before anything is queued, or by the worker."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from dougong.messages import SolveError
from dougong.solver.linalg import eigen as linalg_eigen
from dougong.solver.linalg.eigen import Pencil
from dougong.solver.modes import modal
from dougong.solver.modes.spectrum import Range, search
from meshgen import box
from solving import check_model, elastic, heat, solve, value, vector

from petsc4py import PETSc  # isort: skip

HELD = [{"region": "x0", "fixed": {}}]
PUSH = [{"region": "x1", "traction": vector(x=-1.0)}]


@pytest.fixture(scope="module")
def mesh():
    return box("hex8", (2, 1, 1))


def analysis(*steps: dict[str, Any], density: float | None = 1.0) -> dict[str, Any]:
    given = elastic(material={"density": value(density)} if density is not None else {})
    return given | {"steps": list(steps)}


def said(mesh: Any, given: dict[str, Any]) -> list[tuple[str, str]]:
    return [(v.reason, v.field) for v in check_model(mesh, given).violations]


def test_a_free_body_and_a_held_one_are_accepted(mesh):
    assert said(mesh, analysis({"modes": {}})) == []
    assert said(mesh, analysis({"modes": {"count": 3, "maxFrequency": 5.0}, "conditions": HELD})) == []
    assert said(mesh, analysis({"buckling": {}, "conditions": HELD, "loads": PUSH})) == []


def test_modes_without_loads_are_nothing_to_remark_on(mesh):
    remarks = [n.reason for n in check_model(mesh, analysis({"modes": {}})).notices]
    assert "STEP_WITHOUT_LOAD" not in remarks


def test_buckling_must_be_held(mesh):
    assert {r for r, _ in said(mesh, analysis({"buckling": {}, "loads": PUSH}))} == {"FREE_MODES"}


@pytest.mark.parametrize("density", [None, 0.0, -1.0])
def test_density_is_needed(mesh, density):
    found = said(mesh, analysis({"modes": {}}, density=density))
    assert ("MATERIAL_CONSTANT_MISSING", 'materials["m"].density') in found


@pytest.mark.parametrize(
    ("step", "reason", "field"),
    [
        ({"modes": {"count": 0}}, "VALUE_NOT_POSITIVE", "modes.count"),
        ({"modes": {"count": 5000}}, "TOO_MANY_MODES", "modes.count"),
        ({"modes": {"minFrequency": -1.0}}, "VALUE_NEGATIVE", "modes.min_frequency"),
        ({"modes": {"minFrequency": 5.0, "maxFrequency": 5.0}}, "FREQUENCY_RANGE_EMPTY", "modes.max_frequency"),
        ({"modes": {"maxFrequency": -2.0}}, "FREQUENCY_RANGE_EMPTY", "modes.max_frequency"),
        ({"modes": {"maxFrequency": "NaN"}}, "NUMBER_NOT_FINITE", "modes.max_frequency"),
        ({"modes": {}, "loads": PUSH}, "LOAD_IN_MODES", "loads[0].traction"),
        (
            {"modes": {}, "conditions": [{"region": "x0", "displacement": vector(y=0.1)}]},
            "VALUE_IN_MODES",
            "conditions[0].displacement.y",
        ),
        ({"modes": {}, "loadCases": [{}]}, "CASES_NOT_HERE", "load_cases"),
        ({"modes": {}, "prestress": {"step": "no"}}, "PRESTRESS_STEP_UNKNOWN", "prestress.step"),
        ({"buckling": {"count": -1}, "conditions": HELD, "loads": PUSH}, "VALUE_NOT_POSITIVE", "buckling.count"),
        ({"buckling": {}, "conditions": HELD}, "BUCKLING_WITHOUT_LOAD", "loads"),
        (
            {"buckling": {}, "conditions": HELD, "loads": [{"region": "x1", "pressure": value(0.0)}]},
            "BUCKLING_WITHOUT_LOAD",
            "loads",
        ),
        (
            {"buckling": {}, "conditions": HELD, "loads": PUSH, "loadCases": [{}], "combinations": [{}]},
            "CASES_NOT_HERE",
            "combinations",
        ),
        ({"static": {}, "conditions": HELD, "prestress": {"step": "no"}}, "PRESTRESS_NOT_HERE", "prestress"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(mesh, step, reason, field):
    assert (reason, f"steps[0].{field}") in said(mesh, analysis(step))


def test_prestress_names_an_earlier_static_step(mesh):
    before = {"name": "push", "static": {}, "conditions": HELD, "loads": PUSH}

    def after(**prestress: Any) -> dict[str, Any]:
        return {"modes": {}, "conditions": HELD, "prestress": {"step": "push"} | prestress}

    assert said(mesh, analysis(before, after())) == []
    assert said(mesh, analysis(before, after(frame=0))) == []
    assert said(mesh, analysis(before, after(frame=1))) == [("PRESTRESS_FRAME_UNKNOWN", "steps[1].prestress.frame")]
    assert said(mesh, analysis(after(), before)) == [("PRESTRESS_STEP_UNKNOWN", "steps[0].prestress.step")]
    warm = heat(conditions=[{"region": "x0", "temperature": value(1.0)}])
    mixed = analysis(warm["steps"][0] | {"name": "push"}, after())
    mixed["materials"]["m"]["conductivity"] = value(1.0)
    assert said(mesh, mixed) == [("PRESTRESS_STEP_UNKNOWN", "steps[1].prestress.step")]


def test_a_frame_that_is_not_there_is_told_when_it_is_known(mesh):
    """How many frames a step has that follows another one is seen when it has run."""
    warm = heat(conditions=[{"region": "x0", "temperature": value(1.0)}])["steps"][0] | {"name": "warm"}
    field = {"temperature": {"fromStep": {"step": "warm"}, "allFrames": True}}
    follow = {"name": "push", "static": {}, "conditions": HELD, "loads": [field]}
    after = {"modes": {}, "conditions": HELD, "prestress": {"step": "push", "frame": 7}}
    given = analysis(warm, follow, after)
    more = {"conductivity": value(1.0), "expansion": {"referenceTemperature": value(0.0), "coefficient": value(1e-5)}}
    given["materials"]["m"] |= more
    assert said(mesh, given) == []
    (found,) = solve(mesh, given).failure.violations
    assert (found.reason, found.field) == ("PRESTRESS_FRAME_UNKNOWN", "steps[2].prestress.frame")
    assert found.params["last"] == "0"


def test_a_support_without_value_is_refused(mesh):
    """Not taken for one of no stiffness."""
    support = {"region": "x0", "foundation": {"normal": {"expression": "log(y - 2)"}}}
    violations = solve(mesh, analysis({"modes": {"count": 1}, "loads": [support]})).failure.violations
    place = "steps[0].loads[0].foundation.normal.expression"
    assert [(v.reason, v.field) for v in violations] == [("EXPRESSION_NOT_FINITE", place)]


def test_nothing_can_move(mesh):
    held = [{"region": r, "fixed": {}} for r in ("x0", "x1", "y0", "y1", "z0", "z1")]
    assert solve(mesh, analysis({"modes": {}, "conditions": held})).failure.reason == "MODES_ALL_HELD"


def test_a_motion_as_a_whole_brings_no_stress(mesh):
    moved = [{"region": r, "displacement": vector(x=1.0, y=0.0, z=0.0)} for r in ("x0", "x1")]
    ended = solve(mesh, analysis({"buckling": {}, "conditions": moved}))
    assert ended.failure.reason == "BUCKLING_NO_STRESS"


def test_without_slepc_one_sentence_says_so(mesh, monkeypatch):
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("slepc4py"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert solve(mesh, analysis({"modes": {}})).failure.reason == "MODES_NEED_SLEPC"


def test_without_mumps_one_sentence_says_so(mesh, monkeypatch):
    monkeypatch.setattr(linalg_eigen, "has_mumps", lambda: False)
    assert solve(mesh, analysis({"modes": {}})).failure.reason == "MODES_NEED_MUMPS"


def test_what_does_not_fit_the_memory_is_refused(mesh, monkeypatch):
    monkeypatch.setattr(modal, "free_bytes", lambda comm: 1.0)
    assert solve(mesh, analysis({"modes": {}})).failure.reason == "FACTOR_TOO_LARGE"
    ended = solve(mesh, analysis({"buckling": {}, "conditions": HELD, "loads": PUSH}))
    assert ended.failure.reason == "FACTOR_TOO_LARGE"


# -- the search


def pencil(values: np.ndarray) -> Pencil:
    """A pencil with known eigenvalues."""
    n = len(values)
    weights = 1.0 + np.arange(n) % 3
    indptr, indices = np.arange(n + 1, dtype=PETSc.IntType), np.arange(n, dtype=PETSc.IntType)
    A, B = (
        PETSc.Mat().createAIJ((n, n), csr=(indptr, indices, d), comm=PETSc.COMM_SELF)
        for d in (values * weights, weights)
    )
    return Pencil(A, B, None)


def test_counts_below():
    of = pencil(np.arange(50.0))
    assert [of.below(x) for x in (-1.0, 0.5, 10.5, 100.0)] == [0, 1, 11, 50]


@pytest.mark.parametrize("copies", [1, 3, 8])
def test_repeated_eigenvalues_come_out_complete(copies):
    values = np.repeat(1.0 + np.arange(40.0), copies)
    found, missed = search(pencil(values), Range(count=5 * copies), -1.0)
    assert missed == 0
    np.testing.assert_allclose(found.values, np.repeat(np.arange(1.0, 6.0), copies), rtol=1e-12)
    partly, _ = search(pencil(values), Range(count=4 * copies + 1), -1.0)
    assert len(partly.values) == 5 * copies
    inside, _ = search(pencil(values), Range(count=None, lower=3.5, upper=7.5), -1.0)
    np.testing.assert_allclose(inside.values, np.repeat(np.arange(4.0, 8.0), copies), rtol=1e-12)


def test_more_than_there_are():
    found, _ = search(pencil(np.array([3.0, 1.0, 2.0])), Range(count=10), -1.0)
    np.testing.assert_allclose(found.values, [1.0, 2.0, 3.0])


def test_an_iteration_that_misses_is_found_out(monkeypatch):
    """The copy that the iteration withholds is asked for again, and again, and then told of."""
    of, honest = pencil(1.0 + np.arange(30.0)), Pencil.next_to

    def forgetful(self: Pencil, shift: float, count: int, known: Any = None, above: bool = False) -> Any:
        pairs = honest(self, shift, count, known, above)
        kept = np.abs(pairs.values - 2.0) > 0.1
        return linalg_eigen.Pairs(pairs.values[kept], pairs.vectors[:, kept])

    monkeypatch.setattr(Pencil, "next_to", forgetful)
    with pytest.raises(SolveError) as caught:
        search(of, Range(count=4), -1.0)
    assert caught.value.reason == "MODES_MISSED"


def test_too_many_in_a_range(monkeypatch):
    monkeypatch.setattr("dougong.solver.modes.spectrum.MOST_MODES", 5)
    with pytest.raises(SolveError) as caught:
        search(pencil(np.arange(30.0)), Range(count=None, upper=10.5), -1.0)
    assert caught.value.reason == "TOO_MANY_MODES"


def test_an_iteration_that_ends_early_is_told(monkeypatch):
    monkeypatch.setattr(linalg_eigen, "_MAX_RESTARTS", 1)
    monkeypatch.setattr(linalg_eigen, "TOLERANCE", 1e-300)
    with pytest.raises(SolveError) as caught:
        search(pencil(1.0 + np.arange(400.0)), Range(count=20), -1.0)
    assert caught.value.reason == "MODES_NOT_CONVERGED"
