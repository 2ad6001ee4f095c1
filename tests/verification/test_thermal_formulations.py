"""Thermal strain under every integration and formulation: a bar held at its ends and warmed evenly.

Stress -E α ΔT along it and no other, strain energy E (α ΔT)^2 / 2 over its volume, on distorted cells; free expansion
across it is part of that. (Timoshenko, Goodier, "Theory of Elasticity", 3rd edition 1970, chapter 13.)
"""

import numpy as np
import pytest

from meshgen import box, plate
from schemes import B_BAR, INCOMPATIBLE, MIXED, REDUCED, name_of, section
from solving import solve
from thermal_cases import ALPHA, COLD, HOT, heated

E, NU, RISE = 2.1e5, 0.3, HOT - COLD
ROWS = [row for row in REDUCED + B_BAR + INCOMPATIBLE + MIXED if row[1] in ("", "plane_stress")]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_bar_held_at_its_ends(row):
    cell_type, kind, scheme = row
    how = {"distort": 0.3, "curve": 0.0 if "integration" in scheme else 0.1, "seed": 4}
    mesh = plate(cell_type, (2, 2), **how) if kind else box(cell_type, (2, 2, 2), **how)
    own = section(**({"kinematics": kind} if kind else {}), **scheme)
    held = ("x0", "x1", "y0") if kind else ("x0", "x1", "y0", "z0")
    solved = solve(mesh, heated(HOT, held, E, NU, solver={"method": "METHOD_DIRECT"}, sections=[own]))
    pressed = -E * ALPHA * RISE
    stress = np.array([pressed, 0, 0, 0, 0, 0])
    assert np.abs(solved.field("stress") - stress).max() < 1e-9 * abs(pressed)
    balance = solved.step.balance
    assert balance.internal_energy == pytest.approx(E * (ALPHA * RISE) ** 2 / 2, rel=1e-9)
    assert balance.equilibrium_error < 1e-11
    assert balance.energy_error < 1e-11
