"""Cells and their facets belong together: Gauss's theorem on curved cells.

It holds cell by cell, whatever the shape, only if facets have the right nodes in the right order, the traces of the
cell's shape functions are those of the facet's, and both quadratures are exact for curved geometry.
"""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import elements
from meshgen import box, plate

CURVE = {1: 0.0, 2: 0.1}


def mesh_of(name):
    make = plate if CELL_TYPES[name].dim == 2 else box
    return make(name, distort=0.3, curve=CURVE[CELL_TYPES[name].order], seed=4)


def facets_of(mesh):
    """For each facet of the cell type its basis and its nodes, as places in the cell."""
    (block,) = mesh.blocks
    for facet, places in block.type.facets:
        nodes = block.nodes[:, list(places)]
        yield elements.FacetBasis(elements.load_reference(facet), mesh.points, nodes, 1), list(places)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_gradients_of_the_cell_are_fluxes_through_its_facets(name):
    """∫ grad N dV = ∮ N n dA for every shape function of every cell."""
    mesh = mesh_of(name)
    (block,) = mesh.blocks
    reference = elements.stiffness_reference(name)
    J = np.einsum("qaj,nai->nqij", reference.dN, mesh.points[block.nodes])
    assert np.linalg.det(J).min() > 0
    gradients = np.einsum("qaj,nqji->nqai", reference.dN, np.linalg.inv(J))
    inside = np.einsum("nqai,nq,q->nai", gradients, np.linalg.det(J), reference.W)
    across = np.zeros_like(inside)
    for basis, places in facets_of(mesh):
        n = basis.default_parameters()["n"]
        np.add.at(across, (slice(None), places), np.einsum("qa,inq,nq->nai", basis.reference.N, n, basis.dx))
    np.testing.assert_allclose(across, inside, atol=1e-14)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_volume_and_centre_by_the_facets(name):
    """V = 1/d ∮ x . n dA and V c = 1/2 ∮ x^2 n dA, with the volume and the centre by the points of the cell."""
    mesh = mesh_of(name)
    (block,) = mesh.blocks
    basis = elements.LoadBasis(elements.load_reference(name), mesh.points, block.nodes, 1)
    x = basis.default_parameters()["x"]
    volume, moment = basis.dx.sum(axis=1), np.einsum("inq,nq->ni", x, basis.dx)
    volume_by_facets, moment_by_facets = np.zeros_like(volume), np.zeros_like(moment)
    for facet, _ in facets_of(mesh):
        at = facet.default_parameters()
        x, n = at["x"], at["n"]
        volume_by_facets += np.einsum("inq,inq,nq->n", x, n, facet.dx) / mesh.dim
        moment_by_facets += np.einsum("inq,inq,nq->ni", x**2, n, facet.dx) / 2
    np.testing.assert_allclose(volume_by_facets, volume, rtol=1e-12)
    assert volume.sum() == pytest.approx(1.0, rel=1e-12)
    # Moments on curved facets are beyond the degree of the rule: they are nearly right, and a wrong normal is not.
    np.testing.assert_allclose(moment_by_facets, moment, rtol=2e-3)
