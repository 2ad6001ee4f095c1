"""Eigenvalues of symmetric pencils A x = λ B x, B positive definite, by SLEPc, and how many there are by Sturm's law.

Krylov-Schur iteration on the shift-inverted pencil finds the eigenvalues next to a shift; one factorisation
L D Lᵀ of A - σ B by MUMPS serves it all, and says more: by Sylvester's law of inertia D has as many negative
entries as there are eigenvalues below σ. An iteration may miss an eigenvalue, above all a repeated one; the count does
not.

Sources: Stewart, "A Krylov-Schur algorithm for large eigenproblems", SIAM J. Matrix Anal. Appl. 23, 2001; Grimes,
Lewis, Simon, "A shifted block Lanczos algorithm for solving sparse symmetric generalized eigenproblems", SIAM J. Matrix
Anal. Appl. 15, 1994; Hernandez, Roman, Vidal, "SLEPc", ACM Trans. Math. Softw. 31, 2005.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dougong.solver.linalg.systems  # noqa: F401 - it starts PETSc, with the arguments that it needs
from dougong.messages import SolveError
from dougong.solver.linalg.errors import translate

from petsc4py import PETSc  # isort: skip

Array = NDArray[np.float64]

#: Relative accuracy of eigenvalues of the inverted pencil, and restarts after which an iteration has failed.
TOLERANCE, _MAX_RESTARTS = 1e-11, 300

#: MUMPS: 50 % more room than it expects to need; a root in one piece, and looking for null pivots, without which it
#: does not tell the inertia.
_MUMPS = {14: 50, 13: 1, 24: 1}

#: Negative INFOG(1) of MUMPS that mean that there was no room for the factor.
_NO_ROOM = (-5, -7, -8, -9, -13, -19, -20)

_numbers = itertools.count()


@dataclass(frozen=True)
class Pairs:
    """Eigenvalues and vectors.

    Attributes
    ----------
    values
        shape (k,), ascending.
    vectors
        shape (n, k): the rows of this rank, xᵀ B x = 1.
    """

    values: Array
    vectors: Array

    def joined(self, more: Pairs) -> Pairs:
        """These and others, ascending."""
        values = np.concatenate([self.values, more.values])
        order = np.argsort(values, kind="stable")
        return Pairs(values[order], np.hstack([self.vectors, more.vectors])[:, order])


def require_slepc() -> Any:
    """SLEPc's module.

    Raises
    ------
    SolveError
        MODES_NEED_SLEPC, MODES_NEED_MUMPS: this installation has none.
    """
    try:
        from slepc4py import SLEPc
    except ImportError as error:
        raise SolveError("MODES_NEED_SLEPC") from error
    if not has_mumps():
        raise SolveError("MODES_NEED_MUMPS")
    return SLEPc


def has_mumps() -> bool:
    """Whether PETSc was built with MUMPS."""
    return bool(PETSc.Sys.hasExternalPackage("mumps"))


class Factor:
    """L D Lᵀ of a symmetric matrix, definite or not.

    Parameters
    ----------
    A
        PETSc matrix.
    comm
        Its communicator.

    Attributes
    ----------
    negative
        Number of negative eigenvalues of A.

    Raises
    ------
    SolveError
        SOLVER_OUT_OF_MEMORY, SOLVER_FAILED.
    """

    def __init__(self, A: Any, comm: Any) -> None:
        self.ksp = PETSc.KSP().create(comm=comm)
        with _translated():
            _be_symmetric(A)
            self.ksp.setOperators(A)
            with _options(self.ksp, ""):
                _direct(self.ksp)
                self.ksp.setUp()
        factor = self.ksp.getPC().getFactorMatrix()
        _refuse(factor)
        self.negative: int = factor.getInertia()[0]

    def solve(self, b: Any, x: Any) -> None:
        """X = A⁻¹ b; vectors of PETSc."""
        with _translated():
            self.ksp.solve(b, x)

    def destroy(self) -> None:
        """Free PETSc's objects. Collective."""
        self.ksp.destroy()


class Pencil:
    """A x = λ B x, both symmetric, B positive definite.

    Parameters
    ----------
    A, B
        PETSc matrices with the same rows on each rank.
    comm
        mpi4py communicator, or None for one process.
    """

    def __init__(self, A: Any, B: Any, comm: Any) -> None:
        self.A, self.B = A, B
        self._comm = comm if comm is not None else PETSc.COMM_SELF
        _be_symmetric(A)
        _be_symmetric(B)

    @property
    def size(self) -> int:
        """Number of eigenvalues."""
        return int(self.A.getSize()[0])

    def below(self, value: float) -> int:
        """How many eigenvalues are smaller than a value. Collective."""
        shifted = self.A.copy()
        try:
            shifted.axpy(-value, self.B)
            factor = Factor(shifted, self._comm)
            factor.destroy()
            return factor.negative
        finally:
            shifted.destroy()

    def next_to(self, shift: float, count: int, known: Array | None = None, above: bool = False) -> Pairs:
        """Eigenvalues next to a shift, at least as many as asked for where the iteration finds them. Collective.

        Parameters
        ----------
        shift
            No eigenvalue.
        count
            How many, at least one.
        known
            shape (n, k): vectors of eigenvalues that are not to be found again.
        above
            Whether only those above the shift are wanted.

        Raises
        ------
        SolveError
            MODES_NOT_CONVERGED, SOLVER_OUT_OF_MEMORY, SOLVER_FAILED.
        """
        which = _upwards(shift) if above else None
        return self._iterate(count, known, shift, which, f"next to {shift:.6g}")

    def largest(self, count: int, known: Array | None = None, positive: bool = False) -> Pairs:
        """Eigenvalues of largest magnitude, or the largest ones; the factor is that of B. Collective.

        Parameters
        ----------
        count, known
            As for `next_to`.
        positive
            Whether the largest are wanted, instead of those of largest magnitude.
        """
        return self._iterate(count, known, None, None, "largest", positive)

    def residuals(self, pairs: Pairs) -> Array:
        """|A x - λ B x| of each pair, shape (k,). Collective."""
        x, r, b = self.A.createVecRight(), self.A.createVecLeft(), self.A.createVecLeft()
        norms = []
        for value, column in zip(pairs.values, pairs.vectors.T, strict=True):
            x.setArray(column)
            self.A.mult(x, r)
            self.B.mult(x, b)
            r.axpy(-value, b)
            norms.append(r.norm())
        for v in (x, r, b):
            v.destroy()
        return np.array(norms)

    def destroy(self) -> None:
        """Free both matrices. Collective."""
        self.A.destroy()
        self.B.destroy()

    def _iterate(
        self, count: int, known: Array | None, shift: float | None, which: Any, what: str, positive: bool = False
    ) -> Pairs:
        SLEPc = require_slepc()
        eps = SLEPc.EPS().create(comm=self._comm)
        kinds, st = SLEPc.EPS.Which, eps.getST()
        space = self._vectors(known) if known is not None else []
        left = self.size - len(space)
        try:
            with _translated(), _options(eps, "st_"):
                eps.setOperators(self.A, self.B)
                eps.setProblemType(SLEPc.EPS.ProblemType.GHEP)
                eps.setType(SLEPc.EPS.Type.KRYLOVSCHUR)
                eps.setDimensions(min(count, left))
                eps.setTolerances(TOLERANCE, _MAX_RESTARTS)
                if shift is None:
                    st.setType(SLEPc.ST.Type.SHIFT)
                    eps.setWhichEigenpairs(kinds.LARGEST_REAL if positive else kinds.LARGEST_MAGNITUDE)
                else:
                    st.setType(SLEPc.ST.Type.SINVERT)
                    eps.setTarget(shift)
                    eps.setWhichEigenpairs(kinds.TARGET_MAGNITUDE)
                    if which is not None:
                        eps.setWhichEigenpairs(kinds.USER)
                        eps.setEigenvalueComparison(which)
                _direct(st.getKSP())
                if space:
                    eps.setDeflationSpace(space)
                eps.setUp()
                _refuse(st.getKSP().getPC().getFactorMatrix())
                eps.solve()
            found = eps.getConverged()
            if found < min(count, left) and eps.getConvergedReason() < 0:
                raise SolveError("MODES_NOT_CONVERGED", found=found, wanted=count, where=what)
            return self._pairs(eps, found)
        finally:
            eps.destroy()
            for v in space:
                v.destroy()

    def _pairs(self, eps: Any, count: int) -> Pairs:
        x, Bx = self.A.createVecRight(), self.A.createVecLeft()
        values, columns = np.empty(count), np.empty((self.A.getLocalSize()[0], count))
        for k in range(count):
            values[k] = eps.getEigenpair(k, x).real
            self.B.mult(x, Bx)
            x.scale(x.dot(Bx) ** -0.5)
            columns[:, k] = x.getArray()
        x.destroy()
        Bx.destroy()
        order = np.argsort(values, kind="stable")
        return Pairs(values[order], columns[:, order])

    def _vectors(self, columns: Array) -> list[Any]:
        out = []
        for column in columns.T:
            v = self.A.createVecRight()
            v.setArray(column)
            out.append(v)
        return out


def products(A: Any, fields: Array) -> Array:
    """A times nodal fields of the owned nodes, both shape (n_owned, nc, k). Collective."""
    x, y = A.createVecRight(), A.createVecLeft()
    out = np.empty_like(fields)
    for k in range(fields.shape[2]):
        x.setArray(fields[:, :, k].ravel())
        A.mult(x, y)
        out[:, :, k] = y.getArray().reshape(fields.shape[:2])
    x.destroy()
    y.destroy()
    return out


def diagonal(A: Any, components: int) -> Array:
    """The diagonal of a matrix of nodal unknowns, shape (n_owned, nc)."""
    found = A.getDiagonal()
    values = np.array(found.getArray()).reshape(-1, components)
    found.destroy()
    return values


@contextmanager
def _options(thing: Any, inner: str) -> Iterator[None]:
    """Options of MUMPS, by a prefix of their own in PETSc's database, for what is set up meanwhile."""
    prefix = f"eigen{next(_numbers)}_"
    thing.setOptionsPrefix(prefix)
    database = PETSc.Options()
    names = {f"{prefix}{inner}mat_mumps_icntl_{k}": v for k, v in _MUMPS.items()}
    for name, value in names.items():
        database[name] = value
    try:
        yield
    finally:
        for name in names:
            database.delValue(name)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PETSc.Error as error:
        raise translate(error) from error


def _direct(ksp: Any) -> None:
    ksp.setType(PETSc.KSP.Type.PREONLY)
    ksp.getPC().setType(PETSc.PC.Type.CHOLESKY)
    ksp.getPC().setFactorSolverType("mumps")


def _be_symmetric(A: Any) -> None:
    """PETSc must know that a matrix is symmetric, and not take it for definite: MUMPS would look for no pivots."""
    A.setOption(PETSc.Mat.Option.SPD, False)
    A.setOption(PETSc.Mat.Option.SYMMETRIC, True)


def _refuse(factor: Any) -> None:
    """Raise if MUMPS came to no factor."""
    said = factor.getMumpsInfog(1)
    if said in _NO_ROOM:
        raise SolveError("SOLVER_OUT_OF_MEMORY")
    if said < 0:
        raise SolveError("SOLVER_FAILED", code=f"MUMPS {said}")


def _upwards(shift: float) -> Any:
    """An order of eigenvalues for SLEPc: those above a shift first, the next ones first."""

    def compare(a: complex, b: complex, *_: Any) -> int:
        first, second = ((x.real <= shift, abs(x.real - shift)) for x in (a, b))
        return (first > second) - (first < second)

    return compare
