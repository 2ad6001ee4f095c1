"""The physics that exist: one module each, found by scan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from dougong.solver.physics.base import FieldSpec, Physics, Run
from dougong.solver.scan import scan
from dougong.v1 import options_pb2

__all__ = ["COMMON_FIELDS", "FieldSpec", "Physics", "Run", "all_physics", "fields_of", "for_procedure"]


@cache
def all_physics() -> tuple[Physics, ...]:
    """Every physics."""
    return tuple(scan(__name__, "PHYSICS"))


#: Fields of every physics, beside its own: the estimated error of each cell.
COMMON_FIELDS: Mapping[str, FieldSpec] = {"error": FieldSpec((), options_pb2.DIMENSION_NONE)}


def fields_of(physics: Physics) -> Mapping[str, FieldSpec]:
    """All fields that can be asked for."""
    return {**physics.FIELDS, **COMMON_FIELDS}


def for_procedure(step_field: str) -> Physics | None:
    """The physics that a field of dougong.v1.Step.procedure belongs to."""
    return next((p for p in all_physics() if step_field in p.PROCEDURES), None)
