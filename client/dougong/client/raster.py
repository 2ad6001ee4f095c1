"""A small rasteriser: triangles and lines with a depth buffer, in numpy.

Painter's algorithms, which plotting libraries have, draw wrong what passes behind itself, and give a triangle one
colour. Here every pixel knows its triangle and its place in it, so colours are interpolated and hiding is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

#: Candidate pixels looked at in one go: bounds the memory.
_BATCH = 1 << 21

#: Triangles that span more pixels are tried tile by tile.
_TILE = 256


@dataclass(frozen=True)
class Camera:
    """A view from infinitely far away.

    Attributes
    ----------
    axes
        shape (3, 3) - unit vectors to the right, up, and towards the viewer.
    center
        shape (3,), length - what is in the middle of the picture.
    scale
        Pixels per length.
    width, height
        Pixels.
    """

    axes: NDArray[np.float64]
    center: NDArray[np.float64]
    scale: float
    width: int
    height: int

    @classmethod
    def fit(
        cls, points: NDArray[np.float64], azimuth_degrees: float, elevation_degrees: float, width: int, height: int
    ) -> Camera:
        """Look at all points from a direction; z is up, a margin of 4 % stays free.

        Parameters
        ----------
        points
            shape (n, 3), length.
        azimuth_degrees, elevation_degrees
            Where the viewer stands: around z from x, and above the horizon.
        width, height
            Pixels.
        """
        a, e = np.radians([azimuth_degrees, elevation_degrees])
        right = np.array([-np.sin(a), np.cos(a), 0.0])
        viewer = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
        axes = np.stack([right, np.cross(viewer, right), viewer])
        seen = points @ axes.T
        low, high = seen.min(axis=0), seen.max(axis=0)
        extent = np.maximum(high - low, 1e-30)
        scale = 0.92 * min(width / extent[0], height / extent[1])
        return cls(axes, (low + high) / 2 @ axes, float(scale), width, height)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels from the left, pixels from the top, and depth in pixels away from the viewer; shape (n, 3)."""
        seen = (points - self.center) @ self.axes.T * self.scale
        return np.stack([self.width / 2 + seen[:, 0], self.height / 2 - seen[:, 1], -seen[:, 2]], axis=1)


@dataclass(frozen=True)
class Raster:
    """What each pixel shows.

    Attributes
    ----------
    triangle
        shape (height, width), int32 - index of the triangle, -1 where there is none.
    weights
        shape (height, width, 3) - of its three corners.
    depth
        shape (height, width) - pixels away from the viewer, infinite where there is nothing.
    """

    triangle: NDArray[np.int32]
    weights: _Floats
    depth: _Floats


def rasterise(
    pixels: NDArray[np.float64], triangles: NDArray[Any], width: int, height: int, *, closed: bool = False
) -> Raster:
    """Find for each pixel the triangle nearest to the viewer.

    Parameters
    ----------
    pixels
        shape (n, 3) - from `Camera.project`.
    triangles
        shape (m, 3) - indices into `pixels`.
    width, height
        Size of the picture.
    closed
        Whether the triangles enclose a body: then those that show their back are hidden in any case.
    """
    owner = np.full(width * height, -1, dtype=np.int32)
    weights = np.zeros((width * height, 3), dtype=np.float32)
    depth = np.full(width * height, np.inf, dtype=np.float32)
    corners = pixels[triangles].astype(np.float32)  # (m, 3 corners, 3)
    low = np.floor(corners[:, :, :2].min(axis=1)).astype(np.int64)
    high = np.ceil(corners[:, :, :2].max(axis=1)).astype(np.int64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    # Rows count downwards, so a triangle that shows its front runs clockwise in pixels: its area is negative.
    drawable = area < -1e-4 if closed else np.abs(area) > 1e-4
    span = (high - low).max(axis=1) + 1
    # Triangles of similar size together: each is tried on a square of pixels of the size of its class.
    size_class = np.ceil(np.log2(np.maximum(span, 2))).astype(int)
    for exponent in np.unique(size_class[drawable]):
        side = 1 << int(exponent)
        members = np.flatnonzero(drawable & (size_class == exponent))
        origin = low[members]
        if side > _TILE:
            members, origin = _tiles(members, low, high, (width, height))
            side = _TILE
        step = max(1, _BATCH // (side * side))
        for start in range(0, len(members), step):
            some = members[start : start + step]
            at = origin[start : start + step]
            _draw(some, side, at, a[some], b[some], c[some], area[some], (width, height), owner, weights, depth)
    shape = (height, width)
    return Raster(owner.reshape(shape), weights.reshape(*shape, 3), depth.reshape(shape))


def _tiles(
    members: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Large triangles, each once for every tile of its box inside the picture, and the corners of these tiles."""
    which, corners = [], []
    for triangle in members:
        first = np.maximum(low[triangle], 0)
        last = np.minimum(high[triangle] + 1, size)
        for x in range(int(first[0]), int(last[0]), _TILE):
            for y in range(int(first[1]), int(last[1]), _TILE):
                which.append(triangle)
                corners.append((x, y))
    return np.array(which, dtype=np.int64), np.array(corners, dtype=np.int64).reshape(-1, 2)


def _draw(
    index: NDArray[np.int64],
    side: int,
    low: NDArray[np.int64],
    a: _Floats,
    b: _Floats,
    c: _Floats,
    area: _Floats,
    size: tuple[int, int],
    owner: NDArray[np.int32],
    weights: _Floats,
    depth: _Floats,
) -> None:
    """Try triangles on a square of pixels each, and keep what is nearest."""
    offsets = np.arange(side)
    x = (low[:, 0, None] + offsets)[:, None, :]  # (n, 1, side)
    y = (low[:, 1, None] + offsets)[:, :, None]  # (n, side, 1)
    px, py = (x + 0.5).astype(np.float32), (y + 0.5).astype(np.float32)

    def edge(p: _Floats, q: _Floats) -> _Floats:
        dx, dy = (q - p)[:, 0, None, None], (q - p)[:, 1, None, None]
        side_of: _Floats = dx * (py - p[:, 1, None, None]) - dy * (px - p[:, 0, None, None])
        return side_of / area[:, None, None]

    wa, wb = edge(b, c), edge(c, a)
    wc = 1.0 - wa - wb
    slack = np.float32(-1e-4)
    inside = (wa >= slack) & (wb >= slack) & (wc >= slack)
    inside &= (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    which, row, column = np.nonzero(inside)
    w = np.stack([wa[inside], wb[inside], wc[inside]], axis=1)
    z = (w * np.stack([a[which, 2], b[which, 2], c[which, 2]], axis=1)).sum(axis=1)
    pixel = (low[which, 1] + row) * size[0] + low[which, 0] + column
    near = np.flatnonzero(z < depth[pixel])
    # Of several values assigned to one place numpy keeps the last: the nearest comes last.
    near = near[np.argsort(-z[near], kind="stable")]
    depth[pixel[near]] = z[near]
    owner[pixel[near]] = index[which[near]]
    weights[pixel[near]] = w[near]


def draw_lines(
    pixels: NDArray[np.float64], segments: NDArray[Any], depth: _Floats, radius: float, slack: float
) -> NDArray[np.bool_]:
    """Find the pixels of the visible parts of lines.

    Parameters
    ----------
    pixels
        shape (n, 3) - from `Camera.project`.
    segments
        shape (k, 2) - indices into `pixels`.
    depth
        shape (height, width) - what hides them.
    radius
        Half their width, in pixels.
    slack
        How far behind the surface a line still counts as lying on it, in pixels.

    Returns
    -------
    ndarray
        shape (height, width), bool.
    """
    height, width = depth.shape
    mask = np.zeros((height, width), dtype=bool)
    if not len(segments):
        return mask
    p, q = pixels[segments[:, 0]], pixels[segments[:, 1]]
    steps = np.maximum(1, np.ceil(np.hypot(*(q - p)[:, :2].T) / 0.6)).astype(np.int64) + 1
    which = np.repeat(np.arange(len(p)), steps)
    along = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / (steps[which] - 1)
    points = p[which] + along[:, None] * (q - p)[which]
    column, row = np.floor(points[:, 0]).astype(int), np.floor(points[:, 1]).astype(int)
    keep = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row, z = column[keep], row[keep], points[keep, 2]
    seen = z <= depth[row, column] + slack
    column, row = column[seen], row[seen]
    reach = int(np.ceil(radius))
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            if dx * dx + dy * dy <= radius * radius:
                mask[np.clip(row + dy, 0, height - 1), np.clip(column + dx, 0, width - 1)] = True
    return mask


def is_closed(points: NDArray[np.float64], triangles: NDArray[Any]) -> bool:
    """Whether triangles enclose a body: then the vectors of their areas add up to nothing."""
    x = points[triangles]
    vectors = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    total = float(np.linalg.norm(vectors, axis=1).sum())
    return bool(np.linalg.norm(vectors.sum(axis=0)) <= 1e-6 * total)


def corner_normals(
    points: NDArray[np.float64], triangles: NDArray[Any], crease_degrees: float = 30.0
) -> NDArray[np.float64]:
    """Unit normals at the corners of triangles: smooth over curved faces, broken at creases.

    Parameters
    ----------
    points
        shape (n, 3), length.
    triangles
        shape (m, 3) - indices into `points`.
    crease_degrees
        Triangles that differ by more do not share a normal.

    Returns
    -------
    ndarray
        shape (m, 3, 3) - triangle, corner, component.
    """
    x = points[triangles]
    weighted = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])  # length is twice the area
    flat = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-300)
    corner_point = np.asarray(triangles).reshape(-1)
    order = np.argsort(corner_point, kind="stable")
    count = np.bincount(corner_point, minlength=len(points))
    start = np.cumsum(count) - count
    out = np.zeros((len(corner_point), 3))
    cosine = np.cos(np.radians(crease_degrees))
    mine = np.arange(len(corner_point)) // 3
    # The k-th neighbour of every corner at once: as many rounds as the busiest point has triangles.
    for k in range(int(count.max(initial=0))):
        has = np.flatnonzero(count[corner_point] > k)
        other = order[start[corner_point[has]] + k] // 3
        near = np.einsum("ij,ij->i", flat[mine[has]], flat[other]) >= cosine
        out[has[near]] += weighted[other[near]]
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-300)
    return out.reshape(-1, 3, 3)
