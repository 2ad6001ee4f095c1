"""What the solver asks of a communicator, over MPI or for one process without MPI.

Only the operations that are used, on numpy arrays. `Serial` lets the check process and the tests use the same code
without starting MPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Comm(Protocol):
    """A group of processes; every method but the properties is collective."""

    @property
    def rank(self) -> int:
        """Number of this process."""

    @property
    def size(self) -> int:
        """Number of processes."""

    def sum(self, values: Any) -> NDArray[Any]:
        """Sum over all processes, element by element."""

    def max(self, values: Any) -> NDArray[Any]:
        """Maximum over all processes, element by element."""

    def min(self, values: Any) -> NDArray[Any]:
        """Minimum over all processes, element by element."""

    def offset(self, count: int) -> int:
        """Sum of `count` over the processes of lower rank."""

    def exchange(self, outgoing: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Send array k to process k; returns the array received from each.

        All arrays have the same dtype and, but for the first axis, the same shape.
        """

    def swap(self, send: Sequence[NDArray[Any] | None], receive: Sequence[NDArray[Any] | None]) -> None:
        """Send contiguous array k to process k and fill array k from it; None where there is nothing.

        Only those that have something for each other communicate. The sizes are known on both sides.
        """

    def gather(self, value: Any) -> list[Any]:
        """Small objects of all processes, on every process."""

    def barrier(self) -> None:
        """Wait for all processes."""


class Serial:
    """One process, no MPI."""

    rank = 0
    size = 1

    def sum(self, values: Any) -> NDArray[Any]:
        """See `Comm`."""
        return np.array(values)

    max = sum
    min = sum

    def offset(self, count: int) -> int:
        """See `Comm`."""
        return 0

    def exchange(self, outgoing: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """See `Comm`."""
        return list(outgoing)

    def swap(self, send: Sequence[NDArray[Any] | None], receive: Sequence[NDArray[Any] | None]) -> None:
        """See `Comm`."""

    def gather(self, value: Any) -> list[Any]:
        """See `Comm`."""
        return [value]

    def barrier(self) -> None:
        """See `Comm`."""


class Mpi:
    """The processes of an mpi4py communicator.

    Parameters
    ----------
    comm
        An mpi4py intracommunicator.
    """

    def __init__(self, comm: Any) -> None:
        self.mpi = comm
        self.rank: int = comm.rank
        self.size: int = comm.size

    def _reduce(self, values: Any, op: Any) -> NDArray[Any]:
        out = np.array(values, order="C")  # a number stays one: ndim 0
        from mpi4py import MPI

        self.mpi.Allreduce(MPI.IN_PLACE, out, op=op)
        return out

    def sum(self, values: Any) -> NDArray[Any]:
        """See `Comm`."""
        from mpi4py import MPI

        return self._reduce(values, MPI.SUM)

    def max(self, values: Any) -> NDArray[Any]:
        """See `Comm`."""
        from mpi4py import MPI

        return self._reduce(values, MPI.MAX)

    def min(self, values: Any) -> NDArray[Any]:
        """See `Comm`."""
        from mpi4py import MPI

        return self._reduce(values, MPI.MIN)

    def offset(self, count: int) -> int:
        """See `Comm`."""
        below = self.mpi.exscan(count)
        return 0 if self.rank == 0 else int(below)

    def exchange(self, outgoing: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """See `Comm`."""
        from mpi4py import MPI

        tail = outgoing[0].shape[1:]
        dtype = outgoing[0].dtype
        # Rows travel as one MPI element each, so that counts stay below 2^31.
        row = MPI.BYTE.Create_contiguous(int(dtype.itemsize * np.prod(tail, dtype=np.int64))).Commit()
        try:
            sent = np.array([len(a) for a in outgoing], dtype=np.int32)
            received = np.empty(self.size, dtype=np.int32)
            self.mpi.Alltoall(sent, received)
            send = np.ascontiguousarray(np.concatenate(outgoing))
            receive = np.empty((int(received.sum()), *tail), dtype=dtype)
            self.mpi.Alltoallv([send, (sent, _starts(sent)), row], [receive, (received, _starts(received)), row])
        finally:
            row.Free()
        return np.split(receive, np.cumsum(received)[:-1])

    def swap(self, send: Sequence[NDArray[Any] | None], receive: Sequence[NDArray[Any] | None]) -> None:
        """See `Comm`."""
        requests = [self.mpi.Irecv(a, source=k) for k, a in enumerate(receive) if a is not None]
        requests += [self.mpi.Isend(a, dest=k) for k, a in enumerate(send) if a is not None]
        for request in requests:
            request.Wait()

    def gather(self, value: Any) -> list[Any]:
        """See `Comm`."""
        return list(self.mpi.allgather(value))

    def barrier(self) -> None:
        """See `Comm`."""
        self.mpi.Barrier()


def _starts(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)


class Directory:
    """Values by node number, spread evenly over the processes: process k keeps the k-th slice of all nodes.

    Parameters
    ----------
    comm
        The processes.
    n
        Number of nodes.
    """

    def __init__(self, comm: Comm, n: int) -> None:
        self.comm = comm
        self.n = n
        self.bounds = np.array([n * r // comm.size for r in range(comm.size + 1)], dtype=np.int64)
        self.first = int(self.bounds[comm.rank])
        self.last = int(self.bounds[comm.rank + 1])

    def route(self, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """An order of `nodes` by the process that keeps them, and where each process begins in it."""
        home = np.searchsorted(self.bounds, nodes, side="right") - 1
        order = np.argsort(home, kind="stable")
        return order, np.searchsorted(home[order], np.arange(self.comm.size + 1))

    def send(self, nodes: NDArray[np.int64], values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Send a value for each node to the process that keeps it.

        Returns what came here: positions in the local slice, and their values, in order of the sending process.
        """
        order, starts = self.route(nodes)
        parts = [slice(starts[r], starts[r + 1]) for r in range(self.comm.size)]
        where = np.concatenate(self.comm.exchange([nodes[order][p] for p in parts]))
        what = np.concatenate(self.comm.exchange([np.ascontiguousarray(values[order][p]) for p in parts]))
        return where - self.first, what

    def get(self, kept: NDArray[Any], nodes: NDArray[np.int64]) -> NDArray[Any]:
        """Ask for the values of nodes; `kept` is the local slice of all values."""
        order, starts = self.route(nodes)
        asked = self.comm.exchange([nodes[order][starts[r] : starts[r + 1]] for r in range(self.comm.size)])
        answers = self.comm.exchange([np.ascontiguousarray(kept[a - self.first]) for a in asked])
        out = np.empty((len(nodes), *kept.shape[1:]), dtype=kept.dtype)
        out[order] = np.concatenate(answers)
        return out
