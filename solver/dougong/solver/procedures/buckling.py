"""Linear buckling: by how much the loads of a step may be multiplied before the body gives way, and in what shape.

1. conditions, loads      -> what is left to move, f
2. K (+ prestress)        -> displacement and stress under the loads as they are
3. K_σ                    -> factors λ nearest to zero, (K + λ K_σ) u = 0, none missing
4. write                  -> one frame for each factor
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dougong.messages import InputError, violation
from dougong.solver.linalg.choice import Said, size_of
from dougong.solver.links.linked import LinkedReduction
from dougong.solver.links.linking import linked, reduced
from dougong.solver.loadings import Conditions, Loading, loadings_of, refuse
from dougong.solver.loads import check_loads
from dougong.solver.modes.geometric import prestress_stiffness
from dougong.solver.modes.modal import refuse_large
from dougong.solver.modes.stability import BucklingModes, buckling_modes
from dougong.solver.outputs.extremes import envelope
from dougong.solver.outputs.fields import NodalState, write_fields
from dougong.solver.reduction import reduction
from dougong.solver.step import StepContext
from dougong.solver.summary import balance
from dougong.v1 import result_pb2

#: How many factors are found when nobody says.
DEFAULT_COUNT = 3


class Buckling:
    """Factors one after the other, nearest to zero first."""

    NAME = "buckling"

    def run(self, context: StepContext) -> result_pb2.StepResult:
        """See `Procedure`."""
        model, part = context.model, context.model.part
        dofs = model.components * part.n_total
        context.stage("assemble", dofs=dofs)
        conditions = Conditions(model)
        refuse(part.comm, conditions.violations + check_loads(model, model.step.own))
        links = linked(model)
        (loading, *_), matrices = loadings_of(model, conditions, links)
        held = conditions.constraints
        left = reduced(part, held, links, [loading]) if links is not None else reduction(part, held)
        if not part.comm.max(loading.size):
            raise InputError([violation("BUCKLING_LOAD_ZERO", f"{model.step.own.path}.loads")])
        refuse_large(model, size_of(model.regions.stored, model.components))
        asked = model.step.message.buckling
        modes = buckling_modes(
            model,
            left,
            matrices,
            loading,
            prestress_stiffness(model),
            asked.count if asked.HasField("count") else DEFAULT_COUNT,
            context.mpi,
            lambda name: context.stage(name, dofs=dofs),
        )
        context.announce(f"mode-{k + 1}" for k in range(len(modes.factors)))
        record = _record(modes)
        frames = []
        nothing = np.zeros_like(held.prescribed)
        for k, factor in enumerate(modes.factors):
            context.frame_stage("output", k, dofs=dofs)
            u, forces = np.zeros((2, part.n_local, model.components))
            u[: part.n_owned], forces[: part.n_owned] = modes.shapes[:, :, k], modes.restoring[:, :, k]
            part.halo.update(u)
            extremes = write_fields(context, NodalState(model, held, Loading(forces, nothing), matrices, u), k)
            mode = result_pb2.Mode(eigenvalue=factor, error=modes.errors[k])
            kind, name = result_pb2.Frame.KIND_BUCKLING, context.frame_names[k]
            frames.append(
                result_pb2.Frame(kind=kind, name=name, value=factor, extremes=extremes, mode=mode, solve=record)
            )
            context.end_frame(k)
        points = (left, modes.points) if isinstance(left, LinkedReduction) else None
        acting = replace(loading, loads=modes.loads)
        reference = NodalState(model, held, acting, matrices, modes.reference, points)
        return result_pb2.StepResult(
            name=model.step.name,
            procedure=model.step.procedure,
            dofs=dofs,
            constrained_dofs=dofs + len(modes.points) - left.n_total,
            extremes=envelope([f.extremes for f in frames]),
            balance=balance(reference),
            solve=record,
            frames=frames,
            modes=result_pb2.ModalSummary(missed=modes.missed),
        )


def _record(modes: BucklingModes) -> result_pb2.SolveRecord:
    method, why = Said("METHOD_KRYLOV_SCHUR"), Said("CHOSEN_FOR_MODES")
    return result_pb2.SolveRecord(
        method=method.text(),
        method_zh=method.text("zh"),
        why=why.text(),
        why_zh=why.text("zh"),
        backward_error=float(modes.errors.max()),
        converged_reason="CONVERGED_TOL",
    )


PROCEDURE = Buckling()
