"""Heat stored in a body: nodal heat contents H(T), and how they change with the temperatures.

Consistent: H_a = ∫ N_a e(T), and the matrix ∫ ρ c N_a N_b, e(T) = ∫ ρ c dT being the heat of a unit of volume. Lumped:
the volume of each cell is given to its nodes, and H_a is their volume times e(T_a), which has a diagonal matrix. Either
way what H gains is what has entered, also where ρ c depends on the temperature: H is stepped, not ρ c dT/dt.

With a consistent matrix, steps shorter than about ρ c h²/(6 k), h the size of the cells, make temperatures overshoot
next to a sudden change; lumped, those of linear cells stay between what surrounds them, where no angle is obtuse.

Sources: Zienkiewicz, Taylor, "The Finite Element Method", vol. 1, 2000, chapter 17; Rank, Katz, Werner, "On the
importance of the discrete maximum principle in transient analysis using finite element methods", IJNME 19, 1983;
Hinton, Rock, Zienkiewicz, "A note on mass lumping and related processes in the finite element method", Earthquake Eng.
Struct. Dyn. 4, 1976 (volumes of the nodes of quadratic cells).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dougong.solver import kernels
from dougong.solver.assemble import BlockMatrix, pattern, scatter
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import LoadBasis, Reference, load_reference
from dougong.solver.model import Model, Rows
from dougong.solver.values.curves import StoredHeat, curve
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


def is_lumped(asked: pb.TransientHeat.Capacity, linear: bool) -> bool:
    """Whether capacities are lumped; where nobody says, those of meshes of linear cells are."""
    return linear if not asked else asked == pb.TransientHeat.CAPACITY_LUMPED


class Capacity:
    """Nodal heat contents and their matrix.

    Parameters
    ----------
    model
        The step on this part; materials have density and specific heat.
    lumped
        Whether each node stores its own heat.

    Attributes
    ----------
    constant
        Whether the matrix does not depend on the temperatures.
    """

    def __init__(self, model: Model, lumped: bool) -> None:
        self._model, self._lumped = model, lumped
        materials = {s.material_name: s.material for s in model.sections}
        self._heat = [StoredHeat(curve(m.density), curve(m.specific_heat)) for m in materials.values()]
        names = list(materials)
        self._material_of = np.array([names.index(s.material_name) for s in model.sections], dtype=np.int64)
        self.constant = all(heat.constant for heat in self._heat)
        part = model.part
        self._pattern = pattern([b.nodes for b in part.blocks], part.n_owned, part.n_local)
        self._volumes = self._volumes_of_nodes() if lumped else np.empty((0, 0))

    def content(self, T: Array) -> Array:
        """H, shape (n_owned,) - energy, of temperatures of shape (n_local,)."""
        n = self._model.part.n_owned
        if self._lumped:
            return np.asarray(sum(v * heat(T[:n]) for v, heat in zip(self._volumes, self._heat, strict=True)))
        found = np.zeros(len(T))
        for _, _, nodes, reference, volume, material in self._cells():
            e = np.empty_like(volume)
            at = T[nodes] @ reference.N.T
            for k, heat in enumerate(self._heat):
                e[material == k] = heat(at[material == k])
            found += np.bincount(nodes.ravel(), ((volume * e) @ reference.N).ravel(), minlength=len(T))
        return found[:n]

    def matrix(self, T: Array) -> BlockMatrix:
        """∂H/∂T, owned rows, at temperatures of shape (n_local,)."""
        n = self._model.part.n_owned
        indptr, indices = self._pattern
        made = BlockMatrix(indptr, indices, np.zeros((len(indices), 1, 1)))
        if self._lumped:
            diagonal = sum(v * heat.rate(T[:n]) for v, heat in zip(self._volumes, self._heat, strict=True))
            made.values[diagonal_places(made), 0, 0] = diagonal
            return made
        blocks = self._model.part.blocks
        weights = [np.empty((len(b), load_reference(b.type.name).n_points)) for b in blocks]
        # Pieces have the cells of one integration together, not in the order of the block.
        for k, rows, nodes, reference, volume, material in self._cells():
            weights[k][rows] = self._rates(T, nodes, reference, volume, material)
        for k, of_block in enumerate(weights):
            if len(of_block):
                _add_mass(made, self._model, k, of_block)
        return made

    def _rates(
        self, T: Array, nodes: NDArray[np.int32], reference: Reference, volume: Array, material: NDArray[np.int64]
    ) -> Array:
        """Volume times ρ c at the points of some cells."""
        at, rate = T[nodes] @ reference.N.T, np.empty_like(volume)
        for k, heat in enumerate(self._heat):
            rate[material == k] = heat.rate(at[material == k])
        return volume * rate

    def _volumes_of_nodes(self) -> Array:
        """The volume that each owned node has of each material, shape (n_materials, n_owned)."""
        n_local, n = self._model.part.n_local, self._model.part.n_owned
        found = np.zeros((len(self._heat), n_local))
        for _, _, nodes, reference, volume, material in self._cells():
            if reference.type.order == 1:
                share = volume @ reference.N
            else:  # in the ratio of the diagonal entries of the consistent matrix, which are positive
                share = volume @ reference.N**2
                share *= (volume.sum(axis=1) / share.sum(axis=1))[:, None]
            for k in range(len(found)):
                rows = material == k
                found[k] += np.bincount(nodes[rows].ravel(), share[rows].ravel(), minlength=n_local)
        return found[:, :n]

    def _cells(self) -> Iterator[tuple[int, Rows, NDArray[np.int32], Reference, Array, NDArray[np.int64]]]:
        """All cells in pieces: block, rows, nodes, tables, volume of each point (n, nq), number of the material."""
        for block, k, rows in self._model.chunks():
            reference = load_reference(block.type.name)
            section = self._model.section_of[k][rows]
            basis = LoadBasis(reference, self._model.part.points, block.nodes[rows], 1)
            volume = basis.dx * self._model.extent(section, basis.default_parameters()["x"][0])
            yield k, rows, block.nodes[rows], reference, volume, self._material_of[section]


def _add_mass(matrix: BlockMatrix, model: Model, k: int, weights: Array) -> None:
    """Add Σ_q w_q N_a N_b of the cells of a block, weights (n_cells, nq)."""
    part, block = model.part, model.part.blocks[k]
    reference = load_reference(block.type.name)
    if kernels.available():
        factor = weights / LoadBasis(reference, part.points, block.nodes, 1).dx
        cells = kernels.cell_block(
            part.points, block.nodes, reference.dN, block.nodes, reference.dN, reference.W, shapes=reference.N
        )
        form = kernels.mass(cells, np.ones(1), n_components=1, point_factor=factor)
        kernels.assemble(form, kernels.Pattern(matrix.indptr, matrix.indices, part.n_local), matrix.values)
        return
    values = np.einsum("nq,qa,qb->nab", weights, reference.N, reference.N, optimize=True)
    scatter(matrix, np.zeros((part.n_owned, 1)), part, ConstraintSet.none(part.n_local, 1), block.nodes, values)


def diagonal_places(matrix: BlockMatrix) -> NDArray[np.int64]:
    """Where the diagonal block of each row is among the blocks, shape (n_rows,)."""
    return np.flatnonzero(matrix.indices == rows_of_blocks(matrix))


def rows_of_blocks(matrix: BlockMatrix) -> NDArray[np.int64]:
    """The row of each block, shape (n_blocks,)."""
    return np.repeat(np.arange(matrix.n_rows), np.diff(matrix.indptr))
