"""PETSc's graph partitioners, by which a mesh is cut into parts."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dougong.solver.linalg.systems  # noqa: F401 - it starts PETSc, with the arguments that it needs
from dougong.solver.linalg.systems import indices_of_petsc

from petsc4py import PETSc  # isort: skip


def graph_partitioner(comm: Any) -> Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.integer]] | None:
    """PETSc's graph partitioner; None where PETSc was built without one that works.

    Parameters
    ----------
    comm
        mpi4py communicator.
    """
    built_with = [k for k in ("ptscotch", "parmetis") if PETSc.Sys.hasExternalPackage(k)]
    kind = next((k for k in built_with if k != "ptscotch" or _scotch_has_integers_of_petsc()), None)
    if kind is None:
        return None

    def cut(indptr: NDArray[np.int64], indices: NDArray[np.int64]) -> NDArray[np.integer]:
        n = len(indptr) - 1
        csr = (indices_of_petsc(indptr), indices_of_petsc(indices), np.ones(len(indices)))
        rows = PETSc.Mat().createAIJ(((n, None), (n, None)), csr=csr, comm=comm)
        graph = rows.convert("mpiadj")
        partitioning = PETSc.MatPartitioning().create(comm=comm)
        partitioning.setAdjacency(graph)
        partitioning.setType(kind)
        parts = PETSc.IS()
        partitioning.apply(parts)
        found = parts.getIndices().copy()
        for thing in (parts, partitioning, graph, rows):
            thing.destroy()
        return np.asarray(found)

    return cut


def _scotch_has_integers_of_petsc() -> bool:
    """Whether PT-Scotch takes PETSc's arrays. Debian's PETSc 3.18 with 64-bit indices has one with 32-bit integers."""
    try:
        return ctypes.CDLL(PETSc.__file__).SCOTCH_numSizeof() == np.dtype(PETSc.IntType).itemsize
    except (OSError, AttributeError):
        return True  # Linked so that nobody can ask it.
