"""PETSc with 64-bit indices gives the same answers, on one rank and on two."""

from pathlib import Path

import numpy as np
import pytest

from dougong.solver import rundir
from meshgen import box
from solving import Solution, elastic, mpiexec, prepare, solve, store, value

#: Where Debian has its petsc4py for PETSc with real numbers and 64-bit indices.
FOUND = sorted(Path("/usr/lib/petscdir").glob("petsc64-*/*-real/lib/python3/dist-packages"))

pytestmark = [
    pytest.mark.mpi,
    pytest.mark.skipif(not FOUND, reason="PETSc with 64-bit indices is not installed (python3-petsc4py-64-real)"),
]

#: The worker, on the petsc4py of a folder.
PROGRAM = """
import runpy, sys
sys.path.insert(0, {folder!r})
from petsc4py import PETSc
assert PETSc.IntType(0).itemsize == 8
sys.argv = ["worker", {directory!r}]
runpy.run_module("dougong.solver.worker", run_name="__main__")
"""

GIVEN = elastic(
    conditions=[{"region": "x0", "fixed": {}}],
    loads=[{"region": "x1", "traction": {"z": value(1e6)}}],
)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("cells", "solver"),
    [
        ("tet10", {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}),
        ("hex8", {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}),
        ("hex20", {"method": "METHOD_DIRECT"}),
    ],
)
def test_same_answer(cells, solver, ranks):
    stored = store(box(cells, (6, 3, 3), (2, 1, 1)))
    given = GIVEN | {"solver": solver}
    usual = solve(stored, given)
    directory = prepare(stored, given)
    ended = mpiexec(ranks, "-c", PROGRAM.format(folder=str(FOUND[-1]), directory=str(directory)))
    outcome = rundir.read_outcome(directory)
    assert outcome is not None, ended.stdout + ended.stderr
    rundir.verify_files(directory, outcome)
    wide = Solution(directory, outcome, ended.stdout + ended.stderr)
    assert wide.step.solve.method == usual.step.solve.method
    for name in ("displacement", "stress"):
        expected = usual.field(name)
        assert np.abs(wide.field(name) - expected).max() <= 1e-8 * np.abs(expected).max(), name
