"""Isotropic heat conduction: one conductivity k > 0."""

from __future__ import annotations

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, tensor


def matrix(conductivity: Number) -> Array:
    """Conductivity tensor."""
    return tensor(conductivity)


def faults(conductivity: float) -> list[Fault]:
    """K > 0."""
    return [] if conductivity > 0 else [Fault("", "CONDUCTIVITY_NOT_POSITIVE", {"value": conductivity})]


MODEL = MaterialModel("conductivity", "conductivity", ("conductivity",), True, matrix, faults)
