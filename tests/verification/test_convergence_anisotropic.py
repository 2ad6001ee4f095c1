"""Convergence to a manufactured solution where the law has no symmetry, and where its axes turn from place to place.

As in `test_convergence`: order p + 1 in L2, p in the energy norm. The forces follow from the field by differentiation,
f_i = -C_ijkl ∂_j ∂_l u_k - ∂_j C_ijkl ∂_l u_k.
"""

import numpy as np
import pytest
from skfem import LinearForm

from dougong.solver.materials import anisotropic
from mapped import rotation
from meshgen import box, plate
from oriented import FIBRES, TRICLINIC, axes, fibre_matrix, fibres, made_of, stiffness, triclinic, turn
from solving import Discrete, elastic
from verification.test_convergence import (
    AMPLITUDE,
    DIRECTION,
    DIVISIONS,
    PHASE,
    displacement,
    displacement_gradient,
    expect,
    order,
    plane_displacement,
    plane_displacement_gradient,
    rates,
)

R = rotation((1, -2, 3), 1.1)
#: Degrees of the fibres in the plane: how fast their angle changes along x and y.
TURN = np.array([40.0, -25.0])


@LinearForm
def force_without_symmetry(v, w):
    """∂_j ∂_l u_k = -k_kj k_kl u_k."""
    law = stiffness(anisotropic.matrix(**TRICLINIC), R)
    u = AMPLITUDE[:, None, None] * np.sin(np.einsum("ij,jnq->inq", DIRECTION, w.x) + PHASE[:, None, None])
    f = np.einsum("ijkl,kj,kl,knq->inq", law, DIRECTION, DIRECTION, u)
    return np.einsum("inq,inq->nq", f, np.broadcast_to(v, f.shape))


@pytest.mark.parametrize("cell_type", ["hex8", "tet10", "wedge15"])
def test_without_symmetry(cell_type):
    given = made_of(triclinic(), elastic(), orientation="o") | {"orientations": {"o": axes(R)}}
    cases = [(n, Discrete(box(cell_type, (n, n, n)), given)) for n in DIVISIONS[cell_type]]
    expect(rates(cases, displacement, displacement_gradient, force_without_symmetry), order(cell_type))


def law_at(degrees):
    """The law of fibres at angles, plane strain, shape (2, 2, 2, 2, ...)."""
    C = stiffness(fibre_matrix(), np.eye(3))[:2, :2, :2, :2]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = np.array([[c, s], [-s, c]])
    return np.einsum("abcd,ai...,bj...,ck...,dl...->ijkl...", C, turned, turned, turned, turned, optimize=True)


@LinearForm
def force_of_turning_fibres(v, w):
    step = 1e-4  # degrees; the central difference is good to ten digits
    angle = np.einsum("j,jnq->nq", TURN, w.x)
    law = law_at(angle)
    slope = (law_at(angle + step) - law_at(angle - step)) / (2 * step)
    k, a, p = DIRECTION[:2, :2], AMPLITUDE[:2, None, None], PHASE[:2, None, None]
    phase = np.einsum("ij,jnq->inq", k, w.x) + p
    du = (a * np.cos(phase))[:, None] * k[:, :, None, None]
    f = np.einsum("ijklnq,kj,kl,knq->inq", law, k, k, a * np.sin(phase))
    f -= np.einsum("ijklnq,j,klnq->inq", slope, TURN, du)
    return np.einsum("inq,inq->nq", f, np.broadcast_to(v, f.shape))


@pytest.mark.parametrize("cell_type", ["quad4", "tri6", "quad8"])
def test_fibres_that_turn(cell_type):
    """Stiffness twelve times as large along the fibres as across, at angles from 0 to 40 and to -25 degrees."""
    assert FIBRES["e1"] > 10 * FIBRES["e2"]
    section = {"kinematics": "KINEMATICS_PLANE_STRAIN", "orientation": "o"}
    given = made_of(fibres(), elastic(), **section)
    given["orientations"] = {"o": turn(f"{TURN[0]} * x + {TURN[1]} * y")}
    divisions = DIVISIONS[cell_type] if order(cell_type) == 1 else (13, 18, 26)  # coarser ones do better than the rate
    cases = [(n, Discrete(plate(cell_type, (n, n)), given)) for n in divisions]
    found = rates(cases, plane_displacement, plane_displacement_gradient, force_of_turning_fibres)
    expect(found, order(cell_type))
