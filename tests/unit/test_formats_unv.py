from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import ReadError, unv
from dougong.meshes.mesh import RawMesh
from dougong.messages import all_reasons
from mutations import reasons_of_mutants

#: Where the cell's nodes stand in the file: round the faces, corner and middle in turn.
ORDERS = {
    "tri6": [0, 3, 1, 4, 2, 5],
    "quad8": [0, 4, 1, 5, 2, 6, 3, 7],
    "tet10": [0, 4, 1, 5, 2, 6, 7, 8, 9, 3],
    "wedge15": [0, 6, 1, 7, 2, 8, 12, 13, 14, 3, 9, 4, 10, 5, 11],
    "hex20": [0, 8, 1, 9, 2, 10, 3, 11, 16, 17, 18, 19, 4, 12, 5, 13, 6, 14, 7, 15],
}
KINDS = {"tri3": 91, "tri6": 92, "quad4": 94, "quad8": 95, "tet4": 111, "wedge6": 112, "wedge15": 113, "hex8": 115,
         "hex20": 116, "tet10": 118}  # fmt: skip


def dataset(number: int, text: str) -> str:
    return f"    -1\n{number:6d}\n{text}    -1\n"


def nodes(points) -> str:
    lines = []
    for i, p in enumerate(points):
        x, y, z = [*map(float, p), 0.0, 0.0][:3]
        lines.append(f"{i + 1:10d}{1:10d}{1:10d}{11:10d}\n{x:25.16E}{y:25.16E}{z:25.16E}\n".replace("E", "D"))
    return dataset(2411, "".join(lines))


def element(label: int, kind: int, numbers, beam: bool = False) -> str:
    numbers = list(numbers)
    text = "".join(f"{n:10d}" for n in (label, kind, 2, 1, 7, len(numbers))) + "\n"
    if beam:
        text += f"{0:10d}{1:10d}{1:10d}\n"
    for k in range(0, len(numbers), 8):
        text += "".join(f"{n:10d}" for n in numbers[k : k + 8]) + "\n"
    return text


def group(number: int, name: str, members) -> str:
    text = f"{number:10d}" + f"{0:10d}" * 6 + f"{len(members):10d}\n{name}\n"
    for k in range(0, len(members), 2):
        text += "".join(f"{kind:10d}{tag:10d}{0:10d}{0:10d}" for kind, tag in members[k : k + 2]) + "\n"
    return text


def cube() -> str:
    return nodes(CELL_TYPES["hex8"].reference) + dataset(2412, element(5, 115, range(1, 9)))


def read(tmp_path: Path, text: str | bytes) -> RawMesh:
    path = tmp_path / "mesh.unv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return unv.read(path)


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_cells(tmp_path, cell, ending):
    points = CELL_TYPES[cell].reference
    order = ORDERS.get(cell, range(len(points)))
    text = nodes(points) + dataset(2412, element(7, KINDS[cell], [i + 1 for i in order]))
    mesh = read(tmp_path, text.replace("\n", ending))
    assert mesh.blocks[0].type.name == cell
    assert mesh.blocks[0].nodes.tolist() == [list(range(len(points)))]
    assert mesh.blocks[0].ids.tolist() == [7]
    np.testing.assert_array_equal(mesh.points[:, : len(points[0])], points)
    assert mesh.notices == ()


def test_corners_first_is_noticed(tmp_path):
    points = CELL_TYPES["tet10"].reference
    mesh = read(tmp_path, nodes(points) + dataset(2412, element(7, 118, range(1, 11))))
    assert mesh.blocks[0].nodes.tolist() == [list(range(10))]
    assert dict(mesh.notices)["MESH_NOTICE_CORNERS_FIRST"] == {"count": 1, "type": "tet10"}


def test_mixed_elements_and_groups(tmp_path):
    text = dataset(164, f"{1:10d}SI: Meter (newton)  {2:10d}\n  1.0  1.0  1.0\n") + dataset(151, "made by hand\n")
    text += nodes(CELL_TYPES["hex8"].reference)
    text += dataset(
        2412,
        element(1, 21, [1, 2], beam=True) + element(2, 11, [2, 3], beam=True) + element(3, 91, [1, 2, 3])
        + element(4, 94, [1, 2, 3, 4]) + element(5, 115, range(1, 9)) + element(6, 161, [1]),
    )  # fmt: skip
    text += dataset(2467, group(1, "fix", [(7, 1), (7, 2), (7, 99)]) + group(2, "上表面", [(8, 4), (8, 3), (3, 1)]))
    text += dataset(2467, group(3, "all", [(8, 5), (7, 8)])) + dataset(55, "junk\n")
    mesh = read(tmp_path, text.encode("gb18030"))
    assert [b.type.name for b in mesh.blocks] == ["line2", "line2", "tri3", "quad4", "hex8", "point1"]
    assert mesh.node_sets["fix"].tolist() == [0, 1]
    assert [len(c) for c in mesh.cell_sets["上表面"]] == [0, 0, 1, 1, 0, 0]
    assert mesh.node_sets["all"].tolist() == [7]
    found = dict(mesh.notices)
    assert found["MESH_NOTICE_SET_NUMBERS_ABSENT"]["count"] == 1
    assert found["MESH_NOTICE_MEMBERS_SKIPPED"]["count"] == 1
    assert found["MESH_NOTICE_CARDS_SKIPPED"]["cards"] == "dataset 55"
    assert "Meter" in found["MESH_NOTICE_UNITS"]["units"]
    assert set(found) <= all_reasons()


def test_many_alternating_elements(tmp_path):
    points = [(i, i * i % 7, i % 3) for i in range(200)]
    text = "".join(
        element(i + 1, 111, range(i + 1, i + 5)) if i % 2 else element(i + 1, 91, range(i + 1, i + 4))
        for i in range(150)
    )
    mesh = read(tmp_path, nodes(points) + dataset(2412, text))
    assert sorted(len(b) for b in mesh.blocks) == [75, 75]
    for block in mesh.blocks:
        assert (block.nodes[:, 0] == block.ids - 1).all()


def test_touching_columns(tmp_path):
    big = 1000000000
    text = nodes(CELL_TYPES["tet4"].reference)
    for i in range(1, 5):
        text = text.replace(f"{i:10d}{1:10d}{1:10d}{11:10d}", f"{big + i:10d}{1:10d}{1:10d}{11:10d}")
    mesh = read(tmp_path, text + dataset(2412, element(big, 111, range(big + 1, big + 5))))
    assert mesh.blocks[0].nodes.tolist() == [[0, 1, 2, 3]]
    assert mesh.node_ids.tolist() == [big + i for i in range(1, 5)]


SYSTEM = f"{1:10d}\nPart\n{3:10d}{0:10d}{8:10d}\nCS\n 1. 0. 0.\n 0. 1. 0.\n 0. 0. 1.\n 0. 0. 2.\n"


@pytest.mark.parametrize(
    ("text", "reason", "params"),
    [
        ("", "MESH_FILE_EMPTY", {}),
        ("hello\n", "MESH_UNV_MARK", {"line": 1}),
        ("    -1\n", "MESH_UNV_MARK", {}),
        (cube()[:-8], "MESH_TRUNCATED", {"section": "dataset 2412"}),
        (cube()[:200], "MESH_TRUNCATED", {"section": "dataset 2411"}),
        (dataset(2411, ""), "MESH_NO_NODES", {}),
        (nodes([(0, 0, 0)]), "MESH_NO_CELLS", {}),
        (cube().replace("1.0000000000000000D+00", "1.00000000000x", 1), "MESH_BAD_NUMBER", {"line": 6}),
        (cube().replace("   0.0000000000000000D+00\n", "\n", 1), "MESH_NUMBERS_ON_LINE", {"line": 4, "found": 2}),
        (cube().replace("         8\n    -1", "\n    -1"), "MESH_WRONG_NODE_COUNT", {"line": 22, "found": 7}),
        (cube().replace("         8\n    -1", "         9\n    -1"), "MESH_ABSENT_NODE", {"line": 22, "nodes": "9"}),
        (cube().replace("         8\n    -1", "        -9\n    -1"), "MESH_BAD_NUMBER", {"line": 22, "text": "-9"}),
        (cube().replace("       115", "       117"), "MESH_CELL_TYPE_UNKNOWN", {"line": 22, "type": "117 (8)"}),
        (cube() + dataset(2412, element(5, 111, range(1, 5))), "MESH_CELLS_TWICE", {"line": 27, "ids": "5"}),
        (cube() + dataset(2467, group(1, "a", [(7, 1)]).replace("         1\na", "999999999\na")),
         "MESH_GROUP_TRUNCATED", {"line": 27}),
        (cube().replace(f"{1:10d}{1:10d}{11:10d}", f"{3:10d}{1:10d}{11:10d}") + dataset(2420, SYSTEM),
         "MESH_NODE_SYSTEM", {"system": 3, "count": 8}),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(tmp_path, text, reason, params):
    with pytest.raises(ReadError) as caught:
        read(tmp_path, text)
    error = caught.value
    assert error.reason in all_reasons()
    assert error.reason == reason
    assert {k: error.params[k] for k in params} == params


def test_a_system_nobody_uses_does_no_harm(tmp_path):
    assert len(read(tmp_path, cube() + dataset(2420, SYSTEM)).points) == 8


def test_mutated_files_are_read_or_refused(tmp_path):
    text = cube() + dataset(2467, group(1, "fix", [(7, 1), (7, 2), (8, 5)])) + dataset(2420, SYSTEM)
    refused = reasons_of_mutants(unv.read, tmp_path / "mutant", text, b"\n\r \x00\xff\t-+19e.D", seed=3)
    assert refused <= all_reasons()
    assert len(refused) > 4
