"""What is left to be found when all that holds a model is eliminated: u = T q + g.

A condition leaves a node the range of its projector P. An orthonormal basis V of that range, P = V Vᵀ, gives the node
as many independent unknowns as it has free directions: u = V q + u0. A node without conditions keeps its components
as they are. The columns of T are thereby orthonormal where conditions are all there is, and q = Tᵀ (u - g).

A symmetric K becomes Tᵀ K T, whose size is the number of independent unknowns: nothing stands for what is held, so that
an eigenvalue problem has no eigenvalues that the model does not have. On one part, without PETSc; products of
distributed matrices are in `dougong.solver.linalg.reduction`.

Source: Shephard, "Linear multipoint constraints applied via transformation as part of a direct stiffness assembly
process", IJNME 20, 1984.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.conditions import ConstraintSet
from dougong.solver.parallel.partition import Part

Array = NDArray[np.float64]

#: Components of a unit vector smaller than this are rounding errors of its computation.
_ROUNDING = 1e-15


@dataclass(frozen=True)
class Reduction:
    """Independent unknowns of a part and what the unknowns are made of.

    Attributes
    ----------
    part
        The part.
    transfer
        shape (n_owned nc, n_total), CSR - T, rows of the owned unknowns; columns are numbers of independent unknowns
        through all ranks.
    offset
        shape (n_owned, nc) - g, dimension of the unknown.
    coordinates
        shape (n, n_owned nc), CSR - for each independent unknown of this rank the combination of the unknowns of its
        node that it is: S with S T = 1, q = S (u - g).
    first
        Number of this rank's first independent unknown.
    n_total
        Independent unknowns of all ranks.
    """

    part: Part
    transfer: sparse.csr_matrix
    offset: Array
    coordinates: sparse.csr_matrix
    first: int
    n_total: int

    @property
    def n(self) -> int:
        """Independent unknowns of this rank."""
        return int(self.coordinates.shape[0])

    @property
    def in_blocks(self) -> bool:
        """Whether each node has as many numbers as unknowns, some of them for nothing."""
        return False

    @property
    def components(self) -> int:
        """Unknowns a node."""
        return int(self.offset.shape[1])


def reduction(part: Part, constraints: ConstraintSet) -> Reduction:
    """The reduction by nodal conditions. Collective.

    Parameters
    ----------
    part
        The part.
    constraints
        Its conditions; their prescribed values are the offset.
    """
    n, nc = part.n_owned, constraints.projectors.shape[1]
    basis = free_basis(constraints, n)
    first = part.comm.offset(basis.shape[1])
    total = int(part.comm.sum(basis.shape[1]))
    shape = (n * nc, total)
    transfer = sparse.csr_matrix((basis.data, basis.indices.astype(np.int64) + first, basis.indptr), shape=shape)
    return Reduction(part, transfer, offset(constraints, n), basis.T.tocsr(), first, total)


def offset(constraints: ConstraintSet, n: int) -> Array:
    """The prescribed displacements of the first n local nodes, zero elsewhere, shape (n, nc)."""
    g = np.zeros((n, constraints.prescribed.shape[1]))
    here = constraints.nodes < n
    g[constraints.nodes[here]] = constraints.prescribed[here]
    return g


def node_bases(constraints: ConstraintSet, n: int) -> tuple[Array, NDArray[np.int64]]:
    """Orthonormal bases at the first n local nodes: free directions first, then those that are prescribed.

    Returns
    -------
    directions
        shape (n, nc, nc): one a column.
    free
        shape (n,): how many are free.
    """
    nc = constraints.projectors.shape[1]
    here = np.flatnonzero(constraints.nodes < n)
    nodes = constraints.nodes[here].astype(np.int64)
    free = np.full(n, nc, dtype=np.int64)
    free[nodes] = nc - constraints.rank[here]
    directions = np.zeros((n, nc, nc))
    directions[:] = np.eye(nc)
    # Eigenvalues of a projector are zeros and ones; eigh has them ascending, so the free directions come last.
    vectors = np.linalg.eigh(constraints.projectors[here])[1][:, :, ::-1] if len(here) else np.empty((0, nc, nc))
    vectors[np.abs(vectors) < _ROUNDING] = 0.0
    directions[nodes] = vectors
    return directions, free


def free_basis(constraints: ConstraintSet, n: int) -> sparse.csr_matrix:
    """The free directions of the first n local nodes, shape (n nc, free directions of them all).

    Columns are in the order of the nodes.
    """
    directions, free = node_bases(constraints, n)
    nc = directions.shape[1]
    start = np.concatenate([[0], np.cumsum(free)])
    node, column = np.nonzero(np.arange(nc) < free[:, None])
    values = directions[node, :, column]  # (columns, nc)
    rows = node[:, None] * nc + np.arange(nc)
    columns = np.broadcast_to((start[node] + column)[:, None], rows.shape)
    kept = values != 0.0
    found = sparse.coo_matrix((values[kept], (rows[kept], columns[kept])), shape=(n * nc, int(start[-1])))
    return found.tocsr()
