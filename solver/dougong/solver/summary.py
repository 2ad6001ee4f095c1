"""The summary of a step: extremes, reactions, equilibrium, energy, and how it was solved."""

from __future__ import annotations

import numpy as np

from dougong.messages import SolveError
from dougong.solver.fields import NodalState
from dougong.v1 import result_pb2

#: Part of the forces that cancel inside the cells against which errors of equilibrium and energy are at least measured.
_CANCELLING = 1e-8
#: Above this error of energy there is no solution.
_NO_SOLUTION = 0.5


def summarize(
    state: NodalState, extremes: list[result_pb2.Extreme], record: result_pb2.SolveRecord
) -> result_pb2.StepResult:
    """The summary of a static step. Collective.

    Raises
    ------
    SolveError
        NON_FINITE: displacements are numbers, but stresses or energies formed from them overflow. SINGULAR_SYSTEM: the
        energy inside is not the work done, as where a body was moved without bounds.
    """
    model = state.model
    part = model.part
    evidence = balance(state)
    told = [x for e in extremes for x in (e.min, e.max)] + [evidence.internal_energy, evidence.external_work]
    if not np.isfinite(told).all():
        raise SolveError("NON_FINITE", solver=record.method)
    if evidence.energy_error > _NO_SOLUTION:
        cause = f"energy error {evidence.energy_error:.1e}"
        raise SolveError("SINGULAR_SYSTEM", cause=cause, iterations=record.iterations, solver=record.method)
    owned_constrained = state.constraints.nodes < part.n_owned
    return result_pb2.StepResult(
        name=model.step.name,
        procedure=model.step.procedure,
        dofs=model.components * part.n_total,
        constrained_dofs=int(part.comm.sum(int(state.constraints.rank[owned_constrained].sum()))),
        extremes=extremes,
        reactions=_by_region(state),
        balance=evidence,
        solve=record,
    )


def _by_region(state: NodalState) -> list[result_pb2.RegionSum]:
    model = state.model
    sums = []
    for region in dict.fromkeys(c.region for c in model.step.message.conditions):
        nodes = model.regions.nodes(region)
        here = state.reaction[nodes[nodes < model.part.n_owned]].sum(axis=0)
        sums.append(result_pb2.RegionSum(region=region, sum=model.part.comm.sum(here).tolist()))
    return sums


def balance(state: NodalState) -> result_pb2.Balance:
    """Equilibrium and energy of a solution. Collective.

    Film terms that depend on the solution count as load: heat that leaves through a film enters `load_sum`. The errors
    are relative to the forces and energies there are, but at least to a small part of those that prescribed values
    raise and that cancel inside the cells: in a body that is only moved, or warm all over, nothing but their rounding
    is left. The solution itself is no measure: that of a singular system has no bounds.
    """
    model = state.model
    part, nc = model.part, model.components
    loads = state.loads.rhs[: part.n_owned].copy()
    film = np.zeros((part.n_local, nc))
    for e in state.loads.matrices:
        force = np.einsum("nij,nj->ni", e.values, state.u[e.nodes].reshape(len(e.nodes), -1))
        np.add.at(film, e.nodes, force.reshape(*e.nodes.shape, nc))
    net = loads - film[: part.n_owned]
    gross = np.abs(loads) + np.abs(film[: part.n_owned])
    reaction = state.reaction
    sums = part.comm.sum(
        np.concatenate([net.sum(axis=0), reaction.sum(axis=0), gross.sum(axis=0), np.abs(reaction).sum(axis=0)])
    )
    load_sum, reaction_sum = sums[:nc], sums[nc : 2 * nc]
    size = float(part.comm.max(float(np.abs(state.constraints.prescribed).max(initial=0.0))))
    cancelling = _CANCELLING * size * _inner_stiffness(state)
    scale = max(float(sums[2 * nc :].max()), cancelling, float(np.finfo(float).tiny))
    u = state.u[: part.n_owned]
    work = float(part.comm.sum(0.5 * float(((loads + reaction) * u).sum())))
    energy = state.recover([], []).energy
    largest = max(abs(work), abs(energy), cancelling * size, float(np.finfo(float).tiny))
    return result_pb2.Balance(
        load_sum=load_sum.tolist(),
        reaction_sum=reaction_sum.tolist(),
        equilibrium_error=float(np.abs(load_sum + reaction_sum).max() / scale),
        internal_energy=energy,
        external_work=work,
        energy_error=abs(work - energy) / largest,
    )


def _inner_stiffness(state: NodalState) -> float:
    """How large the entries are of which the nodal forces are sums: coefficient over length. Collective."""
    model = state.model
    stiffness = np.abs(model.coefficients()).max(axis=(1, 2)) * model.thickness()
    total = 0.0
    for block, k, rows in model.chunks():
        corners = block.nodes[rows][:, : block.type.n_corners]
        length = np.ptp(model.part.points[corners], axis=1).max(axis=1)
        entries = stiffness[model.section_of[k][rows]] * length ** (model.part.dim - 2)
        total += float(entries[block.mine[rows]].sum())
    return float(model.part.comm.sum(total))
