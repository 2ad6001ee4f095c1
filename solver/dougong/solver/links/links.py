"""What links unknowns of a model beyond its cells: equations, couplings, ties, springs and masses of an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.solver.links.checks import acts
from dougong.solver.links.couplings import ReferencePoint, add_coupling, reference_points
from dougong.solver.links.rows import RowBuilder, Rows, Unknowns
from dougong.solver.links.springs import Places, add_masses, add_springs
from dougong.solver.links.ties import add_tie
from dougong.solver.model import Model
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, mesh_pb2

Array = NDArray[np.float64]


#: Motions of a point in space, in the order of a force and a moment on it.
MOTIONS = tuple(f"{kind} {axis}" for kind in ("translation", "rotation") for axis in "xyz")


@dataclass(frozen=True)
class Links:
    """The links of a step, the same on every rank.

    Attributes
    ----------
    unknowns
        Numbers of the unknowns of nodes and points.
    points
        Reference points.
    equations
        Their `source` is an index into `sources`.
    sources
        Field paths of what equations come from.
    springs, masses
        Linear forms whose squares times a stiffness or a mass count, as energy of twice that.
    notices
        What is worth knowing about them.
    """

    unknowns: Unknowns
    points: tuple[ReferencePoint, ...]
    equations: Rows
    sources: tuple[str, ...]
    springs: Rows
    masses: Rows
    notices: tuple[mesh_pb2.Notice, ...] = ()

    def forces(self, on_points: Mapping[str, Array]) -> Array:
        """Forces and moments on points, by the names of their couplings, for each of their unknowns."""
        out = np.zeros(self.unknowns.points)
        for point in self.points:
            given = on_points.get(point.name, np.zeros(6))
            out[self.of(point)] = given[[MOTIONS.index(m) for m in point.motions]] / point.scale
        return out

    def motions(self, prescribed: Mapping[tuple[str, str], float]) -> Array:
        """Prescribed motions of points for each of their unknowns; not a number where they are free."""
        out = np.full(self.unknowns.points, np.nan)
        for point in self.points:
            given = [prescribed.get((point.name, m), np.nan) for m in point.motions]
            out[self.of(point)] = np.array(given) * point.scale
        return np.where(np.isnan(out) & self.idle, 0.0, out)

    @cached_property
    def idle(self) -> NDArray[np.bool_]:
        """Which unknowns of points nothing depends on, such as the others where one component alone follows."""
        first = self.unknowns.of_nodes
        used = np.zeros(self.unknowns.points, dtype=bool)
        for rows in (self.equations, self.springs):
            columns = rows.matrix.indices
            used[columns[columns >= first] - first] = True
        return ~used

    def of(self, point: ReferencePoint) -> slice:
        """Where the unknowns of a point are among those of all points."""
        first = point.first - self.unknowns.of_nodes
        return slice(first, first + len(point.motions))


def links_of(model: Model) -> tuple[Links, list[job_pb2.Violation]]:
    """The links of a step, and what is wrong with them. Collective."""
    analysis, part = model.step.analysis, model.part
    nodes = Unknowns(part.n_total, model.components)
    points, wrong = reference_points(model, nodes.of_nodes)
    unknowns = Unknowns(nodes.nodes, nodes.components, sum(len(p.motions) for p in points))
    places = Places(model, points, unknowns)
    equations, springs, masses = RowBuilder(), RowBuilder(), RowBuilder()
    sources: list[str] = []
    notices: list[mesh_pb2.Notice] = []
    for k, equation in enumerate(analysis.equations):
        if acts(equation, model.physics, part.dim):
            wrong += _add_equation(equation, f"equations[{k}]", places, len(sources), equations)
            sources.append(f"equations[{k}]")
    for point in points:
        wrong += add_coupling(model, point, len(sources), equations, unknowns)
        sources.append(f'couplings["{point.name}"]')
    for k in range(len(analysis.ties)):
        said = add_tie(model, k, len(sources), equations, unknowns)
        wrong += said.violations
        notices += said.notices
        sources.append(f"ties[{k}]")
    if model.physics.components(part.dim):
        wrong += add_springs(places, springs)
        add_masses(places, masses)
    total = unknowns.total
    rows, pulling, moving = (b.together(part.comm, total) for b in (equations, springs, masses))
    return Links(unknowns, tuple(points), rows, tuple(sources), pulling, moving, tuple(notices)), wrong


def _add_equation(
    equation: pb.Equation, path: str, places: Places, source: int, rows: RowBuilder
) -> list[job_pb2.Violation]:
    """Add an equation of the user. Collective."""
    wrong: list[job_pb2.Violation] = []
    columns, coefficients = [], []
    for k, term in enumerate(equation.terms):
        found = places.forms(term, f"{path}.terms[{k}]", single=True)
        wrong += found.violations
        if found.violations:
            continue
        form = found.of(pb.Component.Name(term.component).removeprefix("COMPONENT_").lower())
        if form is None:  # the point of a coupling without nodes, which has been told
            continue
        columns.append(int(form[0][0]))
        coefficients.append(term.coefficient * form[1])
    if not wrong and places.model.part.comm.rank == 0:
        rows.add(
            source,
            np.zeros(1, dtype=np.int64),
            np.array([columns]),
            np.array([coefficients]),
            equation.value,
            columns[0] if columns else -1,
        )
    return wrong
