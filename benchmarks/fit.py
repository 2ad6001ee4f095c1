"""Fits the model of the estimate to what solves of ours took: build/costs.json, which every benchmark adds to.

    python benchmarks/fit.py [--measure] [--write]

Prints the coefficients and how well they predict each case. `--measure` solves all bodies that are needed first, which
takes some minutes; `--write` puts the coefficients into solver/dougong/solver/estimate/costs.py.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cases
import numpy as np
import ours
from bodies import ROOT, make
from costs import Cost, Costs
from numpy.typing import NDArray
from scipy.optimize import linprog

from dougong.solver.estimate import costs as known
from dougong.solver.estimate.estimate import estimate

MODULE = Path(known.__file__)

#: Bodies of which at least some are needed for each family.
NEEDED = (
    *((f"{body}/{size}", False) for body in ("beam", "demo", "thin") for size in ("100k", "300k")),
    ("beam/800k", False),
    *cases.GUESSED,
)


def fit(
    rows: NDArray[np.float64], measured: NDArray[np.float64], base: float = 0.0
) -> tuple[NDArray[np.float64], float]:
    """Coefficients x >= 0 for which base + rows @ x is within the smallest factor of what was measured.

    A linear programme for each factor t, measured / t <= base + rows @ x <= measured t; the smallest t by bisection.
    Of what the cases do not determine the least is taken.

    Returns
    -------
    ndarray
        Coefficients, shape (n,).
    float
        The factor.
    """
    scaled = rows / measured[:, None]
    size = scaled.max(axis=0)
    scaled /= size

    def solve(t: float) -> NDArray[np.float64] | None:
        limits = np.concatenate([t - base / measured, base / measured - 1.0 / t])
        found = linprog(np.ones(len(size)), np.vstack([scaled, -scaled]), limits, bounds=(0, None))
        return found.x if found.status == 0 else None

    low, high, best = 1.0, 1.0, None
    while (best := solve(high)) is None:
        high *= 2.0
        if high > 1e6:
            raise ValueError("nothing fits")
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        found = solve(middle)
        low, high, best = (low, middle, found) if found is not None else (middle, high, best)
    return np.maximum(best, 0.0) / size, high


def row(cost: Cost) -> tuple[list[float], list[float]]:
    """What the model multiplies by coefficients: for bytes, for seconds."""
    if cost.direct:
        entries, operations = estimate.factor(cost.dofs, 3)
        return [entries, cost.numbers], [operations, cost.numbers]
    return [cost.numbers, cost.dofs], [cost.numbers, cost.dofs]


def family(cost: Cost) -> str:
    """Name in `costs.py` of the coefficients that a solve tells of."""
    if cost.direct:
        return "Direct"
    return "QUADRATIC" if cost.cells in ("tet10", "hex20", "hex27") else "LINEAR"


def smallest(every: list[Cost]) -> tuple[float, float]:
    """Bytes and seconds of a process that solves next to nothing."""
    found = [(0.99 * c.bytes, 0.95 * c.seconds) for c in every if c.case == "beam/1k" and c.ranks == 1]
    return found[0] if found else (known.BASE_BYTES, known.START_SECONDS)


def efficiency(every: list[Cost], start: float) -> float:
    """The power of the ranks by which time falls, from cases that ran on one rank and on two."""
    one = {c.case: c.seconds for c in every if c.ranks == 1 and not c.direct}
    found = [
        math.log2((one[c.case] - start) / (c.seconds - start - known.MPI_SECONDS))
        for c in every
        if c.ranks == 2 and c.case in one and c.seconds > start + known.MPI_SECONDS
    ]
    return round(float(np.median(found)), 2) if found else known.EFFICIENCY


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="solve what is needed first")
    parser.add_argument(
        "--ranks", action="store_true", help="take the efficiency too: elapsed times of a quiet machine"
    )
    parser.add_argument("--write", action="store_true", help="write the coefficients into the solver")
    options = parser.parse_args()
    file = Costs(ROOT / "build" / "costs.json")
    if options.measure:
        _measure(file)
    every = file.read()
    text = MODULE.read_text()
    base, start = smallest(every)
    for name in ("QUADRATIC", "LINEAR", "Direct"):
        group = [c for c in every if c.ranks == 1 and family(c) == name and c.case != "beam/1k"]
        if len(group) < 2:
            sys.stdout.write(f"{name}: only {len(group)} cases in build/costs.json, coefficients stay\n")
            continue
        rows = [row(c) for c in group]
        memory, worst_memory = fit(np.array([r[0] for r in rows]), np.array([float(c.bytes) for c in group]), base)
        seconds, worst_seconds = fit(np.array([r[1] for r in rows]), np.array([c.seconds for c in group]), start)
        numbers = ", ".join(f"{x:.3g}" for x in (*memory, *seconds))
        sys.stdout.write(f"{name}({numbers}): within {worst_memory:.2f} in memory, {worst_seconds:.2f} in time\n")
        for c, (of_bytes, of_seconds) in zip(group, rows, strict=True):
            memory_ratio = (base + np.dot(of_bytes, memory)) / c.bytes
            time_ratio = (start + np.dot(of_seconds, seconds)) / c.seconds
            sys.stdout.write(f"    {c.case:12} {c.dofs:8} {memory_ratio:6.2f} {time_ratio:6.2f}\n")
        if name == "Direct":
            text = re.sub(r"3: Direct\([^)]*\)", f"3: Direct({numbers})", text)
        else:
            text = re.sub(rf"^{name} = .*$", f"{name} = Iterative({numbers})", text, flags=re.M)
    power = efficiency(every, start)
    sys.stdout.write(f"START_SECONDS {start:.2f}, EFFICIENCY {power}\n")
    text = re.sub(
        r"^BASE_BYTES, START_SECONDS = .*$", f"BASE_BYTES, START_SECONDS = {base:.4g}, {start:.2g}", text, flags=re.M
    )
    if options.ranks:
        text = re.sub(r"^EFFICIENCY = .*$", f"EFFICIENCY = {power}", text, flags=re.M)
    if options.write:
        MODULE.write_text(text)
        sys.stdout.write(f"written to {MODULE}\n")
    return 0


def _measure(file: Costs) -> None:
    folder = ROOT / "build" / "bench"
    for case, direct in NEEDED:
        body = make(case, folder)
        file.keep(body, ours.solve(body, direct=direct), 1)
        sys.stdout.write(f"{case}\n")
        sys.stdout.flush()
    body = make("beam/300k", folder)
    file.keep(body, ours.solve(body, 2), 2)


if __name__ == "__main__":
    sys.exit(main())
