"""Load vectors by moments are those that scikit-fem assembles from the same form."""

import numpy as np
import pytest
from skfem import LinearForm

import meshgen
from dougong.meshes.cells import CELL_TYPES
from dougong.solver import elements
from dougong.solver.moments import moments
from dougong.solver.physics.elasticity import body_force, pressure, traction


def check(form, basis, **params):
    found = np.zeros((basis.N // basis.components, basis.components))
    np.add.at(found, basis.nodes, moments(form, basis, **params))
    expected = form.assemble(basis, **params).reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * np.abs(expected).max())
    assert np.abs(expected).max() > 0


def mesh_of(name):
    make = meshgen.plate if CELL_TYPES[name].dim == 2 else meshgen.box
    curve = 0.1 if CELL_TYPES[name].order == 2 else 0.0
    return make(name, distort=0.2, curve=curve)


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_body_force_with_densities_that_vary(name):
    mesh = mesh_of(name)
    (block,) = mesh.blocks
    basis = elements.LoadBasis(elements.load_reference(name), mesh.points, block.nodes, mesh.dim)
    rng = np.random.default_rng(1)
    density = rng.uniform(1, 2, basis.dx.shape)
    check(body_force, basis, density=density, b=rng.uniform(-1, 1, (mesh.dim, *basis.dx.shape)))


@pytest.mark.parametrize("name", elements.SOLVABLE)
def test_scalar_source_that_depends_on_the_place(name):
    mesh = mesh_of(name)
    (block,) = mesh.blocks
    basis = elements.LoadBasis(elements.load_reference(name), mesh.points, block.nodes, 1)
    check(LinearForm(lambda v, w: (3.0 + w.x[0] * w.x[1]) * v), basis)


@pytest.mark.parametrize("name", ["tet10", "hex8", "hex20", "hex27", "wedge15", "pyramid13"])
def test_facets_and_their_normals(name):
    mesh = mesh_of(name)
    (block,) = mesh.blocks
    facet, at = block.type.facets[1]
    nodes = block.nodes[:, list(at)]
    basis = elements.FacetBasis(elements.load_reference(facet), mesh.points, nodes, 3)
    check(pressure, basis, p=2.5)
    check(traction, basis, t=np.broadcast_to(np.array([1.0, -2.0, 0.5])[:, None, None], (3, *basis.dx.shape)))
