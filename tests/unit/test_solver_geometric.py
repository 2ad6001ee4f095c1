"""The geometric stiffness against its scikit-fem form, and what it must do by its nature."""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.solver.assemble import BlockMatrix, scatter
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import SOLVABLE, NodalBasis, stiffness_reference
from dougong.solver.loads import element_matrices
from dougong.solver.modes.geometric import geometric, geometric_stiffness, ring_geometric
from dougong.solver.recover import cell_values
from meshgen import box, plate
from solving import elastic, kinematics, model_of

CASES = [pytest.param(c, "", id=c) for c in SOLVABLE if CELL_TYPES[c].dim == 3]
CASES += [
    pytest.param(c, k, id=f"{c}-{k}")
    for c in SOLVABLE
    if CELL_TYPES[c].dim == 2
    for k in ("plane_stress", "plane_strain", "axisymmetric")
]


def model(cell, kind):
    if not kind:
        return model_of(box(cell, (2, 1, 1)), elastic(conditions=[]))
    more = {} if kind == "axisymmetric" else {"thickness": 0.5}
    mesh = plate(cell, (2, 1))
    mesh.points[:, 0] += 0.5
    return model_of(mesh, elastic(conditions=[], sections=kinematics(kind, **more)))


def by_form(of, u):
    """The same by scikit-fem, all cells of a block at once."""
    part, nc = of.part, of.components
    like = geometric_stiffness(of, np.zeros_like(u))
    matrix = BlockMatrix(like.indptr, like.indices, np.zeros_like(like.values))
    for cells in cell_values(of, u):
        block = part.blocks[cells.block]
        basis = NodalBasis(stiffness_reference(block.type.name), part.points, block.nodes[cells.rows], nc)
        basis.dx = cells.measure
        stress = np.moveaxis(cells.flux, (2, 3), (0, 1))
        form = ring_geometric if of.axisymmetric else geometric
        dim = part.dim if not of.axisymmetric else 3
        values = element_matrices(form, basis, stress=stress[:dim, :dim])
        free = ConstraintSet.none(part.n_local, nc)
        scatter(matrix, np.zeros((part.n_owned, nc)), part, free, block.nodes[cells.rows], values)
    return matrix


@pytest.mark.parametrize(("cell", "kind"), CASES)
def test_equal_to_the_form(cell, kind):
    of = model(cell, kind)
    u = np.random.default_rng(2).normal(size=(of.part.n_local, of.components))
    found, wanted = geometric_stiffness(of, u), by_form(of, u)
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-12 * np.abs(wanted.values).max())


def test_translations_meet_no_resistance():
    of = model("tet10", "")
    u = np.random.default_rng(2).normal(size=(of.part.n_local, 3))
    K = geometric_stiffness(of, u)
    sums = np.add.reduceat(K.values, K.indptr[:-1], axis=0)
    assert np.abs(sums).max() < 1e-12 * np.abs(K.values).max()


def test_a_bar_in_tension_is_a_string():
    """Uniform stress s along x: the energy of the slope w of a transverse motion is s/2 ∫ w²."""
    of = model_of(box("hex8", (3, 1, 1), (3.0, 0.5, 0.4)), elastic(E=10.0, nu=0.0, conditions=[]))
    x = of.part.points
    u = np.zeros_like(x)
    u[:, 0] = 0.2 * x[:, 0]
    K, y = geometric_stiffness(of, u), 0.1 * x[:, 0]
    energy = 0.0
    for row in range(of.part.n_owned):
        places = slice(K.indptr[row], K.indptr[row + 1])
        energy += 0.5 * y[row] * (K.values[places, 1, 1] @ y[K.indices[places]])
    assert energy == pytest.approx(0.5 * 2.0 * 0.1**2 * 3.0 * 0.5 * 0.4, rel=1e-12)
