import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import ReadError, med
from dougong.meshes.formats._order import find_order
from dougong.meshes.orient import mirrored
from dougong.messages import all_reasons

STEP = "-0000000000000000001-0000000000000000001"
TYPES = {
    "TR3": "tri3", "TR6": "tri6", "TR7": "tri7", "QU4": "quad4", "QU8": "quad8", "QU9": "quad9", "TE4": "tet4",
    "T10": "tet10", "HE8": "hex8", "H20": "hex20", "H27": "hex27", "PE6": "wedge6", "P15": "wedge15",
    "P18": "wedge18", "PY5": "pyramid5", "P13": "pyramid13",
}  # fmt: skip


def write(path, points, cells, families=None, groups=(), name="mesh", mode="w", **options):
    """Lay out a file as MED 4 does; `cells` is name -> nodes from 0, `families` name -> family of each cell."""
    h5py = pytest.importorskip("h5py")
    points = np.asarray(points, float)
    with h5py.File(path, mode) as file:
        info = file.require_group("INFOS_GENERALES")
        for key, value in {"MAJ": 4, "MIN": 1, "REL": 0}.items():
            info.attrs[key] = value
        mesh = file.create_group(f"ENS_MAA/{name}")
        for key, value in {"DIM": points.shape[1], "ESP": points.shape[1], "REP": 0, "TYP": 0}.items():
            mesh.attrs[key] = value
        step = mesh.create_group(STEP)
        nodes = step.create_group("NOE")
        nodes.create_dataset("COO", data=points.T.ravel(), **options).attrs["NBR"] = len(points)
        families = families or {}
        if "NOE" in families:
            nodes["FAM"] = np.asarray(families["NOE"])
        for kind, connectivity in cells.items():
            group = step.create_group(f"MAI/{kind}")
            connectivity = np.asarray(connectivity)
            group.create_dataset("NOD", data=connectivity.T.ravel() + 1).attrs["NBR"] = len(connectivity)
            if kind in families:
                group["FAM"] = np.asarray(families[kind])
        file.create_group(f"FAS/{name}/FAMILLE_ZERO").attrs["NUM"] = 0
        for kind, number, members in groups:
            family = file.create_group(f"FAS/{name}/{kind}/FAM_{number}")
            family.attrs["NUM"] = number
            texts = np.zeros((len(members), 80), np.int8)
            for row, text in zip(texts, members, strict=True):
                row[: len(text.encode())] = np.frombuffer(text.encode(), np.int8)
            family.create_group("GRO").create_dataset("NOM", data=texts).attrs["NBR"] = len(members)
    return path


def fails(path) -> ReadError:
    with pytest.raises(ReadError) as caught:
        med.read(path)
    assert caught.value.reason in all_reasons()
    return caught.value


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("inside_out", [False, True])
def test_cells_of_both_orientations(tmp_path, kind, inside_out):
    cell = CELL_TYPES[TYPES[kind]]
    nodes = mirrored(cell.name)[None, :] if inside_out else np.arange(cell.n_nodes)[None, :]
    built = build(med.read(write(tmp_path / "a.med", cell.reference, {kind: nodes})))
    assert built.mesh.blocks[0].type is cell
    assert built.mesh.blocks[0].nodes.tolist() == [list(range(cell.n_nodes))]
    assert ("MESH_NOTICE_TURNED" in [n.reason for n in built.notices]) == inside_out


@pytest.mark.parametrize("name", [n for n, c in CELL_TYPES.items() if c.order == 2])
def test_any_order_of_the_nodes_between_is_found(name):
    cell = CELL_TYPES[name]
    random.seed(1)
    points = np.zeros((cell.n_nodes, 3))
    points[:, : cell.dim] = cell.reference
    points[:, 0] += 0.1 * points[:, 1]
    shuffled = list(range(cell.n_corners, cell.n_nodes))
    random.shuffle(shuffled)
    nodes = np.array([[*range(cell.n_corners), *shuffled]])
    assert nodes[:, find_order(points, cell, nodes)].tolist() == [list(range(cell.n_nodes))]


CUBE = np.array(CELL_TYPES["hex8"].reference)


def test_some_cells_are_turned_and_others_not(tmp_path):
    points = np.concatenate([CUBE, CUBE + np.array([2.0, 0.0, 0.0])])
    nodes = np.array([np.arange(8), 8 + mirrored("hex8")])
    built = build(med.read(write(tmp_path / "a.med", points, {"HE8": nodes})))
    assert built.mesh.blocks[0].nodes.tolist() == [list(range(8)), list(range(8, 16))]
    (told,) = (n for n in built.notices if n.reason == "MESH_NOTICE_CELLS_TURNED")
    assert dict(told.params) == {"count": "1", "total": "2", "type": "hex8"}


def test_groups_shells_and_several_meshes(tmp_path):
    families = {"HE8": [-1], "QU4": [-2, -3], "NOE": [1, 1, 0, 0, 2, 0, 0, 0]}
    groups = [
        ("ELEME", -1, ["body"]), ("ELEME", -2, ["top", "both"]), ("ELEME", -3, ["both"]), ("NOEUD", 1, ["固定"]),
        ("NOEUD", 2, ["固定", "corner"]),
    ]  # fmt: skip
    cells = {"HE8": [range(8)], "QU4": [[4, 5, 6, 7], [0, 3, 2, 1]]}
    cells = {k: [list(r) for r in v] for k, v in cells.items()}
    path = write(tmp_path / "a.med", CUBE, cells, families, groups, name="a")
    write(path, CUBE, {"HE8": [list(range(8))]}, name="b", mode="a")
    mesh = med.read(path)
    assert [b.type.name for b in mesh.blocks] == ["hex8", "quad4"]
    assert [c.tolist() for c in mesh.cell_sets["both"]] == [[], [0, 1]]
    assert [c.tolist() for c in mesh.cell_sets["top"]] == [[], [0]]
    assert [c.tolist() for c in mesh.cell_sets["body"]] == [[0], []]
    assert mesh.node_sets["固定"].tolist() == [0, 1, 4]
    assert mesh.node_sets["corner"].tolist() == [4]
    assert mesh.blocks[1].nodes.tolist() == [[4, 5, 6, 7], [0, 3, 2, 1]]
    assert dict(mesh.notices)["MESH_NOTICE_OTHER_MESHES"] == {"name": "a", "others": "b"}
    assert {reason for reason, _ in mesh.notices} <= all_reasons()


def test_numbers(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = write(tmp_path / "a.med", CUBE, {"HE8": [list(range(8))]})
    with h5py.File(path, "a") as file:
        file[f"ENS_MAA/mesh/{STEP}/NOE/NUM"] = np.arange(11, 19)
        file[f"ENS_MAA/mesh/{STEP}/MAI/HE8/NUM"] = np.array([77])
    mesh = med.read(path)
    assert mesh.node_ids.tolist() == list(range(11, 19))
    assert mesh.blocks[0].ids.tolist() == [77]


COO = f"ENS_MAA/mesh/{STEP}/NOE/COO"
NOD = f"ENS_MAA/mesh/{STEP}/MAI/HE8/NOD"


def test_nothing_outside_the_file_is_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.arange(24.0).tobytes())
    write(tmp_path / "other.med", CUBE, {"HE8": [list(range(8))]})

    def broken(change):
        path = write(tmp_path / "a.med", CUBE, {"HE8": [list(range(8))]})
        with h5py.File(path, "a") as file:
            del file[COO]
            change(file)
        return fails(path)

    def external(file):
        file.create_dataset(COO, (24,), "f8", external=[(str(secret), 0, 24 * 8)])

    def link(file):
        file[COO] = h5py.ExternalLink(str(tmp_path / "other.med"), COO)

    def soft(file):
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "other.med"), COO)
        file[COO] = h5py.SoftLink("/elsewhere")

    def virtual(file):
        layout = h5py.VirtualLayout((24,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.med"), COO, (24,))
        file.create_virtual_dataset(COO, layout)

    for change in (external, link, soft, virtual):
        assert broken(change).reason == "MESH_MED_LINK", change.__name__


def test_what_is_wrong_and_where(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.med"

    def broken(change):
        write(path, CUBE, {"HE8": [list(range(8))]})
        with h5py.File(path, "a") as file:
            change(file)
        return fails(path)

    def replace(name, data):
        def change(file):
            del file[name]
            if data is not None:
                file[name] = data

        return change

    def lying(file):
        del file[COO]
        file.create_dataset(COO, (3 * 10**12,), "f8", chunks=(1024,))

    def bomb(file):
        del file[COO]
        file.create_dataset(COO, (3 * 10**12,), "f8", chunks=(1024,), compression="gzip")

    assert broken(replace(COO, None)).reason == "MESH_MED_MISSING"
    assert broken(replace(COO, np.zeros(23))).reason == "MESH_MED_DAMAGED"
    assert broken(replace(COO, np.zeros(0))).reason in ("MESH_NO_NODES", "MESH_COUNT_IMPOSSIBLE")
    assert broken(replace(COO, np.array([b"x"] * 24))).reason == "MESH_MED_MISSING"
    assert broken(replace(NOD, np.zeros(7, int))).reason == "MESH_COUNT_MISMATCH"
    assert broken(replace(NOD, np.arange(8))).reason == "MESH_INDEX_OUT_OF_RANGE"
    assert broken(replace(NOD, np.arange(2, 10))).reason == "MESH_INDEX_OUT_OF_RANGE"
    assert broken(replace(NOD, np.linspace(0, 1, 8))).reason == "MESH_MED_MISSING"
    assert broken(lying).reason == "MESH_COUNT_IMPOSSIBLE"
    assert broken(bomb).reason == "MESH_COUNT_IMPOSSIBLE"
    assert broken(replace("ENS_MAA", None)).reason == "MESH_MED_MISSING"
    assert broken(replace(f"ENS_MAA/mesh/{STEP}/MAI", None)).reason == "MESH_NO_CELLS"
    assert broken(lambda f: f["ENS_MAA/mesh"].attrs.modify("ESP", 9)).reason == "MESH_MED_MISSING"
    assert broken(lambda f: f["ENS_MAA/mesh"].attrs.modify("REP", 1)).reason == "MESH_MED_KIND"
    assert broken(lambda f: f.create_group(f"ENS_MAA/mesh/{STEP}/MAI/POE")).params == {"cell_type": "POE"}
    path.write_bytes(b"")
    assert fails(path).reason == "MESH_FILE_EMPTY"
    path.write_bytes(b"hello")
    assert fails(path).reason == "MESH_MED_DAMAGED"
    whole = write(path, CUBE, {"HE8": [list(range(8))]}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert fails(path).reason == "MESH_MED_DAMAGED"


def test_without_h5py_it_says_what_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "a.med"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    assert med.sniff(path.read_bytes())
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert med.unavailable() == "h5py"
    error = fails(path)
    assert error.reason == "MESH_READER_MISSING"
    assert error.params["package"] == "h5py"


CHILD = """
import random, sys
from pathlib import Path
from dougong.meshes.formats import ReadError, med
whole, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(int(sys.argv[3]), int(sys.argv[4])):
    print(seed, flush=True)
    random.seed(seed)
    text = bytearray(whole)
    for _ in range(random.randint(1, 8)):
        text[random.randrange(len(text))] = random.randrange(256)
    path.write_bytes(text)
    try:
        mesh = med.read(path)
    except (ReadError, MemoryError):
        continue
    for block in mesh.blocks:
        if len(block) and not 0 <= block.nodes.min() <= block.nodes.max() < len(mesh.points):
            sys.exit(9)
"""


def test_mutated_files_are_read_or_refused(tmp_path):
    # In a child, as the product does it: the HDF5 library itself may not survive a damaged file.
    pytest.importorskip("h5py")
    groups = [("ELEME", -1, ["body"]), ("NOEUD", 1, ["fix"])]
    whole = write(tmp_path / "a.med", CUBE, {"HE8": [list(range(8))]}, {"HE8": [-1], "NOE": [1] * 8}, groups)
    first, last, crashes = 0, 300, 0
    while first < last:
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(whole), str(tmp_path / "b.med"), str(first), str(last)],
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
            cwd=Path(__file__).parent,
        )
        if child.returncode == 0:
            break
        assert child.returncode < 0, child.stderr  # only a signal may end it otherwise
        crashes += 1
        first = int(child.stdout.split()[-1]) + 1
    assert crashes < 10
