"""A slender bar that is held at both ends and heated: it buckles, and before that its pitch falls.

Both ends clamped: α ΔT = 4 π² I / (A L²), from Euler's load 4 π² E I / L² (Timoshenko, Gere, "Theory of Elastic
Stability", 2nd edition 1961, article 2.1) and the force E A α ΔT. It expands along its axis only and has ν = 0, so that
its ends are not pressed across it.
"""

import numpy as np
import pytest

from meshgen import box, plate
from solving import kinematics, solve, value
from thermal_cases import ALPHA, COLD, heated, orthotropic, warm
from verification import published

L, H = 100.0, 1.0
#: The shear that the formula leaves out lowers the critical rise by about this part.
SHEAR = 0.003
CRITICAL = np.pi**2 / 3 * (H / L) ** 2 / ALPHA
CLAMPED = [{"region": r, "fixed": {}} for r in ("x0", "x1")]


def bar(cell_type="quad8"):
    return plate(cell_type, (40, 1), (L, H)) if cell_type == "quad8" else box(cell_type, (40, 1, 1), (L, H, 1.3))


def analysis(*steps, cell_type="quad8"):
    material = orthotropic((ALPHA, 0.0, 0.0)) | {"density": value(7.85e-9)}
    given = heated(COLD, (), nu=0.0, material=material)
    given["sections"] = kinematics("plane_stress") if cell_type == "quad8" else [{"material": "m"}]
    del given["outputs"]
    return given | {"steps": list(steps)}


def held(rise, **step):
    return step | {"conditions": CLAMPED, "loads": [warm(COLD + rise)]}


@pytest.mark.published
@pytest.mark.parametrize(("cell_type", "ranks"), [("quad8", 1), ("quad8", 2), ("hex20", 1)])
def test_critical_temperature(cell_type, ranks):
    ended = solve(bar(cell_type), analysis(held(10.0, buckling={"count": 1}), cell_type=cell_type), ranks)
    published.check(
        case="Heated bar between clamps",
        quantity=f"critical rise of temperature, {cell_type}, {ranks} rank(s)",
        source="Timoshenko, Gere, Theory of Elastic Stability, 2nd ed., 1961, article 2.1",
        target=CRITICAL,
        ours=10.0 * ended.step.frames[0].value,
        tolerance=2 * SHEAR,
        unit="K",
    )
    assert ended.step.balance.energy_error < 1e-8
    assert ended.step.balance.equilibrium_error < 1e-8


def test_the_pitch_of_a_heated_bar():
    """Half way to the critical temperature the square of the frequency is about half; at it, it is zero."""
    modes = {"modes": {"count": 1}, "conditions": CLAMPED}
    cold = solve(bar(), analysis(modes)).step.frames[0].value
    for part, square in ((0.5, 0.5), (0.95, 0.05)):
        heating = held(part * CRITICAL * (1 - SHEAR), name="heating", static={})
        both = solve(bar(), analysis(heating, modes | {"prestress": {"step": "heating"}}))
        warm_ = both.result.steps[1].frames[0].value
        assert (warm_ / cold) ** 2 == pytest.approx(square, abs=0.02)


def test_the_prestress_is_that_of_the_frame():
    """Of two load cases of other temperatures."""
    modes = {"modes": {"count": 1}, "conditions": CLAMPED}
    cases = [{"name": f"c{k}", "loads": [warm(COLD + k * CRITICAL / 4)]} for k in (1, 3)]
    heating = {"name": "heating", "static": {}, "conditions": CLAMPED, "loadCases": cases}
    steps = [modes | {"prestress": {"step": "heating", "frame": k}, "name": f"m{k}"} for k in (0, 1)]
    first, second = (s.frames[0].value ** 2 for s in solve(bar(), analysis(heating, *steps)).result.steps[1:])
    assert second / first == pytest.approx(1 / 3, abs=0.02)
