r"""TR-BDF2, a one-step method for  dH/dt = F(t, T),  H = H(T),  and the choice of its steps.

A step h from t_n takes two implicit stages, the trapezoidal rule to t_n + γ h and the second backward difference
formula to the end, γ = 2 - √2. As a Runge-Kutta method, with d = γ/2 and w = √2/4:

    stage 1  t_n          H_1 = H_n
    stage 2  t_n + γ h    H_2 = H_n + h (d F_1 + d F_2)
    stage 3  t_n + h      H_3 = H_n + h (w F_1 + w F_2 + d F_3)

Both stages have the matrix ∂H/∂T - d h ∂F/∂T. The method is of second order, and L-stable: what decays quickly is gone
after a step, however long. What the flows F bring, with the weights (w, w, d), is exactly what H gains. A companion of
third order with the same stages gives the error of a step.

Sources: Bank, Coughran, Fichtner, Grosse, Rose, Smith, "Transient simulation of silicon devices and circuits", IEEE
Trans. Electron Devices 32, 1985; Hosea, Shampine, "Analysis and implementation of TR-BDF2", Appl. Numer. Math. 20, 1996
(companion, filtered error); Gustafsson, "Control theoretic techniques for stepsize selection in explicit Runge-Kutta
methods", ACM Trans. Math. Softw. 17, 1991, with the exponents of Hairer, Wanner, "Solving Ordinary Differential
Equations II", 1996, section IV.2 (the controller).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Where the second stage stands in the step.
GAMMA = 2.0 - math.sqrt(2.0)
#: Weight of the stage that is solved for, in both stages.
DIAGONAL = GAMMA / 2.0
_W = math.sqrt(2.0) / 4.0

#: Weights of the stages' flows in what a step gains.
WEIGHTS = (_W, _W, DIAGONAL)
#: Those of the companion less these: h Σ e_j F_j is the error of a step.
ERROR_WEIGHTS = ((1.0 - 4.0 * _W) / 3.0, 1.0 / 3.0, -2.0 * DIAGONAL / 3.0)

#: The rate of change at the end of a step is Σ c_j H_j / h, the derivative of the parabola through the three stages.
RATE_WEIGHTS = (
    (1.0 - GAMMA) / GAMMA,
    -1.0 / (GAMMA * (1.0 - GAMMA)),
    (2.0 - GAMMA) / (1.0 - GAMMA),
)

#: A step is tried again below this part of the whole duration only if it fails.
_SMALLEST = 1e-12
#: Steps aim at this part of the tolerated length, and change at most by these factors.
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 3.0
#: A longer step that is not this much longer is not worth a new factorisation (Hairer, Wanner, section IV.8).
_WORTH = 1.25
#: Two steps that differ by this part of themselves are one.
SAME = 1e-9


@dataclass(frozen=True)
class Limits:
    """What a step may be.

    Attributes
    ----------
    duration
        Of the whole - time.
    first, largest
        The first step; none is longer than the other - time.
    fixed
        Whether every step is as long as the first.
    """

    duration: float
    first: float
    largest: float
    fixed: bool = False


class StepControl:
    """Chooses the steps from their errors, which are relative to the tolerance: 1 is just tolerated.

    Parameters
    ----------
    limits
        What the steps may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._next = min(limits.first, limits.largest)
        self._last_error = 1.0
        self._after_failure = False

    def step(self, left: float) -> float:
        """The next step, where so much time is left until one must end: that time in equal parts."""
        return left / max(1, math.ceil(left / self._next - SAME * left / self._next))

    def accept(self, step: float, error: float) -> bool:
        """Whether a step with such an error is taken; either way the next one is chosen."""
        if self._limits.fixed:
            return True
        error = max(error, 1e-10) if math.isfinite(error) else math.inf
        if error > 1.0:
            factor = _SAFETY * error ** (-1.0 / 3.0) if error < math.inf else _SHRINK
            self._next = step * max(_SHRINK, min(factor, _SAFETY))
            self._after_failure = True
            return False
        factor = _SAFETY * error ** (-0.7 / 3.0) * self._last_error ** (0.4 / 3.0)
        factor = max(_SHRINK, min(factor, 1.0 if self._after_failure else _GROW))
        if 1.0 <= factor < _WORTH:
            factor = 1.0
        self._next = min(step * factor, self._limits.largest)
        self._last_error = max(error, 1e-4)
        self._after_failure = False
        return True

    def fail(self, step: float) -> bool:
        """A step could not be solved; whether a shorter one may be tried."""
        self._next = step / 4.0
        self._after_failure = True
        return not self._limits.fixed and self._next > _SMALLEST * self._limits.duration

    @property
    def too_small(self) -> bool:
        """Whether steps have become so small that there is no end."""
        return self._next <= _SMALLEST * self._limits.duration


def ends_of_steps(duration: float, outputs: Sequence[float], kinks: Sequence[float] = ()) -> list[float]:
    """Times within a duration at which a step must end, ascending, its end the last; nearly equal ones are one.

    Parameters
    ----------
    duration
        Of the whole - time.
    outputs, kinks
        When fields are written, and where a table has a kink - time. Of two that are nearly equal the output stays.
    """
    found = [0.0, duration]
    for t in [*sorted(outputs), *sorted(kinks)]:
        at = bisect.bisect(found, t)
        if 0 < at < len(found) and min(t - found[at - 1], found[at] - t) > SAME * duration:
            found.insert(at, t)
    return found[1:]
