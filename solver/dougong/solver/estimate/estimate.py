"""What a job will cost: unknowns, memory, time.

A model of the bytes that are kept and the numbers that are worked on; its coefficients (`costs`) are fitted to
measurements on one core of a server CPU (docs/explanation/scaling.md has both). Iterative: memory and time linear in
the nodes and in the blocks of the matrix, which follow from the cells. Direct: nested dissection in three dimensions,
factor entries ~ n^(4/3), operations ~ n^2; in two dimensions n log n and n^(3/2) (George, "Nested dissection of a
regular finite element mesh", SIAM J. Numer. Anal. 10, 1973).
"""

from __future__ import annotations

import math

from dougong.meshes.canonical import StoredMesh
from dougong.solver.estimate import costs
from dougong.solver.estimate import heat as estimate_heat
from dougong.solver.estimate.heat import repeats
from dougong.solver.estimate.increments import increments
from dougong.solver.estimate.modes import modal
from dougong.solver.linalg.choice import choose, size_of
from dougong.solver.links.checks import is_linked
from dougong.solver.problem import Problem, is_axisymmetric
from dougong.solver.thermal.increments import TOGETHER
from dougong.v1 import job_pb2

#: Blocks of the matrix for each cell: pairs of nodes that meet in a cell, each counted once, in a large mesh.
_BLOCKS_PER_CELL = {
    "tri3": 3.5, "tri6": 23.0, "quad4": 9.0, "quad8": 47.0, "quad9": 64.0,
    "tet4": 2.9, "tet10": 40.0, "hex8": 27.0, "hex20": 234.0, "hex27": 512.0, "wedge6": 10.5,
    "wedge15": 110.5, "pyramid5": 6.0, "pyramid13": 81.2,
}  # fmt: skip

#: For each unknown and each load case after the first: loads and solution; seconds for its loads, solve and fields, and
#: for the fields of a combination. Measured on bodies of 8,000 to 107,000 unknowns, factorised and iterated.
_BYTES_PER_CASE = 17.0
_SECONDS_SOLVED, _SECONDS_SUPERPOSED = 5.3e-6, 1.2e-6
#: For each unknown and each frame of which the discretisation error is estimated, on linear and on quadratic cells.
#: Measured on tetrahedra and hexahedra of 56,000 to 421,000 unknowns.
_SECONDS_ESTIMATED = {False: 1.1e-6, True: 3.7e-6}


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
    # About an axis of symmetry, and where strains are assumed, there are no kernels, and so a matrix with algebraic
    # multigrid on it. So there is where unknowns are linked.
    plain = all(s.scheme.formulation == "plain" for s in problem.sections)
    curved = any(t.order > 1 for t in stored.cell_types)
    by_products = curved and plain and not is_axisymmetric(problem.sections)
    dofs, memory, seconds, solver = 0, 0.0, 0.0, ""
    for step in problem.steps:
        nc = max(1, len(step.physics.components(stored.dim)))
        n = nc * stored.n_nodes
        direct = choose(problem.analysis.solver, size_of(stored, nc)).direct
        numbers = matrix_numbers(stored, nc)
        again = repeats(step, problem.sections)
        linked = is_linked(problem.analysis, step.physics, stored.dim)
        cost = costs.QUADRATIC if by_products and again is None and not linked else costs.LINEAR
        entries, operations = factor(n, stored.dim)
        factors = costs.DIRECT[stored.dim]
        kept = factors.bytes_per_entry * entries + factors.bytes_per_number * numbers
        work = factors.seconds_per_operation * operations + factors.seconds_per_number * numbers
        of_modes = modal(step.message, n, entries, (kept, work))
        if of_modes is not None:
            (kept, work), solver = of_modes, solver or "direct"
        elif direct:
            solver = solver or "direct"
        else:
            kept = cost.bytes_per_number * numbers + cost.bytes_per_unknown * n
            work = cost.seconds_per_number * numbers + cost.seconds_per_unknown * n
            solver = solver or "iterative"
        if again is not None:
            each = estimate_heat.SECONDS_FACTORISED if direct else estimate_heat.SECONDS_ITERATED
            work = again.setups * work + again.solves * n * each
            kept += estimate_heat.BYTES_PER_NUMBER * numbers
        frames = step.frames[1:]
        following = increments(step, problem.steps)
        if any(step.physics.varies(s.material) for s in problem.sections):
            work *= max(following, 1)  # each with a matrix of its own
        work += n * _SECONDS_SOLVED * max(following - 1, 0)
        kept_cases = max(len(step.cases), min(following, TOGETHER)) - 1
        memory = max(memory, kept + _BYTES_PER_CASE * n * max(kept_cases, 0))
        work += n * sum(_SECONDS_SUPERPOSED if f.solved is None else _SECONDS_SOLVED for f in frames)
        if step.run.estimated and not problem.analysis.outputs.error_estimate.off:
            work += n * _SECONDS_ESTIMATED[curved] * len(step.frames)
        seconds += work / ranks**costs.EFFICIENCY
        dofs = max(dofs, n)
    seconds += costs.START_SECONDS + (costs.MPI_SECONDS if ranks > 1 else 0.0)
    total = ranks * costs.BASE_BYTES + memory
    return job_pb2.Estimate(dofs=dofs, memory_bytes=int(total), seconds=seconds, solver=solver)


def factor(n: int, dim: int) -> tuple[float, float]:
    """Entries of the factor of n unknowns and operations to compute it, but for constants."""
    if dim == 3:
        return n ** (4 / 3), n**2.0
    return n * math.log2(max(n, 2)), n**1.5


def kind(problem: Problem, stored: StoredMesh, solver: str) -> str:
    """Name of the jobs that grow as this one does: procedures, the commonest cell type, method."""
    procedures = "+".join(sorted({step.procedure for step in problem.steps}))
    _, cells = max(zip(stored.block_sizes, (t.name for t in stored.cell_types), strict=True), default=(0, ""))
    return f"{procedures}/{cells}/{solver}"


def matrix_numbers(stored: StoredMesh, nc: int) -> float:
    """Numbers in the matrix of all cells, `nc` unknowns a node."""
    blocks = zip(stored.block_sizes, stored.cell_types, strict=True)
    return nc**2 * sum(s * _BLOCKS_PER_CELL.get(t.name, 0.4 * t.n_nodes**2) for s, t in blocks)
