"""Natural modes of a model: K u = ω² M u, what holds the model eliminated.

1. K, with the geometric stiffness of a prestress, and M, both without conditions
2. a shift below all eigenvalues, so that free bodies are no special case
3. Krylov-Schur from there upwards, until Sturm's count says that no eigenvalue is missing
4. free motions told apart, participation of each mode in the motion of the whole body

Sources: Bathe, "Finite Element Procedures", 1996, chapter 11; Clough, Penzien, "Dynamics of Structures", 1993, chapter
12 (participation factors and effective masses).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg as dense

from dougong.messages import SolveError
from dougong.solver.assemble import BlockMatrix, assemble
from dougong.solver.conditions import ConstraintSet
from dougong.solver.linalg.choice import Size
from dougong.solver.linalg.eigen import Pencil, diagonal, products, require_slepc
from dougong.solver.linalg.factor import factor_bytes, free_bytes
from dougong.solver.linalg.reduction import ReducedSpace
from dougong.solver.linalg.systems import block_matrix
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.links.point_masses import PointMasses
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.modes.mass import MassProperties, mass_matrix, mass_properties
from dougong.solver.modes.spectrum import Range, search
from dougong.solver.parallel.comm import Comm
from dougong.solver.reduction import Reduction

Array = NDArray[np.float64]

#: The shift below zero, as a part of about the lowest eigenvalue that the body has when it is free.
_SHIFT = 1e-2
#: A mode is a free motion if its energy is this part of what cancels in it: rounding errors.
_FREE = 1e-12


@dataclass(frozen=True)
class NaturalModes:
    """Natural modes of a model.

    Attributes
    ----------
    eigenvalues
        shape (k,): squares of angular frequencies, ascending.
    shapes
        shape (n_owned, nc, k): displacements with uᵀ M u = 1.
    restoring
        shape (n_owned, nc, k): forces under which the shape is in equilibrium, ω² M u less what the prestress adds.
    errors
        shape (k,): |K u - ω² M u| / |ω² M u|; of free motions with the lowest other ω².
    free
        shape (k,), bool: motions that nothing resists.
    directions, totals
        Motions of the whole body, and the mass or moment of inertia of each, shape (d,).
    participation
        shape (k, d).
    properties
        Mass of the body.
    missed
        Eigenvalues in the range that were not found: 0.
    dofs
        Independent unknowns.
    points, restoring_on_points
        shape (n_point_unknowns, k): shapes and forces at reference points.
    """

    eigenvalues: Array
    shapes: Array
    restoring: Array
    errors: Array
    free: NDArray[np.bool_]
    directions: tuple[str, ...]
    totals: Array
    participation: Array
    properties: MassProperties
    missed: int
    dofs: int
    points: Array
    restoring_on_points: Array


def stiffness_matrix(model: Model, extra: list[ElementMatrices]) -> BlockMatrix:
    """The stiffness without conditions, with what loads and supports add to it: block rows of the owned nodes."""
    free = ConstraintSet.none(model.part.n_local, model.components)
    return assemble(model, free, np.zeros((model.part.n_local, model.components)), extra).matrix


def refuse_large(model: Model, size: Size) -> None:
    """Raise `SolveError` FACTOR_TOO_LARGE where the factor does not fit the memory that is free. Collective."""
    needed, free = factor_bytes(size), free_bytes(model.part.comm)
    if needed > free:
        raise SolveError("FACTOR_TOO_LARGE", needed=f"{needed / 1e9:.1f}", free=f"{free / 1e9:.1f}")


def natural_modes(
    model: Model,
    held: Reduction,
    extra: list[ElementMatrices],
    prestress: BlockMatrix | None,
    wanted: Range,
    mpi: Any,
    stage: Callable[[str], None],
) -> NaturalModes:
    """Natural modes of a model. Collective.

    Parameters
    ----------
    model, held, extra
        The step, what it leaves free, and what loads and supports add to the stiffness.
    prestress
        Geometric stiffness; None: the body is without stress.
    wanted
        Which modes.
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

        part, space = model.part, kept(ReducedSpace(held, mpi))
        if space.reduction.n_total == 0:
            raise SolveError("MODES_ALL_HELD")
        masses, links = mass_matrix(model), PointMasses.of(held)
        properties = links.added_to(mass_properties(model, masses))
        M = kept(block_matrix(part, masses, mpi))
        del masses
        K = kept(block_matrix(part, stiffness_matrix(model, extra), mpi))
        scale = _lowest_of_polynomials(model, K, M)
        added = kept(block_matrix(part, prestress, mpi)) if prestress is not None else None
        if added is not None:
            K.axpy(1.0, added)
        stage("setup")
        reduced_K, reduced_M = space.matrix(K), space.matrix(M)
        if isinstance(held, LinkedReduction):
            space.add(reduced_K, held.springs, held.links.springs.number)
            space.add(reduced_M, held.masses, held.links.masses.number)
        pencil = kept(Pencil(reduced_K, reduced_M, mpi))
        shift = -_SHIFT * scale
        if added is not None:
            refuse_unstable(pencil.below(shift))
        stage("solve")
        found, missed = search(pencil, wanted, shift)
        names, body = whole_motions(model, properties.centre)
        pull = products(M, body)
        body_of_points = links.motions(model, properties.centre)
        pull_of_points = links.matrix @ body_of_points
        mass_of_body = (
            np.asarray(part.comm.sum(np.einsum("nid,nie->de", body, pull))) + body_of_points.T @ pull_of_points
        )
        totals: Array = np.diag(mass_of_body)
        shapes = np.stack([space.expand(q) for q in found.vectors.T], axis=-1)
        points = links.points(found.vectors)
        cancelling = part.comm.sum(np.einsum("nik,ni->k", shapes**2, diagonal(K, model.components)))
        free = np.abs(found.values) <= _FREE * cancelling
        refuse_unstable(int((found.values[~free] < 0).sum()))
        mixed = _mixing(shapes[:, :, free], pull / np.sqrt(totals), part.comm)
        shapes[:, :, free], points[:, free] = shapes[:, :, free] @ mixed, points[:, free] @ mixed
        sign = signs(model, shapes)
        shapes, points = shapes * sign, points * sign
        inertia = products(M, shapes)
        restoring = found.values * inertia
        if added is not None:
            restoring -= products(added, shapes)
        lowest = float(found.values[~free].min(initial=np.inf))
        reference = np.where(free, lowest if np.isfinite(lowest) else scale, found.values)
        inertia_of_points = links.matrix @ points
        reduced = np.stack([space.restrict(f) for f in np.moveaxis(inertia, 2, 0)])
        reduced = reduced + np.asarray(links.restricted(inertia_of_points)).T
        sizes = np.sqrt(part.comm.sum((reduced**2).sum(axis=1)))
        share: Array = points.T @ pull_of_points
        share = share + part.comm.sum(np.einsum("nik,nid->kd", shapes, pull))
        return NaturalModes(
            eigenvalues=found.values,
            shapes=shapes,
            restoring=restoring,
            errors=pencil.residuals(found) / (reference * sizes),
            free=free,
            directions=names,
            totals=np.asarray(totals, dtype=np.float64),
            participation=np.asarray(
                part.comm.sum(np.einsum("nik,nid->kd", shapes, pull)) + points.T @ pull_of_points, dtype=np.float64
            ),
            properties=properties,
            missed=missed,
            dofs=space.reduction.n_total,
            points=points,
            restoring_on_points=found.values * inertia_of_points,
        )


def _mixing(shapes: Array, pull: Array, comm: Comm) -> Array:
    """How to mix free motions, (n_owned, nc, k), so that each is one motion of the whole body as nearly as can be.

    Any mixture is right; this one is the same on all ranks. Where not every motion of the whole body is free, or more
    than those, such as of a mechanism, they stay as they are.

    Parameters
    ----------
    pull
        shape (n_owned, nc, d): M times the unit motions, over the root of their mass.
    """
    if shapes.shape[2] != pull.shape[2] or not shapes.shape[2]:
        return np.eye(shapes.shape[2])
    U, _, Vt = np.linalg.svd(comm.sum(np.einsum("nik,nid->kd", shapes, pull)))
    return np.asarray(U @ Vt)


def refuse_unstable(count: int) -> None:
    """Raise where eigenvalues are negative: the stress is beyond what makes the body buckle."""
    if count:
        raise SolveError("PRESTRESS_BUCKLES", count=count)


def whole_motions(model: Model, centre: Array) -> tuple[tuple[str, ...], Array]:
    """Unit motions of the whole body at the owned nodes: names, and values of shape (n_owned, nc, d).

    Rotations are about axes through a point, shape (3,). About an axis of symmetry there is the one along it.
    """
    part = model.part
    points = part.points[: part.n_owned] - centre[: part.dim]
    names, motions = model.physics.free_modes(points, model.axisymmetric)
    short = [("r" if name.startswith("rotation") else "") + name[-1] for name in names]
    return tuple(short), motions


def _lowest_of_polynomials(model: Model, K: Any, M: Any) -> float:
    """About the lowest eigenvalue of the free body that is not zero: Ritz's, of quadratic displacements. Collective.

    They bend, twist and stretch a body of any shape. The result is too large where walls are thin; what counts is that
    it has the right dimension and is not far too small.
    """
    part, nc = model.part, model.components
    x = part.points[: part.n_owned]
    low = part.comm.min(x.min(axis=0, initial=np.inf))
    high = part.comm.max(x.max(axis=0, initial=-np.inf))
    x = (x - (low + high) / 2) / max(float((high - low).max()), np.finfo(float).tiny)
    monomials = [np.ones(len(x)), *x.T, *(x[:, i] * x[:, j] for i in range(part.dim) for j in range(i + 1))]
    fields = np.zeros((len(x), nc, nc * len(monomials)))
    for column, monomial in enumerate(monomials):
        for i in range(nc):
            fields[:, i, column * nc + i] = monomial
    k, m = (np.asarray(part.comm.sum(np.einsum("nid,nie->de", fields, products(A, fields)))) for A in (K, M))
    sizes, basis = np.linalg.eigh(m)
    kept = sizes > 1e-10 * sizes.max()
    basis = basis[:, kept] / np.sqrt(sizes[kept])
    values = dense.eigvalsh(basis.T @ k @ basis)
    rigid = len(model.physics.free_modes(np.zeros((1, part.dim)), model.axisymmetric)[0])
    return float(max(values[min(rigid, len(values) - 1)], 1e-12 * values[-1]))


def signs(model: Model, shapes: Array) -> Array:
    """Signs for shapes, (k,), that depend on neither the ranks nor the numbering. Collective."""
    part = model.part
    x = part.points[: part.n_owned]
    centre = part.comm.sum(x.sum(axis=0)) / part.n_total
    size = np.sqrt(part.comm.sum(float(((x - centre) ** 2).sum())) / part.n_total)
    slope = (x - centre) @ np.sqrt([2.0, 3.0, 5.0][: part.dim]) / (size or 1.0)
    # Directions and slopes that no symmetry of a part cancels.
    weights = np.multiply.outer(1.0 + slope / 3 + slope**2 / 7, np.sqrt([1.0, 0.5, 0.2][: shapes.shape[1]]))
    projected = part.comm.sum(np.einsum("nik,ni->k", shapes, weights))
    return np.where(projected < 0, -1.0, 1.0)
