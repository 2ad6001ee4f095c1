"""Which eigenvalues are wanted, and the search for them that ends when none is missing.

The count of the eigenvalues below a number (Sturm's law, see `dougong.solver.linalg.eigen`) judges what the iteration
found. What is missing, such as further copies of a repeated eigenvalue, is looked for among what is orthogonal to the
rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.frames import MOST_MODES
from dougong.solver.linalg.eigen import Pairs, Pencil

Array = NDArray[np.float64]

#: So many eigenvalues more than wanted are looked for, to see where the last wanted one ends.
_SPARE = 2
#: Eigenvalues nearer to each other than this part of their distance from the shift are one.
_ALIKE = 1e-6
#: Attempts to find eigenvalues that are missing.
_ROUNDS = 8


@dataclass(frozen=True)
class Range:
    """Which eigenvalues are wanted.

    Attributes
    ----------
    count
        How many, the lowest of the range; None: all of it.
    lower, upper
        Ends of the range, squares of angular frequencies; None: open.
    """

    count: int | None
    lower: float | None = None
    upper: float | None = None


def search(pencil: Pencil, wanted: Range, shift: float) -> tuple[Pairs, int]:
    """The eigenvalues of a range, and how many of them were not found. Collective.

    Parameters
    ----------
    pencil
        Has no eigenvalue below the shift.
    wanted
        Which.
    shift
        Where to begin if the range is open below.

    Raises
    ------
    SolveError
        NO_MODES_IN_RANGE, TOO_MANY_MODES, MODES_MISSED.
    """
    above = wanted.lower is not None and wanted.lower > 0
    start = wanted.lower if above and wanted.lower is not None else shift
    before = pencil.below(start) if above else 0
    there = pencil.size - before
    if wanted.upper is not None:
        there = pencil.below(wanted.upper) - before
    if there <= 0:
        raise SolveError("NO_MODES_IN_RANGE", below=before)
    count = there if wanted.count is None else min(wanted.count, there)
    if count > MOST_MODES:
        raise SolveError("TOO_MANY_MODES", count=count, most=MOST_MODES)
    found = _above(pencil.next_to(start, count + _SPARE, above=above), start)
    for _ in range(_ROUNDS):
        cut = wanted.upper if count == there and wanted.upper is not None else _end(found.values, count, start, there)
        if cut is None:
            missing = _SPARE + max(count - len(found.values), 0)
        else:
            missing = pencil.below(cut) - before - int((found.values < cut).sum())
            if missing == 0:
                kept = found.values < cut
                return Pairs(found.values[kept], found.vectors[:, kept]), 0
        if len(found.values) >= pencil.size:
            break
        found = found.joined(_above(pencil.next_to(start, max(missing, 1), found.vectors, above), start))
    raise SolveError("MODES_MISSED", found=len(found.values))


def _above(pairs: Pairs, start: float) -> Pairs:
    kept = pairs.values > start
    return Pairs(pairs.values[kept], pairs.vectors[:, kept])


def _end(values: Array, count: int, start: float, there: int) -> float | None:
    """A number between the last wanted eigenvalue, with all that are equal to it, and the next; None: not known yet.

    Parameters
    ----------
    values
        shape (k,): eigenvalues found, ascending.
    count
        How many are wanted at least.
    start
        The shift.
    there
        How many there are.
    """
    for k in range(count, len(values)):
        if values[k] - values[k - 1] > _ALIKE * (values[k] - start):
            return float(values[k] + values[k - 1]) / 2
    if len(values) >= there:
        return float(values[-1] + max(values[-1] - start, abs(start)))
    return None
