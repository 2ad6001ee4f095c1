"""A solution of a step, and the values of fields that are formed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.solver.conditions import ConstraintSet
from dougong.solver.links.forces import LinkForces, link_forces
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.loadings import Loading
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.physics import FieldSpec
from dougong.solver.recover import Recovery

Array = NDArray[np.float64]


@dataclass
class NodalState:
    """A solution with what led to it.

    Attributes
    ----------
    model, constraints
        The step and what holds it.
    loading
        Loads and prescribed values.
    matrices
        What loads added to the stiffness.
    u
        shape (n_local, nc): the solution, ghosts too.
    linked
        Its reduction, and the unknowns of reference points; None where nothing is linked.
    about
        shape (dim,), length: the point of the moments of reactions; None means the origin.
    """

    model: Model
    constraints: ConstraintSet
    loading: Loading
    matrices: list[ElementMatrices]
    u: Array
    linked: tuple[LinkedReduction, Array] | None = None
    recovery: Recovery | None = None
    about: Array | None = None

    def recover(
        self, nodal: Sequence[str] = (), at_points: Sequence[str] = (), at_cells: Sequence[str] = ()
    ) -> Recovery:
        """Make the pass over the cells; later calls return its result."""
        if self.recovery is None:
            asked = list(nodal), list(at_points), list(at_cells)
            self.recovery = Recovery(self.model, self.u, self.matrices, self.loading.thermal, *asked)
        return self.recovery

    @cached_property
    def residual(self) -> Array:
        """Internal forces minus loads on owned nodes, shape (n_owned, nc): reactions, and what is left elsewhere."""
        n = self.model.part.n_owned
        return self.recover().internal[:n] - self.loading.forces[:n]

    @cached_property
    def links(self) -> LinkForces | None:
        """The forces of links. Collective the first time."""
        if self.linked is None:
            return None
        reduction, points = self.linked
        return link_forces(reduction, self.u, points, self.residual, self.loading.on_points)

    @cached_property
    def constraint_force(self) -> Array:
        """What equations, couplings and ties exert on owned nodes, shape (n_owned, nc)."""
        return self.links.equations if self.links is not None else np.zeros_like(self.residual)

    @cached_property
    def reaction(self) -> Array:
        """Reactions on owned nodes, shape (n_owned, nc): what is left in the prescribed directions."""
        left = self.residual
        if self.links is not None:
            left = left + self.links.springs - self.links.equations
        free = self.constraints.project(left)
        out = np.zeros_like(left)
        held = self.constraints.nodes[self.constraints.nodes < len(out)]
        out[held] = left[held] - free[held]
        return out


def nodal_values(state: NodalState, name: str) -> Array:
    """A field at the owned nodes, shape (n_owned, width); one from gradients must have been recovered."""
    model = state.model
    if name == model.physics.UNKNOWN:
        return state.u[: model.part.n_owned]
    if name == "reaction":
        return state.reaction
    if name == "constraint_force":
        return state.constraint_force
    return formed(model.physics.FIELDS, name, {n: [v] for n, v in state.recover().nodal.items()})[0]


def formed(fields: Mapping[str, FieldSpec], name: str, found: Mapping[str, list[Array]]) -> list[Array]:
    """Values of a field, formed of those of another where it is an invariant."""
    spec = fields[name]
    if spec.from_field is None:
        return found[name]
    of = spec.from_field[1]
    return [of(values) for values in found[spec.from_field[0]]]


def bases(fields: Mapping[str, FieldSpec], names: Iterable[str]) -> list[str]:
    """The fields from gradients and flux that some fields are formed of."""
    bases = [fields[name].from_field[0] if fields[name].from_field else name for name in names]  # type: ignore[index]
    return [name for name in dict.fromkeys(bases) if fields[name].at_points is not None]
