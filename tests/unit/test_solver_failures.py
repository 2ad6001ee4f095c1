"""A solve that goes wrong is a failure with a reason, never a result."""

import json

import numpy as np
import pytest

from dougong.internal import run_pb2
from dougong.messages import SolveError
from dougong.solver import rundir, worker
from dougong.solver.linalg import systems as linalg
from dougong.solver.parallel import comm
from dougong.solver.parallel.comm import Serial
from meshgen import box, plate
from solving import elastic, heat, mpiexec, prepare, solve, store, value, vector

DIRECT = {"method": "METHOD_DIRECT"}
ITERATIVE = {"method": "METHOD_ITERATIVE"}
PULL = {"region": "x1", "traction": vector(x=1.0, z=0.3)}
FIXED = {"region": "x0", "fixed": {}}
LACKING = {
    "nothing held": [],
    "one node held": [{"region": "corner", "fixed": {}}],
    "a slider": [{"region": "x0", "displacement": vector(x=0.0, y=0.0)}],
}


def corner():
    return {"corner": {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0, 0, 0]}, "radius": 1e-3}}}


def failure(mesh, given):
    solution = solve(mesh, given)
    assert solution.failure is not None, solution.step.balance
    assert not solution.outcome.files
    text = solution.failure.text
    assert "{" not in text + solution.failure.text_zh
    return solution.failure


@pytest.mark.parametrize("solver", [DIRECT, ITERATIVE], ids=["direct", "iterative"])
@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("cell_type", ["hex8", "tet10"])
def test_a_free_body_is_singular(cell_type, lacking, solver):
    """The check process refuses such a model; the worker, were it asked, does not invent an answer either."""
    given = elastic(regions=corner(), conditions=LACKING[lacking], loads=[PULL], solver=solver)
    assert failure(box(cell_type, (3, 2, 2)), given).reason in ("SINGULAR_SYSTEM", "NOT_CONVERGED")


@pytest.mark.parametrize("solver", [DIRECT, ITERATIVE], ids=["direct", "iterative"])
def test_heat_without_temperature_is_singular(solver):
    given = heat(loads=[{"region": "x1", "heatFlux": value(1.0)}], solver=solver)
    assert failure(plate("quad8", (4, 4)), given).reason in ("SINGULAR_SYSTEM", "NOT_CONVERGED")


@pytest.mark.parametrize("cell_type", ["hex8", "hex20"])
def test_too_few_iterations(cell_type):
    given = elastic(conditions=[FIXED], loads=[PULL], solver=ITERATIVE | {"maxIterations": 1})
    found = failure(box(cell_type, (6, 3, 3)), given)
    assert found.reason == "NOT_CONVERGED"
    assert found.params["iterations"] == "1"
    assert 1e-8 < float(found.params["residual"]) < 1e3
    assert float(found.params["target"]) == 1e-8
    assert "max_iterations" in found.text


def test_a_limit_that_the_user_set_is_kept():
    """A factorisation does not take over where the user asked for the iteration."""
    given = elastic(
        conditions=[FIXED], loads=[PULL], solver=ITERATIVE | {"maxIterations": 2, "relativeTolerance": 1e-12}
    )
    assert failure(box("hex8", (6, 3, 3)), given).params["iterations"] == "2"


@pytest.mark.parametrize("solver", [DIRECT, ITERATIVE], ids=["direct", "iterative"])
def test_numbers_that_overflow(solver):
    given = elastic(conditions=[FIXED], loads=[{"region": "x1", "traction": vector(x=1e308, y=1e308)}], solver=solver)
    given["materials"]["m"]["elastic"]["youngModulus"] = value(1e-300)
    assert failure(box("hex8"), given).reason in ("NON_FINITE", "NOT_CONVERGED", "SINGULAR_SYSTEM")


def test_a_field_that_overflows():
    """Displacements are finite here, squares of stresses are not."""
    stretched = {"region": "x1", "displacement": vector(x=0.01)}
    with np.errstate(all="ignore"):
        found = failure(box("hex8"), elastic(E=1e160, conditions=[FIXED, stretched]))
    assert found.reason == "NON_FINITE"
    assert "von_mises" in found.text


def test_energies_that_overflow():
    """The temperatures are numbers still."""
    given = heat(conditions=[{"region": "x0", "temperature": value(0.0)}], loads=[{"heatSource": value(1e200)}])
    with np.errstate(all="ignore"):
        assert failure(plate("quad4"), given).reason == "NON_FINITE"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (elastic(nu=0.5, conditions=[FIXED], loads=[PULL]), "POISSON_RATIO_OUT_OF_RANGE"),
        (elastic(E=0.0, conditions=[FIXED], loads=[PULL]), "YOUNG_MODULUS_NOT_POSITIVE"),
        (elastic(conditions=[FIXED], loads=[{"region": "x1", "pressure": value("NaN")}]), "NUMBER_NOT_FINITE"),
        (elastic(conditions=[{"region": "nowhere", "fixed": {}}]), "REGION_UNKNOWN"),
        (elastic(conditions=[FIXED, {"region": "x0", "displacement": vector(y=1.0)}]), "CONDITIONS_CONTRADICT"),
        (elastic(conditions=[FIXED], sections=[{"material": "m"}] * 2), "CELLS_IN_TWO_SECTIONS"),
    ],
)  # fmt: skip
def test_the_worker_refuses_what_the_check_refuses(given, reason):
    found = failure(box("hex8"), given)
    assert found.reason == "INVALID_MODEL"
    assert reason in [v.reason for v in found.violations]


def test_nearly_incompressible_is_solved():
    given = elastic(nu=0.4999, conditions=[FIXED], loads=[PULL])
    assert solve(box("hex20"), given).step.balance.energy_error < 1e-6


def test_a_damaged_mesh_is_refused():
    stored = store(box("hex8"))
    directory = prepare(stored, elastic(conditions=[FIXED], loads=[PULL]))
    with open(stored.directory / "points.npy", "r+b") as file:
        file.seek(-8, 2)
        file.write(b"\0" * 8)
    with pytest.raises(Exception, match=r"points\.npy") as caught:
        worker.run(directory, Serial(), None)
    assert worker.failure_of(caught.value, 0).reason == "STORED_MESH_DAMAGED"


def test_an_unexpected_error_is_told_as_the_programs_fault():
    found = worker.failure_of(ZeroDivisionError("by accident"), 2)
    assert (found.reason, found.rank) == ("WORKER_ERROR", 2)
    assert "ZeroDivisionError: by accident" in found.text
    assert worker.failure_of(MemoryError(), 0).reason == "SOLVER_OUT_OF_MEMORY"


class Rank:
    """A communicator of one process."""

    rank, size = 0, 1

    def bcast(self, x, root=0):
        return x

    def Barrier(self):
        pass


def guarded(directory, work):
    return worker._guarded(work, directory, Rank())


def test_a_second_worker_does_nothing():
    directory = prepare(box("hex8"), elastic(conditions=[FIXED], loads=[PULL]))
    assert guarded(directory, lambda: worker.run(directory, Serial(), None)) == 0
    outcome = rundir.read_outcome(directory)
    assert outcome.WhichOneof("end") == "result"

    def never():
        raise AssertionError("it worked")

    assert guarded(directory, never) == rundir.EXIT_NOT_MINE
    assert rundir.read_outcome(directory) == outcome


def test_any_error_becomes_an_outcome(capsys):
    directory = prepare(box("hex8"), elastic(conditions=[FIXED], loads=[PULL]))

    def broken():
        raise RuntimeError("a fault")

    assert guarded(directory, broken) == 0
    outcome = rundir.read_outcome(directory)
    assert outcome.failure.reason == "WORKER_ERROR"
    assert outcome.token == "token"
    assert "a fault" in capsys.readouterr().err


def test_a_revoked_attempt_ends():
    directory = prepare(box("hex8"), elastic(conditions=[FIXED], loads=[PULL]))
    rundir.revoke(directory)
    assert guarded(directory, lambda: worker.run(directory, Serial(), None)) == rundir.EXIT_NOT_MINE
    outcome = rundir.read_outcome(directory)
    assert outcome.revoked
    assert not outcome.HasField("result")


def test_progress_is_written():
    directory = prepare(box("hex20", (3, 2, 2)), elastic(conditions=[FIXED], loads=[PULL], solver=ITERATIVE))
    worker.run(directory, Serial(), None)
    lines, _ = rundir.read_progress(directory, 0)
    stages = list(dict.fromkeys(p.stage for p in lines))
    assert stages == ["read", "partition", "assemble", "setup", "solve", "output"]
    assert [p.elapsed_seconds for p in lines] == sorted(p.elapsed_seconds for p in lines)
    for line in (directory / rundir.PROGRESS).read_text().splitlines():
        assert isinstance(json.loads(line), dict)


@pytest.mark.mpi
def test_an_exception_on_one_rank_ends_all():
    """It never hangs: rank 1 fails while rank 0 waits for it."""
    directory = prepare(box("hex8"), elastic(conditions=[FIXED], loads=[PULL]))
    program = (
        "import sys, pathlib\n"
        "from mpi4py import MPI\n"
        "from dougong.solver import worker\n"
        "world = MPI.COMM_WORLD\n"
        "def work():\n"
        "    if world.rank == 1:\n"
        "        raise RuntimeError('rank one failed')\n"
        "    world.Barrier()\n"
        "    world.recv(source=1)\n"
        "worker._guarded(work, pathlib.Path(sys.argv[1]), world)\n"
    )
    ended = mpiexec(2, "-c", program, str(directory), timeout=30)
    assert ended.returncode != 0, ended
    assert rundir.read_outcome(directory) is not None, ended.stderr + ended.stdout
    outcome = rundir.read_outcome(directory)
    assert outcome.failure.reason == "WORKER_ERROR"
    assert outcome.failure.rank == 1
    assert "rank one failed" in outcome.failure.params["error"]


def test_outcome_survives_the_way_to_disk(tmp_path):
    rundir.write_outcome(tmp_path, run_pb2.Outcome(token="t", revoked=True))
    assert rundir.read_outcome(tmp_path).token == "t"
    data = bytearray((tmp_path / rundir.OUTCOME).read_bytes())
    data[-1] ^= 1
    (tmp_path / rundir.OUTCOME).write_bytes(data)
    with pytest.raises(Exception, match="outcome"):
        rundir.read_outcome(tmp_path)


def test_worker_needs_one_argument(capsys):
    assert worker.main([]) == 2
    assert "RUNDIR" in capsys.readouterr().err
    assert np.geterr() is not None


def test_more_rows_than_mpi_counts_are_refused():
    assert comm._int32(np.array([2**31 - 1])).dtype == np.int32
    with pytest.raises(SolveError) as caught:
        comm._int32(np.array([0, 2**31]))
    assert (caught.value.reason, caught.value.params["rows"]) == ("TOO_MUCH_FOR_ONE_RANK", str(2**31))


@pytest.mark.parametrize("most", [2**31 - 1, 2**31])
def test_numbers_that_petsc_cannot_hold_are_refused(most):
    numbers = np.array([0, most])
    if np.dtype(linalg.PETSc.IntType).itemsize == 8 or most < 2**31:
        assert linalg.indices_of_petsc(numbers).tolist() == [0, most]
        return
    with pytest.raises(SolveError) as caught:
        linalg.indices_of_petsc(numbers)
    assert (caught.value.reason, caught.value.params["number"]) == ("NUMBERS_TOO_LARGE", str(most))
