"""Quantities on a model: their values at points of the part, and what is wrong with them there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.laws.axes import cylindrical_axes, local_axes
from dougong.solver.model import Model
from dougong.solver.values.checks import lowest_value
from dougong.solver.values.quantities import TIME, depends_on, evaluate, is_constant, places
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]


class Values:
    """Evaluates the Quantities of a load or of a condition.

    Parameters
    ----------
    model
        The step; its time counts.
    message, path
        The load or condition, and its field path.

    Attributes
    ----------
    violations
        What was found to be wrong: at most one for each Quantity.
    """

    def __init__(self, model: Model, message: Message, path: str) -> None:
        self._model, self._message, self._path = model, message, path
        self._axes = message.axes if isinstance(message, pb.Load) and message.HasField("axes") else None
        self.violations: list[job_pb2.Violation] = []

    def at(self, quantity: pb.Quantity | float, points: Array | None) -> float | Array:
        """The value of a Quantity: a number where it is the same everywhere, else at each point.

        Parameters
        ----------
        quantity
            One of those in the message, or a number.
        points
            shape (..., dim) - length.
        """
        if isinstance(quantity, float | int):
            return float(quantity)
        if is_constant(quantity):
            return quantity.value
        model = self._model
        value = evaluate(quantity, points=points, time=model.time, parameters=model.parameters)
        return value if self._right(quantity, value, points) else 0.0

    def vector_at(self, components: Sequence[pb.Quantity], points: Array) -> Array:
        """The components of a vector in global axes: shape (n,) where they are the same everywhere, else (..., n).

        They are given in the axes of the load.
        """
        values = [self.at(q, points) for q in components]
        found = np.stack(np.broadcast_arrays(*values), axis=-1).astype(float, copy=False)
        if self._axes is None:
            return found
        if self._axes.HasField("cylindrical"):
            return self._from_cylindrical(self._axes.cylindrical, found, points)
        n = len(components)
        return np.asarray(found @ local_axes(self._axes)[:n, :n])

    def _from_cylindrical(self, cylinder: pb.Axes.Cylinder, values: Array, points: Array) -> Array:
        """Vectors given along r, theta and z, at points on the axis along z alone."""
        dim = points.shape[-1]
        turning, radius = cylindrical_axes(cylinder, points.reshape(-1, dim))
        local = np.broadcast_to(values, points.shape).reshape(-1, dim)
        across = np.flatnonzero((radius == 0.0) & local[:, :2].any(axis=1))
        if len(across) and self._message.WhichOneof("kind") == "nodal_force":
            where = _place(points.reshape(-1, dim)[across[0]])
            self.violations.append(violation("FORCE_WITHOUT_DIRECTION", self._path, place=where))
        return np.einsum("nk,nki->ni", local, turning[:, :dim, :dim]).reshape(points.shape)

    def _right(self, quantity: pb.Quantity, value: float | Array, points: Array | None) -> bool:
        place = next(p for p in places(self._message, self._path) if p.quantity == quantity)
        limit = lowest_value(place.dimension, self._model.step.analysis.units)
        wrong = ~(np.isfinite(value) & (np.asarray(value) >= limit))
        if not wrong.any():
            return True
        first = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        number = float(np.asarray(value)[first])
        where = "-"
        if points is not None:
            x = points[first] if wrong.ndim else points.reshape(-1, points.shape[-1])[0]
            where = _place(x)
        if TIME in depends_on(quantity):
            when = f"t = {self._model.time:.6g}"
            where = when if where == "-" else f"{where}, {when}"
        if np.isfinite(number):
            found = violation("VALUE_TOO_LOW_AT", place.path, value=number, place=where, lowest=limit)
        else:
            found = violation("EXPRESSION_NOT_FINITE", f"{place.path}.expression", value=number, place=where)
        if all(found.field != v.field for v in self.violations):
            self.violations.append(found)
        return False


def _place(point: Array) -> str:
    return "(" + ", ".join(f"{c:.6g}" for c in point) + ")"
