r"""Diffusion of a scalar u, what conduction of heat, electrostatics and seepage have in common.

Find u with  ∫ ∇v · κ ∇u = ∫ v s + ∫ v q  for all v: coefficient κ of the material, source s inside, flow q entering
through the surface. What flows is -κ ∇u.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skfem import BilinearForm, LinearForm
from skfem.helpers import grad

from dougong.solver import materials
from dougong.solver.laws.rotation import turned
from dougong.solver.physics.base import at_points
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]


@BilinearForm
def conduction(u: Any, v: Any, w: Any) -> Any:
    """∇v · κ ∇u."""
    return np.einsum("i...,ij...,j...", grad(v), w.coefficient, grad(u))


@LinearForm
def source(v: Any, w: Any) -> Any:
    """S v."""
    return w.s * v


def flow(gradients: Array, flux: Array) -> Array:
    """-κ ∇u at points, from gradients and κ ∇u."""
    return -flux[:, :, 0, :]


def gradient(gradients: Array, flux: Array) -> Array:
    """∇u at points."""
    return gradients[:, :, 0, :]


def magnitude(vectors: Array) -> Array:
    """Lengths of vectors."""
    return np.asarray(np.linalg.norm(vectors, axis=-1, keepdims=True))


class Diffusion:
    """What a physics of diffusion is, but for its names: see `dougong.solver.physics.base.Physics`."""

    #: Property of `dougong.solver.materials` that is the coefficient.
    COEFFICIENT: str
    UNDETERMINED: str
    STIFFNESS = RING_STIFFNESS = conduction
    KERNEL = "diffusion"
    DIMENSIONS: tuple[int, ...] = (2, 3)
    NEEDS_KINEMATICS = False
    RESTRAINING_LOADS: frozenset[str] = frozenset()
    NONLINEAR_LOADS: frozenset[str] = frozenset()
    NONLINEAR_CONSTANTS: tuple[str, ...] = ()
    EXPANSION = None

    def components(self, dim: int) -> tuple[str, ...]:
        """See `Physics`."""
        return ()

    def check_material(self, material: pb.Material, path: str, dim: int = 3) -> list[job_pb2.Violation]:
        """The constants of one law, and possible ones."""
        return materials.check(material, self.COEFFICIENT, path, dim)

    def check_load(self, load: pb.Load, path: str, material: pb.Material | None) -> list[job_pb2.Violation]:
        """Any number will do."""
        return []

    def isotropic(self, material: pb.Material) -> bool:
        """See `Physics`."""
        return materials.model_of(material, self.COEFFICIENT).isotropic

    def solid(self, material: pb.Material, temperature: Array | None = None) -> Array:
        """Tensor κ in the axes of the material, shape (3, 3)."""
        return materials.matrix_of(material, self.COEFFICIENT, temperature)

    def varies(self, material: pb.Material) -> bool:
        """See `Physics`."""
        return materials.varies(material, self.COEFFICIENT)

    def reference(self, material: pb.Material) -> float:
        """Nothing depends on a temperature but where it is the unknown, and known everywhere."""
        return 0.0

    def turned(self, coefficient: Array, axes: Array) -> Array:
        """RᵀκR."""
        return turned(coefficient, axes)

    def reduced(self, coefficient: Array, dim: int, kinematics: pb.Section.Kinematics) -> tuple[Array, Array]:
        """Nothing flows across a plane model, nor around an axis."""
        k = coefficient[..., :dim, :dim]
        return k, np.broadcast_to(np.eye(dim), k.shape)

    def completed(self, embedding: Array, gradients: Array, hoop: Array | None) -> Array:
        """They are complete."""
        return gradients

    def flux(self, coefficient: Array, gradients: Array) -> Array:
        """Κ ∇u, against the flow."""
        return np.moveaxis(at_points(coefficient, np.moveaxis(gradients[:, :, 0], -1, 0)), 0, -1)[:, :, None]
