"""Result files: order of the stored mesh whatever the ranks, VTU that others read, and the summary's evidence."""

import itertools
import zlib

import meshio
import numpy as np
import pytest

import dougong.solver.outputs.vtu
from dougong.meshes.build import build
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import vtu
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.solver.elements import SOLVABLE, stiffness_reference
from dougong.solver.outputs.vtu import PointData, write_vtu
from dougong.solver.outputs.writer import FieldKey, ResultWriter
from dougong.solver.parallel.comm import Serial
from dougong.solver.parallel.crc import combine
from dougong.solver.parallel.partition import build_part
from dougong.v1 import options_pb2
from meshgen import box, plate
from solving import elastic, heat, solve, store, value, vector
from threads import on_ranks

FIXED = {"region": "x0", "fixed": {}}
MIXED_FAMILIES = ("hex20", "tet10")


def two_blocks(bricks=(2, 2, 2)):
    """Two bodies of different cell types in one mesh, cell by cell in shuffled order."""
    first, second = box("hex20", bricks, distort=0.2), box("tet10", (2, 1, 2), distort=0.2)
    points = np.concatenate([first.points, second.points + np.array([3.0, 0, 0])])
    rng = np.random.default_rng(3)
    blocks = (
        CellBlock(first.blocks[0].type, rng.permutation(first.blocks[0].nodes)),
        CellBlock(second.blocks[0].type, rng.permutation(second.blocks[0].nodes + first.n_nodes)),
    )
    return Mesh(points, blocks)


KEY = FieldKey("f", "step-1", 0, ("x", "y", "z"), options_pb2.DIMENSION_NONE)


def written(stored, ranks, write, directory):
    (directory / "results").mkdir()

    def work(comm):
        part = build_part(stored, comm)
        writer = ResultWriter(directory, stored, comm)
        write(writer, part)
        return writer.fields, writer.finish()

    (fields, files), *_ = on_ranks(ranks, work)
    data = np.fromfile(directory / files[0].path)
    assert files[0].crc32 == fields[0].crc32 == zlib.crc32(data.tobytes())
    assert files[0].size_bytes == fields[0].size_bytes == data.nbytes
    return fields[0], data.reshape(fields[0].shape)


@pytest.mark.parametrize("ranks", [1, 3])
def test_nodal_fields_are_in_stored_order(ranks, tmp_path):
    stored = store(two_blocks())
    info, data = written(stored, ranks, lambda w, p: w.nodal(KEY, p, p.points[: p.n_owned]), tmp_path)
    np.testing.assert_array_equal(data, stored.points)
    assert list(info.shape) == [stored.n_nodes, 3]


@pytest.mark.parametrize("ranks", [1, 3])
def test_integration_points_are_in_stored_order(ranks, tmp_path):
    """Cell after cell of the stored blocks, the points of a cell in the order of its quadrature."""
    stored = store(two_blocks())

    def places(points, nodes, name):
        return np.einsum("qa,nai->nqi", stiffness_reference(name).N, points[nodes])

    def write(writer, part):
        writer.at_points(KEY, part, [places(part.points, b.nodes, b.type.name) for b in part.blocks])

    info, data = written(stored, ranks, write, tmp_path)
    wanted = [places(stored.points, np.asarray(stored.cells(k)), n) for k, n in enumerate(MIXED_FAMILIES)]
    np.testing.assert_array_equal(data, np.concatenate([w.reshape(-1, 3) for w in wanted]))
    assert list(info.point_counts) == [w.shape[1] for w in wanted]


@pytest.mark.parametrize("sizes", [[], [0], [1], [5, 0, 7], [1, 2, 3, 1000, 77777], [4096] * 9])
def test_checksum_of_pieces_is_that_of_the_whole(sizes):
    data = np.random.default_rng(1).bytes(sum(sizes))
    cuts = np.cumsum([0, *sizes])
    pieces = [data[a:b] for a, b in itertools.pairwise(cuts)]
    assert combine((zlib.crc32(p), len(p)) for p in pieces) == zlib.crc32(data)


def test_checksum_of_pieces_beyond_all_memory():
    """2^40 zeros from 2^20, doubled again and again, or 1024 times as much twice: nothing of it is ever there."""
    one = crc, size = zlib.crc32(bytes(1 << 20)), 1 << 20
    for _ in range(20):
        crc, size = combine([(crc, size)] * 2), 2 * size
    thousand = combine([one] * 1024), 1 << 30
    assert thousand[0] == zlib.crc32(bytes(1 << 30))
    assert crc == combine([thousand] * 1024)


def test_what_was_not_written_or_twice_has_no_checksum(tmp_path):
    stored = store(box("hex8"))
    for number, first, match in ((0, 1, "from byte 0 to 24"), (1, None, "to byte 0 of 192"), (2, -1, "or twice")):
        directory = tmp_path / str(number)
        (directory / "results").mkdir(parents=True)
        writer = ResultWriter(directory, stored, Serial())
        path = writer._new_field(KEY, 1, (8, 3))
        if first is not None:
            for row in (abs(first), 0) if first < 0 else (first,):
                writer._write(path, row, np.zeros((7, 3)))
        with pytest.raises(ValueError, match=match):
            writer.finish()


VTU_CELLS = {"hex20": "hexahedron20", "tet10": "tetra10"}


@pytest.mark.parametrize("block_bytes", [1 << 20, 200])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("ranks", [1, 3])
def test_vtu(ranks, compressed, block_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(dougong.solver.outputs.vtu, "_BLOCK_BYTES", block_bytes)
    stored = store(two_blocks())
    vectors, scalars = stored.points**2, stored.points[:, :1] + 1

    def work(comm):
        first, last = stored.n_nodes * comm.rank // comm.size, stored.n_nodes * (comm.rank + 1) // comm.size
        fields = [
            PointData("displacement", ("x", "y", "z"), vectors[first:last]),
            PointData('odd <name> & "quotes"', (), scalars[first:last]),
        ]
        write_vtu(tmp_path / "out.vtu", stored, comm, fields, compressed=compressed)

    on_ranks(ranks, work)
    read = meshio.read(tmp_path / "out.vtu")
    np.testing.assert_array_equal(read.points, stored.points)
    assert [c.type for c in read.cells] == ["hexahedron20", "tetra10"]
    for k, cells in enumerate(read.cells):
        np.testing.assert_array_equal(cells.data, stored.cells(k))
    np.testing.assert_array_equal(read.point_data["displacement"], vectors)
    np.testing.assert_array_equal(read.point_data['odd <name> & "quotes"'].ravel(), scalars.ravel())
    assert (b"vtkZLibDataCompressor" in (tmp_path / "out.vtu").read_bytes()) == compressed


def test_a_compressed_vtu_is_the_same_on_any_number_of_ranks_and_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(dougong.solver.outputs.vtu, "_BLOCK_BYTES", 4096)
    stored = store(two_blocks((6, 5, 5)))
    constant = np.ones((stored.n_nodes, 1))
    sizes = {}
    for ranks, compressed in ((1, False), (1, True), (3, True)):
        path = tmp_path / f"{ranks}-{compressed}.vtu"

        def work(comm, path=path, compressed=compressed):
            cut = [stored.n_nodes * r // comm.size for r in (comm.rank, comm.rank + 1)]
            write_vtu(path, stored, comm, [PointData("one", (), constant[slice(*cut)])], compressed=compressed)

        on_ranks(ranks, work)
        sizes[ranks, compressed] = path.stat().st_size
    assert (tmp_path / "1-True.vtu").read_bytes() == (tmp_path / "3-True.vtu").read_bytes()
    assert 2 * sizes[1, True] < sizes[1, False]


def test_a_compressed_vtu_is_asked_for_by_its_own_name():
    given = heat(conditions=[{"region": "x0", "temperature": value(1.0)}], outputs={"vtuCompressed": True})
    solution = solve(plate("quad9"), given)
    path = solution.directory / "results" / "result.vtu"
    assert b"vtkZLibDataCompressor" in path.read_bytes()
    found = meshio.read(path).point_data["temperature"]
    np.testing.assert_array_equal(found.ravel(), solution.field("temperature").ravel())


@pytest.mark.parametrize("cell_type", SOLVABLE)
def test_vtu_of_every_cell_type(cell_type):
    planar = CELL_TYPES[cell_type].dim == 2
    mesh = plate(cell_type) if planar else box(cell_type)
    given = heat(conditions=[{"region": "x0", "temperature": value(1.0)}], outputs={"vtu": True})
    solution = solve(mesh, given)
    path = solution.directory / "results" / "result.vtu"
    own = build(vtu.read(path)).mesh
    if cell_type == "pyramid14":  # VTK has none: a node less
        assert own.blocks[0].type.name == "pyramid13"
        corners = mesh.blocks[0].nodes[:, :13]
        np.testing.assert_array_equal(own.points[own.blocks[0].nodes], mesh.points[corners])
        return
    np.testing.assert_array_equal(own.points, mesh.points)
    np.testing.assert_array_equal(own.blocks[0].nodes, mesh.blocks[0].nodes)
    if cell_type in ("wedge15", "wedge18", "pyramid13"):
        return  # meshio does not know them
    read = meshio.read(path)
    assert read.points.shape == (mesh.n_nodes, 3)
    # meshio turns VTK's linear wedges, whose first triangle looks outwards, around as it reads them.
    np.testing.assert_array_equal(read.cells[0].data, mesh.blocks[0].nodes)
    assert set(read.point_data) == {"temperature", "reaction", "heat_flux"}
    assert read.point_data["heat_flux"].shape == (mesh.n_nodes, 3)
    np.testing.assert_array_equal(read.point_data["temperature"].ravel(), solution.field("temperature").ravel())


def test_a_vtu_for_each_step():
    steps = [
        {"name": s, "steadyHeat": {}, "conditions": [{"region": "x0", "temperature": value(t)}]}
        for s, t in (("cold", 1.0), ("hot", 9.0))
    ]
    solution = solve(plate("tri3"), heat(steps=steps, outputs={"vtu": True}))
    assert [a.name for a in solution.result.artifacts] == ["result-1.vtu", "result-2.vtu"]
    np.testing.assert_allclose(solution.field("temperature", step="hot"), 9.0)
    np.testing.assert_allclose(solution.field("temperature", step="cold"), 1.0)


def test_only_the_fields_that_are_asked_for():
    asked = [{"name": "strain"}, {"name": "von_mises", "location": "LOCATION_INTEGRATION_POINT"}]
    given = elastic(conditions=[FIXED], loads=[{"region": "x1", "pressure": value(1.0)}], outputs={"fields": asked})
    solution = solve(box("hex8"), given)
    assert [(f.name, f.location) for f in solution.result.fields] == [("strain", 1), ("von_mises", 2)]
    assert solution.field("von_mises", "point").shape == (8 * 8, 1)
    # What everybody looks at is told in the summary all the same.
    assert solution.extreme("displacement_magnitude").max > 0
    assert solution.extreme("von_mises").max > 0


@pytest.fixture(scope="module")
def pulled():
    """A bar that is pulled and turned about; nodes and cells have numbers of their own."""
    mesh = box("hex20", (4, 2, 2), (2.0, 1.0, 1.0))
    ids = 1000 + 2 * np.arange(mesh.n_nodes)
    mesh = Mesh(mesh.points, mesh.blocks, mesh.regions, node_ids=ids)
    given = elastic(
        material={"density": value(7.0)},
        conditions=[FIXED, {"region": "y0", "symmetry": {}}],
        loads=[
            {"region": "x1", "totalForce": vector(x=10.0, z=-4.0)},
            {"region": "z1", "pressure": value(3.0)},
            {"region": "", "gravity": vector(z=-2.0)},
        ],
    )
    return mesh, solve(mesh, given)


def test_equilibrium_and_energy(pulled):
    _, solution = pulled
    balance = solution.step.balance
    # Force, pressure on 2 x 1, weight of 2 x 1 x 1.
    np.testing.assert_allclose(balance.load_sum, [10.0, 0.0, -4.0 - 6.0 - 28.0], atol=1e-10)
    np.testing.assert_allclose(balance.reaction_sum, [-10.0, 0.0, 38.0], atol=1e-8)
    assert balance.equilibrium_error < 1e-10
    assert balance.energy_error < 1e-10
    assert balance.internal_energy > 0
    reaction = solution.field("reaction").sum(axis=0)
    np.testing.assert_allclose(reaction, balance.reaction_sum, atol=1e-8)


def test_reactions_by_region(pulled):
    mesh, solution = pulled
    x, reaction = mesh.points, solution.field("reaction")
    sums = {r.region: np.array(r.sum) for r in solution.step.reactions}
    np.testing.assert_allclose(sums["x0"], reaction[x[:, 0] == 0].sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(sums["y0"], reaction[x[:, 1] == 0].sum(axis=0), atol=1e-9)
    free = (x[:, 0] > 0) & (x[:, 1] > 0)
    assert np.abs(reaction[free]).max() == 0.0
    # A symmetry plane without friction holds across itself only.
    assert np.abs(reaction[(x[:, 1] == 0) & (x[:, 0] > 0)][:, [0, 2]]).max() == 0.0


def test_extremes(pulled):
    mesh, solution = pulled
    for name in ("displacement", "stress", "von_mises"):
        values = solution.field(name)
        for k, component in enumerate(next(f.components for f in solution.result.fields if f.name == name) or [""]):
            extreme = solution.extreme(name, component)
            assert (extreme.min, extreme.max) == (values[:, k].min(), values[:, k].max())
            node = (extreme.max_node - 1000) // 2
            assert values[node, k] == extreme.max
            np.testing.assert_array_equal(extreme.max_point, mesh.points[node])
    length = np.linalg.norm(solution.field("displacement"), axis=1)
    assert solution.extreme("displacement_magnitude").max == pytest.approx(length.max())


def test_record(pulled):
    mesh, solution = pulled
    step = solution.step
    assert step.dofs == 3 * mesh.n_nodes
    x = mesh.points
    on_plane = (x[:, 1] == 0) & (x[:, 0] > 0)
    assert step.constrained_dofs == 3 * int((x[:, 0] == 0).sum()) + int(on_plane.sum())
    assert 0 <= step.solve.backward_error < 1e-14
    assert step.solve.method
    assert step.solve.why
    stages = [t.stage for t in solution.result.stage_times]
    assert [s for s in stages if s != "solve"] == ["read", "partition", "assemble", "setup", "output"]
    provenance = solution.result.provenance
    assert len(provenance.conversion_sha256) == 64
    assert provenance.ranks == 1
    assert provenance.petsc_version
    assert provenance.scikit_fem_version


def test_invariants_of_stress(pulled):
    _, solution = pulled
    s, mises = solution.field("stress"), solution.field("von_mises")[:, 0]
    xx, yy, zz, xy, yz, zx = s.T
    mean = (xx + yy + zz) / 3
    deviator = (xx - mean) ** 2 + (yy - mean) ** 2 + (zz - mean) ** 2 + 2 * (xy**2 + yz**2 + zx**2)
    np.testing.assert_allclose(mises, np.sqrt(1.5 * deviator), rtol=1e-10)


def test_principal_stresses_of_known_states():
    from dougong.solver.physics.elasticity import principal, von_mises

    uniaxial, shear = [5.0, 0, 0, 0, 0, 0], [0, 0, 0, 3.0, 0, 0]
    pressure = [-2.0, -2.0, -2.0, 0, 0, 0]
    states = np.array([uniaxial, shear, pressure])
    np.testing.assert_allclose(principal(states), [[5, 0, 0], [3, 0, -3], [-2, -2, -2]], atol=1e-12)
    np.testing.assert_allclose(von_mises(states)[:, 0], [5, 3 * np.sqrt(3), 0], atol=1e-12)


def test_nodal_force_on_each_node():
    mesh = box("hex8")
    corners = Region("corners", RegionKind.NODES, np.flatnonzero(mesh.points[:, 0] == 1))
    mesh = Mesh(mesh.points, mesh.blocks, (*mesh.regions, corners))
    given = elastic(conditions=[FIXED], loads=[{"region": "corners", "nodalForce": vector(y=2.0)}])
    np.testing.assert_allclose(solve(mesh, given).step.balance.load_sum, [0, 2.0 * len(corners), 0], atol=1e-12)


def test_heat_balance():
    film = {"coefficient": value(5.0), "ambient": value(10.0)}
    flux, source = {"region": "y1", "heatFlux": value(7.0)}, {"heatSource": value(3.0)}
    given = heat(
        sections=[{"material": "m", "thickness": value(0.5)}],
        conditions=[{"region": "x0", "temperature": value(100.0)}],
        loads=[{"region": "x1", "convection": film}, flux, source],
    )
    solution = solve(plate("quad9", (4, 3)), given)
    balance, T = solution.step.balance, solution.field("temperature")[:, 0]
    assert balance.equilibrium_error < 1e-12
    assert balance.energy_error < 1e-12
    # What the plate gets from flux and source leaves through the film and the fixed edge.
    points = plate("quad9", (4, 3)).points
    edge = np.argsort(points[points[:, 0] == 1][:, 1])
    y, at_edge = points[points[:, 0] == 1][edge, 1], T[points[:, 0] == 1][edge]
    weights = np.zeros(len(y))
    for k in range(0, len(y) - 2, 2):  # Simpson's rule is exact for a quadratic edge
        weights[k : k + 3] += np.array([1, 4, 1]) * (y[k + 2] - y[k]) / 6
    lost = 0.5 * 5.0 * (weights @ (at_edge - 10.0))
    assert balance.load_sum[0] == pytest.approx(0.5 * (7.0 + 3.0) - lost, rel=1e-12)
    assert balance.reaction_sum[0] == pytest.approx(-balance.load_sum[0], rel=1e-10)


@pytest.mark.parametrize("amount", [1.0, 1e6])
def test_a_body_that_is_only_moved_is_in_equilibrium(amount):
    """Reactions are rounding errors; compared with each other they would look like a fault."""
    moved = vector(x=amount, y=2 * amount, z=0.0)
    for cell_type in ("hex20", "tet4"):
        given = elastic(conditions=[{"region": "x0", "displacement": moved}])
        balance = solve(box(cell_type, distort=0.3), given).step.balance
        assert balance.equilibrium_error < 1e-6
        assert balance.energy_error < 1e-6
    warm = heat(conditions=[{"region": "x0", "temperature": value(amount)}])
    balance = solve(plate("quad8", distort=0.3), warm).step.balance
    assert balance.equilibrium_error < 1e-6
    assert balance.energy_error < 1e-6


@pytest.mark.parametrize("method", ["METHOD_DIRECT", "METHOD_ITERATIVE"])
def test_every_stage_has_its_time(method):
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"region": "x1", "pressure": value(1.0)}],
        solver={"method": method},
    )
    found = solve(box("tet10", (2, 1, 1)), given)
    stages = [t.stage for t in found.result.stage_times]
    assert stages == ["read", "partition", "assemble", "setup", "solve", "output"]


def test_shear_strains_are_engineering_ones():
    """u_x = 0.01 y: gamma_xy is 0.01, the principal strains are half of it, and the stress is G gamma."""
    faces = [
        {"region": r, "displacement": {"x": {"expression": "0.01*y"}} | vector(y=0.0, z=0.0)} for r in ("x0", "x1")
    ]
    faces += [
        {"region": r, "displacement": {"x": {"expression": "0.01*y"}} | vector(y=0.0, z=0.0)} for r in ("y0", "y1")
    ]
    given = elastic(
        E=2.6,
        nu=0.3,
        conditions=faces,
        outputs={"fields": [{"name": n} for n in ("strain", "stress", "principal_strain")]},
    )
    solution = solve(box("hex8", (2, 2, 2)), given)
    np.testing.assert_allclose(solution.field("strain")[:, 3], 0.01, rtol=1e-6)
    np.testing.assert_allclose(solution.field("stress")[:, 3], 0.01, rtol=1e-6)
    np.testing.assert_allclose(solution.field("principal_strain")[:, 0], 0.005, rtol=1e-6)
