"""What the dependence of a law on the unknown adds to the tangent:  ∫ ∇v · (∂k/∂T ∇T) δT,  which is not symmetric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.recover import cell_values, shape_gradients

Array = NDArray[np.float64]

#: Tables are linear between their points: a difference this far, as a part of the largest temperature, gives the slope.
_APART = 1e-6


def law_tangents(model: Model, T: Array) -> Iterator[ElementMatrices]:
    """It, of the cells whose law depends on the temperature.

    Parameters
    ----------
    model
        The step at the temperatures T; a scalar unknown.
    T
        shape (n_local, 1): temperatures, ghosts too.
    """
    apart = _APART * max(float(np.abs(T).max(initial=0.0)), float(np.finfo(float).tiny))
    warmer, colder = (replace(model, temperature=T[:, 0] + d) for d in (apart, -apart))
    found: dict[int, list[tuple[NDArray[np.int32], Array, NDArray[np.bool_]]]] = {}
    for cells in cell_values(model, T):
        block = model.part.blocks[cells.block]
        if not model.varying[model.section_of[cells.block][cells.rows]].any():
            continue
        nodes = block.nodes[cells.rows]
        slope = (warmer.law(cells.block, cells.rows).form - colder.law(cells.block, cells.rows).form) / (2 * apart)
        slope = np.broadcast_to(slope, (len(nodes), cells.reference.n_points, *slope.shape[2:]))
        flux = np.einsum("nqij,nqj->nqi", slope, cells.gradients[:, :, 0], optimize=True)
        gradients, _ = shape_gradients(cells.reference, model.part.points[nodes])
        values = np.einsum("nq,nqai,nqi,qb->nab", cells.measure, gradients, flux, cells.reference.N, optimize=True)
        found.setdefault(cells.block, []).append((nodes, values, block.mine[cells.rows]))
    for k, pieces in found.items():
        nodes, values, mine = (np.concatenate(x) for x in zip(*pieces, strict=True))
        yield ElementMatrices(model.part.blocks[k].type.name, nodes, values, mine)
