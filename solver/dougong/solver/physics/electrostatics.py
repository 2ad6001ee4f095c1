r"""Electrostatics of dielectrics.

Find the potential φ with  ∫ ∇v · ε ∇φ = ∫ v ρ + ∫ v σ  for all v: permittivity ε, charge ρ over volume, charge σ over
area of a surface. The electric field is E = -∇φ, the electric displacement D = ε E. A surface of which nothing is said
has no charge, and no field passes it.
(Jackson, "Classical Electrodynamics", 1999.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dougong.solver.heat.diffusion import Array, Diffusion, flow, magnitude, source
from dougong.solver.physics.base import Constraints, FieldSpec, Loads, Run
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2


def _potential(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    constraints.prescribe(condition.region, np.ones((1, 1)), [condition.electric_potential])


def _field(gradients: Array, flux: Array) -> Array:
    """E = -∇φ."""
    return -gradients[:, :, 0, :]


class Electrostatics(Diffusion):
    """Electrostatics in two and three dimensions."""

    NAME = "electrostatics"
    PROCEDURES: Mapping[str, Run] = {"electrostatics": Run("static")}
    UNKNOWN, COEFFICIENT, UNDETERMINED = "electric_potential", "permittivity", "POTENTIAL_UNDETERMINED"
    CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]] = {"electric_potential": _potential}
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
        "surface_charge": lambda load, dim, loads: loads.on_facets(load.region, source, s=load.surface_charge),
        "charge_density": lambda load, dim, loads: loads.on_cells(load.region, source, s=load.charge_density),
    }
    LOAD_REGIONS: Mapping[str, str] = {"surface_charge": "facets", "charge_density": "cells"}
    FIELDS: Mapping[str, FieldSpec] = {
        "electric_potential": FieldSpec((), options_pb2.DIMENSION_ELECTRIC_POTENTIAL),
        "reaction": FieldSpec((), options_pb2.DIMENSION_ELECTRIC_CHARGE),
        "electric_field": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_ELECTRIC_FIELD, _field),
        "electric_field_magnitude": FieldSpec(
            (), options_pb2.DIMENSION_ELECTRIC_FIELD, from_field=("electric_field", magnitude)
        ),
        "electric_displacement": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_SURFACE_CHARGE, flow),
    }
    DEFAULT_FIELDS = ("electric_potential", "reaction", "electric_field")

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """A constant potential."""
        return ("potential level",), np.ones((len(points), 1, 1))


PHYSICS = Electrostatics()
