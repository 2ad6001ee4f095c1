"""What a job costs: coefficients of the model in `estimate`, written by benchmarks/fit.py.

Measured on one core of a server CPU; a server corrects what they give by what its own jobs took.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Iterative:
    """An iterative solve: bytes and seconds for each number of the matrix, and for each unknown beside it."""

    bytes_per_number: float
    bytes_per_unknown: float
    seconds_per_number: float
    seconds_per_unknown: float


@dataclass(frozen=True)
class Direct:
    """A factorisation: for each entry of the factor and each operation as the model counts them; numbers as above."""

    bytes_per_entry: float
    bytes_per_number: float
    seconds_per_operation: float
    seconds_per_number: float


#: Python, MPI and PETSc before any mesh is read, for each rank, and the seconds they take to start.
BASE_BYTES, START_SECONDS = 1.16e08, 0.5

#: Seconds that a start takes longer where there are several ranks: mpiexec, and the processes find each other.
MPI_SECONDS = 0.5

#: Seconds fall with the ranks to this power.
EFFICIENCY = 0.75

#: Quadratic cells: p-multigrid. Linear ones, and all about an axis of symmetry: algebraic multigrid on the matrix.
QUADRATIC = Iterative(2.48, 354, 4.49e-09, 1.04e-05)
LINEAR = Iterative(39.7, 0, 5.75e-07, 3.74e-06)

#: By dimension.
DIRECT = {2: Direct(64.0, 12.0, 5e-9, 1.5e-7), 3: Direct(106, 56.2, 8.36e-10, 1.63e-07)}
