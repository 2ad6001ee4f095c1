r"""Steady seepage through saturated ground.

Find the head h with  ∫ ∇v · k ∇h = ∫ v s + ∫ v q  for all v: permeability k, water s that enters over volume, q that
enters through a surface over its area. By Darcy's law the discharge velocity is -k ∇h. No water passes a surface of
which nothing is said.
(Bear, "Dynamics of Fluids in Porous Media", 1972.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dougong.solver.heat.diffusion import Array, Diffusion, flow, gradient, magnitude, source
from dougong.solver.physics.base import Constraints, FieldSpec, Loads, Run
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2


def _head(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    constraints.prescribe(condition.region, np.ones((1, 1)), [condition.head])


class Seepage(Diffusion):
    """Seepage in two and three dimensions."""

    NAME = "seepage"
    PROCEDURES: Mapping[str, Run] = {"seepage": Run("static")}
    UNKNOWN, COEFFICIENT, UNDETERMINED = "head", "permeability", "HEAD_UNDETERMINED"
    CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]] = {"head": _head}
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
        "inflow": lambda load, dim, loads: loads.on_facets(load.region, source, s=load.inflow),
        "water_source": lambda load, dim, loads: loads.on_cells(load.region, source, s=load.water_source),
    }
    LOAD_REGIONS: Mapping[str, str] = {"inflow": "facets", "water_source": "cells"}
    FIELDS: Mapping[str, FieldSpec] = {
        "head": FieldSpec((), options_pb2.DIMENSION_LENGTH),
        "reaction": FieldSpec((), options_pb2.DIMENSION_VOLUME_FLOW),
        "discharge_velocity": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_VELOCITY, flow),
        "discharge_velocity_magnitude": FieldSpec(
            (), options_pb2.DIMENSION_VELOCITY, from_field=("discharge_velocity", magnitude)
        ),
        "hydraulic_gradient": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_NONE, gradient),
    }
    DEFAULT_FIELDS = ("head", "reaction", "discharge_velocity")

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """A constant head."""
        return ("head level",), np.ones((len(points), 1, 1))


PHYSICS = Seepage()
