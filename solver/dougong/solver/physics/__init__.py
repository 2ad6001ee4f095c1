"""The physics that exist: one module each, found by scan."""

from __future__ import annotations

from functools import cache

from dougong.solver.physics.base import FieldSpec, Physics, Run
from dougong.solver.scan import scan

__all__ = ["FieldSpec", "Physics", "Run", "all_physics", "for_procedure"]


@cache
def all_physics() -> tuple[Physics, ...]:
    """Every physics."""
    return tuple(scan(__name__, "PHYSICS"))


def for_procedure(step_field: str) -> Physics | None:
    """The physics that a field of dougong.v1.Step.procedure belongs to."""
    return next((p for p in all_physics() if step_field in p.PROCEDURES), None)
