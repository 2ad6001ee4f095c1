"""Isotropic elasticity: Young's modulus E and Poisson's ratio ν."""

from __future__ import annotations

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, zeros


def matrix(young_modulus: Number, poisson_ratio: Number) -> Array:
    """Elasticity matrix from Lamé's constants λ = E ν / ((1 + ν)(1 - 2ν)), μ = E / (2 (1 + ν))."""
    E, nu = young_modulus, poisson_ratio
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
    C = zeros(6, E, nu)
    for i in range(3):
        for j in range(3):
            C[..., i, j] = lam
        C[..., i, i] += 2 * mu
        C[..., 3 + i, 3 + i] = mu
    return C


def faults(young_modulus: float, poisson_ratio: float) -> list[Fault]:
    """E > 0 and -1 < ν < 1/2."""
    found = []
    if not young_modulus > 0:
        found.append(Fault("young_modulus", "YOUNG_MODULUS_NOT_POSITIVE", {"value": young_modulus}))
    if not -1 < poisson_ratio < 0.5:
        found.append(Fault("poisson_ratio", "POISSON_RATIO_OUT_OF_RANGE", {"value": poisson_ratio}))
    return found


MODEL = MaterialModel("elasticity", "elastic", ("young_modulus", "poisson_ratio"), True, matrix, faults)
