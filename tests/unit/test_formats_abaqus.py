import os
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.formats import ReadError, abaqus
from dougong.meshes.formats._abaqus_elements import own_formulation
from dougong.meshes.mesh import RawMesh
from dougong.messages import all_reasons
from mutations import reasons_of_mutants

CUBE_NODES = """*NODE, NSET=ALL
1, 0., 0., 0.
2, 1., 0., 0.
3, 1., 1., 0.
4, 0., 1., 0.
5, 0., 0., 1.
6, 1., 0., 1.
7, 1., 1., 1.
8, 0., 1., 1.
"""
CUBE = CUBE_NODES + "*ELEMENT, TYPE=C3D8R, ELSET=E\n7, 1,2,3,4,5,6,7,8\n"


def read(tmp_path: Path, text: str | bytes) -> RawMesh:
    path = tmp_path / "deck.inp"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return abaqus.read(path)


def fails(tmp_path: Path, text: str | bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(tmp_path, text)
    assert caught.value.reason in all_reasons()
    return caught.value


def notices(mesh: RawMesh) -> dict[str, dict[str, object]]:
    assert {reason for reason, _ in mesh.notices} <= all_reasons()
    return dict(mesh.notices)


def test_a_cube(tmp_path):
    mesh = read(tmp_path, CUBE)
    assert mesh.points[6].tolist() == [1.0, 1.0, 1.0]
    assert mesh.blocks[0].type.name == "hex8"
    assert mesh.blocks[0].nodes.tolist() == [list(range(8))]
    assert mesh.blocks[0].ids.tolist() == [7]
    assert mesh.node_sets["ALL"].tolist() == list(range(8))
    assert mesh.cell_sets["E"][0].tolist() == [0]
    assert mesh.node_ids.tolist() == list(range(1, 9))


@pytest.mark.parametrize(
    "nodes",
    [
        CUBE_NODES.replace("\n", "\r\n"),
        CUBE_NODES.replace(".,", ".,,").replace(".,,", ".,"),
        CUBE_NODES.replace("1., 0., 0.", "1.d0,0,"),
        CUBE_NODES.replace("\n", " ,\n").replace("ALL ,", "ALL"),
        CUBE_NODES.replace("4, 0., 1., 0.", "** comment\n4,,1.,\n\n  ** another"),
        CUBE_NODES.replace("*NODE", " * Node ").replace("NSET=", " nset = "),
        CUBE_NODES.replace("*NODE, ", "*NODE,\n"),
        CUBE_NODES.replace("6, 1., 0., 1.", "6, +1.0E+00, 0., 1.0D0, 0., 0., 1."),
    ],
)
def test_ways_to_write_nodes(tmp_path, nodes):
    mesh = read(tmp_path, nodes + CUBE[len(CUBE_NODES) :])
    np.testing.assert_array_equal(mesh.points, read(tmp_path, CUBE).points)
    assert len(mesh.node_sets["ALL"]) == 8


@pytest.mark.parametrize(
    "data",
    [
        "7, 1,2,3,4,\n5,6,7,8\n",
        "7,1,2,3\n4,5,6,7,8,\n",
        "7, 1,2,3,4,5,6,7,8,\n",
        "7,1,2,3,4,\n** so\n5,6,7,8",
        "\n7 ,1 ,2,3,4,5,6,7,8\n\n",
    ],
)
def test_wrapped_elements(tmp_path, data):
    mesh = read(tmp_path, CUBE_NODES + "*ELEMENT, TYPE=C3D8\n" + data)
    assert mesh.blocks[0].nodes.tolist() == [list(range(8))]


def test_element_types(tmp_path):
    many = "*NODE\n" + "".join(f"{i},{i},{i % 3},{i % 5}\n" for i in range(1, 40))
    expected = {
        "C3D4": "tet4", "C3D10MHT": "tet10", "C3D6": "wedge6", "C3D15": "wedge15", "C3D20R": "hex20", "C3D8I": "hex8",
        "DC3D10": "tet10", "CPS3": "tri3", "CPE8RH": "quad8", "CAX6M": "tri6", "DC2D4": "quad4", "M3D9R": "quad9",
        "S3R": "tri3", "S4R5": "quad4", "S8R": "quad8", "STRI65": "tri6", "S6": "tri6", "B31": "line2", "B32H": "line3",
        "T3D2": "line2", "T3D3": "line3", "SAX1": "line2", "SAX2": "line3", "MASS": "point1", "SPRINGA": "line2",
        "C3D5": "pyramid5", "SC8R": "hex8", "F3D8": "hex8", "S9R5": "quad9", "STRI3": "tri3", "B33": "line2",
    }  # fmt: skip
    for name, cell in expected.items():
        n = int("".join(c for c in cell if c.isdigit()))
        mesh = read(tmp_path, many + f"*ELEMENT, TYPE={name}\n1, " + ",".join(str(i) for i in range(1, n + 1)))
        assert mesh.blocks[0].type.name == cell, name
        if cell == "line3":
            assert mesh.blocks[0].nodes.tolist() == [[0, 2, 1]]
    for name in ("C3D15V", "CIN3D8", "COH3D8", "U1", "C3D9", "S2", "XYZ"):
        error = fails(tmp_path, many + f"*ELEMENT, TYPE={name}\n1, 1,2,3")
        assert error.reason == "MESH_CELL_TYPE_UNKNOWN"
        assert error.params == {"line": 41, "type": name}


def test_hex27_face_nodes_are_sorted_by_place(tmp_path):
    from dougong.meshes.cells import CELL_TYPES

    reference = np.array(CELL_TYPES["hex27"].reference)
    order = [*range(20), 26, 24, 25, 22, 21, 23, 20]
    text = "*NODE\n" + "".join(f"{i + 1},{x},{y},{z}\n" for i, (x, y, z) in enumerate(reference))
    text += "*ELEMENT,TYPE=C3D27\n1," + ",".join(str(i + 1) for i in order[:15]) + ",\n"
    text += ",".join(str(i + 1) for i in order[15:])
    assert read(tmp_path, text).blocks[0].nodes.tolist() == [list(range(27))]


def test_sets(tmp_path):
    text = CUBE + (
        "*NSET, NSET=Gen, GENERATE\n1, 100, 2\n*NSET, NSET=GEN\n2,\n*NSET,NSET=both,UNSORTED\nlater, 8, gen\n"
        "*NSET, NSET=later\n8, 99\n*ELSET, ELSET=all\nE\n*NSET, NSET=of, ELSET=E\n*NSET,NSET=huge,GENERATE\n"
        "1,999999999999\n"
    )
    mesh = read(tmp_path, text)
    assert mesh.node_sets["Gen"].tolist() == [0, 1, 2, 4, 6]
    assert mesh.node_sets["both"].tolist() == [0, 1, 2, 4, 6, 7]
    assert mesh.cell_sets["all"][0].tolist() == [0]
    assert len(mesh.node_sets["of"]) == len(mesh.node_sets["huge"]) == 8
    assert notices(mesh)["MESH_NOTICE_SET_NUMBERS_ABSENT"]["count"] == 46 + 1 + 999999999999 - 8
    assert mesh.origins["nodes", "Gen"] == "*NSET"


def test_surfaces(tmp_path):
    text = CUBE + (
        "8, 5,6,7,8,1,2,3,4\n".replace("8, 5,6,7,8,1,2,3,4", "8, 5,6,7,8,9,10,11,12")
        + "*NODE\n9,0,0,2\n10,1,0,2\n11,1,1,2\n12,0,1,2\n"
        "*SURFACE, NAME=top\nE, S2\n*SURFACE, NAME=one, TYPE=ELEMENT\n8, s3\n*SURFACE, NAME=skin\nE,\n"
        "*SURFACE, NAME=n, TYPE=NODE\nALL, 1.\n12\n"
    )
    mesh = read(tmp_path, text)
    assert mesh.facet_sets["top"].tolist() == [[0, 0, 1], [0, 1, 1]]
    assert mesh.facet_sets["one"].tolist() == [[0, 1, 2]]
    skin = mesh.facet_sets["skin"].tolist()
    assert len(skin) == 10
    assert [0, 0, 1] not in skin
    assert [0, 1, 0] not in skin
    assert mesh.node_sets["n"].tolist() == [*range(8), 11]


def test_shell_surface_is_a_set_of_cells(tmp_path):
    mesh = read(
        tmp_path, CUBE_NODES + "*ELEMENT,TYPE=S4,ELSET=S\n1,1,2,3,4\n*SURFACE,NAME=S\nS,SPOS\n*SURFACE,NAME=e\n1,E2\n"
    )
    assert mesh.cell_sets["S (surface)"][0].tolist() == [0]
    assert mesh.facet_sets["e"].tolist() == [[0, 0, 1]]


ASSEMBLY = (
    "*HEADING\n two cubes\n*PART, NAME=Cube\n"
    + CUBE
    + """*NSET, NSET=bottom
1,2,3,4
*SURFACE, NAME=top
E, S2
*END PART
*ASSEMBLY, NAME=A
*INSTANCE, NAME=I-1, PART=cube
*END INSTANCE
*INSTANCE, NAME=I-2, PART=Cube
 10., 0., 0.
 10., 0., 0., 10., 0., 1., 90.
*END INSTANCE
*NSET, NSET=fix, INSTANCE=I-2
bottom, 5
*NSET, NSET=x
I-1.3, I-2.bottom
*ELSET, ELSET=_s_S1, INTERNAL, INSTANCE=I-1
7,
*SURFACE, NAME=s
_s_S1, S1
I-2.E, S6
*ELEMENT, TYPE=CONN3D2, ELSET=link
1, I-1.1, I-2.2
*END ASSEMBLY
*MATERIAL, NAME=m
*ELASTIC
1., 0.3
"""
)


def test_parts_and_instances(tmp_path):
    mesh = read(tmp_path, ASSEMBLY)
    assert len(mesh.points) == 16
    # Moved by 10 along x, then turned by 90 degrees about the line through (10, 0, 0) along z.
    np.testing.assert_allclose(mesh.points[9], [10.0, 1.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(mesh.points[11], [9.0, 0.0, 0.0], atol=1e-14)
    assert mesh.node_sets["fix"].tolist() == [8, 9, 10, 11, 12]
    assert mesh.node_sets["x"].tolist() == [2, 8, 9, 10, 11]
    assert mesh.node_sets["I-1.bottom"].tolist() == [0, 1, 2, 3]
    assert mesh.facet_sets["s"].tolist() == [[0, 0, 0], [1, 0, 5]]
    assert mesh.facet_sets["I-2.top"].tolist() == [[1, 0, 1]]
    assert mesh.node_ids.tolist() == list(range(1, 17))
    found = notices(mesh)
    assert found["MESH_NOTICE_CONNECTORS_SKIPPED"] == {"count": 1}
    assert found["MESH_NOTICE_CARDS_SKIPPED"] == {"cards": "*MATERIAL, *ELASTIC"}
    assert "MESH_NOTICE_INSTANCES_RENUMBERED" in found


def test_one_instance_keeps_names_and_numbers(tmp_path):
    text = (
        "*PART,NAME=P\n"
        + CUBE
        + "*NSET,NSET=a\n1\n*NSET,NSET=b\n2\n*END PART\n*ASSEMBLY,NAME=A\n*INSTANCE,NAME=P-1,PART=P\n"
    )
    text += "*END INSTANCE\n*NODE\n1,5,5,5\n*NSET,NSET=a\n1\n*END ASSEMBLY\n"
    mesh = read(tmp_path, text)
    assert mesh.node_ids.tolist() == [*range(1, 9), 9]
    assert mesh.blocks[0].ids.tolist() == [7]
    assert mesh.node_sets["a"].tolist() == [8]
    assert mesh.node_sets["P-1.a"].tolist() == [0]
    assert mesh.node_sets["b"].tolist() == [1]


def test_systems(tmp_path):
    base = CUBE[len(CUBE_NODES) :]
    turned = read(tmp_path, "*SYSTEM\n1,0,0, 1,1,0\n0,0,0\n" + CUBE_NODES + "*SYSTEM\n" + base)
    np.testing.assert_allclose(turned.points[1], [1.0, 1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(turned.points[3], [0.0, 0.0, 0.0], atol=1e-15)
    round_ = read(tmp_path, CUBE_NODES + "*NODE, SYSTEM=C\n9, 2., 90., 3.\n" + base)
    np.testing.assert_allclose(round_.points[8], [0.0, 2.0, 3.0], atol=1e-15)
    assert notices(read(tmp_path, CUBE + "*TRANSFORM,NSET=ALL\n1,0,0,0,1,0"))["MESH_NOTICE_NODE_FRAMES"]["count"] == 1


def test_node_defined_twice_the_last_counts(tmp_path):
    mesh = read(tmp_path, CUBE + "*NODE\n2, 1.5, 0., 0.\n")
    assert mesh.points[mesh.blocks[0].nodes[0, 1]].tolist() == [1.5, 0.0, 0.0]
    assert notices(mesh)["MESH_NOTICE_NODES_TWICE"] == {"count": 1, "ids": "2"}


def test_names_keep_their_spelling_and_encoding(tmp_path):
    gbk = CUBE.encode() + "*NSET, NSET=固定端\n1\n".encode("gb18030")
    assert "固定端" in read(tmp_path, gbk).node_sets
    assert "a, b" in read(tmp_path, CUBE + '*NSET, NSET="a, b"\n1\n').node_sets


@pytest.mark.parametrize(
    ("text", "reason", "params"),
    [
        ("", "MESH_FILE_EMPTY", {}),
        ("\n\n", "MESH_NO_NODES", {}),
        ("solid ascii\n", "MESH_NO_NODES", {}),
        (CUBE_NODES, "MESH_NO_CELLS", {}),
        (CUBE[:-3], "MESH_WRONG_NODE_COUNT", {"line": 11, "cell": 7, "expected": 8, "found": 7}),
        (CUBE.replace("3,4,5,6", "3,4,5,66"), "MESH_ABSENT_NODE", {"line": 11, "cell": 7, "nodes": "66"}),
        (CUBE + "9,1,2,3\n10,1,2,3,4,5,6,7,8\n", "MESH_WRONG_NODE_COUNT", {"line": 12, "cell": 9}),
        (CUBE + "9,1,2,,4,5,6,7,8\n", "MESH_WRONG_NODE_COUNT", {"line": 12, "cell": 9}),
        (CUBE + "7,1,2,3,4,5,6,7,8\n", "MESH_CELLS_TWICE", {"line": 10, "ids": "7"}),
        (CUBE.replace("3, 1., 1., 0.", "3, 1., x, 0."), "MESH_BAD_NUMBER", {"line": 4, "text": "x"}),
        (CUBE.replace("3, 1., 1., 0.", "3.5, 1., 1., 0."), "MESH_BAD_NUMBER", {"line": 4, "text": "3.5"}),
        (CUBE.replace("3, 1., 1., 0.", "-3, 1., 1., 0."), "MESH_BAD_NUMBER", {"line": 4}),
        (CUBE.replace("3, 1., 1., 0.", "1000000000000000000, 1., 1., 0."), "MESH_BAD_NUMBER", {"line": 4}),
        (CUBE + "*INCLUDE, INPUT=/etc/passwd\n", "MESH_OTHER_FILE", {"line": 12}),
        (CUBE + "*NODE, INPUT=/etc/passwd\n", "MESH_OTHER_FILE", {"line": 12}),
        (CUBE + "*NGEN\n1,2\n", "MESH_CARD_UNSUPPORTED", {"line": 12, "card": "*NGEN"}),
        (CUBE + "*NSET, NSET=a\nnone\n", "MESH_SET_UNKNOWN", {"line": 13, "name": "none"}),
        (CUBE + "*NSET, NSET=a\nb\n*NSET,NSET=b\na\n", "MESH_SET_CIRCLE", {}),
        (CUBE + "*NSET\n1\n", "MESH_PARAMETER_MISSING", {"line": 12, "parameter": "NSET"}),
        (CUBE + "*NSET, NSET=g, GENERATE\n5,1\n", "MESH_RANGE", {"line": 13}),
        (CUBE + "*SURFACE, NAME=s\nE, S7\n", "MESH_FACE_UNKNOWN", {"line": 13, "face": "S7", "type": "hex8"}),
        ("*ASSEMBLY,NAME=A\n*INSTANCE,NAME=i,PART=p\n", "MESH_PART_UNKNOWN", {"line": 2, "name": "p"}),
        (ASSEMBLY.replace("INSTANCE=I-2", "INSTANCE=I-3"), "MESH_INSTANCE_UNKNOWN", {"name": "I-3"}),
        (ASSEMBLY.replace("10., 0., 1., 90.", "10., 0., 0., 90."), "MESH_INSTANCE_PLACE", {"line": 25}),
        (ASSEMBLY.replace(" 10., 0., 0.\n", " nan, 0., 0.\n"), "MESH_INSTANCE_PLACE", {"line": 24}),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(tmp_path, text, reason, params):
    error = fails(tmp_path, text)
    assert error.reason == reason
    assert {k: error.params[k] for k in params} == params


def test_a_thousand_chunks_read_as_one(tmp_path, monkeypatch):
    from dougong.meshes.formats import _textfile

    whole = read(tmp_path, ASSEMBLY)
    monkeypatch.setattr(_textfile, "CHUNK_BYTES", 16)
    pieces = read(tmp_path, ASSEMBLY)
    np.testing.assert_array_equal(whole.points, pieces.points)
    assert whole.node_sets.keys() == pieces.node_sets.keys()
    assert whole.facet_sets["s"].tolist() == pieces.facet_sets["s"].tolist()


def test_mutated_decks_are_read_or_refused(tmp_path):
    text = ASSEMBLY + CUBE + "*NSET,NSET=g,GENERATE\n1,8,2\n*SURFACE,NAME=q\nE\n"
    refused = reasons_of_mutants(abaqus.read, tmp_path / "mutant", text, b'*,.\n\r \x00\xff-19eENSG="', seed=1)
    assert refused <= all_reasons()
    assert len(refused) > 5


EXTRA = os.environ.get("DOUGONG_EXTRA_MESHES")


@pytest.mark.skipif(not EXTRA, reason="DOUGONG_EXTRA_MESHES is not set")
def test_a_deck_of_somebody_else(tmp_path):
    path = Path(EXTRA) / "finetools" / "unit_cube_modes_h20.inp"
    mesh = abaqus.read(path)
    assert abaqus.sniff(path.read_bytes()[:4096])
    assert [b.type.name for b in mesh.blocks] == ["hex20"]
    nodes = mesh.blocks[0].nodes
    assert np.array_equal(np.unique(nodes), np.arange(len(mesh.points)))
    # Mid-edge nodes lie in the middle: the node order is the product's.
    edges = mesh.blocks[0].type.edges
    middle = mesh.points[nodes[:, edges]].mean(axis=2)
    np.testing.assert_allclose(mesh.points[nodes[:, 8:]], middle, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "kept"),
    [(name, True) for name in ("C3D8", "C3D20", "C3D10", "CPE8", "S4R", "C3D8T")]
    + [(name, False) for name in ("C3D8I", "C3D8R", "C3D20R", "C3D10M", "C3D10HS", "C3D8RH", "CPS4R")],
)
def test_a_formulation_that_is_not_kept_is_told(name, kept):
    assert own_formulation(name) is not kept
