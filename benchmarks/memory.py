"""Memory of each rank: what a body takes of it on 1, 2 and 4 ranks."""

from __future__ import annotations

import ours
from cases import Bench
from record import record

#: Ranks, and how much the fullest may hold of what one rank alone would: 1/n, work space and what parts have twice.
_BARS = {2: 0.7, 4: 0.45}


def ranks(bench: Bench, case: str) -> None:
    """Bytes an unknown of the fullest rank, beyond what a body of some cells takes, against one rank alone."""
    body, small = bench.body(case), bench.body("beam/1k")
    held = {}
    for n in (1, *_BARS):
        peaks, least = (ours.solve(b, n).cost.peak_bytes for b in (body, small))
        held[n] = [(most - of_libraries) / body.dofs for most, of_libraries in zip(peaks, least, strict=True)]
    for n, bar in _BARS.items():
        name = "ours on 1 rank"
        bench.report.add(
            record(f"memory/ranks{n}/{case}", "bytes/dof", max(held[n]), max(held[1]), name, bar, body.dofs, n)
        )
        bench.report.note("bytes an unknown, rank after rank: " + ", ".join(f"{x:.0f}" for x in held[n]))
