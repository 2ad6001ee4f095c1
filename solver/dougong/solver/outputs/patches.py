"""Superconvergent patch recovery: a flux of higher order than that of the cells, at the nodes of quadratic cells.

Around each corner of the mesh, and within each material, a quadratic polynomial is fitted to the flux at those points
of the cells where it is most accurate. A node between corners takes the mean of their polynomials. (Zienkiewicz and
Zhu, "The superconvergent patch recovery and a posteriori error estimates", part 1, IJNME 33, 1992.)

A patch of too few cells, as at a corner of the body, has no polynomial of its own: its nodes take those of the
neighbouring patches. Terms that the points cannot tell apart, such as the square across a plate of one layer of cells,
are held near zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.elements import corner_values, sampling, tabulate
from dougong.solver.model import Model
from dougong.solver.outputs.smoothing import Slots, Smoothed
from dougong.solver.recover import CellValues, cell_values
from dougong.solver.thermal.strain import Terms

Array = NDArray[np.float64]

#: A patch needs this many times as many points as the polynomial has terms.
_POINTS_PER_TERM = 1.6
#: How strongly linear and quadratic terms are held near zero, in parts of the number of points.
_HELD = (1e-10, 1e-6)
#: Patches, or corners of cells, whose equations are formed at a time: each takes some kilobytes.
_AT_A_TIME = 512
#: Weight of a patch at the nodes of its cells that are not its own.
_EXTENDED = 1e-6


def by_patches(model: Model, u: Array, thermal: Terms, averaged: Smoothed) -> Smoothed:
    """Recover the flux at the nodes. Collective.

    Parameters
    ----------
    model
        The step on this part.
    u
        shape (n_local, nc): the solution, ghosts too.
    thermal
        Temperatures that strain the body.
    averaged
        The averages at the nodes, taken where there is no patch.
    """
    slots = Slots(model)
    corners = _corners(model, slots)
    scale = _scales(model)
    patches = _fitted(model, cell_values(model, u, thermal), slots, corners, scale, averaged.means.shape[1])
    return _evaluated(model, slots, corners, scale, patches, averaged)


def _corners(model: Model, slots: Slots) -> NDArray[np.int32]:
    """Number of the patch of each place, shape (slots.n,); -1 where the node is no corner."""
    is_corner = np.zeros(slots.n, dtype=bool)
    for block, k, rows in model.chunks():
        is_corner[slots.of(k, rows)[:, : block.type.n_corners]] = True
    return np.where(is_corner, np.cumsum(is_corner) - 1, -1).astype(np.int32)


def _terms(y: Array) -> Array:
    """Monomials up to degree 2, shape (..., dim) -> (..., n_terms): 1, then linear, then quadratic ones."""
    dim = y.shape[-1]
    squares = [y[..., i] * y[..., j] for i in range(dim) for j in range(i, dim)]
    return np.stack([np.ones(y.shape[:-1]), *np.moveaxis(y, -1, 0), *squares], axis=-1)


def _scales(model: Model) -> Array:
    """Half the size of the patch of each local node along each axis, shape (n_local, dim). Collective."""
    part = model.part
    scale = np.zeros_like(part.points)
    for block, _, rows in model.chunks():
        corners = block.nodes[rows][:, : block.type.n_corners]
        size = np.ptp(part.points[corners], axis=1)
        for j in range(corners.shape[1]):
            np.maximum.at(scale, corners[:, j], size)
    part.halo.update(scale)
    # A patch that is flat along an axis is scaled as along the others.
    return np.maximum(scale, 1e-6 * scale.max(axis=1, keepdims=True))


def _local(model: Model, scale: Array, corner: NDArray[np.integer], x: Array) -> Array:
    """Coordinates of points x, (n, k, dim), in the patches of corners, (n,)."""
    return np.asarray((x - model.part.points[corner][:, None]) / scale[corner][:, None])


def _fitted(
    model: Model,
    values_of_cells: Iterable[CellValues],
    slots: Slots,
    corners: NDArray[np.int32],
    scale: Array,
    width: int,
) -> Array:
    """Coefficients of the patches, shape (n_patches, n_terms, width); nan where there is none. Collective."""
    part, at_points = model.part, model.physics.FIELDS[model.physics.FLUX].at_points
    assert at_points is not None
    dim, n = part.dim, int(corners.max(initial=-1)) + 1
    n_terms = 1 + dim + dim * (dim + 1) // 2
    # The normal equations of each patch, A beside b, and the number of points.
    sums = np.zeros((n, n_terms * (n_terms + width) + 1))
    for cells in values_of_cells:
        block = part.blocks[cells.block]
        nodes = block.nodes[cells.rows]
        X, to_points = sampling(block.type.name, cells.reference.rule)
        values = np.einsum("sq,nqw->nsw", to_points, at_points(cells.gradients, cells.flux), optimize=True)
        x = np.einsum("sa,nai->nsi", tabulate(block.type.name, X)[0], part.points[nodes], optimize=True)
        # Patches of ghosts are fitted by their owners.
        owned, places = np.nonzero(nodes[:, : block.type.n_corners] < part.n_owned), slots.of(cells.block, cells.rows)
        for first in range(0, len(owned[0]), _AT_A_TIME):
            cell, j = (index[first : first + _AT_A_TIME] for index in owned)
            P = _terms(_local(model, scale, nodes[cell, j], x[cell]))
            products = P.transpose(0, 2, 1) @ np.concatenate([P, values[cell]], axis=2)
            points = np.full((len(cell), 1), X.shape[1])
            rows = np.concatenate([products.reshape(len(cell), sums.shape[1] - 1), points], axis=1)
            _add(sums, corners[places[cell, j]], rows)
    count = sums[:, -1]
    good = np.flatnonzero(count >= _POINTS_PER_TERM * n_terms)
    held = np.repeat((0.0, *_HELD), (1, dim, n_terms - 1 - dim))
    found = np.full((n, n_terms, width), np.nan)
    for first in range(0, len(good), _AT_A_TIME):
        some = good[first : first + _AT_A_TIME]
        system = sums[some, :-1].reshape(len(some), n_terms, n_terms + width)
        A = system[..., :n_terms].copy()
        A[:, range(n_terms), range(n_terms)] += held * count[some, None]
        found[some] = np.linalg.solve(A, system[..., n_terms:])
    return _with_ghosts(slots, corners, found)


def _with_ghosts(slots: Slots, corners: NDArray[np.int32], found: Array) -> Array:
    """Patches of ghosts from their owners; term by term, so that little is held twice. Collective."""
    part, n_materials = slots.part, len(slots.materials)
    node, material = slots.keys // n_materials, slots.keys % n_materials
    if part.comm.size == 1:
        return found
    for m in range(n_materials):
        here = np.flatnonzero((material == m) & (corners >= 0))
        ghost = here[node[here] >= part.n_owned]
        for t in range(found.shape[1]):
            whole = np.full((part.n_local, found.shape[2]), np.nan)
            whole[node[here]] = found[corners[here], t]
            part.halo.update(whole)
            found[corners[ghost], t] = whole[node[ghost]]
    return found


def _evaluated(
    model: Model, slots: Slots, corners: NDArray[np.int32], scale: Array, patches: Array, averaged: Smoothed
) -> Smoothed:
    part = model.part
    there = np.isfinite(patches).all(axis=(1, 2))
    coefficients = np.where(there[:, None, None], patches, 0.0)
    width = patches.shape[2]
    sums = np.zeros((slots.n, width + 1))  # weights last
    for nodes, places, near in _cells(model, slots):
        total = np.zeros((*nodes.shape, width + 1))
        lacking = ~there[corners[places[:, : near.shape[1]]]].all(axis=1)
        for j in range(near.shape[1]):
            # A patch gives its own nodes; where one is missing, others of the cell give all of the cell's.
            for cells, k in ((~lacking, np.flatnonzero(near[:, j])), (lacking, np.arange(len(near)))):
                some = np.flatnonzero(cells)
                patch = corners[places[some, j]]
                share = there[patch][:, None] * (near[k, j] + _EXTENDED)
                at = np.ix_(some, k)
                values = _terms(_local(model, scale, nodes[some, j], part.points[nodes[at]])) @ coefficients[patch]
                total[at] += np.concatenate([share[..., None] * values, share[..., None]], axis=2)
        _add(sums, places.ravel(), total.reshape(-1, width + 1))
    weights = sums[:, width].copy()
    sums = sums[:, :width].copy()
    alone = weights == 0.0
    sums[alone], weights[alone] = averaged.means[alone], 1.0
    return Smoothed(slots, sums, weights)


def _cells(model: Model, slots: Slots) -> Iterator[tuple[NDArray[np.int32], NDArray[np.integer], Array]]:
    """Nodes and places of cells, and the linear functions of their corners at their nodes, (n_nodes, n_corners)."""
    for block, k, rows in model.chunks():
        yield block.nodes[rows], slots.of(k, rows), corner_values(block.type.name)


def _add(total: Array, places: NDArray[np.integer], values: Array) -> None:
    """total[places] += values, repeated places summed; values (n, width)."""
    distinct, index = np.unique(places, return_inverse=True)
    ones = np.ones(len(places))
    gather = sparse.csr_matrix((ones, (index, np.arange(len(places)))), shape=(len(distinct), len(places)))
    total[distinct] += gather @ values
