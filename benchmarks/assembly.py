"""Assembly rates per cell type: the compiled kernels against scikit-fem's own assembly.

Both build a matrix from the same mesh with the same quadrature on one core; a small mesh is used to see that both give
the same matrix. Rates are cells per second, medians of interleaved runs. "values" is the time to fill a matrix whose
pattern exists, "all" includes the pattern, the tables and the search for affine cells, as scikit-fem's time does.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# One thread a core, as in a job: set before numpy comes in.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy.sparse as sp
import skfem
from numpy.typing import NDArray
from scipy.sparse.csgraph import reverse_cuthill_mckee
from skfem.helpers import dot, grad
from skfem.models.elasticity import linear_elasticity

from dougong.solver import elements, kernels

TYPES = ("tri3", "tri6", "quad4", "quad8", "quad9", "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6")

#: Lame's constants; any will do.
LAMBDA, MU = 1.3, 0.7

#: Unknowns of the mesh that scikit-fem gets: its rate hardly depends on the size, its memory does.
STOCK_UNKNOWNS = 15_000


@dataclass(frozen=True)
class Problem:
    """A structured 4 x 1 (x 1) body of one cell type, nodes in reverse Cuthill-McKee order."""

    name: str
    points: NDArray[np.float64]
    nodes: NDArray[np.int32]
    basis: skfem.CellBasis
    order: NDArray[np.int32]

    @property
    def dim(self) -> int:
        """Dimension, and components of the displacement."""
        return int(self.points.shape[1])

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.points)


def _mesh(family: str, n: int) -> skfem.Mesh:
    long, short = np.linspace(0, 4, 4 * n + 1), np.linspace(0, 1, n + 1)
    if family == "tri":
        return skfem.MeshTri.init_tensor(long, short)
    if family == "quad":
        return skfem.MeshQuad.init_tensor(long, short)
    if family == "tet":
        return skfem.MeshTet.init_tensor(long, short, short)
    if family == "hex":
        return skfem.MeshHex.init_tensor(long, short, short)
    plane = skfem.MeshTri.init_tensor(long, short)
    k = plane.p.shape[1]
    p = np.hstack([np.vstack([plane.p, np.full(k, z)]) for z in short])
    t = np.hstack([np.vstack([plane.t + k * i, plane.t + k * (i + 1)]) for i in range(n)])
    return skfem.MeshWedge1(p, t)


def make_problem(name: str, unknowns: int, *, curved: bool) -> Problem:
    """A body with about this number of displacement components; `curved` bends it, so that no cell is affine."""
    family = name.rstrip("0123456789")
    cell = elements.stiffness_reference(name)
    dim = cell.X.shape[0]
    n = 1
    while dim * _count_nodes(name, n + 1) <= unknowns:
        n += 1
    mesh = _mesh(family, n)
    basis = skfem.CellBasis(mesh, elements.ELEMENTS[name](), quadrature=(cell.X, cell.W))
    connectivity = basis.element_dofs[elements.permutation(name)].T
    pattern = kernels.block_pattern([connectivity], basis.N, basis.N)
    graph = sp.csr_matrix((np.ones(pattern.n_blocks, np.int8), pattern.indices, pattern.indptr))
    order = reverse_cuthill_mckee(graph, symmetric_mode=True)
    number = np.empty(basis.N, dtype=np.int32)
    number[order] = np.arange(basis.N)
    points = basis.doflocs.T[order].copy()
    if curved:
        points[:, 0] += 0.1 * np.sin(points[:, 1]) + 0.05 * points[:, 0] * points[:, -1]
        points[:, 1] += 0.02 * points[:, 0] ** 2
    nodes = number[connectivity]
    nodes = np.ascontiguousarray(nodes[np.argsort(nodes.min(axis=1), kind="stable")])
    return Problem(name, points, nodes, basis, order)


def _count_nodes(name: str, n: int) -> int:
    """Nodes of the body with n cells (or pairs, or sixes of cells) across."""
    across = {"tri6": 2, "quad8": 2, "quad9": 2, "tet10": 2, "hex20": 2, "hex27": 2}.get(name, 1)
    dim = 2 if name.startswith(("tri", "quad")) else 3
    count = (4 * n * across + 1) * (n * across + 1) ** (dim - 1)
    if name == "quad8":
        count -= 4 * n * n
    if name == "hex20":
        count -= 4 * n**3 + 2 * 4 * n * n * (n + 1) + (4 * n + 1) * n * n
    return count


def elasticity_matrix(dim: int) -> NDArray[np.float64]:
    """Voigt matrix of the isotropic material."""
    size = 3 if dim == 2 else 6
    matrix = np.diag([2.0 * MU] * dim + [MU] * (size - dim))
    matrix[:dim, :dim] += LAMBDA
    return matrix


class Ours:
    """The kernels on a problem."""

    def __init__(self, problem: Problem, kind: str) -> None:
        self._problem = problem
        self._kind = kind
        self._nc = problem.dim if kind == "elasticity" else 1
        self.pattern = kernels.block_pattern([problem.nodes], problem.n_nodes, problem.n_nodes)
        self.values = np.zeros((self.pattern.n_blocks, self._nc, self._nc))
        self._form = self._make_form()

    def _make_form(self) -> kernels.Form:
        problem, table = self._problem, elements.stiffness_reference(self._problem.name)
        block = kernels.cell_block(problem.points, problem.nodes, table.dN, problem.nodes, table.dN, table.W)
        if self._kind == "elasticity":
            return kernels.elasticity(block, elasticity_matrix(problem.dim)[None])
        return kernels.diffusion(block, np.eye(problem.dim)[None])

    def fill(self) -> None:
        """Values only."""
        kernels.assemble(self._form, self.pattern, self.values)

    def everything(self) -> None:
        """From arrays to matrix."""
        problem = self._problem
        pattern = kernels.block_pattern([problem.nodes], problem.n_nodes, problem.n_nodes)
        values = np.zeros((pattern.n_blocks, self._nc, self._nc))
        kernels.assemble(self._make_form(), pattern, values)

    def matrix(self) -> sp.csr_matrix:
        """The assembled matrix."""
        self.values[:] = 0.0
        self.fill()
        return sp.bsr_matrix((self.values, self.pattern.indices, self.pattern.indptr)).tocsr()


def stock(problem: Problem, kind: str) -> sp.csr_matrix:
    """scikit-fem: from the mesh to the matrix, in scikit-fem's numbering."""
    table = elements.stiffness_reference(problem.name)
    element = elements.ELEMENTS[problem.name]()
    if kind == "elasticity":
        element = skfem.ElementVector(element)
    basis = skfem.CellBasis(problem.basis.mesh, element, quadrature=(table.X, table.W))
    if kind == "elasticity":
        return linear_elasticity(LAMBDA, MU).assemble(basis)
    return skfem.BilinearForm(lambda u, v, w: dot(grad(u), grad(v))).assemble(basis)


def check(name: str) -> float:
    """Largest relative difference of the two matrices of the diffusion form on a small mesh."""
    problem = make_problem(name, 500, curved=False)
    expected = stock(problem, "diffusion").tocsr()[problem.order][:, problem.order]
    found = Ours(problem, "diffusion").matrix()
    return float(abs(found - expected).max() / abs(expected).max())


def seconds(function: Callable[[], Any]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Rates:
    """Cells per second of a cell type.

    Attributes
    ----------
    ours, stock
        From arrays to the matrix.
    values, curved
        Ours, values alone where the pattern exists: straight cells, curved cells.
    stock_name
        The other program.
    dofs
        Unknowns of our mesh.
    """

    ours: float
    stock: float
    values: float
    curved: float
    stock_name: str
    dofs: int


def measure(name: str, unknowns: int, runs: int = 3) -> dict[str, Rates]:
    """Rates of one cell type, for the forms "elasticity" and "diffusion".

    Raises
    ------
    ValueError
        The two programs do not give the same matrix.
    """
    difference = check(name)
    if difference > 1e-13:
        raise ValueError(f"{name}: the matrices differ by {difference:.1e}")
    found = {}
    for kind in ("elasticity", "diffusion"):
        affine = make_problem(name, unknowns, curved=False)
        small = make_problem(name, STOCK_UNKNOWNS, curved=False)
        ours, bent = Ours(affine, kind), Ours(make_problem(name, unknowns, curved=True), kind)
        times: dict[str, list[float]] = {"values": [], "all": [], "curved": [], "stock": []}
        for _ in range(runs):
            times["values"].append(seconds(ours.fill))
            times["curved"].append(seconds(bent.fill))
            times["all"].append(seconds(ours.everything))
            times["stock"].append(seconds(lambda: stock(small, kind)))  # noqa: B023
        cells = dict.fromkeys(times, len(affine.nodes)) | {"stock": len(small.nodes)}
        rate = {what: cells[what] / statistics.median(taken) for what, taken in times.items()}
        dofs = affine.n_nodes * (affine.dim if kind == "elasticity" else 1)
        name_of_stock = f"scikit-fem {skfem.__version__}"
        found[kind] = Rates(rate["all"], rate["stock"], rate["values"], rate["curved"], name_of_stock, dofs)
    return found
