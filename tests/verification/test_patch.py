"""Patch tests: fields that the elements contain are reproduced exactly, fluxes too."""

import numpy as np
import pytest
from skfem import LinearForm
from skfem.helpers import dot

from dougong.meshes.mesh import CellBlock, Mesh
from meshgen import box, plate
from solving import Discrete, elastic, heat, kinematics

SOLIDS = (
    "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6", "wedge15", "wedge18", "pyramid5", "pyramid13", "pyramid14",
)  # fmt: skip
PLANES = ("tri3", "tri6", "quad4", "quad8", "quad9")
EXACT = 1e-10
E, NU, K = 2.1e5, 0.3, 50.0
LAMBDA, MU = E * NU / ((1 + NU) * (1 - 2 * NU)), E / (2 * (1 + NU))


def mesh(cell_type, distort, curve):
    if cell_type in PLANES:
        return plate(cell_type, (3, 3), (1.0, 0.8), distort=distort, curve=curve, seed=3)
    if cell_type.startswith("pyramid"):
        curve /= 2  # six of them in a brick: they would be turned inside out
    return box(cell_type, (2, 2, 2), (1.0, 0.8, 1.2), distort=distort, curve=curve, seed=3)


def stress_of(gradient):
    """Hooke's law, Voigt order xx yy zz xy yz zx; gradient (..., i, j)."""
    strain = (gradient + np.swapaxes(gradient, -1, -2)) / 2
    s = LAMBDA * np.trace(strain, axis1=-2, axis2=-1)[..., None, None] * np.eye(3) + 2 * MU * strain
    return np.stack([s[..., i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))], axis=-1)


def close(found, exact, tolerance=EXACT):
    return np.abs(found - exact).max(initial=0.0) <= tolerance * np.abs(exact).max(initial=0.0)


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_linear_displacement(cell_type):
    """Corner and mid nodes displaced: the cells are curved, the field is exact all the same."""
    case = Discrete(mesh(cell_type, 0.35, 0.3), elastic(E, NU))
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    exact = case.points @ gradient.T + [1e-3, -2e-3, 5e-4]
    assert case.n_inside > 0
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    found = case.recover(u, ["stress", "strain"], ["stress"])
    assert close(found.nodal["stress"], stress_of(gradient)[None])
    assert close(found.at_points["stress"][0], stress_of(gradient))
    volume = 1.0 * 0.8 * 1.2
    shear = gradient + gradient.T
    strain = np.array([*np.diag(gradient), shear[0, 1], shear[1, 2], shear[2, 0]])
    assert close(found.nodal["strain"], strain[None])
    assert found.energy == pytest.approx(0.5 * volume * stress_of(gradient) @ strain, rel=EXACT)


@pytest.mark.parametrize("kind", ["plane_stress", "plane_strain"])
@pytest.mark.parametrize("cell_type", PLANES)
def test_linear_displacement_in_the_plane(cell_type, kind):
    """In plane strain eps_zz is zero and sigma_zz = nu (sigma_xx + sigma_yy), in plane stress it is the other way."""
    thickness = 0.3
    case = Discrete(mesh(cell_type, 0.35, 0.3), elastic(E, NU, sections=kinematics(kind, thickness=thickness)))
    plane = np.random.default_rng(1).uniform(-1e-3, 1e-3, (2, 2))
    exact = case.points @ plane.T + [1e-3, -2e-3]
    assert case.n_inside > 0
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    gradient = np.pad(plane, (0, 1))
    if kind == "plane_stress":
        gradient[2, 2] = -NU / (1 - NU) * np.trace(plane)
    stress = stress_of(gradient)
    assert stress[2] == pytest.approx(0.0 if kind == "plane_stress" else NU * (stress[0] + stress[1]), abs=1e-12)
    found = case.recover(u, ["stress", "strain"], ["stress"])
    assert close(found.nodal["stress"], stress[None])
    assert close(found.at_points["stress"][0], stress)
    shear = gradient + gradient.T
    strain = np.array([*np.diag(gradient), shear[0, 1], shear[1, 2], shear[2, 0]])
    assert close(found.nodal["strain"], strain[None])
    assert found.energy == pytest.approx(0.5 * 0.8 * thickness * stress @ strain, rel=EXACT)


@pytest.mark.parametrize("cell_type", PLANES)
def test_linear_displacement_about_an_axis(cell_type):
    """u_r = a r, u_y = b y: radial and hoop stress are equal and constant, on the axis x = 0 too."""
    a, b = 7e-4, -4e-4
    case = Discrete(mesh(cell_type, 0.35, 0.0), elastic(E, NU, sections=kinematics("axisymmetric")))
    exact = case.points * [a, b] + [0.0, 1e-3]
    assert case.n_inside > 0
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    stress = stress_of(np.diag([a, b, a]))
    assert stress[0] == stress[2]
    found = case.recover(u, ["stress", "strain"], ["stress"])
    assert close(found.nodal["stress"], stress[None])
    assert close(found.at_points["stress"][0], stress)
    assert close(found.nodal["strain"], np.array([[a, b, a, 0, 0, 0]]))
    strain = np.array([a, b, a, 0, 0, 0])
    assert found.energy == pytest.approx(0.5 * np.pi * 0.8 * stress @ strain, rel=EXACT)
    # Forces inside cancel: those of the hoop stress are among them.
    inside = np.setdiff1d(np.arange(case.model.part.n_owned), case.boundary)
    assert np.abs(found.internal[inside]).max(initial=0.0) < EXACT * np.abs(found.internal).max()


@pytest.mark.parametrize("cell_type", SOLIDS + PLANES)
def test_linear_temperature(cell_type):
    case = Discrete(mesh(cell_type, 0.35, 0.3), heat(K))
    gradient = np.array([3.0, -2.0, 7.0])[: case.points.shape[1]]
    exact = (case.points @ gradient + 20.0)[:, None]
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    found = case.recover(u, ["heat_flux"], ["heat_flux"])
    assert close(found.nodal["heat_flux"], -K * gradient[None])
    assert close(found.at_points["heat_flux"][0], -K * gradient)


def test_linear_displacement_across_cell_types():
    """Hexahedra and wedges in one mesh share faces, edges and nodes."""
    left, right = box("hex8", (2, 2, 2)), box("wedge6", (2, 2, 2))
    points = np.concatenate([left.points, right.points + np.array([1.0, 0, 0])])
    unique, index = np.unique(points.round(12), axis=0, return_inverse=True)
    index = index.reshape(-1)
    nodes = index[left.blocks[0].nodes], index[right.blocks[0].nodes + left.n_nodes]
    blocks = tuple(CellBlock(m.blocks[0].type, n) for m, n in zip((left, right), nodes, strict=True))
    inside = ((unique > 0) & (unique < [2, 1, 1])).all(axis=1)
    moved = unique + 0.15 * inside[:, None] * np.random.default_rng(6).uniform(-1, 1, unique.shape)
    case = Discrete(Mesh(moved, blocks), elastic(E, NU))
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    exact = case.points @ gradient.T
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert case.n_inside > 0
    assert close(u, exact)
    for found in case.recover(u, [], ["stress"]).at_points["stress"]:
        assert close(found, stress_of(gradient))


@LinearForm
def constant_source(v, w):
    return SOURCE[0] * v


@LinearForm
def constant_force(v, w):
    return dot(np.broadcast_to(FORCE[0][:, None, None], (3, *w.x.shape[1:])), v)


SOURCE, FORCE = [0.0], [np.zeros(3)]

# A serendipity cell contains the quadratic polynomials only where its map is affine.
QUADRATIC_SOLIDS = (
    ("tet10", 0.35), ("hex27", 0.35), ("wedge18", 0.35), ("pyramid14", 0.35), ("hex20", 0.0), ("wedge15", 0.0),
    ("pyramid13", 0.0),
)  # fmt: skip
QUADRATIC_PLANES = (("tri6", 0.35), ("quad9", 0.35), ("quad8", 0.0))


def sheared(case_mesh):
    """An affine image of a mesh."""
    map_ = np.eye(case_mesh.dim) + 0.3 * np.tri(case_mesh.dim, k=-1)
    object.__setattr__(case_mesh, "points", case_mesh.points @ map_.T)
    return case_mesh


@pytest.mark.parametrize(("cell_type", "distort"), QUADRATIC_SOLIDS + QUADRATIC_PLANES)
def test_quadratic_temperature(cell_type, distort):
    case = Discrete(sheared(mesh(cell_type, distort, 0.0)), heat(K))
    dim = case.points.shape[1]
    H = np.random.default_rng(2).uniform(-1, 1, (dim, dim))
    H += H.T
    exact = 0.5 * np.einsum("ni,ij,nj->n", case.points, H, case.points)[:, None] + 2.0
    SOURCE[0] = -K * np.trace(H)
    case.load_cells(constant_source)
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    # The flux is linear in space: exact at the integration points of every cell.
    flux = case.recover(u, [], ["heat_flux"]).at_points["heat_flux"][0]
    assert close(flux, -K * points_of(case) @ H)


@pytest.mark.parametrize(("cell_type", "distort"), QUADRATIC_SOLIDS)
def test_quadratic_displacement(cell_type, distort):
    case = Discrete(sheared(mesh(cell_type, distort, 0.0)), elastic(E, NU))
    H = np.random.default_rng(4).uniform(-1e-3, 1e-3, (3, 3, 3))  # u_i = H_ijk x_j x_k / 2
    H = H + H.transpose(0, 2, 1)
    exact = 0.5 * np.einsum("ijk,nj,nk->ni", H, case.points, case.points)
    # div sigma = (lambda + mu) grad div u + mu laplace u
    FORCE[0] = -(LAMBDA + MU) * np.einsum("jji->i", H) - MU * np.einsum("ijj->i", H)
    case.load_cells(constant_force)
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    stress = case.recover(u, [], ["stress"]).at_points["stress"][0]
    assert close(stress, stress_of(np.einsum("ijk,nqk->nqij", H, points_of(case))))


def points_of(case):
    """Places of the integration points of the only block, (n, nq, dim)."""
    from dougong.solver.elements import stiffness_reference

    block = case.model.part.blocks[0]
    return np.einsum("qa,nai->nqi", stiffness_reference(block.type.name).N, case.points[block.nodes])
