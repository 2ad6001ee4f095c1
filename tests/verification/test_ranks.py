"""The same answer on 1, 2 and 3 ranks, and on more ranks than there are cells."""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from meshgen import box, plate
from solving import elastic, heat, kinematics, solve, store, value, vector

pytestmark = pytest.mark.mpi

ALL = [{"name": n} for n in ("displacement", "reaction", "stress", "strain", "von_mises", "principal_stress")]
ALL += [{"name": n, "location": "LOCATION_INTEGRATION_POINT"} for n in ("stress", "strain", "von_mises")]
HEAT = [{"name": n} for n in ("temperature", "reaction", "heat_flux")]
HEAT += [{"name": "heat_flux", "location": "LOCATION_INTEGRATION_POINT"}]
DIRECT = {"method": "METHOD_DIRECT"}
ITERATIVE = {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}


def hexes_and_wedges():
    """A bar whose left half is hexahedra, its right half wedges; regions over both."""
    left, right = box("hex8", (4, 3, 3), (2, 1, 1), distort=0.2), box("wedge6", (4, 3, 3), (2, 1, 1))
    points = np.concatenate([left.points, right.points + np.array([2.0, 0, 0])])
    unique, index = np.unique(points.round(12), axis=0, return_inverse=True)
    index = index.reshape(-1)
    nodes = (left.blocks[0].nodes, right.blocks[0].nodes + left.n_nodes)
    blocks = tuple(CellBlock(CELL_TYPES[t], index[n]) for t, n in zip(("hex8", "wedge6"), nodes, strict=True))

    def facets(name, mesh, shift):
        entries = next(r for r in mesh.regions if r.name == name).entries
        return entries + np.array([shift, 0])

    low = facets("z1", left, 0)
    regions = (
        Region("end", RegionKind.FACETS, facets("x0", left, 0)),
        Region("tip", RegionKind.FACETS, facets("x1", right, left.n_cells)),
        Region("top", RegionKind.FACETS, np.concatenate([low, facets("z1", right, left.n_cells)])),
        Region("rest", RegionKind.CELLS, np.arange(left.n_cells, left.n_cells + right.n_cells)),
    )
    return Mesh(unique, blocks, regions)


def turned(mesh, angle=0.4):
    c, s = np.cos(angle), np.sin(angle)
    Q = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Mesh(mesh.points @ Q.T, mesh.blocks, mesh.regions)


def solid(solver):
    """Oblique symmetry, an axis-aligned prescribed value beside it, all kinds of load, geometry regions."""
    return elastic(
        material={"density": value(7.85e-9)},
        regions={"near": {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0, 0, 0]}, "radius": 0.6}}},
        conditions=[
            {"region": "x0", "symmetry": {}},
            {"region": "y0", "symmetry": {}},
            {"region": "near", "displacement": {"z": value(1e-5)}},
        ],
        loads=[
            {"region": "x1", "totalForce": vector(x=3.0, z=-5.0)},
            {"region": "z1", "pressure": value(2.0)},
            {"region": "", "gravity": vector(z=-9810.0)},
        ],
        outputs={"fields": ALL, "vtu": True},
        solver=solver,
    )


def mixed_solid(solver):
    analysis = elastic(
        conditions=[{"region": "end", "fixed": {}}],
        loads=[{"region": "tip", "traction": vector(y=1.0)}, {"region": "top", "pressure": value(2.0)}],
        outputs={"fields": ALL},
        solver=solver,
    )
    analysis["materials"]["soft"] = {"elastic": {"youngModulus": value(7e4), "poissonRatio": value(0.33)}}
    analysis["regions"] = {
        "first": {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0, 0, 0]}, "max": {"coordinates": [2, 1, 1]}}}
    }
    analysis["sections"] = [{"material": "soft", "region": "rest"}, {"material": "m", "region": "first"}]
    return analysis


def convection(solver):
    """Nothing but films holds the temperature; in a plate of some thickness."""
    return heat(
        sections=[{"material": "m", "thickness": value(0.3)}],
        loads=[
            {"region": "x0", "convection": {"coefficient": value(20.0), "ambient": value(100.0)}},
            {"region": "y1", "convection": {"coefficient": value(5.0), "ambient": value(10.0)}},
            {"region": "", "heatSource": value(30.0)},
            {"region": "x1", "heatFlux": value(-3.0)},
        ],
        outputs={"fields": HEAT},
        solver=solver,
    )


def sheet(solver):
    return elastic(
        material={"density": value(7.85e-9)},
        sections=kinematics("plane_stress", thickness=0.3),
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[
            {"region": "x1", "totalForce": vector(y=-5.0)},
            {"region": "y1", "pressure": value(2.0)},
            {"region": "", "gravity": vector(y=-9810.0)},
        ],
        outputs={"fields": ALL, "vtu": True},
        solver=solver,
    )


def ring(solver):
    return elastic(
        material={"density": value(7.85e-9)},
        sections=kinematics("axisymmetric"),
        conditions=[{"region": "y0", "fixed": {}}],
        loads=[
            {"region": "y1", "totalForce": vector(y=-5.0)},
            {"region": "x1", "pressure": value(2.0)},
            {"region": "", "gravity": vector(y=-9810.0)},
        ],
        outputs={"fields": ALL, "vtu": True},
        solver=solver,
    )


def warm_ring(solver):
    return convection(solver) | {"sections": kinematics("axisymmetric")}


CASES = {
    "quad8, axisymmetric, iterative": (lambda: plate("quad8", (9, 7), distort=0.3), ring, ITERATIVE),
    "tri3, axisymmetric, direct": (lambda: plate("tri3", (9, 7), distort=0.3), ring, DIRECT),
    "tri6, axisymmetric convection, iterative": (lambda: plate("tri6", (9, 7), distort=0.3), warm_ring, ITERATIVE),
    "quad8, plane stress, iterative": (lambda: plate("quad8", (9, 7), distort=0.3), sheet, ITERATIVE),
    "tri3, plane stress, iterative": (lambda: plate("tri3", (9, 7), distort=0.3), sheet, ITERATIVE),
    "quad9, plane stress, direct": (lambda: plate("quad9", (9, 7), distort=0.3), sheet, DIRECT),
    "hex20, oblique symmetry, direct": (lambda: turned(box("hex20", (4, 2, 2), (3, 1, 1), distort=0.2)), solid, DIRECT),
    "tet10, oblique symmetry, iterative": (lambda: turned(box("tet10", (4, 2, 2), (3, 1, 1))), solid, ITERATIVE),
    "hex8 and wedge6, iterative": (hexes_and_wedges, mixed_solid, ITERATIVE),
    "quad8, convection, iterative": (lambda: plate("quad8", (9, 7), distort=0.3), convection, ITERATIVE),
    "tri3, convection, direct": (lambda: plate("tri3", (9, 7), distort=0.3), convection, DIRECT),
}


@pytest.mark.parametrize("case", CASES)
def test_same_answer_on_1_2_and_3_ranks(case):
    mesh, analysis, solver = CASES[case]
    stored, given = store(mesh()), analysis(solver)
    one = solve(stored, given)
    for ranks in (2, 3):
        several = solve(stored, given, ranks)
        assert several.result.provenance.ranks == ranks
        for info in one.result.fields:
            location = "node" if info.location == 1 else "point"
            a, b = one.field(info.name, location), several.field(info.name, location)
            assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max(), (info.name, location)
        for a, b in zip(one.step.extremes, several.step.extremes, strict=True):
            assert (a.field, a.component) == (b.field, b.component)
            size = max(abs(a.min), abs(a.max), 1e-8)
            assert abs(a.min - b.min) <= 1e-7 * size
            assert abs(a.max - b.max) <= 1e-7 * size
        for a, b in zip(one.step.reactions, several.step.reactions, strict=True):
            np.testing.assert_allclose(b.sum, a.sum, atol=1e-7 * np.abs(one.field("reaction")).sum())
        assert one.step.constrained_dofs == several.step.constrained_dofs
        assert several.step.balance.equilibrium_error < 1e-8
        assert several.step.balance.energy_error < 1e-8
        assert several.step.balance.internal_energy == pytest.approx(one.step.balance.internal_energy, rel=1e-8)


def test_same_vtu_on_1_and_3_ranks():
    stored = store(box("wedge6", (3, 2, 2)))
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}], loads=[{"region": "x1", "pressure": value(1.0)}],
        outputs={"vtu": True}, solver=DIRECT,
    )  # fmt: skip
    files = [
        (s.directory / "results" / "result.vtu").read_bytes() for s in (solve(stored, given), solve(stored, given, 3))
    ]
    assert len(files[0]) == len(files[1])
    head = files[0].index(b"_") + 1
    assert files[0][:head] == files[1][:head]


@pytest.mark.parametrize("solver", [DIRECT, ITERATIVE])
def test_more_ranks_than_cells(solver):
    stored = store(box("hex20", (1, 1, 1)))
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}], loads=[{"region": "x1", "pressure": value(1.0)}], solver=solver
    )
    one, three = solve(stored, given), solve(stored, given, 3)
    a = one.field("displacement")
    assert np.abs(a - three.field("displacement")).max() <= 1e-8 * np.abs(a).max()


def test_a_thin_part():
    """1:100; the system is badly conditioned, the answers still agree."""
    stored = store(box("hex20", (20, 20, 1), (1.0, 1.0, 0.01)))
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}], loads=[{"region": "z1", "pressure": value(1e-3)}], solver=DIRECT
    )
    one, two = solve(stored, given), solve(stored, given, 2)
    for name in ("displacement", "stress", "von_mises"):
        a = one.field(name)
        assert np.abs(a - two.field(name)).max() <= 1e-6 * np.abs(a).max(), name


def test_an_error_on_several_ranks_ends_the_run():
    """Contradicting conditions on one rank's nodes: all ranks end, with the reason."""
    stored = store(box("hex8", (6, 2, 2), (3, 1, 1)))
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}, {"region": "x0", "displacement": {"x": value(1.0)}}],
        loads=[{"region": "x1", "pressure": value(1.0)}],
    )
    failure = solve(stored, given, 2).failure
    assert failure is not None
    assert failure.reason == "INVALID_MODEL"
    assert failure.violations[0].reason == "CONDITIONS_CONTRADICT"


def test_nodes_that_several_ranks_see_are_told_once():
    stored = store(box("hex8", (3, 2, 2), (3, 1, 1)))
    given = elastic(conditions=[{"region": "z0", "fixed": {}}, {"region": "z0", "displacement": {"z": value(1.0)}}])
    one, two = (solve(stored, given, n).failure.violations for n in (1, 2))
    assert len(one[0].node_ids) == 12
    assert list(one) == list(two)


@pytest.mark.parametrize("which", [0, -1])
def test_damage_in_any_ranks_share_is_seen_before_anything_is_computed(which):
    """The first file is checked by rank 0, the last one by rank 1."""
    stored = store(box("hex8", (2, 2, 2)))
    last = f"region_{len(stored.regions) - 1}.npy"
    path = stored.directory / ("points.npy", last)[which]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    ended = solve(stored, solid(DIRECT), 2)
    assert (ended.failure.reason, ended.failure.params["file"]) == ("STORED_MESH_DAMAGED", path.name)
    assert "partition" not in (ended.directory / "progress.jsonl").read_text()
