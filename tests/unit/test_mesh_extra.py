"""Meshes that other programs wrote, where they lie beside the checkout."""

import os
from pathlib import Path

import meshio
import numpy as np
import pytest

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import find, gmsh, vtk, vtu
from dougong.meshes.geometry import cell_geometry
from dougong.meshes.info import mesh_info
from dougong.meshes.mesh import RegionKind

EXTRA = os.environ.get("DOUGONG_EXTRA_MESHES")
pytestmark = pytest.mark.skipif(not EXTRA, reason="DOUGONG_EXTRA_MESHES is not set")
ROOT = Path(EXTRA or "/nonexistent")

MESHIO = {"line": "line2", "line3": "line3", "triangle": "tri3", "triangle6": "tri6", "quad": "quad4", "quad9": "quad9",
          "tetra": "tet4", "tetra10": "tet10", "hexahedron": "hex8", "vertex": "point1"}  # fmt: skip

#: Triangles of both orientations in one file.
BOTH_WAYS = ("cylinder_stokes.msh", "ex28.msh", "oriented_squares.msh")


def files(*suffixes):
    return [p for p in sorted(ROOT.rglob("*")) if p.suffix in suffixes] if EXTRA else []


def reader_of(path):
    with open(path, "rb") as file:
        return find("", path.name, file.read(4096))


@pytest.mark.parametrize("path", files(".msh", ".vtu", ".vtk"), ids=lambda p: p.name)
def test_every_file_gives_a_mesh_with_all_its_groups(path):
    raw = reader_of(path).read(path)
    built = build(raw)
    if path.name in BOTH_WAYS:
        assert "MESH_NOTICE_CELLS_TURNED" in {n.reason for n in built.notices}
    assert check(built.mesh) == []
    for name in raw.cell_sets:
        kinds = [r.kind for r in built.mesh.regions if r.name == name]
        empty = any(n.reason == "MESH_NOTICE_SET_EMPTY" and n.params["name"] == name for n in built.notices)
        assert kinds or empty, f"group {name} was lost"


# meshio takes version 4.0 for 4.1.
@pytest.mark.parametrize(
    "path", [p for p in files(".msh", ".vtu", ".vtk") if p.parent.name != "v40"], ids=lambda p: p.name
)
def test_reading_as_meshio_reads(path):
    raw = reader_of(path).read(path)
    theirs = meshio.read(path)
    np.testing.assert_allclose(raw.points[:, : theirs.points.shape[1]], theirs.points, rtol=1e-6, atol=1e-7)
    # Version 2.2 of Gmsh lists a cell once for each of its groups; meshio keeps the copies.
    copies = any(reason == "MESH_NOTICE_COPIES_MERGED" for reason, _ in raw.notices)
    for kind in {c.type for c in theirs.cells}:
        expected = theirs.get_cells_type(kind)
        found = np.concatenate([b.nodes for b in raw.blocks if b.type.name == MESHIO[kind]])
        if copies:
            expected, found = np.unique(expected, axis=0), np.unique(found, axis=0)
        np.testing.assert_array_equal(found, expected)
    assert set(theirs.field_data) <= set(raw.cell_sets)


@pytest.mark.parametrize(
    "names",
    [
        ("v22/surfaces_in_3d.asc.v22", "v22/surfaces_in_3d.bin.v22"),
        ("v41/surfaces_in_3d.asc.v41", "v41/surfaces_in_3d.bin.v41"),
        ("v40/surfaces_in_3d.asc.v40", "v40/surfaces_in_3d.bin.v40"),
        ("v22/indheat.asc.v22", "v22/indheat.bin.v22"),
        ("v40/indheat.asc.v40", "v40/indheat.bin.v40"),
        ("v22/piece.asc.v22", "v22/piece.bin.v22"),
        ("v41/piece.asc.v41", "v41/piece.bin.v41"),
    ],
    ids=lambda names: names[0],
)
def test_one_model_in_several_encodings_is_one_mesh(names):
    meshes = [build(gmsh.read(ROOT / "mfem_data" / "gmsh" / f"{name}.msh")).mesh for name in names]
    for other in meshes[1:]:
        np.testing.assert_allclose(other.points, meshes[0].points, rtol=1e-12, atol=1e-12)
        assert [b.type for b in other.blocks] == [b.type for b in meshes[0].blocks]
        for a, b in zip(other.blocks, meshes[0].blocks, strict=True):
            np.testing.assert_array_equal(a.nodes, b.nodes)
        assert {(r.name, r.kind): r.entries.tolist() for r in other.regions} == {
            (r.name, r.kind): r.entries.tolist() for r in meshes[0].regions
        }


def test_a_welded_frame_and_a_casting():
    for name, n_faces in (("frame_m", 375), ("part1_m", 7)):
        mesh = build(gmsh.read(ROOT / "netgen" / f"{name}.msh")).mesh
        geometry = [cell_geometry(mesh.points, b.type, b.nodes) for b in mesh.blocks]
        info = mesh_info(mesh, "", geometry)
        assert sum(r.kind == RegionKind.FACETS for r in mesh.regions) == n_faces
        (solid,) = (r for r in info.regions if r.kind == info.regions[0].KIND_CELLS)
        # Gauss: the volume is a third of the flux of the position through the faces.
        flux = 0.0
        block = mesh.blocks[0]
        for region in mesh.regions:
            if region.kind == RegionKind.FACETS:
                local = np.array([f for _, f in block.type.facets])[region.entries[:, 1]]
                x = mesh.points[np.take_along_axis(block.nodes[region.entries[:, 0]], local, axis=1)]
                flux += np.einsum("ni,ni->", x[:, 0], np.cross(x[:, 1], x[:, 2])) / 6
        assert solid.measure == pytest.approx(flux, rel=1e-9)
        assert info.quality.min_scaled_jacobian > 0.01


def test_quadratic_cells_of_gmsh_are_curved_the_right_way():
    # Straight-sided, a mesh of a ball falls short of its volume by far more than curved.
    mesh = build(gmsh.read(ROOT / "skfem" / "docs" / "examples" / "meshes" / "quadratic_sphere_tet.msh")).mesh
    (block,) = mesh.blocks
    assert block.type.name == "tet10"
    radius = np.linalg.norm(mesh.points, axis=1).max()
    curved = cell_geometry(mesh.points, block.type, block.nodes).measure.sum()
    assert curved == pytest.approx(4 / 3 * np.pi * radius**3, rel=2e-3)


def test_a_large_compressed_vtu():
    built = build(vtu.read(next(p for p in files(".vtu"))))
    assert built.mesh.n_cells == 206208
    assert {"MESH_NOTICE_TURNED", "MESH_NOTICE_NODES_UNUSED"} <= {n.reason for n in built.notices}


def test_a_legacy_file_with_material_numbers():
    mesh = build(vtk.read(ROOT / "sfepy" / "cylinder.vtk")).mesh
    assert [(r.name, len(r)) for r in mesh.regions] == [("mat_id_6", 1348)]
