"""Bodies that are hard for an iteration: the answer is right whichever way it was found, and the record says how.

Right is what a factorisation that was asked for finds. The bodies are small, so that the limits below which everything
is factorised at once are taken away.
"""

import numpy as np
import pytest

import solving
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import Mesh, Region, RegionKind
from dougong.solver.elements import SOLVABLE
from dougong.solver.linalg import choice as linalg_choice
from dougong.solver.linalg import rescue
from dougong.solver.linalg.choice import Size, choose, size_of
from dougong.solver.linalg.factor import factor_bytes
from dougong.v1 import analysis_pb2 as pb
from meshgen import box, plate
from solving import elastic, solve, store, value, vector

pytestmark = pytest.mark.skipif(bool(solving.FORCED), reason="is about the choice")

DIRECT, ITERATIVE = {"method": "METHOD_DIRECT"}, {"method": "METHOD_ITERATIVE"}
HELD, BENT = [{"region": "x0", "fixed": {}}], [{"region": "x1", "traction": vector(z=-1.0)}]


@pytest.fixture
def nothing_is_small(monkeypatch):
    """Iterate first, whatever the size."""
    monkeypatch.setattr(linalg_choice, "DIRECT_BELOW", dict.fromkeys(linalg_choice.DIRECT_BELOW, 0))


def two_materials(mesh, stiff, contrast):
    """An analysis of a mesh whose cells in `stiff` are so many times as stiff as the others."""
    regions = (Region("stiff", RegionKind.CELLS, np.flatnonzero(stiff)),)
    regions += (Region("soft", RegionKind.CELLS, np.flatnonzero(~stiff)),)
    given = elastic(E=1.0, conditions=HELD, loads=BENT)
    given["materials"]["n"] = {"elastic": {"youngModulus": value(contrast), "poissonRatio": value(0.3)}}
    given["sections"] = [{"material": "m", "region": "soft"}, {"material": "n", "region": "stiff"}]
    return Mesh(mesh.points, mesh.blocks, (*mesh.regions, *regions)), given


def compare(mesh, given, tolerance):
    """Solve with the choice left open and by a factorisation; the record of the former."""
    stored = store(mesh)
    found, right = solve(stored, given), solve(stored, given | {"solver": DIRECT})
    a, b = found.field("displacement"), right.field("displacement")
    assert np.abs(a - b).max() <= tolerance * np.abs(b).max()
    return found.step.solve


@pytest.mark.usefixtures("nothing_is_small")
@pytest.mark.parametrize("pattern", ["layers", "checkerboard"])
@pytest.mark.parametrize("contrast", [1e6, 1e-6])
@pytest.mark.parametrize("cell_type", ["tet10", "hex8"])
def test_contrast(cell_type, contrast, pattern):
    mesh = box(cell_type, (4, 4, 4))
    brick = np.floor(mesh.points[mesh.blocks[0].nodes].mean(axis=1) * 4).astype(int)
    stiff = (brick[:, 2] if pattern == "layers" else brick.sum(axis=1)) % 2 == 0
    record = compare(*two_materials(mesh, stiff, contrast), 1e-6)
    assert record.backward_error < 1e-9


@pytest.mark.usefixtures("nothing_is_small")
@pytest.mark.parametrize("nu", [0.499, 0.49999])
@pytest.mark.parametrize("cell_type", ["tet10", "hex20", "hex8"])
def test_nearly_incompressible(cell_type, nu):
    record = compare(box(cell_type, (5, 3, 3), (2.0, 1.0, 1.0)), elastic(nu=nu, conditions=HELD, loads=BENT), 1e-6)
    assert record.backward_error < 1e-9


def test_a_pressed_block_that_keeps_its_volume():
    """Held between smooth walls and pressed by p: u_z = -p z (1 + nu)(1 - 2 nu) / ((1 - nu) E)."""
    E, nu, p = 10.0, 0.49999, 2.0
    mesh = box("tet10", (3, 3, 3), distort=0.2)
    walls = [{"region": r, "symmetry": {}} for r in ("x0", "x1", "y0", "y1", "z0")]
    found = solve(mesh, elastic(E, nu, conditions=walls, loads=[{"region": "z1", "pressure": value(p)}]))
    down = -p * (1 + nu) * (1 - 2 * nu) / ((1 - nu) * E) * mesh.points[:, 2]
    assert np.abs(found.field("displacement")[:, 2] - down).max() < 1e-8 * np.abs(down).max()
    assert np.abs(found.field("stress")[:, 2] + p).max() < 1e-7 * p


@pytest.mark.usefixtures("nothing_is_small")
def test_a_stall_is_rescued_and_says_so():
    """A sheet 1 : 200; of one 1 : 1,000 two factorisations on several ranks agree to 1e-4 only."""
    record = compare(box("tet10", (10, 10, 1), (1.0, 1.0, 5e-3)), elastic(conditions=HELD, loads=BENT), 1e-6)
    assert record.setups == 2
    assert "took over" in record.why
    assert "直接分解" in record.why_zh
    assert "Cholesky" in record.method


@pytest.mark.usefixtures("nothing_is_small")
def test_a_factor_that_does_not_fit_is_not_begun(monkeypatch):
    """The iteration then has all the iterations it may take, and its end says what a factorisation would need."""
    monkeypatch.setattr(rescue, "free_bytes", lambda comm: 1e6)
    monkeypatch.setattr("dougong.solver.linalg.systems.DEFAULT_MAX_ITERATIONS", 100)
    mesh = box("tet10", (10, 10, 1), (1.0, 1.0, 1e-3))
    failure = solve(mesh, elastic(conditions=HELD, loads=BENT)).failure
    assert failure is not None
    assert failure.reason == "NOT_RESCUED"
    assert failure.params["iterations"] == "100"
    assert float(failure.params["needed"]) * 1e9 == pytest.approx(factor_bytes(size_of(store(mesh), 3)), abs=6e7)
    assert "memory" in failure.text
    assert "内存" in failure.text_zh


def test_a_very_thin_sheet_is_not_taken_for_a_singular_system():
    """Its factorisation leaves a hundredth of the load, yet a step of refinement does not change the answer.

    A cantilever in bending: F L^3 / (3 E I), less up to nu^2 as a plate. In double precision the strains of so thin a
    sheet have three digits, and the energy of the strains says so.
    """
    found = solve(box("hex20", (40, 40, 1), (1.0, 1.0, 1e-3)), elastic(conditions=HELD, loads=BENT, solver=DIRECT))
    assert found.failure is None
    deflection = 1e-3 / (3 * 2.1e5 * 1e-9 / 12)
    assert 0.91 < found.step.balance.external_work / (0.5 * 1e-3 * deflection) < 1.0
    assert found.step.balance.energy_error < 1e-2


def test_what_is_chosen():
    """By dimension, order and thinness."""
    solid, sheet = size_of(store(box("tet10", (8, 8, 8))), 3), size_of(store(box("tet10", (30, 30, 1))), 3)
    assert (solid.body, sheet.body) == ("BODY_QUADRATIC", "BODY_THIN_QUADRATIC")
    assert size_of(store(box("hex8", (9, 9, 9))), 3).body == "BODY_LINEAR"
    assert size_of(store(box("hex8", (60, 60, 1))), 3).body == "BODY_THIN_LINEAR"
    assert size_of(store(plate("quad8", (9, 9))), 1).body == "BODY_PLANE"
    assert size_of(store(box("tet10", (24, 6, 6))), 3).body == "BODY_QUADRATIC"
    free = pb.SolverOptions()
    assert not choose(free, solid).direct
    assert choose(free, sheet).direct == (sheet.dofs < 15_000)
    assert choose(free, Size(1_600, 3, 3, True, False)).direct
    assert "4,800" in choose(free, Size(1_600, 3, 3, True, False)).why.text()
    assert "二次单元" in choose(free, solid).why.text("zh")
    small = Size(1_600, 3, 3, True, False)
    for options, direct in (
        (pb.SolverOptions(method=pb.SolverOptions.METHOD_DIRECT), True),
        (pb.SolverOptions(petsc_options={"pc_type": "jacobi"}), False),
        (pb.SolverOptions(petsc_options={"ksp_type": "minres"}), False),
        (pb.SolverOptions(petsc_options={"pc_type": "lu"}), True),
    ):
        choice = choose(options, small)
        assert (choice.direct, choice.why.reason) == (direct, "CHOSEN_BY_USER")


def test_every_solid_cell_is_known_to_be_thin_or_not():
    assert {name for name in SOLVABLE if CELL_TYPES[name].dim == 3} <= set(linalg_choice._NODES_PER_CELL)
