"""The solve phase against the time that reading an assembled matrix alone would take.

The same iteration on an assembled matrix would read it once in double precision, for the product of the conjugate
gradients, and some times in single precision, for the smoother: `2 STEPS - 1` steps (the first from zero needs none)
and a residual. The levels below, and all vectors, are left out of this bound. Ours has no matrix on the quadratic
level: it reads a tenth of that, and spends its time on arithmetic.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from cases import Bench
from record import record

from dougong.solver import kernels
from dougong.solver.linalg import multigrid

#: Bytes of a 3 x 3 block with its column number.
DOUBLE, SINGLE = 9 * 8 + 4, 9 * 4 + 4

#: The solve phase may take so many times the bound.
BAR = 1.6


def bandwidth() -> float:
    """Bytes a second that one core reads: the sum of an array much larger than any cache, best of several."""
    array = np.ones(100_000_000)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        array.sum()
        times.append(time.perf_counter() - start)
    return array.nbytes / min(times)


def passes() -> tuple[int, int]:
    """How often an iteration multiplies, in double and in single precision."""
    return 1, 2 * multigrid.STEPS


def measure(bench: Bench, case: str) -> None:
    """Compare."""
    body = bench.body(case)
    if body is None:
        return
    runs = [bench.solve(case, body) for _ in range(bench.runs)]
    seconds = statistics.median(solved.stages["solve"] for solved in runs)
    iterations = runs[0].iterations
    cells = np.ascontiguousarray(body.mesh.cells(0), dtype=np.int32)
    blocks = kernels.block_pattern([cells], body.n_nodes, body.n_nodes).n_blocks
    double, single = passes()
    volume = iterations * blocks * (double * DOUBLE + single * SINGLE)
    rate = bandwidth()
    name = f"an assembled matrix, {volume / 1e9:.1f} GB at {rate / 1e9:.1f} GB/s"
    bench.report.add(record(f"traffic/{case}", "seconds", seconds, volume / rate, name, BAR, body.dofs))
    bench.report.note(f"{blocks} blocks, {blocks / body.n_nodes:.1f} a node; {iterations} iterations")
