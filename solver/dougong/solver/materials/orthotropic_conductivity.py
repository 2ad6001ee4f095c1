"""Orthotropic heat conduction: a conductivity k_i > 0 along each axis of the material."""

from __future__ import annotations

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, zeros


def matrix(k1: Number, k2: Number, k3: Number) -> Array:
    """Conductivity tensor."""
    k = zeros(3, k1, k2, k3)
    for i, value in enumerate((k1, k2, k3)):
        k[..., i, i] = value
    return k


def faults(k1: float, k2: float, k3: float) -> list[Fault]:
    """K_i > 0."""
    given = {"k1": k1, "k2": k2, "k3": k3}
    return [Fault(name, "CONDUCTIVITY_NOT_POSITIVE", {"value": k}) for name, k in given.items() if not k > 0]


MODEL = MaterialModel("conductivity", "orthotropic_conductivity", ("k1", "k2", "k3"), False, matrix, faults)
