"""Linear buckling: factors λ of the loads with (K + λ K_σ) u = 0, and the shapes u.

1. solve K u₀ = f for the loads as they are
2. K_σ, the geometric stiffness of its stress, proportional to the loads
3. -K_σ u = μ K u with μ = 1 / λ: the factors nearest to zero are the μ of largest magnitude, and K is definite

K has the geometric stiffness of a constant prestress in it, if there is one. The count of negative pivots of -K_σ ∓ m K
says how many μ lie beyond ± m, so that none is missed.

Sources: Bathe, "Finite Element Procedures", 1996, section 6.8.2; Zienkiewicz, Taylor, "The Finite Element Method",
volume 2, 2000, section 11.6.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.assemble import BlockMatrix
from dougong.solver.linalg.eigen import Factor, Pairs, Pencil, products, require_slepc
from dougong.solver.linalg.reduction import ReducedSpace
from dougong.solver.linalg.systems import block_matrix
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.links.reduced import ReducedSystem
from dougong.solver.loadings import Loading
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.modes.geometric import geometric_stiffness
from dougong.solver.modes.modal import refuse_unstable, signs, stiffness_matrix
from dougong.solver.reduction import Reduction

Array = NDArray[np.float64]

#: So many factors more than wanted are looked for, to see where the last wanted one ends.
_SPARE = 3
#: Factors nearer to each other than this part of themselves are one.
_ALIKE = 1e-6
#: Attempts to find factors that are missing.
_ROUNDS = 8
#: What is smaller than this part of the largest μ is rounding: no finite factor.
_INFINITE = 1e-10
#: Strains that are this part of displacement over size are rounding: the body moved as a whole.
_NO_STRAIN = 1e-11
#: Where all factors wanted are negative a positive one is looked for, if its μ is this part of the largest.
_FAR = 1e-3


@dataclass(frozen=True)
class BucklingModes:
    """Factors and shapes.

    Attributes
    ----------
    factors
        shape (k,): nearest to zero first; negative ones are of the reversed loads.
    shapes
        shape (n_owned, nc, k): the largest displacement is 1.
    restoring
        shape (n_owned, nc, k): forces under which the shape is in elastic equilibrium.
    errors
        shape (k,): |K u + λ K_σ u| / |K u|.
    missed
        Factors nearer to zero than the last that were not found: 0.
    reference
        shape (n_local, nc): displacement under the loads as they are, ghosts too.
    points
        shape (n_point_unknowns,): unknowns of reference points then.
    loads
        shape (n_local, nc): the loads, less what a prestress adds to the internal forces.
    """

    factors: Array
    shapes: Array
    restoring: Array
    errors: Array
    missed: int
    reference: Array
    points: Array
    loads: Array


def buckling_modes(
    model: Model,
    reduction: Reduction,
    extra: list[ElementMatrices],
    loading: Loading,
    prestress: BlockMatrix | None,
    count: int,
    mpi: Any,
    stage: Callable[[str], None],
) -> BucklingModes:
    """Buckling factors of a model. Collective.

    Parameters
    ----------
    model, reduction, extra, loading
        The step, what its conditions and links leave to be found, what loads and supports add to the stiffness, and
        its loads.
    prestress
        Geometric stiffness of a constant stress; None: there is none.
    count
        How many factors are wanted.
    mpi
        mpi4py communicator for PETSc, or None for one process.
    stage
        Called with "setup" and "solve" when that begins.

    Raises
    ------
    SolveError
        There are none, they were not found, or the body is unstable.
    """
    require_slepc()
    with ExitStack() as cleanup:

        def kept(thing: Any) -> Any:
            cleanup.callback(thing.destroy)
            return thing

        part, space = model.part, kept(ReducedSpace(reduction, mpi))
        if reduction.n_total == 0:
            raise SolveError("MODES_ALL_HELD")
        stiffness = stiffness_matrix(model, extra)
        stiffest = float(part.comm.max(float(np.abs(stiffness.values).max(initial=0.0))))
        K = kept(block_matrix(part, stiffness, mpi))
        del stiffness
        initial = kept(block_matrix(part, prestress, mpi)) if prestress is not None else None
        if initial is not None:
            K.axpy(1.0, initial)
        stage("setup")
        reduced = kept(space.matrix(K))
        if isinstance(reduction, LinkedReduction):
            space.add(reduced, reduction.springs, reduction.links.springs.number)
        u, points = _reference(model, space, K, reduced, initial, extra, loading, mpi)
        loads = loading.loads.copy()
        if initial is not None:
            loads[: part.n_owned] -= products(initial, u[: part.n_owned, :, None])[:, :, 0]
        stress = geometric_stiffness(model, u, loading.thermal)
        if part.comm.max(float(np.abs(stress.values).max(initial=0.0))) <= _NO_STRAIN * _slope(model, u) * stiffest:
            raise SolveError("BUCKLING_NO_STRESS")
        S = kept(block_matrix(part, stress, mpi))
        S.scale(-1.0)
        pencil = Pencil(kept(space.matrix(S)), reduced, mpi)
        stage("solve")
        found, missed = _search(pencil, count)
        factors = 1.0 / found.values
        q = pencil.residuals(found)
        sizes = np.sqrt(part.comm.sum((_reduced_forces(pencil, found) ** 2).sum(axis=0)))
        shapes = np.stack([space.expand(x) for x in found.vectors.T], axis=-1)
        shapes *= signs(model, shapes) / part.comm.max(np.linalg.norm(shapes, axis=1).max(axis=0, initial=0.0))
        restoring = factors * products(S, shapes)
        if initial is not None:
            restoring -= products(initial, shapes)
        return BucklingModes(factors, shapes, restoring, np.abs(factors) * q / sizes, missed, u, points, loads)


def _slope(model: Model, u: Array) -> float:
    """The largest displacement over the size of the body. Collective."""
    part = model.part
    low = part.comm.min(part.points.min(axis=0, initial=np.inf))
    high = part.comm.max(part.points.max(axis=0, initial=-np.inf))
    return float(part.comm.max(float(np.abs(u).max(initial=0.0))) / (high - low).max())


def _reference(
    model: Model,
    space: ReducedSpace,
    K: Any,
    reduced: Any,
    initial: Any,
    extra: list[ElementMatrices],
    loading: Loading,
    mpi: Any,
) -> tuple[Array, Array]:
    """Displacement under the loads, shape (n_local, nc), ghosts too, and unknowns of points. Collective."""
    part, n, reduction = model.part, model.part.n_owned, space.reduction
    b, x = reduced.createVecLeft(), reduced.createVecRight()
    factor = Factor(reduced, mpi)
    system = ReducedSystem(model, reduction, [loading], extra, mpi) if isinstance(reduction, LinkedReduction) else None
    try:
        refuse_unstable(factor.negative)
        if system is not None:
            given = system.right_hand_side(0).ravel()
            if initial is not None:
                given = given - space.restrict(products(initial, reduction.offset[:, :, None])[:, :, 0])
        else:
            given = space.restrict(loading.forces[:n] - products(K, reduction.offset[:, :, None])[:, :, 0])
        b.setArray(given)
        factor.solve(b, x)
        q = np.array(x.getArray())
        if system is not None:
            return system.solution(0, q)
        u = np.zeros((part.n_local, model.components))
        u[:n] = space.expand(q, reduction.offset)
        part.halo.update(u)
        return u, np.empty(0)
    finally:
        for thing in (factor, b, x, *([system] if system is not None else [])):
            thing.destroy()


def _search(pencil: Pencil, count: int) -> tuple[Pairs, int]:
    """The μ of largest magnitude, largest first, and how many of them were not found. Collective."""
    count = min(count, pencil.size)
    found = _by_size(pencil.largest(count + _SPARE))
    for _ in range(_ROUNDS):
        sizes = np.abs(found.values)
        if not len(sizes):
            raise SolveError("BUCKLING_NO_STRESS")
        end = next((k for k in range(count, len(sizes)) if sizes[k] < (1 - _ALIKE) * sizes[k - 1]), len(sizes))
        # Beyond the last finite factor there is nothing to be told from rounding.
        cut = (sizes[end - 1] + sizes[end]) / 2 if end < len(sizes) else sizes[-1] * (1 - _ALIKE)
        there = pencil.size - pencil.below(cut) + pencil.below(-cut)
        missing = there - int((sizes > cut).sum())
        if missing == 0:
            return _with_positive(pencil, Pairs(found.values[:end], found.vectors[:, :end])), 0
        if missing < 0 or len(sizes) >= pencil.size:
            break
        found = _by_size(found.joined(pencil.largest(missing, found.vectors)))
    raise SolveError("MODES_MISSED", found=len(found.values))


def _with_positive(pencil: Pencil, found: Pairs) -> Pairs:
    """The same with the smallest positive factor, if there is one and none is among them."""
    least = _FAR * np.abs(found.values).max()
    if (found.values > 0).any() or pencil.below(least) == pencil.size:
        return found
    more = pencil.largest(1, found.vectors, positive=True)
    best = int(more.values.argmax())
    values = np.append(found.values, more.values[best])
    return Pairs(values, np.column_stack([found.vectors, more.vectors[:, best]]))


def _by_size(pairs: Pairs) -> Pairs:
    """Largest magnitude first, without rounding errors of zero."""
    order = np.argsort(-np.abs(pairs.values), kind="stable")
    order = order[np.abs(pairs.values[order]) > _INFINITE * np.abs(pairs.values).max(initial=0.0)]
    return Pairs(pairs.values[order], pairs.vectors[:, order])


def _reduced_forces(pencil: Pencil, pairs: Pairs) -> Array:
    """B x of each pair, shape (n, k). Collective."""
    x, b = pencil.B.createVecRight(), pencil.B.createVecLeft()
    out = np.empty_like(pairs.vectors)
    for k, column in enumerate(pairs.vectors.T):
        x.setArray(column)
        pencil.B.mult(x, b)
        out[:, k] = b.getArray()
    x.destroy()
    b.destroy()
    return out
