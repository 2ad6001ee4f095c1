"""Shape functions and quadrature on mesh nodes."""

import math

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import elements


def monomial_integral(family, powers):
    """Integral of x^a y^b z^c over the reference cell; of xi^a eta^b t^c over that of a pyramid."""
    if family in ("tri", "tet"):
        return math.prod(map(math.factorial, powers)) / math.factorial(sum(powers) + len(powers))
    if family == "wedge":
        return monomial_integral("tri", powers[:2]) / (powers[2] + 1)
    if family == "pyramid":
        return 1 / ((powers[0] + 1) * (powers[1] + 1) * (powers[2] + 3))
    return math.prod(1 / (p + 1) for p in powers)


def polynomials(family, dim, degree):
    """Exponents of what a rule of a degree is exact for; for wedge and pyramid in the variables of the rule."""
    if family not in ("wedge", "pyramid"):
        return [p for p in np.ndindex(*(degree + 1,) * dim) if sum(p) <= degree]
    across, up = degree if isinstance(degree, tuple) else (degree, degree)
    powers = np.ndindex(across + 1, across + 1, up + 1)
    return [p for p in powers if family == "pyramid" or p[0] + p[1] <= across]


RULES = [(rule, name) for rule, degrees in elements.RULES.items() for name in degrees if CELL_TYPES[name].dim > 1]


@pytest.mark.parametrize(("rule", "name"), RULES)
def test_quadrature_is_exact_to_its_degree(rule, name):
    cell = CELL_TYPES[name]
    reference = elements.reference(name, rule)
    degree = elements.RULES[rule][name]
    if cell.family == "tet":
        degree = min(degree, 4)  # scikit-fem's rule of degree 5 errs by 1 % there; loads need degree 4
    X = reference.X
    if cell.family == "pyramid":
        X = np.array([X[0] / (1 - X[2]), X[1] / (1 - X[2]), 1 - X[2]])
    for powers in polynomials(cell.family, cell.dim, degree):
        found = reference.W @ np.prod(X.T ** np.array(powers), axis=1)
        assert found == pytest.approx(monomial_integral(cell.family, powers), rel=1e-13, abs=1e-15)
    assert (reference.W > 0).all() or rule == "load"


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 8])
def test_pyramid_rule_is_exact_for_polynomials(degree):
    """Of x, y, z: the integral of t^(a + b + 2) (1 - t)^c over [0, 1] is a beta function."""
    X, W = elements.quadrature("pyramid", degree)
    assert (W > 0).all()
    for a, b, c in np.ndindex(*(degree + 1,) * 3):
        if a + b + c <= degree:
            exact = math.factorial(a + b + 2) * math.factorial(c) / math.factorial(a + b + c + 3) / ((a + 1) * (b + 1))
            assert W @ (X[0] ** a * X[1] ** b * X[2] ** c) == pytest.approx(exact, rel=1e-13)


def test_a_pair_of_degrees_is_for_wedges_and_pyramids():
    with pytest.raises(ValueError, match="hex: one degree expected"):
        elements.quadrature("hex", (3, 3))


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_shape_functions_are_one_at_their_node(name):
    X = np.array(CELL_TYPES[name].reference).T
    N, dN = elements.tabulate(name, X)
    np.testing.assert_allclose(N, np.eye(N.shape[0]), atol=1e-13)
    np.testing.assert_allclose(dN.sum(axis=1), 0.0, atol=1e-12)
    # They hold the coordinates: the derivative of x_i along xi_j is the identity.
    found = np.einsum("qaj,ia->qij", dN, X)
    np.testing.assert_allclose(found, np.broadcast_to(np.eye(len(X)), found.shape), atol=1e-12)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_gradients_are_those_of_the_shape_functions(name):
    """Against central differences; shape functions sum up to 1."""
    dim, h = CELL_TYPES[name].dim, 1e-6
    X = np.random.default_rng(3).uniform(0.05, 0.3, (dim, 9))
    N, dN = elements.tabulate(name, X)
    np.testing.assert_allclose(N.sum(axis=1), 1.0, atol=1e-13)
    for k in range(dim):
        step = h * np.eye(dim)[:, [k]]
        slope = (elements.tabulate(name, X + step)[0] - elements.tabulate(name, X - step)[0]) / (2 * h)
        np.testing.assert_allclose(dN[:, :, k], slope, atol=1e-8)


def fields_at(name, X):
    """Linear fields, and all functions of which the gradients of a cell's shape functions are made."""
    x, y, z = [*X, 0.0 * X[0]][:3]
    if name == "pyramid5":
        t = 1 - z
        xi, eta = np.where(t > 0, x / np.where(t > 0, t, 1), 0.5), np.where(t > 0, y / np.where(t > 0, t, 1), 0.5)
        return 5.0 + xi - 2.0 * eta + 3.0 * xi * eta
    if name in ("tri3", "tet4"):
        return 5.0 + 0.0 * x
    return 5.0 + x + 2.0 * y + 3.0 * z


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_extrapolation_of_a_linear_field(name):
    """Exact for what the fit contains: the constant for cells of constant flux, no z on the linear pyramid."""
    found = elements.extrapolation(name) @ fields_at(name, elements.reference(name, "full").X)
    np.testing.assert_allclose(found, fields_at(name, np.array(CELL_TYPES[name].reference).T), rtol=1e-12)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_extrapolation_of_the_gradients_of_the_cell(name):
    """Whatever the nodal values on an affine cell, its own gradients come out at the nodes."""
    X = np.array(CELL_TYPES[name].reference).T
    values = np.random.default_rng(8).normal(size=X.shape[1])
    at_points = np.einsum("qaj,a->qj", elements.reference(name, "full").dN, values)
    at_nodes = np.einsum("qaj,a->qj", elements.tabulate(name, X)[1], values)
    np.testing.assert_allclose(elements.extrapolation(name) @ at_points, at_nodes, atol=1e-11)


@pytest.mark.parametrize("name", ["quad8", "hex20"])
def test_reduced_integration(name):
    """Two points an axis; linear fields are extrapolated exactly."""
    dim = CELL_TYPES[name].dim
    at = elements.reference(name, "reduced")
    assert at.n_points == 2**dim
    found = elements.extrapolation(name, "reduced") @ fields_at(name, at.X)
    np.testing.assert_allclose(found, fields_at(name, np.array(CELL_TYPES[name].reference).T), rtol=1e-12)
    assert elements.linear_reference(name, "reduced").n_points == 2**dim
    with pytest.raises(KeyError):
        elements.reference("tri3", "reduced")


@pytest.mark.parametrize(
    ("name", "rule", "motions"),
    [(n, "full", 0) for n in elements.SOLVABLE] + [("quad8", "reduced", 1), ("hex20", "reduced", 6)],
)
def test_motions_without_strain(name, rule, motions):
    """Beside the rigid ones; with reduced integration as many as the points have too few strains."""
    dN = elements.reference(name, rule).dN
    _, n, dim = dN.shape
    gradients = np.einsum("qaj,ik->qijak", dN, np.eye(dim))  # of the displacement, by unknown
    strain = (gradients + gradients.transpose(0, 2, 1, 3, 4)).reshape(-1, n * dim)
    rigid = 3 if dim == 2 else 6
    assert n * dim - np.linalg.matrix_rank(strain, tol=1e-10) == rigid + motions


@pytest.mark.parametrize("name", [n for n in elements.SOLVABLE if CELL_TYPES[n].order == 2])
def test_corner_values_interpolate_linear_fields(name):
    nodes = np.array(CELL_TYPES[name].reference)
    corners = nodes[: CELL_TYPES[name].n_corners]
    np.testing.assert_allclose(elements.corner_values(name) @ corners, nodes, atol=1e-14)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_shape_functions_hold_the_polynomials_of_their_cell(name):
    """All of degree `order` together; with a node in the middle, or linear and of product form, in each direction."""
    cell = CELL_TYPES[name]
    each_direction = name in ("quad4", "quad9", "hex8", "hex27")
    X = np.random.default_rng(0).uniform(0.1, 0.3, (cell.dim, 7))
    N, dN = elements.tabulate(name, X)
    nodes = np.array(cell.reference)
    for powers in np.ndindex(*(cell.order + 1,) * cell.dim):
        if not each_direction and sum(powers) > cell.order:
            continue
        np.testing.assert_allclose(
            N @ np.prod(nodes ** np.array(powers), axis=1), np.prod(X.T ** np.array(powers), axis=1), atol=1e-12
        )
        for k, power in enumerate(powers):
            lower = np.array(powers) - (np.arange(cell.dim) == k)
            exact = power * np.prod(X.T ** np.maximum(lower, 0), axis=1)
            np.testing.assert_allclose(dN[:, :, k] @ np.prod(nodes ** np.array(powers), axis=1), exact, atol=1e-12)
