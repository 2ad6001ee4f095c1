"""What a constitutive model is: one module of this package with a `MODEL`, pure functions of numbers.

The constants of a model are those of a message of dougong.v1.Material. Each may be a number or an array: where they
depend on temperature, one call serves many points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Number = float | Array


@dataclass(frozen=True)
class Fault:
    """A constant that is impossible.

    Attributes
    ----------
    constant
        The constant to blame; "" for all of them together.
    reason
        Of the catalogue.
    params
        For its sentence.
    """

    constant: str
    reason: str
    params: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class MaterialModel:
    """A constitutive model.

    Attributes
    ----------
    property
        What it describes: "elasticity" or "conductivity".
    field
        The field of dougong.v1.Material that has its constants.
    constants
        Their names in the order of the fields of that message, or of its list.
    isotropic
        Whether orientations have no influence.
    matrix
        Constants by name -> constitutive matrix in the axes of the material, shape (..., r, r): r = 6 for strain
        vectors with engineering shear in the order of `laws.rotation.VOIGT`, r = 3 for temperature gradients.
    faults
        Constants by name, single numbers -> what is wrong with them.
    faults_in_plane
        The same for what only models in the plane, and about an axis, cannot have.
    """

    property: str
    field: str
    constants: tuple[str, ...]
    isotropic: bool
    matrix: Callable[..., Array]
    faults: Callable[..., list[Fault]]
    faults_in_plane: Callable[..., list[Fault]] = lambda **constants: []


def zeros(size: int, *like: Number) -> Array:
    """A matrix of zeros, shape (..., size, size), with the leading axes of some numbers."""
    return np.zeros((*np.broadcast_shapes(*(np.shape(x) for x in like)), size, size))


def tensor(value: Number) -> Array:
    """A tensor that is the same in all axes, shape (..., 3, 3)."""
    found = zeros(3, value)
    for i in range(3):
        found[..., i, i] = value
    return found
