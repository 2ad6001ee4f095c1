"""scikit-fem's elements on the cells of a stored mesh: the unknowns sit on the mesh nodes, in the mesh's node order.

scikit-fem numbers unknowns by vertices, edges, facets and interiors of a mesh of its own. Here the stored mesh keeps
its numbering: shape functions and quadrature come from scikit-fem, connectivity and geometry from the mesh, curved
quadratic cells included (isoparametric). `NodalBasis` and `FacetBasis` are what a scikit-fem form needs of a basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.element import DiscreteField
from skfem.quadrature import get_quadrature
from skfem.refdom import RefLine, RefTri

from dougong.meshes.cells import CELL_TYPES, CellType

Array = NDArray[np.float64]

_ELEMENTS: dict[str, type[Any]] = {
    "line2": skfem.ElementLineP1,
    "line3": skfem.ElementLineP2,
    "tri3": skfem.ElementTriP1,
    "tri6": skfem.ElementTriP2,
    "quad4": skfem.ElementQuad1,
    "quad8": skfem.ElementQuadS2,
    "quad9": skfem.ElementQuad2,
    "tet4": skfem.ElementTetP1,
    "tet10": skfem.ElementTetP2,
    "hex8": skfem.ElementHex1,
    "hex20": skfem.ElementHexS2,
    "hex27": skfem.ElementHex2,
    "wedge6": skfem.ElementWedge1,
}

#: Cell types that can be solved on: those that carry a two- or three-dimensional field.
SOLVABLE = tuple(name for name in _ELEMENTS if CELL_TYPES[name].dim >= 2)

#: Polynomial degree that the quadrature integrates exactly: full integration of the stiffness of an affine cell, and of
#: the internal forces of a constant flux on a curved one (the patch test); for loads the product of a quadratic density
#: with a shape function.
_STIFFNESS_DEGREE = {
    "tri3": 1, "tri6": 2, "quad4": 3, "quad8": 5, "quad9": 5,
    "tet4": 1, "tet10": 3, "hex8": 3, "hex20": 5, "hex27": 5, "wedge6": 2,
}  # fmt: skip
#: (scikit-fem's tetrahedron rule of degree 5 is exact to degree 4 only, which is enough for that.)
_LOAD_DEGREE = {1: 3, 2: 5}

#: The linear cell on the corners of a cell, the coarse level of p-multigrid.
LINEAR = {"tri": "tri3", "quad": "quad4", "tet": "tet4", "hex": "hex8", "wedge": "wedge6", "line": "line2"}


def _tetrahedron_of_degree_3() -> tuple[Array, Array]:
    """Eight points of equal weight, two on each line from a corner to the opposite facet.

    The usual rule of this degree has five points, one of negative weight, which may make a matrix indefinite. With
    barycentric coordinates (a, a, a, 1 - 3 a) and (b, b, b, 1 - 3 b), the sums of their squares and of their cubes
    must have the means 2/5 and 1/5: 12 s^3 - 18 s^2 + 8.1 s - 1.1 = 0, s = a + b, 2 a b = s^2 - s / 2 + 1 / 10.
    """
    columns = []
    for a in (0.112956794512511028, 0.32886164993020291):
        columns += [[a, a, a], [1 - 3 * a, a, a], [a, 1 - 3 * a, a], [a, a, 1 - 3 * a]]
    return np.array(columns).T, np.full(8, 1 / 48)


def _quadrature(family: str, degree: int) -> tuple[Array, Array]:
    if family == "tet" and degree == 3:
        return _tetrahedron_of_degree_3()
    if family == "wedge":
        # scikit-fem's own wedge rule is three times as large as this product of its rules.
        (x, wx), (z, wz) = get_quadrature(RefTri, degree), get_quadrature(RefLine, max(degree, 2))
        nx, nz = x.shape[1], z.shape[1]
        return np.vstack([np.tile(x, nz), np.repeat(z, nx, axis=1)]), np.outer(wz, wx).ravel()
    element = _ELEMENTS[LINEAR[family]]()
    points, weights = get_quadrature(element.refdom, degree)
    return np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)


@dataclass(frozen=True)
class Reference:
    """Shape functions of a cell type, tabulated at quadrature points of its reference cell.

    Attributes
    ----------
    type
        The cell type.
    X
        Points, shape (dim, nq), scikit-fem's layout.
    W
        Weights, shape (nq,).
    N
        Shape functions, shape (nq, n_nodes), in the node order of the cell type.
    dN
        Their gradients in the reference cell, shape (nq, n_nodes, dim).
    """

    type: CellType
    X: Array
    W: Array
    N: Array
    dN: Array

    @property
    def n_points(self) -> int:
        """Number of quadrature points."""
        return len(self.W)


def _permutation(name: str) -> NDArray[np.int64]:
    """For each node of the cell type the number of scikit-fem's basis function that is one there."""
    element = _ELEMENTS[name]()
    X = np.array(CELL_TYPES[name].reference).T
    n = X.shape[1]
    values = np.array([np.broadcast_to(element.lbasis(X, i)[0], n) for i in range(n)])
    return np.asarray(np.argmax(values, axis=0), dtype=np.int64)


def _tabulate(name: str, X: Array) -> tuple[Array, Array]:
    element = _ELEMENTS[name]()
    nq = X.shape[1]
    N, dN = [], []
    for i in _permutation(name):
        phi, dphi = element.lbasis(X, int(i))
        N.append(np.broadcast_to(phi, nq))
        dN.append(np.broadcast_to(dphi, (X.shape[0], nq)))
    return np.ascontiguousarray(np.array(N).T), np.ascontiguousarray(np.array(dN).transpose(2, 0, 1))


@cache
def stiffness_reference(name: str) -> Reference:
    """Tables for stiffness, stress and strain: full integration."""
    X, W = _quadrature(CELL_TYPES[name].family, _STIFFNESS_DEGREE[name])
    return Reference(CELL_TYPES[name], X, W, *_tabulate(name, X))


@cache
def load_reference(name: str) -> Reference:
    """Tables for volume and surface loads."""
    X, W = _quadrature(CELL_TYPES[name].family, _LOAD_DEGREE[CELL_TYPES[name].order])
    return Reference(CELL_TYPES[name], X, W, *_tabulate(name, X))


@cache
def linear_reference(name: str) -> Reference:
    """Shape functions of the corner nodes at the stiffness points of a quadratic cell, for the coarse level."""
    linear = LINEAR[CELL_TYPES[name].family]
    X, W = _quadrature(CELL_TYPES[name].family, _STIFFNESS_DEGREE[name])
    return Reference(CELL_TYPES[linear], X, W, *_tabulate(linear, X))


@cache
def corner_values(name: str) -> Array:
    """Linear shape functions at the nodes of a quadratic cell, shape (n_nodes, n_corners).

    They interpolate from the linear to the quadratic element.
    """
    cell = CELL_TYPES[name]
    return _tabulate(LINEAR[cell.family], np.array(cell.reference).T)[0]


@cache
def extrapolation(name: str) -> Array:
    """Matrix from the integration points of `stiffness_reference` to the nodes, shape (n_nodes, nq).

    Least-squares fit of a polynomial over the cell: complete of degree order - 1 on triangles and tetrahedra, of
    degree order in each direction on quadrilaterals and hexahedra, linear times linear on wedges: the polynomials
    of which the gradients on an affine cell are, so that the fit is exact there. A multilinear fit on quadratic
    hexahedra loses terms such as the derivative of x^2 y along y, and with them the stress at the surface of a
    thick plate (test NAFEMS LE10). (Hinton and Campbell, "Local and global smoothing of discontinuous finite
    element functions using a least squares method", IJNME 8, 1974.)
    """
    reference = stiffness_reference(name)
    cell = reference.type
    powers = _fit_powers(cell)

    def monomials(X: Array) -> Array:  # (dim, n) -> (n, n_terms)
        return np.array([np.prod(X.T**p, axis=1) for p in powers]).T

    nodes = np.array(cell.reference).T
    return np.asarray(monomials(nodes) @ np.linalg.pinv(monomials(reference.X)))


def _fit_powers(cell: CellType) -> list[NDArray[np.int64]]:
    dim = cell.dim
    if cell.family in ("tri", "tet"):
        rows = [[0] * dim]
        if cell.order == 2:
            rows += np.eye(dim, dtype=int).tolist()
    elif cell.family == "wedge":
        rows = [[a, b, c] for c in (0, 1) for a, b in ((0, 0), (1, 0), (0, 1))]
    else:
        rows = [list(index) for index in np.ndindex(*(cell.order + 1,) * dim)]
    return [np.array(r) for r in rows]


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
        element = _ELEMENTS[name]()
        self.elem = element if components == 1 else skfem.ElementVector(element, components)
        self.X, self.W = reference.X, reference.W
        self.mapping = _NodalMapping(reference, points[nodes])
        self.nelems = len(nodes)
        self.N = components * len(points)
        self.Nbfun = components * nodes.shape[1]
        basis_of_node = _permutation(name)
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
