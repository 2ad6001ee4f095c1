"""Forms the kernels know: elasticity, diffusion, mass; with their coefficients."""

from __future__ import annotations

from collections.abc import Callable
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
    kind, table = (_ELASTIC, _packed(table)) if lame is None else (_ISOTROPIC, lame)
    return _form(block, kind, block.dim, table, index, cell_factor, point_factor)


def elasticity_tangents(block: CellBlock, tangents: Any, *, cell_factor: Any = None) -> Form:
    """Elasticity with a symmetric matrix of its own at every integration point.

    Parameters
    ----------
    block : CellBlock
    tangents : (m, nq, 6, 6) float64, in the plane (m, nq, 3, 3) - pressure
        Or an iterator over arrays that make it up, some cells each: it is never there as a whole then. Order and shear
        as for :func:`elasticity`. Isotropic ones are recognised and cost less. Symmetry is the caller's duty: the upper
        triangle counts.
    cell_factor : (m,) float64, optional
    """
    array = _by_point(block, tangents, _VOIGT_SIZE[block.dim], _packed)
    lame = _lame_of_packed(array.reshape(-1, array.shape[-1]), block.dim) if array.size else None
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
        Or an iterator over arrays that make it up. Symmetry is the caller's duty.
    cell_factor : (m,) float64, optional
    """
    array = _by_point(block, tangents, block.dim, lambda piece: piece.reshape(*piece.shape[:2], -1))
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


def _packed(matrices: Float) -> Float:
    """The upper triangles of symmetric matrices, row after row, shape (..., s (s + 1) / 2) from (..., s, s)."""
    rows, columns = np.triu_indices(matrices.shape[-1])
    return np.ascontiguousarray(matrices[..., rows, columns])


def _symmetric(name: str, matrices: Float) -> Float:
    size = np.abs(matrices).max(axis=(1, 2), initial=0.0)
    wrong = np.abs(matrices - matrices.transpose(0, 2, 1)).max(axis=(1, 2), initial=0.0) > 1e-12 * size
    if wrong.any() or not np.isfinite(matrices).all():
        raise ValueError(f"{name}: symmetric matrices of finite numbers expected")
    return matrices


def _by_point(block: CellBlock, tangents: Any, size: int, pack: Callable[[Float], Float]) -> Float:
    """Matrices of all points as the kernels take them, shape (m, nq, columns)."""
    out: Float | None = None
    first = 0
    for given in [tangents] if isinstance(tangents, np.ndarray) else tangents:
        packed = pack(reals("tangents", given, (None, block.n_points, size, size)))
        if out is None:
            out = np.empty((block.n_cells, *packed.shape[1:]))
        if first + len(packed) > block.n_cells:
            break
        out[first : first + len(packed)] = packed
        first += len(packed)
    if first != block.n_cells or out is None:
        raise ValueError(f"tangents: matrices of {block.n_cells} cells expected")
    return out


def _lame(matrices: Float, dim: int) -> Float | None:
    """Lame's constants (n, 2) where all matrices (n, s, s) are isotropic, else None."""
    return _lame_of_packed(_packed(matrices), dim)


def _lame_of_packed(matrices: Float, dim: int) -> Float | None:
    """The same of upper triangles (n, s (s + 1) / 2)."""
    if len(matrices) > 1 and _lame_of_packed(matrices[:1], dim) is None:
        return None
    rows, columns = np.triu_indices(_VOIGT_SIZE[dim])
    normal = columns < dim
    mu, lam = matrices[:, -1], matrices[:, 1]
    of_lam = np.where(normal, 1.0, 0.0)
    of_mu = np.where(rows == columns, np.where(normal, 2.0, 1.0), 0.0)
    size = np.abs(matrices).max(axis=1, initial=0.0)
    for k in range(matrices.shape[1]):
        if (np.abs(matrices[:, k] - (of_lam[k] * lam + of_mu[k] * mu)) > _TOLERANCE * size).any():
            return None
    return np.ascontiguousarray(np.stack([lam, mu], axis=1))
