"""The linear level of p-multigrid: the corner nodes of quadratic cells, and the interpolation from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.assemble import BlockMatrix, assemble_linear, fused_kernel
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import corner_values
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.parallel.comm import Comm
from dougong.solver.parallel.partition import Part

Single = NDArray[np.float32]


@dataclass(frozen=True)
class LinearLevel:
    """The linear level of p-multigrid.

    Attributes
    ----------
    part
        The part of the quadratic level.
    owned
        shape (n_owned,), int - local numbers of the owned corner nodes.
    numbers
        shape (n_local,), int64 - the coarse number of each local node, -1 where it is no corner.
    n_owned, n_total
        Corner nodes of this rank, and of all.
    matrix
        Owned block rows of the linear operator, columns by local node of the quadratic level.
    constraints
        Conditions of the quadratic level.
    """

    part: Part
    owned: NDArray[np.int64]
    numbers: NDArray[np.int64]
    n_owned: int
    n_total: int
    matrix: BlockMatrix
    constraints: ConstraintSet

    @property
    def comm(self) -> Comm:
        """The processes."""
        return self.part.comm


class Interpolation:
    """Interpolation from local corner nodes to owned nodes, in single precision.

    The value at a node is that of the linear shape functions there, projected onto what its conditions leave free.

    Parameters
    ----------
    part
        The part.
    constraints
        Conditions.
    """

    def __init__(self, part: Part, constraints: ConstraintSet) -> None:
        self._weights = _weights(part)
        self._transposed = self._weights.T.tocsr()
        self._held = np.flatnonzero(constraints.index[: part.n_owned] >= 0)
        self._projectors = constraints.projectors[constraints.index[self._held]].astype(np.float32)

    def prolong(self, corners: Single) -> Single:
        """Values at owned nodes, shape (n_owned, nc), from values at local nodes, of which the corners count."""
        values = self._weights @ corners
        self._project(values)
        return values

    def restrict(self, values: Single) -> Single:
        """The transposed: shape (n_local, nc) from shape (n_owned, nc), which is changed."""
        self._project(values)
        return self._transposed @ values

    def _project(self, values: Single) -> None:
        values[self._held] = np.einsum("nij,nj->ni", self._projectors, values[self._held])


def linear_level(model: Model, constraints: ConstraintSet, extra: list[ElementMatrices]) -> LinearLevel | None:
    """The linear level of a model; None where its cells are linear already, without kernels, or not plain. Collective.

    Parameters
    ----------
    model, constraints, extra
        As for `dougong.solver.assemble.assemble`.
    """
    part = model.part
    if fused_kernel(model) is None or not model.plain or all(b.type.order == 1 for b in part.blocks):
        return None
    corner = np.zeros(part.n_local, dtype=bool)
    for block in part.blocks:
        corner[block.nodes[:, : block.type.n_corners]] = True
    owned = np.flatnonzero(corner[: part.n_owned])
    start = part.comm.offset(len(owned))
    numbers = np.full((part.n_local, 1), -1.0)
    numbers[owned, 0] = start + np.arange(len(owned))
    part.halo.update(numbers)
    n_total = int(part.comm.sum(len(owned)))
    full = assemble_linear(model, constraints, extra)
    starts = np.append(full.indptr[:-1][owned], full.indptr[-1])
    matrix = BlockMatrix(starts, full.indices, full.values)
    return LinearLevel(part, owned, numbers[:, 0].astype(np.int64), len(owned), n_total, matrix, constraints)


def _weights(part: Part) -> sparse.csr_matrix:
    """The linear shape functions of the corners at the owned nodes, shape (n_owned, n_local)."""
    rows, columns, values = [], [], []
    missing = np.ones(part.n_owned, dtype=bool)
    for block in part.blocks:
        tables = corner_values(block.type.name).astype(np.float32)  # (n_nodes, n_corners)
        # Any cell of a node does: on a shared edge or face the corners of that alone have weight.
        place = np.full(part.n_local, -1)
        place[block.nodes.ravel()] = np.arange(block.nodes.size)
        nodes = np.flatnonzero(missing & (place[: part.n_owned] >= 0))
        missing[nodes] = False
        cell, a = np.divmod(place[nodes], block.type.n_nodes)
        weights = tables[a]  # (n, n_corners)
        n, corner = np.nonzero(np.abs(weights) > 1e-6)
        rows.append(nodes[n])
        columns.append(block.nodes[cell[n], corner])
        values.append(weights[n, corner])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_matrix(entries, shape=(part.n_owned, part.n_local)).tocsr()
