import os
import subprocess
import sys

import numpy as np
import pytest

from dougong.meshes.formats import FindError, ReadError, all_formats, find
from dougong.meshes.formats._text import decode, line_of, parse_numbers, shown, skip_space
from dougong.meshes.formats._textfile import TextFile
from dougong.meshes.numbering import Numbering
from dougong.meshes.rows import RowIndex
from dougong.messages import all_reasons

GMSH = b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"
VTU = b'<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid">'


@pytest.mark.parametrize(
    ("name", "file_name", "head", "expected"),
    [
        ("gmsh", "a.vtu", b"", "gmsh"),
        ("", "a.msh", GMSH, "gmsh"),
        ("", "A.MSH", b"", "gmsh"),
        ("", "a.txt", GMSH, "gmsh"),
        ("", "../../etc/a.vtu", VTU, "vtu"),
        ("", "", b"# vtk DataFile Version 3.0\n", "vtk"),
        ("", "a.vtk", GMSH, "gmsh"),
    ],
)
def test_finding_a_format(name, file_name, head, expected):
    assert expected == find(name, file_name, head).NAME


@pytest.mark.parametrize(
    ("name", "file_name", "reason"),
    [
        ("word", "a.msh", "MESH_FORMAT_UNKNOWN"),
        ("", "a.docx", "MESH_FORMAT_NOT_RECOGNISED"),
        ("", "", "MESH_FORMAT_NOT_RECOGNISED"),
        ("", "a.xdmf", "MESH_FORMAT_NOT_RECOGNISED"),
        ("xdmf", "a.xdmf", "MESH_FORMAT_UNKNOWN"),
    ],
)
def test_no_format(name, file_name, reason):
    with pytest.raises(FindError) as caught:
        find(name, file_name, b"PK\x03\x04")
    assert caught.value.reason == reason
    assert "gmsh" in str(caught.value.params["known"])


def test_nothing_heavy_is_imported_to_find_a_format_or_to_keep_a_store():
    program = (
        "import sys, dougong.meshes.store\n"
        "from dougong.meshes.formats import all_formats\n"
        "all_formats()\n"
        "heavy = {'meshio', 'h5py', 'scipy', 'skfem', 'petsc4py', 'mpi4py', 'grpc', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numbers_in_pieces(monkeypatch):
    monkeypatch.setattr("dougong.meshes.formats._text._CHUNK", 37)
    values = np.random.default_rng(0).normal(size=500)
    text = ("\n".join(map(repr, values.tolist())) + "\r\n").encode()
    np.testing.assert_array_equal(parse_numbers(text, 0, len(text), np.float64, "s"), values)
    for bad, line in (
        (b"1 2\n3 x4\n5", 2),
        (b"1\n2\n3,\n", 3),
        (b"1 2\n3 4.5.6\n", 2),
        (b"0x10", 1),
        (b"1\n\n\n--1", 4),
    ):
        with pytest.raises(ReadError) as caught:
            parse_numbers(bad, 0, len(bad), np.float64, "s")
        assert caught.value.params["line"] == line
    assert line_of(text, text.rindex(b"\n")) == 500


@pytest.mark.parametrize("space", [b"\n", b" ", b"\r\n"])
def test_white_space_is_skipped_in_bulk(monkeypatch, space):
    monkeypatch.setattr("dougong.meshes.formats._text._CHUNK", 128)
    for count in (0, 1, 63, 64, 65, 192, 500):
        blank = space * count
        assert skip_space(b"x" + blank + b"y ", 1) == 1 + len(blank)
        assert skip_space(b"x" + blank, 1) == 1 + len(blank)


def test_words_are_found_anywhere_in_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr("dougong.meshes.formats._textfile.CHUNK_BYTES", 16)
    for before in range(40):
        (tmp_path / "a").write_bytes(b"x" * before + b"gRid" + b"y" * 20)
        with TextFile(tmp_path / "a", "nastran") as file:
            assert file.mentions(b"GRID")
            assert file.mentions(b"INCLUDE", b"RIDY")
            assert not file.mentions(b"GRIDX", b"NODE")


@pytest.mark.parametrize("line", [b"\n", b"   \r\n", b"$ c\n", b"** c\n"])
@pytest.mark.parametrize("mesh_format", all_formats(), ids=lambda f: f.NAME)
def test_millions_of_lines_that_say_nothing_are_refused(mesh_format, line, tmp_path):
    # Line by line this would take half a minute for each of them.
    (tmp_path / "a").write_bytes(line * ((32 << 20) // len(line)))
    with pytest.raises(ReadError) as caught:
        mesh_format.read(tmp_path / "a")
    assert caught.value.reason in all_reasons()


def test_names_in_other_encodings():
    assert decode("固定端".encode()) == decode("固定端".encode("gb18030")) == "固定端"
    assert decode(b"\xff\xff") == "ÿÿ"
    assert shown(b"\x00\x1b[31m" + b"a" * 100) == "··[31m" + "a" * 54 + "…"


def test_numbers_narrower_than_those_of_the_mesh_are_looked_up():
    """As .inp and Gmsh readers give them: 32-bit references into a mesh whose numbers begin beyond."""
    far = 2**40 + np.arange(4)
    assert Numbering(far).find(np.array([7, -7], dtype=np.int32)).tolist() == [-1, -1]


@pytest.mark.parametrize(
    "ids",
    [[1, 2, 3, 4], [5, 6, 7, 8], [4, 2, 3, 1], [10, 3, 7, 12], [1, 10**15, 5, 3], [-(2**62), 2**62, 0, 1]],
)
def test_numbering(ids):
    numbering = Numbering(np.array(ids))
    assert numbering.index(np.array([ids[::-1], ids]), "s").tolist() == [[3, 2, 1, 0], [0, 1, 2, 3]]
    for absent in (0 if 0 not in ids else 2, 2**63 - 1, -(2**63), 9):
        assert numbering.find(np.array([absent])).tolist() == [-1]
        with pytest.raises(ReadError) as caught:
            numbering.index(np.array([ids[0], absent]), "here")
        assert caught.value.params == {"node": absent, "section": "here"}


@pytest.mark.parametrize("ids", [[1, 2, 2], [1, 10**15, 10**15]])
def test_a_number_twice(ids):
    with pytest.raises(ReadError) as caught:
        Numbering(np.array(ids))
    assert caught.value.reason == "MESH_NODE_DUPLICATE"
    assert caught.value.params["first"] == ids[1]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_rows_are_found_whatever_the_order_of_their_nodes(width):
    rng = np.random.default_rng(width)
    rows = rng.integers(0, 6, size=(200, width))
    index = RowIndex(rows, 6)
    keys = [tuple(sorted(r)) for r in rows.tolist()]
    assert index.n_different == len(set(keys))
    number = {}
    for key, n in zip(keys, index.number.tolist(), strict=True):
        assert number.setdefault(key, n) == n
    others = rng.integers(0, 6, size=(300, width))
    assert index.find(others).tolist() == [number.get(tuple(sorted(r)), -1) for r in others.tolist()]
