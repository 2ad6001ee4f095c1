"""Which way of solving is taken when nobody says; without PETSc, so that an estimate can say it too."""

from __future__ import annotations

from dougong.v1 import analysis_pb2 as pb

#: Below so many unknowns a factorisation is faster than setting up multigrid; see benchmarks/.
DIRECT_BELOW = 20_000


def choose(method: int, dofs: int) -> tuple[bool, str]:
    """Whether to factorise, and why.

    Parameters
    ----------
    method
        A value of dougong.v1.SolverOptions.Method.
    dofs
        Number of unknowns.
    """
    if method == pb.SolverOptions.METHOD_DIRECT:
        return True, "asked for"
    if method == pb.SolverOptions.METHOD_ITERATIVE:
        return False, "asked for"
    if dofs < DIRECT_BELOW:
        return True, f"{dofs} degrees of freedom, fewer than {DIRECT_BELOW}: a factorisation is faster"
    return False, f"{dofs} degrees of freedom, {DIRECT_BELOW} or more: multigrid is faster and needs less memory"
