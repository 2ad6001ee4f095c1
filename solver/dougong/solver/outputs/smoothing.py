"""Averages of a field at the nodes over the cells of one material each.

A node where materials meet has an average for each of them: a stress that jumps there is not smeared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.solver.model import Model, Rows

Array = NDArray[np.float64]


class Slots:
    """Places for the averages of a part: one for each node and each material of its cells.

    Attributes
    ----------
    n
        Number of places.
    count
        shape (n,): cells that contributed to each; complete where the node is owned.
    materials
        Names of the materials of the model, each with its orientation; the same on all ranks.
    """

    def __init__(self, model: Model) -> None:
        self.part = model.part
        self._section_of = model.section_of
        of_sections = [" in axes ".join(filter(None, (s.material_name, s.orientation_name))) for s in model.sections]
        self.materials = list(dict.fromkeys(of_sections))
        self.material_of = np.array([self.materials.index(name) for name in of_sections], dtype=np.int64)
        self.keys = np.arange(self.part.n_local, dtype=np.int64)  # node * n_materials + material, ascending
        if len(self.materials) > 1:
            found = [np.unique(self._key(k, slice(None))) for k in range(len(self.part.blocks))]
            self.keys = np.unique(np.concatenate(found)) if found else self.keys[:0]
        self.n = len(self.keys)
        self.count = np.zeros(self.n)

    def _key(self, block: int, rows: Rows) -> NDArray[np.int64]:
        material = self.material_of[self._section_of[block][rows]]
        return self.part.blocks[block].nodes[rows].astype(np.int64) * len(self.materials) + material[:, None]

    def of(self, block: int, rows: Rows) -> NDArray[np.integer]:
        """Places of the nodes of some cells, shape (n, n_nodes of a cell)."""
        if len(self.materials) == 1:
            return self.part.blocks[block].nodes[rows]
        return np.searchsorted(self.keys, self._key(block, rows))


class Smoothed:
    """A field averaged at the nodes within each material.

    Parameters
    ----------
    slots
        The places, with their counts.
    sums
        shape (slots.n, width): sums over the cells; becomes the averages.
    weights
        shape (slots.n,): of what was added up; default: the number of cells.
    """

    def __init__(self, slots: Slots, sums: Array, weights: Array | None = None) -> None:
        self._slots = slots
        weights = np.maximum(slots.count, 1.0) if weights is None else weights
        sums /= weights[:, None]
        self.means = sums
        self._ghosts_known = False

    def at_nodes(self) -> Array:
        """The averages at the owned nodes, shape (n_owned, width); between materials that of the largest norm."""
        slots, part = self._slots, self._slots.part
        if len(slots.materials) == 1:
            return self.means[: part.n_owned]
        node = slots.keys // len(slots.materials)
        order = np.lexsort((np.linalg.norm(self.means, axis=1), node))
        last = np.flatnonzero(np.diff(node[order], append=-1))  # of each node the place of largest norm
        out = np.full((part.n_local, self.means.shape[1]), np.nan)
        out[node[order[last]]] = self.means[order[last]]
        return out[: part.n_owned]

    def within(self, material: int) -> Array:
        """The averages over the cells of a material at all local nodes, shape (n_local, width). Collective.

        Parameters
        ----------
        material
            Number of the material, see `Slots.materials`. Nodes that do not touch it have nan.
        """
        slots, part = self._slots, self._slots.part
        if len(slots.materials) == 1:
            if not self._ghosts_known:
                part.halo.update(self.means)
                self._ghosts_known = True
            return self.means
        out = np.full((part.n_local, self.means.shape[1]), np.nan)
        here = slots.keys % len(slots.materials) == material
        out[slots.keys[here] // len(slots.materials)] = self.means[here]
        part.halo.update(out)
        return out
