import numpy as np
import pytest

from dougong.meshes import canonical
from dougong.meshes.mesh import CellBlock, Mesh
from dougong.meshes.skin import skin
from meshgen import TYPES_2D, TYPES_3D, box, plate


def volume(s):
    a, b, c = (s.points[s.triangles[:, k]] for k in range(3))
    return np.einsum("ni,ni->", a, np.cross(b, c)) / 6


def length(s):
    return np.linalg.norm(s.points[s.edges[:, 0]] - s.points[s.edges[:, 1]], axis=1).sum()


@pytest.mark.parametrize("name", TYPES_3D)
def test_the_skin_of_a_box_is_closed_and_has_twelve_edges(name):
    mesh = box(name, (2, 3, 1), (1.0, 2.0, 3.0), distort=0.2)
    s = skin(mesh)
    assert volume(s) == pytest.approx(6.0)
    assert length(s) == pytest.approx(4 * (1 + 2 + 3))
    np.testing.assert_array_equal(s.points, mesh.points[s.node_index])
    assert np.isin(s.node_index[s.triangles], mesh.blocks[0].nodes[s.triangle_cells]).all()
    # Every node of a facet is used, mid-side nodes too, and only those.
    on_face = ((mesh.points == 0) | (mesh.points == [1, 2, 3])).any(axis=1)
    assert set(s.node_index) == set(np.flatnonzero(on_face))


@pytest.mark.parametrize("name", ["tet4", "hex20", "wedge15"])
def test_a_large_mesh_is_done_in_pieces(name, monkeypatch):
    mesh = box(name, (3, 3, 3))
    whole = skin(mesh)
    monkeypatch.setattr("dougong.meshes.skin._FACETS_AT_A_TIME", 20)
    pieces = skin(mesh)
    np.testing.assert_array_equal(pieces.points, whole.points)
    assert {tuple(t) for t in pieces.triangles.tolist()} == {tuple(t) for t in whole.triangles.tolist()}
    assert length(pieces) == pytest.approx(length(whole))


@pytest.mark.parametrize("name", TYPES_2D)
def test_the_skin_of_a_plate_is_the_plate(name):
    mesh = plate(name, (3, 2), (3.0, 2.0), distort=0.2)
    s = skin(mesh)
    assert s.points.shape[1] == 2
    a, b, c = (s.points[s.triangles[:, k]] for k in range(3))
    area = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert area.min() > 0
    assert area.sum() == pytest.approx(6.0)
    assert length(s) == pytest.approx(10.0)


def test_a_smooth_surface_has_no_edges():
    mesh = box("hex27", (6, 6, 6), (2.0, 2.0, 2.0))
    cube = mesh.points - 1
    size = np.abs(cube).max(axis=1, keepdims=True)
    radius = np.sqrt((cube**2).sum(axis=1, keepdims=True))
    ball = Mesh(cube * np.divide(size, radius, out=np.ones_like(size), where=radius > 0), mesh.blocks)
    s = skin(ball, feature_angle_degrees=60)
    assert len(s.edges) == 0
    # Sub-triangles follow the mid-side nodes, so the ball's volume is that of twice as many facets.
    assert volume(s) == pytest.approx(4 / 3 * np.pi, rel=0.03)


def test_mixed_cells_share_their_interior_facets(tmp_path):
    hexes, wedges = box("hex8", (1, 1, 1)), box("wedge6", (1, 1, 1))
    # A hexahedron and two wedges beside it: the square between them is no boundary.
    both = np.vstack([hexes.points, wedges.points + np.array([1, 0, 0])])
    points, index = np.unique(both, axis=0, return_inverse=True)
    first, second = index.ravel()[: hexes.n_nodes], index.ravel()[hexes.n_nodes :]
    blocks = tuple(CellBlock(m.blocks[0].type, i[m.blocks[0].nodes]) for m, i in ((hexes, first), (wedges, second)))
    mesh = Mesh(points, blocks)
    canonical.write(mesh, tmp_path)
    s = skin(canonical.StoredMesh(tmp_path))
    assert volume(s) == pytest.approx(2.0)
    assert len(s.triangles) == 2 * (4 + 4) + 2 + 2
