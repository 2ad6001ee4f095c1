"""Our solver against plain GAMG on our own matrix: set-up and solve, in one process.

    python gamg.py BODY-FOLDER CASE RUNS

Prints one JSON object. Both stop at the same reduction of the same norm.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bodies import Body, make
from budget import SHORT_SECONDS

from dougong.solver.assemble import assemble
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.linalg.operator import multigrid_levels
from dougong.solver.linalg.systems import LinearSolver, SolveInput
from dougong.solver.loads import LoadBuilder
from dougong.solver.model import Model, assign_sections
from dougong.solver.parallel.comm import Serial
from dougong.solver.parallel.partition import build_part
from dougong.solver.problem import resolve
from dougong.solver.regions import Regions
from dougong.v1 import analysis_pb2 as pb


class System:
    """The assembled system of a body."""

    def __init__(self, body: Body) -> None:
        stored, message = body.mesh, body.analysis()
        problem = resolve(message, stored)
        part = build_part(stored, Serial())
        regions = Regions(stored, part, dict(message.regions))
        section_of, _ = assign_sections(problem, part, regions)
        self._model = model = Model(problem.steps[0], part, regions, problem.sections, section_of)
        self._constraints = ConstraintBuilder(model).run()
        self._loads = LoadBuilder(model)
        self._loads.run()
        self._system = assemble(model, self._constraints, self._loads.rhs, self._loads.matrices)
        centred = part.points[: part.n_owned] - part.points[: part.n_owned].mean(axis=0)
        self._modes = model.physics.free_modes(centred)[1]

    def ours(self) -> tuple[np.ndarray, int]:
        """As our worker would; assembly of the linear level counts, and the matrix is not needed."""
        return self._solve(lambda: multigrid_levels(self._model, self._constraints, self._loads.matrices))

    def plain(self) -> tuple[np.ndarray, int]:
        """GAMG on the matrix of the quadratic elements, which is there already."""
        return self._solve(lambda: None)

    def _solve(self, levels: Callable[[], Any]) -> tuple[np.ndarray, int]:
        given = SolveInput(self._model.part, lambda: self._system.matrix, self._modes, levels)
        options = pb.SolverOptions(method=pb.SolverOptions.METHOD_ITERATIVE)
        solver = LinearSolver(given, options, False, None)
        try:
            u, record = solver.solve(self._system.rhs, np.zeros_like(self._system.rhs))
        finally:
            solver.destroy()
        return u, record.iterations


def timed(function: Callable[[], tuple[np.ndarray, int]]) -> tuple[float, np.ndarray, int]:
    """Time of a call, and what it returns."""
    start = time.perf_counter()
    u, iterations = function()
    return time.perf_counter() - start, u, iterations


def main() -> None:
    """See the module."""
    body = make(sys.argv[2], Path(sys.argv[1]))
    system = System(body)
    ours, plain = [timed(system.ours)], [timed(system.plain)]
    for _ in range(1, int(sys.argv[3])):
        for times, solve in ((ours, system.ours), (plain, system.plain)):
            if times[0][0] < SHORT_SECONDS:
                times.append(timed(solve))
    difference = np.abs(ours[0][1] - plain[0][1]).max() / np.abs(plain[0][1]).max()
    said = {
        "ours": statistics.median(t for t, _, _ in ours),
        "plain": statistics.median(t for t, _, _ in plain),
        "iterations": ours[0][2],
        "plain_iterations": plain[0][2],
        "difference": float(difference),
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
