r"""Heat conduction.

Find T with  ∫ ∇v · k ∇T + ∫ h v T = ∫ v s + ∫ v q + ∫ h v T∞  for all v: conductivity k, film coefficient h, ambient
temperature T∞, heat source s, heat q entering through the surface.
(Lewis, Nithiarasu, Seetharamu, "Fundamentals of the Finite Element Method for Heat and Fluid Flow", 2004, chapter 3.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from skfem import BilinearForm, LinearForm

from dougong.messages import violation
from dougong.solver.heat.diffusion import Diffusion, flow, gradient, magnitude, source
from dougong.solver.heat.radiation import stefan_boltzmann
from dougong.solver.heat.time_plan import check_transient
from dougong.solver.newton.nonlinear import law_is_nonlinear, loads_are_nonlinear
from dougong.solver.physics.base import Array, Constraints, FieldSpec, Loads, Run
from dougong.solver.values.curves import Curve, curve
from dougong.solver.values.quantities import is_constant
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, options_pb2


@BilinearForm
def film(T: Any, v: Any, w: Any) -> Any:
    """H v T."""
    return w.h * v * T


@LinearForm
def film_source(v: Any, w: Any) -> Any:
    """H T∞ v."""
    return w.h * w.ambient * v


def _temperature(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    constraints.prescribe(condition.region, np.ones((1, 1)), [condition.temperature])


def _convection(load: pb.Load, dim: int, loads: Loads) -> None:
    h, ambient = load.convection.coefficient, load.convection.ambient
    if h.HasField("over_temperature"):
        loads.on_facets_flow(load.region, partial(film_flow, curve(h)), ambient=ambient)
        return
    loads.on_facets_bilinear(load.region, film, h=h)
    loads.on_facets(load.region, film_source, h=h, ambient=ambient)


def film_flow(coefficient: Curve, T: Array, *, ambient: Array | float) -> tuple[Array, Array]:
    """Convection into a surface, h(T) (T∞ - T), and its derivative."""
    h, warmer = coefficient(T), ambient - T
    return h * warmer, coefficient.slope(T) * warmer - h


def grey_radiation(
    T: Array, *, emissivity: Array | float, constant: float, ambient: Array | float, zero: float
) -> tuple[Array, Array]:
    """Radiation into a surface from black surroundings, ε σ (Θ∞⁴ - Θ⁴), and its derivative, Θ from absolute zero on.

    Below absolute zero, where an iteration may come to, it goes on as |Θ| Θ³.
    """
    theta, around = T - zero, np.asarray(ambient) - zero
    factor = np.asarray(emissivity) * constant
    return factor * (around**4 - np.abs(theta) * theta**3), -4.0 * factor * np.abs(theta) ** 3


def _radiation(load: pb.Load, dim: int, loads: Loads) -> None:
    given = load.radiation
    loads.on_facets_flow(
        load.region,
        grey_radiation,
        emissivity=given.emissivity,
        constant=stefan_boltzmann(given, loads.units),
        ambient=given.ambient,
        zero=loads.units.absolute_zero,
    )


def _check_steady(step: pb.Step, path: str, materials: Sequence[tuple[str, pb.Material]]) -> list[job_pb2.Violation]:
    """Load cases of a step that depends on its own temperatures cannot be superposed."""
    loads = [*step.loads, *(load for case in step.load_cases for load in case.loads)]
    nonlinear = law_is_nonlinear(Heat.NONLINEAR_CONSTANTS, [m for _, m in materials]) or loads_are_nonlinear(
        Heat.NONLINEAR_LOADS, loads
    )
    return [violation("COMBINATION_NONLINEAR", f"{path}.combinations")] if step.combinations and nonlinear else []


class Heat(Diffusion):
    """Heat conduction in two and three dimensions."""

    NAME = "heat"
    PROCEDURES: Mapping[str, Run] = {
        "steady_heat": Run("static", estimated=True, nonlinear="newton", check=_check_steady),
        "transient_heat": Run("transient", held=False, check=check_transient),
    }
    UNKNOWN, COEFFICIENT, UNDETERMINED = "temperature", "conductivity", "TEMPERATURE_UNDETERMINED"
    CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]] = {"temperature": _temperature}
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
        "heat_flux": lambda load, dim, loads: loads.on_facets(load.region, source, s=load.heat_flux),
        "heat_source": lambda load, dim, loads: loads.on_cells(load.region, source, s=load.heat_source),
        "convection": _convection,
        "radiation": _radiation,
    }
    LOAD_REGIONS: Mapping[str, str] = {
        "heat_flux": "facets",
        "heat_source": "cells",
        "convection": "facets",
        "radiation": "facets",
    }
    RESTRAINING_LOADS = frozenset({"convection", "radiation"})
    NONLINEAR_LOADS = frozenset({"radiation"})
    NONLINEAR_CONSTANTS = ("conductivity", "orthotropic_conductivity")
    FIELDS: Mapping[str, FieldSpec] = {
        "temperature": FieldSpec((), options_pb2.DIMENSION_TEMPERATURE),
        "reaction": FieldSpec((), options_pb2.DIMENSION_POWER),
        "constraint_force": FieldSpec((), options_pb2.DIMENSION_POWER),
        "heat_flux": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_HEAT_FLUX, flow),
        "heat_flux_magnitude": FieldSpec(
            (),
            options_pb2.DIMENSION_HEAT_FLUX,
            from_field=("heat_flux", magnitude),
        ),
        "temperature_gradient": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_TEMPERATURE_GRADIENT, gradient),
    }
    DEFAULT_FIELDS = ("temperature", "reaction", "heat_flux")
    FLUX = "heat_flux"

    def check_load(self, load: pb.Load, path: str, material: pb.Material | None) -> list[job_pb2.Violation]:
        """Film coefficient and emissivity must be possible, and the ambient temperature given."""
        kind = load.WhichOneof("kind")
        if kind not in ("convection", "radiation"):
            return []
        found = []
        if kind == "convection":
            coefficient = load.convection.coefficient
            if is_constant(coefficient) and not coefficient.value > 0:
                where, value = f"{path}.convection.coefficient", coefficient.value
                found.append(violation("FILM_COEFFICIENT_NOT_POSITIVE", where, value=value))
        else:
            emissivity = load.radiation.emissivity
            if is_constant(emissivity) and not 0 < emissivity.value <= 1:
                where, value = f"{path}.radiation.emissivity", emissivity.value
                found.append(violation("EMISSIVITY_OUT_OF_RANGE", where, value=value))
        if not getattr(load, kind).HasField("ambient"):
            found.append(violation("VALUE_MISSING", f"{path}.{kind}.ambient"))
        return found

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """A constant temperature."""
        return ("temperature level",), np.ones((len(points), 1, 1))


PHYSICS = Heat()
