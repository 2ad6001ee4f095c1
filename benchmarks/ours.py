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
from dougong.solver.estimate.estimate import estimate
from dougong.solver.problem import resolve
from dougong.v1 import analysis_pb2, job_pb2, result_pb2

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
    cost
        Time and memory of each rank, as the worker says.
    direct
        Whether it was told to factorise.
    """

    run: Run
    result: result_pb2.Result
    displacement: NDArray[np.float64]
    cost: run_pb2.Cost
    direct: bool

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage."""
        return {s.stage: s.seconds for s in self.result.stage_times}

    @property
    def iterations(self) -> int:
        """Iterations of the first step."""
        return self.result.steps[0].solve.iterations


def analysis_of(body: Body, direct: bool) -> analysis_pb2.Analysis:
    """What acts on a body; `direct`: to be factorised, whatever its size."""
    analysis = body.analysis()
    if direct:
        analysis.solver.method = analysis_pb2.SolverOptions.METHOD_DIRECT
    return analysis


def predict(body: Body, ranks: int = 1, direct: bool = False) -> job_pb2.Estimate:
    """What the estimate says of a body, without any history."""
    problem = resolve(analysis_of(body, direct), body.mesh)
    return estimate(problem, body.mesh, job_pb2.Resources(ranks=ranks))


def solve(body: Body, ranks: int = 1, direct: bool = False) -> Solved:
    """Run the worker on a body; `direct`: it factorises, whatever the size.

    Raises
    ------
    FailedError
        There is no result.
    """
    folder = body.folder / f"run-{next(_numbers)}"
    shutil.rmtree(folder, ignore_errors=True)
    spec = run_pb2.RunSpec(job_id="bench", token="bench", analysis=analysis_of(body, direct))
    rundir.prepare(folder, spec, body.folder / "mesh")
    command = python("-s", "-P", "-u", "-m", "mpi4py", "-m", "dougong.solver.worker", folder)
    if ranks > 1:
        command = ["mpiexec", "--oversubscribe", "-n", str(ranks), *command]
    done = run(command)
    outcome = rundir.read_outcome(folder)
    if outcome is None or outcome.WhichOneof("end") != "result":
        raise FailedError(f"{body.name}: {outcome.failure.text if outcome else done.output[-2000:]}")
    rundir.verify_files(folder, outcome)
    k = next(k for k, f in enumerate(outcome.result.fields) if f.name == "displacement")
    path = next(f.path for f in outcome.files if f.WhichOneof("content") == "field_index" and f.field_index == k)
    displacement = np.fromfile(folder / path).reshape(-1, 3)
    shutil.rmtree(folder)
    return Solved(done, outcome.result, displacement, outcome.cost, direct)
