"""Solves of one system, rescued where the iteration fails and nobody insisted on it.

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


class RescuingSolver:
    """Solves one system for any number of right-hand sides; factorisation or preconditioner is made once for all.

    A factorisation that took over for one right-hand side serves the following ones too.

    Parameters
    ----------
    given, options, comm, monitor
        As for `LinearSolver`.
    stage
        Called with "setup" and "solve" when that begins.
    """

    def __init__(
        self,
        given: SolveInput,
        options: pb.SolverOptions,
        comm: Any,
        stage: Callable[[str], None],
        monitor: Callable[[int, float], None],
    ) -> None:
        self._given, self._options, self._comm = given, options, comm
        self._stage, self._monitor = stage, monitor
        self._free_choice = options.method == pb.SolverOptions.METHOD_UNSPECIFIED
        self._dofs = given.matrix.values.shape[1] * given.part.n_total
        self._solver: LinearSolver | None = None
        self._because: dict[str, str] | None = None

    def solve(self, rhs: Array) -> tuple[Array, result_pb2.SolveRecord]:
        """The solution, both shape (n_owned, nc), and how it was found. Collective.

        Raises
        ------
        SolveError
            There is none.
        """
        start, setups = np.zeros_like(rhs), 0
        if self._solver is None:
            self._set_up(self._options)
            setups = 1
        try:
            x, record = self._try(rhs, start)
        except SolveError as error:
            if not self._may_rescue(error):
                raise
            self._because = {name: error.params.get(name, "?") for name in ("cause", "iterations")}
            direct = pb.SolverOptions()
            direct.CopyFrom(self._options)
            direct.method = pb.SolverOptions.METHOD_DIRECT
            self._set_up(direct)
            setups += 1
            x, record = self._try(rhs, start)
        record.setups = setups
        if self._because is not None:
            said = Said("CHOSEN_AS_RESCUE", self._because)
            record.why, record.why_zh = said.text(), said.text("zh")
        return x, record

    def _set_up(self, options: pb.SolverOptions) -> None:
        self.destroy()
        self._stage("setup")
        may_give_up = self._free_choice and self._dofs < _QUICK_BELOW and not options.HasField("max_iterations")
        give_up = partial(_hopeless, relative_tolerance(options)) if may_give_up else None
        self._solver = LinearSolver(self._given, options, self._comm, self._monitor, give_up)

    def _try(self, rhs: Array, start: Array) -> tuple[Array, result_pb2.SolveRecord]:
        self._stage("solve")
        return self._solver.solve(rhs, start)  # type: ignore[union-attr]

    def _may_rescue(self, error: SolveError) -> bool:
        direct = self._solver is None or self._solver.direct
        failed = error.reason in _ITERATION_FAILED
        return self._free_choice and failed and not direct and self._dofs < RESCUE_BELOW

    def destroy(self) -> None:
        """Free what was set up. Collective."""
        if self._solver is not None:
            self._solver.destroy()
            self._solver = None


def _hopeless(tolerance: float, iteration: int, residual: float) -> bool:
    """Whether an iteration that goes on as it did so far will take too long."""
    looks = (_FIRST_LOOK, 2 * _FIRST_LOOK, 4 * _FIRST_LOOK)
    if iteration not in looks:
        return False
    return residual >= 1 or iteration * math.log(tolerance) / math.log(residual) > _TOO_MANY
