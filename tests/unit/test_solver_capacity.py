"""The consistent capacity matrix: cells of one block whose sections are integrated in different ways."""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh, Region, RegionKind
from dougong.solver import kernels
from dougong.solver.heat.capacity import Capacity
from meshgen import plate
from solving import model_of, value
from transients import transient


@pytest.mark.parametrize("compiled", [True, False])
def test_each_cell_stores_heat_as_its_own_material_does(compiled, monkeypatch):
    """Σ_b M_ab is the heat content of node a at the temperature 1, which no matrix is needed for."""
    if not compiled:
        monkeypatch.setattr(kernels, "available", lambda: False)
    sheet = plate("quad8", (8, 1))
    cells = np.arange(8)
    halves = [Region(name, RegionKind.CELLS, cells[k::2]) for k, name in enumerate(("full", "reduced"))]
    mesh = Mesh(sheet.points, sheet.blocks, (*sheet.regions, *halves))
    constants = {"conductivity": value(1.0), "density": value(1.0)}
    materials = {"light": constants | {"specificHeat": value(1.0)}, "heavy": constants | {"specificHeat": value(20.0)}}
    sections = [
        {"region": "full", "material": "light"},
        {"region": "reduced", "material": "heavy", "integration": "INTEGRATION_REDUCED"},
    ]
    model = model_of(mesh, transient() | {"materials": materials, "sections": sections})
    capacity = Capacity(model, lumped=False)
    ones = np.ones(model.part.n_local)
    matrix = capacity.matrix(ones)
    sums = np.add.reduceat(matrix.values[:, 0, 0], matrix.indptr[:-1])
    np.testing.assert_allclose(sums, capacity.content(ones), atol=1e-12)
    assert sums.sum() == pytest.approx((4 * 1.0 + 4 * 20.0) / 8)
