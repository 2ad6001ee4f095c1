"""Linear equations solved for one unknown each, and those of them found that say nothing new.

Most equations of an analysis (ties, couplings) have an unknown of their own, that of the slave: such an equation is
solved for it as it stands. Taken away, it may leave another with an unknown of its own, as where a slave is the master
of others; round after round, this ends a chain however long. What is left at the end (loops, equations that conditions
have touched) is eliminated row by row, with the largest coefficient as pivot. A row that vanishes depends on others.

Sources: Abel, Shephard, "An algorithm for multipoint constraints in finite element analysis", IJNME 14, 1979; Duff,
Erisman, Reid, "Direct methods for sparse matrices", 2nd ed. 2017, chapters 5 (threshold pivoting) and 6 (singletons).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: An equation is solved for an unknown whose coefficient is at least this part of its largest one.
_PIVOT = 0.1
#: An equation is dependent when the others leave less than this part of it: coordinates have some digits only.
_DEPENDENT = 1e-8
#: What is left of a difference of numbers below this part of them is rounding.
_CANCELLED = 1e-12


@dataclass(frozen=True)
class Elimination:
    """Equations A x = b as an equal set, each solved for one unknown, and the combinations in which nothing is left.

    Attributes
    ----------
    rows
        shape (n, n_columns), CSR - each has a one at its pivot, and zeros at the pivots of the others.
    pivots
        shape (n,), int64 - columns of the unknowns that they are solved for.
    combination
        shape (n, n_equations), CSR - rows = combination A, and their right-hand sides are combination b.
    redundant
        shape (m, n_equations), CSR - combinations of the equations in which no free unknown is left.
    """

    rows: sparse.csr_matrix
    pivots: Ints
    combination: sparse.csr_matrix
    redundant: sparse.csr_matrix


def eliminate(equations: sparse.csr_matrix, n_free: int, preferred: Ints) -> Elimination:
    """Solve equations for one unknown each.

    Parameters
    ----------
    equations
        shape (n_equations, n_columns).
    n_free
        The unknowns of the first so many columns may be solved for; the others are given.
    preferred
        shape (n_equations,): the unknown to solve each for where that can be; -1: none.
    """
    n, n_columns = equations.shape
    size = np.asarray(abs(equations).max(axis=1).todense()).ravel() if n_columns else np.zeros(n)
    scale = sparse.diags(1.0 / np.where(size > 0, size, 1.0))
    W = sparse.hstack([scale @ equations, scale], format="csr")  # each row remembers of which equations it is made
    W.sum_duplicates()
    rounds, left = _singletons(W, n_free, preferred)
    core, redundant = _row_by_row(W, left, n_free, preferred)
    pivots, rows = _substituted(W, core, rounds)
    combinations = sparse.vstack([W[:0], *redundant], format="csr")[:, n_columns:]
    return Elimination(rows[:, :n_columns], pivots, rows[:, n_columns:], combinations)


def _singletons(W: sparse.csr_matrix, n_free: int, preferred: Ints) -> tuple[list[tuple[Ints, Ints]], Ints]:
    """Rows that have an unknown of their own among those not yet taken, round after round; and the rest.

    Returns
    -------
    rounds
        Rows and their pivots. A pivot may occur in rows of earlier rounds, not in those of its own or later ones.
    rest
        The other rows.
    """
    rows = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    free = W.indices < n_free
    row, column, value = rows[free], W.indices[free].astype(np.int64), np.abs(W.data[free])
    largest = np.zeros(W.shape[0])
    np.maximum.at(largest, row, value)
    usable = value >= _PIVOT * largest[row]
    liked = column == preferred[row]
    active = np.ones(W.shape[0], dtype=bool)
    rounds: list[tuple[Ints, Ints]] = []
    while True:
        here = active[row]
        count = np.bincount(column[here], minlength=n_free)
        own = np.flatnonzero(here & usable & (count[column] == 1))
        if not len(own):
            return rounds, np.flatnonzero(active)
        if liked[own].any():  # the others wait: they may get the unknown they prefer in a later round
            own = own[liked[own]]
        own = own[np.lexsort((-value[own], row[own]))]
        taken, first = np.unique(row[own], return_index=True)
        rounds.append((taken, column[own[first]]))
        active[taken] = False


def _row_by_row(
    W: sparse.csr_matrix, left: Ints, n_free: int, preferred: Ints
) -> tuple[tuple[Ints, sparse.csr_matrix], list[sparse.csr_matrix]]:
    """Gauss-Jordan elimination: pivots and rows that have none of the others' pivots; and what vanished."""
    solved: dict[int, dict[int, float]] = {}  # pivot -> its row
    users: dict[int, set[int]] = {}  # column -> pivots in whose rows it is
    redundant = []
    short_first = left[np.argsort(np.diff(W.indptr)[left], kind="stable")]
    for k in short_first:
        part = slice(W.indptr[k], W.indptr[k + 1])
        row = dict(zip(W.indices[part].tolist(), W.data[part].tolist(), strict=True))
        for pivot in [c for c in row if c in solved]:
            _subtract(row, row[pivot], solved[pivot])
        free = {c: abs(v) for c, v in row.items() if c < n_free}
        largest = max(free.values(), default=0.0)
        if largest <= _DEPENDENT:
            redundant.append(_as_row({c: v for c, v in row.items() if c not in free}, W.shape[1]))
            continue
        wanted = int(preferred[k])
        pivot = wanted if free.get(wanted, 0.0) >= _PIVOT * largest else max(free, key=lambda c: (free[c], -c))
        factor = row[pivot]
        row = {c: v / factor for c, v in row.items()}
        for other in sorted(users.pop(pivot, ())):
            if pivot not in solved[other]:  # it has cancelled since
                continue
            _subtract(solved[other], solved[other][pivot], row)
            for c in row:
                if c in solved[other]:
                    users.setdefault(c, set()).add(other)
        solved[pivot] = row
        for c in row:
            if c != pivot:
                users.setdefault(c, set()).add(pivot)
    rows = [_as_row(r, W.shape[1]) for r in solved.values()]
    core = (np.array(list(solved), dtype=np.int64), sparse.vstack([W[:0], *rows], format="csr"))
    return core, redundant


def _subtract(row: dict[int, float], factor: float, other: dict[int, float]) -> None:
    """Take so many times another row from a row; what is rounding alone goes."""
    for c, v in other.items():
        before, less = row.get(c, 0.0), factor * v
        if abs(before - less) <= _CANCELLED * abs(less):
            row.pop(c, None)
        else:
            row[c] = before - less


def _as_row(row: dict[int, float], width: int) -> sparse.csr_matrix:
    columns = np.array(sorted(row), dtype=np.int64)
    values = np.array([row[c] for c in columns.tolist()])
    return sparse.csr_matrix((values, columns, [0, len(columns)]), shape=(1, width))


def _substituted(
    W: sparse.csr_matrix, core: tuple[Ints, sparse.csr_matrix], rounds: list[tuple[Ints, Ints]]
) -> tuple[Ints, sparse.csr_matrix]:
    """All pivots and their rows, what later rounds solved for put into the rows of earlier ones."""
    pivots, done = core
    position = np.full(W.shape[1], -1, dtype=np.int64)
    position[pivots] = np.arange(len(pivots))
    for taken, own in reversed(rounds):
        rows = W[taken]
        place = np.repeat(np.arange(len(taken)), np.diff(rows.indptr))
        factor = np.empty(len(taken))
        mine = rows.indices == own[place]
        factor[place[mine]] = rows.data[mine]
        rows = sparse.diags(1.0 / factor) @ rows
        known = position[rows.indices] >= 0
        if known.any():
            coefficients = sparse.csr_matrix(
                (rows.data[known], (place[known], position[rows.indices[known]])), shape=(len(taken), len(pivots))
            )
            rows = rows - coefficients @ done
            rows.data[position[rows.indices] >= 0] = 0.0  # what cancels but for rounding
            rows.eliminate_zeros()
        position[own] = len(pivots) + np.arange(len(taken))
        pivots = np.concatenate([pivots, own])
        done = sparse.vstack([done, rows], format="csr")
    return pivots, done
