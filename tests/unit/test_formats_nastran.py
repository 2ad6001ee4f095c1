import os
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import ReadError, nastran
from dougong.meshes.mesh import RawMesh
from dougong.messages import all_reasons
from mutations import reasons_of_mutants


def small(name: str, *fields: object) -> str:
    text = [str(f) for f in fields]
    lines = [f"{name:<8}" + "".join(f"{f:>8}" for f in text[:8])]
    lines += ["+       " + "".join(f"{f:>8}" for f in text[k : k + 8]) for k in range(8, len(text), 8)]
    return "\n".join(lines) + "\n"


def large(name: str, *fields: object) -> str:
    text = [str(f) for f in fields]
    lines = [f"{name + '*':<8}" + "".join(f"{f:>16}" for f in text[:4])]
    lines += ["*       " + "".join(f"{f:>16}" for f in text[k : k + 4]) for k in range(4, len(text), 4)]
    return "\n".join(lines) + "\n"


def free(name: str, *fields: object) -> str:
    text = [str(f) for f in fields]
    lines = [",".join([name, *text[:8]])]
    lines += [",".join(["", *text[k : k + 8]]) for k in range(8, len(text), 8)]
    return "\n".join(lines) + "\n"


CUBE = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]


def cube(card=small) -> str:
    text = "SOL 101\nCEND\nBEGIN BULK\n"
    text += "".join(card("GRID", i + 1, "", *(f"{float(c)}" for c in p)) for i, p in enumerate(CUBE))
    return text + card("CHEXA", 5, 3, *range(1, 9))


def read(tmp_path: Path, text: str | bytes) -> RawMesh:
    path = tmp_path / "deck.bdf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return nastran.read(path)


def fails(tmp_path: Path, text: str | bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(tmp_path, text)
    assert caught.value.reason in all_reasons()
    return caught.value


@pytest.mark.parametrize("card", [small, large, free])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_field_formats(tmp_path, card, ending):
    mesh = read(tmp_path, (cube(card) + "ENDDATA\nGRID,99,,x\n").replace("\n", ending))
    np.testing.assert_array_equal(mesh.points, np.array(CUBE, float))
    assert mesh.blocks[0].nodes.tolist() == [list(range(8))]
    assert mesh.blocks[0].ids.tolist() == [5]
    assert mesh.cell_sets["PID_3"][0].tolist() == [0]
    assert mesh.node_ids.tolist() == list(range(1, 9))


def test_mixed_formats_tabs_and_comments(tmp_path):
    lines = cube(large).replace("\n*       ", "\n$ a comment\n*\t").split("BEGIN BULK\n")
    text = lines[0] + "BEGIN BULK\n" + lines[1].split("CHEXA")[0] + small("GRID", 9, "", 5.0) + "grid,10,,6.\n"
    text += "chexa   5       3       1       2       3       4       5       6       +A\n+A      7       8\n"
    mesh = read(tmp_path, text)
    np.testing.assert_array_equal(mesh.points[:8], np.array(CUBE, float))
    assert mesh.points[8:].tolist() == [[5.0, 0.0, 0.0], [6.0, 0.0, 0.0]]
    assert mesh.blocks[0].nodes.tolist() == [list(range(8))]


@pytest.mark.parametrize("card", [small, large, free])
def test_numbers(tmp_path, card):
    for text, value in {
        "1.5-3": 1.5e-3, "-1.5+2": -150.0, "1.D2": 100.0, "+.5": 0.5, "-7.": -7.0, "1.E-1": 0.1, "": 0.0,
        "-.5-1": -0.05, "2": 2.0,
    }.items():  # fmt: skip
        mesh = read(tmp_path, cube(card) + card("GRID", 20, "", text, 1.0, text))
        assert mesh.points[8].tolist() == [value, 1.0, value], text


def test_quadratic_cells_are_put_in_order(tmp_path):
    # Nastran lists the middles of the upright edges before those of the top.
    orders = {
        "CHEXA": ("hex20", [*range(12), *range(16, 20), *range(12, 16)]),
        "CPENTA": ("wedge15", [*range(9), *range(12, 15), *range(9, 12)]),
        "CTETRA": ("tet10", list(range(10))),
        "CPYRAM": ("pyramid13", list(range(13))),
    }
    for name, (cell, order) in orders.items():
        points = np.array(CELL_TYPES[cell].reference)
        text = "".join(small("GRID", i + 1, "", *map(str, p)) for i, p in enumerate(points))
        mesh = read(tmp_path, text + small(name, 1, 1, *(i + 1 for i in order)))
        assert mesh.blocks[0].type.name == cell
        assert mesh.blocks[0].nodes.tolist() == [list(range(len(points)))]


def test_linear_cells_in_long_entries(tmp_path):
    grids = "".join(small("GRID", i, "", float(i)) for i in range(1, 21))
    text = grids + small("CTETRA", 1, 1, 1, 2, 3, 4, *[""] * 6) + small("CTETRA", 2, 1, *range(1, 11))
    text += (
        small("CQUAD4", 3, 2, 1, 2, 3, 4, 0.5, 1.0)
        + small("CTRIA6", 4, 2, 1, 2, 3)
        + small("CBAR", 5, 9, 1, 2, 0.0, 1.0, 0.0)
    )
    text += small("CONROD", 6, 1, 2, 77, 1.0) + small("CTRIA3", 7, "", 1, 2, 3) + small("RBE2", 8, 1, 123456, 2)
    mesh = read(tmp_path, text)
    found = sorted((b.type.name, *b.ids.tolist()) for b in mesh.blocks)
    assert found == [("line2", 5), ("line2", 6), ("quad4", 3), ("tet10", 2), ("tet4", 1), ("tri3", 4), ("tri3", 7)]
    assert set(mesh.cell_sets) == {"PID_1", "PID_2", "PID_7", "PID_9"}
    assert dict(mesh.notices)["MESH_NOTICE_CARDS_SKIPPED"]["cards"] == "RBE2 (1)"


def test_coordinate_systems(tmp_path):
    text = cube()
    # 1: origin (10, 0, 0), its z along basic x, its x along basic y. 2: cylindrical in 1. 3: by three points.
    text += small("CORD2R", 1, 0, 10.0, 0.0, 0.0, 11.0, 0.0, 0.0, 10.0, 1.0, 0.0)
    text += small("CORD2C", 2, 1, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
    text += small("CORD1S", 3, 2, 5, 3)
    text += small("GRID", 21, 1, 1.0, 2.0, 3.0) + small("GRID", 22, 2, 2.0, 90.0, 1.0, 4)
    text += small("GRID", 23, 3, 2.0, 0.0, 0.0)
    mesh = read(tmp_path, text)
    np.testing.assert_allclose(mesh.points[8], [13.0, 1.0, 2.0], atol=1e-14)
    np.testing.assert_allclose(mesh.points[9], [11.0, 0.0, 2.0], atol=1e-14)
    a, b = np.array(CUBE[1], float), np.array(CUBE[4], float)
    np.testing.assert_allclose(mesh.points[10], a + 2 * (b - a) / np.linalg.norm(b - a), atol=1e-14)
    assert dict(mesh.notices)["MESH_NOTICE_NODE_FRAMES"] == {"card": "GRID", "count": 1}
    moved = read(
        tmp_path, cube() + small("CORD2R", 1, 0, 10.0, 0.0, 0.0, 10.0, 0.0, 1.0, 11.0) + small("GRDSET", "", 1)
    )
    np.testing.assert_allclose(moved.points[0], [10.0, 0.0, 0.0])


def test_names_and_sets(tmp_path):
    head = "SOL 101\nCEND\nSET 1 = 1 THRU 3, 7,\n  8, 99\nSET 2 = 5\nSET 3 = 1\nSET 4 = ALL\nDISP(PLOT) = 1\n"
    head += "STRESS = 2\nBEGIN BULK\n"
    head += '$HMNAME PROP                   3"solid part"4\n'
    mesh = read(tmp_path, head + cube().split("BEGIN BULK\n")[1])
    assert mesh.node_sets["SET_1"].tolist() == [0, 1, 2, 6, 7]
    assert mesh.cell_sets["SET_2"][0].tolist() == [0]
    assert mesh.cell_sets["solid part"][0].tolist() == [0]
    assert dict(mesh.notices)["MESH_NOTICE_SETS_UNDECIDED"] == {"count": 1, "sets": "SET 3"}
    text = cube() + "$ Femap Property 3 : 支架\n$HMMOVE        1\n$              1THRU       9\n"
    text += '$HMNAME COMP                   1"body"\n'
    mesh = read(tmp_path, text.encode("gb18030"))
    assert mesh.cell_sets["支架"][0].tolist() == [0]
    assert mesh.cell_sets["body"][0].tolist() == [0]


@pytest.mark.parametrize(
    ("text", "reason", "params"),
    [
        ("", "MESH_FILE_EMPTY", {}),
        ("\n \n", "MESH_NO_NODES", {}),
        ("BEGIN BULK\n" + small("GRID", 1), "MESH_NO_CELLS", {}),
        (cube()[:-20], "MESH_WRONG_NODE_COUNT", {"line": 12, "cell": 5}),
        (cube() + small("CTETRA", 9, 1, 1, 2, 3, 44), "MESH_ABSENT_NODE", {"line": 14, "cell": 9, "nodes": "44"}),
        (cube() + small("CTETRA", 9, 1, *range(1, 8)), "MESH_WRONG_NODE_COUNT", {"line": 14, "cell": 9, "found": 7}),
        (cube() + small("CTETRA", 5, 1, 1, 2, 3, 4), "MESH_CELLS_TWICE", {"ids": "5"}),
        (cube() + small("GRID", 9, "", "1.x"), "MESH_BAD_NUMBER", {"line": 14, "text": "1.x"}),
        (cube() + small("GRID", 9, "", "1. 5"), "MESH_BAD_NUMBER", {"line": 14}),
        (cube() + small("GRID", "9a"), "MESH_BAD_NUMBER", {"line": 14, "text": "9a"}),
        (cube() + small("GRID", -9), "MESH_BAD_NUMBER", {"line": 14}),
        (cube() + small("GRID", 0), "MESH_BAD_NUMBER", {"line": 14}),
        (cube() + free("GRID", 10**18), "MESH_BAD_NUMBER", {"line": 14}),
        (cube() + small("GRID", 9, 7), "MESH_FRAME_UNKNOWN", {"line": 14, "frame": 7}),
        (cube() + small("GRID", 9, 7) + small("CORD2R", 7, 7, *"123456789"), "MESH_FRAME_UNKNOWN", {"frame": 7}),
        (cube() + small("GRID", 9, 7) + small("CORD2R", 7, 0, *[1.0] * 9), "MESH_FRAME", {"line": 15}),
        (cube() + small("GRID", 9, 7) + small("CORD1R", 7, 1, 2, 33), "MESH_FRAME", {"line": 15}),
        (cube() + "INCLUDE '/etc/passwd'\n", "MESH_OTHER_FILE", {"line": 14}),
        (cube() + "BEGIN SUPER=1\n", "MESH_CARD_UNSUPPORTED", {"line": 14}),
        (cube() + small("CTRIAX6", 9, 1, 1, 2, 3), "MESH_CELL_TYPE_UNKNOWN", {"line": 14, "type": "CTRIAX6"}),
    ],
)
def test_what_is_wrong_and_where(tmp_path, text, reason, params):
    error = fails(tmp_path, text)
    assert error.reason == reason
    assert {k: error.params[k] for k in params} == params


def test_node_defined_twice_the_last_counts(tmp_path):
    mesh = read(tmp_path, cube() + free("GRID", 2, "", 1.5))
    assert mesh.points[mesh.blocks[0].nodes[0, 1]].tolist() == [1.5, 0.0, 0.0]
    assert dict(mesh.notices)["MESH_NOTICE_NODES_TWICE"] == {"count": 1, "ids": "2"}


def test_mutated_decks_are_read_or_refused(tmp_path):
    text = (
        cube(large)
        + small("GRID", 30, 1, "1.-3")
        + small("CORD2R", 1, 0, 10.0, 0.0, 0.0, 10.0, 0.0, 1.0, 11.0)
        + free("CTETRA", 8, 1, 1, 2, 3, 5)
        + '$HMNAME PROP 1"a"\n'
    )
    refused = reasons_of_mutants(nastran.read, tmp_path / "mutant", text, b"*,.\n\r \x00\xff\t-+19eCG$", seed=2)
    assert refused <= all_reasons()
    assert len(refused) > 4


EXTRA = os.environ.get("DOUGONG_EXTRA_MESHES")


@pytest.mark.skipif(not EXTRA, reason="DOUGONG_EXTRA_MESHES is not set")
@pytest.mark.parametrize(
    ("name", "n_nodes", "cells"),
    [
        ("finetools/trunc_cyl_shell_2.nas", 3903, {"tet4": 15882}),
        ("finetools/twoblocks.nas", 119, {"tet4": 358}),
        ("pynastran/contact_model.bdf", 1080, {"hex8": 675}),
        ("pynastran/contact.bdf", 789, {"tet4": 1137, "quad4": 414}),
        ("pynastran/ISat_Dploy_Sm.dat", 5367, {"hex8": 25, "tri3": 32, "quad4": 4580, "line2": 790}),
        ("pynastran/W1000BOstat.dat", 6375, {"tri3": 99, "quad4": 5641, "line2": 13}),
        ("sfepy/cube.bdf", 64, {"hex8": 26}),
    ],
)
def test_decks_of_somebody_else(name, n_nodes, cells):
    mesh = nastran.read(Path(EXTRA) / name)
    assert len(mesh.points) == n_nodes
    found: dict[str, int] = {}
    for block in mesh.blocks:
        found[block.type.name] = found.get(block.type.name, 0) + len(block)
    assert found == cells
    for block in mesh.blocks:
        if block.type.family == "tet":
            a, b, c, d = np.moveaxis(mesh.points[block.nodes[:, :4]], 1, 0)
            assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) > 0).all()


@pytest.mark.skipif(not EXTRA, reason="DOUGONG_EXTRA_MESHES is not set")
def test_a_deck_with_missing_middle_nodes_is_refused_with_the_cell():
    with pytest.raises(ReadError) as caught:
        nastran.read(Path(EXTRA) / "pynastran" / "model1_sim1-solution_1.bdf")
    assert caught.value.params["cell"] == 646
    assert caught.value.params["line"] == 6238


@pytest.mark.skipif(not EXTRA, reason="DOUGONG_EXTRA_MESHES is not set")
@pytest.mark.parametrize(
    "name",
    ["finetools/trunc_cyl_shell_2.nas", "finetools/twoblocks.nas", "sfepy/cube.bdf", "pynastran/contact_model.bdf"],
)
def test_meshio_reads_the_same(name):
    meshio = pytest.importorskip("meshio")
    theirs = meshio.nastran.read(Path(EXTRA) / name)
    mesh = nastran.read(Path(EXTRA) / name)
    np.testing.assert_allclose(mesh.points, theirs.points, rtol=1e-14)
    assert sorted(np.concatenate([b.nodes for b in mesh.blocks]).tolist()) == sorted(
        np.concatenate([c.data for c in theirs.cells]).tolist()
    )
