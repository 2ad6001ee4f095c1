r"""Ties of faces whose nodes do not match: nodes of one face follow the other.

A slave node at x is tied to the closest point p of the master facets. With N the shape functions of the facet there, g
their gradients along the facet and d = x - p,

    u(x) = Σ [N_a + g_a·d] u_a - (d·n) Σ g_a (n·u_a),

so that a rigid motion of the master moves the slave as rigidly, however large the gap: the last term is the rotation of
the normal n, δn = -∇(u·n). Without a gap only the shape functions are left. A temperature is that at p.

Sources: Abaqus and CalculiX (*TIE) for the notion; Laursen, "Computational Contact and Impact Mechanics", 2002, for the
projection onto facets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import notice, violation
from dougong.solver.links.closest import ClosestPoints, MasterFacets
from dougong.solver.links.rows import RowBuilder, Unknowns
from dougong.solver.model import Model
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, mesh_pb2

Array = NDArray[np.float64]

#: How far a slave may be from the master, in mean lengths of master facets, when nobody says.
DEFAULT_TOLERANCE = 0.05
#: Coefficients smaller than this are rounding errors of the projection.
_ROUNDING = 1e-13


@dataclass
class TieFindings:
    """What is to be said of a tie."""

    violations: list[job_pb2.Violation]
    notices: list[mesh_pb2.Notice]


def add_tie(model: Model, number: int, source: int, rows: RowBuilder, unknowns: Unknowns) -> TieFindings:
    """Add the equations of a tie. Collective."""
    tie, part, path = model.step.analysis.ties[number], model.part, f"ties[{number}]"
    said = TieFindings([], [])
    master = MasterFacets.gathered(model, tie.master)
    slaves = model.regions.nodes(tie.slave)
    slaves = slaves[slaves < part.n_owned]
    n_slaves = int(part.comm.sum(len(slaves)))
    for name, region, there in (("slave", tie.slave, n_slaves), ("master", tie.master, len(master))):
        if not there:
            said.violations.append(violation("LINK_REGION_EMPTY", f"{path}.{name}", region=region))
    if said.violations:
        return said
    tolerance = tie.tolerance if tie.HasField("tolerance") else DEFAULT_TOLERANCE * master.mean_size
    found = master.closest(part.points[slaves], tolerance)
    far = ~found.found
    count = int(part.comm.sum(int(far.sum())))
    if count:
        nearest = _nearest(model, master, slaves[far])
        ids = _numbers(model, slaves[far])
        if tie.too_far == pb.Tie.TOO_FAR_RELEASE and count < n_slaves:
            said.notices.append(
                notice("TIE_RELEASED", tie=path, count=count, slaves=n_slaves, tolerance=f"{tolerance:.4g}")
            )
        else:
            said.violations.append(
                violation(
                    "TIE_TOO_FAR", f"{path}.tolerance", node_ids=ids, count=count, slaves=n_slaves, slave=tie.slave,
                    master=tie.master, tolerance=f"{tolerance:.4g}", nearest=f"{nearest:.4g}",
                )
            )  # fmt: skip
    _add_rows(model, master, found, slaves, source, rows, unknowns)
    return said


def _add_rows(
    model: Model,
    master: MasterFacets,
    found: ClosestPoints,
    slaves: NDArray[np.integer],
    source: int,
    rows: RowBuilder,
    unknowns: Unknowns,
) -> None:
    nc = model.components
    own = unknowns.at(model.part.nodes[slaves])
    for piece in found.pieces:
        nodes = master.nodes_of(piece)  # (m, k) stored nodes
        of = slaves[piece.points]
        # A node that the faces share is tied to itself already.
        apart = ~(nodes == model.part.nodes[of][:, None]).any(axis=1)
        weights = _weights(piece, nc)[apart]  # (m, nc, k, nc)
        weights[np.abs(weights) < _ROUNDING] = 0.0
        columns = unknowns.at(nodes[apart]).reshape(len(weights), -1)
        slave = own[piece.points][apart]  # (m, nc)
        for i in range(nc):
            entries = np.concatenate([np.ones((len(weights), 1)), -weights[:, i].reshape(len(weights), -1)], axis=1)
            rows.add(source, slave[:, i], np.concatenate([slave[:, i : i + 1], columns], 1), entries, 0.0, slave[:, i])


def _weights(piece: object, nc: int) -> Array:
    """What nodes of master facets give slave nodes, shape (m, nc, k, nc)."""
    N, g, d, n = piece.N, piece.gradients, piece.gap, piece.normal  # type: ignore[attr-defined]
    m, k = N.shape
    out = np.zeros((m, nc, k, nc))
    if nc == 1:
        out[:, 0, :, 0] = N
        return out
    along = N + np.einsum("mki,mi->mk", g, d)
    for i in range(nc):
        out[:, i, :, i] = along
    off = np.einsum("mi,mi->m", d, n)
    return out - np.einsum("m,mki,mj->mikj", off, g, n)


def _nearest(model: Model, master: MasterFacets, nodes: NDArray[np.integer]) -> float:
    """Smallest distance of nodes that are too far. Collective."""
    here = master.closest(model.part.points[nodes], np.inf).distance.min(initial=np.inf)
    return float(model.part.comm.min(here))


def _numbers(model: Model, nodes: NDArray[np.integer]) -> list[int]:
    """Numbers in the mesh file of local nodes of all ranks, some of them. Collective."""
    every = np.sort(np.concatenate(model.part.comm.gather(model.part.nodes[nodes][:1000])))[:1000]
    return model.regions.stored.load().node_numbers(every.astype(np.int64)).tolist()
