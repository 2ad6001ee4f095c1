"""Symmetric tensors as vectors, and in other axes: those with given unit vectors in global components, one a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Components of a symmetric tensor written as a vector, and their places in it.
VOIGT = ("xx", "yy", "zz", "xy", "yz", "zx")
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def strain_rotation(axes: Array) -> Array:
    """M in ε_local = M ε of strain vectors with engineering shear, shape (..., 6, 6), from axes, shape (..., 3, 3).

    Stress vectors turn back with its transpose, σ = Mᵀ σ_local, and so C = Mᵀ C_local M.
    """
    M = np.empty((*axes.shape[:-2], 6, 6))
    for p, (i, j) in enumerate(PAIRS):
        for q, (k, m) in enumerate(PAIRS):
            product = axes[..., i, k] * axes[..., j, m]
            if k != m:
                product = (product + axes[..., i, m] * axes[..., j, k]) / 2
            M[..., p, q] = product if i == j else 2 * product
    return M


def turned(matrix: Array, rotation: Array) -> Array:
    """RᵀAR, made symmetric to the last digit; shapes (..., r, r)."""
    C = rotation.swapaxes(-1, -2) @ matrix @ rotation
    return np.asarray((C + C.swapaxes(-1, -2)) / 2)
