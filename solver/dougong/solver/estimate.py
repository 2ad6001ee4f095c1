"""What a job will cost: unknowns, memory, time.

A first model: bytes and operations per unknown, with coefficients measured on one core of a server CPU of 28 GB/s
memory bandwidth. Iterative: time and memory linear in the unknowns. Direct: nested dissection in three dimensions,
factor entries ~ n^(4/3), operations ~ n^2; in two dimensions n log n and n^(3/2) (George, "Nested dissection of a
regular finite element mesh", SIAM J. Numer. Anal. 10, 1973).
"""

from __future__ import annotations

import math

from dougong.meshes.canonical import StoredMesh
from dougong.solver.linalg_choice import choose
from dougong.solver.problem import Problem
from dougong.v1 import job_pb2

#: Python, MPI and PETSc before any mesh is read, for each rank.
_BASE_BYTES = 150e6
_START_SECONDS = 0.6
_BYTES_PER_NONZERO = 12.0


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
    dofs, memory, seconds, solver = 0, 0.0, 0.0, ""
    for step in problem.steps:
        nc = max(1, len(step.physics.components(stored.dim)))
        n = nc * stored.n_nodes
        direct, _ = choose(problem.analysis.solver.method, n)
        nonzeros = _nonzeros(stored, nc)
        matrix = _BYTES_PER_NONZERO * nonzeros
        if direct:
            log = math.log2(max(n, 2))
            entries = 2.0 * n ** (4 / 3) if stored.dim == 3 else 8.0 * n * log
            work = 25e-12 * n**2 if stored.dim == 3 else 5e-9 * n**1.5
            memory, seconds = max(memory, matrix + 8 * entries), seconds + work / ranks**0.7
            solver = solver or "direct"
        else:
            memory, seconds = max(memory, 2.2 * matrix), seconds + 3.0e-7 * nonzeros / ranks**0.85
            solver = solver or "iterative"
        seconds += 4e-6 * n / ranks
        dofs = max(dofs, n)
    mesh = 8.0 * (
        stored.n_nodes * (stored.dim + 20)
        + sum(s * t.n_nodes for s, t in zip(stored.block_sizes, stored.cell_types, strict=True))
    )
    total = ranks * _BASE_BYTES + mesh + memory
    return job_pb2.Estimate(dofs=dofs, memory_bytes=int(total), seconds=_START_SECONDS + seconds, solver=solver)


def _nonzeros(stored: StoredMesh, nc: int) -> float:
    """Entries of the matrix: each cell couples its nodes; a pair of nodes is shared by few cells."""
    shared = {"tri": 1.6, "quad": 1.5, "tet": 3.0, "hex": 2.4, "wedge": 2.6, "pyramid": 2.6}
    blocks = zip(stored.block_sizes, stored.cell_types, strict=True)
    return nc**2 * sum(s * t.n_nodes**2 / shared.get(t.family, 2.0) for s, t in blocks)
