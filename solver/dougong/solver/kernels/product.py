"""Products with an operator that is never assembled, in double or in single precision.

Geometry and coefficients are worked out once for each cell and read in order in every product. Against assembled rows
that is a tenth of the memory for quadratic cells, and less time: those are read at the speed of the memory, which is
shared by the cores, while arithmetic is not.

Source: Kronbichler and Kormann, "A generic interface for parallel cell-based finite element operator application",
Computers & Fluids 63, 2012.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.kernels.arrays import address, reals
from dougong.solver.kernels.cells import CellBlock
from dougong.solver.kernels.evaluate import diagonal_blocks
from dougong.solver.kernels.forms import Form
from dougong.solver.kernels.loader import PreparedStruct, check_status, need_library
from dougong.solver.kernels.matrix import Constraints

#: Numbers behind the last of a vector that a product may read, and add zero to.
PADDING = 4

#: Alignment of batched arrays, bytes: that of the widest vectors.
_ALIGNMENT = 64


class ConstrainedOperator:
    """The matrix that :func:`dougong.solver.kernels.matrix.assemble` would make, as a product.

    With the constraints' projectors P and the sum K of all forms: A = P K P + s (1 - P), s = tr(K_aa) / nc.

    Parameters
    ----------
    forms
        Forms whose sum is K; a rank may have none.
    nc
        Components of the field.
    size
        How many owned nodes there are; how many with ghosts.
    constraints : Constraints, optional
        Prescribed values as projectors; none where left out.
    extra : sparse matrix, shape (n_nodes nc, n_nodes nc), optional
        What is added to K: loads that depend on the solution.

    Attributes
    ----------
    diagonal : (n_rows, nc, nc) float64
        Diagonal blocks of A.
    """

    def __init__(
        self,
        forms: Sequence[Form],
        nc: int,
        size: tuple[int, int],
        constraints: Constraints | None = None,
        extra: sparse.csr_matrix | None = None,
    ) -> None:
        n_rows, n_nodes = size
        if not 0 <= n_rows <= n_nodes or any(form.block.n_field_nodes > n_nodes for form in forms):
            raise ValueError(f"{n_rows} owned of {n_nodes} nodes: the forms have other nodes")
        if any(form.n_components != nc for form in forms):
            raise ValueError(f"forms of {nc} components expected")
        self.forms, self.extra = tuple(forms), extra
        self.n_rows, self.n_nodes, self.nc = n_rows, n_nodes, nc
        K = np.zeros((n_rows, nc, nc))
        for form in forms:
            diagonal_blocks(form, K)
        if extra is not None:
            first = np.arange(n_rows) * nc
            for i in range(nc):
                for j in range(nc):
                    K[:, i, j] += np.asarray(extra[first + i, first + j]).ravel()
        if constraints is None:
            constraints = Constraints(np.full(n_nodes, -1), np.empty((0, nc, nc)), np.empty((0, nc)))
        reals("projectors", constraints.projectors, (None, nc, nc))
        if len(constraints.index) < n_nodes:
            raise ValueError(f"constraints: {len(constraints.index)} of {n_nodes} nodes")
        self.held = np.flatnonzero(constraints.index[:n_nodes] >= 0)
        self.projectors = constraints.projectors[constraints.index[self.held]]
        own = self.held < n_rows
        self.owned_held, P = self.held[own], self.projectors[own]
        s = np.trace(K[self.owned_held], axis1=1, axis2=2) / nc
        self.penalty = s[:, None, None] * (np.eye(nc) - P)
        self.owned_projectors = P
        K[self.owned_held] = P @ K[self.owned_held] @ P + self.penalty
        self.diagonal = K


class Product:
    """Products with an operator in one precision.

    Parameters
    ----------
    operator
        The operator.
    dtype
        float64 or float32.
    scale
        Products are with A / scale.
    """

    def __init__(self, operator: ConstrainedOperator, dtype: Any, scale: float = 1.0) -> None:
        self.operator, self.dtype = operator, np.dtype(dtype)
        kernels: Any = need_library().kernels
        single = self.dtype == np.float32
        self._product = kernels.product_single if single else kernels.product_double
        self._prepared = [p for form in operator.forms for p in _prepare(form, self.dtype, scale)]
        self._extra = None if operator.extra is None else (operator.extra / scale).astype(self.dtype)
        kept = (operator.projectors, operator.owned_projectors, operator.penalty / scale)
        self._P, self._owned_P, self._penalty = (a.astype(self.dtype) for a in kept)

    def vector(self) -> NDArray[Any]:
        """A zero vector of owned nodes and ghosts, shape (n_nodes nc,), with room behind it."""
        n = self.operator.n_nodes * self.operator.nc
        return np.zeros(n + PADDING, dtype=self.dtype)[:n]

    def check(self, *vectors: NDArray[Any]) -> None:
        """Raise ValueError for what was not made by `vector`: behind others there may be no room."""
        n = self.operator.n_nodes * self.operator.nc
        for v in vectors:
            room = v.base is not None and v.base.size == n + PADDING and v.base.ctypes.data == v.ctypes.data
            if v.dtype != self.dtype or v.shape != (n,) or not v.flags.c_contiguous or not room:
                raise ValueError("a vector made by `vector` expected")

    def unconstrained(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """Y = K x on the owned nodes; both from `vector`. What y holds of ghosts is part of a sum, and of no use."""
        self.check(x, y)
        y[:] = 0
        for prepared, _kept in self._prepared:
            check_status(self._product(prepared, address(x), address(y)))
        if self._extra is not None:
            y += self._extra @ x

    def multiply(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """Y = A x on the owned nodes; both from `vector`. Meanwhile x holds the projected values."""
        o = self.operator
        if not len(o.held):
            self.unconstrained(x, y)
            return
        u, v = x.reshape(-1, o.nc), y.reshape(-1, o.nc)
        given = u[o.held]
        u[o.held] = np.einsum("nij,nj->ni", self._P, given)
        self.unconstrained(x, y)
        u[o.held] = given
        rows = o.owned_held
        v[rows] = np.einsum("nij,nj->ni", self._owned_P, v[rows]) + np.einsum("nij,nj->ni", self._penalty, u[rows])


def power_of_two(size: float) -> float:
    """The power of two below a positive number: divided by it, numbers keep all their digits; 1 for others."""
    return math.ldexp(1.0, math.frexp(size)[1] - 1) if 0 < size < math.inf else 1.0


def _prepare(form: Form, dtype: np.dtype[Any], scale: float) -> list[tuple[PreparedStruct, Any]]:
    """Affine cells and the others, each as what the kernels take; with the arrays that must live as long.

    In double precision lengths are what they are. In single precision they are divided by L, about the size of a cell:
    in d dimensions the product is then L^(2 - d) times as large, and coefficients are divided by so much more.
    """
    block, kernels = form.block, need_library().kernels
    varies = form.struct.point_factor is not None or form.struct.tangents is not None
    affine = (block.affine != 0) & (not varies)
    single = dtype == np.float32
    lanes, fill = (
        (kernels.single_lanes, kernels.prepare_single) if single else (kernels.double_lanes, kernels.prepare_double)
    )
    length = power_of_two(_cell_size(block)) if single else 1.0
    coefficient = scale * length ** (2 - block.dim)
    found = []
    for is_affine in (True, False):
        cells = np.flatnonzero(affine == is_affine)
        if not len(cells):
            continue
        tables = block.modes if is_affine else (block.gradients, np.ones(block.n_points))
        gradients, weights = (np.ascontiguousarray(t, dtype=dtype) for t in tables)
        nq, kf, dim = gradients.shape
        by_point = form.struct.tangents is not None
        batches = -(-len(cells) // lanes)
        n_coefficients = form.n_coefficients
        nodes = np.zeros((batches, kf, lanes), dtype=np.int32)
        geometry = _aligned((batches, 1 if is_affine else nq, dim * dim + 1, lanes), dtype)
        coefficients = _aligned((batches, nq if by_point else 1, n_coefficients, lanes), dtype)
        struct = PreparedStruct(
            n_batches=batches,
            dim=dim,
            n_field=kf,
            n_points=nq,
            kind=form.struct.kind,
            affine=int(is_affine),
            by_point=int(by_point),
            n_coefficients=n_coefficients,
            length=length,
            coefficient=coefficient,
            gradients=address(gradients),
            weights=address(weights),
            nodes=address(nodes),
            geometry=address(geometry),
            coefficients=address(coefficients),
        )
        check_status(fill(block.struct, form.struct, address(cells), len(cells), ctypes.byref(struct)))
        found.append((struct, (gradients, weights, nodes, geometry, coefficients)))
    return found


def _cell_size(block: CellBlock) -> float:
    """About how long a cell is: the first of them."""
    return float(np.ptp(block.points[block.geometry[0]], axis=0).max()) if block.n_cells else 1.0


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros at an address that vectors can be loaded from."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.zeros(size + _ALIGNMENT, dtype=np.uint8)
    first = -raw.ctypes.data % _ALIGNMENT
    return raw[first : first + size].view(dtype).reshape(shape)
