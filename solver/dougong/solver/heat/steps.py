"""Time steps of heat conduction: the stages of TR-BDF2 (`heat.trbdf2`), each solved by Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.conditions import ConstraintSet
from dougong.solver.heat import trbdf2
from dougong.solver.heat.system import Flows, HeatSystem
from dougong.solver.newton.newton import Equations, newton
from dougong.solver.newton.tangent import TangentSolver
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Newton iterations of a stage; where they do not suffice the step is tried again, shorter.
_NEWTON = 20
#: A tangent is made anew where the residual does not fall to this part of itself.
_FAST = 0.1
#: Differences of temperatures below this part of their size are rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Instant:
    """The state at the end of a stage.

    Attributes
    ----------
    time
        In the step.
    T
        shape (n_local, 1): temperatures, ghosts too.
    H
        shape (n_owned, 1): heat contents - energy.
    flows
        Heat flows.
    held
        The conditions.
    """

    time: float
    T: Array
    H: Array
    flows: Flows
    held: ConstraintSet


@dataclass(frozen=True)
class TimeStep:
    """A step that was solved.

    Attributes
    ----------
    length
        h.
    stages
        The three of them, the beginning first.
    error
        Estimated largest error of a nodal temperature.
    """

    length: float
    stages: tuple[Instant, Instant, Instant]
    error: float

    @property
    def end(self) -> Instant:
        """The state at its end."""
        return self.stages[2]

    def rate(self) -> Array:
        """Change of the heat contents at its end, shape (n_owned, 1) - power."""
        total = sum(c * stage.H for c, stage in zip(trbdf2.RATE_WEIGHTS, self.stages, strict=True))
        return np.asarray(total / self.length)

    def over_step(self, of: Callable[[Instant], float | Array]) -> float | Array:
        """The integral over the step of what is known at the stages."""
        return self.length * sum(b * of(s) for b, s in zip(trbdf2.WEIGHTS, self.stages, strict=True))


class Stepper:
    """Takes steps.

    Parameters
    ----------
    system
        The equations.
    solver
        Solves the linear ones.
    report
        Called with iteration and relative residual of a Newton iteration.
    """

    def __init__(self, system: HeatSystem, solver: TangentSolver, report: Callable[[int, float], None]) -> None:
        self._system, self._solver, self._report = system, solver, report
        self.comm = system.part.comm
        self.iterations = self._tangents = 0

    def begin(self, T: Array) -> Instant:
        """The state at time 0: given temperatures, but where others are prescribed. Collective."""
        return self._instant(0.0, self._with_prescribed(T, self._system.held(0.0)), self._system.held(0.0))

    def step(self, begin: Instant, h: float, last: float = np.inf) -> TimeStep:
        """Take a step. Collective.

        Parameters
        ----------
        begin
            Where it begins.
        h
            Its length.
        last
            When it ends at the latest, however times are rounded: later, what drives the body may have no values.

        Raises
        ------
        SolveError
            NEWTON_NOT_CONVERGED, or a linear system could not be solved.
        """
        d, (w, _, _) = trbdf2.DIAGONAL, trbdf2.WEIGHTS
        out1 = begin.flows.leaving
        middle = self._stage(begin.T, min(begin.time + trbdf2.GAMMA * h, last), h, begin.H - h * d * out1)
        guess = begin.T + (middle.T - begin.T) / trbdf2.GAMMA
        end = self._stage(guess, min(begin.time + h, last), h, begin.H - h * w * (out1 + middle.flows.leaving))
        stages = (begin, middle, end)
        error = -h * sum(e * s.flows.leaving for e, s in zip(trbdf2.ERROR_WEIGHTS, stages, strict=True))
        return TimeStep(h, stages, self._filtered(end, h, end.held.project(np.asarray(error))))

    def _filtered(self, end: Instant, h: float, error: Array) -> float:
        """Largest error of a temperature, stiff parts damped: that of heat filtered by the matrix of the stages."""
        if not self._largest(error):
            return 0.0  # nothing happens yet, and there may be no matrix
        filtered, _ = self._correction(end.T, end.time, h, error, end.held)
        return self._largest(filtered)

    def _largest(self, values: Array) -> float:
        return float(self.comm.max(np.abs(values).max(initial=0.0)))

    def span(self, *instants: Instant) -> tuple[float, float]:
        """Lowest and highest temperature of some instants. Collective."""
        low = min(s.T.min(initial=np.inf) for s in instants)
        high = max(s.T.max(initial=-np.inf) for s in instants)
        return float(self.comm.min(low)), float(self.comm.max(high))

    def _stage(self, guess: Array, time: float, h: float, known: Array) -> Instant:
        """Solve H(T) + d h G(T) = known on the free nodes."""
        system, weight = self._system, trbdf2.DIAGONAL * h
        held = system.held(time)
        T = self._with_prescribed(guess, held)

        def residual(T: Array) -> Array:
            return held.project(system.content(T) + weight * system.flows(T, time).leaving - known)

        last = np.inf

        def correction(T: Array, R: Array) -> tuple[Array, result_pb2.SolveRecord]:
            # The tangent of an earlier iteration, or stage, serves as long as it brings the residual down.
            nonlocal last
            norm = float(np.sqrt(self.comm.sum(float((R * R).sum()))))
            if not system.constant and (system.linear or norm > _FAST * last):
                self._tangents += 1
            last = norm
            return self._correction(T, time, h, -R, held)

        if system.linear:
            delta, _ = correction(T, residual(T))
            T[: system.part.n_owned] += delta
            system.part.halo.update(T)
            self.iterations += 1
        else:
            equations = Equations(residual, correction, system.part.halo.update, self.comm)
            T, how = newton(equations, T, _NEWTON, self._report, system.model.step.name)
            self.iterations += len(how.corrections)
        return self._instant(time, T, held)

    def _correction(
        self, T: Array, time: float, h: float, rhs: Array, held: ConstraintSet
    ) -> tuple[Array, result_pb2.SolveRecord]:
        system, weight = self._system, trbdf2.DIAGONAL * h
        return self._solver.solve(lambda: system.tangent(T, time, weight), held, rhs, (h, self._tangents))

    def _instant(self, time: float, T: Array, held: ConstraintSet) -> Instant:
        flows = self._system.flows(T, time)
        if self.comm.max(float(not (np.isfinite(T).all() and np.isfinite(flows.leaving).all()))):
            raise SolveError("NON_FINITE", solver="TR-BDF2")
        return Instant(time, T, self._system.content(T), flows, held)

    def _with_prescribed(self, T: Array, held: ConstraintSet) -> Array:
        out = T.copy()
        out[held.nodes] = held.prescribed
        return out


def resolution(low: float, high: float) -> float:
    """The span of temperatures against which errors count; never below what rounding makes of their size."""
    return max(high - low, _ROUNDING * max(abs(low), abs(high)), float(np.finfo(float).tiny))
