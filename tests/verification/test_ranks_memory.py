"""No rank holds the whole mesh, matrix or result: what each holds at its peak, on 1, 2 and 4 ranks."""

from functools import cache

import numpy as np
import pytest

from dougong.solver import rundir
from meshgen import box
from solving import elastic, mpiexec, prepare, value

pytestmark = pytest.mark.mpi

GIVEN = elastic(
    conditions=[{"region": "x0", "fixed": {}}],
    loads=[{"region": "x1", "traction": {"z": value(1e6)}}],
    outputs={"vtu": True, "fields": [{"name": "displacement"}, {"name": "stress"}]},
    solver={"method": "METHOD_ITERATIVE"},
)


#: What a rank needs to work, however large the body: pieces of arrays that are worked on at a time, the coarsest grid.
WORK_SPACE = 12e6


def peaks(bricks, ranks):
    """Largest resident memory of each rank for a beam."""
    directory = prepare(box("tet10", bricks, (6, 1, 1)), GIVEN)
    ended = mpiexec(ranks, "-m", "dougong.solver.worker", str(directory))
    outcome = rundir.read_outcome(directory)
    assert outcome is not None, ended.stdout + ended.stderr
    assert outcome.HasField("result"), outcome.failure
    return np.array(outcome.cost.peak_bytes)


@cache
def held(ranks):
    """Bytes that each rank holds for 84,000 unknowns at its peak: beyond those for a few cells, which are libraries."""
    return peaks((48, 8, 8), ranks) - peaks((6, 2, 2), ranks)


@pytest.mark.parametrize("ranks", [2, 4])
def test_memory_falls_with_the_ranks(ranks):
    """As their number, but for work space and the cells at the borders of parts, which are held twice."""
    (one,) = held(1)
    assert one > 2.5 * WORK_SPACE
    assert held(ranks).max() < WORK_SPACE + 1.35 * one / ranks


@pytest.mark.parametrize("ranks", [2, 4])
def test_rank_0_holds_no_more_than_others(ranks):
    """Within what parts differ in size."""
    first, *others = held(ranks)
    assert first < 1.25 * max(others) + 2e6
