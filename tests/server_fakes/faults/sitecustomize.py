"""Faults of a real worker: with this folder on PYTHONPATH its last rank fails where the name of a job asks for it.

raise          an exception
memory         as if there were no memory left
exit           an end without a word
wait           all ranks wait for the file "go on" in the run directory, and then go on

It happens while the mesh is distributed, so that the other ranks wait in a collective call.
"""

import importlib.abc
import importlib.machinery
import os
import sys
import time

_MODULE = "dougong.solver.parallel.partition"


def _fail(what: str, directory: str, rank: int, size: int) -> None:
    while what == "wait" and not os.path.exists(os.path.join(directory, "go on")):
        time.sleep(0.02)
    if rank != size - 1:
        return
    if what == "raise":
        raise RuntimeError("raised on purpose")
    if what == "memory":
        raise MemoryError
    if what == "exit":
        os._exit(7)


class _Loader(importlib.abc.Loader):
    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec):
        return self._real.create_module(spec)

    def exec_module(self, module):
        self._real.exec_module(module)
        build = module.build_part

        def build_part(stored, comm, *rest):
            # What is imported above would be imported too early.
            from pathlib import Path

            from dougong.solver import rundir

            directory = sys.argv[-1]
            _fail(rundir.read_spec(Path(directory)).analysis.name, directory, comm.rank, comm.size)
            return build(stored, comm, *rest)

        module.build_part = build_part


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


# Not in the process that checks analyses.
if "OMPI_COMM_WORLD_RANK" in os.environ:
    sys.meta_path.insert(0, _Finder())
