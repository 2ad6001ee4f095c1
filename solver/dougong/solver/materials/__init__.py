"""The constitutive models that exist: one module each, found by scan; and the one that a material has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from dougong.messages import violation, violation_from
from dougong.solver.materials.base import Array, Fault, MaterialModel
from dougong.solver.scan import scan
from dougong.solver.values.quantities import evaluate
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

__all__ = ["MaterialModel", "all_models", "check", "constants_of", "matrix_of", "model_of", "varies"]


@cache
def all_models() -> tuple[MaterialModel, ...]:
    """Every model; of each property the isotropic one first."""
    found: list[MaterialModel] = scan(__name__, "MODEL")
    return tuple(sorted(found, key=lambda m: (m.property, not m.isotropic, m.field)))


def models_of(material: pb.Material, property: str) -> list[MaterialModel]:
    """The models of a property whose constants a material has: one, unless it is wrong."""
    return [m for m in all_models() if m.property == property and material.HasField(m.field)]


def model_of(material: pb.Material, property: str) -> MaterialModel:
    """The model of a property, of a material that `check` found right."""
    return models_of(material, property)[0]


def matrix_of(material: pb.Material, property: str, temperature: Array | None = None) -> Array:
    """Constitutive matrix in the axes of the material; see `MaterialModel.matrix`.

    Parameters
    ----------
    material, property
        Which.
    temperature
        shape (...): needed where a constant depends on it.

    Returns
    -------
    ndarray
        shape (..., r, r); (r, r) where nothing depends on temperature.
    """
    model = model_of(material, property)
    constants = constants_of(material, model).items()
    return model.matrix(**{name: evaluate(quantity, temperature=temperature) for name, (_, quantity) in constants})


def varies(material: pb.Material, property: str) -> bool:
    """Whether a constant of a property depends on temperature."""
    return any(
        quantity.HasField("over_temperature")
        for model in models_of(material, property)
        for _, quantity in constants_of(material, model).values()
    )


def constants_of(material: pb.Material, model: MaterialModel) -> dict[str, tuple[str, pb.Quantity]]:
    """The constants that a material gives for a model: name -> field path within the material, value."""
    given = getattr(material, model.field)
    if isinstance(given, pb.Quantity):
        return {model.field: (model.field, given)}
    found: dict[str, tuple[str, pb.Quantity]] = {}
    for descriptor, value in given.ListFields():
        if isinstance(value, pb.Quantity):
            found[descriptor.name] = (f"{model.field}.{descriptor.name}", value)
            continue
        for k, (name, item) in enumerate(zip(model.constants, value, strict=False)):
            found[name] = (f"{model.field}.{descriptor.name}[{k}]", item)
    return found


def _temperatures(constants: Mapping[str, tuple[str, pb.Quantity]]) -> list[Array]:
    """Those at which constants are tabulated, between which they are linear; one at least."""
    tables = [q.over_temperature for _, q in constants.values() if q.HasField("over_temperature")]
    usable = [t for t in tables if len(t.at) == len(t.value)]
    return [np.array(T) for T in sorted({T for table in usable for T in table.at})] or [np.array(0.0)]


def _readable(quantity: pb.Quantity) -> bool:
    """Whether a table over temperature can be evaluated."""
    table = quantity.over_temperature
    return not quantity.HasField("over_temperature") or 0 < len(table.at) == len(table.value)


def check(material: pb.Material, property: str, path: str, dim: int) -> list[job_pb2.Violation]:
    """What is wrong with the constants of a material for a property.

    Parameters
    ----------
    material
        The material.
    property
        What is needed.
    path
        Its field path.
    dim
        Dimension of the mesh.
    """
    known = [m for m in all_models() if m.property == property]
    models = models_of(material, property) or known[:1]
    if len(models) > 1:
        fields = [m.field for m in models]
        return [violation("MATERIAL_MODELS_SEVERAL", f"{path}.{fields[1]}", first=fields[0], second=fields[1])]
    model = models[0]
    if model.field == "anisotropic" and len(material.anisotropic.constants) != len(model.constants):
        given, wanted = len(material.anisotropic.constants), len(model.constants)
        place = f"{path}.{model.field}.constants"
        return [violation("ANISOTROPIC_CONSTANTS_COUNT", place, given=given, wanted=wanted)]
    constants = constants_of(material, model) if material.HasField(model.field) else {}
    missing = [name for name in model.constants if name not in constants]
    if missing:
        prefix = "" if missing == [model.field] else f"{model.field}."
        return [violation("MATERIAL_CONSTANT_MISSING", f"{path}.{prefix}{c}", constant=c) for c in missing]
    if not all(_readable(q) for _, q in constants.values()):
        return []  # `dougong.solver.values.checks` says what is wrong with the table
    places = {name: place for name, (place, _) in constants.items()}
    faults: list[Fault] = []
    for temperature in _temperatures(constants):
        numbers = {name: float(evaluate(q, temperature=temperature)) for name, (_, q) in constants.items()}
        faults = faults or model.faults(**numbers) or (model.faults_in_plane(**numbers) if dim == 2 else [])
    return [violation_from(f.reason, f"{path}.{places.get(f.constant, model.field)}", f.params) for f in faults]
