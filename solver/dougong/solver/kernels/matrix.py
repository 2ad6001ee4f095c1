"""Pattern and values of a block sparse matrix, on the rows a rank owns, without communication.

Nodes of a rank: 0 .. n_rows - 1 are owned, the others are ghosts. All cells that touch an owned node are at hand, so
the rows are complete; a ghost's row is nobody's business here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.kernels.arrays import Float, Int32, address, integers, output, reals
from dougong.solver.kernels.forms import Form
from dougong.solver.kernels.loader import TargetStruct, check_status, need_library


@dataclass(frozen=True, eq=False)
class Pattern:
    """Pattern of a matrix of blocks, one block row per owned node.

    Attributes
    ----------
    indptr : (n_rows + 1,) int64
    indices : (n_blocks,) int32 - local node numbers, ascending in each row
    n_nodes : owned nodes and ghosts, the number of block columns
    upper_only : whether only columns >= row are held
    """

    indptr: NDArray[np.int64]
    indices: Int32
    n_nodes: int
    upper_only: bool = False

    def __post_init__(self) -> None:
        """Check that the arrays can be walked safely."""
        indptr, indices = self.indptr, self.indices
        for name, array, dtype in (("indptr", indptr, np.int64), ("indices", indices, np.int32)):
            if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous:
                raise ValueError(f"{name}: a contiguous vector of {np.dtype(dtype)} expected")
        if not len(indptr) or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
            raise ValueError("indptr does not fit indices")
        if self.n_rows > self.n_nodes:
            raise ValueError(f"{self.n_rows} rows, but {self.n_nodes} nodes")
        integers("indices", indices, (None,), self.n_nodes)

    @property
    def n_rows(self) -> int:
        """Owned nodes."""
        return len(self.indptr) - 1

    @property
    def n_blocks(self) -> int:
        """Number of stored blocks."""
        return len(self.indices)


@dataclass(frozen=True, eq=False)
class Constraints:
    """Prescribed values as projectors.

    Attributes
    ----------
    index : (n_nodes,) int32 - row of `projectors` for a node, -1 for a free one
    projectors : (n, nc, nc) float64 - symmetric orthogonal projectors P onto the free directions
    prescribed : (n, nc) float64 - values u0 in the other directions, (I - P) u0 = u0
    """

    index: Int32
    projectors: Float
    prescribed: Float

    def __post_init__(self) -> None:
        """Check the arrays; contiguous ones of the right type are not copied."""
        shape = np.shape(self.prescribed)
        if len(shape) != 2:
            raise ValueError(f"prescribed: shape (n, nc) expected, not {shape}")
        n, nc = shape
        object.__setattr__(self, "prescribed", reals("prescribed", self.prescribed, (n, nc)))
        object.__setattr__(self, "projectors", reals("projectors", self.projectors, (n, nc, nc)))
        object.__setattr__(self, "index", integers("index", self.index, (None,), n, lower=-1))


def block_pattern(
    cells: Sequence[NDArray[np.integer[Any]]], n_rows: int, n_nodes: int, *, upper_only: bool = False
) -> Pattern:
    """Pattern of the matrix in which nodes of a cell meet.

    Needs 4 bytes per cell and node, and 20 per node, beside the result. The row of an owned node without
    cells is empty.

    Parameters
    ----------
    cells : sequence of (m, k) int32
        Field nodes of all cells, one array per cell type.
    n_rows, n_nodes
        Owned nodes; all nodes.
    upper_only
        Hold only columns >= row, for symmetric storage.

    Raises
    ------
    ValueError, TypeError
        A node number out of range, or arrays that do not fit.
    """
    if not 0 <= n_rows <= n_nodes < 2**31:
        raise ValueError(f"{n_rows} owned of {n_nodes} nodes: 0 <= owned <= nodes < 2^31 expected")
    checked = [integers(f"cells[{i}]", c, (None, None), n_nodes) for i, c in enumerate(cells)]
    n = len(checked)
    library = need_library()
    indptr = np.empty(n_rows + 1, dtype=np.int64)
    found = ctypes.POINTER(ctypes.c_int32)()
    status = library.pattern(
        n,
        (ctypes.c_void_p * n)(*(address(c) for c in checked)),
        (ctypes.c_int64 * n)(*(c.shape[0] for c in checked)),
        (ctypes.c_int64 * n)(*(c.shape[1] for c in checked)),
        n_rows,
        n_nodes,
        int(upper_only),
        address(indptr),
        ctypes.byref(found),
    )
    check_status(status)
    try:
        indices = np.ctypeslib.as_array(found, shape=(int(indptr[-1]),)).copy() if indptr[-1] else np.empty(0, np.int32)
    finally:
        library.free(found)
    return Pattern(indptr, indices, n_nodes, upper_only)


def assemble(
    form: Form,
    pattern: Pattern,
    values: Float | None,
    *,
    constraints: Constraints | None = None,
    rhs: Float | None = None,
) -> None:
    """Add a form into the owned rows of a matrix, and the prescribed values into the right-hand side.

    With constraints P_a, u0_a the element matrices K_ab enter as

        rhs_a -= P_a sum_b K_ab u0_b,        K_ab <- P_a K_ab P_b,

    and where node a is constrained, with s = tr(K_aa) / nc,

        K_aa += s (I - P_a),                 rhs_a += s u0_a.

    The matrix stays symmetric and the solution is the whole field, prescribed values included.

    Parameters
    ----------
    form : Form
    pattern : Pattern
    values : (n_blocks, nc, nc) float64 or None
        Blocks, row-major, added to; may be memory of another library. None: right-hand side only.
    constraints : Constraints, optional
    rhs : (n_rows, nc) float64, optional
        Added to.

    Raises
    ------
    ValueError
        Arrays do not fit, or the pattern does not hold these cells.
    """
    nc = form.n_components
    if values is not None:
        output("values", values, (pattern.n_blocks, nc, nc))
    if rhs is not None:
        output("rhs", rhs, (pattern.n_rows, nc))
    if form.block.n_field_nodes > pattern.n_nodes:
        raise ValueError(f"a cell has node {form.block.n_field_nodes - 1}, the pattern has {pattern.n_nodes} nodes")
    if constraints is not None:
        reals("projectors", constraints.projectors, (None, nc, nc))
        if len(constraints.index) < form.block.n_field_nodes:
            raise ValueError(f"constraints: {len(constraints.index)} nodes, cells have {form.block.n_field_nodes}")
    elif values is None:
        return
    target = TargetStruct(
        n_rows=pattern.n_rows,
        n_nodes=pattern.n_nodes,
        upper_only=int(pattern.upper_only),
        indptr=address(pattern.indptr),
        indices=address(pattern.indices),
        values=address(values),
        constraint=None if constraints is None else address(constraints.index),
        projectors=None if constraints is None else address(constraints.projectors),
        prescribed=None if constraints is None else address(constraints.prescribed),
        rhs=address(rhs),
    )
    check_status(need_library().kernels.assemble(form.block.struct, form.struct, target))
