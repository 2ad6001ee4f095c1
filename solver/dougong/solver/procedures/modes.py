"""Natural frequencies and mode shapes.

1. conditions, supports   -> what is left to move
2. K (+ prestress), M     -> eigenvalues ω² and shapes u, uᵀ M u = 1, none missing
3. participation          -> how much of the body's mass moves with each mode
4. write                  -> one frame for each mode

A mode is in equilibrium with its forces of inertia ω² M u: with these for loads it is a static state like any other,
from which stresses and reactions follow.
"""

from __future__ import annotations

import math

import numpy as np

from dougong.solver.linalg.choice import Said, size_of
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.links.linking import reduction_of
from dougong.solver.loadings import Conditions, Loading, refuse
from dougong.solver.loads import LoadBuilder
from dougong.solver.modes.geometric import prestress_stiffness
from dougong.solver.modes.mass import MassProperties
from dougong.solver.modes.modal import NaturalModes, natural_modes, refuse_large
from dougong.solver.modes.spectrum import Range
from dougong.solver.outputs.extremes import envelope
from dougong.solver.outputs.fields import NodalState, write_fields
from dougong.solver.reduction import Reduction
from dougong.solver.step import StepContext
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

#: How many modes are found when nobody says.
DEFAULT_COUNT = 10


class Modes:
    """Modes one after the other, lowest first."""

    NAME = "modes"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model, part = context.model, context.model.part
        dofs = model.components * part.n_total
        context.stage("assemble", dofs=dofs)
        conditions = Conditions(model)
        refuse(part.comm, conditions.violations)
        loads = LoadBuilder(model)
        loads.run()
        refuse(part.comm, loads.violations)
        refuse_large(model, size_of(model.regions.stored, model.components))
        held = reduction_of(model, conditions)
        prestress = prestress_stiffness(model)
        modes = natural_modes(
            model,
            held,
            loads.matrices,
            prestress,
            range_of(model.step.message.modes),
            context.mpi,
            lambda name: context.stage(name, dofs=dofs),
        )
        context.announce(f"mode-{k + 1}" for k in range(len(modes.eigenvalues)))
        record = _record(modes)
        frames = []
        for k in range(len(modes.eigenvalues)):
            context.frame_stage("output", k, dofs=dofs)
            state = _state(context, conditions, loads, modes, held, k)
            extremes = write_fields(context, state, k)
            frames.append(_frame(modes, k, context.frame_names[k], extremes, record))
            context.keep(k, state.u, value=frames[k].value)
            context.end_frame(k)
        if isinstance(held, LinkedReduction):
            context.notices += [*held.links.notices, *held.notices]
        return result_pb2.StepResult(
            name=model.step.name,
            procedure=model.step.procedure,
            dofs=dofs,
            constrained_dofs=dofs + len(modes.points) - held.n_total,
            extremes=envelope([f.extremes for f in frames]),
            solve=record,
            frames=frames,
            mass=_mass(modes.properties),
            modes=result_pb2.ModalSummary(
                missed=modes.missed,
                rigid=int(modes.free.sum()),
                directions=modes.directions,
                totals=modes.totals.tolist(),
            ),
        )


def range_of(asked: pb.Modes) -> Range:
    """The range of eigenvalues that a step asks for."""
    count = asked.count if asked.HasField("count") else None
    lower = (2 * math.pi * asked.min_frequency) ** 2 if asked.min_frequency else None
    upper = (2 * math.pi * asked.max_frequency) ** 2 if asked.HasField("max_frequency") else None
    return Range(DEFAULT_COUNT if count is None and upper is None else count, lower, upper)


def _state(
    context: StepContext, conditions: Conditions, loads: LoadBuilder, modes: NaturalModes, left: Reduction, k: int
) -> NodalState:
    """A mode as a static state under its forces of inertia."""
    part = context.model.part
    u, inertia = (np.zeros((part.n_local, context.model.components)) for _ in range(2))
    u[: part.n_owned] = modes.shapes[:, :, k]
    inertia[: part.n_owned] = modes.restoring[:, :, k]
    part.halo.update(u)
    held = conditions.constraints
    loading = Loading(inertia, np.zeros_like(held.prescribed), on_points=modes.restoring_on_points[:, k])
    linked = (left, modes.points[:, k]) if isinstance(left, LinkedReduction) else None
    return NodalState(context.model, held, loading, loads.matrices, u, linked)


def _frame(
    modes: NaturalModes,
    k: int,
    name: str,
    extremes: list[result_pb2.Extreme],
    record: result_pb2.SolveRecord,
) -> result_pb2.Frame:
    masses = modes.participation**2
    mode = result_pb2.Mode(
        eigenvalue=modes.eigenvalues[k],
        error=modes.errors[k],
        rigid=bool(modes.free[k]),
        participation=modes.participation[k].tolist(),
        effective_mass=masses[k].tolist(),
        cumulative=(masses[: k + 1].sum(axis=0) / modes.totals).tolist(),
    )
    frequency = 0.0 if mode.rigid else math.sqrt(modes.eigenvalues[k]) / (2 * math.pi)
    kind = result_pb2.Frame.KIND_MODE
    return result_pb2.Frame(kind=kind, name=name, value=frequency, extremes=extremes, mode=mode, solve=record)


def _record(modes: NaturalModes) -> result_pb2.SolveRecord:
    method, why = Said("METHOD_KRYLOV_SCHUR"), Said("CHOSEN_FOR_MODES")
    return result_pb2.SolveRecord(
        method=method.text(),
        method_zh=method.text("zh"),
        why=why.text(),
        why_zh=why.text("zh"),
        backward_error=float(modes.errors.max()),
        converged_reason="CONVERGED_TOL",
    )


def _mass(of: MassProperties) -> result_pb2.MassProperties:
    inertia = [of.inertia[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))]
    return result_pb2.MassProperties(mass=of.mass, centre=of.centre.tolist(), inertia=inertia)


PROCEDURE = Modes()
