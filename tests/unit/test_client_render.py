"""Pictures: what hides what, where colours come from, what is written."""

import matplotlib.image
import numpy as np
import pytest

from dougong.client import render
from dougong.client.raster import Camera, corner_normals, draw_lines, is_closed, rasterise
from dougong.client.scene import Scene
from fake_server import box_skin

SQUARE = np.array([[0, 1, 2], [0, 2, 3]])


def square(x0, x1, y0, y1, depth):
    """Two triangles that show their front: pixels count downwards."""
    return np.array([[x0, y1, depth], [x1, y1, depth], [x1, y0, depth], [x0, y0, depth]], dtype=float)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_nearer_hides_what_is_behind(order):
    far, near = square(2, 18, 2, 18, 9.0), square(6, 12, 6, 12, 1.0)
    points = np.concatenate([(far, near)[k] for k in order])
    raster = rasterise(points, np.concatenate([SQUARE, SQUARE + 4]), 20, 20)
    first_is_near = order == (1, 0)
    shows_near = (raster.triangle < 2) if first_is_near else (raster.triangle >= 2)
    expected = np.zeros((20, 20), dtype=bool)
    expected[6:12, 6:12] = True
    assert np.array_equal(shows_near & (raster.triangle >= 0), expected)
    assert (raster.triangle >= 0).sum() == 16 * 16
    assert np.isinf(raster.depth[0, 0])


def test_planes_that_cut_each_other_hide_each_other_by_parts():
    left, right = square(0, 20, 0, 20, 0.0), square(0, 20, 0, 20, 0.0)
    left[:, 2], right[:, 2] = left[:, 0], 20 - right[:, 0]
    raster = rasterise(np.concatenate([left, right]), np.concatenate([SQUARE, SQUARE + 4]), 20, 20)
    assert (raster.triangle[:, :10] < 2).all()
    assert (raster.triangle[:, 10:] >= 2).all()


def test_weights_interpolate_linearly_over_a_triangle():
    points = square(0, 64, 0, 64, 0.0)
    raster = rasterise(points, SQUARE, 64, 64)
    x = (points[:, 0][SQUARE[raster.triangle]] * raster.weights).sum(axis=2)
    assert np.allclose(x, np.arange(64) + 0.5, atol=1e-3)


def test_large_triangles_are_drawn_whole():
    points = square(-50, 700, -30, 640, 0.0)
    raster = rasterise(points, SQUARE, 600, 610)
    assert (raster.triangle >= 0).all()
    x = (points[:, 0][SQUARE[raster.triangle]] * raster.weights).sum(axis=2)
    assert np.allclose(x, np.arange(600) + 0.5, atol=0.05)


def test_backs_are_left_out_of_closed_bodies_only():
    turned = SQUARE[:, ::-1]
    points = square(2, 18, 2, 18, 0.0)
    assert (rasterise(points, turned, 20, 20, closed=True).triangle < 0).all()
    assert (rasterise(points, turned, 20, 20).triangle >= 0).any()
    box, triangles, _ = box_skin(2)
    assert is_closed(box, triangles)
    assert not is_closed(box, triangles[:-1])


def test_picture_of_a_closed_body_is_the_same_with_its_backs():
    points, triangles, _ = box_skin(3)
    camera = Camera.fit(points, -55, 28, 120, 90)
    pixels = camera.project(points)
    with_backs = rasterise(pixels, triangles, 120, 90)
    without = rasterise(pixels, triangles, 120, 90, closed=True)
    # Only pixels on the very rim may belong to a back that is as near as the front.
    assert ((with_backs.triangle >= 0) != (without.triangle >= 0)).sum() < 20
    both = np.isfinite(with_backs.depth) & np.isfinite(without.depth)
    assert np.abs(with_backs.depth[both] - without.depth[both]).max() < 1e-3


def test_lines_behind_the_surface_are_not_drawn():
    raster = rasterise(square(5, 15, 5, 15, 0.0), SQUARE, 20, 20)
    ends = np.array([[0.0, 10.0, 3.0], [19.9, 10.0, 3.0]])
    drawn = draw_lines(ends, np.array([[0, 1]]), raster.depth, 0.4, 0.5)
    assert drawn[10, :5].all()
    assert drawn[10, 15:].all()
    assert not drawn[10, 5:15].any()
    assert draw_lines(ends, np.array([[0, 1]]), raster.depth, 0.4, 5.0)[10].all()


def test_normals_are_smooth_on_faces_and_break_at_creases():
    points, triangles, _ = box_skin(2)
    normals = corner_normals(points, triangles)
    x = points[triangles]
    flat = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.allclose(normals, flat[:, None, :])
    # On a finely divided cylinder they are radial.
    angle = np.radians(np.arange(0, 360, 10))
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    tube = np.concatenate([np.column_stack([ring, np.full(36, z)]) for z in (0.0, 1.0)])
    k = np.arange(36)
    n = (k + 1) % 36
    skin = np.concatenate([np.stack([k, n, n + 36], 1), np.stack([k, n + 36, k + 36], 1)])
    radial = np.einsum("tci,tci->tc", corner_normals(tube, skin)[:, :, :2], tube[skin][:, :, :2])
    assert radial.min() > np.cos(np.radians(5))


@pytest.mark.parametrize(("moved", "factor"), [(0.0, 0.0), (1e-3, 200.0), (0.1, 2.0), (3.0, 1.0)])
def test_deformation_is_shown_by_a_round_factor(moved, factor):
    points = np.array([[0.0, 0, 0], [4.0, 3, 0]])
    assert render.deformation_factor(points, np.array([[0, 0, 0], [0, 0, moved]])) == factor


def test_scale_ends_early_for_a_lone_peak_and_never_is_empty():
    values = np.linspace(0, 10, 1000)
    assert render.colour_range(values, 10.0) == (0, 10, False)
    values[-1] = 500
    low, high, capped = render.colour_range(values, 500.0)
    assert (low, capped) == (0, True)
    assert 9 < high < 11
    low, high, _ = render.colour_range(np.full(5, 20.0), 20.0)
    assert low < 20 < high


def scene(**changes):
    points, triangles, edges = box_skin(3)
    values = points[:, 0].copy()
    about = {
        "points": points,
        "displacement": np.zeros_like(points),
        "triangles": triangles,
        "edges": edges,
        "values": values,
        "label": "CLI_PIC_VON_MISES",
        "unit": "MPa",
        "colours": "turbo",
        "top": 4.0,
        "top_point": np.array([4.0, 1.0, 1.0]),
        "top_displacement": np.zeros(3),
        "title": "Träger $x$ 梁",
        "flat": False,
    }
    return Scene(**{**about, **changes})


def test_picture_has_the_colours_of_the_values(tmp_path):
    target = tmp_path / "p.png"
    render.draw(scene(), target)
    image = matplotlib.image.imread(target)[:, :1000, :3]
    blue = ((image[:, :, 2] - image[:, :, 0]) > 0.3).sum()
    red = ((image[:, :, 0] - image[:, :, 2]) > 0.3).sum()
    assert min(blue, red) > 5000
    assert (image > 0.99).all(axis=2).mean() > 0.2


def test_flat_part_is_seen_from_above_and_not_shaded(tmp_path):
    points = np.array([[0.0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]])
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    flat = scene(
        points=points,
        displacement=np.zeros((4, 3)),
        triangles=SQUARE,
        edges=edges,
        values=np.full(4, 7.0),
        top_point=points[0],
        flat=True,
    )
    render.draw(flat, tmp_path / "p.png")
    image = matplotlib.image.imread(tmp_path / "p.png")[:, :1100, :3]
    colours, count = np.unique((image.reshape(-1, 3) * 255).astype(int), axis=0, return_counts=True)
    del colours
    assert np.sort(count)[-2] > 0.25 * image.shape[0] * image.shape[1]
