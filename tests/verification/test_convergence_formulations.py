"""Rates of reduced integration, B-bar, incompatible modes and mixed pressure: p + 1 in L2, p in the energy norm.

A constant pressure approximates one that varies to first order: p is 1 of such cells, here tri6, while they keep the
order of their displacements where no volume changes (test_locking, which has those in space).
"""

import pytest

from meshgen import box, plate
from schemes import B_BAR, INCOMPATIBLE, MIXED, REDUCED, name_of, section
from solving import Discrete, elastic
from verification.test_convergence import (
    DIVISIONS,
    LAMBDA,
    NU,
    PLANE_LAMBDA,
    E,
    beside_the_axis,
    displacement,
    displacement_gradient,
    expect,
    force_for,
    order,
    plane_displacement,
    plane_displacement_gradient,
    rates,
    ring_force,
)

IN_SPACE = [row for row in REDUCED + B_BAR + INCOMPATIBLE + MIXED if not row[1] and row[2] != {"formulation": "mixed"}]
IN_SPACE += [(name, "", {"formulation": "mixed"}) for name in ("hex20", "hex27")]
IN_THE_PLANE = [row for row in REDUCED + B_BAR + INCOMPATIBLE + MIXED if row[1]]


@pytest.mark.parametrize("row", IN_SPACE, ids=name_of)
def test_in_space(row):
    cell_type, _, scheme = row
    given = elastic(E, NU, sections=[section(**scheme)])
    cases = [(n, Discrete(box(cell_type, (n, n, n)), given)) for n in DIVISIONS[cell_type]]
    expect(rates(cases, displacement, displacement_gradient, force_for(LAMBDA)), order(cell_type))


@pytest.mark.parametrize("row", IN_THE_PLANE, ids=name_of)
def test_in_the_plane(row):
    cell_type, kind, scheme = row
    given = elastic(E, NU, sections=[section(kinematics=kind, **scheme)])
    constant = scheme == {"formulation": "mixed"} and cell_type == "tri6"
    sizes = [2 * n for n in DIVISIONS[cell_type]] if scheme == {"formulation": "mixed"} else DIVISIONS[cell_type]
    p = 1 if constant else order(cell_type)
    if kind == "axisymmetric":
        cases, force = [(n, Discrete(beside_the_axis(cell_type, n), given)) for n in sizes], ring_force
    else:
        cases = [(n, Discrete(plate(cell_type, (n, n)), given)) for n in sizes]
        force = force_for(PLANE_LAMBDA[kind])
    expect(rates(cases, plane_displacement, plane_displacement_gradient, force), p)
