"""The procedures that exist: one module each, found by scan."""

from __future__ import annotations

from functools import cache

from dougong.solver.procedures.base import Procedure
from dougong.solver.scan import scan

__all__ = ["Procedure", "all_procedures", "procedure"]


@cache
def all_procedures() -> tuple[Procedure, ...]:
    """Every procedure."""
    return tuple(scan(__name__, "PROCEDURE"))


def procedure(name: str) -> Procedure:
    """The procedure of a name."""
    return next(p for p in all_procedures() if name == p.NAME)
