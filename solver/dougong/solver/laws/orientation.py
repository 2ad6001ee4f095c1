"""Axes of materials: those of a section at some points, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.laws.axes import check_axes, check_point, local_axes
from dougong.solver.values.nearest import nearest
from dougong.solver.values.quantities import depends_on, evaluate
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]

#: Points so near to the axis of a cylinder, as a part of the largest distance, have no radial direction.
_ON_AXIS = 1e-9


def given(orientation: pb.Orientation) -> bool:
    """Whether there are other axes than the global ones."""
    return orientation.WhichOneof("system") is not None or orientation.HasField("rotation")


def varies(orientation: pb.Orientation) -> bool:
    """Whether the axes may differ from point to point."""
    turns = bool(depends_on(orientation.rotation.angle_degrees))
    return turns or orientation.WhichOneof("system") == "cylindrical"


def axes_at(orientation: pb.Orientation, points: Array, parameters: Mapping[str, float]) -> Array:
    """The axes of a material.

    Parameters
    ----------
    orientation
        Which; one that was found right.
    points
        shape (n, nq, dim).
    parameters
        Those of the analysis.

    Returns
    -------
    ndarray, shape (n, p, 3, 3)
        Unit vectors, one a row, in global components; p = 1 where they do not vary within a cell, else nq.
    """
    if orientation.WhichOneof("system") == "cylindrical":
        from_axis, along = _from_axis(orientation.cylindrical, points)
        radial = from_axis / np.linalg.norm(from_axis, axis=-1, keepdims=True)
        along = np.broadcast_to(along, radial.shape)
        axes = np.stack([radial, np.cross(along, radial), along], axis=-2)
    else:
        one = local_axes(orientation.axes) if orientation.HasField("axes") else np.eye(3)
        axes = np.broadcast_to(one, (len(points), 1, 3, 3))
    if not orientation.HasField("rotation"):
        return axes
    about = _about(orientation.rotation) - 1
    angle = np.radians(_angle(orientation, points, parameters))[..., None]  # (1,) or (n, nq, 1)
    first, second = axes[..., (about + 1) % 3, :], axes[..., (about + 2) % 3, :]
    turned = np.empty((*np.broadcast_shapes(first.shape, (*angle.shape[:-1], 3)), 3))  # (n, p, 3, 3), axes last
    turned[..., about] = axes[..., about, :]
    turned[..., (about + 1) % 3] = np.cos(angle) * first + np.sin(angle) * second
    turned[..., (about + 2) % 3] = np.cos(angle) * second - np.sin(angle) * first
    return turned.swapaxes(-1, -2)


def _about(rotation: pb.Orientation.Rotation) -> int:
    return rotation.about if rotation.HasField("about") else 3


def _angle(orientation: pb.Orientation, points: Array, parameters: Mapping[str, float]) -> Array:
    """The angle of the rotation, degrees: shape () or (n, nq)."""
    return np.asarray(evaluate(orientation.rotation.angle_degrees, points=points, parameters=parameters))


def _from_axis(cylinder: pb.Orientation.Cylindrical, points: Array) -> tuple[Array, Array]:
    """The shortest way from the axis of a cylinder to points, shape (..., 3), and the direction of the axis, (3,)."""
    origin, along = np.zeros(3), np.zeros(3)
    origin[: len(cylinder.origin.coordinates)] = cylinder.origin.coordinates
    along[: len(cylinder.axis.coordinates)] = cylinder.axis.coordinates
    if not along.any():  # in the plane
        along[2] = 1.0
    along /= np.linalg.norm(along)
    way = np.zeros((*points.shape[:-1], 3))
    way[..., : points.shape[-1]] = points
    way -= origin
    return way - (way @ along)[..., None] * along, along


def without_direction(orientation: pb.Orientation, points: Array) -> NDArray[np.bool_]:
    """Cells with points on the axis of a cylindrical orientation, where there is no radial direction, shape (n,)."""
    if orientation.WhichOneof("system") != "cylindrical" or not len(points):
        return np.zeros(len(points), dtype=bool)
    distance = np.linalg.norm(_from_axis(orientation.cylindrical, points)[0], axis=-1)
    return np.asarray((distance <= _ON_AXIS * distance.max()).any(axis=1))


def check_angles(
    orientation: pb.Orientation, name: str, points: Array, parameters: Mapping[str, float]
) -> list[job_pb2.Violation]:
    """Whether the angle of an orientation has a value at all points, shape (n, nq, dim)."""
    angle = _angle(orientation, points, parameters)
    wrong = np.flatnonzero(~np.isfinite(angle))
    if not len(wrong) or not points.size:
        return []
    place = "(" + ", ".join(f"{x:.6g}" for x in points.reshape(-1, points.shape[-1])[wrong[0]]) + ")"
    path = f'orientations["{name}"].rotation.angle_degrees.expression'
    return [violation("EXPRESSION_NOT_FINITE", path, value=float(angle.flat[wrong[0]]), place=place)]


def check_orientations(analysis: pb.Analysis, dim: int) -> list[job_pb2.Violation]:
    """What is wrong with the orientations of an analysis, and with the names by which sections call them."""
    found = []
    for name in sorted(analysis.orientations):
        found += _check_one(analysis.orientations[name], dim, f'orientations["{name}"]')
    for k, section in enumerate(analysis.sections):
        path, name = f"sections[{k}].orientation", section.orientation
        if not name:
            continue
        if name not in analysis.orientations:
            near = ", ".join(nearest(name, sorted(analysis.orientations))) or "-"
            found.append(violation("ORIENTATION_UNKNOWN", path, orientation=name, near=near))
            continue
        cylindrical = analysis.orientations[name].WhichOneof("system") == "cylindrical"
        if cylindrical and section.kinematics == pb.Section.KINEMATICS_AXISYMMETRIC:
            found.append(violation("ORIENTATION_CYLINDRICAL_OF_RING", path, orientation=name))
    return found


def _check_one(orientation: pb.Orientation, dim: int, path: str) -> list[job_pb2.Violation]:
    if not given(orientation):
        return [violation("ORIENTATION_EMPTY", path)]
    found = []
    if orientation.HasField("rotation"):
        about, place = _about(orientation.rotation), f"{path}.rotation"
        if about not in (1, 2, 3):
            found.append(violation("ROTATION_AXIS_UNKNOWN", f"{place}.about", value=about))
        elif dim == 2 and about != 3:
            found.append(violation("ROTATION_OUT_OF_PLANE", f"{place}.about", value=about))
        if not orientation.rotation.HasField("angle_degrees"):
            found.append(violation("VALUE_MISSING", f"{place}.angle_degrees"))
    if orientation.HasField("axes"):
        found += check_axes(orientation.axes, dim, f"{path}.axes")
    if orientation.HasField("cylindrical"):
        found += _check_cylinder(orientation.cylindrical, dim, f"{path}.cylindrical")
    return found


def _check_cylinder(cylinder: pb.Orientation.Cylindrical, dim: int, path: str) -> list[job_pb2.Violation]:
    found = []
    if cylinder.HasField("origin"):
        found += check_point(cylinder.origin, dim, f"{path}.origin")
    if dim == 2:
        if cylinder.HasField("axis"):
            found.append(violation("ORIENTATION_AXIS_IN_PLANE", f"{path}.axis"))
        return found
    found += check_point(cylinder.axis, dim, f"{path}.axis")
    if not any(cylinder.axis.coordinates):
        found.append(violation("DIRECTION_ZERO", f"{path}.axis"))
    return found
