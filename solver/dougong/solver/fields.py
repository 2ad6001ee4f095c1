"""Which fields a step writes, and their largest and smallest values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.mesh import numbers
from dougong.messages import SolveError
from dougong.solver.conditions import ConstraintSet
from dougong.solver.link_forces import LinkForces, link_forces
from dougong.solver.linked import LinkedReduction
from dougong.solver.loadings import Loading
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model
from dougong.solver.output import FieldKey
from dougong.solver.physics import FieldSpec
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
    linked
        Its reduction, and the unknowns of reference points; None where nothing is linked.
    """

    model: Model
    constraints: ConstraintSet
    loading: Loading
    matrices: list[ElementMatrices]
    u: Array
    linked: tuple[LinkedReduction, Array] | None = None
    recovery: Recovery | None = None

    def recover(
        self, nodal: Sequence[str] = (), at_points: Sequence[str] = (), at_cells: Sequence[str] = ()
    ) -> Recovery:
        """Make the pass over the cells; later calls return its result."""
        if self.recovery is None:
            asked = list(nodal), list(at_points), list(at_cells)
            self.recovery = Recovery(self.model, self.u, self.matrices, self.loading.thermal, *asked)
        return self.recovery

    @cached_property
    def residual(self) -> Array:
        """Internal forces minus loads on owned nodes, shape (n_owned, nc): reactions, and what is left elsewhere."""
        n = self.model.part.n_owned
        return self.recover().internal[:n] - self.loading.forces[:n]

    @cached_property
    def links(self) -> LinkForces | None:
        """The forces of links. Collective the first time."""
        if self.linked is None:
            return None
        reduction, points = self.linked
        return link_forces(reduction, self.u, points, self.residual, self.loading.on_points)

    @cached_property
    def constraint_force(self) -> Array:
        """What equations, couplings and ties exert on owned nodes, shape (n_owned, nc)."""
        return self.links.equations if self.links is not None else np.zeros_like(self.residual)

    @cached_property
    def reaction(self) -> Array:
        """Reactions on owned nodes, shape (n_owned, nc): what is left in the prescribed directions."""
        left = self.residual
        if self.links is not None:
            left = left + self.links.springs - self.links.equations
        free = self.constraints.project(left)
        out = np.zeros_like(left)
        held = self.constraints.nodes[self.constraints.nodes < len(out)]
        out[held] = left[held] - free[held]
        return out


@dataclass(frozen=True)
class Wanted:
    """Names of the fields to write at nodes, at integration points and at cells."""

    nodal: tuple[str, ...]
    points: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


def wanted(context: StepContext) -> Wanted:
    """The fields to write."""
    physics = context.model.physics
    requests = [r for r in context.outputs.fields if r.name in physics.FIELDS]
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
    model, fields = context.model, context.model.physics.FIELDS
    asked = wanted(context)
    # Extremes are told of the usual fields whether they are written or not.
    told = list(dict.fromkeys([*asked.nodal, *model.step.usual_fields]))
    bases = [_bases(fields, names) for names in (told, asked.points, asked.cells)]
    if any(bases):  # else no pass over the cells is needed
        state.recover(*bases)
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
        extremes += _extremes(state, frame, name, one.components, values)
        if name in asked.nodal:
            stored = context.writer.nodal(one, model.part, values)
            vtu.append(PointData(name, one.components, stored))
    for name in asked.points:
        blocks = _absent_as_nan(model, formed(fields, name, state.recover().at_points))
        context.writer.at_points(key(name, blocks[0].shape[-1]), model.part, blocks)
    for name in asked.cells:
        blocks = formed(fields, name, state.recover().at_cells)
        one = key(name, blocks[0].shape[-1])
        stored = context.writer.at_cells(one, model.part, blocks)
        vtu.append(PointData(name, one.components, stored, at_cells=True))
    return extremes


def nodal_values(state: NodalState, name: str) -> Array:
    """A field at the owned nodes, shape (n_owned, width); one from gradients must have been recovered."""
    model = state.model
    if name == model.physics.UNKNOWN:
        return state.u[: model.part.n_owned]
    if name == "reaction":
        return state.reaction
    if name == "constraint_force":
        return state.constraint_force
    return formed(model.physics.FIELDS, name, {n: [v] for n, v in state.recover().nodal.items()})[0]


def formed(fields: Mapping[str, FieldSpec], name: str, found: Mapping[str, list[Array]]) -> list[Array]:
    """Values of a field, formed of those of another where it is an invariant."""
    spec = fields[name]
    if spec.from_field is None:
        return found[name]
    of = spec.from_field[1]
    return [of(values) for values in found[spec.from_field[0]]]


def _bases(fields: Mapping[str, FieldSpec], names: Iterable[str]) -> list[str]:
    """The fields from gradients and flux that some fields are formed of."""
    bases = [fields[name].from_field[0] if fields[name].from_field else name for name in names]  # type: ignore[index]
    return [name for name in dict.fromkeys(bases) if fields[name].at_points is not None]


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
