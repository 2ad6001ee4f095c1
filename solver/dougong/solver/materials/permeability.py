"""Isotropic porous ground: one permeability k > 0, the discharge velocity at a hydraulic gradient of one."""

from __future__ import annotations

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, tensor


def matrix(permeability: Number) -> Array:
    """Permeability tensor."""
    return tensor(permeability)


def faults(permeability: float) -> list[Fault]:
    """Above zero."""
    return [] if permeability > 0 else [Fault("", "PERMEABILITY_NOT_POSITIVE", {"value": permeability})]


MODEL = MaterialModel("permeability", "permeability", ("permeability",), True, matrix, faults)
