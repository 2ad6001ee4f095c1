"""Convergence to a manufactured solution: order p + 1 in L2, p in the energy (H1) norm.

The field is trigonometric: what an element contains would be exact, and hide errors. Sources follow from the field by
differentiation: f = -div sigma(u), s = -div(k grad T).
"""

import numpy as np
import pytest
from skfem import LinearForm

from mapped import mapped
from meshgen import box, plate
from solving import Discrete, elastic, heat, kinematics

E, NU, K = 1.0, 0.3, 2.0
LAMBDA, MU = E * NU / ((1 + NU) * (1 - 2 * NU)), E / (2 * (1 + NU))

#: Wave numbers of the field along each axis, and phases, so that nothing is symmetric.
WAVE, PHASE = np.array([1.3, 1.1, 0.9]), np.array([0.4, 0.9, 0.2])

#: Cells along an edge. Coarse meshes are not in the range where rates show.
DIVISIONS = {
    "tri3": (16, 24, 36), "quad4": (16, 24, 36), "tri6": (6, 9, 13), "quad8": (6, 9, 13), "quad9": (6, 9, 13),
    "tet4": (5, 7, 10), "hex8": (5, 7, 10), "wedge6": (5, 7, 10), "pyramid5": (4, 5, 7),
    "tet10": (2, 3, 4), "hex20": (4, 5, 7), "hex27": (3, 4, 6), "wedge15": (3, 4, 6), "wedge18": (3, 4, 6),
    "pyramid13": (4, 5, 7), "pyramid14": (4, 5, 7),
}  # fmt: skip

SOLIDS = (
    "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6", "wedge15", "wedge18", "pyramid5", "pyramid13", "pyramid14",
)  # fmt: skip


def temperature(x):
    dim = x.shape[1]
    return np.prod(np.sin(WAVE[:dim] * x + PHASE[:dim]), axis=1)[:, None]


def temperature_gradient(x):
    dim = x.shape[1]
    s, c = np.sin(WAVE[:dim] * x + PHASE[:dim]), WAVE[:dim] * np.cos(WAVE[:dim] * x + PHASE[:dim])
    return np.stack([np.prod(np.where(np.arange(dim) == i, c, s), axis=1) for i in range(dim)], axis=1)[:, None]


@LinearForm
def heat_source(v, w):
    dim = len(w.x)
    s = np.prod([np.sin(WAVE[i] * w.x[i] + PHASE[i]) for i in range(dim)], axis=0)
    return K * (WAVE[:dim] ** 2).sum() * s * v


# u_i = a_i sin(k_i . x + q_i)
AMPLITUDE = np.array([1.0, -0.7, 0.5])
DIRECTION = np.array([[1.2, 0.5, -0.4], [-0.3, 1.1, 0.6], [0.5, -0.6, 1.0]])


def displacement(x):
    return AMPLITUDE * np.sin(x @ DIRECTION.T + PHASE)


def displacement_gradient(x):
    return (AMPLITUDE * np.cos(x @ DIRECTION.T + PHASE))[:, :, None] * DIRECTION


# The same in the plane: u_x and u_y without their dependence on z.


def plane_displacement(x):
    return AMPLITUDE[:2] * np.sin(x @ DIRECTION[:2, :2].T + PHASE[:2])


def plane_displacement_gradient(x):
    return (AMPLITUDE[:2] * np.cos(x @ DIRECTION[:2, :2].T + PHASE[:2]))[:, :, None] * DIRECTION[:2, :2]


def force_for(lame):
    """-(lambda + mu) d_i d_j u_j - mu d_j d_j u_i, with d_a d_b u_j = -k_ja k_jb u_j, for a first constant of Lamé."""

    @LinearForm
    def body_force(v, w):
        dim = len(w.x)
        k, a, p = DIRECTION[:dim, :dim], AMPLITUDE[:dim, None, None], PHASE[:dim, None, None]
        u = a * np.sin(np.einsum("ij,jnq->inq", k, w.x) + p)
        mixed = np.einsum("ji,jj,jnq->inq", k, k, u)
        laplace = (k**2).sum(axis=1)[:, None, None] * u
        return np.einsum("inq,inq->nq", (lame + MU) * mixed + MU * laplace, np.broadcast_to(v, u.shape))

    return body_force


def rates(cases, exact, gradient, source):
    errors, sizes = [], []
    for n, case in cases:
        case.load_cells(source)
        case.prescribe(case.boundary, exact(case.points[case.boundary]))
        errors.append(case.errors(case.solve(), exact, gradient))
        sizes.append(1 / n)
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    local = np.diff(np.log(errors), axis=0) / np.diff(np.log(sizes))[:, None]
    return slope, local


def expect(found, p):
    (l2, h1), local = found
    assert abs(l2 - (p + 1)) < 0.1, local
    assert abs(h1 - p) < 0.1, local


def order(cell_type):
    return 1 if cell_type in ("tri3", "quad4", "tet4", "hex8", "wedge6", "pyramid5") else 2


@pytest.mark.parametrize("cell_type", ["tri3", "tri6", "quad4", "quad8", "quad9"])
def test_heat_in_the_plane(cell_type):
    cases = [(n, Discrete(plate(cell_type, (n, n)), heat(K))) for n in DIVISIONS[cell_type]]
    expect(rates(cases, temperature, temperature_gradient, heat_source), order(cell_type))


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_heat_in_space(cell_type):
    cases = [(n, Discrete(box(cell_type, (n, n, n)), heat(K))) for n in DIVISIONS[cell_type]]
    expect(rates(cases, temperature, temperature_gradient, heat_source), order(cell_type))


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_elasticity(cell_type):
    cases = [(n, Discrete(box(cell_type, (n, n, n)), elastic(E, NU))) for n in DIVISIONS[cell_type]]
    expect(rates(cases, displacement, displacement_gradient, force_for(LAMBDA)), order(cell_type))


#: In plane stress the solid is as soft in the plane as with this first constant (Timoshenko, Goodier, "Theory of
#: Elasticity", 1970, section 17).
PLANE_LAMBDA = {"plane_strain": LAMBDA, "plane_stress": 2 * LAMBDA * MU / (LAMBDA + 2 * MU)}


@pytest.mark.parametrize("kind", PLANE_LAMBDA)
@pytest.mark.parametrize("cell_type", ["tri3", "tri6", "quad4", "quad8", "quad9"])
def test_elasticity_in_the_plane(cell_type, kind):
    given = elastic(E, NU, sections=kinematics(kind))
    cases = [(n, Discrete(plate(cell_type, (n, n)), given)) for n in DIVISIONS[cell_type]]
    found = rates(cases, plane_displacement, plane_displacement_gradient, force_for(PLANE_LAMBDA[kind]))
    expect(found, order(cell_type))


def beside_the_axis(cell_type, n):
    return mapped(plate(cell_type, (n, n)), lambda p: p + np.array([0.5, 0.0]))


@LinearForm
def ring_force(v, w):
    """What the hoop adds to the force in plane strain; all of it times the circumference.

    f_r = ... - lambda d_r (u_r / r) - 2 mu (d_r u_r - u_r / r) / r,  f_z = ... - lambda d_z u_r / r - sigma_rz / r
    """
    r = w.x[0]
    k, a, p = DIRECTION[:2, :2], AMPLITUDE[:2, None, None], PHASE[:2, None, None]
    phase = np.einsum("ij,jnq->inq", k, w.x) + p
    u = a * np.sin(phase)
    du = (a * np.cos(phase))[:, None] * k[:, :, None, None]  # i, j
    mixed = np.einsum("ji,jj,jnq->inq", k, k, u)
    f = (LAMBDA + MU) * mixed + MU * (k**2).sum(axis=1)[:, None, None] * u
    f[0] -= (LAMBDA + 2 * MU) * (du[0, 0] - u[0] / r) / r
    f[1] -= LAMBDA * du[0, 1] / r + MU * (du[0, 1] + du[1, 0]) / r
    return 2 * np.pi * r * np.einsum("inq,inq->nq", f, np.broadcast_to(v, f.shape))


@pytest.mark.parametrize("cell_type", ["tri3", "tri6", "quad4", "quad8", "quad9"])
def test_elasticity_about_an_axis(cell_type):
    given = elastic(E, NU, sections=kinematics("axisymmetric"))
    cases = [(n, Discrete(beside_the_axis(cell_type, n), given)) for n in DIVISIONS[cell_type]]
    expect(rates(cases, plane_displacement, plane_displacement_gradient, ring_force), order(cell_type))


@LinearForm
def ring_source(v, w):
    """-div(k grad T), with its term -k d_r T / r, times the circumference."""
    r, angle = w.x[0], [WAVE[i] * w.x[i] + PHASE[i] for i in range(2)]
    s = (WAVE[:2] ** 2).sum() * np.sin(angle[0]) * np.sin(angle[1])
    s = s - WAVE[0] * np.cos(angle[0]) * np.sin(angle[1]) / r
    return 2 * np.pi * r * K * s * v


@pytest.mark.parametrize("cell_type", ["tri3", "tri6", "quad4", "quad8", "quad9"])
def test_heat_about_an_axis(cell_type):
    given = heat(K, sections=kinematics("axisymmetric"))
    cases = [(n, Discrete(beside_the_axis(cell_type, n), given)) for n in DIVISIONS[cell_type]]
    expect(rates(cases, temperature, temperature_gradient, ring_source), order(cell_type))
