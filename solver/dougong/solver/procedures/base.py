"""What a procedure is: one module of this package with a `PROCEDURE` object that has these attributes.

A procedure is a loop over systems of a model: static solves one; others solve one a time step or a mode. It gets the
model of its step and writes fields and the summary of the step.
"""

from __future__ import annotations

from typing import Protocol

from dougong.solver.step import StepContext
from dougong.v1 import result_pb2


class Procedure(Protocol):
    """A procedure."""

    NAME: str

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """Carry out a step. Collective.

        Raises
        ------
        SolveError
            There is no result.
        InputError
            The model cannot be solved.
        """
