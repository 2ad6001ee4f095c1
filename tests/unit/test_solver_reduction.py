"""The reduction u = T q + g against dense algebra, on one rank and on several."""

from pathlib import Path

import pytest

from reduction_cases import CASES, compare, compare_linked
from solving import mpiexec

#: Where Debian has its petsc4py for PETSc with real numbers and 64-bit indices.
WIDE = sorted(Path("/usr/lib/petscdir").glob("petsc64-*/*-real/lib/python3/dist-packages"))


@pytest.mark.parametrize("case", CASES)
def test_on_one_rank(case):
    compare(case)


@pytest.mark.parametrize("blocks", [False, True])
def test_with_links(blocks):
    compare_linked(blocks)


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("case", "ranks"),
    [
        ("oblique", 2),
        ("oblique", 4),
        ("temperature", 3),
        ("everything held", 2),
        ("linked", 2),
        ("linked in blocks", 3),
        ("linked in blocks", 4),
    ],
)
def test_on_several_ranks(case, ranks):
    ended = mpiexec(ranks, "-m", "reduction_cases", case)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.mpi
@pytest.mark.skipif(not WIDE, reason="PETSc with 64-bit indices is not installed (python3-petsc4py-64-real)")
@pytest.mark.parametrize(("case", "ranks"), [("oblique", 1), ("oblique", 2), ("linked in blocks", 2)])
def test_with_64_bit_indices(case, ranks):
    ended = mpiexec(ranks, "-m", "reduction_cases", case, str(WIDE[-1]))
    assert ended.returncode == 0, ended.stdout + ended.stderr
