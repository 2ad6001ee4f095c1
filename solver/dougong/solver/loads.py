"""Loads on a part: the right-hand side, and what loads such as convection add to the stiffness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skfem import BilinearForm

from dougong.messages import violation
from dougong.solver.elements import FacetBasis, LoadBasis, load_reference
from dougong.solver.model import CHUNK, Model
from dougong.solver.moments import moments
from dougong.solver.problem import Acting, ResolvedSection
from dougong.solver.thermal.temperature import Layer, layer_on, reached, state_of
from dougong.solver.values.on_model import Values
from dougong.solver.values.quantities import is_constant, places, vector
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Array = NDArray[np.float64]

#: Flow into the body over area, and its derivative, from the unknown at points, both shape (n, nq), and parameters.
Flow = Callable[..., tuple[Array, Array]]


@dataclass(frozen=True)
class ElementMatrices:
    """Element matrices in the node order of the mesh.

    Attributes
    ----------
    type
        Name of the cell type of the elements.
    nodes
        shape (n, k), int32 - local nodes.
    values
        shape (n, k nc, k nc) - unknowns of a node together.
    mine
        shape (n,), bool - whether this rank counts the element in sums.
    """

    type: str
    nodes: NDArray[np.int32]
    values: Array
    mine: NDArray[np.bool_]


@dataclass(frozen=True)
class PerSection:
    """A value for each section."""

    values: Array


def element_matrices(form: BilinearForm, basis: Any, **params: Any) -> Array:
    """Element matrices of a form, shape (n_cells, n, n); unknowns in order of the cell's nodes, then components."""
    local = form.elemental(basis, **params).tolocal()  # (n_cells, trial, test)
    return np.ascontiguousarray(local[:, basis.order][:, :, basis.order].transpose(0, 2, 1))


class LoadBuilder:
    """Collects the loads of a step or of one of its cases; implements `dougong.solver.physics.base.Loads`.

    Attributes
    ----------
    rhs
        shape (n_local, nc): nodal loads; complete on owned nodes.
    matrices
        What loads add to the stiffness.
    layers
        Temperatures of the body, the last one on top.
    on_points
        Coupling -> shape (6,): force and moment on its reference point.
    violations
        What is wrong with values of this rank.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.on_points: dict[str, Array] = {}
        self._values, self._path = Values(model, pb.Load(), ""), ""
        self.rhs = np.zeros((model.part.n_local, model.components))
        self.matrices: list[ElementMatrices] = []
        self.layers: list[Layer] = []
        self.violations: list[job_pb2.Violation] = []

    @property
    def units(self) -> pb.UnitSystem:
        """See `Loads`."""
        return self._model.step.analysis.units

    def run(
        self,
        acting: Acting | None = None,
        restraining_only: bool = False,
        varying_only: bool = False,
        temperature_only: bool = False,
    ) -> None:
        """Evaluate loads; default: those of the step. Collective.

        Parameters
        ----------
        acting
            Whose loads.
        restraining_only
            Only those of them that also hold the body.
        varying_only
            Only those of them whose values or directions are not the same everywhere and always.
        temperature_only
            Only those of them that say the temperature of the body.
        """
        physics, dim = self._model.physics, self._model.part.dim
        acting = acting or self._model.step.own
        for k, load in enumerate(acting.loads):
            path = f"{acting.path}.loads[{k}]"
            if restraining_only and load.WhichOneof("kind") not in physics.RESTRAINING_LOADS:
                continue
            if varying_only and not _varies(load):
                continue
            if temperature_only and load.WhichOneof("kind") != "temperature":
                continue
            self._values, self._path = Values(self._model, load, path), path
            physics.LOADS[load.WhichOneof("kind")](load, dim, self)
            self.violations += self._values.violations

    @property
    def axisymmetric(self) -> bool:
        """See `Loads`."""
        return self._model.axisymmetric

    def on_cells(self, region: str, form: Any, **params: Any) -> None:
        """See `Loads`."""
        model = self._model
        for k, (block, rows) in enumerate(zip(model.part.blocks, model.regions.cells(region), strict=True)):
            for first in range(0, len(rows), CHUNK):
                some = rows[first : first + CHUNK]
                section = model.section_of[k][some]
                basis = LoadBasis(
                    load_reference(block.type.name), model.part.points, block.nodes[some], model.components
                )
                basis.dx = basis.dx * model.extent(section, basis.default_parameters()["x"][0])
                self._add(basis.nodes, moments(form, basis, **self._params(params, basis, section)))

    def on_facets(self, region: str, form: Any, **params: Any) -> None:
        """See `Loads`."""
        for f in self._model.regions.facets(region):
            basis, section = self._facet_basis(f)
            self._add(basis.nodes, moments(form, basis, **self._params(params, basis, section)))

    def on_facets_bilinear(self, region: str, form: Any, **params: Any) -> None:
        """See `Loads`."""
        for f in self._model.regions.facets(region):
            basis, section = self._facet_basis(f)
            values = element_matrices(form, basis, **self._params(params, basis, section))
            self.matrices.append(ElementMatrices(f.type, f.nodes, values, f.mine(self._model.part)))

    def on_facets_flow(self, region: str, flow: Flow, **params: Any) -> None:
        """See `Loads`."""
        state = self._model.temperature if isinstance(self._model.temperature, np.ndarray) else None
        for f in self._model.regions.facets(region):
            basis, section = self._facet_basis(f)
            N = basis.reference.N
            at_nodes = np.zeros(f.nodes.shape) if state is None else state[f.nodes]
            T = at_nodes @ N.T
            q, slope = flow(T, **self._params(params, basis, section))
            # Where more enters the warmer it is, the tangent would not be positive; any other finds the same solution.
            film = basis.dx * np.maximum(-slope, 0.0)
            values = np.einsum("nq,qa,qb->nab", film, N, N, optimize=True)
            self.matrices.append(ElementMatrices(f.type, f.nodes, values, f.mine(self._model.part)))
            self._add(basis.nodes, ((basis.dx * q + film * T) @ N)[..., None])

    def on_nodes(self, region: str, components: pb.Vector) -> None:
        """See `Loads`."""
        nodes = self._model.regions.nodes(region)
        quantities = vector(components, self.rhs.shape[1])
        self.rhs[nodes] += self._values.vector_at(quantities, self._model.part.points[nodes])

    def warm(self, region: str, given: pb.TemperatureField) -> None:
        """See `Loads`."""
        model = self._model
        if given.WhichOneof("source") == "value":
            nodal = np.empty(model.part.n_local)
            nodal[:] = self._values.at(given.value, model.part.points)
        elif model.history is not None:
            path = f"{self._path}.temperature"
            nodal = state_of(model.history, given, model.increment, model.part.nodes, path)
        else:
            return  # nothing is computed yet
        self.layers.append(layer_on(model.regions, region, nodal))

    def on_point(self, coupling: str, force: pb.Vector, moment: pb.Vector) -> None:
        """See `Loads`."""
        values = [float(self._values.at(q, None)) for v in (force, moment) for q in vector(v, 3)]
        self.on_points[coupling] = self.on_points.get(coupling, np.zeros(6)) + values

    def measure(self, region: str) -> float:
        """See `Loads`."""
        area = 0.0
        for f in self._model.regions.facets(region):
            basis, _ = self._facet_basis(f)
            area += float(basis.dx[f.mine(self._model.part)].sum())
        return float(self._model.part.comm.sum(area))

    def section_values(self, of: Callable[[pb.Material], float]) -> PerSection:
        """See `Loads`."""
        return PerSection(self._model.per_section(of))

    def _facet_basis(self, f: Any) -> tuple[FacetBasis, NDArray[np.int32]]:
        model = self._model
        basis = FacetBasis(load_reference(f.type), model.part.points, f.nodes, model.components)
        section = model.section_of[f.block][f.rows]
        basis.dx = basis.dx * model.extent(section, basis.default_parameters()["x"][0])
        return basis, section

    def _params(self, params: dict[str, Any], basis: Any, section: NDArray[np.int32]) -> dict[str, Any]:
        """Parameters of a form at its points: vectors (i, n, nq), section values (n, nq), numbers as they are."""
        shape = basis.dx.shape
        points = np.moveaxis(np.asarray(basis.default_parameters()["x"]), 0, -1)
        out: dict[str, Any] = {}
        for name, value in params.items():
            if isinstance(value, PerSection):
                out[name] = np.broadcast_to(value.values[section][:, None], shape)
            elif isinstance(value, np.ndarray):
                out[name] = np.broadcast_to(value[:, None, None], (len(value), *shape))
            elif isinstance(value, pb.Quantity):
                out[name] = self._values.at(value, points)
            elif isinstance(value, pb.Vector):
                found = self._values.vector_at(vector(value, self._model.part.dim), points)
                found = np.broadcast_to(found, (*shape, found.shape[-1]))
                out[name] = np.moveaxis(found, -1, 0)
            else:
                out[name] = float(value)
        return out

    def _add(self, nodes: NDArray[np.integer], values: Array) -> None:
        for i in range(self.rhs.shape[1]):
            self.rhs[:, i] += np.bincount(nodes.ravel(), values[..., i].ravel(), minlength=len(self.rhs))


def _varies(load: pb.Load) -> bool:
    return load.axes.HasField("cylindrical") or not all(is_constant(p.quantity) for p in places(load))


def film_forces(matrices: list[ElementMatrices], u: Array) -> Array:
    """What element matrices make of nodal values, both shape (n_local, nc); complete on owned nodes."""
    force = np.zeros_like(u)
    for e in matrices:
        values = np.einsum("nij,nj->ni", e.values, u[e.nodes].reshape(len(e.nodes), -1))
        np.add.at(force, e.nodes, values.reshape(*e.nodes.shape, u.shape[1]))
    return force


def check_values(model: Model, acting: Acting) -> list[job_pb2.Violation]:
    """What is wrong with values that vary, where loads really act. Collective."""
    builder = LoadBuilder(model)
    builder.run(acting, varying_only=True)
    return builder.violations


def check_loads(model: Model, acting: Acting) -> list[job_pb2.Violation]:
    """What is wrong with loads where they really act. Collective.

    Loads on cells, and temperatures, by the materials of those cells; a total force on an axis of symmetry, where
    there is no area.
    """
    physics = model.physics
    found: list[job_pb2.Violation] = []
    for k, load in enumerate(acting.loads):
        kind = load.WhichOneof("kind")
        if kind == "total_force" and model.axisymmetric and not LoadBuilder(model).measure(load.region) > 0:
            found.append(violation("FORCE_ON_AXIS", f"{acting.path}.loads[{k}].total_force", region=load.region))
        path, where = f"{acting.path}.loads[{k}]", physics.LOAD_REGIONS[kind]
        if where not in ("cells", "body"):
            continue
        rows = reached(model.regions, load.region) if where == "body" else model.regions.cells(load.region)
        loaded = {int(s) for b, r in zip(model.section_of, rows, strict=True) for s in np.unique(b[r]) if s >= 0}
        for s in sorted(loaded):
            if where == "body":
                found += _check_expanding(model.sections[s], path)
                continue
            found += [v for v in physics.check_load(load, path, model.sections[s].material) if v not in found]
    return found


def _check_expanding(section: ResolvedSection, load_path: str) -> list[job_pb2.Violation]:
    """A temperature acts on a material that does not say how it expands."""
    if section.material.HasField("expansion"):
        return []
    name = section.material_name
    return [violation("EXPANSION_MISSING", f'materials["{name}"].expansion', material=name, load=load_path)]
