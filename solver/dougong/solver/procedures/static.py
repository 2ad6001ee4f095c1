"""One linear system: static equilibrium, steady conduction.

1. conditions   -> projectors P, prescribed u0
2. loads        -> f
3. assemble     -> P K P + s (1 - P), P (f - K u0) + s u0
4. solve        -> u
5. recover      -> fluxes, internal forces F(u), reactions F(u) - f
6. write        -> fields, summary with its evidence
"""

from __future__ import annotations

import numpy as np

from dougong.messages import InputError
from dougong.solver.assemble import assemble
from dougong.solver.coarse import linear_level
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.fields import NodalState, write_fields
from dougong.solver.linalg import SolveInput
from dougong.solver.linalg_choice import choose, relative_tolerance
from dougong.solver.loads import LoadBuilder, check_loads
from dougong.solver.model import Model
from dougong.solver.rescue import solve
from dougong.solver.step import StepContext
from dougong.solver.summary import summarize
from dougong.v1 import result_pb2


class Static:
    """Solve once."""

    NAME = "static"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model = context.model
        part, nc = model.part, model.components
        dofs = nc * part.n_total

        context.stage("assemble", dofs=dofs)
        builder = ConstraintBuilder(model)
        constraints = builder.run()
        here = builder.violations + check_loads(model)
        wrong = [v for found in part.comm.gather(here) for v in found]
        if wrong:
            raise InputError(wrong)
        loads = LoadBuilder(model)
        loads.run()
        system = assemble(model, constraints, loads.rhs, loads.matrices)
        direct, _ = choose(context.solver.method, dofs)
        level = None if direct else linear_level(model, constraints, loads.matrices)

        context.stage("setup", dofs=dofs)
        target = relative_tolerance(context.solver)

        def on_iteration(iteration: int, residual: float) -> None:
            context.stage("solve", dofs=dofs, iteration=iteration, residual=residual, target_residual=target)

        def prepared() -> None:
            context.stage("solve", dofs=dofs)

        given = SolveInput(part, system.matrix, _near_nullspace(model), level)
        start = np.zeros((part.n_owned, nc))
        held = constraints.nodes < part.n_owned
        start[constraints.nodes[held]] = constraints.prescribed[held]
        owned, record = solve(given, context.solver, context.mpi, on_iteration, prepared, system.rhs, start)

        context.stage("output", dofs=dofs)
        u = np.zeros((part.n_local, nc))
        u[: part.n_owned] = owned
        part.halo.update(u)
        state = NodalState(model, constraints, loads, u)
        extremes = write_fields(context, state, frame=0)
        return summarize(state, extremes, record)


def _near_nullspace(model: Model) -> np.ndarray:
    """Motions without flux at the owned nodes, about the centre of the whole mesh."""
    part = model.part
    owned = part.points[: part.n_owned]
    centre = part.comm.sum(owned.sum(axis=0)) / part.n_total
    return model.physics.free_modes(owned - centre)[1]


PROCEDURE = Static()
