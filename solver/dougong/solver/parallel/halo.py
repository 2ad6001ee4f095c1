"""Exchange with neighbours: values at ghosts from their owners, and back.

What is exchanged again and again is prepared once: buffers in which the values of one neighbour lie together, and the
messages between them. Bringing values to ghosts is then four operations of Python, however many ranks there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.parallel.comm import Comm

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Halo:
    """Brings ghost values from their owners.

    Ghosts are in the order of the solver's numbering, and so neighbour after neighbour.

    Attributes
    ----------
    comm
        The processes.
    n_owned
        Number of the first ghost.
    neighbours
        The processes that own ghosts of this part, or have nodes of this part as ghosts.
    rows
        shape (n,), int64 - local numbers of the owned nodes whose values neighbours need, neighbour after neighbour.
    row_counts, ghost_counts
        shape (n_neighbours,), int64 - how many of `rows`, and of the ghosts, belong to each neighbour.
    """

    comm: Comm
    n_owned: int
    neighbours: tuple[int, ...]
    rows: Ints
    row_counts: Ints
    ghost_counts: Ints
    _channels: dict[tuple[Any, ...], _Channel] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, comm: Comm, n_owned: int, ghosts: Ints) -> Halo:
        """The halo of a part, from the solver's numbers of its ghosts, which ascend. Collective."""
        starts = np.concatenate([[0], np.cumsum(comm.gather(n_owned))]).astype(np.int64)
        ghost_counts = np.diff(np.searchsorted(ghosts, starts))
        asked, row_counts = comm.exchange(ghosts, ghost_counts)
        near = np.flatnonzero(ghost_counts + row_counts)
        rows = asked - starts[comm.rank]
        return cls(comm, n_owned, tuple(near.tolist()), rows, row_counts[near], ghost_counts[near])

    def update(self, values: NDArray[Any]) -> None:
        """Set the ghost rows of `values`, shape (n_local, ...), from their owners. Collective."""
        if self.comm.size == 1:
            return
        channel = self._channel(values)
        np.take(values, self.rows, axis=0, out=channel.rows, mode="clip")
        channel.to_ghosts()
        values[self.n_owned :] = channel.ghosts

    def collect(self, values: NDArray[Any]) -> None:
        """Add the ghost rows of `values`, shape (n_local, ...), to their owners' rows. Collective."""
        if self.comm.size == 1:
            return
        channel = self._channel(values)
        channel.ghosts[...] = values[self.n_owned :]
        channel.to_owners()
        # A node may be a ghost of several neighbours, but of each once.
        for nodes, arrived in channel.arrivals:
            values[nodes] += arrived

    def _channel(self, values: NDArray[Any]) -> _Channel:
        key = (values.dtype.str, *values.shape[1:])
        if key not in self._channels:
            self._channels[key] = _Channel.of(self, values)
        return self._channels[key]


@dataclass(frozen=True)
class _Channel:
    """Buffers for values of one kind, and the two exchanges between them."""

    rows: NDArray[Any]
    ghosts: NDArray[Any]
    arrivals: list[tuple[Ints, NDArray[Any]]]
    to_ghosts: Callable[[], None]
    to_owners: Callable[[], None]

    @classmethod
    def of(cls, halo: Halo, like: NDArray[Any]) -> _Channel:
        rows = np.empty((len(halo.rows), *like.shape[1:]), dtype=like.dtype)
        ghosts = np.empty((len(like) - halo.n_owned, *like.shape[1:]), dtype=like.dtype)
        nodes, row_pieces = _split(halo.rows, halo.row_counts), _split(rows, halo.row_counts)
        ghost_pieces = _split(ghosts, halo.ghost_counts)
        to_ghosts = halo.comm.channel(halo.neighbours, row_pieces, ghost_pieces)
        to_owners = halo.comm.channel(halo.neighbours, ghost_pieces, row_pieces)
        return cls(rows, ghosts, list(zip(nodes, row_pieces, strict=True)), to_ghosts, to_owners)


def _split(array: NDArray[Any], counts: Ints) -> list[NDArray[Any]]:
    """The piece of each neighbour, as views."""
    return np.split(array, np.cumsum(counts)[:-1]) if len(counts) else []
