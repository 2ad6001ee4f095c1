"""One linear system for all load cases of a step: static equilibrium, steady conduction.

1. conditions   -> projectors P
2. loads        -> for each case f and prescribed u0
3. assemble     -> P K P + s (1 - P)
4. solve        -> for each case u = u0 + y,  (P K P + s (1 - P)) y = P (f - K u0)
5. superpose    -> for each combination f, u0 and u
6. recover      -> fluxes, internal forces F(u), reactions F(u) - f
7. write        -> fields, summary with its evidence
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dougong.solver.assemble import BlockMatrix, assemble
from dougong.solver.coarse import LinearLevel
from dougong.solver.conditions import ConstraintSet
from dougong.solver.fields import NodalState, write_fields
from dougong.solver.linalg import SolveInput
from dougong.solver.linalg_choice import choose, relative_tolerance, size_of
from dougong.solver.loadings import Conditions, Loading, correction_loads, lifted, loadings_of, refuse, superpose
from dougong.solver.loads import ElementMatrices, check_loads
from dougong.solver.model import Model
from dougong.solver.operator import Operator, multigrid_levels
from dougong.solver.rescue import RescuingSolver
from dougong.solver.step import StepContext
from dougong.solver.summary import Addends, frame_result, step_result
from dougong.v1 import result_pb2


@dataclass(frozen=True)
class _Driven:
    """A step with all that acts on it: what holds it, its loadings, and what loads add to the stiffness."""

    model: Model
    constraints: ConstraintSet
    loadings: list[Loading]
    matrices: list[ElementMatrices]

    @property
    def dofs(self) -> int:
        return self.model.components * self.model.part.n_total


@dataclass(frozen=True)
class _Solved:
    """Nodal values of a loading, shape (n_local, nc), ghosts too; and how they were found."""

    u: np.ndarray
    record: result_pb2.SolveRecord


class Static:
    """Solve for each load case, superpose for each combination."""

    NAME = "static"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model, specs = context.model, context.model.step.frames
        context.stage("assemble", dofs=model.components * model.part.n_total)
        driven = _drive(model)
        solved = _solve_all(context, driven)
        solutions = [s.u if s is not None else None for s in solved]
        frames = []
        for number, spec in enumerate(specs):
            context.frame_stage("output", number, dofs=driven.dofs)
            loading = Loading(
                superpose(spec.weights, [x.loads for x in driven.loadings]),
                superpose(spec.weights, [x.prescribed for x in driven.loadings]),
            )
            u = superpose(spec.weights, solutions)
            state = NodalState(model, driven.constraints, loading, driven.matrices, u)
            extremes = write_fields(context, state, number)
            own = solved[spec.solved] if spec.solved is not None else None
            addends = None if own is not None else Addends.of(spec.weights, driven.loadings, solutions)
            frames.append(frame_result(spec, state, extremes, own.record if own is not None else None, addends))
            context.keep(number, u)
            context.end_frame(number)
        return step_result(model, driven.constraints, frames, [s.record for s in solved if s is not None])


def _drive(model: Model) -> _Driven:
    """Evaluate conditions and loads.

    Raises
    ------
    InputError
        Something is wrong with them.
    """
    conditions = Conditions(model)
    here = conditions.violations + [v for acting in model.step.acting for v in check_loads(model, acting)]
    refuse(model.part.comm, here)
    return _Driven(model, conditions.constraints, *loadings_of(model, conditions))


def _solve_all(context: StepContext, driven: _Driven) -> list[_Solved | None]:
    """Solve for the loadings that a frame needs; None for the others.

    The matrix and what was made of it are gone when the fields are computed: they are the largest things there are.
    """
    model, constraints = driven.model, driven.constraints
    # What the step's own conditions and loads do alone is seldom a frame, and often nothing.
    needed = [any(spec.weights[k] for spec in model.step.frames) for k in range(len(driven.loadings))]
    if len(needed) > 1 and not model.part.comm.max(driven.loadings[0].size):
        needed[0] = False
    size = size_of(model.regions.stored, model.components)
    choice = choose(context.solver, size)

    def matrix() -> BlockMatrix:
        return assemble(model, constraints, driven.loadings[0].loads, driven.matrices).matrix

    def levels() -> tuple[Operator, LinearLevel] | None:
        return multigrid_levels(model, constraints, driven.matrices)

    given = SolveInput(model.part, matrix, _near_nullspace(model), levels)
    frame: int | None = None

    def stage(name: str) -> None:
        context.frame_stage(name, frame, dofs=driven.dofs)

    def on_iteration(iteration: int, residual: float) -> None:
        target = relative_tolerance(context.solver)
        numbers = {"iteration": iteration, "residual": residual, "target_residual": target}
        context.frame_stage("solve", frame, dofs=driven.dofs, **numbers)

    solver = RescuingSolver(given, context.solver, choice, size, context.mpi, stage, on_iteration)
    solved: list[_Solved | None] = []
    try:
        for k, loading in enumerate(driven.loadings):
            if not needed[k]:
                solved.append(None)
                continue
            frame = next((n for n, spec in enumerate(model.step.frames) if spec.solved == k), None)
            rhs = correction_loads(model, constraints, driven.matrices, loading)
            y, record = solver.solve(rhs, further=sum(needed[k + 1 :]))
            u = lifted(model, constraints, loading.prescribed)
            u[: model.part.n_owned] += y
            model.part.halo.update(u)
            solved.append(_Solved(u, record))
    finally:
        solver.destroy()
    return solved


def _near_nullspace(model: Model) -> np.ndarray:
    """Motions without flux at the owned nodes, about the centre of the whole mesh."""
    part = model.part
    owned = part.points[: part.n_owned]
    centre = part.comm.sum(owned.sum(axis=0)) / part.n_total
    return model.physics.free_modes(owned - centre)[1]


PROCEDURE = Static()
