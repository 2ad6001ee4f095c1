"""Cantilever with a force at its end, against beam theory with shear.

Closed form: w = F L^3 / (3 E I) + F L / (kappa G A), kappa = 10 (1 + nu) / (12 + 11 nu) for a rectangle; bending
stress sigma_xx = F (L - x) z / I.
Source: Timoshenko and Goodier, "Theory of Elasticity"; kappa: Cowper, "The shear coefficient in Timoshenko's beam
theory", J. Appl. Mech. 33, 1966.
Tolerance: 1 % of the deflection, 1 % of the stress in the middle of the length, away from the clamped end, where the
solid differs from the beam; refinement changes the deflection by less than a quarter of that.
"""

import numpy as np
import pytest

from mapped import at
from meshgen import box
from solving import elastic, solve, vector

L, B, H = 100.0, 5.0, 10.0
E, NU, F = 2.1e5, 0.3, -1000.0
INERTIA, AREA = B * H**3 / 12, B * H
SHEAR_MODULUS, KAPPA = E / (2 * (1 + NU)), 10 * (1 + NU) / (12 + 11 * NU)
DEFLECTION = F * L**3 / (3 * E * INERTIA) + F * L / (KAPPA * SHEAR_MODULUS * AREA)
STRESS = -F * (L / 2) * (H / 2) / INERTIA
TOLERANCE = 0.01


def bend(cell_type, n, method="METHOD_UNSPECIFIED"):
    mesh = box(cell_type, n, (L, B, H))
    # Across its width the clamped end may contract, as the beam does.
    middle = {
        "kind": "KIND_NODES",
        "box": {"min": {"coordinates": [0, 0, H / 2]}, "max": {"coordinates": [0, B, H / 2]}},
    }
    given = elastic(
        E,
        NU,
        regions={"axis": middle},
        conditions=[
            {"region": "x0", "displacement": vector(x=0.0)},
            {"region": "y0", "symmetry": {}},
            {"region": "axis", "displacement": vector(z=0.0)},
        ],
        loads=[{"region": "x1", "totalForce": vector(z=F)}],
        solver={"method": method},
    )
    solution = solve(mesh, given)
    w = solution.field("displacement")[at(mesh.points, (L, 0.0, H / 2)), 2]
    s = solution.field("stress")[at(mesh.points, (L / 2, 0.0, H)), 0]
    return solution, float(w), float(s)


@pytest.mark.parametrize("method", ["METHOD_DIRECT", "METHOD_ITERATIVE"])
@pytest.mark.parametrize(
    ("cell_type", "n", "finer"), [("hex20", (10, 1, 2), (20, 2, 4)), ("tet10", (12, 1, 2), (20, 1, 4))]
)
def test_deflection_and_stress(cell_type, n, finer, method):
    _, before, _ = bend(cell_type, n, method)
    solution, w, s = bend(cell_type, finer, method)
    assert w == pytest.approx(DEFLECTION, rel=TOLERANCE)
    assert s == pytest.approx(STRESS, rel=TOLERANCE)
    assert abs(w - before) < TOLERANCE / 4 * abs(DEFLECTION)
    balance = solution.step.balance
    np.testing.assert_allclose(balance.load_sum, [0, 0, F], atol=1e-9 * abs(F))
    np.testing.assert_allclose(balance.reaction_sum, [0, 0, -F], atol=1e-6 * abs(F))
    # The load's work is half of force times deflection of the end.
    assert balance.external_work == pytest.approx(0.5 * F * DEFLECTION, rel=TOLERANCE)
