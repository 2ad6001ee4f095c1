"""What links make of the rigid motions of bodies and of the motions of reference points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.links.links import Links
from dougong.solver.model import Model

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinkRows:
    """Links of a step on one process.

    Attributes
    ----------
    model, links
        The step and its links.
    held
        shape (n_point_unknowns,), bool: unknowns of points that are prescribed.
    """

    model: Model
    links: Links
    held: NDArray[np.bool_]

    def gram(
        self, bodies: Sequence[NDArray[np.integer]], modes_at: Callable[[Array], Array], size: float, n_modes: int
    ) -> Array:
        """Gram matrix of what equations and springs make of the motions of bodies and points; its null space is free.

        Parameters
        ----------
        bodies
            Local nodes of each.
        modes_at
            Motions of a body at points, shape (n, nc, n_modes), their rotations times `size`.
        size
            Length.
        n_modes
            How many motions a body has.

        Returns
        -------
        ndarray, shape (n, n)
            n = (bodies + points) times n_modes.
        """
        M = self._motions(bodies, modes_at, size, n_modes)
        rows = sparse.vstack([self.links.equations.matrix, self.links.springs.matrix], format="csr")
        source = np.concatenate([self.links.equations.source, -1 - self.links.springs.source])
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        found = (sparse.diags(1.0 / np.where(length > 0, length, 1.0)) @ rows @ M).tocsr()
        # Of each link the mean: one with many nodes holds no better than one with few.
        _, which, count = np.unique(source, return_inverse=True, return_counts=True)
        found = sparse.diags(1.0 / np.sqrt(count[which.reshape(-1)])) @ found if len(source) else found
        total = np.asarray((found.T @ found).todense())
        held = M[self.links.unknowns.of_nodes :][self.held].toarray()
        return total + held.T @ held

    def _motions(
        self, bodies: Sequence[NDArray[np.integer]], modes_at: Callable[[Array], Array], size: float, n_modes: int
    ) -> sparse.csr_matrix:
        """The unknowns that links touch from the motions of bodies and points, shape (unknowns, n)."""
        unknowns, part, nc = self.links.unknowns, self.model.part, self.links.unknowns.components
        used = np.concatenate([r.matrix.indices for r in (self.links.equations, self.links.springs)])
        nodes = np.unique(used[used < unknowns.of_nodes].astype(np.int64) // nc)
        local, _ = part.local_nodes(nodes)
        owner = np.full(part.n_local, -1, dtype=np.int64)
        for b, members in enumerate(bodies):
            owner[members] = b
        there = owner[local] >= 0
        nodes, local = nodes[there], local[there]
        values = modes_at(part.points[local])  # (m, nc, n_modes)
        rows = np.broadcast_to(unknowns.at(nodes)[:, :, None], values.shape)
        columns = np.broadcast_to((owner[local] * n_modes)[:, None, None] + np.arange(n_modes), values.shape)
        entries = [(rows.ravel(), columns.ravel(), values.ravel())]
        for k, point in enumerate(self.links.points):
            at = modes_at(point.place[None])[0]  # (nc, n_modes)
            for i, motion in enumerate(point.motions):
                own = np.zeros(n_modes)
                if motion.startswith("translation"):
                    own[:] = at["xyz".index(motion[-1])]
                else:
                    own[i] = point.radius / size
                first = (len(bodies) + k) * n_modes
                entries.append((np.full(n_modes, point.unknowns[i]), first + np.arange(n_modes), own))
        row, column, value = (np.concatenate(c) for c in zip(*entries, strict=True))
        n = (len(bodies) + len(self.links.points)) * n_modes
        return sparse.csr_matrix((value, (row, column)), shape=(unknowns.total, n))
