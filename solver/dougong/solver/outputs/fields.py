"""Which fields a step writes, and their largest and smallest values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.model import Model
from dougong.solver.outputs.extremes import extremes_of
from dougong.solver.outputs.told import Told
from dougong.solver.outputs.vtu import PointData
from dougong.solver.outputs.writer import FieldKey
from dougong.solver.physics import fields_of
from dougong.solver.state import NodalState, bases, formed, nodal_values
from dougong.solver.step import StepContext
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

__all__ = ["NodalState", "Wanted", "nodal_values", "told_of", "wanted", "write_fields"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Wanted:
    """Names of the fields to write at nodes, at integration points and at cells."""

    nodal: tuple[str, ...]
    points: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


def wanted(context: StepContext) -> Wanted:
    """The fields to write."""
    physics = context.model.physics
    requests = [r for r in context.outputs.fields if r.name in fields_of(physics)]
    if not requests:
        return Wanted(context.model.step.usual_fields)

    def at(*locations: pb.Location) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.name for r in requests if r.location in locations))

    return Wanted(
        at(pb.LOCATION_UNSPECIFIED, pb.LOCATION_NODE), at(pb.LOCATION_INTEGRATION_POINT), at(pb.LOCATION_CELL)
    )


def write_fields(context: StepContext, state: NodalState, frame: int) -> list[result_pb2.Extreme]:
    """Write the fields of a frame that are wanted; returns the extremes of those at nodes. Collective.

    Raises
    ------
    SolveError
        NON_FINITE: a field overflows.
    """
    model, fields = context.model, fields_of(context.model.physics)
    asked = wanted(context)
    # Extremes are told of the usual fields whether they are written or not.
    told = list(dict.fromkeys([*asked.nodal, *model.step.usual_fields]))
    beside = told_of(context)
    needed = [bases(fields, n) for n in ([*told, *beside.nodal_fields()], asked.points, asked.cells)]
    if any(needed):  # else no pass over the cells is needed
        state.recover(*needed)
    vtu = context.vtu_fields if context.outputs.vtu or context.outputs.vtu_compressed else []

    def key(name: str, width: int) -> FieldKey:
        spec = fields[name]
        return FieldKey(name, model.step.name, frame, spec.components[:width], spec.dimension)

    extremes: list[result_pb2.Extreme] = []
    for name in told:
        values = nodal_values(state, name)
        if model.part.comm.max(float(not np.isfinite(values).all())):
            # Finite displacements may have stresses whose squares overflow.
            raise SolveError("NON_FINITE", solver=name)
        one = key(name, values.shape[1])
        extremes += extremes_of(model, frame, name, one.components, values)
        if name in asked.nodal:
            stored = context.writer.nodal(one, model.part, values)
            vtu.append(PointData(name, one.components, stored))
    for name in asked.points:
        blocks = _absent_as_nan(model, formed(fields, name, state.recover().at_points))
        context.writer.at_points(key(name, blocks[0].shape[-1]), model.part, blocks)
    at_cells = beside.tell(state, frame)
    if asked.cells:
        at_cells = {**state.recover().at_cells, **at_cells}
    for name in asked.cells:
        blocks = formed(fields, name, at_cells)
        one = key(name, blocks[0].shape[-1])
        stored = context.writer.at_cells(one, model.part, blocks)
        vtu.append(PointData(name, one.components, stored, at_cells=True))
    return extremes


def told_of(context: StepContext) -> Told:
    """What the frames of the step tell beside their fields; probes and cuts are found the first time. Collective."""
    if context.told is None:
        context.told = Told(context.model, context.outputs)
    found: Told = context.told
    return found


def _absent_as_nan(model: Model, blocks: list[Array]) -> list[Array]:
    """Values at integration points, with NaN where cells have fewer points than others of their block."""
    out = []
    for k, values in enumerate(blocks):
        whole = values
        for rows in model.alike(k):
            n = model.reference(k, rows).n_points
            if n < values.shape[1]:
                whole = values.copy() if whole is values else whole
                whole[rows, n:] = np.nan
        out.append(whole)
    return out
