"""Prescribed values by projectors, against dense algebra; owned rows and ghosts."""

import numpy as np
import pytest

from dougong.solver import kernels
from unit.kernel_cases import dense, make_case, random_constraints, relative_difference, same_form

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")


def expected_system(form, constraints, n_nodes):
    """Element by element, written down from the definition."""
    block, nc = form.block, form.n_components
    matrix, rhs = np.zeros((n_nodes, nc, n_nodes, nc)), np.zeros((n_nodes, nc))
    p, u0 = np.tile(np.eye(nc), (n_nodes, 1, 1)), np.zeros((n_nodes, nc))
    for node, i in enumerate(constraints.index):
        if i >= 0:
            p[node], u0[node] = constraints.projectors[i], constraints.prescribed[i]
    for cell in range(block.n_cells):
        nodes = block.field[cell]
        one = make_single(form, cell)
        for a, na in enumerate(nodes):
            for b, nb in enumerate(nodes):
                k = one[a, :, b, :]
                rhs[na] -= p[na] @ k @ u0[nb]
                matrix[na, :, nb, :] += p[na] @ k @ p[nb]
            if constraints.index[na] >= 0:
                s = np.trace(one[a, :, a, :]) / nc
                matrix[na, :, na, :] += s * (np.eye(nc) - p[na])
                rhs[na] += s * u0[na]
    return matrix.reshape(n_nodes * nc, -1), rhs


def make_single(form, cell):
    """Element matrix (k, nc, k, nc) of one cell, by assembling it alone."""
    block, nc = form.block, form.n_components
    k = block.field.shape[1]
    alone = kernels.cell_block(
        block.points,
        block.geometry[cell : cell + 1],
        block.geometry_gradients,
        np.arange(k, dtype=np.int32)[None],
        block.gradients,
        block.weights,
    )
    pattern = kernels.block_pattern([alone.field], k, k)
    values = np.zeros((k * k, nc, nc))
    kernels.assemble(same_form(alone), pattern, values)
    return dense(pattern, values).reshape(k, nc, k, nc)


@pytest.mark.parametrize("name", ["tri6", "quad4", "tet4", "tet10", "hex8", "wedge6"])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_projected_system(name, share):
    case = make_case(name, curved=True, n=2 if name != "tet10" else 1)
    rng = np.random.default_rng(3)
    constraints = random_constraints(rng, case.n_nodes, case.block.dim, share)
    form = same_form(case.block)
    matrix, rhs = expected_system(form, constraints, case.n_nodes)
    pattern = kernels.block_pattern([case.block.field], case.n_nodes, case.n_nodes)
    values = np.zeros((pattern.n_blocks, case.block.dim, case.block.dim))
    found = np.zeros((case.n_nodes, case.block.dim))
    kernels.assemble(form, pattern, values, constraints=constraints, rhs=found)
    assert relative_difference(dense(pattern, values), matrix) < 1e-13
    assert relative_difference(found, rhs) < 1e-13
    # Another load case: right-hand side alone, and the matrix alone.
    again = np.zeros_like(found)
    kernels.assemble(form, pattern, None, constraints=constraints, rhs=again)
    assert relative_difference(again, rhs) < 1e-13
    alone = np.zeros_like(values)
    kernels.assemble(form, pattern, alone, constraints=constraints)
    assert (alone == values).all()


def test_the_solution_holds_the_prescribed_values():
    case = make_case("hex8", curved=True)
    gradient = np.array([[0.01, 0.002, 0.0], [-0.003, 0.02, 0.001], [0.0, 0.004, -0.01]])
    exact = case.block.points @ gradient.T
    boundary = case.mesh.boundary_nodes()
    index = np.full(case.n_nodes, -1, dtype=np.int32)
    index[boundary] = np.arange(len(boundary))
    constraints = kernels.Constraints(index, np.zeros((len(boundary), 3, 3)), exact[boundary])
    pattern = kernels.block_pattern([case.block.field], case.n_nodes, case.n_nodes)
    values, rhs = np.zeros((pattern.n_blocks, 3, 3)), np.zeros((case.n_nodes, 3))
    kernels.assemble(same_form(case.block), pattern, values, constraints=constraints, rhs=rhs)
    matrix = dense(pattern, values)
    assert np.linalg.eigvalsh(matrix).min() > 0.0
    solution = np.linalg.solve(matrix, rhs.ravel()).reshape(-1, 3)
    np.testing.assert_allclose(solution, exact, atol=1e-14)


@pytest.mark.parametrize("upper_only", [False, True])
def test_parts_give_the_rows_of_the_whole(upper_only):
    case = make_case("tet10", curved=True, n=2)
    block, n = case.block, case.n_nodes
    rng = np.random.default_rng(4)
    constraints = random_constraints(rng, n, 3, 0.2)
    pattern = kernels.block_pattern([block.field], n, n)
    values, rhs = np.zeros((pattern.n_blocks, 3, 3)), np.zeros((n, 3))
    kernels.assemble(same_form(block), pattern, values, constraints=constraints, rhs=rhs)
    whole = dense(pattern, values)
    for owned in (np.arange(0, n, 2), np.arange(1, n, 2)):
        # Owned nodes first, then the others that their cells have.
        cells = np.isin(block.field, owned).any(axis=1)
        ghosts = np.setdiff1d(block.field[cells], owned)
        local = np.full(n, -1, dtype=np.int32)
        local[np.concatenate([owned, ghosts])] = np.arange(len(owned) + len(ghosts))
        part = kernels.cell_block(
            block.points,
            block.geometry[cells],
            block.geometry_gradients,
            local[block.field[cells]],
            block.gradients,
            block.weights,
        )
        numbers = np.concatenate([owned, ghosts])
        held = kernels.Constraints(constraints.index[numbers], constraints.projectors, constraints.prescribed)
        rows = kernels.block_pattern([part.field], len(owned), len(numbers), upper_only=upper_only)
        blocks, loads = np.zeros((rows.n_blocks, 3, 3)), np.zeros((len(owned), 3))
        kernels.assemble(same_form(part), rows, blocks, constraints=held, rhs=loads)
        expected = whole.reshape(n, 3, n, 3)[owned][:, :, numbers]
        if upper_only:
            expected = np.where(
                (np.arange(len(owned))[:, None] <= np.arange(len(numbers)))[:, None, :, None], expected, 0
            )
        found = dense(rows, blocks).reshape(expected.shape)
        assert relative_difference(found, expected) < 1e-13
        assert relative_difference(loads, rhs[owned]) < 1e-13
        u = rng.normal(size=(n, 3))
        operator = kernels.ConstrainedOperator([same_form(part)], 3, (len(owned), len(numbers)), held)
        product = kernels.Product(operator, np.float64)
        x, y = product.vector(), product.vector()
        x[:] = u[numbers].ravel()
        product.multiply(x, y)
        rows_of_whole = whole.reshape(n, 3, -1)[owned].reshape(-1, 3 * n)
        assert relative_difference(y[: 3 * len(owned)], rows_of_whole @ u.ravel()) < 1e-13
