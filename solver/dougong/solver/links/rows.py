"""Linear forms in the unknowns of nodes and reference points: the left sides of equations, and springs.

Every rank adds what it sees: the rows of its own nodes, or its share of a sum over a region. Put together, all ranks
have all rows, in an order that does not depend on how the mesh is cut: there are as many as constrained nodes, which
lie on surfaces and edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.solver.parallel.comm import Comm

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Unknowns:
    """Numbers of the unknowns of a model: node by node in the order of the stored mesh, then those of points.

    Attributes
    ----------
    nodes
        Number of nodes.
    components
        Unknowns of each.
    points
        Unknowns of all reference points together.
    """

    nodes: int
    components: int
    points: int = 0

    @property
    def of_nodes(self) -> int:
        """Number of the first unknown of a point."""
        return self.nodes * self.components

    @property
    def total(self) -> int:
        """Number of unknowns."""
        return self.of_nodes + self.points

    def at(self, nodes: NDArray[np.integer]) -> Ints:
        """Unknowns of stored nodes, shape (..., components)."""
        return np.asarray(nodes, dtype=np.int64)[..., None] * self.components + np.arange(self.components)


@dataclass(frozen=True)
class Rows:
    """Linear forms, each with a number beside it: the right-hand side of an equation, the stiffness of a spring.

    Attributes
    ----------
    matrix
        shape (n, unknowns), CSR.
    number
        shape (n,).
    preferred
        shape (n,), int64 - the unknown to solve each for; -1: any.
    source
        shape (n,), int64 - what each came from.
    """

    matrix: sparse.csr_matrix
    number: Array
    preferred: Ints
    source: Ints

    def __len__(self) -> int:
        return len(self.number)


@dataclass
class RowBuilder:
    """Collects rows of one rank."""

    _entries: list[tuple[Ints, Ints, Ints, Array]] = field(default_factory=list)
    _heads: list[tuple[Ints, Ints, Array, Ints]] = field(default_factory=list)

    def add(
        self,
        source: int,
        key: NDArray[np.integer],
        unknowns: NDArray[np.integer],
        coefficients: Array,
        number: float | Array = 0.0,
        preferred: NDArray[np.integer] | int = -1,
    ) -> None:
        """Add rows, or to rows: those with the same source and key are one, whichever rank adds to it.

        Parameters
        ----------
        source
            Number of what they come from.
        key
            shape (n,): tells the rows of a source from each other, and gives their order.
        unknowns, coefficients
            shape (n, k).
        number
            shape (n,): given alike by all ranks that add to a row.
        preferred
            shape (n,): the unknown to solve for.
        """
        keys: Ints = np.asarray(key, dtype=np.int64)
        n, k = unknowns.shape
        which = np.full(n, source, dtype=np.int64)
        self._heads.append(
            (which, keys, np.broadcast_to(number, n).astype(float), np.broadcast_to(preferred, n).astype(np.int64))
        )
        kept = coefficients.ravel() != 0.0
        self._entries.append(
            (
                np.repeat(which, k)[kept],
                np.repeat(keys, k)[kept],
                np.asarray(unknowns, dtype=np.int64).ravel()[kept],
                np.asarray(coefficients, dtype=float).ravel()[kept],
            )
        )

    def together(self, comm: Comm, unknowns: int) -> Rows:
        """The rows of all ranks, `unknowns` in all, on every rank. Collective."""
        source, key, number, preferred = (_joined(columns) for columns in zip(*_all(comm, self._heads, 4), strict=True))
        order = np.lexsort((preferred, number, key, source))
        source, key, number, preferred = source[order], key[order], number[order], preferred[order]
        last = np.ones(len(key), dtype=bool)
        last[:-1] = (source[1:] != source[:-1]) | (key[1:] != key[:-1])
        row_source, row_key = source[last], key[last]
        n = len(row_key)
        e_source, e_key, column, value = (_joined(c) for c in zip(*_all(comm, self._entries, 4), strict=True))
        # Place of (source, key) among the rows: keys of a source ascend.
        row = _find_pairs(row_source, row_key, e_source, e_key)
        order = np.lexsort((value, column, row))  # sums of the same numbers in the same order, however many ranks
        matrix = sparse.coo_matrix((value[order], (row[order], column[order])), shape=(n, unknowns)).tocsr()
        return Rows(matrix, number[last], preferred[last], row_source)


def _all(comm: Comm, mine: Sequence[tuple[NDArray, ...]], width: int) -> list[tuple[NDArray, ...]]:
    """What all ranks have, at least one empty tuple."""
    packed = tuple(_joined([piece[k] for piece in mine]) for k in range(width))
    return list(comm.gather(packed))


def _joined(pieces: list[NDArray] | tuple[NDArray, ...]) -> NDArray:
    return np.concatenate(pieces) if len(pieces) else np.empty(0, dtype=np.int64)


def _find_pairs(a: Ints, b: Ints, of_a: Ints, of_b: Ints) -> Ints:
    """Positions of pairs (of_a, of_b) in the pairs (a, b), which ascend and have them all."""
    both = np.concatenate([np.stack([a, b], axis=1), np.stack([of_a, of_b], axis=1)])
    _, number = np.unique(both, axis=0, return_inverse=True)
    return number.reshape(-1)[len(a) :].astype(np.int64)
