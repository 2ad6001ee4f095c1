"""A steady state that depends on itself, by radiation or by constants that depend on temperature: Newton's method.

Each load case is solved by itself, beginning at the initial state of the step, or at the highest temperature that is
prescribed or surrounds the body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.solver.frames import FrameSpec
from dougong.solver.heat.initial import initial_temperature
from dougong.solver.heat.system import HeatSystem
from dougong.solver.loadings import Conditions, Loading, refuse
from dougong.solver.loads import check_loads
from dougong.solver.model import Model
from dougong.solver.newton.newton import TOLERANCE, Convergence, Equations, newton
from dougong.solver.newton.tangent import TangentSolver
from dougong.solver.outputs.fields import NodalState, write_fields
from dougong.solver.step import StepContext
from dougong.solver.summary import frame_result, step_result
from dougong.solver.values.on_model import Values
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Iterations allowed.
_ITERATIONS = 50


class Newton:
    """Solve each load case."""

    NAME = "newton"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model = context.model
        context.stage("assemble", dofs=model.part.n_total)
        _refuse(model)
        start = _start(model)
        frames = []
        for number, spec in enumerate(model.step.frames):
            case = number + 1 if model.step.cases else 0
            system = HeatSystem(model, None, case)
            T, how = _solve(context, system, start, number)
            frames.append(_frame(context, system, T, how, number, spec))
        return step_result(model, system.held(model.time), frames, [f.solve for f in frames])


def _solve(context: StepContext, system: HeatSystem, start: Array, number: int) -> tuple[Array, Convergence]:
    time, part = system.model.time, system.part
    held = system.held(time)
    solver = TangentSolver(context, system.symmetric)

    def residual(T: Array) -> Array:
        return held.project(system.flows(T, time).leaving)

    def correction(T: Array, R: Array) -> tuple[Array, result_pb2.SolveRecord]:
        return solver.solve(lambda: system.tangent(T, time, 1.0), held, -R, None)

    def report(iteration: int, residual: float) -> None:
        numbers = {"iteration": iteration, "residual": residual, "target_residual": TOLERANCE}
        context.frame_stage("solve", number, dofs=part.n_total, **numbers)

    T = start.copy()
    T[held.nodes] = held.prescribed
    try:
        T, how = newton(
            Equations(residual, correction, part.halo.update, part.comm), T, _ITERATIONS, report, system.model.step.name
        )
        how.solves = [solver.record]
        return T, how
    finally:
        solver.destroy()


def _frame(
    context: StepContext, system: HeatSystem, T: Array, how: Convergence, number: int, spec: FrameSpec
) -> result_pb2.Frame:
    time, part = system.model.time, system.part
    context.frame_stage("output", number, dofs=part.n_total)
    drive, held = system.drive(T, time), system.held(time)
    state = NodalState(system.at(time, T), held, Loading(drive.loads, held.prescribed), drive.matrices, T)
    extremes = write_fields(context, state, number)
    record = how.solves[-1]
    first = how.residuals[0] or 1.0
    record.newton_residuals.extend(r / first for r in how.residuals)
    record.newton_corrections.extend(how.corrections)
    frame = frame_result(spec, state, extremes, record)
    context.keep(number, T)
    context.end_frame(number)
    return frame


def _start(model: Model) -> Array:
    """Temperatures at which the iteration begins, shape (n_local, 1). Collective."""
    step, part = model.step, model.part
    if step.message.initial.WhichOneof("state") is not None:
        return initial_temperature(model)
    highest = float(Conditions(model).constraints.prescribed.max(initial=-np.inf))
    for acting in step.acting:
        for k, load in enumerate(acting.loads):
            kind = load.WhichOneof("kind")
            if kind in model.physics.RESTRAINING_LOADS:
                around = Values(model, load, f"{acting.path}.loads[{k}]").at(getattr(load, kind).ambient, part.points)
                highest = max(highest, float(np.max(around, initial=-np.inf)))
    highest = float(part.comm.max(highest))
    return np.full((part.n_local, 1), highest if np.isfinite(highest) else 0.0)


def _refuse(model: Model) -> None:
    here = Conditions(model).violations + [v for acting in model.step.acting for v in check_loads(model, acting)]
    refuse(model.part.comm, here)


PROCEDURE = Newton()
