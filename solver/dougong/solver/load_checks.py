"""What is wrong with loads that have a geometry of their own, as far as it shows without coordinates of the mesh."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from dougong.messages import violation
from dougong.solver.laws.axes import check_point, check_turning_axes
from dougong.solver.values.quantities import is_constant
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Violation = job_pb2.Violation

#: Directions that differ by less than this are the same.
_SAME = 1e-9

#: Loads that have a direction at each place, so that it may turn with the place.
_AT_PLACES = ("traction", "nodal_force", "body_force")
#: Loads given by components.
_VECTORS = ("traction", "total_force", "nodal_force", "gravity", "body_force")


def check_load_geometry(load: pb.Load, path: str, dim: int, axisymmetric: bool) -> list[Violation]:
    """What is wrong with points, directions and amounts of a load.

    Parameters
    ----------
    load
        The load.
    path
        Its field path.
    dim
        Dimension of the mesh.
    axisymmetric
        Whether the mesh is half a section through a body of revolution.
    """
    kind = load.WhichOneof("kind")
    here = f"{path}.{kind}"
    found = _check_axes(load, path, dim, axisymmetric) if load.HasField("axes") else []
    if kind == "centrifugal":
        return found + _check_centrifugal(load.centrifugal, here, dim, axisymmetric)
    if kind == "euler":
        return found + _check_euler(load.euler, here, dim, axisymmetric)
    if kind == "hydrostatic":
        return found + _check_hydrostatic(load.hydrostatic, here, dim, axisymmetric)
    return found


def check_rotations(step: pb.Step, path: str) -> list[Violation]:
    """A body has one angular velocity: the centrifugal forces of two do not add up to that of any."""
    own = _rotations(step.loads, path)
    found = _together(own)
    for k, case in enumerate(step.load_cases):
        of_case = _rotations(case.loads, f"{path}.load_cases[{k}]")
        found += [v for v in _together([*own, *of_case]) if v not in found]
    return found


def _rotations(loads: Iterable[pb.Load], path: str) -> list[tuple[str, str]]:
    """Region and field path of centrifugal forces."""
    given = enumerate(loads)
    return [(x.region, f"{path}.loads[{k}].centrifugal") for k, x in given if x.WhichOneof("kind") == "centrifugal"]


def _together(rotations: Sequence[tuple[str, str]]) -> list[Violation]:
    found = []
    for k, (region, path) in enumerate(rotations):
        for other, first in rotations[:k]:
            if region == other or "" in (region, other):
                found.append(violation("ROTATION_TWICE", path, first=first))
                break
    return found


def _check_axes(load: pb.Load, path: str, dim: int, axisymmetric: bool) -> list[Violation]:
    """Axes of its own are for what has components; about an axis of symmetry gravity has but one."""
    kind = str(load.WhichOneof("kind"))
    if kind not in _VECTORS or (axisymmetric and kind == "gravity"):
        return [violation("AXES_NOT_FOR_LOAD", f"{path}.axes", kind=kind, known=", ".join(_VECTORS))]
    turning = load.axes.HasField("cylindrical")
    if turning and (axisymmetric or kind not in _AT_PLACES):
        return [violation("AXES_MUST_BE_FIXED", f"{path}.axes.cylindrical")]
    return check_turning_axes(load.axes, dim, f"{path}.axes")


def _check_centrifugal(c: pb.Centrifugal, path: str, dim: int, axisymmetric: bool) -> list[Violation]:
    found = _needed(c, "angular_velocity", path)
    found += _point(c.point, f"{path}.point", dim) + _direction(c, "direction", path, dim, needed=dim == 3)
    if found or not axisymmetric:
        return found
    off_axis = len(c.point.coordinates) == dim and c.point.coordinates[0] != 0.0
    if off_axis or not _along_y(c.direction):
        found.append(violation("ROTATION_NOT_ABOUT_AXIS", path))
    return found


def _check_euler(e: pb.Euler, path: str, dim: int, axisymmetric: bool) -> list[Violation]:
    if axisymmetric:
        return [violation("EULER_OF_RING", path)]
    found = _needed(e, "angular_acceleration", path) + _point(e.point, f"{path}.point", dim)
    if dim == 2 and e.HasField("direction"):
        return [*found, violation("EULER_AXIS_IN_PLANE", f"{path}.direction")]
    return found + _direction(e, "direction", path, dim, needed=dim == 3)


def _check_hydrostatic(h: pb.Hydrostatic, path: str, dim: int, axisymmetric: bool) -> list[Violation]:
    found = _point(h.surface, f"{path}.surface", dim) + _direction(h, "down", path, dim, needed=True)
    pair = [name for name in ("density", "gravity") if h.HasField(name)]
    if h.HasField("specific_weight") == bool(pair):
        given = ["specific_weight", *pair] if pair else []
        found.append(violation("WEIGHT_OF_FLUID_UNCLEAR", path, given=", ".join(given) or "-"))
    elif pair:
        found += _needed(h, "density", path) + _needed(h, "gravity", path)
    for name in ("specific_weight", "density", "gravity"):
        quantity = getattr(h, name)
        if quantity.HasField("value") and is_constant(quantity) and not quantity.value > 0:
            found.append(violation("VALUE_NOT_POSITIVE", f"{path}.{name}", value=quantity.value))
    if axisymmetric and not found and not _along_y(h.down):
        found.append(violation("FLUID_NOT_AXIAL", f"{path}.down"))
    return found


def _needed(message: pb.Centrifugal | pb.Euler | pb.Hydrostatic, name: str, path: str) -> list[Violation]:
    return [] if message.HasField(name) else [violation("VALUE_MISSING", f"{path}.{name}")]


def _point(point: pb.Point, path: str, dim: int) -> list[Violation]:
    return check_point(point, dim, path) if point.coordinates else []


def _direction(
    message: pb.Centrifugal | pb.Euler | pb.Hydrostatic, name: str, path: str, dim: int, *, needed: bool
) -> list[Violation]:
    direction, here = getattr(message, name), f"{path}.{name}"
    if not message.HasField(name):
        return [violation("VALUE_MISSING", here)] if needed else []
    if len(direction.coordinates) != dim:
        return _point(direction, here, dim) or [violation("VALUE_MISSING", here)]
    return [] if any(direction.coordinates) else [violation("DIRECTION_ZERO", here)]


def _along_y(direction: pb.Point) -> bool:
    """Whether a direction in the plane is y or its opposite; one that is not given is."""
    if not direction.coordinates:
        return True
    x, y = direction.coordinates
    return abs(x) <= _SAME * math.hypot(x, y)
