"""The equations of heat conduction over time on one part:  d/dt H(T) + G(T, t) = 0  at the free nodes.

H are the nodal heat contents, G the heat that leaves each node by conduction and through films, less the loads. What
does not change is evaluated once: where neither materials nor films depend on temperature or time, H and G are products
with two matrices, and a Newton step is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.assemble import BlockMatrix, assemble
from dougong.solver.conditions import ConstraintSet
from dougong.solver.heat.capacity import Capacity, rows_of_blocks
from dougong.solver.loadings import Conditions, refuse
from dougong.solver.loads import ElementMatrices, LoadBuilder, film_forces
from dougong.solver.model import Model
from dougong.solver.newton.law_tangent import law_tangents
from dougong.solver.newton.nonlinear import dependences, law_is_nonlinear, loads_are_nonlinear
from dougong.solver.recover import internal_forces
from dougong.solver.values.quantities import TIME

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drive:
    """What loads do at an instant: nodal heat flows, shape (n_local, 1), and what they add to the conduction."""

    loads: Array
    matrices: list[ElementMatrices]


@dataclass(frozen=True)
class Flows:
    """Heat flows at an instant, in owned nodes, shape (n_owned, 1) - power.

    Attributes
    ----------
    leaving
        G.
    entering
        What loads bring, less what leaves through films.
    drive
        The loads.
    """

    leaving: Array
    entering: Array
    drive: Drive


class HeatSystem:
    """The equations of a step.

    Parameters
    ----------
    model
        The step on this part.
    capacity
        What stores heat; None for a steady step.
    case
        Load case, counted from 1, that acts beside the step's own loads; 0: none.

    Attributes
    ----------
    symmetric
        Whether the matrices are symmetric: they are not where conductivity depends on temperature.
    linear
        Whether the matrices do not depend on the temperatures.
    constant
        Whether the matrices depend on neither temperatures nor time.
    """

    def __init__(self, model: Model, capacity: Capacity | None, case: int = 0) -> None:
        self.model, self.part, self._capacity, self._case = model, model.part, capacity, case
        physics, acting = model.physics, [model.step.own, *model.step.cases[case - 1 : case]]
        loads = [x for a in acting for x in a.loads]
        restraining = [x for x in loads if x.WhichOneof("kind") in physics.RESTRAINING_LOADS]
        self.symmetric = not law_is_nonlinear(physics.NONLINEAR_CONSTANTS, [s.material for s in model.sections])
        self.linear = self.symmetric and not loads_are_nonlinear(physics.NONLINEAR_LOADS, loads)
        self.linear = self.linear and (capacity is None or capacity.constant)
        self.constant = self.linear and TIME not in dependences(restraining)
        self._loads_constant = self.linear and TIME not in dependences(loads)
        self._held_constant = TIME not in dependences(c for a in acting for c in a.conditions)
        self._drive: Drive | None = None
        self._held: ConstraintSet | None = None
        self._matrices: tuple[BlockMatrix, BlockMatrix] | None = None
        if self.constant:
            K, C = self._evaluated(self._at_rest(), 0.0)
            self._matrices = (K, C)
            self._products = (_sparse(K, self.part.n_local), _sparse(C, self.part.n_local))

    def at(self, time: float, T: Array | None = None) -> Model:
        """The model at an instant, where it depends on the temperatures at those of shape (n_local, 1)."""
        return replace(self.model, time=time) if T is None else replace(self.model, time=time, temperature=T[:, 0])

    def held(self, time: float) -> ConstraintSet:
        """The conditions at an instant. Collective.

        Raises
        ------
        InputError
            A value that varies is none then.
        """
        if self._held is None or not self._held_constant:
            conditions = Conditions(self.at(time))
            refuse(self.part.comm, conditions.violations)
            self._held = replace(conditions.constraints, prescribed=conditions.prescribed(self._case))
        return self._held

    def drive(self, T: Array, time: float) -> Drive:
        """The loads at an instant; those that depend on temperature made linear about T. Collective.

        Raises
        ------
        InputError
            A value that varies is none then.
        """
        if self._drive is None or not self._loads_constant:
            builder = LoadBuilder(self.at(time, None if self.linear else T))
            builder.run()
            if self._case:
                builder.run(self.model.step.cases[self._case - 1])
            refuse(self.part.comm, builder.violations)
            self._drive = Drive(builder.rhs, builder.matrices)
        return self._drive

    def content(self, T: Array) -> Array:
        """H, shape (n_owned, 1) - energy; zero in a steady step."""
        if self._capacity is None:
            return np.zeros((self.part.n_owned, 1))
        return self._products[1] @ T if self.constant else self._capacity.content(T[:, 0])[:, None]

    def flows(self, T: Array, time: float) -> Flows:
        """G and its parts; T of shape (n_local, 1). Collective."""
        n, drive = self.part.n_owned, self.drive(T, time)
        entering = drive.loads[:n] - film_forces(drive.matrices, T)[:n]
        if self.constant:
            return Flows(self._products[0] @ T - drive.loads[:n], entering, drive)
        conducted = internal_forces(self.at(time, None if self.linear else T), T)[:n]
        return Flows(conducted - entering, entering, drive)

    def tangent(self, T: Array, time: float, weight: float) -> BlockMatrix:
        """∂H/∂T + weight ∂G/∂T of the owned rows, without conditions; in a steady step ∂G/∂T. Collective."""
        K, C = self._matrices or self._evaluated(T, time)
        return BlockMatrix(K.indptr, K.indices, C.values + weight * K.values)

    def _evaluated(self, T: Array, time: float) -> tuple[BlockMatrix, BlockMatrix]:
        nothing = np.zeros((self.part.n_local, 1))
        free = ConstraintSet.none(self.part.n_local, 1)
        model, extra = self.at(time, None if self.linear else T), list(self.drive(T, time).matrices)
        if not self.symmetric:
            extra += law_tangents(model, T)
        K = assemble(model, free, nothing, extra).matrix
        C = BlockMatrix(K.indptr, K.indices, np.zeros_like(K.values))
        return K, C if self._capacity is None else self._capacity.matrix(T[:, 0])

    def _at_rest(self) -> Array:
        return np.zeros((self.part.n_local, 1))


def hold(matrix: BlockMatrix, held: ConstraintSet) -> BlockMatrix:
    """The matrix for corrections that leave prescribed nodes as they are: their rows and columns are diagonal."""
    rows = rows_of_blocks(matrix)
    fixed = held.index >= 0
    values = matrix.values.copy()
    values[(fixed[rows] | fixed[matrix.indices]) & (rows != matrix.indices)] = 0.0
    return BlockMatrix(matrix.indptr, matrix.indices, values)


def _sparse(matrix: BlockMatrix, n_local: int) -> sparse.csr_matrix:
    shape = (matrix.n_rows, n_local)
    return sparse.csr_matrix((matrix.values.ravel(), matrix.indices, matrix.indptr), shape=shape)
