"""The constitutive law of a section: from the solid in the axes of its material to what a model of it needs.

    solid     -> matrix C of the material in its own axes
    turned    -> the same in global axes
    reduced   -> what is known of a plane or axisymmetric model eliminated, and the strains that follow from the others

All of them take leading axes, so that one call serves a section, or each integration point of many cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.physics import Physics
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """The law of some cells, or of some sections.

    Attributes
    ----------
    coefficient
        shape (n, p, r, r): constitutive matrix of the solid in global axes; p = 1 where it is the same at all points of
        a cell, else the number of points.
    embedding
        shape (n, p, r, k): strains of the solid from the k that the unknowns give; where k = r the identity.
    """

    coefficient: Array
    embedding: Array

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> Law:
        """The law of some of them."""
        return Law(self.coefficient[rows], self.embedding[rows])

    @property
    def form(self) -> Array:
        """The constitutive matrix that the form and the kernel take, TᵀCT, shape (n, p, k, k)."""
        C, T = self.coefficient, self.embedding
        if T.shape[-1] < T.shape[-2]:  # else it is the identity
            C = T.swapaxes(-1, -2) @ C @ T
        return np.asarray((C + C.swapaxes(-1, -2)) / 2)


def law_of(
    physics: Physics,
    material: pb.Material,
    dim: int,
    kinematics: pb.Section.Kinematics,
    axes: Array | None = None,
    temperature: Array | None = None,
) -> Law:
    """The law of a material at some places.

    Parameters
    ----------
    physics, material, dim, kinematics
        Of the section.
    axes
        shape (n, p, 3, 3): unit vectors of the axes of the material, one a row; None: the global axes.
    temperature
        shape (n, p): for a material that depends on it; without it, and without axes, n = p = 1.
    """
    C = physics.solid(material, temperature if physics.varies(material) else None)
    C = C.reshape((1,) * (4 - C.ndim) + C.shape)
    return Law(*physics.reduced(C if axes is None else physics.turned(C, axes), dim, kinematics))
