"""Our worker on a body, as a server would start it."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass

import numpy as np
from bodies import Body
from numpy.typing import NDArray
from processes import FailedError, Run, python, run

from dougong.internal import run_pb2
from dougong.solver import rundir
from dougong.v1 import result_pb2

_numbers = itertools.count()


@dataclass(frozen=True)
class Solved:
    """A run of the worker.

    Attributes
    ----------
    run
        Time and memory.
    result
        What the worker says of it.
    displacement
        shape (n_nodes, 3).
    """

    run: Run
    result: result_pb2.Result
    displacement: NDArray[np.float64]

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage."""
        return {s.stage: s.seconds for s in self.result.stage_times}

    @property
    def iterations(self) -> int:
        """Iterations of the first step."""
        return self.result.steps[0].solve.iterations


def solve(body: Body, ranks: int = 1) -> Solved:
    """Run the worker on a body.

    Raises
    ------
    FailedError
        There is no result.
    """
    folder = body.folder / f"run-{next(_numbers)}"
    shutil.rmtree(folder, ignore_errors=True)
    spec = run_pb2.RunSpec(job_id="bench", token="bench", analysis=body.analysis())
    rundir.prepare(folder, spec, body.folder / "mesh")
    command = python("-s", "-P", "-u", "-m", "mpi4py", "-m", "dougong.solver.worker", folder)
    if ranks > 1:
        command = ["mpiexec", "-n", str(ranks), *command]
    done = run(command)
    outcome = rundir.read_outcome(folder)
    if outcome is None or outcome.WhichOneof("end") != "result":
        raise FailedError(f"{body.name}: {outcome.failure.text if outcome else done.output[-2000:]}")
    rundir.verify_files(folder, outcome)
    k = next(k for k, f in enumerate(outcome.result.fields) if f.name == "displacement")
    path = next(f.path for f in outcome.files if f.WhichOneof("content") == "field_index" and f.field_index == k)
    displacement = np.fromfile(folder / path).reshape(-1, 3)
    shutil.rmtree(folder)
    return Solved(done, outcome.result, displacement)
