"""A structured mesh of each cell type, written as each format has it, read back and built."""

from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import abaqus, med, nastran, unv
from dougong.meshes.mesh import Mesh, RegionKind
from meshgen import box, plate

ABAQUS = {
    "tet4": "C3D4", "tet10": "C3D10", "hex8": "C3D8", "hex20": "C3D20R", "hex27": "C3D27", "wedge6": "C3D6",
    "wedge15": "C3D15", "pyramid5": "C3D5", "pyramid13": "C3D13", "tri3": "CPS3", "tri6": "CPE6",
    "quad4": "CAX4R", "quad8": "DC2D8",
}  # fmt: skip
NASTRAN = {
    "tet4": "CTETRA", "tet10": "CTETRA", "hex8": "CHEXA", "hex20": "CHEXA", "wedge6": "CPENTA", "wedge15": "CPENTA",
    "pyramid5": "CPYRAM", "pyramid13": "CPYRAM", "tri3": "CTRIA3", "tri6": "CTRIA6", "quad4": "CQUAD4",
    "quad8": "CQUAD8",
}  # fmt: skip
UNV = {
    "tet4": 111, "tet10": 118, "hex8": 115, "hex20": 116, "wedge6": 112, "wedge15": 113, "tri3": 41, "tri6": 42,
    "quad4": 44, "quad8": 45,
}  # fmt: skip
MED = {
    "tet4": "TE4", "tet10": "T10", "hex8": "HE8", "hex20": "H20", "hex27": "H27", "wedge6": "PE6", "wedge15": "P15",
    "wedge18": "P18", "pyramid5": "PY5", "pyramid13": "P13", "tri3": "TR3", "tri6": "TR6", "tri7": "TR7",
    "quad4": "QU4", "quad8": "QU8", "quad9": "QU9",
}  # fmt: skip
#: Place in the file of each node, where it is not the product's.
NASTRAN_ORDER = {
    "hex20": [*range(12), *range(16, 20), *range(12, 16)],
    "wedge15": [*range(9), *range(12, 15), *range(9, 12)],
}
UNV_ORDER = {
    "tri6": [0, 3, 1, 4, 2, 5],
    "quad8": [0, 4, 1, 5, 2, 6, 3, 7],
    "tet10": [0, 4, 1, 5, 2, 6, 7, 8, 9, 3],
    "wedge15": [0, 6, 1, 7, 2, 8, 12, 13, 14, 3, 9, 4, 10, 5, 11],
    "hex20": [0, 8, 1, 9, 2, 10, 3, 11, 16, 17, 18, 19, 4, 12, 5, 13, 6, 14, 7, 15],
}


def made(cell: str) -> Mesh:
    kind = plate if cell[:3] in ("tri", "qua") else box
    return kind(cell, distort=0.2, seed=3)


def points_3d(mesh: Mesh) -> np.ndarray:
    out = np.zeros((mesh.n_nodes, 3))
    out[:, : mesh.dim] = mesh.points
    return out


def facets_of(mesh: Mesh, name: str) -> set[tuple[int, int]]:
    region = mesh.region(name, RegionKind.FACETS)
    assert region is not None
    return {tuple(row) for row in region.entries.tolist()}


def same(raw, mesh: Mesh) -> Mesh:
    built = build(raw).mesh
    assert check(built) == []
    assert built.blocks[0].type is mesh.blocks[0].type
    np.testing.assert_allclose(built.points, mesh.points, atol=1e-12)
    np.testing.assert_array_equal(built.blocks[0].nodes, mesh.blocks[0].nodes)
    return built


@pytest.mark.parametrize("cell", ABAQUS)
def test_abaqus(tmp_path: Path, cell: str) -> None:
    mesh = made(cell)
    lines = ["*NODE"]
    lines += [f"{i + 1}, {x:.17g}, {y:.17g}, {z:.17g}" for i, (x, y, z) in enumerate(points_3d(mesh))]
    lines.append(f"*ELEMENT, TYPE={ABAQUS[cell]}, ELSET=ALL")
    for i, nodes in enumerate(mesh.blocks[0].nodes):
        numbers = [str(n + 1) for n in (i, *nodes)]
        lines += [
            ", ".join(numbers[k : k + 10]) + ("," if k + 10 < len(numbers) else "") for k in range(0, len(numbers), 10)
        ]
    lines.append("*SURFACE, NAME=x0")
    lines += [f"{c + 1}, S{f + 1}" for c, f in sorted(facets_of(mesh, "x0"))]
    path = tmp_path / "a.inp"
    path.write_text("\n".join(lines))
    built = same(abaqus.read(path), mesh)
    assert facets_of(built, "x0") == facets_of(mesh, "x0")


@pytest.mark.parametrize("cell", NASTRAN)
def test_nastran(tmp_path: Path, cell: str) -> None:
    mesh = made(cell)
    lines = ["BEGIN BULK"]
    for i, (x, y, z) in enumerate(points_3d(mesh)):
        lines.append(f"GRID*   {i + 1:16d}{'':16s}{x:16.9E}{y:16.9E}\n*       {z:16.9E}")
    order = NASTRAN_ORDER.get(cell, range(mesh.blocks[0].nodes.shape[1]))
    for i, nodes in enumerate(mesh.blocks[0].nodes):
        fields = [i + 1, 4, *(nodes[k] + 1 for k in order)]
        text = f"{NASTRAN[cell]:8s}"
        for k, field in enumerate(fields):
            text += ("\n        " if k and k % 8 == 0 else "") + f"{field:8d}"
        lines.append(text)
    path = tmp_path / "a.bdf"
    path.write_text("\n".join([*lines, "ENDDATA"]))
    raw = nastran.read(path)
    np.testing.assert_allclose(raw.points, points_3d(mesh), atol=1e-9)
    np.testing.assert_array_equal(raw.blocks[0].nodes, mesh.blocks[0].nodes)
    assert check(build(raw).mesh) == []


def test_pyramids_that_gmsh_wrote_into_bulk_data(tmp_path: Path) -> None:
    """It lists the mid-edge nodes in its own order; they are told apart by where they lie."""
    mesh = made("pyramid13")
    order = np.argsort([0, 1, 2, 3, 4, 5, 8, 10, 6, 7, 9, 11, 12])  # the places of ours in Gmsh's list, the other way
    lines = ["BEGIN BULK"]
    lines += [f"GRID,{i + 1},,{x:.9g},{y:.9g},{z:.9g}" for i, (x, y, z) in enumerate(mesh.points)]
    for i, nodes in enumerate(mesh.blocks[0].nodes):
        fields = [i + 1, 4, *(nodes[order] + 1)]
        lines.append("CPYRAM," + ",".join(map(str, fields[:8])) + ",+\n+," + ",".join(map(str, fields[8:])))
    path = tmp_path / "a.bdf"
    path.write_text("\n".join([*lines, "ENDDATA"]))
    np.testing.assert_array_equal(nastran.read(path).blocks[0].nodes, mesh.blocks[0].nodes)


@pytest.mark.parametrize("cell", UNV)
def test_unv(tmp_path: Path, cell: str) -> None:
    mesh = made(cell)
    lines = ["    -1", "  2411"]
    for i, (x, y, z) in enumerate(points_3d(mesh)):
        lines += [f"{i + 1:10d}{1:10d}{1:10d}{11:10d}", f"{x:25.16E}{y:25.16E}{z:25.16E}".replace("E", "D")]
    lines += ["    -1", "    -1", "  2412"]
    width = mesh.blocks[0].nodes.shape[1]
    order = UNV_ORDER.get(cell, range(width))
    for i, nodes in enumerate(mesh.blocks[0].nodes):
        lines.append("".join(f"{n:10d}" for n in (i + 1, UNV[cell], 1, 1, 7, width)))
        numbers = [nodes[k] + 1 for k in order]
        lines += ["".join(f"{n:10d}" for n in numbers[k : k + 8]) for k in range(0, width, 8)]
    path = tmp_path / "a.unv"
    path.write_text("\n".join([*lines, "    -1", ""]))
    same(unv.read(path), mesh)


@pytest.mark.parametrize("cell", MED)
def test_med(tmp_path: Path, cell: str) -> None:
    h5py = pytest.importorskip("h5py")
    mesh = made(cell)
    path = tmp_path / "a.med"
    with h5py.File(path, "w") as file:
        group = file.create_group("ENS_MAA/part")
        group.attrs["ESP"] = mesh.dim
        step = group.create_group("-0000000000000000001-0000000000000000001")
        step["NOE/COO"] = mesh.points.T.ravel()
        step[f"MAI/{MED[cell]}/NOD"] = mesh.blocks[0].nodes.T.ravel() + 1
    same(med.read(path), mesh)


@pytest.mark.parametrize("cell", ["tet4", "tet10", "hex8", "hex20", "wedge6", "tri6"])
@pytest.mark.parametrize("kind", ["abaqus", "nastran", "med"])
def test_what_meshio_writes(tmp_path: Path, cell: str, kind: str) -> None:
    meshio = pytest.importorskip("meshio")
    names = {"tet4": "tetra", "tet10": "tetra10", "hex8": "hexahedron", "hex20": "hexahedron20", "wedge6": "wedge"}
    mesh = made(cell)
    points = mesh.points if kind == "med" else points_3d(mesh)
    theirs = meshio.Mesh(points, [(names.get(cell, "triangle6"), mesh.blocks[0].nodes)])
    path = tmp_path / "mesh.dat"
    if kind == "med":
        pytest.importorskip("h5py")
        theirs.write(path, file_format="med")
        same(med.read(path), mesh)
    elif kind == "abaqus":
        theirs.write(path, file_format="abaqus")
        same(abaqus.read(path), mesh)
    else:
        meshio.nastran.write(path, theirs, point_format="fixed-large", cell_format="fixed-small")
        raw = nastran.read(path)
        np.testing.assert_allclose(raw.points, points, atol=1e-9)
        np.testing.assert_array_equal(raw.blocks[0].nodes, mesh.blocks[0].nodes)
