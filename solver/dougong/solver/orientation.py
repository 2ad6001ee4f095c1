"""Axes of materials: those of a section at some points, and what can be wrong with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.axes import check_axes, check_point, local_axes
from dougong.solver.nearest import nearest
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]

#: Points so near to the axis of a cylinder, as a part of the largest distance, have no radial direction.
_ON_AXIS = 1e-9


def varies(orientation: pb.Orientation) -> bool:
    """Whether the axes may differ from point to point."""
    return orientation.WhichOneof("system") == "cylindrical"


def axes_at(orientation: pb.Orientation, points: Array) -> Array:
    """The axes of a material.

    Parameters
    ----------
    orientation
        Which; one that was found right.
    points
        shape (n, nq, dim).

    Returns
    -------
    ndarray, shape (n, p, 3, 3)
        Unit vectors, one a row, in global components; p = 1 where they do not vary within a cell, else nq.
    """
    if orientation.WhichOneof("system") == "axes":
        return np.broadcast_to(local_axes(orientation.axes), (len(points), 1, 3, 3))
    from_axis, along = _from_axis(orientation.cylindrical, points)
    radial = from_axis / np.linalg.norm(from_axis, axis=-1, keepdims=True)
    along = np.broadcast_to(along, radial.shape)
    return np.stack([radial, np.cross(along, radial), along], axis=-2)


def _from_axis(cylinder: pb.Orientation.Cylindrical, points: Array) -> tuple[Array, Array]:
    """The shortest way from the axis of a cylinder to points, shape (..., 3), and the direction of the axis, (3,)."""
    given = np.zeros((2, 3))
    given[0, : len(cylinder.origin.coordinates)] = cylinder.origin.coordinates
    given[1, : len(cylinder.axis.coordinates)] = cylinder.axis.coordinates
    along = given[1] if given[1].any() else np.array([0.0, 0.0, 1.0])
    along = along / np.linalg.norm(along)
    way = np.zeros((*points.shape[:-1], 3))
    way[..., : points.shape[-1]] = points
    way -= given[0]
    return way - (way @ along)[..., None] * along, along


def without_direction(orientation: pb.Orientation, points: Array) -> NDArray[np.bool_]:
    """Cells with points on the axis of a cylindrical orientation, where there is no radial direction, shape (n,)."""
    if orientation.WhichOneof("system") != "cylindrical" or not len(points):
        return np.zeros(len(points), dtype=bool)
    distance = np.linalg.norm(_from_axis(orientation.cylindrical, points)[0], axis=-1)
    return np.asarray((distance <= _ON_AXIS * distance.max()).any(axis=1))


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
    system = orientation.WhichOneof("system")
    if system is None:
        return [violation("ORIENTATION_EMPTY", path)]
    if system == "axes":
        return check_axes(orientation.axes, dim, f"{path}.axes")
    cylinder, path = orientation.cylindrical, f"{path}.cylindrical"
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
