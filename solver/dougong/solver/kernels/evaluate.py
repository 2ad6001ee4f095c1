"""Products and evaluations without a matrix: K u, diagonal blocks, gradients at integration points, internal forces."""

from __future__ import annotations

from typing import Any

import numpy as np

from dougong.solver.kernels.arrays import Float, address, output, reals
from dougong.solver.kernels.cells import CellBlock
from dougong.solver.kernels.forms import Form
from dougong.solver.kernels.loader import check_status, need_library


def apply(form: Form, u: Any, out: Float) -> Float:
    """Add K u on the owned rows, without constraints; :class:`ConstrainedOperator` has them.

    Parameters
    ----------
    form : Form
    u : (n_nodes, nc) float64 - owned nodes and ghosts
    out : (n_rows, nc) float64 - added to
    """
    u = _nodal("u", u, form.block, form.n_components)
    output("out", out, (len(out), form.n_components))
    check_status(need_library().kernels.apply(form.block.struct, form.struct, address(u), len(out), address(out)))
    return out


def diagonal_blocks(form: Form, out: Float) -> Float:
    """Add the diagonal blocks K_aa of the owned rows, without constraints.

    Parameters
    ----------
    form : Form
    out : (n_rows, nc, nc) float64 - added to
    """
    output("out", out, (len(out), form.n_components, form.n_components))
    check_status(need_library().kernels.diagonal(form.block.struct, form.struct, len(out), address(out)))
    return out


def gradients_at_points(block: CellBlock, u: Any) -> Float:
    """Gradients of a nodal field at the quadrature points.

    Parameters
    ----------
    block : CellBlock
    u : (n_nodes, nc) float64, nc 1 to 3

    Returns
    -------
    (m, nq, nc, dim) float64
        d u_i / d x_k.
    """
    nc = np.shape(u)[1] if np.ndim(u) == 2 else 0
    if nc not in (1, 2, 3):
        raise ValueError(f"u: shape (n_nodes, 1 to 3) expected, not {np.shape(u)}")
    u = _nodal("u", u, block, nc)
    out = np.empty((block.n_cells, block.n_points, nc, block.dim))
    check_status(need_library().kernels.gradients(block.struct, nc, address(u), address(out), None))
    return out


def measures(block: CellBlock) -> Float:
    """Weight times the signed determinant of the Jacobian, shape (m, nq): a negative one shows an inverted cell."""
    out = np.empty((block.n_cells, block.n_points))
    check_status(need_library().kernels.gradients(block.struct, 1, None, None, address(out)))
    return out


def internal_force(block: CellBlock, stress: Any, out: Float) -> Float:
    """Add the nodal forces of a stress field on the owned rows: integral of stress : grad phi_a.

    Parameters
    ----------
    block : CellBlock
    stress : (m, nq, 6) float64, in the plane (m, nq, 3) - pressure
        Voigt order xx yy zz xy yz zx (xx yy xy).
    out : (n_rows, dim) float64 - added to
    """
    size = 6 if block.dim == 3 else 3
    stress = reals("stress", stress, (block.n_cells, block.n_points, size))
    output("out", out, (len(out), block.dim))
    check_status(need_library().kernels.internal_force(block.struct, address(stress), len(out), address(out)))
    return out


def _nodal(name: str, u: Any, block: CellBlock, nc: int) -> Float:
    array = reals(name, u, (None, nc))
    if len(array) < block.n_field_nodes:
        raise ValueError(f"{name}: {len(array)} nodes, cells have {block.n_field_nodes}")
    return array
