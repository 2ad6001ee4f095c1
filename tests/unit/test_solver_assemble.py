"""The system of a step: fused kernels against plain scikit-fem forms, and the coarse level against its definition."""

import numpy as np
import pytest
from scipy import sparse

from dougong.meshes.mesh import Mesh
from dougong.solver import assemble as assembly
from dougong.solver import kernels
from dougong.solver.linalg.coarse import Interpolation, linear_level
from dougong.solver.linalg.operator import Operator
from mapped import rotation
from meshgen import box, plate
from solving import Discrete, elastic, heat, value, vector

SOLIDS = (
    "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6", "wedge15", "wedge18", "pyramid5", "pyramid13", "pyramid14",
)  # fmt: skip
PLANES = ("tri3", "tri6", "quad4", "quad8", "quad9")
FILM = [{"region": "y1", "convection": {"coefficient": value(7.0), "ambient": value(20.0)}}]

needs_kernels = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")


def solid(cell_type, curve=0.2):
    """A body turned in space with prescribed values and an oblique symmetry plane."""
    mesh = box(cell_type, (2, 2, 2), distort=0.2, curve=curve)
    mesh = Mesh(mesh.points @ rotation((1, 2, 3), 0.7).T, mesh.blocks, mesh.regions)
    normal = rotation((1, 2, 3), 0.7) @ [1.0, 0.0, 0.0]
    across = {
        "region": "x0",
        "displacement": vector(x=1e-3) | {"axes": {"xAxis": point(normal), "xyPlane": point([0, 0, 1])}},
    }
    conditions = [across, {"region": "y0", "symmetry": {}}]
    return Discrete(mesh, elastic(conditions=conditions, loads=[{"region": "x1", "pressure": value(3.0)}]))


def point(x):
    return {"coordinates": list(x)}


def conduction(cell_type, curve=0.2):
    planar = cell_type in PLANES
    mesh = plate(cell_type, (3, 3), distort=0.2, curve=curve) if planar else box(cell_type, distort=0.2, curve=curve)
    hot = [{"region": "x0", "temperature": value(50.0)}]
    sections = [{"material": "m"} | ({"thickness": value(0.2)} if planar else {})]
    return Discrete(mesh, heat(conditions=hot, loads=FILM, sections=sections))


def matrix(block):
    """A BlockMatrix on one rank as a scipy matrix."""
    nc = block.values.shape[1]
    n = block.n_rows * nc
    return sparse.bsr_matrix((block.values, block.indices, block.indptr), shape=(n, n)).tocsr()


def system(case):
    return assembly.assemble(case.model, case.constraints, case.rhs, case.extra)


@needs_kernels
@pytest.mark.parametrize("cell_type", SOLIDS)
def test_kernels_agree_with_forms_in_elasticity(cell_type, monkeypatch):
    _compare(solid(cell_type), monkeypatch)


@needs_kernels
@pytest.mark.parametrize("cell_type", SOLIDS + PLANES)
def test_kernels_agree_with_forms_in_heat(cell_type, monkeypatch):
    _compare(conduction(cell_type), monkeypatch)


def _compare(case, monkeypatch):
    fused = system(case)
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "available", lambda: False)
        plain = system(case)
    np.testing.assert_array_equal(fused.matrix.indptr, plain.matrix.indptr)
    np.testing.assert_array_equal(fused.matrix.indices, plain.matrix.indices)
    assert np.abs(fused.matrix.values - plain.matrix.values).max() <= 1e-13 * np.abs(plain.matrix.values).max()
    assert np.abs(fused.rhs - plain.rhs).max() <= 1e-13 * np.abs(plain.rhs).max()


@pytest.mark.parametrize("fused", [pytest.param(True, marks=needs_kernels), False])
def test_system_is_symmetric_and_holds_the_conditions(fused, monkeypatch):
    if not fused:
        monkeypatch.setattr(kernels, "available", lambda: False)
    case = solid("hex20")
    found = system(case)
    A = matrix(found.matrix).toarray()
    assert np.abs(A - A.T).max() < 1e-13 * np.abs(A).max()
    assert np.linalg.eigvalsh(A).min() > -1e-9 * np.abs(A).max()
    u = np.linalg.lstsq(A, found.rhs.ravel(), rcond=None)[0].reshape(-1, 3)
    turn = rotation((1, 2, 3), 0.7)
    nodes = case.model.regions.nodes
    assert np.abs(u[nodes("y0")] @ turn[:, 1]).max() < 1e-9 * np.abs(u).max()
    np.testing.assert_allclose(u[nodes("x0")] @ turn[:, 0], 1e-3, rtol=1e-9)


def test_prescribed_values_are_in_the_solution():
    case = conduction("quad9")
    found = system(case)
    T = np.linalg.solve(matrix(found.matrix).toarray(), found.rhs.ravel())
    np.testing.assert_allclose(T[case.model.regions.nodes("x0")], 50.0, rtol=1e-12)
    assert 20.0 < T.min() < 50.0


@needs_kernels
@pytest.mark.parametrize("cell_type", ["tet10", "hex20", "hex27", "wedge15", "wedge18", "pyramid13", "pyramid14"])
def test_linear_level_is_the_galerkin_product(cell_type):
    """On straight-sided cells the linear functions lie in the quadratic space: W K W, assembled or multiplied out."""
    mesh = box(cell_type, (2, 2, 2), distort=0.3)
    _galerkin(Discrete(mesh, elastic()), 3)


@needs_kernels
@pytest.mark.parametrize("cell_type", ["tri6", "quad8", "quad9", "tet10", "hex20", "wedge15", "pyramid13"])
def test_linear_level_has_the_films(cell_type):
    planar = cell_type in PLANES
    mesh = plate(cell_type, (3, 3), distort=0.2) if planar else box(cell_type, distort=0.2)
    _galerkin(Discrete(mesh, heat(loads=FILM)), 1)


def _galerkin(case, nc):
    level = linear_level(case.model, case.constraints, case.extra)
    K = matrix(system(case).matrix)
    local = (level.owned[:, None] * nc + np.arange(nc)).ravel()
    interpolation = Interpolation(level.part, level.constraints)
    unit = np.eye(K.shape[0], dtype=np.float32).reshape(-1, K.shape[0] // nc, nc)[local]
    W = sparse.csc_matrix(np.stack([interpolation.prolong(e).ravel() for e in unit], axis=1, dtype=float))
    full = np.zeros((len(local), K.shape[0]))
    rows = level.matrix
    blocks = sparse.bsr_matrix((rows.values, rows.indices, rows.indptr), shape=full.shape)
    assembled = blocks.toarray()[:, local]
    product = (W.T @ K @ W).toarray()
    assert np.abs(assembled - product).max() <= 1e-12 * np.abs(product).max()
    # Linear fields are interpolated exactly.
    coarse = case.points[level.owned] @ np.arange(1.0, case.points.shape[1] + 1)
    fine = case.points @ np.arange(1.0, case.points.shape[1] + 1)
    np.testing.assert_allclose(W @ np.repeat(coarse, nc), np.repeat(fine, nc), rtol=1e-12)


@needs_kernels
@pytest.mark.parametrize("case", [solid("tet10"), solid("hex20"), conduction("tri6")], ids=["tet10", "hex20", "film"])
def test_operator_is_the_matrix(case):
    """Products with conditions and films; the norm is estimated from below, and not by far."""
    operator, assembled = Operator(case.model, case.constraints, case.extra), system(case).matrix
    x = np.random.default_rng(3).normal(size=assembled.n_rows * operator.nc)
    y, expected = np.empty_like(x), matrix(assembled) @ x
    operator.multiply(x, y)
    assert np.abs(y - expected).max() <= 1e-12 * np.abs(expected).max()
    assert 0.4 <= operator.norm_inf() / assembled.norm_inf() <= 1 + 1e-12


@pytest.mark.parametrize("cell_type", ["tet4", "hex20", "tri6"])
def test_pattern_without_kernels(cell_type, monkeypatch):
    planar = cell_type in PLANES
    mesh = plate(cell_type) if planar else box(cell_type)
    cells = [mesh.blocks[0].nodes.astype(np.int32)]
    monkeypatch.setattr(kernels, "available", lambda: False)
    indptr, indices = assembly.pattern(cells, mesh.n_nodes, mesh.n_nodes)
    for node in range(mesh.n_nodes):
        near = np.unique(cells[0][(cells[0] == node).any(axis=1)])
        np.testing.assert_array_equal(indices[indptr[node] : indptr[node + 1]], near)
