"""Which fields a step writes, and their largest and smallest values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.mesh import numbers
from dougong.messages import SolveError
from dougong.solver.conditions import ConstraintSet
from dougong.solver.loadings import Loading
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.output import FieldKey
from dougong.solver.recover import Recovery
from dougong.solver.step import StepContext
from dougong.solver.vtu import PointData
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

Array = NDArray[np.float64]


@dataclass
class NodalState:
    """A solution with what led to it.

    Attributes
    ----------
    model, constraints
        The step and what holds it.
    loading
        Loads and prescribed values.
    matrices
        What loads added to the stiffness.
    u
        shape (n_local, nc): the solution, ghosts too.
    """

    model: Model
    constraints: ConstraintSet
    loading: Loading
    matrices: list[ElementMatrices]
    u: Array
    recovery: Recovery | None = None

    def recover(self, nodal: list[str], at_points: list[str]) -> Recovery:
        """Make the pass over the cells; later calls return its result."""
        if self.recovery is None:
            self.recovery = Recovery(self.model, self.u, self.matrices, nodal, at_points)
        return self.recovery

    @cached_property
    def residual(self) -> Array:
        """Internal forces minus loads on owned nodes, shape (n_owned, nc): reactions, and what is left elsewhere."""
        n = self.model.part.n_owned
        return self.recover([], []).internal[:n] - self.loading.loads[:n]

    @cached_property
    def reaction(self) -> Array:
        """Reactions on owned nodes, shape (n_owned, nc): the residual in the prescribed directions."""
        free = self.constraints.project(self.residual)
        out = np.zeros_like(self.residual)
        held = self.constraints.nodes[self.constraints.nodes < len(out)]
        out[held] = self.residual[held] - free[held]
        return out


def wanted(context: StepContext) -> tuple[list[str], list[str]]:
    """Names of the fields to write, at nodes and at integration points."""
    physics = context.model.physics
    requests = [r for r in context.outputs.fields if r.name in physics.FIELDS]
    if not requests:
        return list(physics.DEFAULT_FIELDS), []
    nodal = [r.name for r in requests if r.location in (pb.LOCATION_UNSPECIFIED, pb.LOCATION_NODE)]
    points = [r.name for r in requests if r.location == pb.LOCATION_INTEGRATION_POINT]
    return list(dict.fromkeys(nodal)), list(dict.fromkeys(points))


def write_fields(context: StepContext, state: NodalState, frame: int) -> list[result_pb2.Extreme]:
    """Write the fields of a frame that are wanted; returns the extremes of those at nodes. Collective.

    Raises
    ------
    SolveError
        NON_FINITE: a field overflows.
    """
    model, fields = context.model, context.model.physics.FIELDS
    nodal, points = wanted(context)
    # Extremes are told of the usual fields whether they are written or not.
    told = list(dict.fromkeys([*nodal, *model.physics.DEFAULT_FIELDS]))
    base_nodal = [_base(fields, n) for n in told]
    base_points = [_base(fields, n) for n in points]
    recovery = state.recover([b for b in base_nodal if b], [b for b in base_points if b])
    owned = model.part.n_owned
    direct = {model.physics.UNKNOWN: state.u[:owned], "reaction": state.reaction}

    extremes: list[result_pb2.Extreme] = []
    for name in told:
        spec = fields[name]
        if name in direct:
            values = direct[name]
        elif spec.from_field is not None:
            values = spec.from_field[1](recovery.nodal[spec.from_field[0]])
        else:
            values = recovery.nodal[name]
        if model.part.comm.max(float(not np.isfinite(values).all())):
            # Finite displacements may have stresses whose squares overflow.
            raise SolveError("NON_FINITE", solver=name)
        components = spec.components[: values.shape[1]] if spec.components else ()
        extremes += _extremes(state, frame, name, components, values)
        if name in nodal:
            key = FieldKey(name, model.step.name, frame, components, spec.dimension)
            stored = context.writer.nodal(key, model.part, values)
            if context.outputs.vtu or context.outputs.vtu_compressed:
                context.vtu_fields.append(PointData(name, components, stored))
    for name in points:
        spec = fields[name]
        if spec.from_field is not None:
            blocks = [spec.from_field[1](v) for v in recovery.at_points[spec.from_field[0]]]
        else:
            blocks = recovery.at_points[name]
        components = spec.components[: blocks[0].shape[2]] if spec.components else ()
        context.writer.at_points(FieldKey(name, model.step.name, frame, components, spec.dimension), model.part, blocks)
    return extremes


def _base(fields: object, name: str) -> str:
    spec = fields[name]  # type: ignore[index]
    if spec.from_field is not None:
        return str(spec.from_field[0])
    return name if spec.at_points is not None else ""


def _extremes(
    state: NodalState, frame: int, name: str, components: tuple[str, ...], values: Array
) -> list[result_pb2.Extreme]:
    part = state.model.part
    columns = [(name, c, values[:, i]) for i, c in enumerate(components or ("",))]
    if components in (("x", "y"), ("x", "y", "z")):
        columns.append((f"{name}_magnitude", "", np.linalg.norm(values, axis=1)))
    node_ids = state.model.regions.stored.node_ids
    out = []
    for field, component, column in columns:
        best = []
        for sign in (1.0, -1.0):
            k = int(np.argmin(sign * column)) if len(column) else -1
            here = (sign * column[k], int(part.nodes[k]), part.points[k].tolist()) if k >= 0 else (np.inf, -1, [])
            best.append(min(part.comm.gather(here)))
        (low, low_node, low_point), (high, high_node, high_point) = best
        ids = numbers(node_ids, np.array([low_node, high_node]))
        out.append(
            result_pb2.Extreme(
                field=field,
                component=component,
                min=low,
                max=-high,
                min_node=int(ids[0]),
                max_node=int(ids[1]),
                min_point=low_point,
                max_point=high_point,
                min_frame=frame,
                max_frame=frame,
            )
        )
    return out
