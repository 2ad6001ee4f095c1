"""Points and cells of the bodies: bricks, tetrahedra in them, finer meshes, quadratic cells on linear ones."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dougong.meshes.cells import CELL_TYPES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Meshed = tuple[Floats, Ints]

#: Corners of a brick in the order of a hexahedron.
_CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))

#: Outer width, wall thickness and length of the tubes of the frame, mm.
TUBE, WALL, LENGTH = 60.0, 3.0, 600.0


def bricks(lines: tuple[Floats, Floats, Floats], keep: Bools | None = None) -> Meshed:
    """Hexahedra between lines along the three axes; `keep` says which of them."""
    shape = tuple(map(len, lines))
    grid = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(len(grid)).reshape(shape)
    cells = np.stack([number[tuple(_shifted(a, n) for a, n in zip(c, shape, strict=True))] for c in _CORNERS], axis=-1)
    cells = cells.reshape(-1, 8) if keep is None else cells[keep]
    return used_only(grid, cells)


def _shifted(by: int, n: int) -> slice:
    return slice(by, n - 1 + by)


def six_in_each(points: Floats, cells: Ints) -> Meshed:
    """Six tetrahedra in each brick: along its diagonal, each axis once, in all six orders."""
    place = {corner: k for k, corner in enumerate(_CORNERS)}
    found = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)):
        at, path = [0, 0, 0], [(0, 0, 0)]
        for axis in order:
            at[axis] = 1
            path.append((at[0], at[1], at[2]))
        if order in ((0, 2, 1), (2, 1, 0), (1, 0, 2)):  # an odd order is turned over
            path[1], path[2] = path[2], path[1]
        found.append(cells[:, [place[p] for p in path]])
    return points, np.stack(found, axis=1).reshape(-1, 4)


def beam(n: int) -> Meshed:
    """Bricks of a 4 x 1 x 1 beam, n along its height."""
    short = np.arange(n + 1) / n
    return bricks((np.arange(4 * n + 1) / n, short, short))


def tubes(spacing: float) -> Meshed:
    """Bricks of a thin-walled frame: a column of square tube and an arm of the same welded to it, one brick in a wall.

    Parameters
    ----------
    spacing
        Largest edge of a brick along a wall, mm.
    """
    across = _lines(spacing, 0.0, WALL, TUBE - WALL, TUBE)
    x = _lines(spacing, 0.0, WALL, TUBE - WALL, TUBE, LENGTH - WALL, LENGTH)
    z = _lines(spacing, 0.0, LENGTH - TUBE, LENGTH - TUBE + WALL, LENGTH - WALL, LENGTH)
    middle = np.meshgrid(*((line[1:] + line[:-1]) / 2 for line in (x, across, z)), indexing="ij")
    cx, cy, cz = middle
    side = (cy < WALL) | (cy > TUBE - WALL)
    column = (cx < TUBE) & (side | (cx < WALL) | (cx > TUBE - WALL) | (cz > LENGTH - WALL))
    above = LENGTH - TUBE
    arm = (cx > TUBE) & (cz > above)
    arm &= side | (cz < above + WALL) | (cz > LENGTH - WALL) | (cx > LENGTH - WALL)
    return bricks((x, across, z), column | arm)


def _lines(spacing: float, *places: float) -> Floats:
    """Places, and between them others at equal distances of at most the spacing."""
    parts = [np.linspace(a, b, int(np.ceil((b - a) / spacing)) + 1)[:-1] for a, b in itertools.pairwise(places)]
    return np.concatenate([*parts, [places[-1]]])


def used_only(points: Floats, cells: Ints) -> Meshed:
    """Without points that no cell has."""
    used, number = np.unique(cells, return_inverse=True)
    return points[used], number.reshape(cells.shape)


def edges_of(points: Floats, cells: Ints, cell_type: str) -> tuple[Ints, Ints]:
    """Edges, shape (n_edges, 2), and the numbers of those of each cell."""
    pairs = np.sort(cells[:, CELL_TYPES[cell_type].edges], axis=2)
    unique, number = np.unique(pairs[..., 0] * len(points) + pairs[..., 1], return_inverse=True)
    return np.stack([unique // len(points), unique % len(points)], axis=1), number.reshape(pairs.shape[:2])


def quadratic(points: Floats, cells: Ints, cell_type: str = "tet4") -> Meshed:
    """Quadratic cells on linear ones: a node in the middle of each edge."""
    edges, number = edges_of(points, cells, cell_type)
    return np.vstack([points, points[edges].mean(axis=1)]), np.hstack([cells, len(points) + number])


def corners(points: Floats, cells: Ints) -> Meshed:
    """The linear tetrahedra on the corners of quadratic ones."""
    return used_only(points, cells[:, :4])


def finer(points: Floats, cells: Ints, nodes: int) -> Meshed:
    """Linear tetrahedra cut in two at their longest edges until quadratic ones on them have so many nodes.

    An edge is cut when it is the longest of all cells around it, so that no hanging nodes arise (Rivara, "Algorithms
    for refining triangular grids suitable for adaptive and multigrid techniques", Int. J. Numer. Meth. Eng. 20, 1984).
    """
    while True:
        edges, number = edges_of(points, cells, "tet4")
        missing = nodes - len(points) - len(edges)
        if missing <= 0:
            return points, cells
        length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
        place = np.empty(len(edges), dtype=np.int64)  # in the order of lengths; equal ones by their numbers
        place[np.argsort(length, kind="stable")] = np.arange(len(edges))
        local = place[number].argmax(axis=1)
        longest = number[np.arange(len(cells)), local]
        around = np.bincount(number.ravel(), minlength=len(edges))
        agreed = np.flatnonzero(np.bincount(longest, minlength=len(edges)) == around)
        # A cut edge makes a corner, and edges to all around it: some seven nodes.
        cut = agreed[np.argsort(place[agreed])[::-1][: missing // 7 + 1]]
        middle = np.full(len(edges), -1)
        middle[cut] = len(points) + np.arange(len(cut))
        points = np.vstack([points, points[edges[cut]].mean(axis=1)])
        split = np.flatnonzero(middle[longest] >= 0)
        ends = np.asarray(CELL_TYPES["tet4"].edges)[local[split]]
        halves = [cells[split].copy(), cells[split].copy()]
        for half, end in zip(halves, ends.T, strict=True):
            half[np.arange(len(split)), end] = middle[longest[split]]
        cells = np.vstack([np.delete(cells, split, axis=0), *halves])


def lower_part(points: Floats, cells: Ints, axis: int, nodes: int) -> Meshed:
    """The cells lowest along an axis, in one piece that stands on the ground; quadratic, they have so many nodes."""
    height = points[cells, axis].mean(axis=1)
    few, many = 0, len(cells)
    order = np.argsort(height, kind="stable")
    while many - few > len(cells) // 200:
        count = (few + many) // 2
        part = _standing(*used_only(points, cells[order[:count]]), axis)
        few, many = (count, many) if len(quadratic(*part)[0]) < nodes else (few, count)
    return _standing(*used_only(points, cells[order[:many]]), axis)


def _standing(points: Floats, cells: Ints, axis: int) -> Meshed:
    """Of the parts that hang together through faces the largest with a lowest point: an edge would be a hinge."""
    faces = np.sort(cells[:, ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))], axis=2).reshape(-1, 3)
    _, number = np.unique(faces, axis=0, return_inverse=True)
    order = np.argsort(number.ravel(), kind="stable")
    same = np.flatnonzero(np.diff(number.ravel()[order]) == 0)
    a, b = order[same] // 4, order[same + 1] // 4
    graph = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(len(cells),) * 2)
    _, part = connected_components(graph, directed=False)
    low = points[:, axis] <= points[:, axis].min() + 1e-6 * np.ptp(points[:, axis])
    held = np.unique(part[low[cells].any(axis=1)])
    largest = held[np.bincount(part)[held].argmax()]
    return used_only(points, cells[part == largest])


def cut_in_eight(points: Floats, cells: Ints) -> Meshed:
    """Linear tetrahedra: each quadratic one cut at its mid-side nodes, the octahedron in its middle along 4-9."""
    a, b, c, d, ab, bc, ca, ad, bd, cd = cells.T
    parts = [
        (a, ab, ca, ad), (ab, b, bc, bd), (ca, bc, c, cd), (ad, bd, cd, d),
        (ab, cd, ad, bd), (ab, cd, bd, bc), (ab, cd, bc, ca), (ab, cd, ca, ad),
    ]  # fmt: skip
    fine = np.stack([np.stack(p, axis=1) for p in parts], axis=1).reshape(-1, 4)
    edges = points[fine[:, 1:]] - points[fine[:, :1]]
    turned = np.linalg.det(edges) < 0
    fine[turned, 2:] = fine[turned, :1:-1]
    return points, fine
