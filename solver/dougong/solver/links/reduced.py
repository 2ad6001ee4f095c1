"""The linear system of a step with links: Tᵀ K T q = Tᵀ (f - K g), with springs and the unknowns of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.assemble import assemble
from dougong.solver.conditions import ConstraintSet
from dougong.solver.linalg.reduction import ReducedSpace
from dougong.solver.linalg.systems import SolveInput
from dougong.solver.links.couplings import motions_of_points
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.loadings import Loading
from dougong.solver.loads import ElementMatrices, film_forces
from dougong.solver.model import Model
from dougong.solver.recover import internal_forces

Array = NDArray[np.float64]


class ReducedSystem:
    """The system of a step with links; loadings share its matrix.

    Parameters
    ----------
    model
        The step.
    reduction
        By its conditions and links.
    loadings
        Those it is solved for.
    matrices
        What loads add to the stiffness.
    comm
        mpi4py communicator, or None for one process.
    """

    def __init__(
        self,
        model: Model,
        reduction: LinkedReduction,
        loadings: list[Loading],
        matrices: list[ElementMatrices],
        comm: Any,
    ) -> None:
        self._model, self._reduction, self._loadings, self._matrices = model, reduction, loadings, matrices
        self._space = ReducedSpace(reduction, comm)

    def given(self) -> SolveInput:
        """What a solver needs. Collective."""
        model = self._model
        modes = self._space.orthonormal(near_modes(model, self._reduction))
        return SolveInput(model.part, _no_blocks, modes[:, None, :], lambda: None, self._matrix)

    def _matrix(self, comm: Any) -> Any:
        """The reduced matrix; the caller destroys it."""
        model, part = self._model, self._model.part
        free = ConstraintSet.none(part.n_local, model.components)
        blocks = assemble(model, free, np.zeros((part.n_local, model.components)), self._matrices).matrix
        A = self._space.of_blocks(blocks)
        links = self._reduction.links
        self._space.add(A, self._reduction.springs, links.springs.number)
        self._space.hold(A, self._reduction.unused)
        return A

    def right_hand_side(self, number: int) -> Array:
        """That of a loading, by its number, shape (n, 1). Collective."""
        loading = self._loadings[number]
        model, red, n = self._model, self._reduction, self._model.part.n_owned
        rhs = loading.forces[:n].copy()
        g = np.zeros((model.part.n_local, model.components))
        g[:n] = red.offsets[number]
        model.part.halo.update(g)
        if model.part.comm.max(np.abs(g).max(initial=0.0)) > 0:
            rhs -= (internal_forces(model, g) + film_forces(self._matrices, g))[:n]
        own = slice(red.first, red.first + red.n)
        on_points = red.point_transfer[:, own].T @ loading.on_points
        pull = red.springs[:, own].T @ (red.links.springs.number * red.spring_offsets[number])
        return (self._space.restrict(rhs) + on_points - pull)[:, None]

    def solution(self, number: int, q: Array) -> tuple[Array, Array]:
        """Nodal values, shape (n_local, nc), and unknowns of points, (n_point_unknowns,). Collective."""
        model, red = self._model, self._reduction
        u = np.zeros((model.part.n_local, model.components))
        u[: model.part.n_owned] = self._space.expand(q.ravel(), red.offsets[number])
        model.part.halo.update(u)
        own = slice(red.first, red.first + red.n)
        points = np.asarray(model.part.comm.sum(red.point_transfer[:, own] @ q.ravel())) + red.point_offsets[number]
        return u, points

    def destroy(self) -> None:
        """Free PETSc's objects. Collective."""
        self._space.destroy()


def near_modes(model: Model, reduction: LinkedReduction) -> Array:
    """Motions without flux in independent unknowns, those of points too, shape (n, k). Collective."""
    part = model.part
    owned = part.points[: part.n_owned]
    centre = np.asarray(part.comm.sum(owned.sum(axis=0))) / part.n_total
    modes = model.physics.free_modes(owned - centre, model.axisymmetric)[1]
    B = np.asarray(reduction.coordinates @ modes.reshape(-1, modes.shape[-1]))
    if not len(reduction.own_points):
        return B
    at_points = motions_of_points(model, reduction.links.points, centre)
    first = reduction.point_rows
    B[first : first + len(reduction.own_points)] = at_points[reduction.own_points]
    return B


def _no_blocks() -> Any:
    raise ValueError("a reduced system has no blocks of nodes")
