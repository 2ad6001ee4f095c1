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
from dougong.solver.factor import factor_bytes, free_bytes, iterations_worth
from dougong.solver.linalg import LinearSolver, SolveInput
from dougong.solver.linalg_choice import Choice, Said, Size, relative_tolerance
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Iterations after which the rate of convergence is looked at: earlier ones say little about it.
_LOOKS = (32, 64, 128, 256, 512)
#: An iteration is given up when the rest of it takes longer than so many factorisations, and never for fewer than
#: so many iterations: the prediction may be wrong, and what was done is lost.
_RELUCTANCE = 1.5
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
    ) -> None:
        self._given, self._options, self._comm = given, options, comm
        self._choice, self._size = choice, size
        self._stage, self._monitor = stage, monitor
        self._may_rescue = options.method == pb.SolverOptions.METHOD_UNSPECIFIED and not choice.direct
        self._solver: LinearSolver | None = None
        self._further = 0

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
        self._further = further
        start, setups = np.zeros_like(rhs), 0
        if self._solver is None:
            self._set_up()
            setups = 1
        try:
            x, record = self._try(rhs, start)
        except SolveError as error:
            if not self._may_rescue or error.reason not in _ITERATION_FAILED:
                raise
            self._refuse_too_large(error)
            because: dict[str, str | Said] = {k: error.params.get(k, "?") for k in ("cause", "iterations")}
            self._choice = Choice(True, Said("CHOSEN_AS_RESCUE", because))
            self._may_rescue = False
            self._set_up()
            setups += 1
            x, record = self._try(rhs, start)
        record.setups = setups
        record.why, record.why_zh = self._choice.why.text(), self._choice.why.text("zh")
        return x, record

    def _set_up(self) -> None:
        self.destroy()
        self._stage("setup")
        methods = pb.SolverOptions
        options = methods()
        options.CopyFrom(self._options)
        options.method = methods.METHOD_DIRECT if self._choice.direct else methods.METHOD_ITERATIVE
        give_up: Callable[[int, float], bool] | None = None
        if (
            self._may_rescue
            and not options.HasField("max_iterations")
            and self._fits(free_bytes(self._given.part.comm))
        ):
            worth = max(_RELUCTANCE * iterations_worth(self._size), _WORTH_AT_LEAST)
            tolerance = relative_tolerance(options)

            def give_up(iteration: int, residual: float) -> bool:
                return _hopeless(tolerance, worth, self._further, iteration, residual)

        self._solver = LinearSolver(self._given, options, self._comm, self._monitor, give_up)

    def _try(self, rhs: Array, start: Array) -> tuple[Array, result_pb2.SolveRecord]:
        self._stage("solve")
        return self._solver.solve(rhs, start)  # type: ignore[union-attr]

    def _fits(self, free: float) -> bool:
        return factor_bytes(self._size) <= free

    def _refuse_too_large(self, error: SolveError) -> None:
        self.destroy()  # what it held is free for the factor
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


def _hopeless(tolerance: float, worth: float, further: int, iteration: int, residual: float) -> bool:
    """Whether what is left of an iteration, and as many `further` ones, will take more than `worth` iterations."""
    if iteration not in _LOOKS:
        return False
    if residual >= 1:
        return True
    whole = iteration * math.log(tolerance) / math.log(residual)
    return whole - iteration + further * whole > worth
