"""What the solver asks of a communicator, over MPI or for one process without MPI.

Only the operations that are used, on numpy arrays. `Serial` lets the check process and the tests use the same code
without starting MPI.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError


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

    def exchange(self, rows: NDArray[Any], counts: NDArray[np.integer]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Send the first counts[0] rows of an array to process 0, the next counts[1] to process 1, and so on.

        Returns the rows received, in order of the sending process, and how many came from each.
        """

    def channel(
        self, neighbours: Sequence[int], send: Sequence[NDArray[Any]], receive: Sequence[NDArray[Any]]
    ) -> Callable[[], None]:
        """Prepare an exchange with some processes that is made again and again.

        Each call of what is returned sends the contiguous array send[k], as it is then, to process neighbours[k], and
        fills receive[k] from it. The sizes are known on both sides, which make their channels and call them in the
        same order.
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

    def exchange(self, rows: NDArray[Any], counts: NDArray[np.integer]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """See `Comm`."""
        return rows, np.array(counts, dtype=np.int64)

    def channel(
        self, neighbours: Sequence[int], send: Sequence[NDArray[Any]], receive: Sequence[NDArray[Any]]
    ) -> Callable[[], None]:
        """See `Comm`."""
        return lambda: None

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

    def exchange(self, rows: NDArray[Any], counts: NDArray[np.integer]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """See `Comm`."""
        from mpi4py import MPI

        tail, dtype = rows.shape[1:], rows.dtype
        sent = np.array(counts, dtype=np.int64)
        received = np.empty(self.size, dtype=np.int64)
        self.mpi.Alltoall(sent, received)
        out = np.empty((int(received.sum()), *tail), dtype=dtype)
        # Rows travel as one MPI element each: counts and places are then below 2^31, as those of local nodes are.
        row = MPI.BYTE.Create_contiguous(int(dtype.itemsize * np.prod(tail, dtype=np.int64))).Commit()
        try:
            self.mpi.Alltoallv(
                [np.ascontiguousarray(rows), _int32(sent), _int32(_starts(sent)), row],
                [out, _int32(received), _int32(_starts(received)), row],
            )
        finally:
            row.Free()
        return out, received

    def channel(
        self, neighbours: Sequence[int], send: Sequence[NDArray[Any]], receive: Sequence[NDArray[Any]]
    ) -> Callable[[], None]:
        """See `Comm`."""
        from mpi4py import MPI

        # They live as long as the process, which has few of them and works on one job.
        requests = [self.mpi.Recv_init(a, source=k) for k, a in zip(neighbours, receive, strict=True)]
        requests += [self.mpi.Send_init(a, dest=k) for k, a in zip(neighbours, send, strict=True)]

        def swap() -> None:
            MPI.Prequest.Startall(requests)
            MPI.Request.Waitall(requests)

        return swap

    def gather(self, value: Any) -> list[Any]:
        """See `Comm`."""
        return list(self.mpi.allgather(value))

    def barrier(self) -> None:
        """See `Comm`."""
        self.mpi.Barrier()


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)[:-1]])


def _int32(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    if counts.max(initial=0) >= 2**31:
        raise SolveError("TOO_MUCH_FOR_ONE_RANK", rows=int(counts.max()))
    return counts.astype(np.int32)


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
        """An order of `nodes` by the process that keeps them, and how many each keeps."""
        return by_process(np.searchsorted(self.bounds, nodes, side="right") - 1, self.comm.size)

    def send(self, nodes: NDArray[np.int64], values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Send a value for each node to the process that keeps it.

        Returns what came here: positions in the local slice, and their values, in order of the sending process.
        """
        order, counts = self.route(nodes)
        where, _ = self.comm.exchange(nodes[order], counts)
        what, _ = self.comm.exchange(values[order], counts)
        return where - self.first, what

    def get(self, kept: NDArray[Any], nodes: NDArray[np.int64]) -> NDArray[Any]:
        """Ask for the values of nodes; `kept` is the local slice of all values."""
        order, counts = self.route(nodes)
        asked, askers = self.comm.exchange(nodes[order], counts)
        answers, _ = self.comm.exchange(kept[asked - self.first], askers)
        out = np.empty((len(nodes), *kept.shape[1:]), dtype=kept.dtype)
        out[order] = answers
        return out


def by_process(process: NDArray[np.integer], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A stable order of things by the process they go to, and how many go to each of `size` processes."""
    return np.argsort(process, kind="stable"), np.bincount(process, minlength=size)
