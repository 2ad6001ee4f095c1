"""Cells that a program lists inside out: turning whole blocks of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType
from dougong.meshes.geometry import cell_geometry
from dougong.meshes.mesh import CellBlock

#: So many cells are looked at before all are.
_PROBE = 512


@cache
def mirrored(name: str) -> NDArray[np.int64]:
    """Order of the nodes, shape (n_nodes,), that turns a cell inside out: first two reference axes exchanged."""
    reference = np.array(CELL_TYPES[name].reference)
    exchanged = reference[:, [1, 0, *range(2, reference.shape[1])]]
    return np.array([np.flatnonzero((reference == node).all(axis=1))[0] for node in exchanged])


@cache
def mirrored_facets(name: str) -> NDArray[np.int64]:
    """Number after `mirrored` of each facet, shape (n_facets,)."""
    order = mirrored(name)
    sets = [set(nodes) for _, nodes in CELL_TYPES[name].facets]
    return np.array([next(g for g, after in enumerate(sets) if {int(order[n]) for n in after} == f) for f in sets])


def all_inside_out(points: NDArray[np.float64], block: CellBlock) -> bool:
    """Whether every cell of a block has a negative Jacobian everywhere."""
    ct: CellType = block.type
    if ct.dim != points.shape[1] or len(block) == 0:
        return False
    return all(
        bool((cell_geometry(points, ct, block.nodes[part]).max_jacobian < 0).all())
        for part in (slice(0, _PROBE), slice(_PROBE, None))
    )


def turned(block: CellBlock) -> CellBlock:
    """The block with each cell turned inside out."""
    return CellBlock(block.type, block.nodes[:, mirrored(block.type.name)], block.ids)
