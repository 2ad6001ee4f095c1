"""Hexahedra, pyramids, tetrahedra and wedges in one mesh: patch tests, rates of convergence, ranks, multigrid."""

import numpy as np
import pytest
from skfem import LinearForm
from skfem.helpers import dot

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.skin import skin
from dougong.solver import kernels
from meshgen import mixed
from solving import Discrete, elastic, heat, solve, store, value, vector
from verification import test_convergence as smooth
from verification.test_patch import LAMBDA, MU, NU, E, K, close, stress_of

LINEAR = {"hex8", "pyramid5", "tet4", "wedge6"}
SERENDIPITY = {"hex20", "pyramid13", "tet10", "wedge15"}
FULL = {"hex27", "pyramid14", "tet10", "wedge18"}
#: Order, and whether quadrilaterals have a node in the middle.
KINDS = pytest.mark.parametrize(("order", "full"), [(1, False), (2, False), (2, True)])
ALL = [{"name": n} for n in ("displacement", "reaction", "stress", "von_mises")]
ALL += [{"name": "stress", "location": "LOCATION_INTEGRATION_POINT"}]


def test_the_mesh_has_all_families_and_its_faces_fit():
    for order, full, names in ((1, False, LINEAR), (2, False, SERENDIPITY), (2, True, FULL)):
        mesh = mixed(order, distort=0.3, curve=0.1, full=full)
        assert {b.type.name for b in mesh.blocks} == names
        faces = [tuple(sorted(n)) for b in mesh.blocks for _, f in b.type.facets for n in b.nodes[:, list(f)].tolist()]
        _, counts = np.unique([hash(f) for f in faces], return_counts=True)
        assert counts.max() == 2
        assert (counts == 1).sum() == sum(len(r.entries) for r in mesh.regions if r.name != "all")


@KINDS
def test_linear_displacement(order, full):
    """Distorted, the quadratic cells curved."""
    case = Discrete(mixed(order, distort=0.3, curve=0.1 if order == 2 else 0.0, full=full), elastic(E, NU))
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    exact = case.points @ gradient.T
    assert len(case.boundary) < len(case.points)
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    found = case.recover(u, ["stress"], ["stress"])
    assert close(found.nodal["stress"], stress_of(gradient)[None])
    for at_points in found.at_points["stress"]:
        assert close(at_points, stress_of(gradient))


@KINDS
def test_linear_temperature(order, full):
    case = Discrete(mixed(order, distort=0.3, curve=0.1 if order == 2 else 0.0, full=full), heat(K))
    exact = (case.points @ [3.0, -2.0, 7.0] + 20.0)[:, None]
    case.prescribe(case.boundary, exact[case.boundary])
    assert close(case.solve(), exact)


@pytest.mark.parametrize("full", [False, True])
def test_quadratic_displacement(full):
    """All cells are affine; the stresses, linear in space, come out at the nodes too."""
    case = Discrete(mixed(2, full=full), elastic(E, NU))
    H = np.random.default_rng(4).uniform(-1e-3, 1e-3, (3, 3, 3))  # u_i = H_ijk x_j x_k / 2
    H = H + H.transpose(0, 2, 1)
    exact = 0.5 * np.einsum("ijk,nj,nk->ni", H, case.points, case.points)
    # div sigma = (lambda + mu) grad div u + mu laplace u
    force = -(LAMBDA + MU) * np.einsum("jji->i", H) - MU * np.einsum("ijj->i", H)
    case.load_cells(LinearForm(lambda v, w: dot(np.broadcast_to(force[:, None, None], (3, *w.x.shape[1:])), v)))
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    owned = case.points[: case.model.part.n_owned]
    assert close(case.recover(u, ["stress"], []).nodal["stress"], stress_of(np.einsum("ijk,nk->nij", H, owned)))


@pytest.mark.parametrize(
    ("order", "full", "divisions"), [(1, False, (2, 3, 4)), (2, False, (1, 2, 3)), (2, True, (1, 2, 3))]
)
def test_rates(order, full, divisions):
    cases = [(n, Discrete(mixed(order, (n, 2 * n, 2 * n), full=full), heat(smooth.K))) for n in divisions]
    found = smooth.rates(cases, smooth.temperature, smooth.temperature_gradient, smooth.heat_source)
    smooth.expect(found, order)


def clamped(solver):
    return elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"region": "x1", "traction": vector(y=1.0)}, {"region": "z1", "pressure": value(2.0)}],
        outputs={"fields": ALL},
        solver=solver,
    )


@pytest.mark.mpi
@pytest.mark.parametrize(("order", "numbers"), [(1, (3,)), (2, (2, 3))])
def test_same_answer_on_1_2_and_3_ranks(order, numbers):
    stored = store(mixed(order, (1, 3, 3), distort=0.2))
    given = clamped({"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12})
    one = solve(stored, given)
    for ranks in numbers:
        several = solve(stored, given, ranks)
        for info in one.result.fields:
            location = "node" if info.location == 1 else "point"
            a, b = one.field(info.name, location), several.field(info.name, location)
            assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max(), (info.name, location)
        assert several.step.balance.equilibrium_error < 1e-8


@pytest.mark.parametrize("full", [False, True])
def test_multigrid_on_quadratic_cells(full):
    """The linear level under them: as few iterations as on tetrahedra alone, and the answer of a factorisation."""
    stored = store(mixed(2, (1, 4, 4), (2.5, 2.0, 2.0), distort=0.2, full=full))
    direct, iterative = (solve(stored, clamped({"method": m})) for m in ("METHOD_DIRECT", "METHOD_ITERATIVE"))
    if kernels.available():
        assert "p-multigrid" in iterative.step.solve.method
        assert iterative.step.solve.iterations <= 25
    u = direct.field("displacement")
    assert np.abs(iterative.field("displacement") - u).max() <= 1e-6 * np.abs(u).max()


@KINDS
def test_skin(order, full):
    """What a picture shows: closed, and every corner and mid-edge node of the surface on it."""
    mesh = mixed(order, size=(5.0, 2.0, 1.0), full=full)
    s = skin(mesh)
    a, b, c = (s.points[s.triangles[:, k]] for k in range(3))
    assert np.einsum("ni,ni->", a, np.cross(b, c)) / 6 == pytest.approx(10.0)
    assert set(s.node_index) == set(np.flatnonzero(((mesh.points == 0) | (mesh.points == [5, 2, 1])).any(axis=1)))
    assert all(CELL_TYPES[b.type.name].order == order for b in mesh.blocks)
