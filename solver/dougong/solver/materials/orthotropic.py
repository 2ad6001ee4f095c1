r"""Orthotropic elasticity by engineering constants (*ELASTIC, TYPE=ENGINEERING CONSTANTS of Abaqus and CalculiX).

The compliance in the axes 1, 2, 3 of the material is

    ε_11 = σ_11 / E_1 - ν_21 σ_22 / E_2 - ν_31 σ_33 / E_3, ...      2 ε_12 = σ_12 / G_12, ...

with ν_ij / E_i = ν_ji / E_j: ν_ij is minus the strain along j over that along i under tension along i. It is positive
definite, as energy demands, where

    E_i > 0,  G_ij > 0,  |ν_ij| < √(E_i / E_j),
    1 - ν_12 ν_21 - ν_23 ν_32 - ν_31 ν_13 - 2 ν_21 ν_32 ν_13 > 0

(Lempriere, "Poisson's ratio in orthotropic materials", AIAA Journal 6, 1968).
"""

from __future__ import annotations

import math

import numpy as np

from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, zeros

CONSTANTS = ("e1", "e2", "e3", "nu12", "nu13", "nu23", "g12", "g13", "g23")


def matrix(
    e1: Number,
    e2: Number,
    e3: Number,
    nu12: Number,
    nu13: Number,
    nu23: Number,
    g12: Number,
    g13: Number,
    g23: Number,
) -> Array:
    """Elasticity matrix, the inverse of the compliance."""
    S = zeros(3, e1, e2, e3, nu12, nu13, nu23)
    for i, e in enumerate((e1, e2, e3)):
        S[..., i, i] = 1 / np.asarray(e)
    for i, j, nu, e in ((0, 1, nu12, e1), (0, 2, nu13, e1), (1, 2, nu23, e2)):
        S[..., i, j] = S[..., j, i] = -nu / np.asarray(e)
    normal = np.linalg.inv(S)
    C = zeros(6, e1, e2, e3, nu12, nu13, nu23, g12, g13, g23)
    C[..., :3, :3] = (normal + normal.swapaxes(-1, -2)) / 2
    for i, g in enumerate((g12, g23, g13)):  # the order is xy, yz, zx
        C[..., 3 + i, 3 + i] = g
    return C


def faults(
    e1: float, e2: float, e3: float, nu12: float, nu13: float, nu23: float, g12: float, g13: float, g23: float
) -> list[Fault]:
    """The inequalities of the head of this file."""
    moduli = {"e1": e1, "e2": e2, "e3": e3, "g12": g12, "g13": g13, "g23": g23}
    found = [
        Fault(name, "MODULUS_NOT_POSITIVE", {"constant": name, "value": x}) for name, x in moduli.items() if not x > 0
    ]
    if found:
        return found
    for name, nu, i, j in (("nu12", nu12, "e1", "e2"), ("nu13", nu13, "e1", "e3"), ("nu23", nu23, "e2", "e3")):
        limit = math.sqrt(moduli[i] / moduli[j])
        if not abs(nu) < limit:
            given: dict[str, str | float] = {"constant": name, "value": nu, "first": i, "second": j, "limit": limit}
            found.append(Fault(name, "ORTHOTROPIC_POISSON_RATIO_TOO_LARGE", given))
    nu21, nu31, nu32 = nu12 * e2 / e1, nu13 * e3 / e1, nu23 * e3 / e2
    left = 1 - nu12 * nu21 - nu23 * nu32 - nu31 * nu13 - 2 * nu21 * nu32 * nu13
    if not found and not left > 0:
        found.append(Fault("", "ORTHOTROPIC_NOT_POSITIVE_DEFINITE", {"value": left}))
    return found


MODEL = MaterialModel("elasticity", "orthotropic", CONSTANTS, False, matrix, faults)
