"""Springs and point masses, and the places where they and equations act: nodes by number, regions, reference points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.laws.axes import local_axes
from dougong.solver.links.couplings import ReferencePoint
from dougong.solver.links.rows import RowBuilder, Unknowns
from dougong.solver.loads import ElementMatrices, LoadBuilder
from dougong.solver.model import Model
from dougong.solver.physics._supports import surface_mass
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Ends of a spring nearer than this part of the size of the model are at one place.
_TOGETHER = 1e-9


@dataclass
class Found:
    """What a place is.

    Attributes
    ----------
    columns
        Motion such as "translation x" -> shape (n,), int64: its unknown at each node, or of the point; and by how much
        the unknown is to be multiplied to give the motion.
    points
        shape (n, dim): coordinates - length.
    violations
        Why it is none.
    """

    columns: dict[str, tuple[Ints, float]]
    points: Array
    violations: list[job_pb2.Violation]

    def of(self, component: str) -> tuple[Ints, float] | None:
        """Unknown and factor of a component of the schema, such as "x", "rotation_x" or "temperature"."""
        name = component.replace("_", " ") if component.startswith("rotation") else f"translation {component}"
        return self.columns.get("temperature level" if component == "temperature" else name)


class Places:
    """Finds nodes and points. All methods are collective, and answer alike on every rank.

    Parameters
    ----------
    model, points, unknowns
        The step, its reference points, and numbers of unknowns.
    """

    def __init__(self, model: Model, points: list[ReferencePoint], unknowns: Unknowns) -> None:
        self.model, self.points, self.unknowns = model, points, unknowns

    def forms(self, at: Any, path: str, single: bool) -> Found:
        """The unknowns at a place: a message with the oneof `at` of node, region and coupling.

        Parameters
        ----------
        at
            The message.
        path
            Its field path.
        single
            Whether it must be one node.
        """
        kind, stored = at.WhichOneof("at"), self.model.regions.stored
        if kind == "coupling":
            point = next((p for p in self.points if p.name == at.coupling), None)
            if point is None:  # its region is empty, which has been told
                return Found({}, np.empty((0, stored.dim)), [])
            columns = {m: (point.unknowns[k : k + 1], 1.0 / float(point.scale[k])) for k, m in enumerate(point.motions)}
            return Found(columns, point.place[None], [])
        if kind == "node":
            nodes = stored_index(self.model, at.node)
            if not len(nodes):
                return self._nothing([violation("NODE_UNKNOWN", f"{path}.node", node=at.node)])
        else:
            local = self.model.regions.nodes(at.region)
            part = self.model.part
            nodes = np.sort(np.concatenate(part.comm.gather(part.nodes[local[local < part.n_owned]])))
            if single and len(nodes) != 1:
                wrong = violation("REGION_NOT_ONE_NODE", f"{path}.region", region=at.region, count=len(nodes))
                return self._nothing([wrong])
        unknowns = self.unknowns.at(nodes)  # (n, nc)
        names = [f"translation {c}" for c in self.model.physics.components(stored.dim)] or ["temperature level"]
        columns = {name: (unknowns[:, i], 1.0) for i, name in enumerate(names)}
        return Found(columns, np.asarray(stored.points[nodes]), [])

    def _nothing(self, wrong: list[job_pb2.Violation]) -> Found:
        return Found({}, np.empty((0, self.model.part.dim)), wrong)


def stored_index(model: Model, number: int) -> Ints:
    """The index of a node by its number in the mesh file, shape (1,); shape (0,) where there is none."""
    stored = model.regions.stored
    ids = stored.node_ids
    if ids is None:
        return np.array([number - 1] if 1 <= number <= stored.n_nodes else [], dtype=np.int64)
    return np.flatnonzero(np.asarray(ids) == number).astype(np.int64)


def add_springs(places: Places, rows: RowBuilder) -> list[job_pb2.Violation]:
    """Add the springs of an analysis; says what is wrong. Collective."""
    wrong: list[job_pb2.Violation] = []
    dim = places.model.part.dim
    for k, spring in enumerate(places.model.step.analysis.springs):
        path = f"springs[{k}]"
        two = spring.HasField("to")
        ends = [places.forms(spring.at, f"{path}.at", single=two)]
        if two:
            ends.append(places.forms(spring.to, f"{path}.to", single=True))
        found = [v for end in ends for v in end.violations]
        if not found and not all(len(end.points) for end in ends):
            found.append(violation("LINK_REGION_EMPTY", f"{path}.at", region=spring.at.region))
        kind = spring.WhichOneof("kind")
        if not found and kind == "axial":
            found += _add_axial(places, spring, ends, path, k, rows)
        elif not found:
            axes = local_axes(spring.axes) if spring.HasField("axes") else np.eye(3)
            stiffness = getattr(spring, kind)
            word = "rotation" if kind == "rotational" else "translation"
            for i, axis in enumerate("xyz"):
                value = getattr(stiffness, axis).value
                if value:
                    _add_form(places, ends, word, axes[i], value, k, i, rows, dim)
        wrong += found
    return wrong


def _add_axial(
    places: Places, spring: pb.Spring, ends: list[Found], path: str, k: int, rows: RowBuilder
) -> list[job_pb2.Violation]:
    direction = np.array(spring.direction.coordinates, dtype=float)
    if not len(direction) and len(ends) == 2:
        direction = ends[1].points[0] - ends[0].points[0]
        part = places.model.part
        size = float(part.comm.max(np.abs(part.points).max(initial=0.0)))
        if np.linalg.norm(direction) <= _TOGETHER * size:
            return [violation("SPRING_WITHOUT_DIRECTION", f"{path}.direction")]
    along = np.zeros(3)
    along[: len(direction)] = direction / np.linalg.norm(direction)
    _add_form(places, ends, "translation", along, spring.axial.value, k, 0, rows, places.model.part.dim)
    return []


def _add_form(
    places: Places,
    ends: list[Found],
    word: str,
    direction: Array,
    value: float,
    source: int,
    which: int,
    rows: RowBuilder,
    dim: int,
) -> None:
    """The motion of the first end less that of the other, along a direction, at each node."""
    columns, coefficients = [], []
    n = len(ends[0].points)
    for sign, end in zip((1.0, -1.0), ends, strict=False):
        for axis, part in zip("xyz", direction, strict=True):
            if part and (form := end.columns.get(f"{word} {axis}")) is not None:
                columns.append(np.broadcast_to(form[0], n))
                coefficients.append(np.full(n, sign * part * form[1]))
    if columns and places.model.part.comm.rank == 0:
        key = np.arange(n, dtype=np.int64) * 3 + which
        rows.add(source, key, np.stack(columns, axis=1), np.stack(coefficients, axis=1), value)


def add_masses(places: Places, rows: RowBuilder) -> None:
    """Add the masses at reference points: a form for each motion. Collective."""
    for k, mass in enumerate(places.model.step.analysis.masses):
        if mass.WhichOneof("at") != "coupling":
            continue
        found = places.forms(mass, f"masses[{k}]", single=False)
        if places.model.part.comm.rank:
            continue
        for number, (name, (columns, factor)) in enumerate(found.columns.items()):
            value = getattr(mass.inertia, name[-1]).value if name.startswith("rotation") else mass.mass.value
            if value:
                rows.add(k, np.array([number]), columns[:, None], np.full((1, 1), factor), value)


def check_masses(model: Model) -> list[job_pb2.Violation]:
    """What is wrong with where masses are. Collective."""
    wrong = []
    for k, mass in enumerate(model.step.analysis.masses):
        kind = mass.WhichOneof("at")
        if kind == "node" and not len(stored_index(model, mass.node)):
            wrong.append(violation("NODE_UNKNOWN", f"masses[{k}].node", node=mass.node))
        elif kind == "region" and not model.part.comm.sum(len(model.regions.nodes(mass.region))):
            wrong.append(violation("LINK_REGION_EMPTY", f"masses[{k}].region", region=mass.region))
    return wrong


def masses_of_nodes(model: Model) -> list[ElementMatrices]:
    """What masses at nodes and on facets add to the mass matrix, as element matrices. Collective."""
    part, nc = model.part, model.components
    builder = LoadBuilder(model)
    for mass in model.step.analysis.masses:
        kind = mass.WhichOneof("at")
        if mass.WhichOneof("kind") == "per_area":
            builder.on_facets_bilinear(mass.region, surface_mass, density=mass.per_area.value)
        elif kind in ("node", "region"):
            local = part.local_nodes(stored_index(model, mass.node))[0]
            nodes = local if kind == "node" else model.regions.nodes(mass.region)
            values = np.broadcast_to(mass.mass.value * np.eye(nc), (len(nodes), nc, nc))
            builder.matrices.append(ElementMatrices("point", nodes[:, None], values, nodes < part.n_owned))
    return builder.matrices
