"""The mass matrix against its form and against exact moments of bodies."""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import kernels
from dougong.solver.elements import SOLVABLE
from dougong.solver.modes.mass import mass_matrix, mass_properties
from meshgen import box, plate
from solving import elastic, kinematics, model_of, value

SOLIDS = [c for c in SOLVABLE if CELL_TYPES[c].dim == 3]
PLANES = [c for c in SOLVABLE if CELL_TYPES[c].dim == 2]
KINDS = ("plane_stress", "plane_strain", "axisymmetric")


def model(mesh, *sections):
    given = elastic(material={"density": value(3.0)}, conditions=[])
    return model_of(mesh, given | ({"sections": sections[0]} if sections else {}))


def crooked(mesh):
    """Nodes displaced, those between corners too."""
    rng = np.random.default_rng(3)
    mesh.points[:] = mesh.points + rng.uniform(-0.01, 0.01, mesh.points.shape)
    return mesh


def made_by_hand(monkeypatch, of):
    with monkeypatch.context() as without:
        without.setattr(kernels, "available", lambda: False)
        return mass_matrix(of)


@pytest.mark.parametrize("cell", SOLIDS)
def test_kernel_and_form_are_equal_in_space(cell, monkeypatch):
    of = model(box(cell, (2, 1, 1)))
    fused, formed = mass_matrix(of), made_by_hand(monkeypatch, of)
    np.testing.assert_array_equal(fused.indices, formed.indices)
    np.testing.assert_allclose(fused.values, formed.values, rtol=0, atol=1e-14 * np.abs(formed.values).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", PLANES)
def test_kernel_and_form_are_equal_in_the_plane(cell, kind, monkeypatch):
    section = kinematics(kind, **({} if kind == "axisymmetric" else {"thickness": 0.25}))
    of = model(plate(cell, (2, 2)), section)
    fused, formed = mass_matrix(of), made_by_hand(monkeypatch, of)
    np.testing.assert_allclose(fused.values, formed.values, rtol=0, atol=1e-14 * np.abs(formed.values).max())


@pytest.mark.parametrize("cell", SOLIDS)
def test_a_block(cell):
    """Mass, centre and inertia of a box, far from the origin."""
    a, b, c = 2.0, 0.5, 0.3
    mesh = box(cell, (2, 1, 1), (a, b, c))
    mesh.points[:] += (10.0, -5.0, 7.0)
    of = model(mesh)
    found = mass_properties(of, mass_matrix(of))
    m = 3.0 * a * b * c
    assert found.mass == pytest.approx(m, rel=1e-12)
    np.testing.assert_allclose(found.centre, (10 + a / 2, -5 + b / 2, 7 + c / 2), rtol=1e-12)
    exact = m / 12 * np.diag([b**2 + c**2, a**2 + c**2, a**2 + b**2])
    np.testing.assert_allclose(found.inertia, exact, atol=1e-11 * m)


def test_matrix_is_symmetric_and_positive():
    of = model(box("tet10", (1, 1, 1)))
    m = mass_matrix(of)
    n = of.part.n_owned
    full = np.zeros((n, n))
    for row in range(n):
        places = slice(m.indptr[row], m.indptr[row + 1])
        full[row, m.indices[places]] = m.values[places, 1, 1]
    np.testing.assert_allclose(full, full.T, atol=1e-16)
    assert np.linalg.eigvalsh(full).min() > 0
    assert np.abs(m.values[:, 0, 1]).max() == 0


def test_a_sheet_counts_its_thickness():
    of = model(plate("quad8", (2, 2), (2.0, 1.0)), kinematics("plane_stress", thickness=0.1))
    found = mass_properties(of, mass_matrix(of))
    assert found.mass == pytest.approx(3.0 * 0.2, rel=1e-12)
    assert found.inertia[2, 2] == pytest.approx(3.0 * 0.2 * 5 / 12, rel=1e-12)


@pytest.mark.parametrize("cell", PLANES)
def test_a_tube_about_its_axis(cell):
    """Radii 1 and 3, height 2: the moments of the whole ring."""
    mesh = plate(cell, (3, 2), (2.0, 2.0))
    mesh.points[:, 0] += 1.0
    of = model(mesh, kinematics("axisymmetric"))
    found = mass_properties(of, mass_matrix(of))
    m = 3.0 * np.pi * (9 - 1) * 2
    assert found.mass == pytest.approx(m, rel=1e-12)
    np.testing.assert_allclose(found.centre, (0, 1, 0), atol=1e-12)
    across = m / 12 * (3 * (9 + 1) + 2**2)
    np.testing.assert_allclose(found.inertia, np.diag([across, m / 2 * 10, across]), rtol=1e-12, atol=1e-10 * m)
