"""A sample of the verification on each way of computing, on 2 to 4 ranks; `make test-paths` runs all of it on each."""

import pytest

import paths
import solving

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(solving.WORLD.size > 1, reason="starts ranks of its own")]

#: Each path once; what runs on one rank is in the other tests. With 4 ranks there are parts without inner nodes.
SAMPLE = [("fused", 4), ("plain", 2), ("matrix-free", 3), ("assembled", 2)]

#: A field that quadratic cells contain, two cell types in one body, and a pressure through the worker.
TESTS = (
    "tests/verification/test_patch.py::test_quadratic_displacement",
    "tests/verification/test_patch.py::test_linear_displacement_across_cell_types",
    "tests/verification/test_exact_solutions.py::test_hydrostatic_pressure",
)


@pytest.mark.parametrize(("path", "ranks"), SAMPLE)
def test_a_sample_on_each_path(path, ranks):
    ended = paths.run(path, ranks, list(TESTS))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
