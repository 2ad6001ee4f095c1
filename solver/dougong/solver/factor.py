"""What a sparse factorisation costs, before it is begun: memory, and time counted in iterations.

Nested dissection: a body as wide as long has factor entries ~ n^(4/3) and operations ~ n^2; sheets and thin walls, like
bodies in the plane, n log n and n^(3/2) (George, "Nested dissection of a regular finite element mesh", SIAM J. Numer.
Anal. 10, 1973). n counts nodes, each of which has a dense block. The factors are what MUMPS 5.5 with its PORD ordering
told of quadratic and linear, stocky and thin bodies of 1,000 to 50,000 nodes; they hold within a factor of 1.5 there.
"""

from __future__ import annotations

import math
import platform
from pathlib import Path

from dougong.solver.comm import Comm
from dougong.solver.linalg_choice import Size

#: Entries of the factor for each nc^2 n^(4/3), or nc^2 n log2 n; operations for each nc^3 n^2, or nc^3 n^(3/2).
_STOCKY_ENTRIES, _STOCKY_OPERATIONS = 12.0, 9.0
_THIN_ENTRIES, _THIN_OPERATIONS = 8.0, 100.0

#: Bytes for each entry: the factor, the fronts on top of it, and the room that MUMPS is told to leave.
_BYTES_PER_ENTRY = 14.5

#: Processor seconds, of one core of a server CPU: for each operation; for each unknown, ordering and reading; and for
#: each unknown in an iteration, on quadratic and on linear cells. Only their ratios matter.
_PER_OPERATION, _PER_UNKNOWN = 6.5e-11, 1.7e-5
_PER_ITERATION_QUADRATIC, _PER_ITERATION_LINEAR = 1.6e-7, 6e-7

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def factor_bytes(size: Size) -> float:
    """Memory that a factorisation needs, on all ranks together, bytes."""
    n, nc = max(size.nodes, 2), size.components
    entries = _THIN_ENTRIES * n * math.log2(n) if _flat(size) else _STOCKY_ENTRIES * n ** (4 / 3)
    return _BYTES_PER_ENTRY * nc**2 * entries


def iterations_worth(size: Size) -> float:
    """Iterations that take as long as a factorisation."""
    n, nc = size.nodes, size.components
    operations = _THIN_OPERATIONS * n**1.5 if _flat(size) else _STOCKY_OPERATIONS * n**2.0
    seconds = _PER_OPERATION * nc**3 * operations + _PER_UNKNOWN * size.dofs
    return seconds / ((_PER_ITERATION_QUADRATIC if size.quadratic else _PER_ITERATION_LINEAR) * size.dofs)


def _flat(size: Size) -> bool:
    return size.thin or size.dim < 3


def free_bytes(comm: Comm) -> float:
    """Memory that is free on the machines of all ranks; infinite where nobody tells. Collective."""
    return sum(dict(comm.gather((platform.node(), _free_here()))).values())


def _free_here() -> float:
    """Free memory of this machine, within the limit of the control group if there is one."""
    try:
        lines = _MEMORY.read_text().splitlines()
    except OSError:
        return math.inf
    machine = next((float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), math.inf)
    try:
        limit, used = (float((_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
    except (OSError, ValueError):  # no control group of the second version, or "max": no limit
        return machine
    return min(machine, max(limit - used, 0.0))
