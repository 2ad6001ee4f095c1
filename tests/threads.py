"""Several ranks as threads of this process: what the solver does between ranks, without starting MPI."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from dougong.solver.parallel.partition import Part

TIMEOUT = 60

# Until Python 3.12 a cached property has one lock for all objects; a collective one would wait for itself.
if hasattr(Part.__dict__["halo"], "lock"):
    Part.__dict__["halo"].lock = contextlib.nullcontext()


class Group:
    """What the threads share."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.barrier = threading.Barrier(size, timeout=TIMEOUT)
        self.slots: list[Any] = [None] * size


class Threads:
    """`dougong.solver.parallel.comm.Comm` over threads."""

    def __init__(self, group: Group, rank: int) -> None:
        self._group = group
        self.rank = rank
        self.size = group.size

    def gather(self, value: Any) -> list[Any]:
        self._group.slots[self.rank] = value
        self._group.barrier.wait()
        found = list(self._group.slots)
        self._group.barrier.wait()
        return found

    def _reduce(self, values: Any, operation: Callable[..., Any]) -> Any:
        return np.asarray(operation.reduce([np.array(v) for v in self.gather(np.array(values))]))

    def sum(self, values: Any) -> Any:
        return self._reduce(values, np.add)

    def max(self, values: Any) -> Any:
        return self._reduce(values, np.maximum)

    def min(self, values: Any) -> Any:
        return self._reduce(values, np.minimum)

    def offset(self, count: int) -> int:
        return sum(self.gather(count)[: self.rank])

    def exchange(self, rows: Any, counts: Any) -> tuple[Any, Any]:
        assert len(counts) == self.size
        assert sum(counts) == len(rows)
        ends = np.cumsum(counts)
        sent = self.gather([np.array(rows[e - n : e]) for e, n in zip(ends, counts, strict=True)])
        mine = [pieces[self.rank] for pieces in sent]
        assert len({(m.dtype, m.shape[1:]) for m in mine}) == 1
        return np.concatenate(mine), np.array([len(m) for m in mine], dtype=np.int64)

    def channel(self, neighbours: Any, send: Any, receive: Any) -> Callable[[], None]:
        assert self.rank not in neighbours

        def swap() -> None:
            every = self.gather({k: a.copy() for k, a in zip(neighbours, send, strict=True)})
            assert {k for k in range(self.size) if self.rank in every[k]} == set(neighbours)
            for k, a in zip(neighbours, receive, strict=True):
                assert a.flags.c_contiguous
                assert a.shape == every[k][self.rank].shape
                a[...] = every[k][self.rank]

        return swap

    def barrier(self) -> None:
        self._group.barrier.wait()


def on_ranks(size: int, work: Callable[[Threads], Any]) -> list[Any]:
    """What `work` returns on each rank; its first error if it raises one."""
    group = Group(size)
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(rank: int) -> None:
        try:
            results[rank] = work(Threads(group, rank))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            errors.append(error)
            group.barrier.abort()

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(size)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(TIMEOUT)
    real = [e for e in errors if not isinstance(e, threading.BrokenBarrierError)] or errors
    if real:
        raise real[0]
    assert not any(t.is_alive() for t in threads), "a rank hangs"
    return results
