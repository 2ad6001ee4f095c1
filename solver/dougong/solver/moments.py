"""Load vectors of a cell from the load density: each component of a form is evaluated once.

A linear form without gradients has an integrand that is linear in the value of its test function. Evaluated for a test
function that is one everywhere in component i, it is the density f_i of the load; the entry of node a is then the
integral of f_i times the shape function of a, one matrix product for all nodes. The form itself would be evaluated for
every component of every node: thirty times instead of three for a quadratic tetrahedron.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skfem import LinearForm
from skfem.element import DiscreteField

from dougong.solver.elements import FacetBasis, LoadBasis

Array = NDArray[np.float64]


class _Points:
    """A scikit-fem basis whose cells are the integration points of another, one unit function a component."""

    def __init__(self, basis: LoadBasis | FacetBasis) -> None:
        self._basis = basis
        n = basis.dx.size
        self.X, self.W = np.zeros((basis.X.shape[0], 1)), np.ones(1)
        self.nelems, self.Nbfun, self.N = n, basis.components, basis.components
        self.dx = basis.dx.reshape(n, 1)
        self.element_dofs = np.zeros((self.Nbfun, n), dtype=np.int32)
        if self.Nbfun == 1:
            self.basis = [(DiscreteField(np.ones((n, 1))),)]
        else:
            unit = np.eye(self.Nbfun)[:, :, None, None]
            self.basis = [(DiscreteField(np.broadcast_to(e, (self.Nbfun, n, 1))),) for e in unit]

    def default_parameters(self) -> dict[str, Any]:
        return {name: DiscreteField(self.at_points(v)) for name, v in self._basis.default_parameters().items()}

    def at_points(self, value: Any) -> Array:
        value = np.asarray(value)
        return value.reshape(*value.shape[:-2], -1, 1)


def moments(form: LinearForm, basis: LoadBasis | FacetBasis, **params: Any) -> Array:
    """Cell vectors of a linear form without gradients.

    Parameters
    ----------
    form
        Linear in the value of its test function at each point.
    basis
        The cells.
    params
        Numbers, or arrays of shape (..., n_cells, nq).

    Returns
    -------
    ndarray
        shape (n_cells, n_nodes, components).
    """
    points = _Points(basis)
    given = {name: points.at_points(v) if isinstance(v, np.ndarray) else v for name, v in params.items()}
    density = form.elemental(points, **given).data.reshape(basis.components, *basis.dx.shape)
    return np.asarray(np.einsum("inq,qa->nai", density, basis.reference.N, optimize=True))
