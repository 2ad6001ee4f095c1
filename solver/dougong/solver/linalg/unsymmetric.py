"""Linear systems whose matrix is not symmetric: tangents where a coefficient depends on the solution.

LU factorisation, or GMRES with the preconditioner of the symmetric case, from which these matrices differ by a term of
lower order. Source: Saad, Schultz, "GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear
systems", SIAM J. Sci. Stat. Comput. 7, 1986.
"""

from __future__ import annotations

from typing import Any

from petsc4py import PETSc

from dougong.solver.linalg.choice import Said
from dougong.solver.linalg.systems import GAMG, LinearSolver, block_matrix

#: Vectors kept before GMRES begins anew.
_RESTART = 100


class UnsymmetricSolver(LinearSolver):
    """As `LinearSolver`, for matrices that need not be symmetric."""

    def _operator(self) -> Any:
        part = self._given.part
        matrix = self._given.matrix()
        self._norm = float(part.comm.max(matrix.norm_inf()))
        A = block_matrix(part, matrix, self._comm)
        A.setOption(PETSc.Mat.Option.SPD, False)
        A.setOption(PETSc.Mat.Option.SYMMETRIC, False)
        return A

    def _direct(self) -> dict[str, Any]:
        self.said = Said("METHOD_LU")
        self.ksp.setType("preonly")
        pc = self.ksp.getPC()
        pc.setType("lu")
        if PETSc.Sys.hasExternalPackage("mumps"):
            pc.setFactorSolverType("mumps")
            self.said = Said("METHOD_LU_MUMPS")
            return {"mat_mumps_icntl_14": 50}
        if self._given.part.comm.size > 1:
            pc.setType("redundant")
        return {}

    def _iterative(self) -> dict[str, Any]:
        self.said = Said("METHOD_GMRES_GAMG")
        ksp = self.ksp
        ksp.setType("gmres")
        ksp.setGMRESRestart(_RESTART)
        ksp.setPCSide(PETSc.PC.Side.RIGHT)
        ksp.setTolerances(rtol=self.tolerance, atol=0.0, divtol=1e8, max_it=self.max_iterations)
        ksp.setConvergenceTest(self._converged)
        self._near_nullspace(self.A, self._given.near_nullspace)
        ksp.getPC().setType("gamg")
        return GAMG | {"mg_levels_esteig_ksp_type": "gmres"}
