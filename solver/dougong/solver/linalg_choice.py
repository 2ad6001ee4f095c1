"""Which way of solving is taken when nobody says; without PETSc, so that an estimate can say it too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dougong.messages import render
from dougong.v1 import analysis_pb2 as pb

#: Below so many unknowns a factorisation is faster than setting up multigrid; see benchmarks/.
DIRECT_BELOW = 20_000


#: PETSc options that concern how a system is solved, and nothing else; behind any of the prefixes of inner solvers.
_ALLOWED = re.compile(
    r"(?:mg_levels_|mg_levels_[0-9]{1,2}_|mg_coarse_|mg_coarse_sub_|sub_){0,3}(?:"
    r"ksp_(?:type|rtol|atol|divtol|max_it|norm_type|pc_side|gmres_restart|richardson_scale|chebyshev_[a-z_]{1,30})"
    r"|esteig_ksp_(?:type|max_it)"
    r"|pc_(?:type|jacobi_type|bjacobi_blocks|asm_overlap|asm_type|sor_(?:omega|its|lits|symmetric|forward|backward))"
    r"|pc_factor_(?:levels|fill|shift_type|shift_amount|mat_ordering_type|mat_solver_type)"
    r"|pc_gamg_[a-z_]{1,40}|pc_mg_(?:levels|type|cycle_type|distinct_smoothup)"
    r"|pc_hypre_type|pc_hypre_boomeramg_(?:(?!print)[a-z0-9_]){1,40}"
    r"|mat_mumps_icntl_(?:6|7|8|10|12|13|14|23|24|27|28|29|35|36|38)|mat_mumps_cntl_[1-7])"
)
_VALUE = re.compile(r"[A-Za-z0-9_.,+-]{0,60}")


def petsc_option_allowed(name: str, value: str) -> bool:
    """Whether a user may set an option of PETSc: it must only concern the solution of the system."""
    return bool(_ALLOWED.fullmatch(name) and _VALUE.fullmatch(value))


#: Relative reduction of the residual at which an iteration stops.
DEFAULT_TOLERANCE = 1e-8


def relative_tolerance(options: pb.SolverOptions) -> float:
    """The tolerance asked for, or the default."""
    return options.relative_tolerance if options.HasField("relative_tolerance") else DEFAULT_TOLERANCE


@dataclass(frozen=True)
class Said:
    """A sentence of the catalogue about a solve."""

    reason: str
    params: dict[str, str] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The sentence."""
        return render(self.reason, self.params, language)


def choose(method: int, dofs: int) -> tuple[bool, Said]:
    """Whether to factorise, and why.

    Parameters
    ----------
    method
        A value of dougong.v1.SolverOptions.Method.
    dofs
        Number of unknowns.
    """
    numbers = {"dofs": f"{dofs:,}", "limit": f"{DIRECT_BELOW:,}"}
    if method == pb.SolverOptions.METHOD_DIRECT:
        return True, Said("CHOSEN_BY_USER")
    if method == pb.SolverOptions.METHOD_ITERATIVE:
        return False, Said("CHOSEN_BY_USER")
    if dofs < DIRECT_BELOW:
        return True, Said("CHOSEN_AS_SMALL", numbers)
    return False, Said("CHOSEN_AS_LARGE", numbers)
