r"""Strains of a cell that are not those of its displacements: B-bar, incompatible modes, mixed pressure.

Each of them is a matrix B̄ that gives the strains at the integration points from the displacements of the nodes, in
place of B. Stiffness, nodal forces and stress follow from it as they do from B:

    ε = B̄ u,  σ = C (ε - ε_t),  f = ∫ B̄ᵀ σ,  K = ∫ B̄ᵀ C B̄

**Mixed**: displacements u and, cell by cell, a pressure p. With the bulk modulus κ the equation of the pressure, ∫ q
(div u + p / κ) = 0 for all q in the pressures of the cell, says p = -κ Π div u with the projection Π onto these
pressures. Eliminated in the cell, what is left is B with Π div u in place of div u (Malkus and Hughes, "Mixed finite
element methods - reduced and selective integration techniques: a unification of concepts", CMAME 15, 1978). Linear
pressures are so in x, y, z, not in the coordinates of the reference cell: that keeps their accuracy in distorted
cells (Boffi and Gastaldi, "On the quadrilateral Q2-P1 element for the Stokes problem", IJNMF 39, 2002).

Stable in the limit of the incompressible, with inf-sup constants that do not fall with the size of the cells (Boffi,
Brezzi, Fortin, "Mixed Finite Element Methods and Applications", 2013, chapter 8; constants measured by the test of
Chapelle and Bathe, Comput. Struct. 47, 1993, on meshes held all around): quad9 (0.49) and hex27 (0.39) with linear
pressures, tri6 (0.51), wedge18 (0.43) and pyramid14 (0.44) with constant ones. Not so quad8 and hex20 with linear
pressures and tet10, wedge15, pyramid13 with constant ones: on regular meshes held all around there are patterns of
pressure that no displacement feels. At a bulk modulus that is finite they do not appear in displacements, and little
in pressures (tests/verification/test_locking.py). Constant pressures in quad8 and hex20 leave one pattern or none,
but are much too soft: 27 % in Cook's panel of 8 x 8 cells, where linear ones are 2 % too stiff.

**B-bar**: the same with the mean of div u, on linear cells (Hughes, "Generalization of selective integration
procedures to anisotropic and nonlinear media", IJNME 15, 1980). Pressures can alternate from cell to cell; means at
nodes do not.

In plane strain div u is ε_xx + ε_yy, its correction is halved between them, and ε_zz stays zero; about an axis, and
in space, each of the three normal strains takes a third.

**Incompatible modes**: the displacements ξ_m (1 - ξ_m), m along each axis of the reference cell, are added in each
cell (Wilson, Taylor, Doherty, Ghaboussi, "Incompatible displacement models", 1973), their gradients taken with the
Jacobian of the centre and scaled by j_0 / j, so that they do no work on a constant stress (Taylor, Beresford, Wilson,
"A non-conforming element for stress analysis", IJNME 10, 1976; the enhanced strains of Simo and Rifai, IJNME 29,
1990). With their strains G α, ∫ Gᵀ C (B u + G α) = 0 in each cell: B̄ = B - G H⁻¹ L, H = ∫ Gᵀ C G, L = ∫ Gᵀ C B. C is
here the mean over the cell. About an axis the mean of G over the ring is taken off for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CellType
from dougong.solver.elements import Reference, tabulate
from dougong.solver.laws.rotation import PAIRS, VOIGT
from dougong.solver.laws.schemes import LINEAR_PRESSURE
from dougong.solver.model import Model, Rows

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StrainMatrices:
    """The strains of some cells from their displacements.

    Attributes
    ----------
    names
        Components of the strain vector.
    own
        shape (n, nq, r, k, nc): B, those of the displacements of the k nodes.
    matrices
        The same shape: B̄, those that count.
    measure
        shape (n, nq): volume of each point.
    """

    names: tuple[str, ...]
    own: Array
    matrices: Array
    measure: Array

    def imposed(self, gradients: Array, hoop: Array | None, u: Array) -> tuple[Array, Array | None]:
        """Displacement gradients with these strains.

        Parameters
        ----------
        gradients
            shape (n, nq, dim, dim): of the displacements.
        hoop
            shape (n, nq): strain around the axis; None where there is none.
        u
            shape (n, k, nc): displacements of the nodes.
        """
        change = np.einsum("nqiac,nac->nqi", self.matrices - self.own, u, optimize=True)
        gradients = gradients.copy()
        dim = gradients.shape[-1]
        for k, name in enumerate(self.names):
            i, j = PAIRS[VOIGT.index(name)]
            if i >= dim:
                hoop = hoop if hoop is None else hoop + change[..., k]
            elif i == j:
                gradients[..., i, i] += change[..., k]
            else:
                gradients[..., i, j] += change[..., k] / 2
                gradients[..., j, i] += change[..., k] / 2
        return gradients, hoop


def vector_of(stress: Array, names: tuple[str, ...]) -> Array:
    """Components of symmetric tensors, (n, nq, 3, 3) to (n, nq, r)."""
    return np.stack([stress[(..., *PAIRS[VOIGT.index(name)])] for name in names], axis=-1)


def stiffness_matrices(model: Model, k: int, rows: Rows) -> Iterator[tuple[Rows, Array]]:
    """Element matrices of cells of a local block, all of one scheme that is not plain, some at a time.

    Parameters
    ----------
    model
        The step on this part.
    k, rows
        The block, and cells in it.
    """
    for some in model.pieces(k, rows):
        strains = strain_matrices(model, k, some)
        n, nq, r = strains.matrices.shape[:3]
        B = strains.matrices.reshape(n, nq, r, -1)
        C = model.law(k, some).form  # (n, p, r, r)
        CB = np.matmul(strains.measure[..., None, None] * C, B)
        yield some, np.matmul(B.reshape(n, nq * r, -1).swapaxes(1, 2), CB.reshape(n, nq * r, -1))


def strain_matrices(model: Model, k: int, rows: Rows) -> StrainMatrices:
    """The strains of cells of a local block, all of one scheme that is not plain.

    Parameters
    ----------
    model
        The step on this part.
    k, rows
        The block, and cells in it: no more than `Model.pieces` gives at a time.
    """
    reference, formulation = model.reference(k, rows), model.scheme(k, rows).formulation
    block = model.part.blocks[k]
    x = model.part.points[block.nodes[rows]]  # (n, k, dim)
    J = np.einsum("qaj,nai->nqij", reference.dN, x, optimize=True)
    gradients = np.einsum("qaj,nqji->nqai", reference.dN, np.linalg.inv(J), optimize=True)
    at = np.einsum("qa,nai->nqi", reference.N, x, optimize=True)
    jacobian = np.linalg.det(J)
    measure = jacobian * reference.W
    if x.shape[2] == 2:
        measure = measure * model.extent(model.section_of[k][rows], at[..., 0])
    over_radius = reference.N / at[..., :1] if model.axisymmetric else None
    names, B = _strains_of(gradients, over_radius)
    if formulation == "incompatible_modes":
        G = _incompatible(reference, x, jacobian, model.axisymmetric, measure)
        C = model.law(k, rows).form.mean(axis=1)
        return StrainMatrices(names, B, B + _condensed(B, G, C, measure), measure)
    linear = formulation == "mixed" and reference.type.name in LINEAR_PRESSURE
    return StrainMatrices(names, B, B + _volumetric(names, B, at if linear else None, measure), measure)


def _strains_of(gradients: Array, over_radius: Array | None) -> tuple[tuple[str, ...], Array]:
    """Strain matrices of functions with gradients (n, nq, k, dim): component names, and shape (n, nq, r, k, dim)."""
    n, nq, k, dim = gradients.shape
    pairs = [p for p in PAIRS if max(p) < dim or (p == (2, 2) and over_radius is not None)]
    B = np.zeros((n, nq, len(pairs), k, dim))
    for row, (i, j) in enumerate(pairs):
        if i >= dim:
            B[:, :, row, :, 0] = over_radius
        elif i == j:
            B[:, :, row, :, i] = gradients[..., i]
        else:
            B[:, :, row, :, i], B[:, :, row, :, j] = gradients[..., j], gradients[..., i]
    return tuple(VOIGT[PAIRS.index(p)] for p in pairs), B


def _volumetric(names: tuple[str, ...], B: Array, at: Array | None, measure: Array) -> Array:
    """What the projection of div u onto constants, or onto linear functions of points at (n, nq, dim), changes."""
    normal = [k for k, name in enumerate(names) if name[0] == name[1]]
    divergence = B[:, :, normal].sum(axis=2)  # (n, nq, k, nc)
    functions = np.ones((*measure.shape, 1))
    if at is not None:
        centre = (measure[..., None] * at).sum(axis=1) / measure.sum(axis=1)[:, None]
        size = np.ptp(at, axis=1).max(axis=1)[:, None, None]
        functions = np.concatenate([functions, (at - centre[:, None]) / size], axis=2)
    weighted = measure[..., None] * functions
    mass = np.einsum("nqi,nqj->nij", weighted, functions, optimize=True)
    moments = np.einsum("nqi,nqac->niac", weighted, divergence, optimize=True)
    coefficients = np.linalg.solve(mass, moments.reshape(*moments.shape[:2], -1)).reshape(moments.shape)
    change = np.einsum("nqi,niac->nqac", functions, coefficients, optimize=True) - divergence
    out = np.zeros_like(B)
    out[:, :, normal] = change[:, :, None] / len(normal)
    return out


def _incompatible(reference: Reference, x: Array, jacobian: Array, ring: bool, measure: Array) -> Array:
    """Strain matrices G of the incompatible modes, shape (n, nq, r, modes, dim)."""
    J0 = np.einsum("aj,nai->nij", _centre(reference.type), x)
    inverse, j0 = np.linalg.inv(J0), np.linalg.det(J0)
    # Mode m has the derivative 1 - 2 ξ_m along ξ_m alone.
    gradients = np.einsum("mq,nmi->nqmi", 1 - 2 * reference.X, inverse)
    gradients *= (j0[:, None] / jacobian)[..., None, None]
    _, G = _strains_of(gradients, np.zeros(gradients.shape[:3]) if ring else None)
    mean = np.einsum("nq,nqrmc->nrmc", measure, G) / measure.sum(axis=1)[:, None, None, None]
    return np.asarray(G - mean[:, None], dtype=np.float64)


@cache
def _centre(cell: CellType) -> Array:
    """Gradients of the shape functions at the centre of the reference cell, shape (k, dim)."""
    return tabulate(cell.name, np.full((cell.dim, 1), 0.5))[1][0]


def _condensed(B: Array, G: Array, C: Array, measure: Array) -> Array:
    """-G H⁻¹ L, shape of B."""
    n, nq, r = B.shape[:3]
    G, flat = G.reshape(n, nq, r, -1), B.reshape(n, nq, r, -1)
    CG = np.matmul(measure[..., None, None] * C[:, None], G).reshape(n, nq * r, -1).swapaxes(1, 2)
    H, L = CG @ G.reshape(n, nq * r, -1), CG @ flat.reshape(n, nq * r, -1)
    return -np.matmul(G, np.linalg.solve(H, L)[:, None]).reshape(B.shape)
