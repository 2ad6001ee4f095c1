"""Products without a matrix, gradients, forces, pattern."""

import numpy as np
import pytest
import scipy.sparse as sp
import skfem
from skfem.helpers import grad

from dougong.solver import kernels
from unit.kernel_cases import FAMILIES, dense, make_case, random_constraints, relative_difference, same_form

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")

ORDER = 4


@pytest.fixture(scope="module", params=FAMILIES)
def case(request):
    return make_case(request.param, curved=True, n=1 if request.param.startswith("hex2") else 2, order=ORDER)


def forms_of(block):
    rng = np.random.default_rng(5)
    dim, size = block.dim, 3 if block.dim == 2 else 6
    root = rng.normal(size=(2, size, size))
    matrices = root @ root.transpose(0, 2, 1) + np.eye(size)
    index = rng.integers(0, 2, block.n_cells)
    factor = rng.uniform(1.0, 2.0, (block.n_cells, block.n_points))
    return {
        "isotropic": same_form(block),
        "general": kernels.elasticity(block, matrices, index, cell_factor=factor[:, 0]),
        "factors": kernels.elasticity(block, matrices, index, point_factor=factor),
        "tangents": kernels.elasticity_tangents(block, matrices[index][:, None] * factor[..., None, None]),
        "isotropic tangents": same_form(block, factor),
        "diffusion": kernels.diffusion(block, matrices[:, :dim, :dim], index),
        "diffusion tangents": kernels.diffusion_tangents(
            block, matrices[index][:, None, :dim, :dim] * factor[..., None, None]
        ),
        "mass": kernels.mass(block, [1.0, 3.0], index, n_components=dim),
    }


KINDS = (
    "isotropic",
    "general",
    "factors",
    "tangents",
    "isotropic tangents",
    "diffusion",
    "diffusion tangents",
    "mass",
)


@pytest.mark.parametrize("kind", KINDS)
def test_product_and_diagonal_are_those_of_the_matrix(case, kind):
    rng = np.random.default_rng(6)
    for curved in (case, make_case("tet10", curved=False, n=2) if kind == "isotropic" else case):
        form = forms_of(curved.block)[kind]
        n, nc = curved.n_nodes, form.n_components
        constraints = random_constraints(rng, n, nc, 0.3)
        pattern = kernels.block_pattern([curved.block.field], n, n)
        u = rng.normal(size=(n, nc))
        for held in (None, constraints):
            values = np.zeros((pattern.n_blocks, nc, nc))
            kernels.assemble(form, pattern, values, constraints=held)
            matrix = dense(pattern, values)
            operator = kernels.ConstrainedOperator([form], nc, (n, n), held)
            if held is None:
                product = kernels.apply(form, u, np.zeros_like(u))
                assert relative_difference(product.ravel(), matrix @ u.ravel()) < 1e-13
            for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 2e-6)) if kind != "mass" else ():
                product = kernels.Product(operator, dtype)
                x, y = product.vector(), product.vector()
                x[:] = u.ravel()
                product.multiply(x, y)
                assert relative_difference(y, matrix @ u.ravel()) < tolerance
                np.testing.assert_array_equal(x, u.ravel().astype(dtype))
            own = matrix.reshape(n, nc, n, nc)[np.arange(n), :, np.arange(n)]
            assert relative_difference(operator.diagonal, own) < 1e-13


def test_gradients_and_measures(case):
    vector, place = case.vector_basis()
    rng = np.random.default_rng(7)
    u = rng.normal(size=(case.n_nodes, case.block.dim))
    unknowns = np.empty(vector.N)
    unknowns[place] = u.ravel()
    expected = grad(vector.interpolate(unknowns))  # (nc, dim, m, nq)
    found = kernels.gradients_at_points(case.block, u)
    assert relative_difference(found, np.moveaxis(expected, (2, 3), (0, 1))) < 1e-13
    scalar = kernels.gradients_at_points(case.block, u[:, :1])
    assert (scalar == found[:, :, :1]).all()
    # scikit-fem's meshes have cells of both orientations, and its dx no sign.
    assert relative_difference(np.abs(kernels.measures(case.block)), np.abs(case.basis.dx)) < 1e-13


def test_an_inverted_cell_has_a_negative_measure():
    line = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    tables = np.array([[[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]]])
    block = kernels.cell_block(line.T, [[0, 1, 2], [0, 2, 1]], tables, [[0, 1, 2], [0, 2, 1]], tables, [0.5])
    np.testing.assert_allclose(kernels.measures(block), [[0.5], [-0.5]])


def test_internal_force(case):
    dim = case.block.dim
    size = 3 if dim == 2 else 6
    stress = np.random.default_rng(8).normal(size=(case.block.n_cells, case.block.n_points, size))
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0)] if dim == 3 else [(0, 0), (1, 1), (0, 1)]
    tensor = np.empty((dim, dim, *stress.shape[:2]))
    for r, (i, k) in enumerate(pairs):
        tensor[i, k] = tensor[k, i] = stress[..., r]
    vector, place = case.vector_basis()
    form = skfem.LinearForm(lambda v, w: np.einsum("ikcq,ikcq->cq", tensor, grad(v)))
    expected = form.assemble(vector)[place].reshape(-1, dim)
    found = kernels.internal_force(case.block, stress, np.zeros((case.n_nodes, dim)))
    assert relative_difference(found, expected) < 1e-13


@pytest.mark.parametrize("n_rows", [0, 11, 25])
def test_pattern_of_mixed_cells(n_rows):
    rng = np.random.default_rng(9)
    # Nodes 23 and 24 have no cells.
    cells = [np.array([rng.permutation(23)[:k] for _ in range(6)], dtype=np.int32) for k in (4, 3, 8)]
    incidence = sp.lil_matrix((25, 25))
    for block in cells:
        for nodes in block:
            incidence[np.ix_(nodes, nodes)] = 1
    expected = incidence.tocsr()[:n_rows]
    found = kernels.block_pattern(cells, n_rows, 25)
    assert (found.indptr == expected.indptr).all()
    assert (found.indices == expected.indices).all()
    upper = kernels.block_pattern(cells, n_rows, 25, upper_only=True)
    expected = sp.triu(incidence).tocsr()[:n_rows]
    assert (upper.indptr == expected.indptr).all()
    assert (upper.indices == expected.indices).all()
