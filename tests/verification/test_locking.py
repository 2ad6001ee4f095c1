"""Nearly incompressible solids: a motion that changes no volume, whose pressure is zero.


u_i = a_i sin(k_i . x + q_i) with k_ii = 0: div u = 0, p = 0, f_i = mu |k_i|^2 u_i. Cells that lock have errors that
grow with the bulk modulus, of the pressure first. Displacements are prescribed all around.
"""

import numpy as np
import pytest
from skfem import LinearForm

from meshgen import box, plate
from schemes import B_BAR, MIXED, section
from solving import Discrete, elastic
from verification.test_convergence import DIVISIONS, order

A, Q = np.array([1.0, -0.7, 0.5]), np.array([0.4, 0.9, 0.2])
WAVES = 1.5 * np.array([[0.0, 1.1, -0.9], [-1.3, 0.0, 0.6], [0.5, -1.2, 0.0]])
E = 1.0

#: Cells along an edge of distorted meshes.
DISTORTED = {"quad4": 16, "tri6": 8, "quad8": 8, "quad9": 8, "hex8": 8, "hex20": 6}


def waves(dim):
    return WAVES[:dim, :dim]


def exact(x):
    dim = x.shape[1]
    return A[:dim] * np.sin(x @ waves(dim).T + Q[:dim])


def gradient(x):
    dim = x.shape[1]
    return (A[:dim] * np.cos(x @ waves(dim).T + Q[:dim]))[:, :, None] * waves(dim)


def case(cell_type, n, nu, scheme, distort=0.0):
    plane = cell_type in ("quad4", "tri6", "quad8", "quad9")
    mesh = (
        plate(cell_type, (n, n), distort=distort, seed=2)
        if plane
        else box(cell_type, (n, n, n), distort=distort, seed=2)
    )
    own = {"kinematics": "plane_strain"} if plane else {}
    made = Discrete(mesh, elastic(E, nu, sections=[section(**own, **scheme)]))
    mu = E / (2 * (1 + nu))

    @LinearForm
    def force(v, w):
        k, a, q = waves(len(w.x)), A[: len(w.x), None, None], Q[: len(w.x), None, None]
        u = a * np.sin(np.einsum("ij,jnq->inq", k, w.x) + q)
        return mu * np.einsum("i,inq,inq->nq", (k**2).sum(axis=1), u, np.broadcast_to(v, u.shape))

    made.load_cells(force)
    made.prescribe(made.boundary, exact(made.points[made.boundary]))
    return made


def errors(made):
    """L2, H1, and of the pressure over mu, but for a constant, which no displacement all around fixes."""
    u = made.solve()
    stress = made.recover(u, [], ["stress"]).at_points["stress"][0]
    pressure = stress[..., :3].mean(axis=-1)
    return *made.errors(u, exact, gradient), float(np.std(pressure)) * 2 / E


MIXTURES = [(name, scheme) for name, kind, scheme in B_BAR + MIXED if kind in ("", "plane_strain")]
IDS = [f"{name}-{scheme['formulation']}" for name, scheme in MIXTURES]


@pytest.mark.parametrize(("cell_type", "scheme"), MIXTURES, ids=IDS)
def test_rates_do_not_depend_on_the_bulk_modulus(cell_type, scheme):
    sizes = DIVISIONS[cell_type][-2:]
    found = np.log([errors(case(cell_type, n, 0.4999, scheme))[:2] for n in sizes])
    rate = np.diff(found, axis=0)[0] / -np.diff(np.log(sizes))
    assert rate == pytest.approx([order(cell_type) + 1, order(cell_type)], abs=0.1)


@pytest.mark.parametrize(("cell_type", "scheme"), MIXTURES, ids=IDS)
def test_distorted_cells_do_not_lock(cell_type, scheme):
    n = DISTORTED.get(cell_type, 4)
    stiff, soft = (errors(case(cell_type, n, nu, scheme, 0.25)) for nu in (0.49999, 0.3))
    plain = errors(case(cell_type, n, 0.49999, {}, 0.25))
    assert stiff[1] < 2.0 * soft[1]
    assert 20 * stiff[2] < plain[2]
