"""Points, directions, rectangular axes that a user gives by two directions, and cylindrical ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Directions whose angle is at most this are parallel.
_PARALLEL = 1e-9
#: Nodes nearer to the axis than this part of the distance of the farthest one are on it.
ON_AXIS = 1e-9

Array = NDArray[np.float64]


def local_axes(axes: pb.Axes) -> NDArray[np.float64]:
    """The unit vectors of local axes, one a row, shape (3, 3)."""
    x = np.zeros(3)
    x[: len(axes.x_axis.coordinates)] = axes.x_axis.coordinates
    y = np.zeros(3)
    if axes.HasField("xy_plane"):
        y[: len(axes.xy_plane.coordinates)] = axes.xy_plane.coordinates
    else:
        y[:] = (-x[1], x[0], 0.0)
    x /= np.linalg.norm(x)
    y -= (x @ y) * x
    y /= np.linalg.norm(y)
    return np.array([x, y, np.cross(x, y)])


def cylindrical_axes(cylinder: pb.Axes.Cylinder, points: Array) -> tuple[Array, Array]:
    """The unit vectors r, theta and z at points, shape (n, 3, 3), one a row, and the distances from the axis, (n,).

    On the axis the first two are zero.

    Parameters
    ----------
    cylinder
        The axis; in two dimensions it is z.
    points
        shape (n, dim) - length.
    """
    n, dim = points.shape
    x, origin, z = np.zeros((n, 3)), np.zeros(3), np.array([0.0, 0.0, 1.0])
    x[:, :dim] = points
    origin[: len(cylinder.origin.coordinates)] = cylinder.origin.coordinates
    if len(cylinder.axis.coordinates) == 3:
        z = np.array(cylinder.axis.coordinates) / np.linalg.norm(cylinder.axis.coordinates)
    away = x - origin
    away -= (away @ z)[:, None] * z
    radius = np.linalg.norm(away, axis=1)
    on = radius <= ON_AXIS * radius.max(initial=0.0)
    r = np.where(on[:, None], 0.0, away / np.where(on, 1.0, radius)[:, None])
    return np.stack([r, np.cross(z, r), np.broadcast_to(z, (n, 3))], axis=1), np.where(on, 0.0, radius)


def check_point(point: pb.Point, dim: int, path: str) -> list[job_pb2.Violation]:
    """A point or a direction has as many coordinates as the mesh."""
    given = len(point.coordinates)
    return [] if given == dim else [violation("WRONG_NUMBER_OF_COORDINATES", path, given=given, wanted=dim)]


def check_axes(axes: pb.Axes, dim: int, path: str) -> list[job_pb2.Violation]:
    """What is wrong with rectangular axes on a mesh of a dimension."""
    if axes.HasField("cylindrical"):
        return [violation("AXES_MUST_BE_FIXED", f"{path}.cylindrical")]
    found = check_point(axes.x_axis, dim, f"{path}.x_axis")
    if dim == 3:
        found += check_point(axes.xy_plane, dim, f"{path}.xy_plane")
    a, b = list(axes.x_axis.coordinates), list(axes.xy_plane.coordinates)
    if not any(a) or (len(a) == len(b) == 3 and _parallel(a, b)):
        found.append(violation("AXES_DEGENERATE", path))
    return found


def check_turning_axes(axes: pb.Axes, dim: int, path: str) -> list[job_pb2.Violation]:
    """What is wrong with axes that may be rectangular or cylindrical."""
    if not axes.HasField("cylindrical"):
        return check_axes(axes, dim, path)
    found = []
    if axes.HasField("x_axis") or axes.HasField("xy_plane"):
        found.append(violation("AXES_TWO_WAYS", path))
    cylinder, path = axes.cylindrical, f"{path}.cylindrical"
    if cylinder.HasField("origin"):
        found += check_point(cylinder.origin, dim, f"{path}.origin")
    if cylinder.HasField("axis") and dim == 2:
        found.append(violation("AXIS_IN_PLANE", f"{path}.axis"))
    elif cylinder.HasField("axis"):
        found += check_point(cylinder.axis, dim, f"{path}.axis")
        if not any(cylinder.axis.coordinates):
            found.append(violation("DIRECTION_ZERO", f"{path}.axis"))
    return found


def _parallel(a: Sequence[float], b: Sequence[float]) -> bool:
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return math.hypot(*cross) <= _PARALLEL * math.hypot(*a) * math.hypot(*b)
