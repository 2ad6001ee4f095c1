"""How often an iteration touches the body: where time cannot be tested, counts can."""

import numpy as np
import pytest

from dougong.solver import assemble, kernels
from dougong.solver.halo import Halo
from meshgen import box
from solving import elastic, solve

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")


def given(tolerance):
    steps = {
        "conditions": [{"region": "x0", "fixed": {}}],
        "loads": [{"region": "x1", "traction": {"z": {"value": 1.0}}}],
    }
    return elastic(**steps) | {"solver": {"method": "METHOD_ITERATIVE", "relative_tolerance": tolerance}}


@pytest.fixture
def counts(monkeypatch):
    """How often something was called, by name."""
    found = {"double": 0, "single": 0, "halo": 0, "assembled": 0}

    def count(owner, method, name):
        original = getattr(owner, method)

        def counted(self, *arguments, **others):
            found[name(self)] += 1
            return original(self, *arguments, **others)

        monkeypatch.setattr(owner, method, counted)

    count(kernels.Product, "multiply", lambda p: "double" if p.dtype == np.float64 else "single")
    count(Halo, "update", lambda _: "halo")
    count(Halo, "collect", lambda _: "halo")
    original = assemble.assemble

    def assembled(*arguments):
        found["assembled"] += 1
        return original(*arguments)

    monkeypatch.setattr("dougong.solver.procedures.static.assemble", assembled)
    return found


def test_an_iteration_is_one_product_and_one_cycle(counts):
    """One product in double precision; three smoothing steps and a residual in single; seven exchanges of ghosts."""
    mesh = box("tet10", (12, 3, 3), (4.0, 1.0, 1.0))
    runs = []
    for tolerance in (1e-3, 1e-9):
        before = dict(counts)
        iterations = solve(mesh, given(tolerance)).step.solve.iterations
        runs.append((iterations, {name: counts[name] - before[name] for name in counts}))
    (few, loose), (many, tight) = runs
    assert many >= few + 5
    more = {name: tight[name] - loose[name] for name in counts}
    assert more == {
        "double": many - few,
        "single": 4 * (many - few),
        "halo": 7 * (many - few),
        "assembled": 0,
    }
    assert counts["assembled"] == 0  # no matrix of the quadratic level, not even for its norm


def test_iterations_do_not_grow_with_the_body():
    """The same beam, three times finer: 17 times as many unknowns."""
    coarse, fine = (
        solve(box("tet10", (4 * n, n, n), (4.0, 1.0, 1.0)), given(1e-8)).step.solve.iterations for n in (3, 8)
    )
    assert fine <= 1.25 * coarse
