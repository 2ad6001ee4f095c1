"""What holds an elastic body: prescribed displacements in any axes, planes of symmetry, elastic foundations, points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from skfem import BilinearForm
from skfem.helpers import dot

from dougong.messages import violation
from dougong.solver.laws.axes import cylindrical_axes, local_axes
from dougong.solver.physics.base import Array, Constraints, Loads
from dougong.solver.values.quantities import is_constant, is_zero
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Components of a displacement by the kind of its axes.
RECTANGULAR, CYLINDRICAL = ("x", "y", "z"), ("r", "theta", "z")
#: Motions of a reference point.
MOTIONS = ("x", "y", "z", "rotation_x", "rotation_y", "rotation_z")


@BilinearForm
def foundation(u: Any, v: Any, w: Any) -> Any:
    """V · (k_n n n + k_t (1 - n n)) · u."""
    return w.tangential * dot(u, v) + (w.normal - w.tangential) * dot(u, w.n) * dot(v, w.n)


@BilinearForm
def surface_mass(u: Any, v: Any, w: Any) -> Any:
    """Mass per area times v · u."""
    return w.density * dot(u, v)


def names_of(displacement: pb.Displacement, dim: int) -> tuple[str, ...]:
    """Names of the components that a displacement may have."""
    return (CYLINDRICAL if displacement.axes.HasField("cylindrical") else RECTANGULAR)[:dim]


def _displacement(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    d = condition.displacement
    names = names_of(d, dim)
    given = [k for k, c in enumerate(names) if d.HasField(c)]
    values = [getattr(d, names[k]) for k in given]
    if d.axes.HasField("cylindrical"):
        constraints.prescribe(
            condition.region, lambda x: cylindrical_axes(d.axes.cylindrical, x)[0][:, given, :dim], values
        )
        return
    axes = local_axes(d.axes) if d.HasField("axes") else np.eye(3)
    constraints.prescribe(condition.region, axes[given, :dim], values)


def _fixed(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    constraints.prescribe(condition.region, np.eye(dim))


def _normal(given: pb.Point, region: str, constraints: Constraints) -> Array | None:
    n = np.array(given.coordinates, dtype=float)
    return n / np.linalg.norm(n) if len(n) else constraints.normal(region)


def _symmetry(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    normal = _normal(condition.symmetry.normal, condition.region, constraints)
    if normal is not None:
        constraints.prescribe(condition.region, normal[None])


def _antisymmetry(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    normal = _normal(condition.antisymmetry.normal, condition.region, constraints)
    if normal is not None:
        # The other right singular vectors of the normal span the plane.
        constraints.prescribe(condition.region, np.linalg.svd(normal[None])[2][1:])


def _reference_motion(condition: pb.Condition, dim: int, constraints: Constraints) -> None:
    motion = condition.reference_motion
    given = {word_of(c): getattr(motion, c) for c in MOTIONS if motion.HasField(c)}
    constraints.move_point(motion.coupling, given)


def word_of(component: str) -> str:
    """What `Physics.free_modes` calls a component of the motion of a point."""
    return component.replace("_", " ") if component.startswith("rotation") else f"translation {component}"


def _foundation(load: pb.Load, dim: int, loads: Loads) -> None:
    k = load.foundation
    loads.on_facets_bilinear(load.region, foundation, normal=k.normal, tangential=k.tangential)


def check_foundation(load: pb.Load, path: str) -> list[job_pb2.Violation]:
    """A foundation needs a stiffness, and none that is negative."""
    if load.WhichOneof("kind") != "foundation":
        return []
    found = []
    for name in ("normal", "tangential"):
        stiffness = getattr(load.foundation, name)
        if is_constant(stiffness) and stiffness.value < 0:
            found.append(violation("VALUE_NEGATIVE", f"{path}.foundation.{name}", value=stiffness.value))
    if is_zero(load.foundation.normal) and is_zero(load.foundation.tangential):
        found.append(violation("FOUNDATION_EMPTY", f"{path}.foundation"))
    return found


def _reference_force(load: pb.Load, dim: int, loads: Loads) -> None:
    loads.on_point(load.reference_force.coupling, load.reference_force.force, load.reference_force.moment)


CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]] = {
    "displacement": _displacement,
    "fixed": _fixed,
    "symmetry": _symmetry,
    "antisymmetry": _antisymmetry,
    "reference_motion": _reference_motion,
}
LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
    "foundation": _foundation,
    "reference_force": _reference_force,
}
LOAD_REGIONS: Mapping[str, str] = {"foundation": "facets", "reference_force": "point"}
