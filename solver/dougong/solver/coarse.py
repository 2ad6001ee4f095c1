"""The linear level of p-multigrid: the corner nodes of quadratic cells, and the interpolation from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.assemble import BlockMatrix, assemble_linear
from dougong.solver.comm import Comm
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import corner_values
from dougong.solver.kernels import available
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.partition import Part

Array = NDArray[np.float64]


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

    def interpolation(self, nc: int) -> sparse.csr_matrix:
        """Interpolation from local corner nodes to owned nodes, unknown by unknown, shape (n_owned nc, n_local nc).

        The value at a node is that of the linear shape functions there, projected onto what its conditions leave free.
        """
        nodes, parents, weights = _parents(self.part)
        held = self.constraints.index[nodes] >= 0
        P = np.broadcast_to(np.eye(nc), (len(nodes), nc, nc)).copy()
        P[held] = self.constraints.projectors[self.constraints.index[nodes[held]]]
        entries = weights[:, None, None] * P  # (n_entries, nc, nc)
        e, i, j = np.nonzero(entries)
        place = (nodes[e].astype(np.int64) * nc + i, parents[e].astype(np.int64) * nc + j)
        shape = (self.part.n_owned * nc, self.part.n_local * nc)
        return sparse.coo_matrix((entries[e, i, j], place), shape=shape).tocsr()


def linear_level(model: Model, constraints: ConstraintSet, extra: list[ElementMatrices]) -> LinearLevel | None:
    """The linear level of a model; None where its cells are linear already, or without kernels. Collective.

    Parameters
    ----------
    model, constraints, extra
        As for `dougong.solver.assemble.assemble`.
    """
    part = model.part
    if not available() or all(b.type.order == 1 for b in part.blocks):
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


def _parents(part: Part) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
    """(node, corner, weight) for every owned node."""
    found: list[tuple[NDArray[np.int32], NDArray[np.int32], Array]] = []
    done = np.zeros(part.n_owned, dtype=bool)
    for block in part.blocks:
        weights = corner_values(block.type.name)  # (n_nodes, n_corners)
        for a in range(block.type.n_nodes):
            nodes, first = np.unique(block.nodes[:, a], return_index=True)
            fresh = nodes < part.n_owned
            nodes, first = nodes[fresh], first[fresh]
            new = ~done[nodes]
            nodes, first = nodes[new], first[new]
            done[nodes] = True
            for c in np.flatnonzero(np.abs(weights[a]) > 1e-12):
                found.append((nodes, block.nodes[first, c], np.full(len(nodes), weights[a, c])))
    node, parent, weight = (np.concatenate(x) for x in zip(*found, strict=True))
    return node, parent, weight
