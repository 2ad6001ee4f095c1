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
    """A factorisation: for each entry of the factor and each operation as the model counts them, and each unknown."""

    bytes_per_entry: float
    bytes_per_unknown: float
    seconds_per_operation: float
    seconds_per_unknown: float


#: Python, MPI and PETSc before any mesh is read, for each rank, and the seconds they take to start.
BASE_BYTES, START_SECONDS = 125e6, 0.5

#: Seconds fall with the ranks to this power.
EFFICIENCY = 0.85

#: Quadratic cells: p-multigrid. Linear ones: algebraic multigrid on the matrix itself.
QUADRATIC = Iterative(13.0, 530.0, 1.43e-7, 4.4e-6)
LINEAR = Iterative(34.0, 650.0, 2.5e-7, 6.0e-6)

#: By dimension.
DIRECT = {2: Direct(64.0, 0.0, 5e-9, 4.4e-6), 3: Direct(16.0, 1000.0, 25e-12, 4.4e-6)}
