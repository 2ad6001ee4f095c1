"""Elimination of linear equations against dense linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from dougong.solver.links.eliminate import eliminate


def rank(A):
    return np.linalg.matrix_rank(A, tol=1e-9) if A.size else 0


def compare(A, n_free, preferred=None):
    """The set found is equal to the equations, as far as free unknowns go; every dependence is found."""
    A = np.asarray(A, dtype=float)
    wanted = np.full(len(A), -1) if preferred is None else np.asarray(preferred)
    found = eliminate(sparse.csr_matrix(A), n_free, wanted.astype(np.int64))
    R, L = found.rows.toarray(), found.combination.toarray()
    np.testing.assert_allclose(L @ A, R, atol=1e-9)
    np.testing.assert_array_equal(R[:, found.pivots], np.eye(len(found.pivots)))
    assert (found.pivots < n_free).all()
    assert len(found.pivots) == rank(A[:, :n_free])
    N = found.redundant.toarray()
    assert len(N) + len(R) == len(A)
    np.testing.assert_allclose((N @ A)[:, :n_free], 0.0, atol=1e-8)
    assert rank(np.vstack([L, N])) == len(A), "nothing of the equations is lost"
    return found


def test_a_slave_of_a_slave():
    found = compare([[1, -0.5, -0.5, 0, 0], [0, 1, 0, -1, 0], [0, 0, 0, 1, -2]], 5, [0, 1, 3])
    by_pivot = dict(zip(found.pivots.tolist(), found.rows.toarray(), strict=True))
    np.testing.assert_allclose(by_pivot[0], [1, 0, -0.5, 0, -1])
    np.testing.assert_allclose(by_pivot[1], [0, 1, 0, 0, -2])


def test_the_preferred_unknown_is_solved_for():
    assert compare([[1, -1, 0], [0, 1, -1]], 3, [1, 2]).pivots.tolist() in ([1, 2], [2, 1])


def test_a_small_coefficient_is_no_pivot():
    assert compare([[0.01, 1.0]], 2, [0]).pivots.tolist() == [1]


def test_a_loop_is_redundant():
    found = compare([[1, -1, 0], [0, 1, -1], [-1, 0, 1]], 3, [0, 1, 2])
    np.testing.assert_allclose(np.abs(found.redundant.toarray()), [[1, 1, 1]])


def test_what_is_given_alone_is_redundant():
    found = compare([[0, 0, 1, -1], [1, 0, -1, 0]], 2)
    assert found.redundant.toarray().tolist() == [[1, 0]]


def test_no_equations():
    assert eliminate(sparse.csr_matrix((0, 5)), 5, np.empty(0, dtype=np.int64)).rows.shape == (0, 5)


def test_a_long_chain():
    n = 300
    A = np.eye(n, n + 1) - np.eye(n, n + 1, 1)
    found = compare(A, n + 1, np.arange(n))
    np.testing.assert_allclose(found.rows.toarray()[:, n], -1.0)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_equations(data):
    n, m = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    entry = st.sampled_from([0.0, 0.0, 0.0, 1.0, -1.0, 0.5, 2.0])
    A = np.array(data.draw(st.lists(st.lists(entry, min_size=m, max_size=m), min_size=n, max_size=n)))
    n_free = data.draw(st.integers(0, m))
    compare(A, n_free, data.draw(st.lists(st.integers(-1, m - 1), min_size=n, max_size=n)))


@pytest.mark.parametrize("seed", range(3))
def test_equations_with_a_known_rank(seed):
    random = np.random.default_rng(seed)
    A = sparse.random(30, 60, 0.06, random_state=seed).toarray()
    A[20:] = random.normal(size=(10, 20)) @ A[:20]
    compare(A, 50)
