"""Shape functions and quadrature on mesh nodes."""

import math

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import elements


def monomial_integral(family, powers):
    """Integral of x^a y^b z^c over the reference cell."""
    if family in ("tri", "tet"):
        return math.prod(map(math.factorial, powers)) / math.factorial(sum(powers) + len(powers))
    if family == "wedge":
        return monomial_integral("tri", powers[:2]) / (powers[2] + 1)
    return math.prod(1 / (p + 1) for p in powers)


@pytest.mark.parametrize("name", elements.SOLVABLE)
@pytest.mark.parametrize("table", [elements.stiffness_reference, elements.load_reference])
def test_quadrature_is_exact_to_its_degree(name, table):
    cell = CELL_TYPES[name]
    reference = table(name)
    stiffness = table is elements.stiffness_reference
    degree = elements.STIFFNESS_DEGREE[name] if stiffness else elements.LOAD_DEGREE[cell.order]
    if cell.family == "tet":
        degree = min(degree, 4)  # scikit-fem's rule of degree 5 errs by 1 % there; loads need degree 4
    for powers in np.ndindex(*(degree + 1,) * cell.dim):
        if sum(powers) <= degree:
            found = reference.W @ np.prod(reference.X.T ** np.array(powers), axis=1)
            assert found == pytest.approx(monomial_integral(cell.family, powers), rel=1e-13, abs=1e-15)
    assert (reference.W > 0).all() or not stiffness


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
def test_extrapolation_of_a_linear_field(name):
    """Exact for what the fit contains; the constant for cells of constant flux."""
    reference = elements.stiffness_reference(name)
    nodes = np.array(CELL_TYPES[name].reference)
    slope = np.arange(1.0, nodes.shape[1] + 1) if name not in ("tri3", "tet4") else np.zeros(nodes.shape[1])
    found = elements.extrapolation(name) @ (reference.X.T @ slope + 5.0)
    np.testing.assert_allclose(found, nodes @ slope + 5.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["tri6", "quad8", "quad9", "tet10", "hex20", "hex27"])
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
