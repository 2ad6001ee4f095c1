"""Thick cylinder under internal pressure, plane strain (Lamé).

Closed form: a = 0.1 m, b = 0.2 m, E = 2e5 MPa, nu = 0.3, p = 60 MPa:
  sigma_rr = -60 / 0, sigma_tt = 100 / 40 MPa at a / b, sigma_zz = 12 MPa, u_r = 5.72e-5 / 3.64e-5 m.
Source: Code_Aster, Validation V3.04.100, SSLV100 "Hollow cylinder in plane strain".
Tolerance: 2 % of the largest value of each quantity, 0.1 % for displacements; refinement changes the stresses by less
than a quarter of that.

A sector of 60 degrees with curved cells and symmetry planes; turned in space, so that all normals are oblique.
"""

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import elastic, kinematics, solve, value
from verification import published

pytestmark = pytest.mark.published

A, B, E, NU, P = 0.1, 0.2, 2e11, 0.3, 60e6
RADIAL, HOOP, AXIAL = (-60e6, 0.0), (100e6, 40e6), 12e6
DISPLACEMENT = (5.72e-5, 3.64e-5)
TOLERANCE = 0.02


def sector(p):
    r, angle = A * (B / A) ** p[:, 0], np.pi / 3 * p[:, 1]
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), 0.02 * p[:, 2:]])


def rings(cell_type, n, turn):
    """Radial displacement and the stresses rr, tt, zz in local axes, of the nodes at a and at b."""
    mesh = mapped(box(cell_type, n), sector)
    straight = mesh.points
    given = elastic(
        E,
        NU,
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1")],
        loads=[{"region": "x0", "pressure": value(P)}],
    )
    solution = solve(mapped(mesh, lambda p: p @ turn.T), given)
    assert solution.step.balance.energy_error < 1e-9
    u = solution.field("displacement") @ turn  # back into the axes of the cylinder
    s = solution.field("stress")
    tensor = np.empty((len(s), 3, 3))
    for k, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))):
        tensor[:, i, j] = tensor[:, j, i] = s[:, k]
    tensor = np.einsum("ia,nij,jb->nab", turn, tensor, turn)
    r = np.hypot(straight[:, 0], straight[:, 1])
    er = np.column_stack([straight[:, 0] / r, straight[:, 1] / r, 0 * r])
    et = np.column_stack([-er[:, 1], er[:, 0], 0 * r])
    radial = np.einsum("ni,nij,nj->n", er, tensor, er)
    hoop = np.einsum("ni,nij,nj->n", et, tensor, et)
    values = np.column_stack([(u * er).sum(axis=1), radial, hoop, tensor[:, 2, 2]])
    assert np.abs((u * et).sum(axis=1)).max() < 1e-3 * DISPLACEMENT[0]
    assert np.abs(u[:, 2]).max() < 1e-4 * DISPLACEMENT[0]
    return [values[np.isclose(r, radius)] for radius in (A, B)]


def compare(model, found, before):
    """Displacement and stresses rr, tt, zz of the nodes at a and at b."""
    for k in (0, 1):
        np.testing.assert_allclose(found[k][:, 0], DISPLACEMENT[k], rtol=1e-3)
        published.check(
            case="Lamé cylinder",
            quantity=f"hoop stress at {'ab'[k]}, {model}",
            source="Code_Aster, Validation V3.04.100, SSLV100",
            target=HOOP[k],
            ours=found[k][:, 2].mean(),
            tolerance=TOLERANCE,
            unit="Pa",
        )
        for column, target in ((1, RADIAL[k]), (2, HOOP[k]), (3, AXIAL)):
            size = max(abs(target), 60e6)
            assert np.abs(found[k][:, column] - target).max() < TOLERANCE * size, column
            change = abs(found[k][:, column].mean() - before[k][:, column].mean())
            assert change < TOLERANCE / 4 * size, column


TURNS = {"straight": np.eye(3), "turned": rotation((1.0, -2.0, 0.5), 1.1)}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(
    ("cell_type", "coarse", "fine"), [("hex20", (10, 4, 1), (14, 6, 1)), ("tet10", (12, 10, 1), (16, 14, 1))]
)
def test_displacements_and_stresses(cell_type, coarse, fine, turn):
    found = rings(cell_type, fine, TURNS[turn])
    before = rings(cell_type, coarse, TURNS[turn])
    compare(f"{cell_type}, {turn}", found, before)


def slice_rings(cell_type, n):
    """The same from a slice in plane strain."""
    mesh = mapped(plate(cell_type, n), sector)
    given = elastic(
        E,
        NU,
        sections=kinematics("plane_strain"),
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1")],
        loads=[{"region": "x0", "pressure": value(P)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.energy_error < 1e-9
    u, s = solution.field("displacement"), solution.field("stress")
    r = np.linalg.norm(mesh.points, axis=1)
    x, y = (mesh.points / r[:, None]).T
    assert np.abs(u[:, 1] * x - u[:, 0] * y).max() < 1e-3 * DISPLACEMENT[0]
    xx, yy, zz, xy = s[:, :4].T
    radial = xx * x**2 + yy * y**2 + 2 * xy * x * y
    values = np.column_stack([u[:, 0] * x + u[:, 1] * y, radial, xx + yy - radial, zz])
    return [values[np.isclose(r, radius)] for radius in (A, B)]


@pytest.mark.parametrize(("cell_type", "coarse", "fine"), [("quad8", (10, 6), (16, 8)), ("tri6", (16, 14), (22, 20))])
def test_a_slice_in_plane_strain(cell_type, coarse, fine):
    compare(f"plane strain, {cell_type}", slice_rings(cell_type, fine), slice_rings(cell_type, coarse))


def ring_values(cell_type, n):
    """The same about the axis, and the axial force that holds the cylinder."""
    mesh = mapped(plate(cell_type, n), lambda p: np.column_stack([A * (B / A) ** p[:, 0], 0.02 * p[:, 1]]))
    given = elastic(
        E,
        NU,
        sections=kinematics("axisymmetric"),
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1")],
        loads=[{"region": "x0", "pressure": value(P)}],
    )
    solution = solve(mesh, given)
    assert solution.step.balance.energy_error < 1e-9
    assert solution.step.balance.equilibrium_error < 1e-9
    assert solution.step.balance.load_sum[0] == pytest.approx(P * 2 * np.pi * A * 0.02, rel=1e-9)
    force = next(r for r in solution.step.reactions if r.region == "y1").sum[1]
    assert force == pytest.approx(AXIAL * np.pi * (B**2 - A**2), rel=0.01)
    s = solution.field("stress")
    # x is the radius, z the circumference, y the axis.
    values = np.column_stack([solution.field("displacement")[:, 0], s[:, 0], s[:, 2], s[:, 1]])
    return [values[np.isclose(mesh.points[:, 0], radius)] for radius in (A, B)]


@pytest.mark.parametrize(
    ("cell_type", "coarse", "fine"),
    [("quad8", (10, 2), (16, 2)), ("tri6", (16, 4), (24, 6)), ("quad9", (10, 2), (16, 2))],
)
def test_about_its_axis(cell_type, coarse, fine):
    compare(f"axisymmetric, {cell_type}", ring_values(cell_type, fine), ring_values(cell_type, coarse))
