"""The operator of a step as a product, on one part: what `assemble` would make, without making it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver import kernels
from dougong.solver.assemble import stiffness_forms
from dougong.solver.conditions import ConstraintSet
from dougong.solver.linalg.coarse import LinearLevel, linear_level
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.parallel.partition import Part

Array = NDArray[np.float64]

#: Products after which the estimate of a norm ends; Higham saw hardly any that needed more.
_NORM_STEPS = 5


class Operator:
    """The constrained operator of a model; needs fused kernels.

    Parameters
    ----------
    model, constraints, extra
        As for `dougong.solver.assemble.assemble`.

    Attributes
    ----------
    scale
        About the size of the numbers, a power of two, the same on all ranks.
    """

    def __init__(self, model: Model, constraints: ConstraintSet, extra: list[ElementMatrices]) -> None:
        self.part: Part = model.part
        self.cells = kernels.ConstrainedOperator(
            [form for k in range(len(self.part.blocks)) for form in stiffness_forms(model, k)],
            model.components,
            (self.part.n_owned, self.part.n_local),
            constraints.for_kernels(),
            _extra(extra, self.part.n_local, model.components),
        )
        self.nc = model.components
        self.scale = kernels.power_of_two(float(self.part.comm.max(np.abs(self.cells.diagonal).max(initial=0.0))))
        self._product = kernels.Product(self.cells, np.float64)
        self._x, self._y = self._product.vector(), self._product.vector()

    def multiply(self, x: Array, y: Array) -> None:
        """Y = A x; both of owned unknowns, shape (n_owned nc,). Collective."""
        n = self.part.n_owned * self.nc
        self._x[:n] = x
        self.part.halo.update(self._x.reshape(-1, self.nc))
        self._product.multiply(self._x, self._y)
        y[:] = self._y[:n]

    def norm_inf(self) -> float:
        """A lower bound of the largest row sum of absolute values, hardly ever far from it. Collective.

        Source: Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix, with applications to
        condition estimation", ACM Trans. Math. Softw. 14, 1988, algorithm 2.1; A is symmetric.
        """
        comm, n = self.part.comm, self.part.n_owned * self.nc
        first, total = comm.offset(n), int(comm.sum(n))
        x, y, z = np.full(n, 1.0 / total), np.empty(n), np.empty(n)
        largest, visited = 0.0, set[int]()
        for _ in range(_NORM_STEPS):
            self.multiply(x, y)
            norm = float(comm.sum(np.abs(y).sum()))
            if norm <= largest:
                break
            largest = norm
            self.multiply(np.where(y < 0, -1.0, 1.0), z)
            here = (float(np.abs(z).max()), -first - int(np.abs(z).argmax())) if n else (-1.0, 0)
            column = -max(comm.gather(here))[1]
            if column in visited:
                break
            visited.add(column)
            x[:] = 0.0
            if first <= column < first + n:
                x[column - first] = 1.0
        return largest


def multigrid_levels(
    model: Model, constraints: ConstraintSet, extra: list[ElementMatrices]
) -> tuple[Operator, LinearLevel] | None:
    """The operator and the linear level below it; None for linear cells, or without kernels. Collective.

    The linear level is divided by the scale of the operator: single precision, and what PETSc takes for a pivot that
    is zero, know no units.

    Parameters
    ----------
    model, constraints, extra
        As for `dougong.solver.assemble.assemble`.
    """
    level = linear_level(model, constraints, extra)
    if level is None:
        return None
    operator = Operator(model, constraints, extra)
    np.divide(level.matrix.values, operator.scale, out=level.matrix.values)
    return operator, level


def _extra(extra: list[ElementMatrices], n_nodes: int, nc: int) -> Any:
    """The sum of element matrices, shape (n_nodes nc, n_nodes nc); None where there are none."""
    if not extra:
        return None
    shape = (n_nodes * nc, n_nodes * nc)
    total = sparse.csr_matrix(shape)
    for e in extra:
        unknowns = (e.nodes[:, :, None] * nc + np.arange(nc)).reshape(len(e.nodes), -1)  # (n, k nc)
        rows, columns = np.broadcast_arrays(unknowns[:, :, None], unknowns[:, None, :])
        total += sparse.coo_matrix((e.values.ravel(), (rows.ravel(), columns.ravel())), shape=shape).tocsr()
    return total
