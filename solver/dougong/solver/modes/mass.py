"""The mass of a model: its consistent mass matrix, its weight, centre and inertia, and how it moves as a whole.

    M_ab = ∫ ρ N_a N_b dV · 1

integrated with the rule for loads, which is exact for the product of two shape functions on affine cells. As the shape
functions can represent every linear field, sums of entries of M weighted by coordinates are the moments of the mass of
the mesh itself.

Source: Archer, "Consistent mass matrix for distributed mass systems", J. Struct. Div. ASCE 89, 1963.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skfem import BilinearForm
from skfem.helpers import dot

from dougong.solver import kernels
from dougong.solver.assemble import BlockMatrix, pattern, scatter
from dougong.solver.conditions import ConstraintSet
from dougong.solver.elements import LoadBasis, load_reference
from dougong.solver.links.springs import masses_of_nodes
from dougong.solver.loads import element_matrices
from dougong.solver.model import CHUNK, Model

Array = NDArray[np.float64]


@BilinearForm
def mass(u: Any, v: Any, w: Any) -> Any:
    """Density times v · u."""
    return w.density * dot(u, v)


def mass_matrix(model: Model) -> BlockMatrix:
    """The consistent mass matrix of a model, masses at nodes and on facets too: block rows of the owned nodes.

    No conditions are built in; masses at reference points are not in it (`dougong.solver.links.links.Links.masses`).

    Parameters
    ----------
    model
        The step on this part; every material has a density.
    """
    part, nc = model.part, model.components
    indptr, indices = pattern([b.nodes for b in part.blocks], part.n_owned, part.n_local)
    matrix = BlockMatrix(indptr, indices, np.zeros((len(indices), nc, nc)))
    density = model.per_section(lambda m: m.density.value)
    for k, block in enumerate(part.blocks):
        if not len(block):
            continue
        if kernels.available():
            held_rows = kernels.Pattern(indptr, indices, part.n_local)
            kernels.assemble(_fused(model, k, density), held_rows, matrix.values)
        else:
            _add_block(matrix, model, k, density)
    unused, free = np.zeros((part.n_owned, nc)), ConstraintSet.none(part.n_local, nc)
    for e in masses_of_nodes(model):
        scatter(matrix, unused, part, free, e.nodes, e.values)
    return matrix


def _fused(model: Model, k: int, density: Array) -> kernels.Form:
    """The kernel of a local block. About an axis the circumference is a factor of each point."""
    block, reference, points = model.part.blocks[k], load_reference(model.part.blocks[k].type.name), model.part.points
    cells = kernels.cell_block(
        points, block.nodes, reference.dN, block.nodes, reference.dN, reference.W, shapes=reference.N
    )
    factor = None
    if model.axisymmetric:
        factor = model.extent(model.section_of[k], points[block.nodes, 0] @ reference.N.T)
    else:
        density = density * model.thickness()
    return kernels.mass(cells, density, model.section_of[k], n_components=model.components, point_factor=factor)


def _add_block(matrix: BlockMatrix, model: Model, k: int, density: Array) -> None:
    """The same by the form of scikit-fem."""
    part, nc, block = model.part, model.components, model.part.blocks[k]
    reference, free = load_reference(block.type.name), ConstraintSet.none(part.n_local, nc)
    unused = np.zeros((part.n_owned, nc))
    step = max(16, 16 * CHUNK // (reference.n_points * block.nodes.shape[1]))
    for first in range(0, len(block), step):
        rows = slice(first, min(first + step, len(block)))
        section = model.section_of[k][rows]
        basis = LoadBasis(reference, part.points, block.nodes[rows], nc)
        basis.dx = basis.dx * model.extent(section, basis.default_parameters()["x"][0])
        at_points = np.broadcast_to(density[section][:, None], basis.dx.shape)
        values = element_matrices(mass, basis, density=at_points)
        scatter(matrix, unused, part, free, block.nodes[rows], values)


@dataclass(frozen=True)
class MassProperties:
    """The body as a whole.

    Attributes
    ----------
    mass
        Of the whole thickness, or of the whole ring.
    centre
        shape (3,): of mass - length.
    inertia
        shape (3, 3): about the centre of mass, axes parallel to the global ones - mass times length squared.
    """

    mass: float
    centre: Array
    inertia: Array


def mass_properties(model: Model, matrix: BlockMatrix) -> MassProperties:
    """Mass, centre and tensor of inertia, from sums of a mass matrix. Collective.

    With X the rows 1, x, y, z of the nodes and m the mass matrix of one component, X m Xᵀ has the moments of the mass
    to the second degree. About an axis those across it are what the circle makes of the square of the radius.
    """
    part = model.part
    X = np.zeros((part.n_local, 4))
    X[:, 0] = 1.0
    origin = _middle(model)
    X[:, 1 : 1 + part.dim] = part.points - origin[: part.dim]
    S = np.asarray(part.comm.sum(X[: part.n_owned].T @ _product(matrix, X)))
    total = float(S[0, 0])
    if model.axisymmetric:
        S[1, 1] = S[3, 3] = S[1, 1] / 2
        S[0, 1] = S[1, 0] = S[1, 2] = S[2, 1] = 0.0
    centre = S[0, 1:] / total
    second = S[1:, 1:] - total * np.outer(centre, centre)
    return MassProperties(total, centre + origin, np.eye(3) * np.trace(second) - second)


def _middle(model: Model) -> Array:
    """A point in the body, shape (3,), so that its inertia is no small difference of large numbers; on the axis."""
    part, origin = model.part, np.zeros(3)
    low = part.comm.min(part.points.min(axis=0, initial=np.inf))
    high = part.comm.max(part.points.max(axis=0, initial=-np.inf))
    origin[: part.dim] = (low + high) / 2
    if model.axisymmetric:
        origin[0] = 0.0
    return origin


def _product(matrix: BlockMatrix, X: Array) -> Array:
    """Products of the first component's matrix with columns at the nodes, (n_local, k) -> (n_owned, k)."""
    values = np.ascontiguousarray(matrix.values[:, 0, 0])
    rows = sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=(matrix.n_rows, len(X)))
    return np.asarray(rows @ X)
