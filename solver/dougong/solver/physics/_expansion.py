"""Thermal expansion: the strain of a material that is free to expand, with secant coefficients.

    ε_i = α_i(T) (T - T_0) - α_i(T_r) (T_r - T_0)

along the axes i of the material: reference temperature T_r, at which the body is free of thermal strain, and T_0, from
which the coefficients were measured (*EXPANSION, ZERO= of Abaqus and CalculiX). Constant coefficients give
α_i (T - T_r).
"""

from __future__ import annotations

import numpy as np

from dougong.messages import violation
from dougong.solver.laws.rotation import VOIGT
from dougong.solver.physics.base import Array
from dougong.solver.values.quantities import evaluate
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

_ALONG = ("alpha1", "alpha2", "alpha3")


def coefficients(expansion: pb.Expansion) -> dict[str, pb.Quantity]:
    """Coefficients along the three axes of the material by the names of their fields, those that are given."""
    law = expansion.WhichOneof("law")
    if law == "orthotropic":
        given = expansion.orthotropic
        return {name: getattr(given, name) for name in _ALONG if given.HasField(name)}
    return {"coefficient": expansion.coefficient} if law == "coefficient" else {}


class ThermalExpansion:
    """Strain of free expansion; implements `dougong.solver.physics.base.Expansion`."""

    def reference(self, material: pb.Material) -> float:
        """Temperature without thermal strain; 0 for a material that says nothing of expansion."""
        return float(material.expansion.reference_temperature.value)

    def isotropic(self, material: pb.Material) -> bool:
        """Whether the axes of the material have no influence."""
        return material.expansion.WhichOneof("law") != "orthotropic"

    def strain(self, material: pb.Material, temperature: Array) -> Array:
        """Strains along the axes of the material, shape (..., 3), at temperatures of shape (...)."""
        expansion = material.expansion
        reference = expansion.reference_temperature.value
        zero = expansion.zero.value if expansion.HasField("zero") else reference
        given = list(coefficients(expansion).values())
        if not given:
            return np.zeros((*temperature.shape, 3))

        def along(alpha: pb.Quantity) -> Array:
            here, at_reference = (evaluate(alpha, temperature=T) for T in (temperature, np.array(reference)))
            return np.asarray(here * (temperature - zero) - at_reference * (reference - zero))

        found = [along(alpha) for alpha in given]
        return np.stack(found * 3 if len(found) == 1 else found, axis=-1)

    def opened(self, embedding: Array, gradients: Array, free: Array) -> Array:
        """Plane stress: σ_zz = 0 demands of ε - ε_t what it demands of ε without thermal strain."""
        of_plane = np.stack([free[..., 0, 0], free[..., 1, 1], 2 * free[..., 0, 1]])  # (3, n, nq)
        across = np.moveaxis(embedding[..., VOIGT.index("zz"), :], -1, 0)  # (3, n, p)
        out = gradients.copy()
        out[..., 2, 2] += free[..., 2, 2] - (across * of_plane).sum(axis=0)
        return out

    def check(self, material: pb.Material, path: str) -> list[job_pb2.Violation]:
        """What is wrong with the expansion of a material, if it has one."""
        if not material.HasField("expansion"):
            return []
        expansion, here = material.expansion, f"{path}.expansion"
        found = []
        if expansion.WhichOneof("law") is None:
            found.append(violation("EXPANSION_EMPTY", here))
        if expansion.WhichOneof("law") == "orthotropic":
            missing = [name for name in _ALONG if not expansion.orthotropic.HasField(name)]
            found += [
                violation("MATERIAL_CONSTANT_MISSING", f"{here}.orthotropic.{name}", constant=name) for name in missing
            ]
        if not expansion.HasField("reference_temperature"):
            found.append(violation("REFERENCE_TEMPERATURE_MISSING", f"{here}.reference_temperature"))
        return found
