"""The kernels give the matrices of scikit-fem's own forms, for every family."""

import numpy as np
import pytest
import skfem
from skfem.helpers import ddot, dot, grad, sym_grad
from skfem.models.elasticity import linear_elasticity

from dougong.solver import kernels
from unit.kernel_cases import FAMILIES, Case, dense, make_case, relative_difference

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")

TOLERANCE = 1e-13


def isotropic(lam, mu, dim):
    size = 3 if dim == 2 else 6
    matrix = np.diag([2.0 * mu] * dim + [mu] * (size - dim))
    matrix[:dim, :dim] += lam
    return matrix


def anisotropic(rng, n, dim):
    size = 3 if dim == 2 else 6
    root = rng.normal(size=(n, size, size))
    return root @ root.transpose(0, 2, 1) + np.eye(size)


def voigt_stress(c, strain, dim):
    """sigma = C : strain for a Voigt matrix c (s, s, ...) and a tensor (dim, dim, ...)."""
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0)] if dim == 3 else [(0, 0), (1, 1), (0, 1)]
    engineering = [strain[i, k] * (1.0 if i == k else 2.0) for i, k in pairs]
    stress = np.zeros_like(strain)
    for r, (i, k) in enumerate(pairs):
        stress[i, k] = stress[k, i] = sum(c[r, s] * engineering[s] for s in range(len(pairs)))
    return stress


def matrix_of(case: Case, form: kernels.Form, **options):
    pattern = kernels.block_pattern([case.block.field], case.n_nodes, case.n_nodes)
    values = np.zeros((pattern.n_blocks, form.n_components, form.n_components))
    kernels.assemble(form, pattern, values, **options)
    return dense(pattern, values)


@pytest.fixture(
    scope="module", params=[(f, c) for f in FAMILIES for c in (False, True)], ids=lambda p: f"{p[0]}-{p[1]}"
)
def case(request):
    name, curved = request.param
    # hex27 with full order takes 343 points; scikit-fem is what is slow here
    made = make_case(name, curved=curved, n=1 if name.startswith("hex2") else 2, order=5 if name == "hex27" else None)
    if name not in ("tri3", "tet4"):
        assert made.block.affine.all() == (not curved)
    return made


def test_isotropic_elasticity(case):
    vector, place = case.vector_basis()
    expected = linear_elasticity(1.3, 0.7).assemble(vector).toarray()[np.ix_(place, place)]
    found = matrix_of(case, kernels.elasticity(case.block, isotropic(1.3, 0.7, case.block.dim)[None]))
    assert relative_difference(found, expected) < TOLERANCE
    # To rounding: the cells of a pair of nodes may come in another order for the transposed entry.
    assert relative_difference(found, found.T) < 1e-15


def test_anisotropic_elasticity_per_cell_and_per_point(case):
    rng = np.random.default_rng(1)
    block, dim = case.block, case.block.dim
    matrices = anisotropic(rng, 3, dim)
    index = rng.integers(0, 3, block.n_cells)
    thickness = rng.uniform(0.5, 2.0, block.n_cells)
    factor = rng.uniform(0.5, 2.0, (block.n_cells, block.n_points))
    vector, place = case.vector_basis()

    @skfem.BilinearForm
    def form(u, v, w):
        c = np.moveaxis(matrices[index], 0, -1)[..., None] * (thickness[:, None] * w.factor)
        return ddot(voigt_stress(c, sym_grad(u), dim), sym_grad(v))

    for point_factor in (np.ones_like(factor), factor):
        expected = form.assemble(vector, factor=point_factor).toarray()[np.ix_(place, place)]
        given = None if (point_factor == 1.0).all() else point_factor
        found = matrix_of(case, kernels.elasticity(block, matrices, index, cell_factor=thickness, point_factor=given))
        assert relative_difference(found, expected) < TOLERANCE
        tangents = matrices[index][:, None] * point_factor[..., None, None]
        found = matrix_of(case, kernels.elasticity_tangents(block, tangents, cell_factor=thickness))
        assert relative_difference(found, expected) < TOLERANCE


def test_matrices_that_vary_from_point_to_point(case):
    rng = np.random.default_rng(3)
    block, dim = case.block, case.block.dim
    shape = (block.n_cells, block.n_points)
    vector, place = case.vector_basis()

    @skfem.BilinearForm
    def elastic(u, v, w):
        return ddot(voigt_stress(np.moveaxis(tangents, (2, 3), (0, 1)), sym_grad(u), dim), sym_grad(v))

    @skfem.BilinearForm
    def diffusive(u, v, w):
        return np.einsum("mqkl,lmq,kmq->mq", tangents[..., :dim, :dim], grad(u), grad(v))

    tangents = anisotropic(rng, block.n_cells * block.n_points, dim)
    tangents = tangents.reshape(*shape, *tangents.shape[1:])
    expected = elastic.assemble(vector).toarray()[np.ix_(place, place)]
    found = matrix_of(case, kernels.elasticity_tangents(block, tangents))
    assert relative_difference(found, expected) < TOLERANCE
    expected = diffusive.assemble(case.basis).toarray()
    found = matrix_of(case, kernels.diffusion_tangents(block, np.ascontiguousarray(tangents[..., :dim, :dim])))
    assert relative_difference(found, expected) < TOLERANCE

    constants = rng.uniform(0.5, 2.0, (2, *shape))
    tangents = constants[0, ..., None, None] * isotropic(1.0, 0.0, dim)
    tangents = tangents + constants[1, ..., None, None] * isotropic(0.0, 1.0, dim)
    expected = elastic.assemble(vector).toarray()[np.ix_(place, place)]
    form = kernels.elasticity_tangents(block, tangents)
    assert form.n_coefficients == 2  # recognised as isotropic
    assert relative_difference(matrix_of(case, form), expected) < TOLERANCE


def test_diffusion(case):
    rng = np.random.default_rng(2)
    block, dim = case.block, case.block.dim
    root = rng.normal(size=(2, dim, dim))
    conductivity = root @ root.transpose(0, 2, 1) + np.eye(dim)
    index = rng.integers(0, 2, block.n_cells)
    factor = rng.uniform(0.5, 2.0, (block.n_cells, block.n_points))

    @skfem.BilinearForm
    def form(u, v, w):
        kappa = np.moveaxis(conductivity[index], 0, -1)[..., None]
        return w.factor * np.einsum(
            "kl...,l...,k...->...", np.broadcast_to(kappa, (dim, dim, *u.shape)), grad(u), grad(v)
        )

    for given in (None, factor):
        expected = form.assemble(case.basis, factor=np.ones_like(factor) if given is None else given).toarray()
        found = matrix_of(case, kernels.diffusion(block, conductivity, index, point_factor=given))
        assert relative_difference(found, expected) < TOLERANCE


def test_mass(case):
    block = case.block
    density = np.array([2.0, 0.5])
    index = np.arange(block.n_cells) % 2

    @skfem.BilinearForm
    def form(u, v, w):
        return density[index][:, None] * dot(u, v)

    vector, place = case.vector_basis()
    expected = form.assemble(vector).toarray()[np.ix_(place, place)]
    found = matrix_of(case, kernels.mass(block, density, index, n_components=block.dim))
    assert relative_difference(found, expected) < TOLERANCE
    scalar = matrix_of(case, kernels.mass(block, density, index, n_components=1))
    assert relative_difference(scalar, expected[:: block.dim, :: block.dim]) < TOLERANCE


def test_linear_functions_on_the_curved_geometry():
    case = make_case("tet10", curved=True)
    corners = case.block.field[:, :4]
    numbers, field = np.unique(corners, return_inverse=True)
    x, w = skfem.quadrature.get_quadrature(skfem.refdom.RefTet, 3)
    element = skfem.ElementTetP1()
    gradients = np.stack([np.broadcast_to(element.lbasis(x, i)[1], x.shape).T for i in range(4)], axis=1)
    quadratic = skfem.ElementTetP2()
    geometry = np.stack([np.broadcast_to(quadratic.lbasis(x, i)[1], x.shape).T for i in range(10)], axis=1)
    mesh = case.mesh
    block = kernels.cell_block(
        mesh.doflocs.T, mesh.dofs.element_dofs.T, geometry, field.reshape(corners.shape), gradients, w
    )
    basis = skfem.CellBasis(mesh, element, mapping=skfem.MappingIsoparametric(mesh, mesh.elem()), quadrature=(x, w))
    expected = skfem.BilinearForm(lambda u, v, w: dot(grad(u), grad(v))).assemble(basis).toarray()
    place = np.empty(len(numbers), dtype=int)
    place[block.field] = basis.element_dofs.T
    pattern = kernels.block_pattern([block.field], len(numbers), len(numbers))
    values = np.zeros((pattern.n_blocks, 1, 1))
    kernels.assemble(kernels.diffusion(block, np.eye(3)[None]), pattern, values)
    assert relative_difference(dense(pattern, values), expected[np.ix_(place, place)]) < TOLERANCE


@pytest.mark.parametrize("variant", ["base", "avx2", "avx512", "lasx"])
def test_every_instruction_set_gives_the_same(variant, monkeypatch):
    from dougong.solver.kernels import matrix
    from dougong.solver.kernels.loader import load

    library = load(variant)
    if library is None:
        pytest.skip(f"no {variant} here")
    case = make_case("tet10", curved=True, n=3)
    form = kernels.elasticity(case.block, isotropic(1.3, 0.7, 3)[None])
    expected = matrix_of(case, form)
    monkeypatch.setattr(matrix, "need_library", lambda: library)
    first, second = matrix_of(case, form), matrix_of(case, form)
    assert relative_difference(first, expected) < 1e-14
    assert (first == second).all()
