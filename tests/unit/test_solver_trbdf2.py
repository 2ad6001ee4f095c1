"""TR-BDF2 and the choice of its steps, on ordinary differential equations that are solved exactly."""

import math

import pytest

from dougong.solver.heat.trbdf2 import (
    DIAGONAL,
    ERROR_WEIGHTS,
    GAMMA,
    RATE_WEIGHTS,
    WEIGHTS,
    Limits,
    StepControl,
    ends_of_steps,
)


def stages(rate, u, h):
    """The stages of a step of u' = rate u."""
    f1 = rate * u
    u2 = (u + h * DIAGONAL * f1) / (1 - h * DIAGONAL * rate)
    u3 = (u + h * WEIGHTS[0] * (f1 + rate * u2)) / (1 - h * DIAGONAL * rate)
    return u, u2, u3


def test_second_order_and_third_order_error():
    """The error of a step falls with the third power; its estimate comes near it faster."""
    errors, left = [], []
    for h in (0.05, 0.025, 0.0125):
        u = stages(-1.0, 1.0, h)
        error = u[2] - math.exp(-h)
        estimate = h * sum(e * -x for e, x in zip(ERROR_WEIGHTS, u, strict=True))
        errors.append(error)
        left.append(abs(error + estimate))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(3, abs=0.1)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(3, abs=0.1)
    assert math.log2(left[1] / left[2]) == pytest.approx(4, abs=0.3)


def test_weights_are_those_of_a_method_of_second_order():
    c = (0.0, GAMMA, 1.0)
    assert sum(WEIGHTS) == pytest.approx(1.0, abs=1e-15)
    assert sum(b * x for b, x in zip(WEIGHTS, c, strict=True)) == pytest.approx(0.5, abs=1e-15)
    assert sum(ERROR_WEIGHTS) == pytest.approx(0.0, abs=1e-15)
    companion = [b + e for b, e in zip(WEIGHTS, ERROR_WEIGHTS, strict=True)]
    assert sum(b * x**2 for b, x in zip(companion, c, strict=True)) == pytest.approx(1 / 3, abs=1e-15)


def test_what_is_stiff_is_gone_after_a_step():
    assert abs(stages(-1e9, 1.0, 1.0)[2]) < 1e-8


def test_rate_of_a_parabola():
    h, u = 0.7, lambda t: 3 - 2 * t + 5 * t * t
    found = sum(c * u(x * h) for c, x in zip(RATE_WEIGHTS, (0.0, GAMMA, 1.0), strict=True)) / h
    assert found == pytest.approx(-2 + 10 * h, rel=1e-13)


def test_steps_end_where_they_must():
    control = StepControl(Limits(10.0, 3.0, 4.0))
    assert control.step(10.0) == 2.5
    assert control.step(3.0) == 3.0
    assert control.step(0.5) == 0.5


def test_a_step_with_too_large_an_error_is_shortened_and_then_not_lengthened_at_once():
    control = StepControl(Limits(10.0, 1.0, 10.0))
    assert not control.accept(1.0, 8.0)
    shorter = control.step(10.0)
    assert 0.3 < shorter <= 0.45
    assert control.accept(shorter, 0.01)
    assert control.step(10.0) == pytest.approx(shorter, rel=0.1)
    assert control.accept(shorter, 0.01)
    assert control.step(10.0) > 1.3 * shorter


def test_a_step_that_could_be_a_little_longer_stays():
    control = StepControl(Limits(10.0, 1.0, 10.0))
    assert control.accept(1.0, 0.6)
    assert control.step(10.0) == 1.0


def test_no_step_is_longer_than_allowed_and_fixed_ones_never_change():
    control = StepControl(Limits(10.0, 1.0, 1.25))
    assert control.accept(1.0, 1e-9)
    assert control.step(10.0) == 1.25
    fixed = StepControl(Limits(10.0, 1.0, 1.0, fixed=True))
    assert fixed.accept(1.0, 100.0)
    assert fixed.step(10.0) == 1.0
    assert not fixed.fail(1.0)


def test_steps_do_not_shrink_for_ever():
    control = StepControl(Limits(1.0, 1e-3, 1.0))
    h = 1e-3
    while not control.too_small:
        assert not control.accept(h, math.inf)
        assert control.step(1.0) < h
        h = control.step(1.0)
    control = StepControl(Limits(1.0, 1e-3, 1.0))
    h, tries = 1e-3, 0
    while control.fail(h):
        h, tries = control.step(1.0), tries + 1
    assert tries < 20


def test_ends():
    assert ends_of_steps(10.0, [5.0, 0.0, -1.0, 12.0, 5.0 + 1e-12, 10.0, 2.0]) == [2.0, 5.0, 10.0]
    assert ends_of_steps(10.0, [10.0 - 1e-12]) == [10.0]
    # Of an output and a kink that are nearly equal the output stays.
    assert ends_of_steps(1.0, [0.3, 1.0], [0.3 - 5e-10, 0.5, 1.0 - 5e-10]) == [0.3, 0.5, 1.0]
