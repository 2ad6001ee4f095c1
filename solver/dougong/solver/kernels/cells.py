"""Cells of one type, made ready for the kernels.

Tables of geometry and field are separate, so that, for example, linear functions can live on the quadratic geometry.

Where the Jacobian of a cell is constant, the sums over quadrature points can be done once, on the reference cell:

    R[a, b, alpha, beta] = sum_q w_q  d_alpha phi_a(q)  d_beta phi_b(q)

This symmetric matrix over (a, alpha), (b, beta) has a low rank r, the dimension of the space the gradients span (4 for
the quadratic tetrahedron), whatever the number of quadrature points. With its eigenvectors in place of the gradients
and its eigenvalues in place of the weights, r "modes" give the same element matrix as all quadrature points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.kernels.arrays import Float, Int32, address, integers, reals
from dougong.solver.kernels.loader import CellsStruct, check_status, need_library

#: Eigenvalues of the reference tensor below this part of the largest one are rounding.
_RANK_TOLERANCE = 1e-14

#: The Jacobian of an affine cell varies at most by this part of itself.
AFFINE_TOLERANCE = 1e-12

#: Largest number of nodes of a cell.
_MAX_NODES = 32


@dataclass(frozen=True, eq=False)
class CellBlock:
    """Cells of one type; made by :func:`cell_block`, which checks.

    Attributes
    ----------
    points : (n_nodes, dim) float64 - length
    geometry : (m, kg) int32 - nodes that carry the geometry, rows of `points`
    geometry_gradients : (nq, kg, dim) float64 - reference gradients of the geometry functions
    field : (m, kf) int32 - nodes that carry the unknowns
    gradients : (nq, kf, dim) float64 - reference gradients of the field functions
    weights : (nq,) float64
    shapes : (nq, kf) float64 or None - values of the field functions; the mass form needs them
    affine : (m,) uint8 - 1 where the Jacobian is constant
    modes : (r, kf, dim) float64 and (r,) float64 - gradients and weights that serve affine cells
    n_field_nodes : 1 + the largest node number in `field`
    struct : the same for C
    """

    points: Float
    geometry: Int32
    geometry_gradients: Float
    field: Int32
    gradients: Float
    weights: Float
    shapes: Float | None
    affine: NDArray[np.uint8]
    modes: tuple[Float, Float]
    n_field_nodes: int
    struct: CellsStruct
    _kept: tuple[Any, ...]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.field)

    @property
    def n_points(self) -> int:
        """Number of quadrature points of a cell."""
        return len(self.weights)

    @property
    def dim(self) -> int:
        """Dimension, 2 or 3."""
        return int(self.points.shape[1])


def cell_block(
    points: Any,
    geometry: Any,
    geometry_gradients: Any,
    field: Any,
    gradients: Any,
    weights: Any,
    *,
    shapes: Any = None,
    affine: Any = None,
) -> CellBlock:
    """Check the arrays, find the affine cells, and tabulate their reference tensors.

    Parameters
    ----------
    points, geometry, geometry_gradients, field, gradients, weights, shapes
        See :class:`CellBlock`. Contiguous arrays of the right type are not copied.
    affine : (m,) bool, optional
        Cells whose Jacobian is constant, where the caller knows; otherwise they are looked for.

    Raises
    ------
    ValueError, TypeError
        Shapes or types do not fit, or a node number is out of range.
    KernelError
        The kernels are not available.
    """
    dim = np.shape(points)[1] if np.ndim(points) == 2 else 0
    if dim not in (2, 3):
        raise ValueError(f"points: shape (n_nodes, 2) or (n_nodes, 3) expected, not {np.shape(points)}")
    points = reals("points", points, (None, dim))
    geometry = integers("geometry", geometry, (None, None), len(points))
    m, kg = geometry.shape
    field = integers("field", field, (m, None), 2**31 - 1)
    kf = field.shape[1]
    if not (1 <= kg <= _MAX_NODES and 1 <= kf <= _MAX_NODES):
        raise ValueError(f"cells of {kg} and {kf} nodes: at most {_MAX_NODES} are possible")
    weights = reals("weights", weights, (None,))
    nq = len(weights)
    if nq == 0:
        raise ValueError("weights: at least one quadrature point expected")
    geometry_gradients = reals("geometry_gradients", geometry_gradients, (nq, kg, dim))
    gradients = reals("gradients", gradients, (nq, kf, dim))
    shapes = None if shapes is None else reals("shapes", shapes, (nq, kf))

    constant = np.ascontiguousarray(geometry_gradients.mean(axis=0))  # (kg, dim)
    tensor = np.einsum("q,qai,qbj->abij", weights, gradients, gradients)
    values, modes = _low_rank(tensor)
    pairs = np.ascontiguousarray(tensor[np.triu_indices(kf)])  # (kf (kf + 1) / 2, dim, dim)
    mass = None if shapes is None else np.ascontiguousarray(np.einsum("q,qa,qb->ab", weights, shapes, shapes))
    flags = np.zeros(m, dtype=np.uint8)
    kept = (constant, values, modes, pairs, mass)
    struct = CellsStruct(
        n_cells=m,
        dim=dim,
        n_geometry=kg,
        n_field=kf,
        n_points=nq,
        n_modes=len(values),
        points=address(points),
        geometry=address(geometry),
        field=address(field),
        geometry_gradients=address(geometry_gradients),
        gradients=address(gradients),
        shapes=address(shapes),
        weights=address(weights),
        affine_geometry=address(constant),
        affine_gradients=address(modes),
        affine_weights=address(values),
        affine_tensor=address(pairs),
        affine_mass=address(mass),
        affine=address(flags),
    )
    if affine is not None:
        given = np.asarray(affine)
        if given.shape != (m,) or given.dtype.kind not in "biu":
            raise ValueError(f"affine: one truth value per cell expected, shape ({m},)")
        flags[:] = given != 0
    else:
        varying = _deviation(geometry_gradients, constant)
        kernels = need_library().kernels
        check_status(kernels.classify(struct, address(varying), len(varying), AFFINE_TOLERANCE, address(flags)))
    return CellBlock(
        points=points,
        geometry=geometry,
        geometry_gradients=geometry_gradients,
        field=field,
        gradients=gradients,
        weights=weights,
        shapes=shapes,
        affine=flags,
        modes=(modes, values),
        n_field_nodes=int(field.max()) + 1 if field.size else 0,
        struct=struct,
        _kept=kept,
    )


def _low_rank(tensor: Float) -> tuple[Float, Float]:
    """Eigenvalues (r,) and eigenvectors (r, kf, dim) of the reference tensor (kf, kf, dim, dim)."""
    kf, dim = tensor.shape[0], tensor.shape[2]
    values, vectors = np.linalg.eigh(tensor.transpose(0, 2, 1, 3).reshape(kf * dim, kf * dim))
    kept = np.abs(values) > _RANK_TOLERANCE * np.abs(values).max()
    return np.ascontiguousarray(values[kept]), np.ascontiguousarray(vectors.T[kept].reshape(-1, kf, dim))


def _deviation(gradients: Float, constant: Float) -> Float:
    """Combinations of node coordinates, shape (n, kg), that vanish where the Jacobian is constant."""
    varying = (gradients - constant).transpose(0, 2, 1).reshape(-1, gradients.shape[1])  # (nq dim, kg)
    _, sizes, rows = np.linalg.svd(varying, full_matrices=False)
    kept = sizes > _RANK_TOLERANCE * max(1.0, float(np.abs(gradients).max()))
    return np.ascontiguousarray(sizes[kept, None] * rows[kept])
