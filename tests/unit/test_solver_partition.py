"""Parts of a mesh: who owns what, what is complete where, how values travel."""

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock, Mesh
from dougong.solver.parallel.comm import Directory, Serial
from dougong.solver.parallel.graph import by_graph
from dougong.solver.parallel.partition import CellSlice, build_part, morton
from meshgen import box, plate
from solving import store
from threads import on_ranks


def mixed():
    """Hexahedra and wedges side by side."""
    left, right = box("hex8", (2, 2, 2)), box("wedge6", (2, 2, 2))
    points = np.concatenate([left.points, right.points + np.array([1.0, 0, 0])])
    unique, index = np.unique(points.round(12), axis=0, return_inverse=True)
    index = index.reshape(-1)
    a, b = left.blocks[0].nodes, right.blocks[0].nodes + left.n_nodes
    return Mesh(unique, (CellBlock(CELL_TYPES["hex8"], index[a]), CellBlock(CELL_TYPES["wedge6"], index[b])))


MESHES = {
    "hex20": lambda: box("hex20", (3, 2, 2)),
    "tet4": lambda: box("tet4", (2, 2, 2), distort=0.3),
    "tri6": lambda: plate("tri6", (4, 3)),
    "mixed": mixed,
    "one cell": lambda: box("hex8", (1, 1, 1)),
}


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
@pytest.mark.parametrize("name", MESHES)
def test_parts_are_complete(name, ranks):
    stored = store(MESHES[name]())
    parts = on_ranks(ranks, lambda comm: build_part(stored, comm))
    owned = np.concatenate([p.nodes[: p.n_owned] for p in parts])
    assert sorted(owned) == list(range(stored.n_nodes)), "each node has one owner"
    numbers = np.concatenate([p.numbers[: p.n_owned] for p in parts])
    assert list(numbers) == list(range(stored.n_nodes)), "contiguous on each rank, rank after rank"
    number_of = dict(zip(owned, numbers, strict=True))
    counted = np.concatenate([b.cells[b.mine] for p in parts for b in p.blocks])
    assert sorted(counted) == list(range(stored.n_cells)), "each cell counts once"
    cells_of = [[] for _ in range(stored.n_nodes)]
    for k, offset in enumerate(stored.offsets[:-1]):
        for c, nodes in enumerate(np.asarray(stored.cells(k))):
            for n in nodes:
                cells_of[n].append(offset + c)
    for p in parts:
        assert [number_of[n] for n in p.nodes] == list(p.numbers)
        assert (np.diff(p.numbers[p.n_owned :]) > 0).all(), "ghosts ascend"
        np.testing.assert_array_equal(p.points, stored.points[p.nodes])
        here = {c for b in p.blocks for c in b.cells}
        assert here == {c for n in p.nodes[: p.n_owned] for c in cells_of[n]}, "all cells of owned nodes, no other"
        for k, b in enumerate(p.blocks):
            np.testing.assert_array_equal(p.nodes[b.nodes], stored.cells(k)[b.cells - stored.offsets[k]])


@pytest.mark.parametrize("ranks", [2, 4])
def test_parts_are_balanced(ranks):
    stored = store(box("hex8", (8, 8, 8)))
    counts = on_ranks(ranks, lambda comm: sum(len(b) for b in build_part(stored, comm).blocks))
    assert max(counts) < 1.3 * sum(counts) / ranks


def by_slices(indptr, indices):
    """Stands for a graph partitioner: one part, whose graph was made all the same."""
    return np.zeros(len(indptr) - 1, dtype=np.int64)


def test_no_rank_gets_more_of_the_mesh_than_others():
    """Also where the corners of quadratic cells are numbered first, as in files of many mesh generators."""
    ranks = 4
    mesh = box("tet10", (8, 5, 5), (8, 5, 5))
    nodes = mesh.blocks[0].nodes
    first = np.concatenate([np.unique(nodes[:, :4]), np.unique(nodes[:, 4:])])
    number = np.argsort(first)
    stored = store(Mesh(mesh.points[first], (CellBlock(mesh.blocks[0].type, number[nodes]),)))
    received = np.zeros((2, ranks))

    def work(comm, phase, do):
        original = comm.exchange

        def exchange(rows, counts):
            arrived, numbers = original(rows, counts)
            received[phase, comm.rank] += arrived.nbytes
            return arrived, numbers

        comm.exchange = exchange
        return do(comm)

    def graph(comm):
        cells = CellSlice(0, *slice_of(comm, stored))
        return by_graph(by_slices)(comm, stored, [cells])

    on_ranks(ranks, lambda comm: work(comm, 0, graph))
    on_ranks(ranks, lambda comm: work(comm, 1, lambda c: build_part(stored, c)))
    assert (received.max(axis=1) < 1.5 * received.mean(axis=1)).all()


def slice_of(comm, stored):
    """First and nodes of this rank's slice of the cells."""
    n = stored.n_cells
    first = n * comm.rank // comm.size
    return first, np.asarray(stored.cells(0)[first : n * (comm.rank + 1) // comm.size])


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_halo_brings_the_owners_values(ranks):
    stored = store(mixed())

    def work(comm):
        part = build_part(stored, comm)
        vector, scalar = np.full((part.n_local, 2), -1.0), np.full(part.n_local, -1.0)
        vector[: part.n_owned] = part.points[: part.n_owned, :2]
        scalar[: part.n_owned] = part.nodes[: part.n_owned]
        part.halo.update(vector)
        part.halo.update(scalar)
        np.testing.assert_array_equal(vector, part.points[:, :2])
        np.testing.assert_array_equal(scalar, part.nodes)
        return part.n_local - part.n_owned

    assert sum(on_ranks(ranks, work)) > 0 or ranks == 1


@pytest.mark.parametrize("ranks", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_halo_takes_ghost_values_to_their_owners(ranks, dtype):
    """Each rank adds one at each of its nodes: the owner then has the number of ranks that have the node."""
    stored = store(mixed())

    def work(comm):
        part = build_part(stored, comm)
        counts = np.ones((part.n_local, 2), dtype=dtype)
        for _ in range(2):  # What is prepared the first time serves the second.
            counts[:] = 1
            part.halo.collect(counts)
        return part.nodes, part.n_owned, counts

    found = on_ranks(ranks, work)
    have = np.bincount(np.concatenate([nodes for nodes, _, _ in found]), minlength=stored.n_nodes)
    assert have.max() == ranks
    for nodes, n_owned, counts in found:
        np.testing.assert_array_equal(counts[:n_owned], have[nodes[:n_owned], None].repeat(2, axis=1))


def test_halo_knows_neighbours_alone():
    stored = store(box("hex8", (8, 1, 1)))

    def slabs(comm, stored, slices):
        return [(s.first + np.arange(len(s.nodes))) // 2 for s in slices]

    halos = on_ranks(4, lambda comm: build_part(stored, comm, slabs).halo)
    assert [h.neighbours for h in halos] == [(1,), (0, 2), (1, 3), (2,)]
    assert [h.ghost_counts.tolist() for h in halos] == [[4], [4, 4], [4, 4], [4]]


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("n", [0, 2, 17])
def test_directory_keeps_values_by_number(ranks, n):
    def work(comm):
        directory = Directory(comm, n)
        mine = np.arange(comm.rank, n, comm.size)[::-1].copy()
        where, what = directory.send(mine, mine * 10.0)
        kept = np.full(directory.last - directory.first, -1.0)
        kept[where] = what
        np.testing.assert_array_equal(kept, 10.0 * np.arange(directory.first, directory.last))
        asked = np.random.default_rng(comm.rank).permutation(n)
        np.testing.assert_array_equal(directory.get(kept, asked), 10.0 * asked)
        return directory.last - directory.first

    assert sum(on_ranks(ranks, work)) == n


def test_a_given_partition_is_used():
    stored = store(box("hex8", (4, 1, 1)))

    def halves(comm, stored, slices):
        return [np.where(s.first + np.arange(len(s.nodes)) < 2, 1, 0) for s in slices]

    parts = on_ranks(2, lambda comm: build_part(stored, comm, halves))
    assert set(parts[0].blocks[0].cells[parts[0].blocks[0].mine]) >= {2, 3}
    # Nodes between belong to the lower part.
    assert parts[0].n_owned == 3 * 4
    assert parts[1].n_owned == 2 * 4


def test_neighbours_in_space_are_neighbours_in_memory():
    stored = store(box("hex8", (6, 6, 6)))
    shuffled = np.random.default_rng(0).permutation(stored.n_nodes)
    mesh = box("hex8", (6, 6, 6))
    inverse = np.argsort(shuffled)
    other = store(Mesh(mesh.points[shuffled], (CellBlock(mesh.blocks[0].type, inverse[mesh.blocks[0].nodes]),)))

    def spread(s):
        nodes = build_part(s, Serial()).blocks[0].nodes
        return float(np.mean(nodes.max(axis=1) - nodes.min(axis=1)))

    assert spread(other) == pytest.approx(spread(stored), rel=0.2)
    assert spread(other) < 120


def test_morton_interleaves_bits():
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]], dtype=float)
    keys = morton(points, np.zeros(2), np.ones(2))
    assert keys[0] == 0
    assert keys[1] == int("01" * 31, 2)
    assert keys[2] == int("10" * 31, 2)
    assert keys[3] == 2**62 - 1
    assert keys[0] < keys[4] < keys[3]
