"""Products with a distributed reduction u = T q + g in PETSc: Tᵀ A T, Tᵀ f, T q."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

import dougong.solver.linalg.systems  # noqa: F401 - it starts PETSc, with the arguments that it needs
from dougong.solver.assemble import BlockMatrix
from dougong.solver.linalg.systems import block_matrix, indices_of_petsc
from dougong.solver.reduction import Reduction

from petsc4py import PETSc  # isort: skip

Array = NDArray[np.float64]

#: Motions that are combinations of the others but for this part add nothing to a near-nullspace.
_DEPENDENT = 1e-10


class ReducedSpace:
    """A reduction whose transfer T is a PETSc matrix.

    Parameters
    ----------
    reduction
        What is left to be found.
    comm
        mpi4py communicator, or None for one process.
    """

    def __init__(self, reduction: Reduction, comm: Any) -> None:
        self.reduction = reduction
        self._comm = comm if comm is not None else PETSc.COMM_SELF
        T = reduction.transfer.copy()
        T.sort_indices()  # PETSc wants ascending columns
        rows = reduction.part.n_total * reduction.components
        size = ((T.shape[0], rows), (reduction.n, reduction.n_total))
        csr = (indices_of_petsc(T.indptr), indices_of_petsc(T.indices), T.data)
        # Numbers that come in blocks of nodes stay in them: multigrid aggregates nodes then.
        blocks = reduction.components if reduction.in_blocks else 1
        self.transfer = PETSc.Mat().createAIJ(size, bsize=(reduction.components, blocks), csr=csr, comm=self._comm)
        self._q, self._u = self.transfer.createVecRight(), self.transfer.createVecLeft()

    @property
    def n(self) -> int:
        """Independent unknowns of this rank."""
        return self.reduction.n

    def matrix(self, A: Any) -> Any:
        """Tᵀ A T of a symmetric matrix of the owned unknowns (`block_matrix`); the caller destroys it. Collective."""
        reduced = A.ptap(self.transfer)
        reduced.setOption(PETSc.Mat.Option.SYMMETRIC, True)
        return reduced

    def restrict(self, values: Array) -> Array:
        """Tᵀ f of nodal values of the owned nodes, shape (n_owned, nc), shape (n,). Collective."""
        self._u.setArray(values.ravel())
        self.transfer.multTranspose(self._u, self._q)
        return np.array(self._q.getArray())

    def expand(self, q: Array, offset: Array | None = None) -> Array:
        """The values of the owned nodes, shape (n_owned, nc), that independent unknowns give. Collective.

        Parameters
        ----------
        q
            shape (n,): the independent unknowns of this rank.
        offset
            shape (n_owned, nc): what is added, such as `Reduction.offset`; None: nothing, as for modes.
        """
        self._q.setArray(q)
        self.transfer.mult(self._q, self._u)
        u = np.array(self._u.getArray()).reshape(-1, self.reduction.components)
        return u if offset is None else u + offset

    def coordinates(self, values: Array) -> Array:
        """The independent unknowns, shape (n,), of nodal values of the owned nodes that are T q."""
        return np.asarray(self.reduction.coordinates @ values.ravel())

    def near_nullspace(self, A: Any, modes: Array) -> None:
        """Tell a reduced matrix which motions strain the body little, for aggregation. Collective.

        Parameters
        ----------
        A
            Made by `matrix`.
        modes
            shape (n_owned, nc, k): as of `Physics.free_modes`.
        """
        B = self.reduction.coordinates @ modes.reshape(-1, modes.shape[-1])  # (n, k)
        vectors = []
        for q in self.orthonormal(B).T:
            v = A.createVecLeft()
            v.setArray(q)
            vectors.append(v)
        space = PETSc.NullSpace().create(vectors=vectors, comm=self._comm)
        A.setNearNullSpace(space)
        for v in vectors:
            v.destroy()
        space.destroy()

    def of_blocks(self, blocks: BlockMatrix) -> Any:
        """Tᵀ A T of block rows of the owned nodes; the caller destroys it. Collective."""
        A = block_matrix(self.reduction.part, blocks, self._comm)
        reduced = self.matrix(A)
        A.destroy()
        reduced.setOption(PETSc.Mat.Option.SPD, True)  # Cholesky wants to know
        return reduced

    def add(self, A: Any, forms: sparse.csr_matrix, weights: Array) -> None:
        """Add the squares of linear forms of independent unknowns, times weights, to a reduced matrix. Collective.

        Parameters
        ----------
        A
            Made by `matrix`.
        forms
            shape (m, n_total): alike on every rank.
        weights
            shape (m,).
        """
        if not forms.shape[0]:
            return
        own = slice(self.reduction.first, self.reduction.first + self.n)
        rows = (forms[:, own].T @ sparse.diags(weights) @ forms).tocsr()
        rows.sort_indices()
        size = ((self.n, self.reduction.n_total), (self.n, self.reduction.n_total))
        csr = (indices_of_petsc(rows.indptr), indices_of_petsc(rows.indices), rows.data)
        more = PETSc.Mat().createAIJ(size, bsize=A.getBlockSize(), csr=csr, comm=self._comm)
        A.axpy(1.0, more, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        more.destroy()

    def hold(self, A: Any, unused: NDArray[np.bool_]) -> None:
        """Give rows of a reduced matrix that stand for nothing the mean of the diagonal. Collective.

        Parameters
        ----------
        A
            Made by `matrix`.
        unused
            shape (n,).
        """
        comm = self.reduction.part.comm
        count = int(comm.sum(int(unused.sum())))
        if not count:
            return
        diagonal = A.getDiagonal()
        used = max(self.reduction.n_total - count, 1)
        mean = float(comm.sum(float(np.abs(diagonal.getArray()).sum()))) / used
        diagonal.destroy()
        rows = sparse.diags(np.where(unused, mean or 1.0, 0.0)).tocsr()
        rows.eliminate_zeros()
        indices = rows.indices.astype(np.int64) + self.reduction.first
        size = ((self.n, self.reduction.n_total), (self.n, self.reduction.n_total))
        csr = (indices_of_petsc(rows.indptr), indices_of_petsc(indices), rows.data)
        more = PETSc.Mat().createAIJ(size, bsize=A.getBlockSize(), csr=csr, comm=self._comm)
        A.axpy(1.0, more, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        more.destroy()

    def orthonormal(self, B: Array) -> Array:
        """An orthonormal basis of the span of columns of independent unknowns, shape (n, k'). Collective."""
        return _orthonormal(self.reduction, B)

    def destroy(self) -> None:
        """Free PETSc's objects. Collective."""
        for thing in (self._q, self._u, self.transfer):
            thing.destroy()


def _orthonormal(reduction: Reduction, B: Array) -> Array:
    """An orthonormal basis of the span of distributed columns, shape (n, k'); dependent ones are left out."""
    comm = reduction.part.comm
    scale = np.sqrt(np.asarray(comm.sum((B**2).sum(axis=0))))
    there = scale > 0
    B = B[:, there] / scale[there]
    for _ in range(2):  # the second pass does away with the rounding errors of the first
        values, vectors = np.linalg.eigh(np.asarray(comm.sum(B.T @ B)))
        kept = values > _DEPENDENT * values.max(initial=0.0)
        B = B @ (vectors[:, kept] / np.sqrt(values[kept]))
    return B
