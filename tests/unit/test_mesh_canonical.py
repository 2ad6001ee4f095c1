import hashlib
import json
import random

import numpy as np
import pytest

from dougong.meshes import canonical
from dougong.meshes.canonical import StoredMesh, write
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.messages import DataLoss
from meshgen import TYPES_2D, TYPES_3D, box, plate


def sample():
    mesh = box("tet10", (2, 2, 2))
    block = CellBlock(mesh.blocks[0].type, mesh.blocks[0].nodes, np.arange(mesh.n_cells) * 2 + 7)
    nodes = Region("node set 节点", RegionKind.NODES, np.array([0, 3, 5]), "*NSET")
    return Mesh(mesh.points, (block,), (*mesh.regions, nodes), np.arange(mesh.n_nodes)[::-1] + 1)


@pytest.mark.parametrize("name", [*TYPES_3D, *TYPES_2D])
def test_what_is_read_is_what_was_written(tmp_path, name):
    mesh = box(name) if name in TYPES_3D else plate(name)
    digest = write(mesh, tmp_path)
    stored = StoredMesh(tmp_path)
    assert stored.digest == digest
    assert stored.node_ids is None
    back = stored.load()
    np.testing.assert_array_equal(back.points, mesh.points)
    np.testing.assert_array_equal(back.blocks[0].nodes, mesh.blocks[0].nodes)
    assert back.blocks[0].nodes.dtype == np.int32
    for region in mesh.regions:
        np.testing.assert_array_equal(back.region(region.name, region.kind).entries, region.entries)
    assert not back.points.flags.writeable


def test_numbers_of_the_file_are_kept(tmp_path):
    mesh = sample()
    write(mesh, tmp_path)
    back = StoredMesh(tmp_path).load()
    assert back.node_numbers(np.array([0, 1])).tolist() == [mesh.n_nodes, mesh.n_nodes - 1]
    assert back.cell_numbers(np.array([0, 1])).tolist() == [7, 9]
    assert back.region("node set 节点", RegionKind.NODES).origin == "*NSET"


def test_the_digest_depends_on_every_part(tmp_path):
    mesh = sample()
    variants = [
        mesh,
        Mesh(mesh.points + 1, mesh.blocks, mesh.regions, mesh.node_ids),
        Mesh(mesh.points, mesh.blocks, mesh.regions[:-1], mesh.node_ids),
        Mesh(mesh.points, mesh.blocks, mesh.regions, None),
        Mesh(mesh.points, (CellBlock(mesh.blocks[0].type, mesh.blocks[0].nodes),), mesh.regions, mesh.node_ids),
    ]
    digests = []
    for k, variant in enumerate(variants):
        (tmp_path / str(k)).mkdir()
        digests.append(write(variant, tmp_path / str(k)))
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("shares", [1, 3])
def test_every_flipped_bit_is_seen(tmp_path, shares, monkeypatch):
    """Also where several processes check a share of the pieces each: the file is named, once or more."""
    monkeypatch.setattr(canonical, "PIECE_BYTES", 1000)
    write(sample(), tmp_path)
    files = sorted(tmp_path.iterdir())
    assert not any(StoredMesh(tmp_path).damaged_files(k, shares) for k in range(shares))
    rng = random.Random(shares)
    for _ in range(120):
        path = rng.choice(files)
        whole = path.read_bytes()
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            stored = StoredMesh(tmp_path)
            found = [name for k in range(shares) for name in stored.damaged_files(k, shares)]
        except DataLoss as error:
            found = [error.params["file"]]
        name = "header.json" if path.name == "header.sha256" else path.name
        assert set(found) == {name}
        path.write_bytes(whole)


@pytest.mark.parametrize("shares", [1, 2, 5, 50])
def test_each_piece_is_checked_by_one_share(tmp_path, shares, monkeypatch):
    monkeypatch.setattr(canonical, "PIECE_BYTES", 500)
    write(sample(), tmp_path)
    stored = StoredMesh(tmp_path)
    data = (tmp_path / "points.npy").read_bytes()
    pieces = -(-len(data) // 500)
    assert pieces > 5
    for k in range(pieces):
        damaged = bytearray(data)
        damaged[min(500 * k + 499, len(data) - 1)] ^= 4
        (tmp_path / "points.npy").write_bytes(damaged)
        assert [bool(stored.damaged_files(s, shares)) for s in range(shares)].count(True) == 1
    for wrong in (data[:-1], data + b"x"):
        (tmp_path / "points.npy").write_bytes(wrong)
        assert any("points.npy" in stored.damaged_files(s, shares) for s in range(shares))


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_shortened_or_missing_array_is_data_loss(tmp_path, cut):
    write(sample(), tmp_path)
    path = tmp_path / "cells_0.npy"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataLoss) as caught:
        StoredMesh(tmp_path).cells(0)
    assert caught.value.params["file"] == "cells_0.npy"
    path.unlink()
    with pytest.raises(DataLoss):
        StoredMesh(tmp_path).cells(0)


@pytest.mark.parametrize("key", ["dim", "n_nodes", "blocks", "regions", "files"])
@pytest.mark.parametrize("value", [None, "x", [1], {"a": 1}])
def test_a_header_with_something_else_in_it(tmp_path, key, value):
    write(sample(), tmp_path)
    header = json.loads((tmp_path / "header.json").read_text())
    rewrite_header(tmp_path, json.dumps(header | {key: value}))
    with pytest.raises(DataLoss):
        StoredMesh(tmp_path).points  # noqa: B018 - a property that reads
    rewrite_header(tmp_path, "[]")
    with pytest.raises(DataLoss):
        StoredMesh(tmp_path)


def rewrite_header(directory, text):
    """A header with its digest, as a converter could write it that was led astray."""
    (directory / "header.json").write_text(text)
    (directory / "header.sha256").write_text(hashlib.sha256(text.encode()).hexdigest())
