"""What errors of PETSc mean."""

from __future__ import annotations

from typing import Any

from dougong.messages import SolveError

#: PETSc error codes (petscerror.h) that mean a zero pivot.
_ZERO_PIVOT = (71, 81)
_OUT_OF_MEMORY = 55
_FLOATING_POINT = 72


def translate(error: Any) -> SolveError:
    """What an error of PETSc means."""
    code = int(error.ierr)
    if code in _ZERO_PIVOT:
        return SolveError("SINGULAR_SYSTEM", cause="zero pivot", iterations=0, solver="sparse factorisation")
    if code == _FLOATING_POINT:
        return SolveError("NON_FINITE", solver="PETSc")
    if code == _OUT_OF_MEMORY:
        return SolveError("SOLVER_OUT_OF_MEMORY")
    return SolveError("SOLVER_FAILED", code=code)
