"""Linear systems in PETSc; the only file that imports petsc4py.

Conjugate gradients with multigrid, or a sparse factorisation. For quadratic cells the multigrid is p-multigrid: the
quadratic level is smoothed by Chebyshev iteration, and the linear element on the corner nodes is the next level, below
which smoothed aggregation with rigid-body modes goes on (PETSc's GAMG).

Sources: Adams, Brezina, Hu, Tuminaro, "Parallel multigrid smoothing: polynomial versus Gauss-Seidel", JCP 188, 2003;
Adams, "Evaluation of three unstructured multigrid methods on 3D finite element problems in solid mechanics",
IJNME 55, 2002; Helenbrook, Mavriplis, Atkins, "Analysis of p-multigrid for continuous and discontinuous finite element
discretizations", AIAA 2003-3989.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import petsc4py
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.parallel.mpi import MPI

# Signals stay what they are: PETSc would take a broken pipe for a crash, and hide which signal ended a worker.
petsc4py.init(["dougong", "-no_signal_handler"], comm=MPI.COMM_WORLD)
from petsc4py import PETSc  # noqa: E402 - PETSc must be initialised first

from dougong.messages import SolveError  # noqa: E402
from dougong.solver.assemble import BlockMatrix  # noqa: E402
from dougong.solver.kernels import Smoother  # noqa: E402
from dougong.solver.linalg.choice import Said, relative_tolerance  # noqa: E402
from dougong.solver.linalg.coarse import LinearLevel  # noqa: E402
from dougong.solver.linalg.contexts import CycleContext, ProductContext  # noqa: E402
from dougong.solver.linalg.errors import translate  # noqa: E402
from dougong.solver.linalg.multigrid import PMultigrid  # noqa: E402
from dougong.solver.linalg.operator import Operator  # noqa: E402
from dougong.solver.parallel.partition import Part  # noqa: E402
from dougong.v1 import analysis_pb2 as pb  # noqa: E402
from dougong.v1 import result_pb2  # noqa: E402

Array = NDArray[np.float64]

DEFAULT_MAX_ITERATIONS = 1000

#: A factorisation of a singular matrix meets pivots of the size of rounding errors, and goes on, and an iteration takes
#: a large multiple of a free motion for a solution; of a thin plate both are right to some digits. Where more than this
#: part of the right-hand side is left, a step of iterative refinement tells one from the other: a solution that it
#: changes by more than a thousandth is none, nor one that leaves more than there was.
_UNSOLVED = 1e-3

#: Methods that can measure the residual in the energy norm; others that a user asks for take the norm of their own.
_MEASURE_ENERGY = ("cg", "cr", "fcg", "groppcg", "pipecg", "pipecr")

_numbers = itertools.count()


@dataclass(frozen=True)
class SolveInput:
    """What a solve needs beside the right-hand side.

    Attributes
    ----------
    part
        The part, whose owned nodes are the block rows.
    matrix
        Assembles the owned block rows of a symmetric positive definite matrix; called only where they are needed.
    near_nullspace
        shape (n_owned, nc, k): motions that strain the body little, for aggregation.
    levels
        Makes the matrix as a product, and the linear level of p-multigrid; None where that is not possible. Called only
        where they are needed.
    reduced
        Makes PETSc's matrix of other unknowns than those of nodes, with one unknown a row, in place of the others.
    """

    part: Part
    matrix: Callable[[], BlockMatrix]
    near_nullspace: Array
    levels: Callable[[], tuple[Operator, LinearLevel] | None]
    reduced: Callable[[Any], Any] | None = None

    @property
    def dofs(self) -> int:
        """Unknowns on all ranks."""
        return self.near_nullspace.shape[1] * self.part.n_total


def version() -> str:
    """Version of PETSc."""
    return ".".join(str(n) for n in PETSc.Sys.getVersion())


def in_use() -> tuple[dict[str, str], int]:
    """PETSc's database of options, and how many PETSc objects are left that were made since `gc.freeze`."""
    PETSc.garbage_cleanup()
    alive = sum(isinstance(thing, PETSc.Object) for thing in gc.get_objects())
    return dict(PETSc.Options().getAll()), alive


def indices_of_petsc(numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """Numbers of rows, or places of entries, in PETSc's own type. Raises `SolveError` NUMBERS_TOO_LARGE."""
    largest = int(numbers.max(initial=0))
    if largest > np.iinfo(PETSc.IntType).max:
        raise SolveError("NUMBERS_TOO_LARGE", number=largest)
    return numbers.astype(PETSc.IntType)


class LinearSolver:
    """A prepared solver; factorisation or preconditioner serve any number of right-hand sides.

    Parameters
    ----------
    given
        The system.
    options
        What the user asked for.
    direct
        Whether to factorise.
    comm
        mpi4py communicator, or None for one process.
    monitor
        Called with iteration and residual relative to the first.
    give_up
        Asked with the same after each iteration; True ends it as not converged.

    Raises
    ------
    SolveError
        SINGULAR_SYSTEM when the factorisation meets a zero pivot.
    """

    def __init__(
        self,
        given: SolveInput,
        options: pb.SolverOptions,
        direct: bool,
        comm: Any,
        monitor: Callable[[int, float], None] | None = None,
        give_up: Callable[[int, float], bool] | None = None,
    ) -> None:
        self._given = given
        self._comm = comm if comm is not None else PETSc.COMM_SELF
        self._monitor, self._give_up = monitor, give_up
        self._prefix = f"dougong{next(_numbers)}_"
        self._objects: list[Any] = []
        self._bottom: Any = None
        self._asked = dict(options.petsc_options)
        self.tolerance = relative_tolerance(options)
        self.max_iterations = options.max_iterations if options.HasField("max_iterations") else DEFAULT_MAX_ITERATIONS
        self.nc, self.dofs = given.near_nullspace.shape[1], given.dofs
        indices_of_petsc(np.array([self.dofs]))  # raises where there are too many
        self.direct = direct
        # p-multigrid needs no matrix; another preconditioner needs one that PETSc knows.
        self._levels = None if direct or "pc_type" in self._asked else given.levels()
        try:
            self._setup()
        except (PETSc.Error, SolveError) as error:
            self.destroy()  # PETSc must not meet a preconditioner in Python when Python has ended
            if isinstance(error, SolveError):
                raise
            raise translate(error) from error

    def _setup(self) -> None:
        self.A = self._keep(self._operator())
        self.ksp = self._keep(PETSc.KSP().create(comm=self._comm))
        self.ksp.setOptionsPrefix(self._prefix)
        self.ksp.setOperators(self.A)
        settings = (self._direct() if self.direct else self._iterative()) | self._asked
        database = PETSc.Options()
        names = {f"{self._prefix}{key}": value for key, value in settings.items()}
        if self._given.part.comm.size == 1:
            names |= _GALERKIN_OF_ONE
        try:
            for name, value in names.items():
                database[name] = value
            self.ksp.setFromOptions()
            if self._bottom is not None and self._levels is not None:
                self._bottom.setFromOptions()
                self._bottom.setUp()
                operator, level = self._levels
                smoother = Smoother(operator.cells, operator.scale)
                cycle = PMultigrid(self._given.part, smoother, level, self._solve_linear)
                self.ksp.getPC().setPythonContext(CycleContext(cycle))
            self.ksp.setUp()
            if "ksp_type" in self._asked or "pc_type" in self._asked:
                pc = "p-multigrid" if self._bottom is not None else self.ksp.getPC().getType()
                self.said = Said("METHOD_AS_ASKED", {"ksp": self.ksp.getType(), "pc": pc})
        finally:
            for name in names:
                database.delValue(name)

    def _operator(self) -> Any:
        part = self._given.part
        if self._given.reduced is not None:
            A = self._given.reduced(self._comm)
            self._norm = A.norm(PETSc.NormType.NORM_INFINITY)
            return A
        if self.direct or self._levels is None:
            matrix = self._given.matrix()
            self._norm = float(part.comm.max(matrix.norm_inf()))
            return block_matrix(part, matrix, self._comm)
        operator, _ = self._levels
        self._norm = operator.norm_inf()
        n = part.n_owned * self.nc
        A = PETSc.Mat().createPython(((n, self.dofs), (n, self.dofs)), ProductContext(operator), comm=self._comm)
        A.setUp()
        return A

    def _keep(self, thing: Any) -> Any:
        self._objects.append(thing)
        return thing

    def _direct(self) -> dict[str, Any]:
        self.said = Said("METHOD_CHOLESKY")
        self.ksp.setType("preonly")
        pc = self.ksp.getPC()
        pc.setType("cholesky")
        if PETSc.Sys.hasExternalPackage("mumps"):
            pc.setFactorSolverType("mumps")
            self.said = Said("METHOD_CHOLESKY_MUMPS")
            # Out of memory estimates of MUMPS are often short for fill-in of solids: 50 % more room.
            return {"mat_mumps_icntl_14": 50}
        if self._given.part.comm.size > 1:
            pc.setType("redundant")
        return {}

    def _iterative(self) -> dict[str, Any]:
        ksp = self.ksp
        ksp.setType("cg")
        if self._asked.get("ksp_type", "cg") in _MEASURE_ENERGY:
            ksp.setNormType(PETSc.KSP.NormType.NATURAL)
        ksp.setTolerances(rtol=self.tolerance, atol=0.0, divtol=1e8, max_it=self.max_iterations)
        ksp.setConvergenceTest(self._converged)
        if self._levels is None:
            self.said = Said("METHOD_CG_GAMG")
            self._near_nullspace(self.A, self._given.near_nullspace)
            ksp.getPC().setType("gamg")
            return GAMG
        self.said = Said("METHOD_CG_PMULTIGRID")
        _, level = self._levels
        coarse = self._keep(block_matrix(level, level.matrix, self._comm))
        self._near_nullspace(coarse, self._given.near_nullspace[level.owned])
        bottom = self._keep(PETSc.KSP().create(comm=self._comm))
        bottom.setOptionsPrefix(self._prefix + "linear_")
        bottom.setType("preonly")
        bottom.setOperators(coarse)
        bottom.getPC().setType("gamg")
        self._bottom = bottom
        self._b, self._x = self._keep(coarse.createVecLeft()), self._keep(coarse.createVecRight())
        ksp.getPC().setType("python")
        # Options of GAMG are those of the linear level: there is no other.
        below = {key: self._asked.pop(key) for key in list(self._asked) if key.startswith(("pc_gamg_", "mg_"))}
        return {f"linear_{key}": value for key, value in (GAMG | below).items()}

    def _solve_linear(self, values: Array) -> Array:
        self._b.setArray(values)
        self._bottom.solve(self._b, self._x)
        return np.asarray(self._x.getArray())

    def _near_nullspace(self, A: Any, modes: Array) -> None:
        comm = self._given.part.comm
        B = modes.reshape(-1, modes.shape[-1])
        gram = comm.sum(B.T @ B)
        scale = np.sqrt(np.diag(gram))
        L = np.linalg.cholesky(gram / np.outer(scale, scale))
        Q = np.linalg.solve(L, (B / scale).T)
        vectors = []
        for q in Q:
            v = A.createVecLeft()
            v.setArray(q)
            vectors.append(v)
        space = PETSc.NullSpace().create(vectors=vectors, comm=self._comm)
        A.setNearNullSpace(space)
        for v in vectors:
            v.destroy()
        space.destroy()

    def _converged(self, ksp: Any, iteration: int, norm: float) -> int:
        """Whether the iteration ends: PETSc's default test, and what `give_up` says."""
        reasons = PETSc.KSP.ConvergedReason
        if iteration == 0:
            self._first = norm or 1.0
        if self._monitor is not None:
            self._monitor(iteration, norm / self._first)
        if not np.isfinite(norm):
            return int(reasons.DIVERGED_NANORINF)
        if norm <= ksp.rtol * self._first:
            return int(reasons.CONVERGED_RTOL)
        if norm >= 1e8 * self._first:
            return int(reasons.DIVERGED_DTOL)
        stalled = self._give_up is not None and self._give_up(iteration, norm / self._first)
        return int(reasons.DIVERGED_MAX_IT if stalled or iteration >= ksp.max_it else reasons.ITERATING)

    def solve(self, rhs: Array, start: Array) -> tuple[Array, result_pb2.SolveRecord]:
        """Solve A x = b.

        Parameters
        ----------
        rhs
            shape (n_owned, nc).
        start
            shape (n_owned, nc): satisfies the conditions; the iteration corrects it, and measures its residual
            against the residual of this start.

        Returns
        -------
        x
            shape (n_owned, nc).
        record
            How it went.

        Raises
        ------
        SolveError
            NOT_CONVERGED, SINGULAR_SYSTEM or NON_FINITE: there is no result.
        """
        try:
            return self._solve(rhs, start)
        except PETSc.Error as error:
            raise translate(error) from error

    def _solve(self, rhs: Array, start: Array) -> tuple[Array, result_pb2.SolveRecord]:
        A = self.A
        b, x0, r, y = A.createVecLeft(), A.createVecRight(), A.createVecLeft(), A.createVecRight()
        try:
            b.setArray(rhs.ravel())
            x0.setArray(start.ravel())
            A.mult(x0, r)
            r.aypx(-1.0, b)
            inf = PETSc.NormType.NORM_INFINITY
            before = r.norm(inf)
            if before == 0.0:
                reason, iterations = "CONVERGED_ATOL", 0
            else:
                self.ksp.solve(r, y)
                iterations = self.ksp.getIterationNumber()
                reason = _reason_name(self.ksp.getConvergedReason())
            self._refuse(reason, iterations)
            x0.axpy(1.0, y)
            A.mult(x0, r)
            r.aypx(-1.0, b)
            scale = self._norm * x0.norm(inf) + b.norm(inf)
            residual = r.norm(inf)
            if not np.isfinite(residual) or not np.isfinite(scale):
                raise SolveError("NON_FINITE", solver=self.said.text())
            # An iteration that was to end early leaves about the square root of its energy tolerance.
            unsolved = _UNSOLVED if self.direct else max(_UNSOLVED, self.tolerance**0.5)
            if residual > unsolved * before:
                self.ksp.solve(r, y)
                change = y.norm(inf) / x0.norm(inf)
                x0.axpy(1.0, y)
                A.mult(x0, r)
                r.aypx(-1.0, b)
                residual = r.norm(inf)
                if not (change <= unsolved and residual <= before):
                    cause = f"residual {residual / before:.1e} after the solve"
                    raise SolveError("SINGULAR_SYSTEM", cause=cause, iterations=iterations, solver=self.said.text())
            backward = residual / scale if scale else 0.0
            solution = x0.getArray().copy().reshape(rhs.shape)
        finally:
            for v in (b, x0, r, y):
                v.destroy()
        record = result_pb2.SolveRecord(
            method=self.said.text(),
            method_zh=self.said.text("zh"),
            iterations=0 if self.direct else iterations,
            converged_reason=reason,
            relative_tolerance=0.0 if self.direct else self.tolerance,
            backward_error=backward,
        )
        return solution, record

    def _refuse(self, reason: str, iterations: int) -> None:
        if reason.startswith("CONVERGED"):
            return
        details = {"cause": reason, "iterations": str(iterations), "solver": self.said.text()}
        if reason == "DIVERGED_NANORINF":
            raise SolveError("NON_FINITE", **details)
        if reason in ("DIVERGED_PC_FAILED", "DIVERGED_INDEFINITE_MAT", "DIVERGED_INDEFINITE_PC", "DIVERGED_BREAKDOWN"):
            raise SolveError("SINGULAR_SYSTEM", **details)
        residual = self.ksp.getResidualNorm() / getattr(self, "_first", 1.0)
        raise SolveError("NOT_CONVERGED", residual=f"{residual:.3e}", target=f"{self.tolerance:.1e}", **details)

    def destroy(self) -> None:
        """Free PETSc's objects. Collective."""
        for thing in reversed(self._objects):
            thing.destroy()
        self._objects.clear()
        self._levels = None  # as large as what PETSc held


#: Options of algebraic multigrid.
GAMG: dict[str, Any] = {
    "pc_gamg_type": "agg",
    "pc_gamg_agg_nsmooths": 1,
    "pc_gamg_threshold": 0.02,
    "pc_gamg_coarse_eq_limit": 1000,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_ksp_max_it": 3,
    "mg_levels_esteig_ksp_type": "cg",
    "mg_levels_esteig_ksp_max_it": 10,
    "mg_levels_pc_type": "jacobi",
}

#: How PETSc makes P^T A P for one process: by two products, in half the time of its default. What GAMG multiplies has
#: no prefix. Several processes know no such way, and their default is as fast.
_GALERKIN_OF_ONE = {"matptap_via": "rap"}


def block_matrix(rows: Any, matrix: BlockMatrix, comm: Any) -> Any:
    """A PETSc matrix from block rows.

    Parameters
    ----------
    rows
        A `Part` or `LinearLevel`: `owned` nodes, `numbers` of the local nodes, and the number of nodes in all.
    matrix
        Its owned block rows.
    comm
        Communicator.
    """
    nc = matrix.values.shape[1]
    columns = rows.numbers[matrix.indices]
    n = matrix.n_rows
    size = ((n * nc, rows.n_total * nc), (n * nc, rows.n_total * nc))
    indptr, values = matrix.indptr, matrix.values
    if rows.comm.size > 1:
        # PETSc wants ascending columns. Owned nodes and ghosts ascend each; ghosts of lower ranks go to the front.
        first = int(rows.numbers[rows.owned[0]]) if n else 0
        place = np.where(columns < first, 0, np.where(columns < first + n, 1, 2))
        order = np.argsort(np.repeat(np.arange(n) * 3, np.diff(indptr)) + place, kind="stable")
        columns, values = columns[order], values[order]
    blocks = sparse.bsr_matrix((values, columns, indptr), shape=(n * nc, rows.n_total * nc)).tocsr()
    csr = (indices_of_petsc(blocks.indptr), indices_of_petsc(blocks.indices), blocks.data)
    A = PETSc.Mat().createAIJ(size, bsize=nc, csr=csr, comm=comm)
    A.setOption(PETSc.Mat.Option.SPD, True)  # Cholesky wants to know
    A.setOption(PETSc.Mat.Option.SYMMETRIC, True)
    return A


def _reason_name(reason: int) -> str:
    # PETSc has several names for some reasons; these are the ones its manual uses.
    known = {"CONVERGED_RTOL", "CONVERGED_ATOL", "CONVERGED_ITS", "DIVERGED_ITS", "DIVERGED_DTOL"}
    names = [k for k, v in vars(PETSc.KSP.ConvergedReason).items() if isinstance(v, int) and v == reason and "_" in k]
    return next((k for k in names if k in known), names[-1] if names else str(reason))
