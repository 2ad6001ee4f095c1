"""Which way of solving is taken when nobody says; without PETSc, so that an estimate can say it too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dougong.messages import render
from dougong.v1 import analysis_pb2 as pb

#: Below so many unknowns a factorisation is faster than setting up multigrid; see benchmarks/.
DIRECT_BELOW = 20_000


#: PETSc options that concern how a system is solved, and nothing else.
_ALLOWED = re.compile(r"(ksp|pc|mg|mat_mumps)_[a-z0-9_]{1,60}")
#: Words in the names of options that write files, load code, or call it. MUMPS opens the Fortran units that its
#: controls 1 to 3 name as files (fort.78), and writes its factors to disk where control 22 says so.
_FORBIDDEN = re.compile(
    r"view|monitor|file|path|dll|lib|python|shell|script|draw|save|dump|ooc|print|mumps_icntl_0*(?:[123]|22)$"
)
_VALUE = re.compile(r"[A-Za-z0-9_.,+-]{0,60}")


def petsc_option_allowed(name: str, value: str) -> bool:
    """Whether a user may set an option of PETSc: it must only concern the solution of the system."""
    return bool(_ALLOWED.fullmatch(name) and not _FORBIDDEN.search(name) and _VALUE.fullmatch(value))


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
