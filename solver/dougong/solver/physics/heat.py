r"""Heat conduction.

Find T with  ∫ ∇v · k ∇T + ∫ h v T = ∫ v s + ∫ v q + ∫ h v T∞  for all v: conductivity k, film coefficient h, ambient
temperature T∞, heat source s, heat q entering through the surface.
(Lewis, Nithiarasu, Seetharamu, "Fundamentals of the Finite Element Method for Heat and Fluid Flow", 2004, chapter 3.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from skfem import BilinearForm, LinearForm
from skfem.helpers import grad

from dougong.messages import violation
from dougong.solver import materials
from dougong.solver.physics.base import Array, Constraints, FieldSpec, Loads, Run, at_points
from dougong.solver.quantities import is_constant
from dougong.solver.rotation import turned
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, options_pb2


@BilinearForm
def conduction(T: Any, v: Any, w: Any) -> Any:
    """∇v · k ∇T."""
    return np.einsum("i...,ij...,j...", grad(v), w.coefficient, grad(T))


@BilinearForm
def film(T: Any, v: Any, w: Any) -> Any:
    """H v T."""
    return w.h * v * T


@LinearForm
def source(v: Any, w: Any) -> Any:
    """S v."""
    return w.s * v


@LinearForm
def film_source(v: Any, w: Any) -> Any:
    """H T∞ v."""
    return w.h * w.ambient * v


def _temperature(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    constraints.prescribe(condition.region, np.ones((1, 1)), [condition.temperature])


def _convection(load: pb.Load, dim: int, loads: Loads) -> None:
    h, ambient = load.convection.coefficient, load.convection.ambient
    loads.on_facets_bilinear(load.region, film, h=h)
    loads.on_facets(load.region, film_source, h=h, ambient=ambient)


class Heat:
    """Heat conduction in two and three dimensions."""

    NAME = "heat"
    PROCEDURES: Mapping[str, Run] = {"steady_heat": Run("static")}
    UNKNOWN = "temperature"
    STIFFNESS = RING_STIFFNESS = conduction
    KERNEL = "diffusion"
    DIMENSIONS = (2, 3)
    NEEDS_KINEMATICS = False
    CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]] = {"temperature": _temperature}
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
        "heat_flux": lambda load, dim, loads: loads.on_facets(load.region, source, s=load.heat_flux),
        "heat_source": lambda load, dim, loads: loads.on_cells(load.region, source, s=load.heat_source),
        "convection": _convection,
    }
    LOAD_REGIONS: Mapping[str, str] = {"heat_flux": "facets", "heat_source": "cells", "convection": "facets"}
    RESTRAINING_LOADS = frozenset({"convection"})
    FIELDS: Mapping[str, FieldSpec] = {
        "temperature": FieldSpec((), options_pb2.DIMENSION_TEMPERATURE),
        "reaction": FieldSpec((), options_pb2.DIMENSION_POWER),
        "heat_flux": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_HEAT_FLUX, lambda dT, q: -q[:, :, 0, :]),
        "heat_flux_magnitude": FieldSpec(
            (),
            options_pb2.DIMENSION_HEAT_FLUX,
            from_field=("heat_flux", lambda q: np.linalg.norm(q, axis=-1, keepdims=True)),
        ),
        "temperature_gradient": FieldSpec(
            ("x", "y", "z"), options_pb2.DIMENSION_TEMPERATURE_GRADIENT, lambda dT, q: dT[:, :, 0, :]
        ),
    }
    DEFAULT_FIELDS = ("temperature", "reaction", "heat_flux")

    def components(self, dim: int) -> tuple[str, ...]:
        """See `Physics`."""
        return ()

    def check_material(self, material: pb.Material, path: str, dim: int = 3) -> list[job_pb2.Violation]:
        """The constants of one law of conduction, and possible ones."""
        return materials.check(material, "conductivity", path, dim)

    def check_load(self, load: pb.Load, path: str, material: pb.Material | None) -> list[job_pb2.Violation]:
        """A film coefficient must be positive, and the ambient temperature given."""
        if load.WhichOneof("kind") != "convection":
            return []
        found = []
        coefficient = load.convection.coefficient
        if is_constant(coefficient) and not coefficient.value > 0:
            value = coefficient.value
            found.append(violation("FILM_COEFFICIENT_NOT_POSITIVE", f"{path}.convection.coefficient", value=value))
        if not load.convection.HasField("ambient"):
            found.append(violation("VALUE_MISSING", f"{path}.convection.ambient"))
        return found

    def isotropic(self, material: pb.Material) -> bool:
        """See `Physics`."""
        return materials.model_of(material, "conductivity").isotropic

    def solid(self, material: pb.Material) -> Array:
        """Conductivity tensor in the axes of the material, shape (3, 3)."""
        return materials.matrix_of(material, "conductivity")

    def turned(self, coefficient: Array, axes: Array) -> Array:
        """RᵀkR."""
        return turned(coefficient, axes)

    def reduced(self, coefficient: Array, dim: int, kinematics: pb.Section.Kinematics) -> tuple[Array, Array]:
        """Nothing flows across a plane model, nor around an axis."""
        k = coefficient[..., :dim, :dim]
        return k, np.broadcast_to(np.eye(dim), k.shape)

    def completed(self, embedding: Array, gradients: Array, hoop: Array | None) -> Array:
        """They are complete."""
        return gradients

    def flux(self, coefficient: Array, gradients: Array) -> Array:
        """K ∇T, against the heat flow."""
        return np.moveaxis(at_points(coefficient, np.moveaxis(gradients[:, :, 0], -1, 0)), 0, -1)[:, :, None]

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """A constant temperature."""
        return ("temperature level",), np.ones((len(points), 1, 1))


PHYSICS = Heat()
