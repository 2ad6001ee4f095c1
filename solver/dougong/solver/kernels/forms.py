"""Forms the kernels know: elasticity, diffusion, mass; with their coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dougong.solver.kernels.arrays import Float, Int32, address, integers, reals
from dougong.solver.kernels.cells import CellBlock
from dougong.solver.kernels.loader import FormStruct

_ISOTROPIC, _ELASTIC, _DIFFUSION, _MASS = range(4)

#: Voigt places of (i, k): xx yy zz xy yz zx, and xx yy xy in the plane.
_VOIGT_SIZE = {2: 3, 3: 6}

#: A matrix is taken as isotropic, or as symmetric, up to this part of its largest entry.
_TOLERANCE = 1e-14


@dataclass(frozen=True, eq=False)
class Form:
    """A form with its coefficients for one block of cells; made by the functions of this module."""

    block: CellBlock
    n_components: int
    n_coefficients: int  # of a cell, or of a point
    struct: FormStruct
    _kept: tuple[Any, ...]


def elasticity(
    block: CellBlock,
    matrices: Any,
    index: Any = None,
    *,
    cell_factor: Any = None,
    point_factor: Any = None,
) -> Form:
    """Small-strain elasticity: integral of strain(v) : C : strain(u).

    Parameters
    ----------
    block : CellBlock
    matrices : (n_materials, 6, 6) float64, in the plane (n_materials, 3, 3) - pressure
        Symmetric elasticity matrices in Voigt order xx yy zz xy yz zx (xx yy xy) with engineering shear strains.
        Isotropic ones are recognised and cost less.
    index : (m,) int32, optional
        Material of each cell; the first one for all where left out.
    cell_factor : (m,) float64, optional
        Factor per cell, for example the thickness in the plane.
    point_factor : (m, nq) float64, optional
        Factor per integration point, for example for a modulus that depends on temperature.

    Raises
    ------
    ValueError, TypeError
        An array does not fit, or a matrix is not symmetric.
    """
    size = _VOIGT_SIZE[block.dim]
    table = _symmetric("matrices", reals("matrices", matrices, (None, size, size)))
    lame = _lame(table, block.dim)
    kind, table = (_ELASTIC, table) if lame is None else (_ISOTROPIC, lame)
    return _form(block, kind, block.dim, table, index, cell_factor, point_factor)


def elasticity_tangents(block: CellBlock, tangents: Any, *, cell_factor: Any = None) -> Form:
    """Elasticity with a symmetric matrix of its own at every integration point.

    Parameters
    ----------
    block : CellBlock
    tangents : (m, nq, 6, 6) float64, in the plane (m, nq, 3, 3) - pressure
        Order and shear as for :func:`elasticity`. Isotropic ones are recognised and cost less. Symmetry is the caller's
        duty: the upper triangle of the element matrix counts.
    cell_factor : (m,) float64, optional
    """
    size = _VOIGT_SIZE[block.dim]
    array = reals("tangents", tangents, (block.n_cells, block.n_points, size, size))
    lame = _lame(array.reshape(-1, size, size), block.dim) if array.size else None
    if lame is not None:
        by_point = lame.reshape(block.n_cells, block.n_points, 2)
        return _form(block, _ISOTROPIC, block.dim, None, None, cell_factor, None, by_point)
    return _form(block, _ELASTIC, block.dim, None, None, cell_factor, None, array)


def diffusion(
    block: CellBlock,
    conductivity: Any,
    index: Any = None,
    *,
    cell_factor: Any = None,
    point_factor: Any = None,
) -> Form:
    """Diffusion of a scalar: integral of grad v . kappa grad u.

    Parameters
    ----------
    block : CellBlock
    conductivity : (n_materials, dim, dim) float64
        Symmetric tensors.
    index, cell_factor, point_factor
        As for :func:`elasticity`.
    """
    table = _symmetric("conductivity", reals("conductivity", conductivity, (None, block.dim, block.dim)))
    return _form(block, _DIFFUSION, 1, table, index, cell_factor, point_factor)


def diffusion_tangents(block: CellBlock, tangents: Any, *, cell_factor: Any = None) -> Form:
    """Diffusion with a symmetric tensor of its own at every integration point.

    Parameters
    ----------
    block : CellBlock
    tangents : (m, nq, dim, dim) float64
        Symmetry is the caller's duty.
    cell_factor : (m,) float64, optional
    """
    array = reals("tangents", tangents, (block.n_cells, block.n_points, block.dim, block.dim))
    return _form(block, _DIFFUSION, 1, None, None, cell_factor, None, array)


def mass(
    block: CellBlock,
    density: Any,
    index: Any = None,
    *,
    n_components: int,
    cell_factor: Any = None,
    point_factor: Any = None,
) -> Form:
    """Mass: integral of density v . u. The block must have `shapes`.

    Parameters
    ----------
    block : CellBlock
    density : (n_materials,) float64
    n_components
        Components of the field, 1 to 3.
    index, cell_factor, point_factor
        As for :func:`elasticity`.
    """
    if block.shapes is None:
        raise ValueError("the mass form needs a cell block with shapes")
    if n_components not in (1, 2, 3):
        raise ValueError(f"n_components: 1, 2 or 3 expected, not {n_components}")
    return _form(block, _MASS, n_components, reals("density", density, (None,)), index, cell_factor, point_factor)


def _form(
    block: CellBlock,
    kind: int,
    n_components: int,
    table: Float | None,
    index: Any,
    cell_factor: Any,
    point_factor: Any,
    tangents: Float | None = None,
) -> Form:
    m = block.n_cells
    places: Int32 | None = None
    if table is not None:
        if len(table) == 0 and m:
            raise ValueError("at least one material expected")
        places = integers("index", np.zeros(m, np.int32) if index is None else index, (m,), len(table))
    cell_factor = None if cell_factor is None else reals("cell_factor", cell_factor, (m,))
    point_factor = None if point_factor is None else reals("point_factor", point_factor, (m, block.n_points))
    struct = FormStruct(
        kind=kind,
        n_components=n_components,
        table=address(table),
        index=address(places),
        cell_factor=address(cell_factor),
        point_factor=address(point_factor),
        tangents=address(tangents),
    )
    given = table if table is not None else tangents
    columns = 0 if given is None else int(np.prod(given.shape[1 if tangents is None else 2 :]))
    return Form(block, n_components, columns, struct, (table, places, cell_factor, point_factor, tangents))


def _symmetric(name: str, matrices: Float) -> Float:
    size = np.abs(matrices).max(axis=(1, 2), initial=0.0)
    wrong = np.abs(matrices - matrices.transpose(0, 2, 1)).max(axis=(1, 2), initial=0.0) > 1e-12 * size
    if wrong.any() or not np.isfinite(matrices).all():
        raise ValueError(f"{name}: symmetric matrices of finite numbers expected")
    return matrices


def _lame(matrices: Float, dim: int) -> Float | None:
    """Lame's constants (n, 2) where all matrices are isotropic, else None."""
    if len(matrices) > 1 and _lame(matrices[:1], dim) is None:
        return None
    mu = matrices[:, -1, -1]
    lam = matrices[:, 0, 1]
    isotropic = np.zeros_like(matrices)
    isotropic[:, :dim, :dim] = lam[:, None, None]
    for i in range(matrices.shape[1]):
        isotropic[:, i, i] += np.where(i < dim, 2.0, 1.0) * mu
    size = np.abs(matrices).max(axis=(1, 2), initial=0.0)
    if (np.abs(isotropic - matrices).max(axis=(1, 2), initial=0.0) > _TOLERANCE * size).any():
        return None
    return np.ascontiguousarray(np.stack([lam, mu], axis=1))
