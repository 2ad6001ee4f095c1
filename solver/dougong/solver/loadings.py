"""What drives the states of a step: nodal loads and prescribed values, of each load case and superposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError
from dougong.solver.comm import Comm
from dougong.solver.conditions import ConstraintBuilder, ConstraintSet, replaced
from dougong.solver.loads import ElementMatrices, LoadBuilder, film_forces
from dougong.solver.model import Model
from dougong.solver.recover import internal_forces
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
    """

    loads: Array
    prescribed: Array

    @property
    def size(self) -> float:
        """Largest number of this rank; 0 where nothing drives the step."""
        return max(float(np.abs(self.loads).max(initial=0.0)), float(np.abs(self.prescribed).max(initial=0.0)))


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
        for acting in model.step.cases:
            builder = ConstraintBuilder(model, acting)
            self._cases.append(builder.run())
            builder.check_held(self.constraints)
            self.violations += builder.violations

    def prescribed(self, loading: int) -> Array:
        """Values of the constrained nodes, shape (m, nc); loading 0 is the step itself, loading k its k-th case."""
        return replaced(self.constraints, self._cases[loading - 1]) if loading else self.constraints.prescribed


def loadings_of(model: Model, conditions: Conditions) -> tuple[list[Loading], list[ElementMatrices]]:
    """The loadings of a step, that of the step itself first, and what its loads add to the stiffness. Collective.

    Raises
    ------
    InputError
        A value that depends on position or time has no value somewhere, or one that cannot be.
    """
    own = LoadBuilder(model)
    own.run()
    wrong = list(own.violations)
    found = [Loading(own.rhs, conditions.prescribed(0))]
    for k, acting in enumerate(model.step.cases):
        case = LoadBuilder(model)
        case.run(acting)
        wrong += case.violations
        found.append(Loading(own.rhs + case.rhs, conditions.prescribed(k + 1)))
    refuse(model.part.comm, wrong)
    return found, own.matrices


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
    rhs = loading.loads[:n].copy()
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
