"""What a scikit-fem form needs of a basis, on cells and facets of a stored mesh."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.element import DiscreteField

from dougong.solver.elements.families import ELEMENTS
from dougong.solver.elements.tables import Reference, permutation

Array = NDArray[np.float64]


class _NodalMapping:
    """Isoparametric mapping of cells given by node coordinates; what scikit-fem's elements ask of a mapping."""

    def __init__(self, reference: Reference, coordinates: Array) -> None:
        # coordinates: (n_cells, n_nodes, dim)
        self._x = np.einsum("qa,cai->icq", reference.N, coordinates, optimize=True)
        J = np.einsum("qaj,cai->cqij", reference.dN, coordinates, optimize=True)  # (n_cells, nq, dim, dim)
        self._detDF = np.linalg.det(J)
        self._invDF = np.linalg.inv(J).transpose(2, 3, 0, 1)
        self._DF = J.transpose(2, 3, 0, 1)

    def F(self, X: Array, tind: Any = None) -> Array:
        """Points in space, (dim, n_cells, nq)."""
        return self._x

    def DF(self, X: Array, tind: Any = None) -> Array:
        """Jacobian matrices, (dim, dim, n_cells, nq)."""
        return self._DF

    def invDF(self, X: Array, tind: Any = None) -> Array:
        """Inverse Jacobian matrices, (dim, dim, n_cells, nq)."""
        return self._invDF

    def detDF(self, X: Array, tind: Any = None) -> Array:
        """Jacobian determinants, (n_cells, nq)."""
        return self._detDF


class NodalBasis:
    """A scikit-fem basis on cells of a mesh whose nodes carry the unknowns.

    Parameters
    ----------
    reference
        Tables of the cell type.
    points
        shape (n_nodes, dim) - length.
    nodes
        shape (n_cells, n_nodes of the type): nodes of the cells.
    components
        Number of unknowns a node: 1 for a scalar field, dim for a vector field.

    Attributes
    ----------
    order
        For each unknown of a cell, in order of its nodes and then components, scikit-fem's number of it.
    """

    def __init__(self, reference: Reference, points: Array, nodes: NDArray[np.integer], components: int) -> None:
        name = reference.type.name
        element = ELEMENTS[name]()
        self.elem = element if components == 1 else skfem.ElementVector(element, components)
        self.X, self.W = reference.X, reference.W
        self.mapping = _NodalMapping(reference, points[nodes])
        self.nelems = len(nodes)
        self.N = components * len(points)
        self.Nbfun = components * nodes.shape[1]
        basis_of_node = permutation(name)
        node_of_basis = np.argsort(basis_of_node)
        self.order = (basis_of_node[:, None] * components + np.arange(components)).ravel()
        self.element_dofs = np.array(
            [nodes[:, node_of_basis[i // components]] * components + i % components for i in range(self.Nbfun)]
        )
        self.basis = [self.elem.gbasis(self.mapping, self.X, i) for i in range(self.Nbfun)]
        self.dx = np.abs(self.mapping.detDF(self.X)) * self.W

    def default_parameters(self) -> dict[str, Any]:
        """Coordinates of the quadrature points, `w.x` of a form."""
        return {"x": DiscreteField(self.mapping.F(self.X))}


class _ValueBasis:
    """Shape function values in the node order of the cells: what the bases for loads have in common."""

    def __init__(self, reference: Reference, points: Array, nodes: NDArray[np.integer], components: int) -> None:
        self.X, self.W = reference.X, reference.W
        self.nelems = len(nodes)
        self.N = components * len(points)
        self.Nbfun = components * nodes.shape[1]
        self.order = np.arange(self.Nbfun)
        self.reference, self.nodes, self.components = reference, nodes, components
        self._x = np.einsum("qa,cai->icq", reference.N, points[nodes], optimize=True)

    @cached_property
    def element_dofs(self) -> NDArray[np.integer]:
        """Unknowns of the cells, shape (Nbfun, n_cells)."""
        nodes, nc = self.nodes, self.components
        return np.array([nodes[:, i // nc] * nc + i % nc for i in self.order])

    @cached_property
    def basis(self) -> list[tuple[DiscreteField]]:
        """Values of the shape functions at the quadrature points."""
        return [_value(self.reference, int(i), self.components, self.nelems) for i in self.order]


class LoadBasis(_ValueBasis):
    """A scikit-fem basis without gradients on cells, for volume loads; far cheaper than `NodalBasis`.

    Parameters
    ----------
    reference
        Tables of the cell type.
    points
        shape (n_nodes, dim) - length.
    nodes
        shape (n_cells, n_nodes of the type).
    components
        Number of unknowns a node.
    """

    def __init__(self, reference: Reference, points: Array, nodes: NDArray[np.integer], components: int) -> None:
        super().__init__(reference, points, nodes, components)
        J = np.einsum("qaj,cai->cqij", reference.dN, points[nodes], optimize=True)
        self.dx = np.abs(_determinant(J)) * self.W

    def default_parameters(self) -> dict[str, Any]:
        """Coordinates of the quadrature points, `w.x` of a form."""
        return {"x": DiscreteField(self._x)}


def _determinant(J: Array) -> Array:
    """Determinants of matrices of shape (..., 2, 2) or (..., 3, 3); written out, it is several times faster."""
    if J.shape[-1] == 2:
        return np.asarray(J[..., 0, 0] * J[..., 1, 1] - J[..., 0, 1] * J[..., 1, 0])
    a, b, c = J[..., 0, :], J[..., 1, :], J[..., 2, :]
    return np.asarray(
        a[..., 0] * (b[..., 1] * c[..., 2] - b[..., 2] * c[..., 1])
        - a[..., 1] * (b[..., 0] * c[..., 2] - b[..., 2] * c[..., 0])
        + a[..., 2] * (b[..., 0] * c[..., 1] - b[..., 1] * c[..., 0])
    )


def _value(reference: Reference, i: int, components: int, n: int) -> tuple[DiscreteField]:
    phi = np.broadcast_to(reference.N[:, i // components], (n, reference.n_points))
    if components == 1:
        return (DiscreteField(phi),)
    value = np.zeros((components, *phi.shape))
    value[i % components] = phi
    return (DiscreteField(value),)


class FacetBasis(_ValueBasis):
    """A scikit-fem basis on facets, for surface loads.

    The traces of the cells' shape functions are those of the facet's own cell type. A form finds the outward normal as
    `w.n`; gradients there are none.

    Parameters
    ----------
    reference
        Tables of the facet's cell type.
    points
        shape (n_nodes, dim) - length.
    nodes
        shape (n_facets, n_nodes of the type), corners so ordered that the normal points outwards.
    components
        Number of unknowns a node.
    """

    def __init__(self, reference: Reference, points: Array, nodes: NDArray[np.integer], components: int) -> None:
        super().__init__(reference, points, nodes, components)
        tangents = np.einsum("qaj,fai->jfqi", reference.dN, points[nodes], optimize=True)
        if len(tangents) == 1:
            normal = np.stack([tangents[0, ..., 1], -tangents[0, ..., 0]])
        else:
            normal = np.moveaxis(np.cross(tangents[0], tangents[1]), -1, 0)
        area = np.linalg.norm(normal, axis=0)
        self.dx = area * self.W
        self._n = normal / area

    def default_parameters(self) -> dict[str, Any]:
        """Coordinates `w.x` and outward normal `w.n` at the quadrature points."""
        return {"x": DiscreteField(self._x), "n": DiscreteField(self._n)}
