"""Solves of one system, rescued where the iteration fails and nobody insisted on it.

Thin walls, contrasts of stiffness and badly shaped cells can stall conjugate gradients. Where the method was left to
the solver and a factorisation fits the memory that is free, it takes over as soon as the iteration is sure to take
longer, and the record says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.linalg.choice import Choice, Said, Size, relative_tolerance
from dougong.solver.linalg.factor import factor_bytes, free_bytes, iterations_worth
from dougong.solver.linalg.systems import LinearSolver, SolveInput
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Iterations after which the rate of convergence since the last of them is looked at.
_LOOKS = (32, 64, 128, 256, 512)
#: An iteration is never given up for fewer iterations to come than these.
_WORTH_AT_LEAST = 100

_ITERATION_FAILED = ("NOT_CONVERGED", "SINGULAR_SYSTEM")


class RescuingSolver:
    """Solves one system for any number of right-hand sides; factorisation or preconditioner is made once for all.

    A factorisation that took over for one right-hand side serves the following ones too.

    Parameters
    ----------
    given, options, comm, monitor
        As for `LinearSolver`.
    choice
        How to begin, and why.
    size
        Of the problem.
    stage
        Called with "setup" and "solve" when that begins.
    kind
        What solves: another one where the matrix is not symmetric.
    """

    def __init__(
        self,
        given: SolveInput,
        options: pb.SolverOptions,
        choice: Choice,
        size: Size,
        comm: Any,
        stage: Callable[[str], None],
        monitor: Callable[[int, float], None],
        kind: type[LinearSolver] | None = None,
    ) -> None:
        self._given, self._options, self._comm = given, options, comm
        self._choice, self._size = choice, size
        self._stage, self._monitor, self._kind = stage, monitor, kind or LinearSolver
        self._may_rescue = not choice.direct and choice.why.reason != "CHOSEN_BY_USER"
        self._setups = 0
        self._solver: LinearSolver | None = None
        self._patience: Patience | None = None

    def solve(self, rhs: Array, further: int = 0) -> tuple[Array, result_pb2.SolveRecord]:
        """The solution, both shape (n_owned, nc), and how it was found. Collective.

        Parameters
        ----------
        rhs
            The right-hand side.
        further
            How many are to follow: the more, the sooner a factorisation pays.

        Raises
        ------
        SolveError
            There is none.
        """
        before = self._setups
        try:
            x, record = self._try(rhs, further)
        except SolveError as error:
            if not self._may_rescue or error.reason not in _ITERATION_FAILED:
                raise
            self.destroy()  # what it held is free for the factor
            self._refuse_too_large(error)
            because: dict[str, str | Said] = {k: error.params.get(k, "?") for k in ("cause", "iterations")}
            self._choice = Choice(True, Said("CHOSEN_AS_RESCUE", because))
            self._may_rescue = False
            x, record = self._try(rhs, further)
        record.setups = self._setups - before
        record.why, record.why_zh = self._choice.why.text(), self._choice.why.text("zh")
        return x, record

    def _set_up(self) -> LinearSolver:
        self._stage("setup")
        self._setups += 1
        options, direct = self._options, self._choice.direct
        limited = options.HasField("max_iterations")
        self._patience = None
        if self._may_rescue and not limited and self._fits(free_bytes(self._given.part.comm)):
            self._patience = Patience(relative_tolerance(options), max(iterations_worth(self._size), _WORTH_AT_LEAST))
        return self._kind(self._given, options, direct, self._comm, self._monitor, self._patience)

    def _try(self, rhs: Array, further: int) -> tuple[Array, result_pb2.SolveRecord]:
        if self._solver is None:
            self._solver = self._set_up()
        if self._patience is not None:
            self._patience.further = further
        self._stage("solve")
        return self._solver.solve(rhs, np.zeros_like(rhs))

    def _fits(self, free: float) -> bool:
        return factor_bytes(self._size) <= free

    def _refuse_too_large(self, error: SolveError) -> None:
        free = free_bytes(self._given.part.comm)
        if not self._fits(free):
            if error.reason != "NOT_CONVERGED":
                raise error
            needed = factor_bytes(self._size)
            room = {"needed": f"{needed / 1e9:.1f}", "free": f"{free / 1e9:.1f}"}
            raise SolveError("NOT_RESCUED", **error.params, **room) from error

    def destroy(self) -> None:
        """Free what was set up. Collective."""
        if self._solver is not None:
            self._solver.destroy()
            self._solver = None


class Patience:
    """Says when an iteration is to be given up: when what is left of it, and further ones, would take too long.

    Parameters
    ----------
    tolerance
        Reduction of the residual at which it ends.
    worth
        So many more iterations are worth waiting for.

    Attributes
    ----------
    further
        As many iterations like this one are to follow.
    """

    def __init__(self, tolerance: float, worth: float) -> None:
        self._tolerance, self._worth = tolerance, worth
        self._last = (0, 1.0)
        self.further = 0

    def __call__(self, iteration: int, residual: float) -> bool:
        """Whether to give up; residual relative to the first.

        The rate since the last look counts: the first iterations of conjugate gradients do away with what is easy.
        """
        if iteration == 0:  # of the first right-hand side or a further one: what was seen of others is over
            self._last = (0, 1.0)
        if iteration not in _LOOKS:
            return False
        (before, was), self._last = self._last, (iteration, residual)
        if before == 0 or residual <= 0:
            return False
        if residual >= was:
            return True
        left = math.log(residual / self._tolerance) * (iteration - before) / math.log(was / residual)
        return left + self.further * (iteration + left) > self._worth
