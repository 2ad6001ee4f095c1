"""The summary of a step and its frames: extremes, reactions, equilibrium, energy, and how it was solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.conditions import ConstraintSet
from dougong.solver.frames import FrameSpec
from dougong.solver.links.share import LinkShare
from dougong.solver.loadings import Loading, superpose
from dougong.solver.loads import film_forces
from dougong.solver.model import Model
from dougong.solver.outputs.extremes import envelope
from dougong.solver.outputs.section_forces import add_sum
from dougong.solver.state import NodalState
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: Part of the forces that cancel inside the cells against which errors of equilibrium and energy are at least measured.
_CANCELLING = 1e-8
#: Above this error of energy there is no solution.
_NO_SOLUTION = 0.5


@dataclass(frozen=True)
class Addends:
    """What is added up to a superposed state, each number without its sign: the measure of what may cancel in it.

    Attributes
    ----------
    loads, u
        shape (n_local, nc).
    prescribed
        shape (m, nc).
    """

    loads: Array
    u: Array
    prescribed: Array

    @classmethod
    def of(cls, weights: Sequence[float], loadings: Sequence[Loading], solutions: Sequence[Array | None]) -> Addends:
        """Of loadings with their solutions; None stands for zero."""
        sizes = [abs(w) for w in weights]
        return cls(
            superpose(sizes, [np.abs(x.forces) for x in loadings]),
            superpose(sizes, [np.abs(u) if u is not None else None for u in solutions]),
            superpose(sizes, [np.abs(x.prescribed) for x in loadings]),
        )


def frame_result(
    spec: FrameSpec,
    state: NodalState,
    extremes: list[result_pb2.Extreme],
    record: result_pb2.SolveRecord | None,
    addends: Addends | None = None,
) -> result_pb2.Frame:
    """What a frame came to. Collective.

    Parameters
    ----------
    spec, state, extremes
        The frame.
    record
        How it was solved; None where it was superposed.
    addends
        Of what it was superposed; None where it was solved.

    Raises
    ------
    SolveError
        NON_FINITE: displacements are numbers, but stresses or energies formed from them overflow. SINGULAR_SYSTEM: the
        energy inside is not the work done, as where a body was moved without bounds.
    """
    evidence = balance(state, addends)
    solver = record.method if record is not None else spec.name
    told = [x for e in extremes for x in (e.min, e.max)] + [evidence.internal_energy, evidence.external_work]
    if not np.isfinite(told).all():
        raise SolveError("NON_FINITE", solver=solver)
    if record is not None and evidence.energy_error > _NO_SOLUTION:
        cause = f"energy error {evidence.energy_error:.1e}"
        raise SolveError("SINGULAR_SYSTEM", cause=cause, iterations=record.iterations, solver=solver)
    return result_pb2.Frame(
        kind=spec.kind,
        name=spec.name,
        extremes=extremes,
        reactions=_by_region(state),
        points=_points(state),
        balance=evidence,
        solve=record,
    )


def step_result(
    model: Model,
    constraints: ConstraintSet,
    frames: list[result_pb2.Frame],
    records: list[result_pb2.SolveRecord],
) -> result_pb2.StepResult:
    """What a step came to.

    Parameters
    ----------
    model, constraints
        The step and what holds it.
    frames
        All its frames.
    records
        How each of its systems was solved. Collective.
    """
    owned_constrained = constraints.nodes < model.part.n_owned
    whole = result_pb2.StepResult(
        name=model.step.name,
        procedure=model.step.procedure,
        dofs=model.components * model.part.n_total,
        constrained_dofs=int(model.part.comm.sum(int(constraints.rank[owned_constrained].sum()))),
        frames=frames,
        extremes=envelope([f.extremes for f in frames]),
    )
    if len(frames) == 1:
        whole.balance.CopyFrom(frames[0].balance)
        whole.solve.CopyFrom(frames[0].solve)
        whole.reactions.extend(frames[0].reactions)
        whole.points.extend(frames[0].points)
        return whole
    whole.balance.equilibrium_error = max(f.balance.equilibrium_error for f in frames)
    whole.balance.energy_error = max(f.balance.energy_error for f in frames)
    whole.solve.CopyFrom(records[-1])  # a factorisation that took over is told here
    whole.solve.iterations = sum(r.iterations for r in records)
    whole.solve.setups = sum(r.setups for r in records)
    whole.solve.backward_error = max(r.backward_error for r in records)
    return whole


def _by_region(state: NodalState) -> list[result_pb2.RegionSum]:
    model = state.model
    sums = []
    for region in dict.fromkeys(c.region for acting in model.step.acting for c in acting.conditions if c.region):
        nodes = model.regions.nodes(region)
        nodes = nodes[nodes < model.part.n_owned]
        message = result_pb2.RegionSum(region=region)
        add_sum(message, model, nodes, state.reaction[nodes], state.about)
        sums.append(message)
    return sums


def _points(state: NodalState) -> list[result_pb2.PointResult]:
    """Motions of reference points, and what acts on them."""
    if state.linked is None or state.links is None:
        return []
    reduction, moved = state.linked
    found = []
    for point in reduction.links.points:
        own, scale = reduction.links.of(point), point.scale
        found.append(
            result_pb2.PointResult(
                coupling=point.name,
                place=point.place.tolist(),
                motions=point.motions,
                motion=(moved[own] / scale).tolist(),
                load=(state.loading.on_points[own] * scale).tolist(),
                reaction=(state.links.reactions[own] * scale).tolist(),
            )
        )
    return found


def balance(state: NodalState, addends: Addends | None = None) -> result_pb2.Balance:
    """Equilibrium and energy of a solution. Collective.

    Film terms that depend on the solution count as load: heat that leaves through a film enters `load_sum`. The errors
    are relative to the forces and energies there are, but at least to a small part of those that prescribed values
    raise and that cancel inside the cells: in a body that is only moved, or warm all over, nothing but their rounding
    is left. The solution itself is no measure: that of a singular system has no bounds. Of a superposed state the
    same part of what cancels in the superposition is the least measure.
    """
    model = state.model
    part, nc = model.part, model.components
    loads = state.loading.loads[: part.n_owned]
    film = film_forces(state.matrices, state.u)[: part.n_owned]
    heated = state.loading.forces[: part.n_owned] - loads
    net, gross = loads - film, np.abs(loads) + np.abs(film) + np.abs(heated)
    reaction = state.reaction
    sums = part.comm.sum(
        np.concatenate(
            [x.sum(axis=0) for x in (net, reaction, gross, np.abs(reaction), film)],
        )
    )
    linked = LinkShare.of(state)
    load_sum, reaction_sum = sums[:nc] + linked.loads, sums[nc : 2 * nc] + linked.reactions
    supports = linked.springs - sums[4 * nc :]
    prescribed = state.loading.prescribed if addends is None else addends.prescribed
    size = float(part.comm.max(max(float(np.abs(prescribed).max(initial=0.0)), linked.moved)))
    cancelling = _CANCELLING * size * _inner_stiffness(state) if size else 0.0
    least_force, least_energy = cancelling, cancelling * size
    if addends is not None:
        added, moved = addends.loads[: part.n_owned], addends.u[: part.n_owned]
        least_force += _CANCELLING * float(part.comm.sum(added.sum(axis=0)).max())
        least_energy += _CANCELLING * 0.5 * float(part.comm.sum(float((added * moved).sum())))
    scale = max(float(sums[2 * nc : 4 * nc].max()), linked.gross, least_force, float(np.finfo(float).tiny))
    u = state.u[: part.n_owned]
    energy, thermal_energy = state.recover().energy + linked.energy, state.recover().thermal_energy
    done = part.comm.sum(np.array([float((x * u).sum()) for x in (loads + reaction, heated)]))
    work = 0.5 * float(done[0]) - thermal_energy + linked.work
    largest = max(abs(work), abs(energy), 0.5 * abs(float(done[1])), least_energy, float(np.finfo(float).tiny))
    return result_pb2.Balance(
        load_sum=load_sum.tolist(),
        reaction_sum=reaction_sum.tolist(),
        link_sum=linked.equations.tolist() if state.links is not None else [],
        support_sum=supports.tolist() if nc > 1 and supports.any() else [],
        equilibrium_error=float(np.abs(load_sum + reaction_sum + linked.equations)[_balanced(model)].max() / scale),
        internal_energy=energy,
        external_work=work,
        energy_error=abs(work - energy) / largest,
    )


def _balanced(model: Model) -> NDArray[np.bool_]:
    """Components in which loads and reactions must cancel: those in which the body moves freely as a whole.

    About an axis the radial one is not among them: the hoop stress holds it.
    """
    _, modes = model.physics.free_modes(np.zeros((1, model.part.dim)), model.axisymmetric)
    return np.asarray(modes[0].any(axis=1))


def _inner_stiffness(state: NodalState) -> float:
    """How large the entries are of which the nodal forces are sums: coefficient over length. Collective."""
    model = state.model
    total = 0.0
    for block, k, rows in model.chunks():
        corners = block.nodes[rows][:, : block.type.n_corners]
        length = np.ptp(model.part.points[corners], axis=1).max(axis=1)
        section, radius = model.section_of[k][rows], model.part.points[corners, 0].mean(axis=1)
        stiffness = np.abs(model.law(k, rows).form).max(axis=(1, 2, 3))
        entries = stiffness * length ** (model.part.dim - 2) * model.extent(section, radius[:, None])[:, 0]
        total += float(entries[block.mine[rows]].sum())
    return float(model.part.comm.sum(total))
