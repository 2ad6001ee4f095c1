"""NAFEMS LE10, thick plate under pressure.

Target: sigma_yy = -5.38 MPa at D = (2, 0, 0.3), on top of the inner ellipse.
Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, October 1990, test LE10.
Tolerance: 2 % of the target, on meshes whose refinement changes the value by less than a quarter of that.

A quarter of a plate between two ellipses, 0.6 m thick, E = 210 GPa, nu = 0.3, 1 MPa on the top face. Symmetry on the
planes x = 0 and y = 0; on the outer face u_x = u_y = 0, and u_z = 0 on its line in mid-plane only.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh, Region, RegionKind
from mapped import at, mapped
from meshgen import box
from schemes import section
from solving import elastic, solve, value, vector
from verification import published

pytestmark = pytest.mark.published

TARGET = -5.38e6
TOLERANCE = 0.02
INNER, OUTER = np.array([2.0, 1.0]), np.array([3.25, 2.75])


def plate(n):
    """Cells graded towards the inner ellipse; mid-side nodes lie on ellipses too."""

    def into(p):
        angle = 0.5 * np.pi * p[:, 1:2]
        direction = np.hstack([np.cos(angle), np.sin(angle)])
        plane = INNER * direction + p[:, :1] ** 1.6 * (OUTER - INNER) * direction
        return np.column_stack([plane, 0.6 * p[:, 2] - 0.3])

    mesh = mapped(box("hex20", n), into)
    on_outer = np.isclose((mesh.points[:, :2] ** 2 / OUTER**2).sum(axis=1), 1.0)
    line = Region("line", RegionKind.NODES, np.flatnonzero(on_outer & (np.abs(mesh.points[:, 2]) < 1e-9)))
    return Mesh(mesh.points, mesh.blocks, (*mesh.regions, line))


def stress(n, **scheme):
    mesh = plate(n)
    given = elastic(
        2.1e11,
        0.3,
        sections=[section(**scheme)],
        conditions=[
            {"region": "y0", "displacement": vector(y=0.0)},
            {"region": "y1", "displacement": vector(x=0.0)},
            {"region": "x1", "displacement": vector(x=0.0, y=0.0)},
            {"region": "line", "displacement": vector(z=0.0)},
        ],
        loads=[{"region": "z1", "pressure": value(1e6)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.equilibrium_error < 1e-9
    return float(solution.field("stress")[at(mesh.points, (2.0, 0.0, 0.3)), 1])


def test_stress_at_d():
    coarse, fine = stress((6, 6, 4)), stress((9, 9, 6))
    published.check(
        case="NAFEMS LE10",
        quantity="stress yy at D, hex20",
        source="NAFEMS, The Standard NAFEMS Benchmarks, TNSB rev. 3, 1990",
        target=TARGET,
        ours=fine,
        tolerance=TOLERANCE,
        unit="Pa",
    )
    assert abs(fine - coarse) < TOLERANCE / 4 * abs(TARGET)


def test_reduced_integration_exaggerates_it_on_coarse_meshes():
    """Stress at a surface is extrapolated from two points across a cell in which it falls steeply."""
    coarse, fine = stress((6, 6, 4), integration="reduced"), stress((12, 12, 8), integration="reduced")
    assert 1.05 < coarse / TARGET < 1.12
    assert 1.0 < fine / TARGET < 1.04
