"""The points of a face that are closest to given points.

The facets of a face are on every rank: a face has far fewer nodes than a body. Each point is held against the facets
near it: inside the facet by the Gauss-Newton method, along its edges, and at its corners; the closest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dougong.meshes.cells import CELL_TYPES
from dougong.solver.elements import tabulate
from dougong.solver.model import Model

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Iterations of Gauss and Newton; facets are nearly plane, on which the first one is exact.
_ITERATIONS = 12
#: Points this far outside a facet, in its own coordinates, are taken as in it.
_INSIDE = 1e-9
#: Points are worked on so many at a time.
_CHUNK = 2000


@dataclass(frozen=True)
class Piece:
    """Points whose closest facets are of one type.

    Attributes
    ----------
    type
        Cell type of the facets.
    points
        shape (m,), int64 - which points.
    facets
        shape (m,), int64 - their facets among those of the type.
    N
        shape (m, k): shape functions at the closest points.
    gradients
        shape (m, k, dim): their gradients along the facet - 1 / length.
    gap
        shape (m, dim): from the closest point to the point - length.
    normal
        shape (m, dim): unit normal of the facet there.
    """

    type: str
    points: Ints
    facets: Ints
    N: Array
    gradients: Array
    gap: Array
    normal: Array


@dataclass(frozen=True)
class ClosestPoints:
    """What was found for some points.

    Attributes
    ----------
    distance
        shape (n,) - length; infinite where there is no facet near enough.
    found
        shape (n,), bool.
    pieces
        The points that have a facet.
    """

    distance: Array
    found: NDArray[np.bool_]
    pieces: tuple[Piece, ...]


@dataclass
class MasterFacets:
    """All facets of a region, on every rank.

    Attributes
    ----------
    nodes
        Cell type -> shape (n, k), int64: stored nodes of its facets.
    points
        Cell type -> shape (n, k, dim): their coordinates.
    """

    nodes: dict[str, Ints]
    points: dict[str, Array]
    _trees: dict[str, tuple[cKDTree, float]] = field(default_factory=dict)

    @classmethod
    def gathered(cls, model: Model, region: str) -> MasterFacets:
        """The facets of a region. Collective."""
        part = model.part
        mine = []
        for f in model.regions.facets(region):
            nodes = f.nodes[f.mine(part)]
            mine.append((f.type, part.nodes[nodes], part.points[nodes]))
        every = [piece for of_rank in part.comm.gather(mine) for piece in of_rank]
        of_facets: dict[str, Ints] = {}
        points: dict[str, Array] = {}
        for kind in sorted({kind for kind, _, _ in every}):
            of_kind = np.concatenate([n for k, n, _ in every if k == kind])
            order = np.lexsort(of_kind.T)  # as on any number of ranks
            of_facets[kind] = of_kind[order]
            points[kind] = np.concatenate([p for k, _, p in every if k == kind])[order]
        return cls(of_facets, points)

    def __len__(self) -> int:
        return sum(len(n) for n in self.nodes.values())

    def nodes_of(self, piece: Piece) -> Ints:
        """Stored nodes of the facets of a piece, shape (m, k)."""
        return self.nodes[piece.type][piece.facets]

    @property
    def mean_size(self) -> float:
        """Mean over the facets of the length of their longest side or diagonal."""
        sizes = [np.linalg.norm(np.ptp(p, axis=1), axis=1) for p in self.points.values()]
        return float(np.concatenate(sizes).mean())

    def closest(self, points: Array, tolerance: float) -> ClosestPoints:
        """The closest facet of each point, shape (n, dim), within a distance.

        Of facets that are as close the first one in the order of their nodes counts, on whatever rank this is asked.
        """
        n = len(points)
        distance, kind, best = np.full(n, np.inf), np.full(n, "", dtype="U16"), np.full(n, -1, dtype=np.int64)
        xi: dict[str, Array] = {}
        for name in self.nodes:
            xi[name] = np.zeros((n, points.shape[1] - 1))
            for first in range(0, n, _CHUNK):
                some = np.arange(first, min(first + _CHUNK, n))
                of, facet = self._near(name, points[some], tolerance)
                if not len(of):
                    continue
                at, away = _project(name, self.points[name][facet], points[some][of])
                # Differences below the rounding of coordinates are none.
                order = np.lexsort((facet, np.round(away, 12 - int(np.ceil(np.log10(self.mean_size)))), of))
                of, facet, at, away = of[order], facet[order], at[order], away[order]
                lead = np.flatnonzero(np.diff(of, prepend=-1))
                rows = some[of[lead]]
                better = (away[lead] <= tolerance) & (away[lead] < distance[rows])
                rows, lead = rows[better], lead[better]
                distance[rows], kind[rows], best[rows] = away[lead], name, facet[lead]
                xi[name][rows] = at[lead]
        pieces = [_piece(name, np.flatnonzero(kind == name), best, xi[name], self.points[name], points) for name in xi]
        return ClosestPoints(distance, best >= 0, tuple(p for p in pieces if len(p.points)))

    def _near(self, name: str, points: Array, tolerance: float) -> tuple[Ints, Ints]:
        """Pairs of points and facets that may be the closest ones."""
        corners = self.points[name]
        if name not in self._trees:
            centres = corners.mean(axis=1)
            self._trees[name] = (cKDTree(centres), float(np.linalg.norm(corners - centres[:, None], axis=2).max()))
        tree, radius = self._trees[name]
        if np.isinf(tolerance):
            _, some = tree.query(points, k=min(8, tree.n))
            some = some.reshape(len(points), -1)
            return np.repeat(np.arange(len(points)), some.shape[1]), some.ravel().astype(np.int64)
        # Curved facets reach a little farther from their centre than their nodes do.
        found = tree.query_ball_point(points, 1.1 * radius + tolerance)
        count = np.array([len(f) for f in found], dtype=np.int64)
        facets = np.concatenate([np.empty(0, dtype=np.int64), *(np.asarray(f, dtype=np.int64) for f in found)])
        return np.repeat(np.arange(len(points)), count), facets


def _sides(name: str) -> list[tuple[Array, Array]]:
    """Ends of the sides of a facet in its own coordinates; of a line its two ends, each a side of no length."""
    ct = CELL_TYPES[name]
    corners = np.array(ct.reference[: ct.n_corners], dtype=float).reshape(ct.n_corners, -1)
    if len(corners) == 2:
        return [(corners[0], corners[0]), (corners[1], corners[1])]
    return [(corners[k], corners[(k + 1) % len(corners)]) for k in range(len(corners))]


def _project(name: str, corners: Array, x: Array) -> tuple[Array, Array]:
    """Own coordinates of the closest points of facets, shape (m, dim - 1), and the distances, shape (m,)."""
    dim = x.shape[1] - 1
    identity = np.eye(dim)
    middle = np.array(CELL_TYPES[name].reference[: CELL_TYPES[name].n_corners]).reshape(-1, dim).mean(axis=0)
    at = _minimum(name, corners, x, np.broadcast_to(middle, (len(x), dim)).copy(), identity, None)
    away = np.where(_inside(name, at), _distance(name, corners, x, at), np.inf)
    for start, end in _sides(name):
        along = (end - start)[None]
        if along.any():
            on = _minimum(name, corners, x, np.broadcast_to((start + end) / 2, (len(x), dim)).copy(), along, start)
        else:
            on = np.broadcast_to(start, (len(x), dim)).copy()
        off = _distance(name, corners, x, on)
        better = off < away * (1 - 1e-12)
        at[better], away[better] = on[better], off[better]
    return at, away


def _minimum(name: str, corners: Array, x: Array, at: Array, directions: Array, start: Array | None) -> Array:
    """Where |x(ξ) - x| is least, ξ moving along directions (k, dim); along a side within its ends."""
    for _ in range(_ITERATIONS):
        N, dN = tabulate(name, at.T)
        r = np.einsum("mk,mki->mi", N, corners) - x
        J = np.einsum("mkj,mki,dj->mid", dN, corners, directions, optimize=True)
        gram = np.einsum("mid,mie->mde", J, J)
        step = np.linalg.solve(gram, np.einsum("mid,mi->md", J, r)[..., None])[..., 0]
        at = at - np.clip(step, -1.0, 1.0) @ directions
        if start is not None:
            length = float((directions[0] ** 2).sum())
            t = np.clip((at - start) @ directions[0] / length, 0.0, 1.0)
            at = start + t[:, None] * directions[0]
        else:
            at = np.clip(at, -1.0, 2.0)
        if not len(at) or np.abs(step).max() < 1e-14:
            break
    return at


def _inside(name: str, at: Array) -> NDArray[np.bool_]:
    inside = (at >= -_INSIDE).all(axis=1)
    if CELL_TYPES[name].family == "tri":
        return np.asarray(inside & (at.sum(axis=1) <= 1 + _INSIDE))
    return np.asarray(inside & (at <= 1 + _INSIDE).all(axis=1))


def _distance(name: str, corners: Array, x: Array, at: Array) -> Array:
    N, _ = tabulate(name, at.T)
    return np.asarray(np.linalg.norm(np.einsum("mk,mki->mi", N, corners) - x, axis=1))


def _piece(name: str, rows: Ints, best: Ints, xi: Array, facets: Array, points: Array) -> Piece:
    corners, at = facets[best[rows]], xi[rows]
    N, dN = tabulate(name, at.T)
    J = np.einsum("mkj,mki->mij", dN, corners, optimize=True)  # (m, dim, dim - 1)
    gram = np.einsum("mij,mil->mjl", J, J)
    gradients = np.einsum("mkj,mjl,mil->mki", dN, np.linalg.inv(gram), J, optimize=True)
    normal = np.stack([J[:, 1, 0], -J[:, 0, 0]], axis=1) if J.shape[2] == 1 else np.cross(J[:, :, 0], J[:, :, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    gap = points[rows] - np.einsum("mk,mki->mi", N, corners)
    return Piece(name, rows, best[rows], N, gradients, gap, normal)
