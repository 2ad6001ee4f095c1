"""What a sparse factorisation costs, before it is begun: memory, and time counted in iterations.

Nested dissection: a body as wide as long has factor entries ~ n^(4/3) and operations ~ n^2; sheets and thin walls, like
bodies in the plane, n log n and n^(3/2) (George, "Nested dissection of a regular finite element mesh", SIAM J. Numer.
Anal. 10, 1973). n counts nodes, each of which has a dense block. The factors are what MUMPS 5.5 with its PORD ordering
told of quadratic and linear, stocky and thin bodies of 1,000 to 50,000 nodes; they hold within a factor of 1.5 there.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from pathlib import Path

from dougong.solver.linalg.choice import Size
from dougong.solver.parallel.comm import Comm

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
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


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
    """Free memory of this machine, within the limits of control groups of either version."""
    try:
        lines = _MEMORY.read_text().splitlines()
    except OSError:
        return math.inf
    machine = next((float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), math.inf)
    return min([machine, *_free_in_groups()])


def _free_in_groups() -> Iterator[float]:
    """What is left within each control group that this process is in and that limits memory."""
    try:
        groups = [line.rstrip("\n").split(":", 2)[1:] for line in _OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return
    for controllers, path in groups:
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUPS / "memory" if controllers else _GROUPS
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
        inside = Path(path.lstrip("/"))
        for folder in (root / inside, *((root / inside).parents[: len(inside.parts)])):
            try:
                limit, used = (float((folder / name).read_text()) for name in names)
                lines = (folder / "memory.stat").read_text().splitlines()
            except (OSError, ValueError):  # not mounted here, or "max": no limit
                continue
            stat = dict(line.split() for line in lines)
            # File cache goes when memory is needed.
            cache = float(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
            yield max(limit - used + cache, 0.0)
