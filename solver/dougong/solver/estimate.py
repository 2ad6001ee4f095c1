"""What a job will cost: unknowns, memory, time.

A model of the bytes that are kept and the numbers that are worked on, with coefficients fitted to measurements on one
core of a server CPU (docs/explanation/scaling.md has both). Iterative: memory and time linear in the nodes and in the
blocks of the matrix, which follow from the cells. Direct: nested dissection in three dimensions, factor entries
~ n^(4/3), operations ~ n^2; in two dimensions n log n and n^(3/2) (George, "Nested dissection of a regular finite
element mesh", SIAM J. Numer. Anal. 10, 1973).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dougong.meshes.canonical import StoredMesh
from dougong.solver.linalg_choice import choose
from dougong.solver.problem import Problem
from dougong.v1 import job_pb2

#: Python, MPI and PETSc before any mesh is read, for each rank, and the seconds they take to start.
_BASE_BYTES = 125e6
_START_SECONDS = 0.5

#: Blocks of the matrix for each cell: pairs of nodes that meet in a cell, each counted once, in a large mesh.
_BLOCKS_PER_CELL = {
    "tri3": 3.5, "tri6": 23.0, "quad4": 9.0, "quad8": 47.0, "quad9": 64.0,
    "tet4": 2.9, "tet10": 40.0, "hex8": 27.0, "hex20": 234.0, "hex27": 512.0, "wedge6": 10.5,
}  # fmt: skip


@dataclass(frozen=True)
class _Iterative:
    """Cost of an iterative solve.

    Attributes
    ----------
    bytes_per_number
        Kept for each number of the matrix.
    bytes_per_unknown
        Kept for each unknown beside the matrix.
    seconds_per_number, seconds_per_unknown
        Assembly, set-up and solve; everything that is done once for an unknown.
    """

    bytes_per_number: float
    bytes_per_unknown: float
    seconds_per_number: float
    seconds_per_unknown: float


#: Quadratic cells, p-multigrid: the matrix in double and in single precision.
_QUADRATIC = _Iterative(13.0, 530.0, 1.43e-7, 4.4e-6)
#: Linear cells, algebraic multigrid on the matrix itself, which PETSc copies.
_LINEAR = _Iterative(34.0, 650.0, 2.5e-7, 6.0e-6)

#: How time falls with the ranks.
_EFFICIENCY = 0.85


def estimate(problem: Problem, stored: StoredMesh, resources: job_pb2.Resources) -> job_pb2.Estimate:
    """Estimate the cost of a problem.

    Parameters
    ----------
    problem
        The problem.
    stored
        Its mesh.
    resources
        Ranks it would run on.
    """
    ranks = max(1, resources.ranks)
    quadratic = any(t.order > 1 for t in stored.cell_types)
    dofs, memory, seconds, solver = 0, 0.0, 0.0, ""
    for step in problem.steps:
        nc = max(1, len(step.physics.components(stored.dim)))
        n = nc * stored.n_nodes
        direct, _ = choose(problem.analysis.solver.method, n)
        numbers = _numbers(stored, nc)
        cost = _QUADRATIC if quadratic else _LINEAR
        if direct:
            log = math.log2(max(n, 2))
            entries = 2.0 * n ** (4 / 3) if stored.dim == 3 else 8.0 * n * log
            work = 25e-12 * n**2 if stored.dim == 3 else 5e-9 * n**1.5
            memory = max(memory, 12.0 * numbers + 8.0 * entries)
            seconds += work / ranks**0.7 + cost.seconds_per_unknown * n / ranks
            solver = solver or "direct"
        else:
            memory = max(memory, cost.bytes_per_number * numbers + cost.bytes_per_unknown * n)
            work = cost.seconds_per_number * numbers + cost.seconds_per_unknown * n
            seconds += work / ranks**_EFFICIENCY
            solver = solver or "iterative"
        dofs = max(dofs, n)
    total = ranks * _BASE_BYTES + memory
    return job_pb2.Estimate(dofs=dofs, memory_bytes=int(total), seconds=_START_SECONDS + seconds, solver=solver)


def kind(problem: Problem, stored: StoredMesh, solver: str) -> str:
    """Name of the jobs that grow as this one does: procedures, the commonest cell type, method."""
    procedures = "+".join(sorted({step.procedure for step in problem.steps}))
    _, cells = max(zip(stored.block_sizes, (t.name for t in stored.cell_types), strict=True), default=(0, ""))
    return f"{procedures}/{cells}/{solver}"


def _numbers(stored: StoredMesh, nc: int) -> float:
    """Numbers in the matrix."""
    blocks = zip(stored.block_sizes, stored.cell_types, strict=True)
    return nc**2 * sum(s * _BLOCKS_PER_CELL.get(t.name, 0.4 * t.n_nodes**2) for s, t in blocks)
