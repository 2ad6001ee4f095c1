"""Which way of solving is taken when nobody says; without PETSc, so that an estimate can say it too."""

from __future__ import annotations

from dataclasses import dataclass, field

from dougong.messages import render
from dougong.v1 import analysis_pb2 as pb

#: Below so many unknowns a factorisation is faster than setting up multigrid; see benchmarks/.
DIRECT_BELOW = 20_000


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
