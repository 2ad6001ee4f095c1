"""Heat conduction over time.

1. initial temperatures, prescribed ones in their places
2. steps of TR-BDF2, as long as their error allows, each ending where an output or a kink of a table wants it
3. at each time of output: fields, and a frame with its evidence
4. history: extremes, heat stored and heat entered after every step, which must agree
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.frames import FrameSpec
from dougong.solver.heat.capacity import Capacity, is_lumped
from dougong.solver.heat.history import HeatHistory
from dougong.solver.heat.initial import initial_temperature
from dougong.solver.heat.steps import Instant, Stepper, TimeStep, resolution
from dougong.solver.heat.system import HeatSystem
from dougong.solver.heat.time_plan import TimePlan, time_plan
from dougong.solver.heat.trbdf2 import SAME, StepControl
from dougong.solver.loadings import Loading, refuse
from dougong.solver.loads import check_loads
from dougong.solver.model import Model
from dougong.solver.newton.newton import TOLERANCE
from dougong.solver.newton.tangent import TangentSolver
from dougong.solver.outputs.fields import NodalState, write_fields
from dougong.solver.parallel.comm import Comm
from dougong.solver.step import StepContext
from dougong.solver.summary import Addends, frame_result, step_result
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Heat contents over the length of a step, so many times, are rounding.
_ROUNDING = 1e-8
_RETRIED = ("NEWTON_NOT_CONVERGED", "NON_FINITE", "NOT_CONVERGED", "SINGULAR_SYSTEM")


class Transient:
    """Step from the initial state to the end."""

    NAME = "transient"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model = replace(context.model, time=0.0)
        plan = time_plan(model.step.message)
        context.announce([f"t={t:.12g}" for t in plan.outputs])
        context.stage("assemble", dofs=model.part.n_total)
        _refuse(model)
        linear = all(b.type.order == 1 for b in model.part.blocks)
        lumped = is_lumped(model.step.message.transient_heat.capacity, bool(model.part.comm.min(float(linear))))
        system = HeatSystem(model, Capacity(model, lumped))
        solver = TangentSolver(context, system.symmetric)
        try:
            return _Run(context, system, solver, plan).run()
        finally:
            solver.destroy()


class _Run:
    def __init__(self, context: StepContext, system: HeatSystem, solver: TangentSolver, plan: TimePlan) -> None:
        self._context, self._system, self._solver, self._plan = context, system, solver, plan
        self._comm = system.part.comm
        self._frames: list[result_pb2.Frame] = []
        solver.stage = self._stage
        self._stepper = Stepper(system, solver, self._newton_stage)

    def _stage(self, name: str, **values: float) -> None:
        self._context.frame_stage(name, len(self._frames), dofs=self._system.part.n_total, **values)

    def _newton_stage(self, iteration: int, residual: float) -> None:
        self._stage("solve", iteration=iteration, residual=residual, target_residual=TOLERANCE)

    def run(self) -> result_pb2.StepResult:
        stepper, plan = self._stepper, self._plan
        now = stepper.begin(initial_temperature(self._system.model))
        history = HeatHistory(now, stepper.span(now), self._comm)
        control = StepControl(plan.limits)
        same = SAME * plan.limits.duration
        for end in plan.ends:
            while end - now.time > same:
                step = self._step(now, end - now.time, control, history)
                now = step.end
            if len(self._frames) < len(plan.outputs) and plan.outputs[len(self._frames)] <= end + same:
                self._write(step, history)
        if plan.outputs[-1] + same < plan.limits.duration:
            self._context.keep_end(now.T)
        records = [f.solve for f in self._frames]
        told = step_result(self._system.model, now.held, self._frames, records)
        told.heat_history.CopyFrom(history.message(stepper.iterations))
        return told

    def _step(self, now: Instant, left: float, control: StepControl, history: HeatHistory) -> TimeStep:
        """The next step that is good enough."""
        while True:
            h = control.step(left)
            self._stage("solve")
            try:
                step = self._stepper.step(now, h, self._plan.limits.duration)
            except SolveError as error:
                if error.reason not in _RETRIED or not control.fail(h):
                    raise
                history.rejected += 1
                continue
            span = self._stepper.span(*step.stages)
            scale = resolution(min(span[0], history.low), max(span[1], history.high))
            if control.accept(h, step.error / (self._plan.tolerance * scale)):
                history.add(step, self._stepper.span(step.end))
                return step
            history.rejected += 1
            if control.too_small:
                raise SolveError(
                    "TIME_STEP_TOO_SMALL", time=f"{now.time:.6g}", step=f"{h:.3g}", error=f"{step.error:.3g}"
                )

    def _write(self, step: TimeStep, history: HeatHistory) -> None:
        """Fields and summary of the state at the end of a step."""
        context, number, end = self._context, len(self._frames), step.end
        self._stage("output")
        n = self._system.part.n_owned
        rate = step.rate()
        # Heat that is being stored acts as a load that takes it away.
        loads = end.flows.drive.loads.copy()
        loads[:n] -= rate
        model = self._system.at(end.time, end.T)
        state = NodalState(model, end.held, Loading(loads, end.held.prescribed), end.flows.drive.matrices, end.T)
        spec = FrameSpec(result_pb2.Frame.KIND_TIME, context.frame_names[number], ())
        sizes = np.zeros_like(loads)
        sizes[:n] = sum(np.abs(s.H) for s in step.stages) / step.length
        addends = Addends(np.abs(loads) + sizes, np.abs(end.T), np.abs(end.T))
        extremes = write_fields(context, state, number)
        frame = frame_result(spec, state, extremes, self._solver.reset(), addends)
        frame.value = end.time
        _tell_storage(frame.balance, rate, np.abs(end.flows.entering) + _ROUNDING * sizes[:n], self._comm)
        frame.balance.equilibrium_error = max(frame.balance.equilibrium_error, history.balance_error)
        context.keep(number, end.T, end.time)
        self._frames.append(frame)
        context.end_frame(number)


def _tell_storage(balance: result_pb2.Balance, rate: Array, flows: Array, comm: Comm) -> None:
    """Take what is stored, shape (n_owned, 1) - power, out of the sum of loads; measure the error by what flows."""
    stored, flowing = comm.sum([float(rate.sum()), float(np.abs(rate).sum() + flows.sum())])
    balance.storage = stored
    balance.load_sum[0] += stored
    missing = abs(balance.load_sum[0] + balance.reaction_sum[0] - stored)
    balance.equilibrium_error = missing / max(flowing + abs(balance.reaction_sum[0]), float(np.finfo(float).tiny))


def _refuse(model: Model) -> None:
    builder = ConstraintBuilder(model)
    builder.run()
    refuse(model.part.comm, builder.violations + check_loads(model, model.step.own))


PROCEDURE = Transient()
