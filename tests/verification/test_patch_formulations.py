"""Patch tests of reduced integration, B-bar, incompatible modes and mixed pressure.

A linear displacement is reproduced exactly on distorted cells, stresses too, and the nodal forces inside cancel. The
eight points of a hexahedron of 20 nodes do not integrate the forces of a constant stress on curved faces exactly: its
faces are flat here, those of the others are curved.
"""

import numpy as np
import pytest

from meshgen import box, plate
from schemes import B_BAR, INCOMPATIBLE, MIXED, REDUCED, name_of, section
from solving import Discrete, elastic

E, NU = 2.1e5, 0.3
LAMBDA, MU = E * NU / ((1 + NU) * (1 - 2 * NU)), E / (2 * (1 + NU))
EXACT = 1e-10


def mesh(cell_type, kinematics, scheme):
    straight = kinematics == "axisymmetric" or (cell_type == "hex20" and "integration" in scheme)
    curve = 0.0 if straight else 0.15 if cell_type.startswith("pyramid") else 0.3
    if kinematics:
        return plate(cell_type, (3, 3), (1.0, 0.8), distort=0.35, curve=curve, seed=3)
    return box(cell_type, (2, 2, 2), (1.0, 0.8, 1.2), distort=0.35, curve=curve, seed=3)


@pytest.mark.parametrize("row", REDUCED + B_BAR + INCOMPATIBLE + MIXED, ids=name_of)
def test_linear_displacement(row):
    _, kinematics, scheme = row
    own = {"kinematics": kinematics} if kinematics else {}
    case = Discrete(mesh(*row), elastic(E, NU, sections=[section(**own, **scheme)]))
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    if kinematics:
        gradient[2] = gradient[:, 2] = 0.0
    if kinematics == "axisymmetric":
        gradient = np.diag([7e-4, -4e-4, 7e-4])
    if kinematics == "plane_stress":
        gradient[2, 2] = -NU / (1 - NU) * np.trace(gradient)
    dim = case.points.shape[1]
    exact = case.points @ gradient[:dim, :dim].T
    assert case.n_inside > 0
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert np.abs(u - exact).max() <= EXACT * np.abs(exact).max()
    strain = (gradient + gradient.T) / 2
    stress = LAMBDA * np.trace(strain) * np.eye(3) + 2 * MU * strain
    wanted = np.array([stress[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))])
    found = case.recover(u, ["stress"], ["stress"])
    for values in (found.nodal["stress"], found.at_points["stress"][0]):
        assert np.abs(values - wanted).max() <= EXACT * np.abs(wanted).max()
    inside = np.setdiff1d(np.arange(case.model.part.n_owned), case.boundary)
    assert np.abs(found.internal[inside]).max(initial=0.0) <= EXACT * np.abs(found.internal).max()
    assert found.energy == pytest.approx(0.5 * np.sum(stress * strain) * volume(kinematics), rel=EXACT)


def volume(kinematics):
    if kinematics == "axisymmetric":
        return np.pi * 0.8  # radius 1, height 0.8
    return 0.8 if kinematics else 1.0 * 0.8 * 1.2
