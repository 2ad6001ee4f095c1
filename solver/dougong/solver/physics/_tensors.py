"""Symmetric tensors written as vectors, and what is formed of them: invariants, principal values and directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dougong.solver.laws.rotation import PAIRS

Array = NDArray[np.float64]


def matrix(vector: Array, shear: float = 1.0) -> Array:
    """Tensors of tensor vectors, shape (..., 6) -> (..., 3, 3).

    `shear` is what the vector has times the component of the tensor outside the diagonal: 2 in strain vectors.
    """
    tensor = np.empty((*vector.shape[:-1], 3, 3))
    for k, (i, j) in enumerate(PAIRS):
        tensor[..., i, j] = tensor[..., j, i] = vector[..., k] if i == j else vector[..., k] / shear
    return tensor


def vector(tensor: Array) -> Array:
    """Tensor vectors of symmetric tensors, shape (..., 3, 3) -> (..., 6)."""
    return np.stack([tensor[..., i, j] for i, j in PAIRS], axis=-1)


def von_mises(stress: Array) -> Array:
    """Von Mises stress of stress vectors, shape (..., 6) -> (..., 1)."""
    xx, yy, zz, xy, yz, zx = np.moveaxis(stress, -1, 0)
    square = 0.5 * ((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) + 3 * (xy**2 + yz**2 + zx**2)
    return np.asarray(np.sqrt(square)[..., None])


def principal(stress: Array) -> Array:
    """Principal values of tensor vectors, largest first, shape (..., 6) -> (..., 3)."""
    return np.ascontiguousarray(np.linalg.eigvalsh(matrix(stress))[..., ::-1])


def principal_strain(strain: Array) -> Array:
    """Principal strains of strain vectors with engineering shear, largest first, shape (..., 6) -> (..., 3)."""
    return np.ascontiguousarray(np.linalg.eigvalsh(matrix(strain, shear=2.0))[..., ::-1])


def tresca(stress: Array) -> Array:
    """Tresca stress, the largest difference of principal stresses, shape (..., 6) -> (..., 1)."""
    values = principal(stress)
    return values[..., :1] - values[..., 2:]


def max_shear(stress: Array) -> Array:
    """Largest shear stress, half of Tresca's, shape (..., 6) -> (..., 1)."""
    return tresca(stress) / 2


def hydrostatic(stress: Array) -> Array:
    """Mean of the principal stresses, tension positive, shape (..., 6) -> (..., 1)."""
    return stress[..., :3].mean(axis=-1, keepdims=True)


def direction(k: int) -> Callable[[Array], Array]:
    """The unit vectors of the k-th principal values, largest first, shape (..., 6) -> (..., 3).

    The component of largest size is positive. Where principal values are equal, any of the directions between them is
    as good as this one.
    """

    def of(stress: Array) -> Array:
        found = np.linalg.eigh(matrix(stress))[1][..., :, 2 - k]
        largest = np.take_along_axis(found, np.abs(found).argmax(axis=-1)[..., None], axis=-1)
        return np.ascontiguousarray(found * np.sign(largest))

    return of
