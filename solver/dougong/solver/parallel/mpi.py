"""mpi4py's MPI, started without a launcher's daemon and without a network where the process is alone.

Open MPI otherwise starts a daemon for every process that no launcher started, and opens all its network drivers: three
quarters of the time that MPI takes to start. Other MPI libraries do not know these settings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

#: What launchers tell the processes they start: Open MPI's mpiexec, PMIx (srun, prterun), PMI (srun, Hydra).
_LAUNCHERS = ("OMPI_COMM_WORLD_", "PMIX_", "PMI_")

_ALONE = {"OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self"}


@contextmanager
def settings_of_one(environment: MutableMapping[str, str]) -> Iterator[None]:
    """While MPI starts, set what a process without a launcher needs; what is set already stays, and wins."""
    if any(name.startswith(_LAUNCHERS) for name in environment):
        yield
        return
    ours = {name: value for name, value in _ALONE.items() if name not in environment}
    environment.update(ours)
    try:
        yield
    finally:
        # A program that this process starts may have ranks of its own.
        for name in ours:
            del environment[name]


with settings_of_one(os.environ):
    from mpi4py import MPI as MPI
