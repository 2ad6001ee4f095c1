"""Products with block rows and smoothing in single precision, against dense matrices."""

import numpy as np
import pytest
from scipy import sparse

from dougong.solver import kernels
from dougong.solver.kernels.rows import _inverses

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")

N_ROWS, N_COLUMNS = 13, 17


@pytest.fixture(params=[1, 2, 3])
def system(request):
    """Block rows, the same as a dense matrix, and the number of components; the last columns are ghosts."""
    nc, rng = request.param, np.random.default_rng(request.param)
    pattern = sparse.random(N_ROWS, N_COLUMNS, 0.4, format="csr", random_state=3) + sparse.eye(
        N_ROWS, N_COLUMNS, format="csr"
    )
    pattern.sort_indices()
    values = rng.uniform(-1, 1, (pattern.nnz, nc, nc))
    values[pattern.indices == np.repeat(np.arange(N_ROWS), np.diff(pattern.indptr))] += 4 * np.eye(nc)
    indptr, indices = pattern.indptr.astype(np.int64), pattern.indices.astype(np.int32)
    rows = kernels.BlockRows(indptr, indices, values, N_COLUMNS)
    dense = sparse.bsr_matrix((values, indices, indptr), shape=(N_ROWS * nc, N_COLUMNS * nc)).toarray()
    return rows, dense, nc


def test_product(system):
    rows, dense, nc = system
    x, y = np.random.default_rng(0).uniform(-1, 1, N_COLUMNS * nc), np.empty(N_ROWS * nc)
    rows.multiply(x, y)
    np.testing.assert_allclose(y, dense @ x, rtol=1e-13, atol=1e-13)


def test_smoothing_step_and_residual(system):
    rows, dense, nc = system
    rows.prepare_smoothing()
    rng = np.random.default_rng(1)
    n = N_ROWS * nc
    x, out = rows.vector(), rows.vector()
    x[:] = rng.uniform(-1, 1, x.size)
    b, p = (rng.uniform(-1, 1, n).astype(np.float32) for _ in range(2))
    residual = b - dense @ x
    r = np.empty(n, dtype=np.float32)
    rows.residual(b, x, r)
    np.testing.assert_allclose(r, residual, atol=1e-5)
    inverse = [np.linalg.inv(dense[k : k + nc, k : k + nc]) for k in range(0, n, nc)]
    z = np.concatenate([D @ residual[nc * k : nc * (k + 1)] for k, D in enumerate(inverse)])
    expected = 0.3 * p + 0.7 * z
    rows.smooth(b, x, 0.7, 0.3, p, out)
    np.testing.assert_allclose(p, expected, atol=1e-5)
    np.testing.assert_allclose(out[:n], x[:n] + expected, atol=1e-5)


@pytest.mark.parametrize("nc", [1, 2, 3, 4])
def test_inverses_of_blocks(nc):
    blocks = np.random.default_rng(nc).uniform(-1, 1, (20, nc, nc)) + 3 * np.eye(nc)
    np.testing.assert_allclose(_inverses(blocks) @ blocks, np.broadcast_to(np.eye(nc), blocks.shape), atol=1e-13)
