"""One solve, rescued where the iteration fails and nobody insisted on it.

Thin walls, contrasts of stiffness and badly shaped cells can stall conjugate gradients. Where the method was left to
the solver and the system is not too large a factorisation takes over, and the record says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.linalg import LinearSolver, SolveInput
from dougong.solver.linalg_choice import Said, relative_tolerance
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Larger systems of solids do not fit a factorisation into the memory of one machine.
RESCUE_BELOW = 1_500_000

#: Up to this size a factorisation costs less than so many iterations: an iteration that will need more is given up.
_QUICK_BELOW = 300_000
_TOO_MANY = 250
#: Iterations after which the rate of convergence is looked at first, and then each time it has doubled.
_FIRST_LOOK = 48

_ITERATION_FAILED = ("NOT_CONVERGED", "SINGULAR_SYSTEM")


def solve(
    given: SolveInput,
    options: pb.SolverOptions,
    comm: Any,
    monitor: Callable[[int, float], None],
    prepared: Callable[[], None],
    rhs: Array,
    start: Array,
) -> tuple[Array, result_pb2.SolveRecord]:
    """Solve one system.

    Parameters
    ----------
    given, options, comm, monitor
        As for `LinearSolver`.
    prepared
        Called each time a solver is ready and its solve begins.
    rhs, start
        As for `LinearSolver.solve`.

    Raises
    ------
    SolveError
        There is no result.
    """
    free_choice = options.method == pb.SolverOptions.METHOD_UNSPECIFIED
    dofs = given.matrix.values.shape[1] * given.part.n_total
    may_give_up = free_choice and dofs < _QUICK_BELOW and not options.HasField("max_iterations")
    give_up = partial(_hopeless, relative_tolerance(options)) if may_give_up else None
    solver = LinearSolver(given, options, comm, monitor, give_up)
    try:
        prepared()
        return solver.solve(rhs, start)
    except SolveError as error:
        if solver.direct or not free_choice or error.reason not in _ITERATION_FAILED or dofs >= RESCUE_BELOW:
            raise
        because = {name: error.params.get(name, "?") for name in ("cause", "iterations")}
    finally:
        solver.destroy()
    direct = pb.SolverOptions()
    direct.CopyFrom(options)
    direct.method = pb.SolverOptions.METHOD_DIRECT
    solver = LinearSolver(given, direct, comm, monitor)
    try:
        prepared()
        x, record = solver.solve(rhs, start)
    finally:
        solver.destroy()
    said = Said("CHOSEN_AS_RESCUE", because)
    record.why, record.why_zh = said.text(), said.text("zh")
    return x, record


def _hopeless(tolerance: float, iteration: int, residual: float) -> bool:
    """Whether an iteration that goes on as it did so far will take too long."""
    looks = (_FIRST_LOOK, 2 * _FIRST_LOOK, 4 * _FIRST_LOOK)
    if iteration not in looks:
        return False
    return residual >= 1 or iteration * math.log(tolerance) / math.log(residual) > _TOO_MANY
