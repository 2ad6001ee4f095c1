"""What every mesh format must be. A new format needs one entry here: how its smallest file is written."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import HEAD_BYTES, ReadError, all_formats, find, knows_suffix
from dougong.messages import all_reasons
from dougong.server.formats import describe_formats, known_formats
from meshgen import box
from meshwriters import write_gmsh, write_vtk, write_vtu
from unit.test_formats_med import write as write_med
from unit.test_formats_unv import cube as unv_cube

ALL = pytest.mark.parametrize("mesh_format", all_formats(), ids=lambda f: f.NAME)

CUBE = box("hex8", (1, 1, 1))


def _cards(grid: str, hexahedron: str) -> str:
    """The cube as lines of text."""
    points = [grid.format(i + 1, *p) for i, p in enumerate(CUBE.points)]
    return "\n".join([*points, hexahedron.format(*(CUBE.blocks[0].nodes[0] + 1))])


def _abaqus(path: Path) -> None:
    path.write_text("*NODE\n" + _cards("{}, {}, {}, {}", "*ELEMENT, TYPE=C3D8\n1, {}, {}, {}, {}, {}, {}, {}, {}\n"))


def _nastran(path: Path) -> None:
    path.write_text(_cards("GRID,{},,{},{},{}", "CHEXA,1,1,{},{},{},{},{},{},\n,{},{}\n"))


#: Name of a format -> what writes a cube of one cell.
SMALLEST: dict[str, Callable[[Path], object]] = {
    "abaqus": _abaqus,
    "gmsh": lambda path: write_gmsh(path, CUBE),
    "med": lambda path: write_med(path, CUBE.points, {"HE8": CUBE.blocks[0].nodes}),
    "nastran": _nastran,
    "unv": lambda path: path.write_text(unv_cube()),
    "vtk": lambda path: write_vtk(path, CUBE, False, "3.0"),
    "vtu": lambda path: write_vtu(path, CUBE, "ascii", "", "UInt32", "<"),
}

#: Files that are no mesh of any format.
NONSENSE = (b"", b"\n", b"\x00" * 100_000, bytes(range(256)) * 100, b"a" * 1_000_000, "斗拱\n".encode("gb18030"))


def smallest(mesh_format, folder: Path) -> Path:
    """The smallest file of a format."""
    if mesh_format.NAME == "med" and importlib.util.find_spec("h5py") is None:
        pytest.skip("no h5py")
    path = folder / f"cube{mesh_format.SUFFIXES[0]}"
    SMALLEST[mesh_format.NAME](path)
    return path


def test_every_format_has_a_smallest_file():
    assert SMALLEST.keys() == {f.NAME for f in all_formats()}


def test_names_and_endings_are_unique():
    names = [f.NAME for f in all_formats()]
    assert names == sorted(set(names))
    suffixes = [s for f in all_formats() for s in f.SUFFIXES]
    assert len(set(suffixes)) == len(suffixes)


@ALL
def test_it_has_what_a_format_must_have(mesh_format):
    assert mesh_format.NAME.isidentifier()
    assert mesh_format.SUFFIXES
    assert all(s.startswith(".") and s == s.lower() for s in mesh_format.SUFFIXES)
    assert mesh_format.DESCRIPTION
    assert "\n" not in mesh_format.DESCRIPTION
    assert isinstance(mesh_format.OPENS_FILES, bool)
    assert all(importlib.util.find_spec(name) for name in getattr(mesh_format, "PRELOAD", ()) if name != "h5py")


@ALL
def test_it_reads_its_own_file(mesh_format, tmp_path):
    path = smallest(mesh_format, tmp_path)
    built = build(mesh_format.read(path)).mesh
    assert check(built) == []
    assert [(b.type.name, len(b)) for b in built.blocks] == [("hex8", 1)]
    corners = built.points[built.blocks[0].nodes[0]]
    assert {tuple(p) for p in np.round(corners, 12)} == {tuple(p) for p in CUBE.points}


@ALL
def test_its_file_is_recognised_by_content_and_by_name(mesh_format, tmp_path):
    path = smallest(mesh_format, tmp_path)
    head = path.read_bytes()[:HEAD_BYTES]
    assert mesh_format.sniff(head) is True
    assert find("", "", head) is mesh_format
    assert find(mesh_format.NAME, "", b"") is mesh_format
    for suffix in mesh_format.SUFFIXES:
        assert knows_suffix(mesh_format, f"A{suffix.upper()}")
        assert find("", f"a{suffix}", b"") is mesh_format


@ALL
def test_files_of_other_formats_and_nonsense_are_not_taken_for_its_own(mesh_format, tmp_path):
    for other in all_formats():
        head = smallest(other, tmp_path).read_bytes()[:HEAD_BYTES]
        assert mesh_format.sniff(head) is (other is mesh_format), other.NAME
    for data in (*NONSENSE, b"\xff" * 4096, b"hello, world\n" * 300):
        assert mesh_format.sniff(data[:HEAD_BYTES]) is False


@ALL
def test_an_empty_file_and_nonsense_are_refused(mesh_format, tmp_path):
    for data in NONSENSE:
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(ReadError) as caught:
            mesh_format.read(tmp_path / "a")
        assert caught.value.reason in all_reasons()
        if not data:
            assert caught.value.reason == "MESH_FILE_EMPTY"


@ALL
def test_a_file_of_another_format_is_refused(mesh_format, tmp_path):
    for other in all_formats():
        if other is not mesh_format:
            with pytest.raises(ReadError) as caught:
                mesh_format.read(smallest(other, tmp_path))
            assert caught.value.reason in all_reasons()


@ALL
def test_a_file_cut_short_is_read_or_refused(mesh_format, tmp_path):
    path = smallest(mesh_format, tmp_path)
    data = path.read_bytes()
    reasons = []
    for end in np.linspace(0, len(data) - 1, 30).astype(int):
        path.write_bytes(data[:end])
        try:
            mesh_format.read(path)
        except ReadError as error:
            reasons.append(error.reason)
    assert set(reasons) <= all_reasons()
    assert len(reasons) > 15


@ALL
def test_a_file_that_is_not_there_is_an_error_of_the_system(mesh_format, tmp_path):
    with pytest.raises(FileNotFoundError):
        mesh_format.read(tmp_path / "absent")


def test_the_server_lists_every_format():
    assert known_formats() == [f.NAME for f in all_formats()]
    listed = {f.name: f for f in describe_formats()}
    assert listed.keys() == {f.NAME for f in all_formats()}
    for f in all_formats():
        assert tuple(listed[f.NAME].suffixes) == f.SUFFIXES
        assert listed[f.NAME].description == f.DESCRIPTION
