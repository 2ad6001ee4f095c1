"""Nearly incompressible solids against published and exact answers, mixed pressure.

Cook's panel in plane strain, E = 70 MPa, thickness 5 mm, sheared by 6.25 MPa: displacement of the upper corner 32.27
(CalculiX, Elmer) and 32.20 mm (Code_Aster) with nu = 1/3; with nu = 0.4999 27.35 mm of quadratic hexahedra, 27.52 mm
of quadratic tetrahedra. Source: CoFEA, benchmark 02, tables cook_0_33.csv, cook_0_49.csv. Tolerance: 2 %, on meshes
whose refinement changes the value by less than half of that, as there is a singular point at the clamped corner.

Thick cylinder under internal pressure in plane strain and about its axis, nu = 0.49999, exact (Timoshenko, Goodier,
"Theory of Elasticity", 1970, article 28): radial stress A - B / r^2, hoop stress A + B / r^2 with
A = p a^2 / (b^2 - a^2), B = A b^2; u_r = (1 + nu) / E ((1 - 2 nu) A r + B / r). Tolerance: 0.1 % of displacements, 2 %
of stresses relative to the pressure.
"""

import numpy as np
import pytest

from mapped import mapped
from meshgen import box, plate
from schemes import section
from solving import elastic, solve, value, vector
from verification import published

pytestmark = pytest.mark.published

MIXED = {"formulation": "mixed"}


def panel(p):
    height = 44 * p[:, 0] + (44 - 28 * p[:, 0]) * p[:, 1]
    return np.column_stack([48 * p[:, 0], height, 5 * p[:, 2:] / (p[:, 2:].max() if p.shape[1] == 3 else 1.0)])


def corner(cell_type, n, nu, scheme):
    mesh = mapped(box(cell_type, (n, n, 1)), panel)
    held = [{"region": r, "displacement": vector(z=0.0)} for r in ("z0", "z1")]
    given = elastic(
        70.0,
        nu,
        sections=[section(**scheme)],
        conditions=[{"region": "x0", "fixed": {}}, *held],
        loads=[{"region": "x1", "traction": vector(y=6.25)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.energy_error < 1e-7
    there = np.flatnonzero((mesh.points[:, :2] > [48 - 1e-6, 60 - 1e-6]).all(axis=1))
    return float(solution.field("displacement")[there, 1].mean())


@pytest.mark.parametrize(
    ("cell_type", "nu", "scheme", "target", "of"),
    [
        ("hex20", 1 / 3, {}, 32.27, "CalculiX, Elmer"),
        ("hex20", 1 / 3, {"integration": "reduced"}, 32.20, "Code_Aster"),
        ("hex27", 0.4999, MIXED, 27.35, "quadratic hexahedra"),
        ("hex20", 0.4999, MIXED, 27.35, "quadratic hexahedra"),
        ("tet10", 0.4999, MIXED, 27.52, "quadratic tetrahedra"),
    ],
)
def test_cooks_panel(cell_type, nu, scheme, target, of):
    coarse, fine = corner(cell_type, 8, nu, scheme), corner(cell_type, 12, nu, scheme)
    published.check(
        case="Cook's panel in plane strain",
        quantity=f"displacement y of the corner, nu = {nu:.4g}, {cell_type} {' '.join(scheme.values())}".strip(),
        source=f"CoFEA, benchmark 02: {of}",
        target=target,
        ours=fine,
        tolerance=0.02,
        unit="mm",
    )
    assert abs(fine - coarse) < 0.01 * target


A, B, E, NU, P = 0.1, 0.2, 2e9, 0.49999, 6e6
FACTOR = P * A**2 / (B**2 - A**2)


def radial(r):
    """Displacement, stress rr, tt, zz in plane strain."""
    u = (1 + NU) / E * ((1 - 2 * NU) * FACTOR * r + FACTOR * B**2 / r)
    return u, FACTOR * (1 - B**2 / r**2), FACTOR * (1 + B**2 / r**2), 2 * NU * FACTOR


def sector(p):
    r, angle = A * (B / A) ** p[:, 0], np.pi / 2 * p[:, 1]
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), 0.02 * p[:, 2:]])


def slice_of_ring(p):
    return np.column_stack([A + (B - A) * p[:, 0], 0.05 * p[:, 1]])


def cylinder(cell_type, kind, scheme, n):
    """Points and radial displacement, stresses along x, y, z, where y = 0."""
    pressure = [{"region": "x0", "pressure": value(P)}]
    if kind == "axisymmetric":
        mesh, sides = mapped(plate(cell_type, (n, 2)), slice_of_ring), ("y0", "y1")
    elif kind == "plane_strain":
        mesh, sides = mapped(plate(cell_type, (n, n)), sector), ("y0", "y1")
    else:
        mesh, sides = mapped(box(cell_type, (n, n, 1)), sector), ("y0", "y1", "z0", "z1")
    own = {"kinematics": kind} if kind else {}
    conditions = [{"region": s, "symmetry": {}} for s in sides]
    solution = solve(mesh, elastic(E, NU, sections=[section(**own, **scheme)], conditions=conditions, loads=pressure))
    assert solution.step.balance.equilibrium_error < 1e-6
    line = np.flatnonzero(np.abs(mesh.points[:, 1]) < 1e-9)
    return mesh.points[line, 0], solution.field("displacement")[line, 0], solution.field("stress")[line]


CYLINDERS = [
    ("quad9", "plane_strain", MIXED, 8),
    ("quad8", "plane_strain", MIXED, 16),
    ("tri6", "plane_strain", MIXED, 16),
    ("quad4", "plane_strain", {"formulation": "b_bar"}, 32),
    ("quad9", "axisymmetric", MIXED, 8),
    ("quad4", "axisymmetric", {"formulation": "b_bar"}, 32),
    ("hex27", "", MIXED, 8),
    ("hex20", "", MIXED, 12),
    ("tet10", "", MIXED, 8),
]


@pytest.mark.parametrize(("cell_type", "kind", "scheme", "n"), CYLINDERS)
def test_thick_cylinder(cell_type, kind, scheme, n):
    r, u, s = cylinder(cell_type, kind, scheme, n)
    exact, rr, tt, zz = radial(r)
    linear = cell_type == "quad4"
    name = f"{cell_type} {kind} {scheme['formulation']}".replace("  ", " ")
    for place, radius in (("a", A), ("b", B)):
        here = np.isclose(r, radius)
        published.check(
            case="Thick cylinder, nu = 0.49999",
            quantity=f"radial displacement at {place}, {name}",
            source="exact: Timoshenko, Goodier, Theory of Elasticity, 1970, article 28",
            target=float(exact[here].mean()),
            ours=float(u[here].mean()),
            tolerance=0.002 if linear else 0.001,
            unit="m",
        )
    hoop = 2 if kind == "axisymmetric" else 1
    wanted = {0: rr, hoop: tt, 3 - hoop: zz + 0 * r}
    for k, target in wanted.items():
        # A pressure that is constant in each cell is a staircase: at its ends it is off by half a step.
        assert np.abs(s[:, k] - target).max() < (0.02 if cell_type in ("quad9", "hex27") else 0.15) * P, k


def test_plain_linear_cells_lock():
    _, u, _ = cylinder("quad4", "plane_strain", {}, 8)
    assert u.max() < 0.2 * radial(A)[0]
