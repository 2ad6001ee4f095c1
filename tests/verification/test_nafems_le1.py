"""NAFEMS LE1, elliptic membrane, in plane stress: as a sheet, and as a solid.

Target: sigma_yy = 92.7 MPa at D = (2, 0).
Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, October 1990, test LE1.
Tolerance: 2 % of the target, on meshes whose refinement changes the value by less than a quarter of that.

A quarter of a plate between the ellipses (2, 1) and (3.25, 2.75), 0.1 m thick, E = 210 GPa, nu = 0.3, 10 MPa outward on
the outer edge. Free to contract across its thickness: symmetry on x = 0, y = 0 and, of the solid, on one face z = 0.
"""

import numpy as np
import pytest

from mapped import at, mapped
from meshgen import box, plate
from schemes import section
from solving import elastic, solve, value
from verification import published

pytestmark = pytest.mark.published

SOURCE = "NAFEMS, The Standard NAFEMS Benchmarks, TNSB rev. 3, 1990"
TARGET = 92.7e6
TOLERANCE = 0.02
INNER, OUTER = np.array([2.0, 1.0]), np.array([3.25, 2.75])


def compare(model, found):
    published.check(
        case="NAFEMS LE1",
        quantity=f"stress yy at D, {model}",
        source=SOURCE,
        target=TARGET,
        ours=found,
        tolerance=TOLERANCE,
        unit="Pa",
    )


def membrane(p):
    angle = 0.5 * np.pi * p[:, 1:2] ** 1.3
    direction = np.hstack([np.cos(angle), np.sin(angle)])
    plane = INNER * direction + p[:, :1] ** 1.6 * (OUTER - INNER) * direction
    return np.column_stack([plane, 0.1 * p[:, 2:]])


def stress(cell_type, n):
    mesh = mapped(box(cell_type, n), membrane)
    given = elastic(
        2.1e11,
        0.3,
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1", "z0")],
        loads=[{"region": "x1", "pressure": value(-10e6)}],
    )
    solution = solve(mesh, given)
    s = solution.field("stress")[at(mesh.points, (2.0, 0.0, 0.1))]
    assert abs(s[2]) < 0.02 * TARGET, "plane stress"
    return float(s[1])


@pytest.mark.parametrize(
    ("cell_type", "coarse", "fine"), [("hex20", (8, 8, 1), (10, 10, 1)), ("tet10", (18, 18, 1), (22, 22, 1))]
)
def test_stress_at_d(cell_type, coarse, fine):
    before, found = stress(cell_type, coarse), stress(cell_type, fine)
    compare(f"solid of {cell_type}", found)
    assert abs(found - before) < TOLERANCE / 4 * TARGET


def sheet_stress(cell_type, n, **scheme):
    mesh = mapped(plate(cell_type, n), membrane)
    given = elastic(
        2.1e11,
        0.3,
        sections=[section(kinematics="plane_stress", thickness=value(0.1), **scheme)],
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1")],
        loads=[{"region": "x1", "pressure": value(-10e6)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.equilibrium_error < 1e-9
    assert solution.step.balance.energy_error < 1e-9
    s = solution.field("stress")[at(mesh.points, (2.0, 0.0))]
    assert not s[[2, 4, 5]].any()
    return float(s[1])


@pytest.mark.parametrize(
    ("cell_type", "coarse", "fine"),
    [("quad8", (18, 18), (24, 24)), ("quad9", (18, 18), (24, 24)), ("tri6", (32, 32), (40, 40))],
)
def test_stress_at_d_of_a_sheet(cell_type, coarse, fine):
    before, found = sheet_stress(cell_type, coarse), sheet_stress(cell_type, fine)
    compare(f"plane stress, {cell_type}", found)
    assert abs(found - before) < TOLERANCE / 4 * TARGET


def test_stress_at_d_of_a_sheet_with_reduced_integration():
    before, found = (sheet_stress("quad8", (n, n), integration="reduced") for n in (18, 24))
    compare("plane stress, quad8, reduced integration", found)
    assert abs(found - before) < TOLERANCE / 4 * TARGET
