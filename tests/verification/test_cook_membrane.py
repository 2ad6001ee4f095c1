"""Cook's membrane, plane stress.

Target: u_y = 23.96 at the middle (48, 52) of the loaded edge. Values told for the corner (48, 60) are larger.
Source: Cook, "Improved two-dimensional finite element", J. Struct. Div. ASCE 100, 1974; the value is the one that
refined meshes of many codes agree on.
Tolerance: 0.2 % of the target; refinement changes the value by less than half of that. Linear cells: 2 %.

A panel with corners (0, 0), (48, 44), (48, 60), (0, 44), clamped at x = 0, sheared by a force of 1 at x = 48; E = 1,
nu = 1/3, thickness 1.
"""

import numpy as np
import pytest

from mapped import at, mapped
from meshgen import plate
from solving import elastic, kinematics, solve, vector
from verification import published

pytestmark = pytest.mark.published

TARGET = 23.96


def panel(p):
    return np.column_stack([48 * p[:, 0], 44 * p[:, 0] + (44 - 28 * p[:, 0]) * p[:, 1]])


def deflection(cell_type, n, thickness=1.0):
    mesh = mapped(plate(cell_type, (n, n)), panel)
    given = elastic(
        1.0,
        1 / 3,
        sections=kinematics("plane_stress", thickness=thickness),
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"region": "x1", "totalForce": vector(y=1.0)}],
    )
    solution = solve(mesh, given)
    (clamped,) = solution.step.reactions
    np.testing.assert_allclose(clamped.sum, [0.0, -1.0], atol=1e-9)
    assert solution.step.balance.energy_error < 1e-9
    return float(solution.field("displacement")[at(mesh.points, (48.0, 52.0)), 1])


@pytest.mark.parametrize("cell_type", ["tri6", "quad8", "quad9"])
def test_middle_of_the_loaded_edge(cell_type):
    before, found = deflection(cell_type, 16), deflection(cell_type, 24)
    published.check(
        case="Cook's membrane",
        quantity=f"displacement y at the middle of the loaded edge, {cell_type}",
        source="Cook, J. Struct. Div. ASCE 100, 1974; converged value of many codes",
        target=TARGET,
        ours=found,
        tolerance=0.002,
    )
    assert abs(found - before) < 0.001 * TARGET


def test_linear_cells():
    assert deflection("quad4", 48) == pytest.approx(TARGET, rel=0.02)


def test_half_as_thick_is_twice_as_soft():
    assert deflection("quad8", 4, 0.5) == pytest.approx(2 * deflection("quad8", 4), rel=1e-9)
