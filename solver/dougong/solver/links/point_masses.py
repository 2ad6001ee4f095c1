"""Masses at reference points, in the motion of a whole body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.links.couplings import ReferencePoint, motions_of_points
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.model import Model
from dougong.solver.modes.mass import MassProperties
from dougong.solver.reduction import Reduction

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PointMasses:
    """Masses at the reference points of a reduction; none where it has no links.

    Attributes
    ----------
    reduction
        The reduction.
    matrix
        shape (n_point_unknowns, n_point_unknowns): mass matrix of the points.
    """

    reduction: Reduction
    matrix: Array

    @classmethod
    def of(cls, reduction: Reduction) -> PointMasses:
        """Those of a reduction."""
        if not isinstance(reduction, LinkedReduction):
            return cls(reduction, np.empty((0, 0)))
        links = reduction.links
        forms = links.masses.matrix[:, links.unknowns.of_nodes :].toarray()
        return cls(reduction, forms.T @ (links.masses.number[:, None] * forms))

    @property
    def _reference_points(self) -> tuple[ReferencePoint, ...]:
        return self.reduction.links.points if isinstance(self.reduction, LinkedReduction) else ()

    def motions(self, model: Model, centre: Array) -> Array:
        """What motions of the whole body about a place, shape (3,), make of points, (n_point_unknowns, d)."""
        return motions_of_points(model, self._reference_points, centre[: model.part.dim])

    def points(self, q: Array) -> Array:
        """Unknowns of points from independent unknowns of this rank, (n, k) -> (n_point_unknowns, k). Collective."""
        red = self.reduction
        if not isinstance(red, LinkedReduction):
            return np.empty((0, q.shape[1]))
        return np.asarray(red.part.comm.sum(red.point_transfer[:, red.first : red.first + red.n] @ q))

    def restricted(self, forces: Array) -> Array:
        """Forces on points in independent unknowns of this rank, (n_point_unknowns, k) -> (n, k)."""
        red = self.reduction
        if not isinstance(red, LinkedReduction):
            return np.zeros((red.n, forces.shape[1]))
        return np.asarray(red.point_transfer[:, red.first : red.first + red.n].T @ forces)

    def added_to(self, body: MassProperties) -> MassProperties:
        """Mass, centre and inertia of the body with these masses."""
        diagonal, first = np.diag(self.matrix), 0
        pieces = [(body.mass, body.centre, body.inertia)]
        for point in self._reference_points:
            own = diagonal[first : first + len(point.motions)] * point.scale**2
            first += len(point.motions)
            mass = max((v for m, v in zip(point.motions, own, strict=True) if m.startswith("translation")), default=0.0)
            place, inertia = np.zeros(3), np.zeros((3, 3))
            place[: len(point.place)] = point.place
            for motion, value in zip(point.motions, own, strict=True):
                if motion.startswith("rotation"):
                    axis = "xyz".index(motion[-1])
                    inertia[axis, axis] = value
            pieces.append((float(mass), place, inertia))
        total = sum(m for m, _, _ in pieces)
        centre = sum(m * x for m, x, _ in pieces) / total
        whole = np.zeros((3, 3))
        for m, x, inertia in pieces:
            away = x - centre
            whole += inertia + m * (away @ away * np.eye(3) - np.outer(away, away))
        return MassProperties(float(total), np.asarray(centre), whole)
