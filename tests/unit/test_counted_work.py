"""What a solve and a start cost, counted: on a busy machine time tells nothing, a number that grew tells all."""

import json
import subprocess
import sys
from collections import Counter

import pytest

import meshgen
import solving
from dougong.solver import version
from dougong.solver.kernels import Smoother
from dougong.solver.linalg import multigrid
from dougong.solver.linalg.operator import Operator
from dougong.solver.parallel.halo import Halo
from dougong.solver.procedures import static

#: Products and exchanges beside those of the iteration: ten for the largest eigenvalue, two for each step of the
#: estimate of the norm, and the checks of the solution.
BESIDE = 24

#: Between the products of an iteration lies one cycle; before the first and after the last one more.
CYCLES = 2

GIVEN = solving.elastic(
    conditions=[{"region": "x0", "fixed": {}}],
    loads=[{"region": "x1", "traction": solving.vector(z=1.0)}],
    solver={"method": "METHOD_ITERATIVE"},
)


@pytest.fixture
def counted(monkeypatch):
    """Calls of what makes an iteration expensive."""
    found = Counter()

    def count(owner, name):
        real = getattr(owner, name)

        def counting(*args, **kwargs):
            found[f"{owner.__name__}.{name}"] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    for owner, names in ((Operator, ["multiply"]), (multigrid.PMultigrid, ["apply"]), (Smoother, ["step", "residual"])):
        for name in names:
            count(owner, name)
    for name in ("update", "collect"):
        count(Halo, name)
    return found


def beam(n):
    """A 4 x 1 x 1 beam, n cells high."""
    return meshgen.box("tet10", (4 * n, n, n), (4.0, 1.0, 1.0))


def test_an_iteration_reads_the_operator_once_and_smooths_so_often(counted):
    iterations = solving.solve(beam(3), GIVEN).step.solve.iterations
    assert iterations > 5
    # One product of the conjugate gradients; in a cycle no product for the first step from zero, one for each other
    # step, and one residual.
    assert counted["Operator.multiply"] <= iterations + BESIDE
    cycles = counted["PMultigrid.apply"]
    assert cycles <= iterations + CYCLES
    assert counted["Smoother.step"] == cycles * (2 * multigrid.STEPS - 1)
    assert counted["Smoother.residual"] <= cycles + BESIDE


def test_an_iteration_exchanges_with_neighbours_so_often(counted):
    iterations = solving.solve(beam(3), GIVEN).step.solve.iterations
    # A cycle: before each product, for the correction, and its way down; and the product of the conjugate gradients.
    cycle = 2 * multigrid.STEPS + 2
    assert counted["Halo.update"] + counted["Halo.collect"] <= (iterations + CYCLES) * (cycle + 1) + BESIDE


def test_no_matrix_is_assembled_on_the_quadratic_level(monkeypatch):
    """Not even for its norm; one that the user's preconditioner needs is assembled once."""
    assembled = []
    real = static.assemble
    monkeypatch.setattr(static, "assemble", lambda *args: assembled.append(1) or real(*args))
    solving.solve(beam(2), GIVEN)
    assert not assembled
    solving.solve(beam(2), GIVEN | {"solver": {"petsc_options": {"ksp_type": "cg", "pc_type": "gamg"}}})
    assert len(assembled) == 1


def test_iterations_do_not_grow_with_the_body():
    small, large = (solving.solve(beam(n), GIVEN).step.solve.iterations for n in (2, 5))
    assert large <= 25
    assert large <= 1.25 * small


#: What a worker has imported and opened when it is ready: some more than it is now.
MODULES, FILES = 810, 780

#: Not needed for a job, and slow to import.
NEEDLESS = ("importlib.metadata", "email", "urllib.request", "asyncio", "meshio", "multiprocessing", "http", "grpc")


def test_a_worker_starts_without_what_it_does_not_need():
    program = (
        "import sys, json\n"
        "opened = 0\n"
        "def hook(event, _):\n"
        "    global opened\n"
        "    opened += event == 'open'\n"
        "sys.addaudithook(hook)\n"
        "import dougong.solver.worker\n"
        "print(json.dumps([opened, list(sys.modules)]))\n"
    )
    command = [sys.executable, "-s", "-P", "-c", program]
    done = subprocess.run(command, env=solving.environment(), capture_output=True, text=True, check=True)
    opened, modules = json.loads(done.stdout)
    assert [name for name in NEEDLESS if name in modules] == []
    assert len(modules) <= MODULES
    assert opened <= FILES


def test_the_version_is_read_from_the_installation(tmp_path):
    (tmp_path / "dougong_client-2.0.dist-info").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "dougong-1.2.3.dist-info").mkdir()
    folders = [str(tmp_path / name) for name in ("missing", "empty", "installed")]
    assert version.installed(folders) == "1.2.3"
    assert version.installed([str(tmp_path), *folders[:2]]) == "0 (source)"
