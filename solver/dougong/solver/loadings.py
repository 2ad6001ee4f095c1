"""What drives the states of a step: nodal loads and prescribed values, of each load case and superposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError, violation
from dougong.solver.conditions import ConstraintBuilder, ConstraintSet, replaced
from dougong.solver.links.links import Links
from dougong.solver.loads import ElementMatrices, LoadBuilder, film_forces
from dougong.solver.model import Model
from dougong.solver.parallel.comm import Comm
from dougong.solver.recover import internal_forces, thermal_forces
from dougong.solver.thermal.strain import Terms, strains_of, terms_of
from dougong.solver.thermal.temperature import Temperature
from dougong.v1 import job_pb2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Loading:
    """Loads and prescribed values; loadings can be superposed as their solutions can.

    Attributes
    ----------
    loads
        shape (n_local, nc): nodal loads; complete on owned nodes.
    prescribed
        shape (m, nc): value of each constrained node, in the order of the constraints.
    thermal
        Temperatures that strain the body.
    thermal_forces
        shape (n_local, nc): what they do to the nodes; None where there are none.
    on_points
        shape (n_point_unknowns,): loads on reference points.
    motions
        shape (n_point_unknowns,): prescribed unknowns of points; not a number where they are free.
    """

    loads: Array
    prescribed: Array
    thermal: Terms = ()
    thermal_forces: Array | None = None
    on_points: Array = field(default_factory=lambda: np.empty(0))
    motions: Array = field(default_factory=lambda: np.empty(0))

    @property
    def forces(self) -> Array:
        """Loads and what temperatures do, shape (n_local, nc)."""
        return self.loads if self.thermal_forces is None else self.loads + self.thermal_forces

    @property
    def size(self) -> float:
        """Largest number of this rank; 0 where nothing drives the step."""
        driving = (self.forces, self.prescribed, self.on_points, np.nan_to_num(self.motions))
        return max(float(np.abs(x).max(initial=0.0)) for x in driving)

    @classmethod
    def superposed(cls, weights: Sequence[float], loadings: Sequence[Loading]) -> Loading:
        """Sum of weights times loadings."""
        forces = [x.thermal_forces for x in loadings]
        counting = any(w and f is not None for w, f in zip(weights, forces, strict=True))
        return cls(
            superpose(weights, [x.loads for x in loadings]),
            superpose(weights, [x.prescribed for x in loadings]),
            tuple((w * v, t) for w, x in zip(weights, loadings, strict=True) if w for v, t in x.thermal),
            superpose(weights, forces) if counting else None,
            superpose(weights, [x.on_points for x in loadings]),
            superpose(weights, [x.motions for x in loadings]),
        )


class Conditions:
    """What holds a step, in all its load cases alike, and which values each case prescribes.

    Parameters
    ----------
    model
        The step. Collective.

    Attributes
    ----------
    constraints
        Projectors and values of the step itself.
    violations
        What is wrong with the conditions of the step and of its cases.
    """

    def __init__(self, model: Model) -> None:
        builder = ConstraintBuilder(model)
        self.constraints = builder.run()
        self.violations: list[job_pb2.Violation] = list(builder.violations)
        self._cases: list[ConstraintSet] = []
        self._motions = [{key: value for key, (value, _) in builder.motions.items()}]
        for acting in model.step.cases:
            builder = ConstraintBuilder(model, acting)
            self._cases.append(builder.run())
            builder.check_held(self.constraints)
            self.violations += builder.violations
            for (coupling, motion), (_, source) in builder.motions.items():
                if (coupling, motion) not in self._motions[0]:
                    path = f"{acting.path}.conditions[{source}].reference_motion"
                    self.violations.append(violation("CASE_MOVES_MORE", path, coupling=coupling, motion=motion))
            self._motions.append(self._motions[0] | {key: value for key, (value, _) in builder.motions.items()})

    def prescribed(self, loading: int) -> Array:
        """Values of the constrained nodes, shape (m, nc); loading 0 is the step itself, loading k its k-th case."""
        return replaced(self.constraints, self._cases[loading - 1]) if loading else self.constraints.prescribed

    def motions(self, loading: int, links: Links | None) -> Array:
        """Prescribed unknowns of reference points, shape (n_point_unknowns,), not a number where they are free."""
        return links.motions(self._motions[loading]) if links is not None else np.empty(0)


def loadings_of(
    model: Model, conditions: Conditions, links: Links | None = None
) -> tuple[list[Loading], list[ElementMatrices]]:
    """The loadings of a step, that of the step itself first, and what its loads add to the stiffness. Collective.

    Raises
    ------
    InputError
        A value that depends on position or time has no value somewhere, or one that cannot be.
    """
    own = LoadBuilder(model)
    own.run()
    wrong = list(own.violations)
    on_points = links.forces(own.on_points) if links is not None else np.empty(0)
    first = Loading(own.rhs, conditions.prescribed(0), on_points=on_points, motions=conditions.motions(0, links))
    first = _strained(model, first, strains_of(model))
    found = [first]
    for k, acting in enumerate(model.step.cases):
        case = LoadBuilder(model)
        case.run(acting)
        wrong += case.violations
        loading = replace(
            first,
            loads=own.rhs + case.rhs,
            prescribed=conditions.prescribed(k + 1),
            on_points=on_points + links.forces(case.on_points) if links is not None else on_points,
            motions=conditions.motions(k + 1, links),
        )
        if case.layers:
            temperature = Temperature((*model.warmth.layers, *case.layers))
            loading = _strained(model, loading, terms_of(model, temperature))
        found.append(loading)
    refuse(model.part.comm, wrong)
    return found, own.matrices


def warmed(model: Model) -> Model:
    """The same step with the temperature that it has itself, at its time. Collective.

    Raises
    ------
    InputError
        An expression has no value somewhere, or there is no such state.
    """
    builder = LoadBuilder(model)
    builder.run(temperature_only=True)
    refuse(model.part.comm, builder.violations)
    return replace(model, temperature=Temperature(tuple(builder.layers))) if builder.layers else model


def _strained(model: Model, loading: Loading, thermal: Terms) -> Loading:
    """The same with these temperatures."""
    return replace(loading, thermal=thermal, thermal_forces=thermal_forces(model, thermal) if thermal else None)


def refuse(comm: Comm, violations: list[job_pb2.Violation]) -> None:
    """Raise InputError where any rank found something wrong; what several of them see is told once. Collective."""
    found = [v for of_rank in comm.gather(violations) for v in of_rank]
    if found:
        raise InputError(list({v.SerializeToString(deterministic=True): v for v in found}.values()))


def lifted(model: Model, constraints: ConstraintSet, prescribed: Array) -> Array:
    """The shortest nodal values that satisfy the conditions, shape (n_local, nc)."""
    u = np.zeros((model.part.n_local, model.components))
    u[constraints.nodes] = prescribed
    return u


def correction_loads(
    model: Model, constraints: ConstraintSet, matrices: list[ElementMatrices], loading: Loading
) -> Array:
    """Right-hand side P (f - K u0) of the correction to the prescribed values, shape (n_owned, nc). Collective."""
    n = model.part.n_owned
    rhs = loading.forces[:n].copy()
    if model.part.comm.max(np.abs(loading.prescribed).max(initial=0.0)) > 0:
        u0 = lifted(model, constraints, loading.prescribed)
        rhs -= (internal_forces(model, u0) + film_forces(matrices, u0))[:n]
    return constraints.project(rhs)


def superpose(weights: Sequence[float], values: Sequence[Array | None]) -> Array:
    """Sum of weights times values; those of weight zero may be missing, and one of weight one is given back itself."""
    counting = [(w, v) for w, v in zip(weights, values, strict=True) if w and v is not None]
    if len(counting) == 1 and counting[0][0] == 1.0:
        return counting[0][1]
    like = next(v for v in values if v is not None)
    total = np.zeros_like(like)
    for w, v in counting:
        total += w * v
    return total
