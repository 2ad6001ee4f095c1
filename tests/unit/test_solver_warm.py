"""What a job must not leave behind in a warm worker: each kind of remains is seen, and seen to be gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import os
from dougong.solver import warm
from dougong.solver.linalg import systems as linalg
from petsc4py import PETSc

os.chdir("/")
remains = warm.Remains(linalg.in_use)
assert remains.none()
assert remains.none()
{litter}
assert not remains.none()
{clean}
assert remains.none()
"""


@pytest.mark.parametrize(
    ("litter", "clean"),
    [
        ("PETSc.Options()['ksp_type'] = 'cg'", "PETSc.Options().delValue('ksp_type')"),
        ("matrix = PETSc.Mat().createAIJ((2, 2))", "del matrix"),
        ("file = open('/dev/null')", "file.close()"),
        ("os.environ['OMP_NUM_THREADS'] = '7'", "del os.environ['OMP_NUM_THREADS']"),
        ("os.chdir('/tmp')", "os.chdir('/')"),
        ("held = b'x' * (128 << 20)", "del held"),
    ],
    ids=["option", "object", "file", "environment", "folder", "memory"],
)
def test_remains_are_seen(litter: str, clean: str) -> None:
    program = _PROGRAM.format(litter=litter, clean=clean)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return {**kept, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
