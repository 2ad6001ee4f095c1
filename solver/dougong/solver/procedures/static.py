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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dougong.solver.assemble import BlockMatrix, assemble
from dougong.solver.conditions import ConstraintSet
from dougong.solver.frames import FrameSpec, unit
from dougong.solver.linalg.choice import choose, relative_tolerance, size_of
from dougong.solver.linalg.coarse import LinearLevel
from dougong.solver.linalg.operator import Operator, multigrid_levels
from dougong.solver.linalg.rescue import RescuingSolver
from dougong.solver.linalg.systems import SolveInput
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.links.linking import linked, reduced
from dougong.solver.links.links import Links
from dougong.solver.links.reduced import ReducedSystem
from dougong.solver.loadings import Conditions, Loading, correction_loads, lifted, loadings_of, refuse, superpose
from dougong.solver.loads import ElementMatrices, check_loads
from dougong.solver.model import Model
from dougong.solver.outputs.fields import NodalState, write_fields
from dougong.solver.step import StepContext
from dougong.solver.summary import Addends, frame_result, step_result
from dougong.solver.thermal.increments import TOGETHER, Increment, increments_of
from dougong.v1 import result_pb2


@dataclass(frozen=True)
class _Driven:
    """A step with all that acts on it: what holds it, its loadings, and what loads add to the stiffness.

    Attributes
    ----------
    model
        Of which the matrix is made.
    of_increments
        The model of each loading where the loadings are those of increments, each at its time; else empty.
    """

    model: Model
    constraints: ConstraintSet
    loadings: list[Loading]
    matrices: list[ElementMatrices]
    links: Links | None = None
    of_increments: tuple[Model, ...] = ()

    @cached_property
    def reduction(self) -> LinkedReduction | None:
        """By conditions and links; None where there are none. Collective the first time.

        Raises
        ------
        InputError
            Equations contradict each other, or conditions.
        """
        if self.links is None:
            return None
        return reduced(self.model.part, self.constraints, self.links, self.loadings, blocks=True)

    @property
    def dofs(self) -> int:
        return self.model.components * self.model.part.n_total


@dataclass(frozen=True)
class _Solved:
    """Nodal values of a loading, shape (n_local, nc), ghosts too; unknowns of points; and how they were found."""

    u: np.ndarray
    points: np.ndarray
    record: result_pb2.SolveRecord


class Static:
    """Solve for each load case, superpose for each combination; or solve for each frame of a step that is followed."""

    NAME = "static"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model = context.model
        context.stage("assemble", dofs=model.components * model.part.n_total)
        increments = increments_of(model)
        if not increments:
            driven = _drive(model)
            solved = _solve_all(context, driven, model.step.frames)
            frames = _write_all(context, driven, model.step.frames, solved)
            return _told(context, driven, frames, [s.record for s in solved if s is not None])
        context.announce([i.name for i in increments])
        frames, records = [], []
        # Where the law depends on temperature each increment has a matrix of its own, else some share one.
        together = 1 if model.varying.any() else TOGETHER
        for first in range(0, len(increments), together):
            some = increments[first : first + together]
            driven = _follow(model, some)
            specs = [FrameSpec(result_pb2.Frame.KIND_INCREMENT, i.name, unit(k, len(some))) for k, i in enumerate(some)]
            solved = _solve_all(context, driven, specs, first)
            frames += _write_all(context, driven, specs, solved, first, [i.value for i in some])
            records += [s.record for s in solved if s is not None]
        return _told(context, driven, frames, records)


def _drive(model: Model) -> _Driven:
    """Evaluate conditions and loads.

    Raises
    ------
    InputError
        Something is wrong with them.
    """
    links = linked(model)
    conditions = _conditions(model)
    loadings, matrices = loadings_of(model, conditions, links)
    return _Driven(model, conditions.constraints, loadings, matrices, links)


def _conditions(model: Model) -> Conditions:
    conditions = Conditions(model)
    here = conditions.violations + [v for acting in model.step.acting for v in check_loads(model, acting)]
    refuse(model.part.comm, here)
    return conditions


def _follow(model: Model, increments: list[Increment]) -> _Driven:
    """Evaluate conditions and loads at increments that have one matrix: a loading for each.

    Raises
    ------
    InputError
        Something is wrong with them.
    """
    loadings, models, links = [], [], linked(model)
    for increment in increments:
        at = increment.of(model)
        conditions = _conditions(at)
        found, matrices = loadings_of(at, conditions, links)
        loadings.append(found[0])
        models.append(at)
    return _Driven(at, conditions.constraints, loadings, matrices, links, tuple(models))


def _write_all(
    context: StepContext,
    driven: _Driven,
    specs: Sequence[FrameSpec],
    solved: list[_Solved | None],
    first: int = 0,
    values: Sequence[float | None] = (),
) -> list[result_pb2.Frame]:
    """Write the fields of frames, the number of the first of which is given, and tell what they came to."""
    solutions = [s.u if s is not None else None for s in solved]
    frames = []
    for k, spec in enumerate(specs):
        number = first + k
        context.frame_stage("output", number, dofs=driven.dofs)
        loading = Loading.superposed(spec.weights, driven.loadings)
        u = superpose(spec.weights, solutions)
        points = None
        if driven.reduction is not None:
            points = driven.reduction, superpose(spec.weights, [s.points if s else None for s in solved])
        model = driven.of_increments[k] if driven.of_increments else driven.model
        state = NodalState(model, driven.constraints, loading, driven.matrices, u, points)
        extremes = write_fields(context, state, number)
        own = solved[spec.solved] if spec.solved is not None else None
        addends = None if own is not None else Addends.of(spec.weights, driven.loadings, solutions)
        frame = frame_result(spec, state, extremes, own.record if own is not None else None, addends)
        value = values[k] if values else None
        if value is not None:
            frame.value = value
        frames.append(frame)
        context.keep(number, u, value, loading.thermal)
        context.end_frame(number)
    return frames


def _told(
    context: StepContext, driven: _Driven, frames: list[result_pb2.Frame], records: list[result_pb2.SolveRecord]
) -> result_pb2.StepResult:
    """What the step came to."""
    result = step_result(driven.model, driven.constraints, frames, records)
    if driven.reduction is not None:
        unused = int(driven.model.part.comm.sum(int(driven.reduction.unused.sum())))
        independent = driven.reduction.n_total - unused
        result.constrained_dofs = driven.dofs + driven.reduction.links.unknowns.points - independent
        context.notices += [*driven.reduction.links.notices, *driven.reduction.notices]
    return result


def _solve_all(
    context: StepContext, driven: _Driven, specs: Sequence[FrameSpec], first: int = 0
) -> list[_Solved | None]:
    """Solve for the loadings that a frame needs; None for the others. The number of the first frame is given.

    The matrix and what was made of it are gone when the fields are computed: they are the largest things there are.
    """
    model = driven.model
    # What the step's own conditions and loads do alone is seldom a frame, and often nothing.
    needed = [any(spec.weights[k] for spec in specs) for k in range(len(driven.loadings))]
    if all(spec.solved != 0 for spec in specs) and not model.part.comm.max(driven.loadings[0].size):
        needed[0] = False
    size = size_of(model.regions.stored, model.components)
    choice = choose(context.solver, size)

    system: _NodalSystem | ReducedSystem = _NodalSystem(driven)
    if driven.reduction is not None:
        system = ReducedSystem(model, driven.reduction, driven.loadings, driven.matrices, context.mpi)
    frame: int | None = None

    def stage(name: str) -> None:
        context.frame_stage(name, frame, dofs=driven.dofs)

    def on_iteration(iteration: int, residual: float) -> None:
        target = relative_tolerance(context.solver)
        numbers = {"iteration": iteration, "residual": residual, "target_residual": target}
        context.frame_stage("solve", frame, dofs=driven.dofs, **numbers)

    solver = RescuingSolver(system.given(), context.solver, choice, size, context.mpi, stage, on_iteration)
    solved: list[_Solved | None] = []
    try:
        for k in range(len(driven.loadings)):
            if not needed[k]:
                solved.append(None)
                continue
            frame = next((first + n for n, spec in enumerate(specs) if spec.solved == k), None)
            y, record = solver.solve(system.right_hand_side(k), further=sum(needed[k + 1 :]))
            u, points = system.solution(k, y)
            solved.append(_Solved(u, points, record))
    finally:
        solver.destroy()
        system.destroy()
    return solved


class _NodalSystem:
    """P K P + s (1 - P) for the nodes of a step that nothing links."""

    def __init__(self, driven: _Driven) -> None:
        self._driven = driven

    def given(self) -> SolveInput:
        """What a solver needs. Collective."""
        driven, model = self._driven, self._driven.model

        def matrix() -> BlockMatrix:
            return assemble(model, driven.constraints, driven.loadings[0].loads, driven.matrices).matrix

        def levels() -> tuple[Operator, LinearLevel] | None:
            return multigrid_levels(model, driven.constraints, driven.matrices)

        return SolveInput(model.part, matrix, _near_nullspace(model), levels)

    def right_hand_side(self, number: int) -> np.ndarray:
        """That of a loading, by its number. Collective."""
        driven = self._driven
        return correction_loads(driven.model, driven.constraints, driven.matrices, driven.loadings[number])

    def solution(self, number: int, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nodal values, ghosts too, and no unknowns of points. Collective."""
        driven, part = self._driven, self._driven.model.part
        u = lifted(driven.model, driven.constraints, driven.loadings[number].prescribed)
        u[: part.n_owned] += y
        part.halo.update(u)
        return u, np.empty(0)

    def destroy(self) -> None:
        """Nothing is held."""


def _near_nullspace(model: Model) -> np.ndarray:
    """Motions without flux at the owned nodes, about the centre of the whole mesh."""
    part = model.part
    owned = part.points[: part.n_owned]
    centre = part.comm.sum(owned.sum(axis=0)) / part.n_total
    return model.physics.free_modes(owned - centre)[1]


PROCEDURE = Static()
