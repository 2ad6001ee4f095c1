"""Scordelis-Lo roof: a barrel vault on rigid diaphragms under its own weight, one layer of solids thick.

Target: deflection 0.3024 at the middle of the free edge.
Source: MacNeal, Harder, "A proposed standard set of problems to test finite element accuracy", Finite Elem. Anal.
Des. 1, 1985; read in the Altair OptiStruct verification problem OS-V:0730.
Tolerance: 1 % of the target; refinement changes the value by less than a quarter of that.

Radius 25, length 50, angle 80 degrees, thickness 0.25, E = 4.32e8, nu = 0, weight 90 over area; a quarter of it.
"""

import numpy as np
import pytest

from mapped import at, mapped
from meshgen import box
from schemes import section
from solving import elastic, solve, vector
from verification import published

pytestmark = pytest.mark.published

TARGET, TOLERANCE = 0.3024, 0.01
RADIUS, HALF, ANGLE, THICKNESS = 25.0, 25.0, np.radians(40), 0.25


def deflection(n, **scheme):
    def into(p):
        angle, r = ANGLE * p[:, 0], RADIUS + THICKNESS * (p[:, 2] - 0.5)
        return np.column_stack([r * np.sin(angle), HALF * p[:, 1], r * np.cos(angle)])

    mesh = mapped(box("hex20", (n, n, 1)), into)
    given = elastic(
        4.32e8,
        0.0,
        sections=[section(**scheme)],
        conditions=[
            {"region": "x0", "displacement": vector(x=0.0)},
            {"region": "y0", "displacement": vector(y=0.0)},
            {"region": "y1", "displacement": vector(x=0.0, z=0.0)},
        ],
        loads=[{"bodyForce": vector(z=-90.0 / THICKNESS)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.equilibrium_error < 1e-6
    edge = at(mesh.points, (RADIUS * np.sin(ANGLE), 0.0, RADIUS * np.cos(ANGLE)))
    return -float(solution.field("displacement")[edge, 2])


def test_deflection_of_the_free_edge():
    coarse, fine = deflection(6, integration="reduced"), deflection(8, integration="reduced")
    published.check(
        case="Scordelis-Lo roof",
        quantity="deflection at the middle of the free edge, hex20 reduced, 8 x 8 x 1 of a quarter",
        source="MacNeal, Harder, Finite Elem. Anal. Des. 1, 1985",
        target=TARGET,
        ours=fine,
        tolerance=TOLERANCE,
    )
    assert abs(fine - coarse) < TOLERANCE / 4 * TARGET


def test_full_integration_is_stiffer_on_coarse_meshes():
    assert deflection(4) < 0.85 * TARGET
    assert deflection(4, integration="reduced") == pytest.approx(TARGET, rel=TOLERANCE)
