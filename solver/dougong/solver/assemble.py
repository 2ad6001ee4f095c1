"""The system of a step on one part: block rows of the owned nodes, with the conditions built in.

By a fused kernel where there is one for the physics, else by its scikit-fem form: the same numbers (a test holds them
together). No PETSc here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import kernels
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import (
    NodalBasis,
    corner_values,
    linear_reference,
)
from dougong.solver.laws.strains import stiffness_matrices
from dougong.solver.loads import ElementMatrices, element_matrices
from dougong.solver.model import CHUNK, Model, Rows
from dougong.solver.parallel.partition import Part

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fused:
    """A fused kernel: with one constitutive matrix for each section, and with one for each integration point."""

    by_section: Callable[..., kernels.Form]
    by_point: Callable[..., kernels.Form]


#: Fused kernels by the name a physics gives.
_FUSED = {
    "elasticity": Fused(kernels.elasticity, kernels.elasticity_tangents),
    "diffusion": Fused(kernels.diffusion, kernels.diffusion_tangents),
}


@dataclass(frozen=True)
class BlockMatrix:
    """Block rows of the owned nodes of a part.

    Attributes
    ----------
    indptr
        shape (n_rows + 1,), int64.
    indices
        shape (n_blocks,), int32 - local nodes, ascending in each row.
    values
        shape (n_blocks, nc, nc), float64.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: Array

    @property
    def n_rows(self) -> int:
        """Number of block rows."""
        return len(self.indptr) - 1

    def norm_inf(self) -> float:
        """Largest row sum of absolute values on this rank."""
        largest = 0.0
        for first in range(0, self.n_rows, CHUNK):
            last = min(first + CHUNK, self.n_rows)
            begin, end = self.indptr[first], self.indptr[last]
            entries = np.abs(self.values[begin:end])
            # Written out: a sum along so short an axis takes four times as long.
            sums = entries[..., 0].copy()
            for j in range(1, entries.shape[2]):
                sums += entries[..., j]
            starts = self.indptr[first:last] - begin
            largest = max(largest, float(np.add.reduceat(sums, starts, axis=0).max(initial=0.0)))
        return largest


@dataclass(frozen=True)
class System:
    """A linear system A x = b whose solution satisfies the conditions.

    Attributes
    ----------
    matrix
        Owned block rows.
    rhs
        shape (n_owned, nc).
    """

    matrix: BlockMatrix
    rhs: Array


def assemble(model: Model, constraints: ConstraintSet, loads: Array, extra: list[ElementMatrices]) -> System:
    """The system of a step.

    Parameters
    ----------
    model
        The step on this part.
    constraints
        Its conditions.
    loads
        shape (n_local, nc): nodal loads.
    extra
        Matrices of loads that depend on the solution.
    """
    rhs = constraints.project(loads[: model.part.n_owned])
    matrix = _empty(model, [b.nodes for b in model.part.blocks])
    for k in range(len(model.part.blocks)):
        _add_block(matrix, rhs, model, constraints, k)
    for e in extra:
        scatter(matrix, rhs, model.part, constraints, e.nodes, e.values)
    return System(matrix, rhs)


def assemble_linear(model: Model, constraints: ConstraintSet, extra: list[ElementMatrices]) -> BlockMatrix:
    """The same operator on the linear elements of the corners, on the curved geometry: the coarse level of p-multigrid.

    Rows of nodes that are no corners are empty; columns are local nodes as in `assemble`.
    """
    corners = [b.nodes[:, : b.type.n_corners] for b in model.part.blocks]
    matrix = _empty(model, corners)
    unused = np.zeros((model.part.n_owned, model.components))
    for k in range(len(model.part.blocks)):
        _add_block(matrix, unused, model, constraints, k, linear=True)
    for e in extra:
        W = np.kron(corner_values(e.type), np.eye(model.components))
        nodes = e.nodes[:, : CELL_TYPES[e.type].n_corners]
        scatter(matrix, unused, model.part, constraints, nodes, W.T @ e.values @ W)
    return matrix


def _empty(model: Model, cells: list[NDArray[np.int32]]) -> BlockMatrix:
    indptr, indices = pattern(cells, model.part.n_owned, model.part.n_local)
    nc = model.components
    return BlockMatrix(indptr, indices, np.zeros((len(indices), nc, nc)))


def pattern(cells: list[NDArray[np.int32]], n_rows: int, n_nodes: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Which nodes each of the first `n_rows` nodes shares a cell with, itself too."""
    if kernels.available():
        found = kernels.block_pattern(cells, n_rows, n_nodes)
        return found.indptr, found.indices
    incidence = []
    for c in cells:
        rows = np.repeat(np.arange(len(c)), c.shape[1])
        ones = np.ones(c.size, dtype=bool)
        incidence.append(sparse.csr_matrix((ones, (rows, c.ravel())), shape=(len(c), n_nodes)))
    A = sparse.vstack(incidence).tocsr()
    graph = (A.T.tocsr()[:n_rows] @ A).tocsr()
    graph.sort_indices()
    return graph.indptr.astype(np.int64), graph.indices.astype(np.int32)


def _add_block(
    matrix: BlockMatrix,
    rhs: Array,
    model: Model,
    constraints: ConstraintSet,
    k: int,
    linear: bool = False,
) -> None:
    fused = fused_kernel(model) is not None
    if linear and not (fused and model.plain):
        raise ValueError("the linear level of a quadratic cell needs a fused kernel")
    if fused:
        held_rows = kernels.Pattern(matrix.indptr, matrix.indices, model.part.n_local)
        for form in stiffness_forms(model, k, linear):
            kernels.assemble(form, held_rows, matrix.values, constraints=constraints.for_kernels(), rhs=rhs)
    nodes = model.part.blocks[k].nodes
    for rows in model.alike(k):
        plain = model.scheme(k, rows).formulation == "plain"
        if plain and fused:
            continue
        for some, values in form_matrices(model, k, rows) if plain else stiffness_matrices(model, k, rows):
            scatter(matrix, rhs, model.part, constraints, nodes[some], values)


def fused_kernel(model: Model) -> Fused | None:
    """The kernel registered beside the form of a physics; None where there is none, or kernels are not built.

    About an axis of symmetry there is none. Cells whose strains are not those of their displacements have none either.
    """
    return _FUSED.get(model.physics.KERNEL) if kernels.available() and not model.axisymmetric else None


def stiffness_forms(model: Model, k: int, linear: bool = False) -> Iterator[kernels.Form]:
    """The fused kernels of a local block: of plain cells with one law each, and of those in which it varies.

    Parameters
    ----------
    model
        The step on this part; it has a fused kernel.
    k
        Number of the block.
    linear
        Whether the unknowns are those of the linear cell on the corners.
    """
    block, section = model.part.blocks[k], model.section_of[k]
    fused = fused_kernel(model)
    if fused is None:
        raise ValueError("this physics has no fused kernel here")
    nodes = block.nodes[:, : block.type.n_corners] if linear else block.nodes
    for rows in _with_one_kernel(model, k):
        own = slice(None) if len(rows) == len(block) else rows
        geometry = model.reference(k, rows)
        tables = linear_reference(block.type.name, geometry.rule) if linear else geometry
        cells = kernels.cell_block(model.part.points, block.nodes[own], geometry.dN, nodes[own], tables.dN, geometry.W)
        thickness = model.thickness()
        if model.varying[section[rows[0]]]:
            pieces = (model.law(k, rows[first : first + CHUNK]).form for first in range(0, len(rows), CHUNK))
            yield fused.by_point(cells, pieces, cell_factor=thickness[section[own]])
        else:
            table = model.section_laws.form[:, 0] * thickness[:, None, None]
            yield fused.by_section(cells, table, section[own])


def _with_one_kernel(model: Model, k: int) -> Iterator[NDArray[np.integer]]:
    """The plain cells of a local block, of one scheme each, those whose law varies inside apart; no empty ones."""
    for group in model.alike(k):
        if model.scheme(k, group).formulation != "plain":
            continue
        rows = np.arange(len(model.part.blocks[k]))[group]
        varying = model.varying[model.section_of[k][rows]]
        yield from (some for some in (rows[~varying], rows[varying]) if len(some))


def form_matrices(model: Model, k: int, cells: Rows | None = None) -> Iterator[tuple[Rows, Array]]:
    """Element matrices of plain cells of a block from the physics' scikit-fem form, some at a time; default: of all."""
    block = model.part.blocks[k]
    given = np.arange(len(block))[slice(None) if cells is None else cells]
    reference = model.reference(k, given)
    form = model.physics.RING_STIFFNESS if model.axisymmetric else model.physics.STIFFNESS
    step = max(16, 16 * CHUNK // (reference.n_points * block.nodes.shape[1]))
    for first in range(0, len(given), step):
        rows = given[first : first + step]
        basis = NodalBasis(reference, model.part.points, block.nodes[rows], model.components)
        section = model.section_of[k][rows]
        basis.dx = basis.dx * model.extent(section, basis.default_parameters()["x"][0])
        C = model.law(k, rows).form  # (n, p, r, r)
        at_points = np.broadcast_to(np.moveaxis(C, (0, 1), (-2, -1)), (*C.shape[2:], *basis.dx.shape))
        yield rows, element_matrices(form, basis, coefficient=at_points)


def scatter(
    matrix: BlockMatrix,
    rhs: Array,
    part: Part,
    constraints: ConstraintSet,
    nodes: NDArray[np.int32],
    values: Array,
) -> None:
    """Add element matrices, conditions built in, to the rows of owned nodes.

    With K_ab the block of nodes a and b: K_ab becomes P_a K_ab P_b, P_a K_ab u0_b goes to the right-hand side, and
    s (1 - P_a), s = tr K_aa / nc, keeps the diagonal of a constrained node regular, with s u0_a on the right.
    """
    nc = matrix.values.shape[1]
    n, k = nodes.shape
    K = values.reshape(n, k, nc, k, nc).transpose(0, 1, 3, 2, 4).copy()  # (n, k, k, nc, nc)
    row = constraints.index[nodes]  # (n, k)
    touched = np.flatnonzero((row >= 0).any(axis=1))
    if len(touched):
        identity = np.eye(nc)
        P = np.broadcast_to(identity, (len(touched), k, nc, nc)).copy()
        u0 = np.zeros((len(touched), k, nc))
        held = row[touched] >= 0
        P[held] = constraints.projectors[row[touched][held]]
        u0[held] = constraints.prescribed[row[touched][held]]
        Kt = K[touched]
        s = np.einsum("naaii->na", Kt) / nc * held
        load = s[..., None] * u0 - np.einsum("naij,nabjl,nbl->nai", P, Kt, u0, optimize=True)
        Kt = np.einsum("naij,nabjl,nblm->nabim", P, Kt, P, optimize=True)
        diagonal = np.arange(k)
        Kt[:, diagonal, diagonal] += s[..., None, None] * (identity - P)
        K[touched] = Kt
        here = nodes[touched] < part.n_owned
        np.add.at(rhs, nodes[touched][here], load[here])
    owned = nodes < part.n_owned
    element, a = np.nonzero(owned)
    rows = nodes[element, a].astype(np.int64)  # (m,)
    wanted = rows[:, None] * part.n_local + nodes[element]  # (m, k)
    counts = np.diff(matrix.indptr)
    keys = np.repeat(np.arange(matrix.n_rows, dtype=np.int64), counts) * part.n_local + matrix.indices
    position = np.searchsorted(keys, wanted)
    np.add.at(matrix.values, position.ravel(), K[element, a].reshape(-1, nc, nc))
