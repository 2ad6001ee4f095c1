"""Isotropic dielectric: one permittivity ε > 0."""

from __future__ import annotations

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, tensor


def matrix(permittivity: Number) -> Array:
    """Permittivity tensor."""
    return tensor(permittivity)


def faults(permittivity: float) -> list[Fault]:
    """Above zero."""
    return [] if permittivity > 0 else [Fault("", "PERMITTIVITY_NOT_POSITIVE", {"value": permittivity})]


MODEL = MaterialModel("permittivity", "permittivity", ("permittivity",), True, matrix, faults)
