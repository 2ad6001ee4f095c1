"""The worker: an MPI program that carries out one run directory.

    mpiexec -n N python -s -P -u -m mpi4py -m dougong.solver.worker RUNDIR

Steps: 1. claim the run directory  2. read specification and mesh  3. distribute the mesh  4. carry out the steps of
the analysis  5. write files and outcome. Whatever goes wrong on any rank becomes an outcome with a reason, and ends
all ranks.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skfem

from dougong.internal import run_pb2
from dougong.meshes.canonical import CONVERTER_VERSION, StoredMesh
from dougong.messages import FemError, InputError, render
from dougong.solver import rundir
from dougong.solver.linalg import graph as linalg_graph
from dougong.solver.linalg import systems as linalg
from dougong.solver.loadings import warmed
from dougong.solver.model import Model, assign_sections
from dougong.solver.notices import notices
from dougong.solver.outputs.writer import ResultWriter
from dougong.solver.parallel.comm import Comm, Mpi, Serial
from dougong.solver.parallel.graph import by_graph
from dougong.solver.parallel.mpi import MPI
from dougong.solver.parallel.partition import build_part
from dougong.solver.problem import resolve
from dougong.solver.procedures import procedure
from dougong.solver.regions import Regions
from dougong.solver.step import StepContext
from dougong.solver.thermal.history import History, wanted_steps
from dougong.solver.usage import Meter, process_began
from dougong.solver.version import VERSION
from dougong.v1 import job_pb2, result_pb2

#: Seconds between looks at `revoked`, and between residuals written.
_LOOK_EVERY = 0.1


class _RevokedError(Exception):
    """The server does not want this attempt any more."""


class Clock:
    """Adds up the time of each stage and writes progress; the same calls on every rank, written by rank 0."""

    def __init__(self, directory: Path, rank: int) -> None:
        self._directory = directory
        self._writer = rundir.ProgressWriter(directory) if rank == 0 else None
        self._stage, self._since = "", time.perf_counter()
        self._frame = 0
        self._written = 0.0
        self.seconds: dict[str, float] = {}

    def report(self, progress: job_pb2.Progress) -> None:
        """Note where the work stands."""
        now = time.perf_counter()
        # Of each load case at least one report is written, and thereby the server's word is heard before it.
        new_frame = progress.frame != self._frame
        new_stage = progress.stage != self._stage
        self._frame = progress.frame
        if new_stage:
            self._close(now)
            self._stage = progress.stage
        if self._writer is not None and (new_stage or new_frame or now - self._written > _LOOK_EVERY):
            self._written = now
            self._writer.write(progress)
            if rundir.is_revoked(self._directory):
                raise _RevokedError

    def _close(self, now: float) -> None:
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._since = now

    def finish(self) -> list[result_pb2.StageTime]:
        """Seconds of all stages; nothing is reported afterwards."""
        self._close(time.perf_counter())
        if self._writer is not None:
            self._writer.close()
        return [result_pb2.StageTime(stage=s, seconds=t) for s, t in self.seconds.items()]


def run(directory: Path, comm: Comm, mpi: Any, meter: Meter | None = None) -> run_pb2.Outcome:
    """Carry out a run directory that is claimed. Collective.

    Raises
    ------
    FemError
        There is no result.
    """
    meter = meter or Meter()
    clock = Clock(directory, comm.rank)
    clock.report(job_pb2.Progress(stage="read"))
    spec = rundir.read_spec(directory)
    stored = StoredMesh(directory / rundir.MESH)
    _refuse_damaged(stored, comm)
    problem = resolve(spec.analysis, stored)

    clock.report(job_pb2.Progress(stage="partition"))
    cut = linalg_graph.graph_partitioner(mpi) if comm.size > 1 else None
    part = build_part(stored, comm, by_graph(cut) if cut is not None else None)
    regions = Regions(stored, part, dict(spec.analysis.regions))
    section_of, wrong = assign_sections(problem, part, regions)
    _refuse(comm, wrong)

    writer = ResultWriter(directory, stored, comm)
    history = History(directory, comm.rank, wanted_steps(spec.analysis))
    steps, told = [], notices(problem, part, section_of)
    try:
        for step in problem.steps:
            model = warmed(Model(step, part, regions, problem.sections, section_of, history))
            context = StepContext(model, mpi, spec.analysis.outputs, spec.analysis.solver, writer, clock.report)
            context.alone = len(problem.steps) == 1
            steps.append(procedure(step.procedure_on(problem.sections)).run(context))
            told += [n for n in context.notices if n not in told]
            if context.told is not None:
                context.told.complete(steps[-1])
        files = writer.finish()
    finally:
        history.close()
    result = result_pb2.Result(
        job_id=spec.job_id,
        steps=steps,
        fields=writer.fields,
        artifacts=writer.artifacts,
        provenance=_provenance(spec, stored, comm),
        notices=told,
        stage_times=clock.finish(),
    )
    return run_pb2.Outcome(token=spec.token, result=result, files=files, cost=meter.read(comm))


def _refuse_damaged(stored: StoredMesh, comm: Comm) -> None:
    """Check the stored mesh, every rank a share. The rank that finds damage says so and ends all, which wait for it."""
    for name in stored.damaged_files(comm.rank, comm.size):
        raise FemError("STORED_MESH_DAMAGED", file=name)
    comm.barrier()


def _refuse(comm: Comm, violations: list[job_pb2.Violation]) -> None:
    every = [v for found in comm.gather(violations) for v in found]
    if every:
        raise InputError(every)


def _provenance(spec: run_pb2.RunSpec, stored: StoredMesh, comm: Comm) -> result_pb2.Provenance:
    return result_pb2.Provenance(
        mesh_id=spec.analysis.mesh,
        conversion_sha256=stored.digest,
        analysis_sha256=spec.analysis_sha256,
        dougong_version=f"{VERSION} (converter {CONVERTER_VERSION})",
        petsc_version=linalg.version(),
        scikit_fem_version=skfem.__version__,
        cpu=_cpu(),
        host=platform.node(),
        ranks=comm.size,
    )


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model Name", "CPU implementer")):
                return f"{platform.machine()} {line.split(':', 1)[1].strip()}"
    except OSError:
        pass
    return platform.machine()


def failure_of(error: BaseException, rank: int) -> job_pb2.Failure:
    """What to tell of an error."""
    if isinstance(error, InputError):
        first = error.violations[0]
        failure = _failure("INVALID_MODEL", {"problem": str(first.text)}, rank, error.violations)
        failure.text_zh = render("INVALID_MODEL", {"problem": str(first.text_zh)}, "zh")
        return failure
    if isinstance(error, FemError):
        return _failure(error.reason, error.params, rank)
    if isinstance(error, MemoryError):
        return _failure("SOLVER_OUT_OF_MEMORY", {}, rank)
    last = traceback.format_exception_only(error)[-1].strip()
    return _failure("WORKER_ERROR", {"error": last}, rank)


def _failure(
    reason: str, params: dict[str, str], rank: int, violations: list[job_pb2.Violation] | None = None
) -> job_pb2.Failure:
    texts = {"text": render(reason, params, "en"), "text_zh": render(reason, params, "zh")}
    return job_pb2.Failure(reason=reason, params=params, rank=rank, violations=violations or [], **texts)


def main(argv: list[str], since: float | None = None) -> int:
    """Carry out the run directory named on the command line; returns the exit code of this rank.

    What the job takes is counted from the monotonic time `since`, default: now.
    """
    meter = Meter(since)
    if len(argv) != 1:
        sys.stderr.write("usage: python -m dougong.solver.worker RUNDIR\n")
        return 2
    directory = Path(argv[0])
    world = MPI.COMM_WORLD
    comm: Comm = Mpi(world) if world.size > 1 else Serial()
    return _guarded(lambda: run(directory, comm, world, meter), directory, world)


def _guarded(work: Callable[[], run_pb2.Outcome], directory: Path, world: Any) -> int:
    """Claim, work, and write the outcome; an error on any rank becomes the outcome and ends all ranks."""
    token = rundir.read_spec(directory).token
    claimed = True
    if world.rank == 0:
        try:
            rundir.raise_fence(directory, token)
        except rundir.AlreadyFencedError:
            claimed = False
    if not world.bcast(claimed):
        sys.stderr.write("another worker has this run directory; nothing was done\n")
        return rundir.EXIT_NOT_MINE
    try:
        outcome = work()
    except _RevokedError:
        sys.stderr.write("revoked by the server\n")
        rundir.write_outcome(directory, run_pb2.Outcome(token=token, revoked=True))
        return _end(world, rundir.EXIT_NOT_MINE)
    except BaseException as error:  # noqa: BLE001 - everything must become an outcome
        traceback.print_exc()
        if isinstance(error, SystemExit | KeyboardInterrupt):
            error = RuntimeError(f"the worker was ended: {error!r}")
        # The first rank that fails writes; where all fail alike, any of them says the same.
        rundir.write_outcome(directory, run_pb2.Outcome(token=token, failure=failure_of(error, world.rank)))
        return _end(world, 0)
    if world.rank == 0:
        rundir.write_outcome(directory, outcome)
    world.Barrier()
    return 0


def _end(world: Any, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if world.size > 1:
        world.Abort(code or 1)
    return code


if __name__ == "__main__":
    np.seterr(all="ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:], process_began()))
