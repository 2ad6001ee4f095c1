"""Solves small models for tests: through the worker, on one rank or more, or step by step in this process.

Where the tests themselves run under mpiexec (tests/paths.py) each test runs on all ranks at once: a solve is shared by
all of them, and every rank sees the whole result.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from dougong.internal import run_pb2
from dougong.meshes import canonical
from dougong.meshes.canonical import StoredMesh
from dougong.meshes.mesh import Mesh
from dougong.solver import rundir, worker
from dougong.solver.assemble import assemble
from dougong.solver.check import check
from dougong.solver.conditions import ConstraintBuilder, ConstraintSet
from dougong.solver.linalg import graph as linalg_graph
from dougong.solver.linalg import systems as linalg
from dougong.solver.linalg.operator import multigrid_levels
from dougong.solver.loads import LoadBuilder
from dougong.solver.model import Model, assign_sections
from dougong.solver.parallel.comm import Comm, Mpi, Serial
from dougong.solver.parallel.graph import by_graph
from dougong.solver.parallel.mpi import MPI
from dougong.solver.parallel.partition import build_part
from dougong.solver.problem import resolve
from dougong.solver.recover import Recovery
from dougong.solver.regions import Regions
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, result_pb2

_ROOT = tempfile.TemporaryDirectory(prefix="dougong-test-")
atexit.register(_ROOT.cleanup)

#: The processes that run the tests together.
WORLD = MPI.COMM_WORLD

#: How systems are solved where a test leaves it open (tests/paths.py): "matrix-free" iterates without a matrix where
#: there is a way, "assembled" iterates on one; else the solver chooses.
FORCED = os.environ.get("DOUGONG_TEST_SOLVER", "")


def _hide_mpi() -> None:
    """Take back what starting MPI in this process did to its environment: programs started later would take themselves
    for part of this one, and mpiexec would not start."""
    listed = subprocess.run(["env", "-0"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in (entry.split("=", 1)[0] for entry in listed.split("\0") if entry):
        if name not in os.environ and name.startswith(("OMPI_", "PMIX_", "PRTE_", "OPAL_", "ORTE_", "PMI_")):
            os.unsetenv(name)


_hide_mpi()

#: Seconds after which a run on several ranks is taken as hanging.
TIMEOUT = 60

_LOCATIONS = {"node": pb.LOCATION_NODE, "point": pb.LOCATION_INTEGRATION_POINT, "cell": pb.LOCATION_CELL}


def analysis(given: dict[str, Any] | pb.Analysis) -> pb.Analysis:
    """An analysis as a message."""
    return given if isinstance(given, pb.Analysis) else json_format.ParseDict(given, pb.Analysis())


def value(x: float) -> dict[str, float]:
    return {"value": x}


def vector(**components: float) -> dict[str, dict[str, float]]:
    return {name: value(x) for name, x in components.items()}


def elastic(E: float = 2.1e5, nu: float = 0.3, **steps: Any) -> dict[str, Any]:
    """A static analysis of one material; `conditions` and `loads` as keywords, anything else goes in as it is."""
    return _single({"elastic": {"youngModulus": value(E), "poissonRatio": value(nu)}}, "static", steps)


def kinematics(name: str, **more: Any) -> list[dict[str, Any]]:
    """A section of kinematics such as "plane_stress" for all cells; `thickness` as keyword."""
    return [{"material": "m", "kinematics": f"KINEMATICS_{name.upper()}"} | {k: value(x) for k, x in more.items()}]


def heat(k: float = 50.0, **steps: Any) -> dict[str, Any]:
    """The same for steady heat conduction."""
    return _single({"conductivity": value(k)}, "steadyHeat", steps)


def _single(material: dict[str, Any], procedure: str, rest: dict[str, Any]) -> dict[str, Any]:
    step = {procedure: {}, "conditions": rest.pop("conditions", []), "loads": rest.pop("loads", [])}
    material = material | rest.pop("material", {})
    return {"materials": {"m": material}, "sections": [{"material": "m"}], "steps": [step]} | rest


def store(mesh: Mesh) -> StoredMesh:
    """A mesh as the worker finds it."""
    directory = Path(tempfile.mkdtemp(dir=_ROOT.name))
    canonical.write(mesh, directory)
    return StoredMesh(directory)


@dataclass(frozen=True)
class Solution:
    """How a run ended."""

    directory: Path
    outcome: run_pb2.Outcome
    log: str = ""

    @property
    def failure(self) -> job_pb2.Failure | None:
        return self.outcome.failure if self.outcome.WhichOneof("end") == "failure" else None

    @property
    def result(self) -> result_pb2.Result:
        assert self.failure is None, f"{self.outcome.failure}\n{self.log}"
        return self.outcome.result

    @property
    def step(self) -> result_pb2.StepResult:
        return self.result.steps[0]

    def field(self, name: str, location: str = "node", step: str = "", frame: int = 0) -> np.ndarray:
        """A field, shape (n, components)."""
        for k, info in enumerate(self.result.fields):
            of_it = info.frame == frame and step in ("", info.step)
            if of_it and info.name == name and info.location == _LOCATIONS[location]:
                path = next(f.path for f in self.outcome.files if f.WhichOneof("content") and _index(f) == k)
                data = np.fromfile(self.directory / path, dtype="<f8")
                return data.reshape(info.shape[0], -1)
        raise KeyError(f"no field {name} at {location}")

    def extreme(self, name: str, component: str = "") -> result_pb2.Extreme:
        return next(e for e in self.step.extremes if e.field == name and e.component == component)


def _index(file: run_pb2.ResultFile) -> int:
    return file.field_index if file.WhichOneof("content") == "field_index" else -1


def prepare(mesh: Mesh | StoredMesh, given: dict[str, Any] | pb.Analysis) -> Path:
    """A run directory, the same on all ranks that run the tests."""
    return WORLD.bcast(_prepare(mesh, given) if WORLD.rank == 0 else None)


def _prepare(mesh: Mesh | StoredMesh, given: dict[str, Any] | pb.Analysis) -> Path:
    stored = mesh if isinstance(mesh, StoredMesh) else store(mesh)
    directory = Path(tempfile.mkdtemp(dir=_ROOT.name)) / "run"
    message = analysis(given)
    if FORCED and message.solver.method == pb.SolverOptions.METHOD_UNSPECIFIED:
        message.solver.MergeFrom(_forced())
    spec = run_pb2.RunSpec(job_id="job", token="token", analysis=message)
    rundir.prepare(directory, spec, stored.directory)
    return directory


def _forced() -> pb.SolverOptions:
    options = pb.SolverOptions(method=pb.SolverOptions.METHOD_ITERATIVE, relative_tolerance=1e-13)
    if FORCED == "assembled":
        options.petsc_options["pc_type"] = "gamg"
    return options


def solve(mesh: Mesh | StoredMesh, given: dict[str, Any] | pb.Analysis, ranks: int = 1) -> Solution:
    """Run the worker: on the ranks that run the tests in this process, on several others under mpiexec."""
    directory = prepare(mesh, given)
    if ranks > 1:
        return _mpiexec(directory, ranks)
    try:
        outcome = worker.run(directory, _world(), WORLD)
    except Exception as error:
        outcome = run_pb2.Outcome(token="token", failure=worker.failure_of(error, 0))
        if outcome.failure.reason == "WORKER_ERROR":
            raise
    outcome = WORLD.bcast(outcome)
    rundir.verify_files(directory, outcome)
    return Solution(directory, outcome)


def _world() -> Comm:
    return Mpi(WORLD) if WORLD.size > 1 else Serial()


def environment() -> dict[str, str]:
    """For programs started under mpiexec."""
    names = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
    names += tuple(n.replace("OMPI", "PRTE") for n in names)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_MCA_", "PMIX_"))}
    path = os.pathsep.join(p for p in sys.path if p)
    return clean | dict.fromkeys(names, "1") | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def mpiexec(ranks: int, *command: str, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
    """Run a Python program under mpiexec; it ends when it takes too long."""
    program = ["mpiexec", "--oversubscribe", "-n", str(ranks), sys.executable, "-s", "-P", "-u", "-m", "mpi4py"]
    return subprocess.run(
        [*program, *command], env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def _mpiexec(directory: Path, ranks: int) -> Solution:
    if WORLD.size > 1:
        pytest.skip("asks for ranks of its own")
    ended = mpiexec(ranks, "-m", "dougong.solver.worker", str(directory))
    outcome = rundir.read_outcome(directory)
    assert outcome is not None, f"no outcome, exit code {ended.returncode}\n{ended.stdout}{ended.stderr}"
    rundir.verify_files(directory, outcome)
    return Solution(directory, outcome, ended.stdout + ended.stderr)


def check_model(mesh: Mesh | StoredMesh, given: dict[str, Any] | pb.Analysis) -> run_pb2.CheckReply:
    """What the check process says of an analysis."""
    stored = mesh if isinstance(mesh, StoredMesh) else store(mesh)
    return check(run_pb2.CheckRequest(analysis=analysis(given), mesh_directory=str(stored.directory)))


def model_of(mesh: Mesh | StoredMesh, given: dict[str, Any] | pb.Analysis, comm: Comm | None = None) -> Model:
    """The first step of an analysis on a part: of the ranks that run the tests, unless told otherwise."""
    stored = mesh if isinstance(mesh, StoredMesh) else store(mesh)
    message = analysis(given)
    problem = resolve(message, stored)
    cut = linalg_graph.graph_partitioner(WORLD) if comm is None and WORLD.size > 1 else None
    part = build_part(stored, comm or _world(), by_graph(cut) if cut is not None else None)
    regions = Regions(stored, part, dict(message.regions))
    section_of, wrong = assign_sections(problem, part, regions)
    assert not wrong, wrong
    return Model(problem.steps[0], part, regions, problem.sections, section_of)


class Discrete:
    """A step whose prescribed values and loads a test gives itself; on several ranks all arrays are those of the part.

    Parameters
    ----------
    mesh, given
        Mesh and analysis; the conditions of the analysis hold unless `prescribe` is called.
    """

    def __init__(self, mesh: Mesh, given: dict[str, Any]) -> None:
        self.model = model_of(mesh, given)
        part = self.model.part
        self.points = part.points
        self.nc = self.model.components
        loads = LoadBuilder(self.model)
        loads.run()
        self.rhs, self.extra = loads.rhs, loads.matrices
        builder = ConstraintBuilder(self.model)
        self.constraints = builder.run()
        assert not builder.violations, builder.violations

    @cached_property
    def boundary(self) -> np.ndarray:
        """Local nodes on the boundary of the mesh."""
        part = self.model.part
        on = np.zeros((part.n_local, 1))
        for f in self.model.regions.boundary():
            on[f.nodes.ravel()] = 1.0
        # A rank sees the facets at its own nodes; what is known of a ghost comes from its owner.
        part.halo.update(on)
        return np.flatnonzero(on[:, 0])

    @property
    def n_inside(self) -> int:
        """Nodes that are not on the boundary of the mesh, of all ranks."""
        part = self.model.part
        return int(part.n_total - part.comm.sum(np.count_nonzero(self.boundary < part.n_owned)))

    def prescribe(self, nodes: np.ndarray, values: np.ndarray) -> None:
        """Prescribe all components at nodes; values (n, nc)."""
        index = np.full(self.model.part.n_local, -1, dtype=np.int32)
        index[nodes] = np.arange(len(nodes), dtype=np.int32)
        zero = np.zeros((len(nodes), self.nc, self.nc))
        rank = np.full(len(nodes), self.nc)
        self.constraints = ConstraintSet(index, nodes.astype(np.int32), zero, np.asarray(values, float), rank)

    def load_cells(self, form: Any) -> None:
        """Add a linear form over all cells, integrated far beyond the order of the cells."""
        from dougong.solver import elements

        for block in self.model.part.blocks:
            name = block.type.name
            X, W = elements.quadrature(block.type.family, 8)
            reference = elements.Reference(block.type, X, W, *elements.tabulate(name, X))
            basis = elements.LoadBasis(reference, self.points, block.nodes, self.nc)
            self.rhs += form.assemble(basis).reshape(self.rhs.shape)

    def solve(self, **options: Any) -> np.ndarray:
        """The solution, shape (n_local, nc); factorised unless told otherwise."""
        system = assemble(self.model, self.constraints, self.rhs, self.extra)
        part = self.model.part
        modes = self.model.physics.free_modes(self.points[: part.n_owned])[1]
        chosen = pb.SolverOptions(method=pb.SolverOptions.METHOD_DIRECT)
        if FORCED:
            chosen = _forced()
        chosen.MergeFrom(pb.SolverOptions(**options))
        direct = chosen.method == pb.SolverOptions.METHOD_DIRECT
        given = linalg.SolveInput(
            part, lambda: system.matrix, modes, lambda: multigrid_levels(self.model, self.constraints, self.extra)
        )
        solver = linalg.LinearSolver(given, chosen, direct, WORLD if part.comm.size > 1 else None)
        u = np.zeros((part.n_local, self.nc))
        u[self.constraints.nodes] = self.constraints.prescribed
        try:
            u[: part.n_owned] = solver.solve(system.rhs, u[: part.n_owned].copy())[0]
        finally:
            solver.destroy()
        part.halo.update(u)
        return u

    def recover(self, u: np.ndarray, nodal: list[str], at_points: list[str]) -> Recovery:
        return Recovery(self.model, u, self.extra, (), nodal, at_points)

    def errors(self, u: np.ndarray, exact: Callable[..., np.ndarray], gradient: Callable[..., np.ndarray]) -> Any:
        """L2 norm of the error, and of the error of the gradient.

        Parameters
        ----------
        exact
            Points (n, dim) -> (n, nc).
        gradient
            Points (n, dim) -> (n, nc, dim).
        """
        from dougong.solver import elements

        l2 = h1 = 0.0
        for block in self.model.part.blocks:
            X, W = elements.quadrature(block.type.family, 8)
            N, dN = elements.tabulate(block.type.name, X)
            nodes = block.nodes[block.mine]
            x = self.points[nodes]
            J = np.einsum("qaj,nai->nqij", dN, x)
            measure = np.linalg.det(J) * W
            at = np.einsum("qa,nai->nqi", N, x)
            shape = np.einsum("qaj,nqji->nqai", dN, np.linalg.inv(J))
            flat = at.reshape(-1, at.shape[-1])
            value_error = np.einsum("qa,nac->nqc", N, u[nodes]) - exact(flat).reshape(*at.shape[:2], self.nc)
            slope = np.einsum("nac,nqai->nqci", u[nodes], shape)
            slope_error = slope - gradient(flat).reshape(slope.shape)
            l2 += float(np.einsum("nq,nqc->", measure, value_error**2))
            h1 += float(np.einsum("nq,nqci->", measure, slope_error**2))
        l2, h1 = self.model.part.comm.sum([l2, h1])
        return np.sqrt(l2), np.sqrt(h1)
