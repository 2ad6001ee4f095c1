"""Bodies of revolution: heat through a hollow cylinder, and a tube that is pulled and has weight.

Hollow cylinder: T = T_a + (T_b - T_a) ln(r / a) / ln(b / a), heat flow 2 pi k h (T_a - T_b) / ln(b / a); with a film h
outside the resistances ln(b / a) / (2 pi k L) and 1 / (2 pi b L h) add up.
Source: Carslaw and Jaeger, "Conduction of Heat in Solids", 1959, section 7.2.
Tolerance: 1e-4 of the temperature difference and of the flow; refinement changes the values by less than that.
Tube: stress F / (pi (b^2 - a^2)), which the element contains (1e-9).
"""

import numpy as np
import pytest

from mapped import mapped
from meshgen import plate
from solving import elastic, heat, kinematics, solve, value, vector

A, B, LENGTH = 0.5, 2.0, 0.6
K, HOT, COLD = 40.0, 300.0, 20.0


def tube(cell_type, n):
    return mapped(plate(cell_type, n), lambda p: np.column_stack([A * (B / A) ** p[:, 0], LENGTH * p[:, 1]]))


@pytest.mark.parametrize("cell_type", ["tri6", "quad8", "quad9"])
def test_heat_through_a_hollow_cylinder(cell_type):
    mesh = tube(cell_type, (12, 2))
    conditions = [
        {"region": "x0", "temperature": value(HOT)},
        {"region": "x1", "temperature": value(COLD)},
    ]
    solution = solve(mesh, heat(K, sections=kinematics("axisymmetric"), conditions=conditions))
    r = mesh.points[:, 0]
    exact = HOT + (COLD - HOT) * np.log(r / A) / np.log(B / A)
    assert np.abs(solution.field("temperature")[:, 0] - exact).max() < 1e-4 * (HOT - COLD)
    flow = 2 * np.pi * K * LENGTH * (HOT - COLD) / np.log(B / A)
    inner, outer = (solution.step.reactions[k].sum[0] for k in (0, 1))
    assert inner == pytest.approx(flow, rel=1e-4)
    assert outer == pytest.approx(-flow, rel=1e-4)
    assert solution.step.balance.equilibrium_error < 1e-9
    assert solution.step.balance.energy_error < 1e-9


def test_film_around_a_hollow_cylinder():
    h = 15.0
    film = {"coefficient": value(h), "ambient": value(COLD)}
    given = heat(
        K,
        sections=kinematics("axisymmetric"),
        conditions=[{"region": "x0", "temperature": value(HOT)}],
        loads=[{"region": "x1", "convection": film}],
    )
    solution = solve(tube("quad8", (12, 2)), given)
    resistance = np.log(B / A) / (2 * np.pi * K * LENGTH) + 1 / (2 * np.pi * B * LENGTH * h)
    assert solution.step.reactions[0].sum[0] == pytest.approx((HOT - COLD) / resistance, rel=1e-4)


@pytest.mark.parametrize("cell_type", ["tri3", "quad4", "tri6", "quad8"])
def test_a_total_force_is_that_of_the_whole_ring(cell_type):
    force, area = 1000.0, np.pi * (B**2 - A**2)
    given = elastic(
        sections=kinematics("axisymmetric"),
        conditions=[{"region": "y0", "symmetry": {}}],
        loads=[{"region": "y1", "totalForce": vector(y=force)}],
    )
    # Straight cells with their nodes in the middle: there the integration is exact.
    straight = mapped(plate(cell_type, (4, 2)), lambda p: p * [B - A, LENGTH] + [A, 0.0])
    solution = solve(straight, given)
    exact = np.zeros(6)
    exact[1] = force / area
    assert np.abs(solution.field("stress") - exact).max() < 1e-8 * exact[1]
    assert solution.step.reactions[0].sum[1] == pytest.approx(-force, rel=1e-9)
    assert solution.step.balance.equilibrium_error < 1e-9


def test_weight_is_that_of_the_whole_ring():
    density, g = 7800.0, 9.81
    given = elastic(
        material={"density": value(density)},
        sections=kinematics("axisymmetric"),
        conditions=[{"region": "y0", "symmetry": {}}],
        loads=[{"gravity": vector(y=-g)}],
    )
    solution = solve(tube("quad8", (8, 2)), given)
    weight = density * g * np.pi * (B**2 - A**2) * LENGTH
    assert solution.step.reactions[0].sum[1] == pytest.approx(weight, rel=1e-9)
