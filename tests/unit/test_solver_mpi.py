"""How MPI is started."""

import os
import subprocess
import sys

import pytest

from dougong.solver.parallel.mpi import settings_of_one


def test_alone_the_network_is_left_out_while_mpi_starts_and_no_longer():
    environment = {"OMPI_MCA_btl": "tcp,self", "PATH": "/bin"}
    before = dict(environment)
    with settings_of_one(environment):
        assert environment["OMPI_MCA_ess_singleton_isolated"] == "1"
        assert environment["OMPI_MCA_btl"] == "tcp,self", "what was set wins"
    assert environment == before


@pytest.mark.parametrize("name", ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE"])
def test_under_a_launcher_nothing_is_set(name):
    environment = {name: "2"}
    with settings_of_one(environment):
        assert environment == {name: "2"}


def test_a_process_alone_starts_no_daemon_and_leaves_its_environment():
    program = (
        "import os, pathlib; before = dict(os.environ)\n"
        "from dougong.solver import worker\n"
        "assert worker.MPI.COMM_WORLD.size == 1\n"
        "assert dict(os.environ) == before\n"
        "print(*(p.read_text() for p in pathlib.Path('/proc/self/task').glob('*/children')))"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "PMI_"))}
    clean["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    ended = subprocess.run([sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == []
