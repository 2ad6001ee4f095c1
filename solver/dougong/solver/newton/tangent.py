"""Linear systems of one shape whose matrix changes: with the time step, or from one Newton iteration to the next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dougong.solver.assemble import BlockMatrix
from dougong.solver.conditions import ConstraintSet
from dougong.solver.heat.system import hold
from dougong.solver.heat.trbdf2 import SAME
from dougong.solver.linalg.choice import choose, relative_tolerance, size_of
from dougong.solver.linalg.rescue import RescuingSolver
from dougong.solver.linalg.systems import LinearSolver, SolveInput
from dougong.solver.linalg.unsymmetric import UnsymmetricSolver
from dougong.solver.step import StepContext
from dougong.v1 import result_pb2

Array = NDArray[np.float64]


#: Length of a time step, and a number that changes when the matrix does for another reason.
Key = tuple[float, int]


class TangentSolver:
    """Solves for corrections that leave prescribed nodes as they are.

    Parameters
    ----------
    context
        The step.
    symmetric
        Whether the matrices are symmetric and positive definite.

    Attributes
    ----------
    record
        Of all solves since `reset`: iterations and set-ups added up, the largest backward error.
    """

    def __init__(self, context: StepContext, symmetric: bool = True) -> None:
        self._context, self._kind = context, LinearSolver if symmetric else UnsymmetricSolver
        self._size = size_of(context.model.regions.stored, 1)
        self._choice = choose(context.solver, self._size)
        self._solver: RescuingSolver | None = None
        self._key: Key | None = None
        self.record = result_pb2.SolveRecord()
        self.stage: Callable[..., None] = context.stage

    def solve(
        self, matrix: Callable[[], BlockMatrix], held: ConstraintSet, rhs: Array, key: Key | None
    ) -> tuple[Array, result_pb2.SolveRecord]:
        """The solution, both shape (n_owned, 1), and how it was found. Collective.

        Parameters
        ----------
        matrix
            Makes the owned rows, without conditions.
        held
            The conditions.
        rhs
            Zero at prescribed nodes.
        key
            Length of the time step, and a number: what was set up for one key serves a next one that is equal. None is
            like no other.
        """
        if self._solver is None or key is None or not _same(key, self._key):
            self._set_up(matrix, held)
            self._key = key
        assert self._solver is not None
        x, record = self._solver.solve(rhs, further=10)
        _add(self.record, record)
        return x, record

    def _set_up(self, matrix: Callable[[], BlockMatrix], held: ConstraintSet) -> None:
        self.destroy()
        context = self._context
        constant = np.ones((context.model.part.n_owned, 1, 1))
        given = SolveInput(context.model.part, lambda: hold(matrix(), held), constant, lambda: None)
        target = relative_tolerance(context.solver)

        def monitor(iteration: int, residual: float) -> None:
            self.stage("solve", iteration=iteration, residual=residual, target_residual=target)

        self._solver = RescuingSolver(
            given, context.solver, self._choice, self._size, context.mpi, lambda name: None, monitor, self._kind
        )

    def reset(self) -> result_pb2.SolveRecord:
        """What was added up, which begins anew."""
        told, self.record = self.record, result_pb2.SolveRecord()
        return told

    def destroy(self) -> None:
        """Free what was set up. Collective."""
        if self._solver is not None:
            self._solver.destroy()
            self._solver = None


def _same(key: Key, other: Key | None) -> bool:
    return other is not None and key[1] == other[1] and abs(key[0] - other[0]) <= SAME * key[0]


def _add(total: result_pb2.SolveRecord, one: result_pb2.SolveRecord) -> None:
    iterations, setups = total.iterations + one.iterations, total.setups + one.setups
    error = max(total.backward_error, one.backward_error)
    total.CopyFrom(one)
    total.iterations, total.setups, total.backward_error = iterations, setups, error
