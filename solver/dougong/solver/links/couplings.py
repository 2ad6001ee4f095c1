r"""Reference points, and the couplings by which they move regions of a body or are moved by them.

The motion of a point is that of a rigid body about it, r = (translations, rotations). A kinematic coupling lets nodes
follow, u(x) = M(x) r with M the rigid motions at x. A distributing coupling gives the point the mean motion of a
region, that which differs least from what the region does:

    r = argmin ∫ |u - M r|² = G⁻¹ ∫ Mᵀ u,   G = ∫ Mᵀ M,

with the integral over facets, or the sum over nodes. By the principle of virtual work a force and a moment F on the
point act on the region as the traction M G⁻¹ F: even for a force through the centre, linear for a moment, as in the
theory of beams.

Rotations are counted in lengths, times the radius of the region, so that all unknowns are of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.elements import FacetBasis, load_reference
from dougong.solver.links.rows import RowBuilder, Unknowns
from dougong.solver.model import Model
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The mean rotation about an axis is not known when the region is so narrow about it, relative to its length.
_NARROW = 1e-10


@dataclass(frozen=True)
class ReferencePoint:
    """The reference point of a coupling.

    Attributes
    ----------
    name
        Of the coupling.
    place
        shape (dim,) - length.
    motions
        Names of its unknowns, such as "translation x".
    radius
        By which rotations are multiplied - length.
    first
        Number of its first unknown.
    """

    name: str
    place: Array
    motions: tuple[str, ...]
    radius: float
    first: int

    @property
    def unknowns(self) -> Ints:
        """Numbers of its unknowns, shape (n_motions,)."""
        return self.first + np.arange(len(self.motions), dtype=np.int64)

    @property
    def scale(self) -> Array:
        """What each unknown is of its motion: 1 for translations, the radius for rotations."""
        return np.array([self.radius if m.startswith("rotation") else 1.0 for m in self.motions])

    def motions_at(self, model: Model, points: Array) -> Array:
        """M: what the unknowns make of points, shape (n, nc, n_motions)."""
        return model.physics.free_modes(points - self.place, model.axisymmetric)[1] / self.scale


def motions_of_points(model: Model, points: Sequence[ReferencePoint], centre: Array) -> Array:
    """What motions of the whole body about a place make of the unknowns of points, shape (n_point_unknowns, k)."""
    names = model.physics.free_modes(centre[None], model.axisymmetric)[0]
    rows = [np.empty((0, len(names)))]
    for point in points:
        at = model.physics.free_modes((point.place - centre)[None], model.axisymmetric)[1][0]  # (nc, k)
        own = np.zeros((len(point.motions), len(names)))
        for i, motion in enumerate(point.motions):
            if motion.startswith("translation"):
                own[i] = at["xyz".index(motion[-1])]
            else:
                own[i, names.index(motion)] = point.radius
        rows.append(own)
    return np.concatenate(rows)


def reference_points(model: Model, first: int) -> tuple[list[ReferencePoint], list[job_pb2.Violation]]:
    """The points of all couplings in the order of their names, numbered from `first`; what is wrong. Collective."""
    found: list[ReferencePoint] = []
    wrong: list[job_pb2.Violation] = []
    couplings = model.step.analysis.couplings
    names = sorted(couplings) if len(model.physics.components(model.part.dim)) else []
    for name in names:
        coupling = couplings[name]
        nodes = model.regions.nodes(coupling.region)
        points = model.part.points[nodes[nodes < model.part.n_owned]]
        comm = model.part.comm
        count = int(comm.sum(len(points)))
        if not count:
            wrong.append(violation("LINK_REGION_EMPTY", f'couplings["{name}"].region', region=coupling.region))
            continue
        place = np.array(coupling.point.coordinates, dtype=float)
        if not len(place):
            place = np.asarray(comm.sum(points.sum(axis=0))) / count
        away = np.linalg.norm(points - place, axis=1)
        radius = float(comm.max(away.max(initial=0.0)))
        motions = model.physics.free_modes(place[None], model.axisymmetric)[0]
        found.append(ReferencePoint(name, place, motions, radius if radius > 0 else 1.0, first))
        first += len(motions)
    return found, wrong


def add_coupling(
    model: Model, point: ReferencePoint, source: int, rows: RowBuilder, unknowns: Unknowns
) -> list[job_pb2.Violation]:
    """Add the equations of a coupling; says what is wrong. Collective."""
    coupling = model.step.analysis.couplings[point.name]
    if coupling.WhichOneof("kind") == "distributing":
        return _distribute(model, coupling, point, source, rows, unknowns)
    _follow(model, coupling, point, source, rows, unknowns)
    return []


def _follow(
    model: Model, coupling: pb.Coupling, point: ReferencePoint, source: int, rows: RowBuilder, unknowns: Unknowns
) -> None:
    """Nodes follow the point: u - M r = 0."""
    part = model.part
    nodes = model.regions.nodes(coupling.region)
    nodes = nodes[nodes < part.n_owned]
    M = point.motions_at(model, part.points[nodes])
    own = unknowns.at(part.nodes[nodes])  # (n, nc)
    components = model.physics.components(part.dim)
    names = [pb.Component.Name(c).removeprefix("COMPONENT_").lower() for c in coupling.kinematic.components]
    for i, component in enumerate(components):
        if names and component not in names:
            continue
        columns = np.concatenate(
            [own[:, i : i + 1], np.broadcast_to(point.unknowns, (len(nodes), len(point.motions)))], 1
        )
        coefficients = np.concatenate([np.ones((len(nodes), 1)), -M[:, i]], axis=1)
        rows.add(source, own[:, i], columns, coefficients, preferred=own[:, i])


def _distribute(
    model: Model, coupling: pb.Coupling, point: ReferencePoint, source: int, rows: RowBuilder, unknowns: Unknowns
) -> list[job_pb2.Violation]:
    """The point has the mean motion of the region: r - G⁻¹ ∫ Mᵀ u = 0."""
    n = len(point.motions)
    nodes, moments, G = _moments(model, coupling, point)
    G = np.asarray(model.part.comm.sum(G))
    size = np.sqrt(np.diag(G))
    known = size > 0
    values = np.linalg.eigvalsh(G / np.outer(np.where(known, size, 1.0), np.where(known, size, 1.0)))
    if not known.all() or values[0] < _NARROW:
        return [violation("COUPLING_TOO_NARROW", f'couplings["{point.name}"].region', region=coupling.region)]
    share = np.einsum("kl,alc->kac", np.linalg.inv(G), moments)  # (n_motions, n_nodes, nc)
    columns = unknowns.at(model.part.nodes[nodes]).ravel()
    key = np.arange(n)
    rows.add(source, key, np.broadcast_to(columns, (n, len(columns))), -share.reshape(n, -1), preferred=point.unknowns)
    if model.part.comm.rank == 0:
        rows.add(source, key, point.unknowns[:, None], np.ones((n, 1)), preferred=point.unknowns)
    return []


def _moments(model: Model, coupling: pb.Coupling, point: ReferencePoint) -> tuple[NDArray[np.integer], Array, Array]:
    """A rank's share of ∫ Mᵀ N of each node, shape (n_nodes, n_motions, nc), and of ∫ Mᵀ M."""
    part = model.part
    n = len(point.motions)
    if coupling.distributing.weighting == pb.Coupling.Distributing.WEIGHTING_NODES:
        nodes = model.regions.nodes(coupling.region)
        nodes = nodes[nodes < part.n_owned]
        M = point.motions_at(model, part.points[nodes])
        return nodes, M.transpose(0, 2, 1), np.einsum("ncl,nck->lk", M, M)
    total = np.zeros((part.n_local, n, model.components))
    G = np.zeros((n, n))
    for f in model.regions.facets(coupling.region):
        mine = f.mine(part)
        facets, section = f.nodes[mine], model.section_of[f.block][f.rows[mine]]
        reference = load_reference(f.type)
        basis = FacetBasis(reference, part.points, facets, model.components)
        x = np.moveaxis(np.asarray(basis.default_parameters()["x"]), 0, -1)  # (n, nq, dim)
        weight = basis.dx * model.extent(section, x[..., 0])
        M = point.motions_at(model, x.reshape(-1, part.dim)).reshape(*x.shape[:2], model.components, n)
        G += np.einsum("fq,fqcl,fqck->lk", weight, M, M, optimize=True)
        np.add.at(total, facets, np.einsum("fq,qa,fqcl->falc", weight, reference.N, M, optimize=True))
    nodes = np.flatnonzero(total.any(axis=(1, 2)))
    return nodes, total[nodes], G
