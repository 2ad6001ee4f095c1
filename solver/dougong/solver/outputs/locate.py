"""Which cell a point lies in, and where in it; or the nearest point of the body.

A point x lies in a cell where x(X) = Σ N_a(X) x_a has a solution X inside the reference cell: a few steps of Newton's
method, on curved cells too. For a point outside the nearest one is sought within the sides of the reference cell,
A X <= b: steps of Gauss and Newton's method for |x(X) - x|², along the sides that they meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.elements import tabulate
from dougong.solver.parallel.partition import Part, PartBlock

Array = NDArray[np.float64]

#: So far beyond a side of the reference cell a point still counts as inside.
_INSIDE = 1e-9
#: Cells whose boxes, enlarged by this part of their size, contain a point are looked at: curved cells reach beyond
#: the box of their nodes.
_BULGE = 0.3
_STEPS = 25
#: Longest step of X.
_LONGEST = 0.5


@dataclass(frozen=True, order=True)
class Place:
    """Where a point was found; places are ordered by distance, equally near ones by the number of the cell.

    Attributes
    ----------
    distance
        From the point that was sought; 0 inside the body.
    cell
        Index of the cell in the stored mesh.
    rank, block, row
        Who has it, and where: its local block and row.
    X
        Reference coordinates.
    point
        The place itself.
    """

    distance: float
    cell: int
    rank: int
    block: int
    row: int
    X: tuple[float, ...]
    point: tuple[float, ...]


def sides(family: str) -> tuple[Array, Array]:
    """The sides of a reference cell as A X <= b, shapes (n, dim) and (n,)."""
    if family == "pyramid":
        A = np.array([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 0, 1], [0, 1, 1]], dtype=float)
        return A, np.array([0.0, 0, 0, 1, 1])
    dim = 2 if family in ("tri", "quad") else 3
    simplex = {"tri": 2, "tet": 3, "wedge": 2}.get(family, 0)
    top = [np.eye(dim)[:simplex].sum(axis=0)] if simplex else []
    A = np.array([*-np.eye(dim), *top, *np.eye(dim)[simplex:]])
    return A, np.concatenate([np.zeros(dim), np.ones(len(A) - dim)])


class Locator:
    """Finds points in the cells of a part.

    Parameters
    ----------
    part
        The part.
    tolerance
        length: how far outside the body a point may be.
    """

    def __init__(self, part: Part, tolerance: float) -> None:
        self._part, self._tolerance = part, tolerance
        self._boxes = [self._boxes_of(block) for block in part.blocks]

    def _boxes_of(self, block: PartBlock) -> tuple[Array, Array]:
        low, high = (np.empty((len(block), self._part.dim)) for _ in range(2))
        for first in range(0, len(block), 65536):
            rows = slice(first, first + 65536)
            x = self._part.points[block.nodes[rows]]
            low[rows], high[rows] = x.min(axis=1), x.max(axis=1)
        margin = _BULGE * (high - low).max(axis=1, keepdims=True, initial=0.0) + self._tolerance
        return low - margin, high + margin

    def find(self, point: Array) -> Place | None:
        """The place of a point, the same on all ranks; None where no cell is near. Collective."""
        part = self._part
        found = []
        for k, (block, (low, high)) in enumerate(zip(part.blocks, self._boxes, strict=True)):
            rows = np.flatnonzero(((low <= point) & (point <= high)).all(axis=1) & block.mine)
            if not len(rows):
                continue
            X, x = nearest(block.type.name, block.type.family, part.points[block.nodes[rows]], point)
            distance = np.linalg.norm(x - point, axis=1)
            size = np.ptp(part.points[block.nodes[rows]], axis=1).max(axis=1)
            distance[distance <= _INSIDE * size] = 0.0
            order = np.lexsort((block.cells[rows], distance))[:1]
            for i in order[np.isfinite(distance[order])].tolist():
                row = int(rows[i])
                place = float(distance[i]), int(block.cells[row]), part.comm.rank, k, row
                found.append(Place(*place, tuple(X[i].tolist()), tuple(x[i].tolist())))
        every = [place for of_rank in part.comm.gather(found) for place in of_rank]
        return min(every, default=None)


def nearest(name: str, family: str, coordinates: Array, point: Array) -> tuple[Array, Array]:
    """The points of some cells that are nearest to a point.

    Parameters
    ----------
    name, family
        Of the cell type.
    coordinates
        shape (n, n_nodes, dim): of the nodes of each cell.
    point
        shape (dim,).

    Returns
    -------
    X, x : ndarray, shape (n, dim)
        Reference coordinates and coordinates; nan where nothing was found.
    """
    A, b = sides(family)
    X = _solved(name, coordinates, point, A, b)
    outside = ~(np.isfinite(X).all(axis=1) & (_beyond(X, A, b) <= _INSIDE).all(axis=1))
    X[outside] = _constrained(name, coordinates[outside], point, A, b)
    return X, _mapped(name, coordinates, X)[0]


def _solved(name: str, coordinates: Array, point: Array, A: Array, b: Array) -> Array:
    """Newton's method for x(X) = point, shape (n, dim); anything where it does not converge."""
    X = np.tile(_middle(A, b), (len(coordinates), 1))
    free = np.zeros((len(X), len(b)), dtype=bool)
    for _ in range(_STEPS):
        x, J = _mapped(name, coordinates, X)
        step = _shortened(_step(J, point - x, A, free)[0])
        X = np.clip(X + step, -10.0, 10.0 if len(b) == 2 * len(A[0]) else 1.0 - 1e-12)
        if float(np.abs(step).max(initial=0.0)) < 1e-14:
            break
    return X


def _constrained(name: str, coordinates: Array, point: Array, A: Array, b: Array) -> Array:
    """The nearest points within the sides, by active sets (Nocedal, Wright, "Numerical Optimization", 2006, 16.5)."""
    X = np.tile(_middle(A, b), (len(coordinates), 1))
    active = np.zeros((len(X), len(b)), dtype=bool)
    rows = np.arange(len(X))
    for _ in range(3 * _STEPS if len(X) else 0):
        x, J = _mapped(name, coordinates, X)
        step, pressed = _step(J, point - x, A, active)
        step = _shortened(step)
        towards = step @ A.T
        gap = np.maximum(-_beyond(X, A, b), 0.0)
        reach = np.where(~active & (towards > 1e-14), gap / np.maximum(towards, 1e-14), np.inf)
        first = reach.argmin(axis=1)
        blocked = reach[rows, first] < 1.0
        X = X + step * np.minimum(1.0, reach[rows, first])[:, None]
        active[rows[blocked], first[blocked]] = True
        # At rest, the side that holds a point back from coming nearer is left.
        still = ~blocked & (np.abs(step).max(axis=1) < 1e-10)
        worst = np.where(active, pressed, 0.0).argmin(axis=1)
        leaving = still & active[rows, worst] & (pressed[rows, worst] < -1e-12)
        active[rows[leaving], worst[leaving]] = False
        if (still & ~leaving).all():
            break
    return X


def _shortened(step: Array) -> Array:
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return step * np.minimum(1.0, _LONGEST / np.maximum(length, _LONGEST))


def _beyond(X: Array, A: Array, b: Array) -> Array:
    """How far points are beyond each side, shape (n, n_sides)."""
    return np.asarray(X @ A.T - b)


def _middle(A: Array, b: Array) -> Array:
    """A point well inside a reference cell."""
    dim = A.shape[1]
    return np.full(dim, 0.5 if len(b) == 2 * dim else 0.25)


def _mapped(name: str, coordinates: Array, X: Array) -> tuple[Array, Array]:
    """x(X) and its derivative, shapes (n, dim) and (n, dim, dim)."""
    N, dN = tabulate(name, np.ascontiguousarray(X.T))
    return np.einsum("na,nai->ni", N, coordinates), np.einsum("naj,nai->nij", dN, coordinates)


def _step(J: Array, r: Array, A: Array, active: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The step of X that makes |J δ - r| least along the active sides, and the forces with which these hold it."""
    n, dim = r.shape
    m = len(A)
    K, rhs = np.zeros((n, dim + m, dim + m)), np.zeros((n, dim + m))
    JT = J.transpose(0, 2, 1)
    H = JT @ J
    scale = np.maximum(np.trace(H, axis1=1, axis2=2), np.finfo(float).tiny)[:, None]
    K[:, :dim, :dim] = H / scale[..., None] + 1e-14 * np.eye(dim)
    rhs[:, :dim] = (JT @ r[..., None])[..., 0] / scale
    on = np.where(active[..., None], A, 0.0)
    K[:, dim:, :dim], K[:, :dim, dim:] = on, on.transpose(0, 2, 1)
    K[:, range(dim, dim + m), range(dim, dim + m)] = np.where(active, -1e-14, 1.0)
    found = np.linalg.solve(K, rhs[..., None])[..., 0]
    return found[:, :dim], found[:, dim:]
