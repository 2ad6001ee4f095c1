"""Chebyshev steps in single precision against dense matrices, and products with odd numbers of cells."""

import numpy as np
import pytest

from dougong.solver import kernels
from unit.kernel_cases import FAMILIES, dense, make_case, random_constraints, relative_difference, same_form

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")


#: The smoother divides by this: a power of two takes no digit.
SCALE = 0.25


@pytest.fixture(params=["elasticity", "diffusion"])
def system(request):
    """An operator with conditions, as a dense matrix and made ready for smoothing; the last nodes are ghosts."""
    case = make_case("tet10", curved=True, n=2)
    n, n_rows = case.n_nodes, case.n_nodes - 7
    block = case.block
    form = same_form(block) if request.param == "elasticity" else kernels.diffusion(block, np.eye(3)[None])
    nc = form.n_components
    held = random_constraints(np.random.default_rng(1), n, nc, 0.2)
    pattern = kernels.block_pattern([block.field], n_rows, n)
    values = np.zeros((pattern.n_blocks, nc, nc))
    kernels.assemble(form, pattern, values, constraints=held)
    operator = kernels.ConstrainedOperator([form], nc, (n_rows, n), held)
    return kernels.Smoother(operator, SCALE), dense(pattern, values) / SCALE, nc


def test_smoothing_step_and_residual(system):
    smoother, A, nc = system
    n = len(A)
    A = A / np.abs(A).max()
    scale = np.float32(1 / np.abs(system[1]).max())
    rng = np.random.default_rng(1)
    x, out = smoother.vector(), smoother.vector()
    x[:] = rng.uniform(-1, 1, x.size)
    b, p = (rng.uniform(-1, 1, n).astype(np.float32) for _ in range(2))
    residual = b - A @ x
    np.testing.assert_allclose(smoother.residual(b / scale, x) * scale, residual, atol=1e-5)
    inverse = [np.linalg.inv(A[k : k + nc, k : k + nc]) for k in range(0, n, nc)]

    def jacobi(r):
        return np.concatenate([D @ r[nc * k : nc * (k + 1)] for k, D in enumerate(inverse)])

    expected = 0.3 * p + 0.7 * jacobi(residual)
    limit = 1e-5 * np.abs(expected).max()
    before = x.copy()
    smoother.step(b / scale, x, 0.7, 0.3, p, out)
    np.testing.assert_allclose(p, expected, atol=limit)
    np.testing.assert_allclose(out[:n], x[:n] + expected, atol=limit)
    np.testing.assert_array_equal(x, before)
    smoother.start(b / scale, 0.7, p, out)
    np.testing.assert_allclose(p, 0.7 * jacobi(b), atol=limit)
    np.testing.assert_array_equal(out[:n], p)
    np.testing.assert_allclose(smoother.jacobi(b / scale), jacobi(b), atol=limit)


def test_vectors_of_the_wrong_kind_are_refused(system):
    smoother, A, _ = system
    x, out = smoother.vector(), smoother.vector()
    b = np.zeros(len(A), dtype=np.float32)
    with pytest.raises(ValueError, match="single precision"):
        smoother.step(b.astype(float), x, 1.0, 0.0, b, out)
    with pytest.raises(ValueError, match="vector"):
        smoother.step(b, np.zeros(x.size, dtype=np.float32), 1.0, 0.0, b, out)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("curved", [False, True])
def test_products_of_every_family(family, curved):
    """Batches that are not full, affine cells and others, in both precisions."""
    case = make_case(family, curved=curved, n=2)
    for form in (same_form(case.block), kernels.diffusion(case.block, np.eye(case.block.dim)[None])):
        n, nc = case.n_nodes, form.n_components
        pattern = kernels.block_pattern([case.block.field], n, n)
        values = np.zeros((pattern.n_blocks, nc, nc))
        kernels.assemble(form, pattern, values)
        u = np.random.default_rng(2).normal(size=n * nc)
        expected = dense(pattern, values) @ u
        operator = kernels.ConstrainedOperator([form], nc, (n, n))
        for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 5e-6)):
            product = kernels.Product(operator, dtype)
            x, y = product.vector(), product.vector()
            x[:] = u
            product.multiply(x, y)
            assert relative_difference(y, expected) < tolerance
