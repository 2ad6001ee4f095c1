"""The linear level of p-multigrid: the corner nodes of quadratic cells, and the interpolation from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        Owned block rows of the linear operator, columns by local node of the quadratic level; None: to be formed as
        the Galerkin product.
    constraints
        Conditions of the quadratic level.
    """

    part: Part
    owned: NDArray[np.int64]
    numbers: NDArray[np.int64]
    n_owned: int
    n_total: int
    matrix: BlockMatrix | None
    constraints: ConstraintSet

    @property
    def comm(self) -> Comm:
        """The processes."""
        return self.part.comm

    def interpolation(self, nc: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Rows (owned unknowns) of the interpolation as CSR with coarse unknowns as columns.

        The value at a node is that of the linear shape functions there, projected onto what its conditions leave free.
        """
        nodes, parents, weights = _parents(self.part)
        order = np.argsort(nodes, kind="stable")
        nodes, parents, weights = nodes[order], parents[order], weights[order]
        held = self.constraints.index[nodes] >= 0
        P = np.broadcast_to(np.eye(nc), (len(nodes), nc, nc)).copy()
        P[held] = self.constraints.projectors[self.constraints.index[nodes[held]]]
        entries = weights[:, None, None] * P  # (n_entries, nc, nc)
        keep = entries != 0
        e, i, j = np.nonzero(keep)
        row = nodes[e].astype(np.int64) * nc + i
        by_row = np.argsort(row, kind="stable")
        counts = np.bincount(row, minlength=self.part.n_owned * nc)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        columns = self.numbers[parents[e]] * nc + j
        return indptr, columns[by_row], entries[keep][by_row]


def linear_level(
    model: Model, constraints: ConstraintSet, extra: list[ElementMatrices], galerkin: bool = False
) -> LinearLevel | None:
    """The linear level of a model; None where its cells are linear already. Collective.

    Parameters
    ----------
    model, constraints, extra
        As for `dougong.solver.assemble.assemble`.
    galerkin
        Do not assemble the linear operator.
    """
    part = model.part
    if all(b.type.order == 1 for b in part.blocks):
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
    matrix = None
    if available() and not galerkin:
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
