"""Anisotropic elasticity: the 21 constants of the elasticity matrix, in the order of *ELASTIC, TYPE=ANISO."""

from __future__ import annotations

import numpy as np

from dougong.solver.laws.rotation import VOIGT
from dougong.solver.materials.base import Array, Fault, MaterialModel, Number, zeros

#: Rows and columns of the matrix as Abaqus and CalculiX number the components, and their places in our order.
_COMPONENTS = {"11": "xx", "22": "yy", "33": "zz", "12": "xy", "13": "zx", "23": "yz"}
_PLACES = {name: VOIGT.index(ours) for name, ours in _COMPONENTS.items()}

#: The upper triangle, column after column: D1111, D1122, D2222, D1133, ...
CONSTANTS = tuple(f"d{row}{column}" for k, column in enumerate(_COMPONENTS) for row in list(_COMPONENTS)[: k + 1])

#: An eigenvalue must be more than rounding: this part of the largest one.
_ROUNDING = 1e-12


def matrix(**constants: Number) -> Array:
    """Elasticity matrix."""
    C = zeros(6, *constants.values())
    for name, value in constants.items():
        i, j = _PLACES[name[1:3]], _PLACES[name[3:]]
        C[..., i, j] = C[..., j, i] = value
    return C


def faults(**constants: float) -> list[Fault]:
    """The matrix must be positive definite; its eigenvalues are those over tensors, with √2 at the shear components."""
    weights = np.sqrt([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    values, vectors = np.linalg.eigh(matrix(**constants) * np.outer(weights, weights))
    if values[0] > _ROUNDING * np.abs(values).max():
        return []
    worst = [name for name in _PLACES if abs(vectors[_PLACES[name], 0]) >= 0.5] or ["11", "22", "33"]
    given: dict[str, str | float] = {"value": float(values[0]), "components": ", ".join(worst)}
    return [Fault("", "ANISOTROPIC_NOT_POSITIVE_DEFINITE", given)]


def faults_in_plane(**constants: float) -> list[Fault]:
    """Shear across the plane must not be coupled with the strains that a model in the plane has."""
    across = ("13", "23")
    coupling = [name for name in CONSTANTS if (name[1:3] in across) != (name[3:] in across)]
    size = max(map(abs, constants.values()))
    return [
        Fault(name, "ANISOTROPIC_COUPLES_OUT_OF_PLANE", {"constant": name.upper()})
        for name in coupling
        if abs(constants[name]) > _ROUNDING * size
    ]


MODEL = MaterialModel("elasticity", "anisotropic", CONSTANTS, False, matrix, faults, faults_in_plane)
