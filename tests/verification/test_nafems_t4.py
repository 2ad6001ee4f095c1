"""NAFEMS T4, two-dimensional conduction with convection.

Target: 18.25 degrees at E = (0.6, 0.2).
Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, October 1990, test T4 (series of Carslaw and Jaeger).
Tolerance: 1 % of the target; the converged value of the series is 18.2538, met to 0.5 %. Refinement changes the value
by less than a quarter of the first.

A rectangle of 0.6 m x 1.0 m, k = 52 W/(m K): 100 degrees on y = 0, x = 0 insulated, h = 750 W/(m^2 K) to 0 degrees on
x = 0.6 and y = 1.
"""

import numpy as np
import pytest

from mapped import at, mapped
from meshgen import box, plate
from solving import heat, solve, value
from verification import published

pytestmark = pytest.mark.published

TARGET, CONVERGED = 18.25, 18.2538
TOLERANCE = 0.01
FILM = {"coefficient": value(750.0), "ambient": value(0.0)}


def temperature(mesh, place):
    given = heat(
        52.0,
        conditions=[{"region": "y0", "temperature": value(100.0)}],
        loads=[{"region": r, "convection": FILM} for r in ("x1", "y1")],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.equilibrium_error < 1e-9
    assert solution.step.balance.energy_error < 1e-9
    return float(solution.field("temperature")[at(mesh.points, place), 0])


def check(model, coarse, fine):
    published.check(
        case="NAFEMS T4",
        quantity=f"temperature at E, {model}",
        source="NAFEMS, The Standard NAFEMS Benchmarks, TNSB rev. 3, 1990",
        target=TARGET,
        ours=fine,
        tolerance=TOLERANCE,
        unit="degC",
    )
    assert fine == pytest.approx(CONVERGED, rel=0.005)
    assert abs(fine - coarse) < TOLERANCE / 4 * TARGET


def graded(p):
    """Cells smaller towards the corner (0.6, 0), where the temperature jumps; p_y = 0.4 goes to y = 0.2."""
    out = p.copy()
    out[:, 0] = 0.6 * (1 - (1 - p[:, 0]) ** 2)
    out[:, 1] = p[:, 1] ** (np.log(0.2) / np.log(0.4))
    return out


# E lies on a node: every mesh has a multiple of five cells along y.
@pytest.mark.parametrize("cell_type", ["quad8", "tri6", "quad9"])
def test_in_the_plane(cell_type):
    check(cell_type, *(temperature(mapped(plate(cell_type, n), graded), (0.6, 0.2)) for n in ((10, 15), (16, 25))))


def test_linear_cells():
    check("quad4", *(temperature(mapped(plate("quad4", n), graded), (0.6, 0.2)) for n in ((24, 40), (36, 60))))


def test_in_space():
    """The same as a slab; nothing changes across its thickness."""
    meshes = [mapped(box("hex20", (*n, 1), (1.0, 1.0, 0.1)), graded) for n in ((8, 10), (12, 15))]
    check("slab of hex20", *(temperature(m, (0.6, 0.2, 0.1)) for m in meshes))
