"""Conditions on nodes: from prescribed directions to one projector a node.

Each condition requires n . u = g at a node, for one or more directions n; several conditions may meet there. Together
they fix u in a subspace and leave it free in the rest. With V an orthonormal basis of the span of the directions,
P = 1 - Vᵀ V projects onto the free directions and u0 is the shortest displacement that satisfies all of them; then
u = P u + u0. Global, rotated and symmetry axes are thereby the same thing, unknowns stay in global axes, and the
system stays symmetric (docs/adr/0008-constraints-by-projectors.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver import kernels
from dougong.solver.elements import FacetBasis, load_reference
from dougong.solver.model import Model
from dougong.solver.problem import Acting
from dougong.solver.values.on_model import Values
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]

#: Directions at a node that differ by less than this, and those whose singular values differ by more than its inverse,
#: are taken as dependent: normals of two regions of one plane differ by the digits of the coordinates, and that
#: difference must not hold the node within the plane.
_RANK = 1e-4
#: Two values prescribed for one direction may differ by this fraction of the largest prescribed value.
_AGREE = 1e-9
#: Normals of a plane region may differ by this much from their mean.
_PLANE = 1e-4


@dataclass(frozen=True)
class ConstraintSet:
    """The constrained nodes of a part.

    Attributes
    ----------
    index
        shape (n_local,), int32 - row in the other arrays, -1 for a free node.
    nodes
        shape (m,), int32 - local nodes.
    projectors
        shape (m, nc, nc) - onto the free directions.
    prescribed
        shape (m, nc) - u0, dimension of the unknown.
    rank
        shape (m,), int - number of independent directions prescribed.
    """

    index: NDArray[np.int32]
    nodes: NDArray[np.int32]
    projectors: Array
    prescribed: Array
    rank: NDArray[np.int64]

    @classmethod
    def none(cls, n_local: int, components: int) -> ConstraintSet:
        """Nothing is held: of a part with so many local nodes."""
        index, no_nodes = np.full(n_local, -1, dtype=np.int32), np.empty(0, dtype=np.int32)
        nc = components
        return cls(index, no_nodes, np.empty((0, nc, nc)), np.empty((0, nc)), np.empty(0, dtype=np.int64))

    def for_kernels(self) -> kernels.Constraints:
        """The same as the compiled kernels take it."""
        return kernels.Constraints(self.index, self.projectors, self.prescribed)

    def project(self, values: Array) -> Array:
        """Free part of nodal values, shape (k, nc) for the first k local nodes."""
        out = values.copy()
        here = self.nodes < len(values)
        nodes = self.nodes[here]
        out[nodes] = np.einsum("mij,mj->mi", self.projectors[here], values[nodes])
        return out


class ConstraintBuilder:
    """Collects what conditions prescribe; implements `dougong.solver.physics.base.Constraints`.

    Parameters
    ----------
    model
        The step.
    acting
        Whose conditions; default: those of the step.

    Attributes
    ----------
    motions
        Coupling and motion, such as "translation x" -> its prescribed value, and the number of the condition.
    violations
        What is wrong.
    """

    def __init__(self, model: Model, acting: Acting | None = None) -> None:
        self._model = model
        self._acting = acting or model.step.own
        self._rows: list[tuple[NDArray[np.int32], Array, float | Array, int]] = []
        self._source = -1
        self._values = Values(model, pb.Condition(), "")
        self.motions: dict[tuple[str, str], tuple[float, int]] = {}
        self.violations: list[job_pb2.Violation] = []

    def run(self) -> ConstraintSet:
        """Build the set; what is wrong is found in `violations`. Collective."""
        physics, dim = self._model.physics, self._model.part.dim
        for k, condition in enumerate(self._acting.conditions):
            self._source = k
            self._values = Values(self._model, condition, self._path(k))
            physics.CONDITIONS[condition.WhichOneof("kind")](condition, dim, self)
            self.violations += self._values.violations
        return self._solve()

    def prescribe(
        self,
        region: str,
        directions: Array | Callable[[Array], Array],
        values: Sequence[pb.Quantity | float] | None = None,
    ) -> None:
        """See `Constraints`."""
        nodes = self._model.regions.nodes(region)
        points = self._model.part.points[nodes]
        if callable(directions):
            directions = np.moveaxis(directions(points), 1, 0)  # (m, n, nc)
            nowhere = ~directions.any(axis=2).all(axis=0)
            if nowhere.any():
                self._say_undirected(region, nodes[nowhere])
                nodes, points, directions = nodes[~nowhere], points[~nowhere], directions[:, ~nowhere]
        numbers = [self._values.at(q, points) for q in values or [0.0] * len(directions)]
        for direction, number in zip(directions, numbers, strict=True):
            self._rows.append((nodes, np.asarray(direction, dtype=float), number, self._source))

    def move_point(self, coupling: str, motions: Mapping[str, pb.Quantity]) -> None:
        """See `Constraints`."""
        for motion, value in motions.items():
            number = float(self._values.at(value, None))
            before = self.motions.setdefault((coupling, motion), (number, self._source))
            if abs(before[0] - number) > _AGREE * max(abs(before[0]), abs(number)):
                paths = ", ".join(self._path(k) for k in (before[1], self._source))
                where = f"{self._path(self._source)}.reference_motion"
                self.violations.append(
                    violation("MOTIONS_CONTRADICT", where, coupling=coupling, motion=motion, conditions=paths)
                )

    def _say_undirected(self, region: str, nodes: NDArray[np.integer]) -> None:
        ids = self._model.regions.stored.load().node_numbers(np.sort(self._model.part.nodes[nodes])[:1000])
        path = f"{self._path(self._source)}.region"
        self.violations.append(
            violation(
                "NODES_ON_AXIS", path, node_ids=ids.tolist(), region=region, count=len(nodes), example=int(ids[0])
            )
        )

    def normal(self, region: str) -> Array | None:
        """See `Constraints`."""
        model = self._model
        total, normals = np.zeros(model.part.dim), []
        for f in model.regions.facets(region):
            basis = FacetBasis(load_reference(f.type), model.part.points, f.nodes, 1)
            n = basis.default_parameters()["n"]
            mine = f.mine(model.part)
            total += np.einsum("ifq,fq->i", n[:, mine], basis.dx[mine])
            normals.append(n.reshape(len(n), -1).T)
        total = model.part.comm.sum(total)
        length = np.linalg.norm(total)
        mean = total / length if length > 0 else total
        worst = max((float(np.abs(n - mean).max()) for n in normals), default=0.0)
        worst = float(model.part.comm.max(worst))
        if length == 0 or worst > _PLANE:
            kind = self._acting.conditions[self._source].WhichOneof("kind")
            path = f"{self._path(self._source)}.{kind}"
            self.violations.append(violation("SYMMETRY_NOT_PLANE", path, region=region, deviation=f"{worst:.3g}"))
            return None
        return np.asarray(mean)

    def check_held(self, held: ConstraintSet) -> None:
        """Find fault with conditions, once built, that hold what another set leaves free."""
        loose: dict[int, list[NDArray[np.int32]]] = {}
        for nodes, direction, _, source in self._rows:
            row = held.index[nodes]
            wanted = np.broadcast_to(direction, (len(nodes), self._model.components))
            across = np.einsum("nij,nj->ni", held.projectors[row], wanted) if len(held.nodes) else wanted
            free = np.where((row < 0)[:, None], wanted, across)
            loose.setdefault(source, []).append(nodes[np.linalg.norm(free, axis=1) > _RANK])
        for source, found in loose.items():
            ids = self._numbers(np.concatenate(found))
            if len(ids):
                region = self._acting.conditions[source].region
                self.violations.append(
                    violation(
                        "CASE_HOLDS_MORE", self._path(source), node_ids=ids.tolist(), region=region, count=len(ids)
                    )
                )

    def _path(self, source: int) -> str:
        return f"{self._acting.path}.conditions[{source}]"

    def _solve(self) -> ConstraintSet:
        nc, n_local = self._model.components, self._model.part.n_local
        if not self._rows:  # on all ranks alike
            return ConstraintSet.none(n_local, nc)
        index = np.full(n_local, -1, dtype=np.int32)
        node = np.concatenate([n for n, _, _, _ in self._rows])
        direction = np.concatenate([np.broadcast_to(d, (len(n), nc)) for n, d, _, _ in self._rows])
        value = np.concatenate([np.broadcast_to(v, len(n)) for n, _, v, _ in self._rows])
        source = np.concatenate([np.full(len(n), s) for n, _, _, s in self._rows])
        order = np.argsort(node, kind="stable")
        node, direction, value, source = node[order], direction[order], value[order], source[order]
        nodes, first, count = np.unique(node, return_index=True, return_counts=True)
        index[nodes] = np.arange(len(nodes), dtype=np.int32)
        projectors, prescribed = np.empty((len(nodes), nc, nc)), np.empty((len(nodes), nc))
        rank = np.empty(len(nodes), dtype=np.int64)
        wrong: dict[int, tuple[NDArray[np.int32], NDArray[np.int64]]] = {}
        largest = float(self._model.part.comm.max(np.abs(value).max(initial=0.0)))
        for m in np.unique(count):
            group = np.flatnonzero(count == m)
            rows = first[group, None] + np.arange(m)
            N, g = _merged(direction[rows]), value[rows]  # (n, m, nc), (n, m)
            projectors[group], prescribed[group], rank[group], slack = _subspace(N, g)
            error = np.abs(np.einsum("nmi,ni->nm", N, prescribed[group]) - g).max(axis=1)
            bad = group[error > _AGREE * largest + slack]
            if len(bad):
                wrong[int(m)] = nodes[bad], source[first[bad, None] + np.arange(m)].ravel()
        self._contradictions(wrong)
        return ConstraintSet(index, nodes.astype(np.int32), projectors, prescribed, rank)

    def _numbers(self, nodes: NDArray[np.int32]) -> NDArray[np.int64]:
        """The numbers in the file of local nodes of all ranks, each once, as on one rank. Collective."""
        part = self._model.part
        here = part.nodes[nodes[nodes < part.n_owned]]
        found = np.unique(np.concatenate(part.comm.gather(here)))
        return np.asarray(self._model.regions.stored.load().node_numbers(found)) if len(found) else found

    def _contradictions(self, wrong: dict[int, tuple[NDArray[np.int32], NDArray[np.int64]]]) -> None:
        """Tell local nodes at which conditions contradict each other, by how many meet there. Collective."""
        comm = self._model.part.comm
        nothing = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        for m in sorted({m for found in comm.gather(list(wrong)) for m in found}):
            nodes, here = wrong.get(m, nothing)
            ids, sources = self._numbers(nodes), np.unique(np.concatenate(comm.gather(here)))
            conditions = self._acting.conditions
            regions = ", ".join(dict.fromkeys(conditions[s].region for s in sources))
            paths = ", ".join(self._path(int(s)) for s in sources)
            path = self._path(int(sources[-1]))
            self.violations.append(
                violation(
                    "CONDITIONS_CONTRADICT",
                    path,
                    node_ids=ids.tolist(),
                    regions=regions,
                    conditions=paths,
                    count=len(ids),
                )
            )


def replaced(held: ConstraintSet, other: ConstraintSet) -> Array:
    """Prescribed values of a set, shape (m, nc), where another one that holds no more gives some of them anew.

    In the directions that the other set prescribes its values count, in those it leaves free the old ones.
    """
    prescribed = held.prescribed.copy()
    row = held.index[other.nodes]
    values = np.einsum("mij,mj->mi", other.projectors, prescribed[row]) + other.prescribed
    prescribed[row] = values - np.einsum("mij,mj->mi", held.projectors[row], values)
    return prescribed


def _merged(N: Array) -> Array:
    """Unit directions, shape (n, m, nc), with those nearly parallel to an earlier one of their node replaced by it."""
    for j in range(1, N.shape[1]):
        for i in range(j):
            along = np.einsum("nk,nk->n", N[:, i], N[:, j])[:, None]
            near = np.linalg.norm(N[:, j] - along * N[:, i], axis=1) < _RANK
            N[near, j] = (np.sign(along) * N[:, i])[near]
    return N


def _subspace(N: Array, g: Array) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Projector, shortest solution and rank of N u = g for a batch of small systems, and how far g may be missed.

    That is the part of the directions that is neglected, times the length of the solution.

    Parameters
    ----------
    N
        shape (n, m, nc).
    g
        shape (n, m).
    """
    U, s, Vt = np.linalg.svd(N, full_matrices=False)
    kept = s > _RANK * s[:, :1]
    inverse = np.where(kept, 1.0 / np.where(kept, s, 1.0), 0.0)
    u0 = np.einsum("nri,nr,nmr,nm->ni", Vt, inverse, U, g, optimize=True)
    P = np.eye(N.shape[2]) - np.einsum("nri,nr,nrj->nij", Vt, kept.astype(float), Vt, optimize=True)
    exact = np.round(P)
    P = np.where(np.abs(P - exact) < 1e-14, exact, P)  # directions along axes give zeros and ones
    neglected = np.where(kept, 0.0, s).max(axis=1)
    return P, u0, kept.sum(axis=1), 2.0 * neglected * np.linalg.norm(u0, axis=1)
