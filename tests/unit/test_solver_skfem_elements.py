"""The elements that scikit-fem does not have, used as scikit-fem uses its own."""

import numpy as np
import pytest
import skfem
from skfem.helpers import dot, grad

from dougong.solver.elements import quadrature
from dougong.solver.elements.pyramid import ElementPyramid1, ElementPyramid2, ElementPyramidS2, RefPyramid, collapsed
from dougong.solver.elements.wedge import ElementWedge2, ElementWedgeS2
from meshgen import box
from unit.kernel_cases import MeshPyramid1

ELEMENTS = (ElementWedgeS2, ElementPyramid1, ElementPyramidS2)
NODES = {ElementWedgeS2: "wedge15", ElementPyramid1: "pyramid5", ElementPyramidS2: "pyramid13"}


def family(element):
    return "wedge" if element is ElementWedgeS2 else "pyramid"


def made(element):
    """A basis of scikit-fem on a distorted mesh of 2 x 2 x 2 bricks."""
    kind = skfem.MeshWedge1 if family(element) == "wedge" else MeshPyramid1
    cells = box("wedge6" if kind is skfem.MeshWedge1 else "pyramid5", (2, 2, 2))
    turn = np.array([[1.1, 0.2, 0.1], [-0.1, 0.9, 0.3], [0.15, -0.2, 1.2]])
    mesh = kind(turn @ cells.points.T, cells.blocks[0].nodes.T)
    mapping = skfem.MappingIsoparametric(mesh, mesh.elem())
    return skfem.CellBasis(mesh, element(), mapping=mapping, quadrature=quadrature(family(element), 6))


@pytest.mark.parametrize("element", [*ELEMENTS, ElementWedge2, ElementPyramid2])
def test_places_of_the_unknowns(element):
    values = np.array([element().lbasis(element.doflocs.T, i)[0] for i in range(len(element.doflocs))])
    np.testing.assert_allclose(values, np.eye(len(values)), atol=1e-14)
    with pytest.raises(ValueError, match="Index"):
        element().lbasis(element.doflocs.T, len(element.doflocs))


@pytest.mark.parametrize("element", ELEMENTS)
def test_unknowns_are_shared_between_cells(element):
    """As many as the mesh of that cell type has nodes."""
    assert box(NODES[element], (2, 2, 2)).n_nodes == made(element).N


@pytest.mark.parametrize("element", ELEMENTS)
def test_polynomials_are_interpolated(element):
    """From the places of the unknowns into the cells; all of degree 2 where the element is quadratic."""
    basis = made(element)
    x = basis.global_coordinates()
    degree = 1 if element is ElementPyramid1 else 2
    for powers in np.ndindex(3, 3, 3):
        if sum(powers) <= degree:
            nodal = np.prod(basis.doflocs.T ** np.array(powers), axis=1)
            exact = np.prod([x[k] ** p for k, p in enumerate(powers)], axis=0)
            np.testing.assert_allclose(basis.interpolate(nodal), exact, atol=1e-13)


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_form_is_assembled(element):
    """The energy of x y + z^2, or of a linear field, by scikit-fem alone."""
    basis = made(element)
    K = skfem.BilinearForm(lambda u, v, w: dot(grad(u), grad(v))).assemble(basis)
    x, y, z = basis.doflocs
    a, b, _ = basis.global_coordinates()
    if element is ElementPyramid1:
        field, density = x + 2 * y - 3 * z, np.full_like(a, 14.0)
    else:
        field, density = x * y + z**2, b**2 + a**2 + 4 * basis.global_coordinates()[2] ** 2
    assert field @ K @ field == pytest.approx((density * basis.dx).sum(), rel=1e-12)


def test_the_reference_pyramid():
    """Facets lie where their normals say; edges join the corners of facets."""
    middle = RefPyramid.p.mean(axis=1)
    for facet, normal in zip(RefPyramid.facets, RefPyramid.normals, strict=True):
        corners = RefPyramid.p[:, facet]
        heights = normal @ corners
        np.testing.assert_allclose(heights, heights[0])
        assert normal @ middle < heights[0]
    assert len(RefPyramid.edges) == RefPyramid.nedges
    assert all(any(set(e) <= set(f) for f in RefPyramid.facets) for e in RefPyramid.edges)


def test_the_apex():
    """Values are continuous there; gradients are those along the axis."""
    apex, near = np.array([[0.0], [0.0], [1.0]]), np.array([[0.5e-6], [0.5e-6], [1 - 1e-6]])
    (xi, eta), t = collapsed(apex)
    assert (xi, eta, t) == (0.5, 0.5, 0.0)
    for element in (ElementPyramid1(), ElementPyramidS2(), ElementPyramid2()):
        for i in range(len(element.doflocs)):
            for a, b in zip(element.lbasis(apex, i), element.lbasis(near, i), strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5)
