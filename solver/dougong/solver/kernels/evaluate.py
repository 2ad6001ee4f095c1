"""Products and evaluations without a matrix: K u, diagonal blocks, gradients at integration points, internal forces."""

from __future__ import annotations

from typing import Any

import numpy as np

from dougong.solver.kernels.arrays import Float, address, output, reals
from dougong.solver.kernels.cells import CellBlock
from dougong.solver.kernels.forms import Form
from dougong.solver.kernels.loader import check_status, need_library
from dougong.solver.kernels.matrix import Constraints


def apply(form: Form, u: Any, out: Float) -> Float:
    """Add K u on the owned rows, without constraints; see :class:`ConstrainedOperator` for these.

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


class ConstrainedOperator:
    """The matrix :func:`dougong.solver.kernels.matrix.assemble` would make, as a product.

    Parameters
    ----------
    forms
        Forms whose sum is the operator, all with the same number of components.
    n_rows
        Owned nodes.
    constraints : Constraints, optional

    Attributes
    ----------
    diagonal : (n_rows, nc, nc) float64
        Diagonal blocks of the constrained operator, for a smoother.
    """

    def __init__(self, forms: list[Form], n_rows: int, constraints: Constraints | None = None) -> None:
        self._forms = forms
        self._n_rows = n_rows
        nc = forms[0].n_components
        if any(form.n_components != nc for form in forms):
            raise ValueError("forms of different numbers of components")
        diagonal = np.zeros((n_rows, nc, nc))
        for form in forms:
            diagonal_blocks(form, diagonal)
        self._nodes = np.empty(0, np.int64)
        if constraints is not None:
            self._nodes = np.flatnonzero(constraints.index >= 0)
            self._projectors = constraints.projectors[constraints.index[self._nodes]]
            owned = self._nodes < n_rows
            self._owned = self._nodes[owned]
            self._owned_projectors = self._projectors[owned]
            p = self._owned_projectors
            scale = np.trace(diagonal[self._owned], axis1=1, axis2=2) / nc
            self._penalty = scale[:, None, None] * (np.eye(nc) - p)
            diagonal[self._owned] = p @ diagonal[self._owned] @ p + self._penalty
        self.diagonal = diagonal

    def apply(self, u: Float, out: Float) -> Float:
        """Write the product of the owned rows to `out`.

        Parameters
        ----------
        u : (n_nodes, nc) float64 - owned nodes and ghosts; not changed
        out : (n_rows, nc) float64
        """
        out[...] = 0.0
        if not len(self._nodes):
            for form in self._forms:
                apply(form, u, out)
            return out
        free = np.array(u)
        free[self._nodes] = np.einsum("nij,nj->ni", self._projectors, u[self._nodes])
        for form in self._forms:
            apply(form, free, out)
        out[self._owned] = np.einsum("nij,nj->ni", self._owned_projectors, out[self._owned]) + np.einsum(
            "nij,nj->ni", self._penalty, u[self._owned]
        )
        return out


def _nodal(name: str, u: Any, block: CellBlock, nc: int) -> Float:
    array = reals(name, u, (None, nc))
    if len(array) < block.n_field_nodes:
        raise ValueError(f"{name}: {len(array)} nodes, cells have {block.n_field_nodes}")
    return array
