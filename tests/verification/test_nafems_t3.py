"""NAFEMS T3, one-dimensional transient conduction: a bar whose end is warmed by a sine.

Bar of 0.1 m, k = 35 W/(m K), c = 440.5 J/(kg K), ρ = 7200 kg/m³, at 0 °C; the left end stays there, the right end has
100 sin(π t/40) °C. Wanted: the temperature at x = 0.08 m after 32 s.
Target: the series of Duhamel's theorem (Carslaw, Jaeger, "Conduction of Heat in Solids", 1959, section 3.5), evaluated
below: 36.603. The value commonly quoted for this case is 36.60; its original was not at hand.
Tolerance: 0.1 %. Refining in space and time comes nearer.
"""

import numpy as np
import pytest

from mapped import at
from meshgen import box, plate
from solving import solve, value
from transients import transient
from verification import published

pytestmark = pytest.mark.published

L, K, HEAT = 0.1, 35.0, 440.5 * 7200.0


def series(x, t, terms=4000):
    """Temperature of the bar: what the end has at the time, linear in x, less what lags behind."""
    n, w = np.arange(1, terms + 1), np.pi / 40
    rate = K / HEAT * (n * np.pi / L) ** 2
    lag = 100 * w * (rate * np.cos(w * t) + w * np.sin(w * t) - rate * np.exp(-rate * t)) / (rate**2 + w**2)
    shape = 2 * (-1.0) ** (n + 1) / (n * np.pi) * np.sin(n * np.pi * x / L)
    return 100 * np.sin(w * t) * x / L - (shape * lag).sum()


def bar(mesh, **options):
    """The temperature wanted."""
    ends = [
        {"region": "x0", "temperature": value(0.0)},
        {"region": "x1", "temperature": {"expression": "100*sin(pi*t/40)"}},
    ]
    units = {"system": "SYSTEM_SI", "absoluteZero": -273.15}
    ended = solve(mesh, transient(K, HEAT, duration=32.0, conditions=ends, options=options, units=units))
    assert ended.step.heat_history.balance_error < 1e-9
    return float(ended.field("temperature")[at(mesh.points, (0.08, *[0.0] * (mesh.points.shape[1] - 1))), 0])


MESHES = {
    "quad4": plate("quad4", (20, 1), size=(L, 0.01)),
    "quad8": plate("quad8", (20, 1), size=(L, 0.01)),
    "tri6": plate("tri6", (20, 1), size=(L, 0.01)),
    "hex20": box("hex20", (20, 1, 1), (L, 0.01, 0.01)),
}


@pytest.mark.parametrize("cell", MESHES)
def test_t3(cell):
    ours = bar(MESHES[cell], tolerance=3e-4)
    if cell == "quad4":
        # Linear cells of a twentieth of the length are not that fine.
        assert ours == pytest.approx(series(0.08, 32.0), rel=1e-2)
        return
    published.check(
        case=f"NAFEMS T3, {cell}",
        quantity="temperature at x = 0.08 m after 32 s",
        source="series of Duhamel's theorem (Carslaw and Jaeger, 1959), evaluated in the test",
        target=series(0.08, 32.0),
        ours=ours,
        tolerance=1e-3,
        unit="°C",
    )


def test_refining_comes_nearer():
    target = series(0.08, 32.0)
    assert pytest.approx(36.603, abs=1e-3) == target
    coarse = abs(bar(plate("quad4", (10, 1), size=(L, 0.01)), tolerance=1e-5) - target)
    fine = abs(bar(plate("quad4", (40, 1), size=(L, 0.01)), tolerance=1e-5) - target)
    assert fine < coarse / 10
