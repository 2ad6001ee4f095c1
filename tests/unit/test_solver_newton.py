"""Newton's method with its line search, on small systems."""

import numpy as np
import pytest

from dougong.messages import SolveError
from dougong.solver.newton.newton import Equations, newton
from dougong.solver.parallel.comm import Serial
from dougong.v1 import result_pb2


def solve(f, slope, start, most=40):
    """Solve f(u) = 0 for each unknown by itself."""

    def correction(u, R):
        return -R / slope(u), result_pb2.SolveRecord()

    u = np.array(start, dtype=float)[:, None]
    return newton(Equations(f, correction, lambda u: None, Serial()), u, most, lambda k, r: None, "s")


def test_quadratic_convergence():
    u, how = solve(lambda u: u**2 - np.array([[4.0], [9.0]]), lambda u: 2 * u, [3.0, 7.0])
    np.testing.assert_allclose(u[:, 0], [2.0, 3.0], rtol=1e-12)
    c = how.corrections
    assert c[-1] < 2 * c[-2] ** 2
    assert len(how.residuals) == len(c) + 1 == len(how.solves) + 1


def test_a_start_from_which_full_steps_would_run_away():
    """For arctan Newton's own steps diverge from 1.4 on; shortened ones do not."""
    u, how = solve(np.arctan, lambda u: 1 / (1 + u * u), [10.0, 3.0])
    assert np.abs(u).max() < 1e-6
    assert all(b < a for a, b in zip(how.residuals, how.residuals[1:], strict=False))


def test_a_solution_at_the_start_needs_no_iteration():
    u, how = solve(lambda u: u - 5.0, np.ones_like, [5.0, 5.0])
    assert how.corrections == []
    assert u.max() == 5.0


def test_what_has_no_solution_is_told_with_its_evidence():
    with pytest.raises(SolveError) as caught:
        solve(lambda u: u**2 + np.array([[1.0], [2.0]]), lambda u: 2 * u, [3.0, 7.0])
    assert caught.value.reason == "NEWTON_NOT_CONVERGED"
    assert caught.value.params["iterations"] == "40"
    assert len(caught.value.params["residuals"].split(",")) == 6
    assert caught.value.params["step"] == "s"
