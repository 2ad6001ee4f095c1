"""Newton's method for nodal unknowns, with a line search.

The step is shortened until the residual falls enough (Armijo's rule), by the parabola through what is known of the
squared residual (Dennis, Schnabel, "Numerical Methods for Unconstrained Optimization and Nonlinear Equations", 1996,
section 6.3). It ends when the last correction is small against the differences within the solution: the error that is
left is then of the order of its square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.parallel.comm import Comm
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: A correction below this part of the span of the solution ends the iteration.
TOLERANCE = 1e-6
#: Or one below this part of the largest value: rounding.
_ROUNDING = 1e-13
#: Armijo's rule: the residual must fall at least by this part of what the tangent promises.
_ENOUGH = 1e-4
#: The step is halved at most so often.
_HALVINGS = 12


@dataclass
class Convergence:
    """How an iteration went.

    Attributes
    ----------
    residuals
        Norms of the residual before the first correction and after each.
    corrections
        Largest change of an unknown in each - dimension of the unknown.
    solves
        How each correction was found.
    """

    residuals: list[float] = field(default_factory=list)
    corrections: list[float] = field(default_factory=list)
    solves: list[result_pb2.SolveRecord] = field(default_factory=list)


@dataclass(frozen=True)
class Equations:
    """R(u) = 0 on the free unknowns.

    Attributes
    ----------
    residual
        From u, shape (n_local, 1), to R of owned nodes, shape (n_owned, 1), zero where u is prescribed.
    correction
        From u and R to the correction -J⁻¹ R, shape (n_owned, 1), and how it was found.
    complete
        Fills in the ghosts of u.
    comm
        The processes.
    """

    residual: Callable[[Array], Array]
    correction: Callable[[Array, Array], tuple[Array, result_pb2.SolveRecord]]
    complete: Callable[[Array], None]
    comm: Comm


def newton(
    equations: Equations, u: Array, most: int, report: Callable[[int, float], None], step: str
) -> tuple[Array, Convergence]:
    """Solve R(u) = 0. Collective.

    Parameters
    ----------
    equations
        They.
    u
        shape (n_local, 1): where to begin; satisfies the conditions.
    most
        Iterations allowed.
    report
        Called with the iteration and the residual relative to the first.
    step
        Name of the step, for the failure.

    Raises
    ------
    SolveError
        NEWTON_NOT_CONVERGED, or a correction could not be found.
    """
    comm = equations.comm
    how = Convergence()
    R = equations.residual(u)
    how.residuals.append(_norm(comm, R))
    low, high = _bounds(comm, u)
    for iteration in range(1, most + 1):
        if how.residuals[-1] == 0.0:
            return u, how
        delta, record = equations.correction(u, R)
        how.solves.append(record)
        largest = float(comm.max(np.abs(delta).max(initial=0.0)))
        next_low, next_high = _bounds(comm, u[: len(delta)] + delta)
        low, high = min(low, next_low), max(high, next_high)
        size = max(abs(low), abs(high))
        small = largest <= max(TOLERANCE * (high - low), _ROUNDING * size)
        u, R, norm = _search(equations, u, delta, how.residuals[-1], accept=small)
        how.corrections.append(largest)
        how.residuals.append(norm)
        report(iteration, norm / how.residuals[0])
        if small:
            return u, how
        if not np.isfinite(norm):
            break
    raise SolveError(
        "NEWTON_NOT_CONVERGED",
        step=step,
        iterations=len(how.corrections),
        residuals=", ".join(f"{r / how.residuals[0]:.1e}" for r in how.residuals[-6:]),
        correction=f"{how.corrections[-1]:.3g}" if how.corrections else "-",
    )


def _search(equations: Equations, u: Array, delta: Array, norm: float, accept: bool) -> tuple[Array, Array, float]:
    """Go along a correction so far that the residual falls; all the way where that is certain to be right."""
    n, part = len(delta), 1.0
    best: tuple[float, Array, Array] | None = None
    for _ in range(_HALVINGS):
        trial = u.copy()
        trial[:n] += part * delta
        equations.complete(trial)
        R = equations.residual(trial)
        found = _norm(equations.comm, R)
        if accept or found <= (1.0 - _ENOUGH * part) * norm:
            return trial, R, found
        if np.isfinite(found) and (best is None or found < best[0]):
            best = (found, trial, R)
        ratio = (found / norm) ** 2 if np.isfinite(found) else np.inf
        # Minimum of the parabola with value 1 and slope -2 at the start, and this value here.
        part *= float(np.clip(part / (ratio - 1.0 + 2.0 * part), 0.1, 0.5)) if np.isfinite(ratio) else 0.1
    if best is None:
        return trial, R, found
    return best[1], best[2], best[0]


def _norm(comm: Comm, R: Array) -> float:
    return float(np.sqrt(comm.sum(float((R * R).sum()))))


def _bounds(comm: Comm, u: Array) -> tuple[float, float]:
    return float(comm.min(u.min(initial=np.inf))), float(comm.max(u.max(initial=-np.inf)))
