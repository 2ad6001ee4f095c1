"""Meshes and scikit-fem's own matrices that the kernels are held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import skfem
from numpy.typing import NDArray
from skfem.mesh.mesh_3d import Mesh3D

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import kernels
from dougong.solver.elements import ELEMENTS, SOLVABLE, quadrature
from dougong.solver.elements.pyramid import ElementPyramid1
from meshgen import box

#: All that are solved on. That each has the right element is the matter of test_solver_elements.
FAMILIES = SOLVABLE


@dataclass(repr=False)
class MeshPyramid1(Mesh3D):
    """scikit-fem has no mesh of pyramids."""

    affine: bool = False
    elem: type[skfem.Element] = ElementPyramid1


def _pyramids(n: int) -> MeshPyramid1:
    """A unit cube of n^3 bricks, six pyramids each."""
    mesh = box("pyramid5", (n, n, n))
    return MeshPyramid1(mesh.points.T, mesh.blocks[0].nodes.T)


def _wedges(n: int) -> skfem.MeshWedge1:
    """A unit square of triangles, pulled up in n layers."""
    plane = skfem.MeshTri.init_tensor(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
    k = plane.p.shape[1]
    p = np.hstack([np.vstack([plane.p, np.full(k, z)]) for z in np.linspace(0, 1, n + 1)])
    t = np.hstack([np.vstack([plane.t + k * i, plane.t + k * (i + 1)]) for i in range(n)])
    return skfem.MeshWedge1(p, t)


def _mesh(name: str, n: int, curved: bool) -> skfem.Mesh:
    line = np.linspace(0, 1, n + 1)
    quadratic = curved and name not in ("tri3", "quad4", "tet4", "hex8")
    if name.startswith("tri"):
        mesh = skfem.MeshTri.init_tensor(line, line)
        return skfem.MeshTri2.from_mesh(mesh) if quadratic else mesh
    if name.startswith("quad"):
        mesh = skfem.MeshQuad.init_tensor(line, line)
        return skfem.MeshQuad2.from_mesh(mesh) if quadratic else mesh
    if name.startswith("tet"):
        mesh = skfem.MeshTet.init_tensor(line, line, line)
        return skfem.MeshTet2.from_mesh(mesh) if quadratic else mesh
    if name.startswith("hex"):
        mesh = skfem.MeshHex.init_tensor(line, line, line)
        return skfem.MeshHex2.from_mesh(mesh) if quadratic else mesh
    return _wedges(n) if name.startswith("wedge") else _pyramids(n)


def _bend(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a shape without straight edges."""
    q = p.copy()
    q[0] += 0.08 * np.sin(2.0 * p[1]) + 0.05 * p[1] * p[0]
    q[1] += 0.07 * p[0] ** 2
    if len(p) == 3:
        q[0] += 0.04 * p[2] * p[1]
        q[2] += 0.06 * np.cos(1.5 * p[0]) * p[1] + 0.05 * p[2] * p[0]
    return q


def _shear(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """An affine image: parallelepipeds."""
    a = np.array([[1.1, 0.2, 0.1], [-0.1, 0.9, 0.3], [0.15, -0.2, 1.2]])[: len(p), : len(p)]
    return a @ p + 0.3


def tabulate(element: skfem.Element, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values (nq, k) and gradients (nq, k, dim) at the points x (dim, nq)."""
    pairs = [element.lbasis(x, i) for i in range(element.doflocs.shape[0])]
    values = np.stack([np.broadcast_to(v, x.shape[1]) for v, _ in pairs], axis=1)
    gradients = np.stack([np.broadcast_to(g, x.shape).T for _, g in pairs], axis=1)
    return values, gradients


@dataclass(frozen=True)
class Case:
    """One family on one mesh."""

    mesh: skfem.Mesh
    basis: skfem.CellBasis
    block: kernels.CellBlock

    @property
    def n_nodes(self) -> int:
        return int(self.basis.N)

    def vector_basis(self) -> tuple[skfem.CellBasis, NDArray[np.int64]]:
        """Basis of the vector element and, for (node, component), its number of the unknown."""
        dim = self.block.dim
        vector = self.basis.with_element(skfem.ElementVector(self.basis.elem))
        place = np.empty((self.n_nodes, dim), dtype=np.int64)
        for a in range(self.basis.Nbfun):
            for i in range(dim):
                place[self.basis.element_dofs[a], i] = vector.element_dofs[a * dim + i]
        return vector, place.ravel()


def make_case(name: str, *, curved: bool, n: int = 2, order: int | None = None) -> Case:
    """A small mesh, affine or with bent cells, its scikit-fem basis, and the same as a cell block."""
    mesh = _mesh(name, n, curved)
    mesh = type(mesh)((_bend if curved else _shear)(mesh.doflocs), mesh.t)
    element = ELEMENTS[name]()
    order = 2 * element.maxdeg if order is None else order
    x, w = quadrature(CELL_TYPES[name].family, order)
    basis = skfem.CellBasis(mesh, element, mapping=skfem.MappingIsoparametric(mesh, mesh.elem()), quadrature=(x, w))
    shapes, gradients = tabulate(element, x)
    block = kernels.cell_block(
        mesh.doflocs.T,
        mesh.dofs.element_dofs.T,
        tabulate(mesh.elem(), x)[1],
        basis.element_dofs.T,
        gradients,
        w,
        shapes=shapes,
    )
    return Case(mesh, basis, block)


def dense(pattern: kernels.Pattern, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows as a dense matrix (n_rows nc, n_nodes nc)."""
    nc = values.shape[1]
    matrix = sp.bsr_matrix((values, pattern.indices, pattern.indptr), shape=(pattern.n_rows * nc, pattern.n_nodes * nc))
    return matrix.toarray()


def relative_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference, relative to the largest entry."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def random_constraints(rng: np.random.Generator, n_nodes: int, nc: int, share: float) -> kernels.Constraints:
    """Projectors of every rank, on some of the nodes."""
    nodes = rng.choice(n_nodes, max(1, int(share * n_nodes)), replace=False)
    index = np.full(n_nodes, -1, dtype=np.int32)
    index[nodes] = rng.permutation(len(nodes))
    projectors = np.zeros((len(nodes), nc, nc))
    for p in projectors:
        basis = np.linalg.qr(rng.normal(size=(nc, nc)))[0]
        free = rng.integers(0, nc)
        p[...] = basis[:, :free] @ basis[:, :free].T
    prescribed = rng.normal(size=(len(nodes), nc))
    prescribed -= np.einsum("nij,nj->ni", projectors, prescribed)
    return kernels.Constraints(index, projectors, prescribed)


def same_form(block: kernels.CellBlock, factor: NDArray[np.float64] | None = None) -> kernels.Form:
    """An isotropic material; with a factor, shape (m, nq), as a matrix of its own at each point."""
    matrix = np.array([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    if block.dim == 3:
        matrix = np.diag([2.0, 2.0, 2.0, 1.0, 1.0, 1.0])
        matrix[:3, :3] += 1.5
    if factor is None:
        return kernels.elasticity(block, matrix[None])
    return kernels.elasticity_tangents(block, matrix * factor[..., None, None])
