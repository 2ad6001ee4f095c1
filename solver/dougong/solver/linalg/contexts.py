"""What PETSc calls back: a matrix known by its products, and a preconditioner that is a cycle of ours."""

from __future__ import annotations

from typing import Any

from dougong.solver.linalg.multigrid import PMultigrid
from dougong.solver.linalg.operator import Operator


class ProductContext:
    """A matrix for PETSc that is known by its products."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def mult(self, A: Any, x: Any, y: Any) -> None:
        """Y = A x."""
        self._operator.multiply(x.getArray(readonly=True), y.getArray())


class CycleContext:
    """A preconditioner for PETSc that is one V-cycle."""

    def __init__(self, cycle: PMultigrid) -> None:
        self._cycle = cycle

    def apply(self, pc: Any, x: Any, y: Any) -> None:
        """One V-cycle."""
        self._cycle.apply(x.getArray(readonly=True), y.getArray())
