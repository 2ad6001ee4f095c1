"""The forces of links on a solution: those of springs, of equations (couplings, ties), and reactions at points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.links.linked import LinkedReduction, restricted

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinkForces:
    """What links do to a solution; forces are those on the body and on points.

    At each unknown: internal force + spring = load + equation + reaction.

    Attributes
    ----------
    springs, equations
        shape (n_owned, nc): what springs take, and what equations give, at the owned nodes.
    springs_on_points, equations_on_points, reactions
        shape (n_point_unknowns,): the same at points, and what holds those whose motion is prescribed.
    spring_energy
        1/2 Σ k l² of all springs.
    equation_work
        1/2 Σ λ b: work of equations whose right-hand side is not zero.
    """

    springs: Array
    equations: Array
    springs_on_points: Array
    equations_on_points: Array
    reactions: Array
    spring_energy: float
    equation_work: float


def link_forces(red: LinkedReduction, u: Array, points: Array, residual: Array, on_points: Array) -> LinkForces:
    """The forces of links. Collective.

    Parameters
    ----------
    red
        The reduction.
    u
        shape (n_local, nc): a solution, a superposed one too.
    points
        shape (n_point_unknowns,): unknowns of points.
    residual
        shape (n_owned, nc): internal forces less loads.
    on_points
        shape (n_point_unknowns,): loads on points.
    """
    part, nc, m = red.part, red.components, len(red.nodes)
    local, here = part.local_nodes(red.nodes)
    owned = local < part.n_owned
    which, local = np.flatnonzero(here)[owned], local[owned]
    at, left = np.zeros((m, nc)), np.zeros((m, nc))
    for rows, values, residuals in part.comm.gather((which, u[local], residual[local])):
        at[rows], left[rows] = values, residuals
    everything = np.concatenate([at.ravel(), points])
    S = restricted(red.links.springs.matrix, red.nodes, red.links)
    length = S @ everything
    pull = S.T @ (red.links.springs.number * length)
    left_over = np.concatenate([left.ravel(), -on_points]) + pull
    solved = red.elimination
    multipliers = (red.basis.T @ left_over)[solved.pivots]
    in_coordinates = solved.rows.T @ multipliers
    forces = red.basis @ in_coordinates
    springs, equations = np.zeros((part.n_owned, nc)), np.zeros((part.n_owned, nc))
    springs[local] = pull[: m * nc].reshape(m, nc)[which]
    equations[local] = forces[: m * nc].reshape(m, nc)[which]
    of_points = slice(m * nc, None)
    reactions = np.where(red.held_points, (left_over - forces)[of_points], 0.0)
    work = 0.5 * float(multipliers @ (solved.combination @ red.links.equations.number))
    energy = 0.5 * float(red.links.springs.number @ length**2)
    return LinkForces(springs, equations, pull[of_points], forces[of_points], reactions, energy, work)
