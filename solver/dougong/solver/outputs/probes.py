"""Values of fields at points: interpolated with the shape functions of the cell in which the point lies.

The unknown is interpolated as it is; a field from gradients from its averages at the nodes within the material of the
cell, and an invariant is formed of what was interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.elements import tabulate
from dougong.solver.model import Model
from dougong.solver.outputs.locate import Locator, Place
from dougong.solver.outputs.smoothing import Slots, Smoothed
from dougong.solver.parallel.partition import Part
from dougong.solver.state import NodalState
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, result_pb2

Array = NDArray[np.float64]

#: How far outside the body a probe may be, as a part of the diagonal of the mesh.
DEFAULT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class PlacedProbe:
    """A probe and its place."""

    name: str
    message: pb.Probe
    place: Place


def names_of(outputs: pb.Outputs) -> list[str]:
    """Names of the probes, defaults filled in."""
    return [p.name or f"probe-{k + 1}" for k, p in enumerate(outputs.probes)]


def place_probes(part: Part, outputs: pb.Outputs) -> tuple[list[PlacedProbe], list[job_pb2.Violation]]:
    """Find the cells of all probes; those that are outside the body are told. Collective."""
    if not outputs.probes:
        return [], []
    low = part.comm.min(part.points.min(axis=0, initial=np.inf))
    high = part.comm.max(part.points.max(axis=0, initial=-np.inf))
    usual = DEFAULT_TOLERANCE * float(np.linalg.norm(high - low))
    tolerances = [p.tolerance if p.HasField("tolerance") else usual for p in outputs.probes]
    locator = Locator(part, max(tolerances))
    placed, wrong = [], []
    for k, (name, probe, tolerance) in enumerate(zip(names_of(outputs), outputs.probes, tolerances, strict=True)):
        point = np.array(probe.point.coordinates)
        place = locator.find(point)
        if place is not None and place.distance <= tolerance:
            placed.append(PlacedProbe(name, probe, place))
            continue
        distance, near = (place.distance, place.point) if place is not None else _nearest_node(part, point)
        where = "(" + ", ".join(f"{x:.6g}" for x in near) + ")"
        path = f"outputs.probes[{k}].point"
        far, limit = f"{distance:.4g}", f"{tolerance:.4g}"
        wrong.append(violation("PROBE_OUTSIDE", path, probe=name, distance=far, tolerance=limit, nearest=where))
    return placed, wrong


def _nearest_node(part: Part, point: Array) -> tuple[float, tuple[float, ...]]:
    distance = np.linalg.norm(part.points - point, axis=1)
    k = int(distance.argmin()) if len(distance) else -1
    here = (float(distance[k]), tuple(part.points[k].tolist())) if k >= 0 else (np.inf, ())
    found: tuple[float, tuple[float, ...]] = min(part.comm.gather(here))
    return found


class Probes:
    """The probes of a step.

    Parameters
    ----------
    model
        The step on this part.
    placed
        Where they are.
    """

    def __init__(self, model: Model, placed: list[PlacedProbe]) -> None:
        self._model, self._placed = model, placed

    @cached_property
    def _slots(self) -> Slots:
        return Slots(self._model)

    def fields(self, probe: pb.Probe) -> list[str]:
        """The fields of a probe that this step has."""
        step = self._model.step
        fields, unknown = step.physics.FIELDS, step.physics.UNKNOWN
        asked = [f for f in dict.fromkeys(probe.fields or step.usual_fields) if f in fields]
        # Nodal forces have no value between the nodes.
        return [f for f in asked if f == unknown or fields[f].at_points or fields[f].from_field]

    def all_fields(self) -> list[str]:
        """Those of all probes."""
        return list(dict.fromkeys(f for p in self._placed for f in self.fields(p.message)))

    def places(self) -> list[result_pb2.ProbePlace]:
        """Where they are, for the result of the step."""
        found = []
        for p in self._placed:
            cell = self._model.regions.cell_number(p.place.cell)
            found.append(result_pb2.ProbePlace(probe=p.name, cell=cell, point=p.place.point, distance=p.place.distance))
        return found

    def values(self, state: NodalState) -> list[result_pb2.ProbeValue]:
        """Values of a state, whose fields must have been recovered. Collective."""
        physics, part = self._model.physics, self._model.part
        here: dict[tuple[int, str], list[float]] = {}
        for field in self.all_fields():
            spec = physics.FIELDS[field]
            base = spec.from_field[0] if spec.from_field is not None else field
            nodal = _Nodal(self._slots, None if base == physics.UNKNOWN else state.recover().smoothed[base], state.u)
            for k, p in enumerate(self._placed):
                value = nodal.at(self._model, p.place) if field in self.fields(p.message) else None
                if value is not None:
                    here[k, field] = (spec.from_field[1](value) if spec.from_field else value).tolist()
        every = {key: value for of_rank in part.comm.gather(here) for key, value in of_rank.items()}
        out = []
        for k, p in enumerate(self._placed):
            for field in self.fields(p.message):
                spec, values = physics.FIELDS[field], every[k, field]
                components = spec.components[: len(values)] if spec.components else ()
                out.append(
                    result_pb2.ProbeValue(
                        probe=p.name, field=field, components=components, values=values, dimension=spec.dimension
                    )
                )
        return out


class _Nodal:
    """Nodal values within each material."""

    def __init__(self, slots: Slots, smoothed: Smoothed | None, u: Array) -> None:
        self._slots, self._u = slots, u
        self._within = [smoothed.within(m) for m in range(len(slots.materials))] if smoothed is not None else None

    def at(self, model: Model, place: Place) -> Array | None:
        """The value at a place, shape (width,); None where another rank has its cell."""
        if place.rank != model.part.comm.rank:
            return None
        block = model.part.blocks[place.block]
        N, _ = tabulate(block.type.name, np.array(place.X)[:, None])
        values = self._u
        if self._within is not None:
            values = self._within[int(self._slots.material_of[model.section_of[place.block][place.row]])]
        return np.asarray(N[0] @ values[block.nodes[place.row]])
