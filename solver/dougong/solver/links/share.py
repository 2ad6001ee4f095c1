"""The part of links in the balance of a solution: sums of forces, work and energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.outputs.fields import NodalState

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinkShare:
    """What links add to the balance of the nodes.

    Attributes
    ----------
    loads, reactions
        shape (nc,): loads on points less what springs take, and what holds points.
    springs
        shape (nc,): what springs exert; part of `loads`.
    equations
        shape (nc,): what equations exert on nodes and points together. Couplings and ties exert nothing: what they give
        to one side they take from the other. An equation such as u_1 = 2 u_2 does.
    gross
        Sum of absolute values of all these forces.
    work, energy
        Work on points and of equations, and energy of springs.
    moved
        Largest prescribed unknown of a point.
    """

    loads: Array
    reactions: Array
    springs: Array
    equations: Array
    gross: float
    work: float
    energy: float
    moved: float

    @classmethod
    def of(cls, state: NodalState) -> LinkShare:
        """Of a solution; nothing where it has no links. Collective."""
        nc, comm = state.model.components, state.model.part.comm
        nothing = np.zeros(nc)
        if state.linked is None or state.links is None:
            return cls(nothing, nothing, nothing, nothing, 0.0, 0.0, 0.0, 0.0)
        (reduction, points), forces, given = state.linked, state.links, state.loading.on_points
        directions = np.zeros((nc, len(points)))
        for point in reduction.links.points:
            for k, motion in enumerate(point.motions):
                if motion.startswith("translation"):
                    directions["xyz".index(motion[-1]), reduction.links.of(point).start + k] = 1.0
        at_nodes = np.asarray(
            comm.sum(np.concatenate([forces.springs.sum(axis=0), forces.equations.sum(axis=0), _gross(forces.springs)]))
        )
        springs = -(directions @ forces.springs_on_points) - at_nodes[:nc]
        loads = directions @ given + springs
        reactions = directions @ forces.reactions
        equations = directions @ forces.equations_on_points + at_nodes[nc : 2 * nc]
        gross = at_nodes[2 * nc :] + directions @ (np.abs(given) + np.abs(forces.springs_on_points))
        gross += directions @ np.abs(forces.reactions)
        gross += np.asarray(comm.sum(_gross(forces.equations)))
        work = 0.5 * float((given + forces.reactions) @ points) + forces.equation_work
        moved = float(np.abs(np.nan_to_num(state.loading.motions)).max(initial=0.0))
        return cls(loads, reactions, springs, equations, float(gross.max()), work, forces.spring_energy, moved)


def _gross(values: Array) -> Array:
    return np.asarray(np.abs(values).sum(axis=0))
