"""From the solution to what engineers read: gradients, fluxes and fields, reactions, energies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver import kernels
from dougong.solver.assemble import fused_kernel, stiffness_forms
from dougong.solver.elements import Reference, extrapolation
from dougong.solver.laws.strains import StrainMatrices, strain_matrices, vector_of
from dougong.solver.loads import ElementMatrices
from dougong.solver.model import Model, Rows
from dougong.solver.outputs.smoothing import Slots, Smoothed
from dougong.solver.physics import FieldSpec
from dougong.solver.thermal.strain import Terms, strains_of, thermal_strain
from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellValues:
    """What is known at the integration points of some cells.

    Attributes
    ----------
    block, rows
        Which cells: local block and rows in it.
    reference
        Tables of the cell type.
    measure
        shape (n, nq): volume (area times thickness) that each point stands for.
    gradients, flux
        shape (n, nq, nc', dim'): those of the solid that the model stands for.
    elastic
        Same shape: gradients without thermal strain, from which the flux follows. The same array where there is none.
    strains
        Of cells that are not plain: how their strains follow from displacements.
    """

    block: int
    rows: Rows
    reference: Reference
    measure: Array
    gradients: Array
    flux: Array
    elastic: Array
    strains: StrainMatrices | None = None


def cell_values(model: Model, u: Array, thermal: Terms | None = None) -> Iterator[CellValues]:
    """Gradients and fluxes of a solution, some cells at a time.

    Parameters
    ----------
    model
        The step on this part.
    u
        shape (n_local, nc): the solution, ghosts too.
    thermal
        Temperatures that strain the body; default: that of the model.
    """
    terms = strains_of(model) if thermal is None else thermal
    thin = np.array([s.kinematics == pb.Section.KINEMATICS_PLANE_STRESS for s in model.sections])
    for block, k, rows in model.chunks():
        reference = model.reference(k, rows)
        nodes, section = block.nodes[rows], model.section_of[k][rows]
        gradients, measure = _gradients(reference, model.part.points, nodes, u)
        hoop = None
        if model.part.dim == 2:
            radius = model.part.points[nodes, 0] @ reference.N.T
            measure = measure * model.extent(section, radius)
            hoop = (u[nodes, 0] @ reference.N.T) / radius if model.axisymmetric else None
        law = model.law(k, rows)
        strains = None
        if model.scheme(k, rows).formulation != "plain":
            strains = strain_matrices(model, k, rows)
            gradients, hoop = strains.imposed(gradients, hoop, u[nodes])
        gradients = model.physics.completed(law.embedding, gradients, hoop)
        elastic = gradients
        if terms and model.physics.EXPANSION is not None:
            free = thermal_strain(model, terms, k, rows, reference)
            if (across := thin[section]).any():
                found = model.physics.EXPANSION.opened(law.embedding[across], gradients[across], free[across])
                gradients[across] = found
            elastic = gradients - free
        flux = model.physics.flux(law.coefficient, elastic)
        yield CellValues(k, rows, reference, measure, gradients, flux, elastic, strains)


def _gradients(reference: Reference, points: Array, nodes: NDArray[np.int32], u: Array) -> tuple[Array, Array]:
    """Gradients of nodal values, (n, nq, nc, dim), and the volume of each point, (n, nq)."""
    if kernels.available():
        cells = kernels.cell_block(points, nodes, reference.dN, nodes, reference.dN, reference.W)
        return kernels.gradients_at_points(cells, u), kernels.measures(cells)
    slopes, measure = shape_gradients(reference, points[nodes])
    return np.einsum("nac,nqai->nqci", u[nodes], slopes, optimize=True), measure


def shape_gradients(reference: Reference, coordinates: Array) -> tuple[Array, Array]:
    """Gradients of the shape functions in space, (n, nq, n_nodes, dim), and the volume of each point, (n, nq)."""
    J = np.einsum("qaj,nai->nqij", reference.dN, coordinates, optimize=True)
    gradients = np.einsum("qaj,nqji->nqai", reference.dN, np.linalg.inv(J), optimize=True)
    return gradients, np.linalg.det(J) * reference.W


def internal_forces(model: Model, u: Array) -> Array:
    """Nodal forces (heat flows) that a solution needs, K u without conditions; complete on owned nodes.

    Parameters
    ----------
    model
        The step on this part.
    u
        shape (n_local, nc): the solution, ghosts too.

    Returns
    -------
    ndarray, shape (n_local, nc)
    """
    if fused_kernel(model) is not None and model.plain:
        force = np.zeros_like(u)
        for k in range(len(model.part.blocks)):
            for form in stiffness_forms(model, k):
                kernels.apply(form, u, force)
        return force
    return _forces(model, cell_values(model, u, ()))


def thermal_forces(model: Model, thermal: Terms) -> Array:
    """Nodal forces of thermal strain, ∫ ε(v) : C : ε_t; complete on owned nodes.

    Parameters
    ----------
    model
        The step on this part.
    thermal
        Temperatures.

    Returns
    -------
    ndarray, shape (n_local, nc)
    """
    if not thermal:
        return np.zeros((model.part.n_local, model.components))
    nothing = np.zeros((model.part.n_local, model.components))
    return -_forces(model, cell_values(model, nothing, thermal))


def forces_of_flux(model: Model, u: Array, thermal: Terms | None = None) -> Array:
    """The nodal forces (heat flows) of the fluxes of a solution, thermal strain taken off, shape (n_local, nc)."""
    return _forces(model, cell_values(model, u, thermal))


def _forces(model: Model, values_of_cells: Iterable[CellValues]) -> Array:
    """Nodal forces with which a flux is in equilibrium, shape (n_local, nc); complete on owned nodes."""
    force = np.zeros((model.part.n_local, model.components))
    for cells in values_of_cells:
        nodes = model.part.blocks[cells.block].nodes[cells.rows]
        if cells.strains is not None:
            stress = cells.measure[..., None] * vector_of(cells.flux, cells.strains.names)
            values = np.einsum("nqi,nqiac->nac", stress, cells.strains.matrices, optimize=True)
            _add(force, nodes, values)
            continue
        flux = cells.measure[..., None, None] * cells.flux[..., : model.components, : model.part.dim]
        values = _moments_of(flux, cells.reference, model.part.points[nodes])
        if model.axisymmetric and cells.flux.shape[-1] > model.part.dim:  # the hoop stress pulls inwards
            N = cells.reference.N
            pull = cells.measure * cells.flux[..., 2, 2] / (model.part.points[nodes, 0] @ N.T)
            values[..., 0] += pull @ N
        _add(force, nodes, values)
    return force


def _moments_of(flux: Array, reference: Reference, coordinates: Array) -> Array:
    """Sum over points of flux times gradient of each shape function, shape (n, n_nodes, nc).

    The flux, shape (n, nq, nc, dim), is taken to the reference cell, where the gradients are the same for all cells:
    one matrix product, and no gradients in space are kept.
    """
    n, nq, nc, dim = flux.shape
    J = np.einsum("qaj,nai->nqij", reference.dN, coordinates, optimize=True)
    there = np.einsum("nqci,nqji->ncqj", flux, np.linalg.inv(J))
    moments = there.reshape(n * nc, nq * dim) @ reference.dN.transpose(0, 2, 1).reshape(nq * dim, -1)
    return moments.reshape(n, nc, -1).swapaxes(1, 2)


class Recovery:
    """Fields, internal forces and energy of a solution, from one pass over the cells.

    Parameters
    ----------
    model
        The step on this part.
    u
        shape (n_local, nc): the solution, ghosts too.
    extra
        What loads added to the stiffness.
    thermal
        Temperatures that strain the body.
    nodal, at_points, at_cells
        Names of the fields wanted at nodes, at integration points, and as means over cells; those computed from
        gradients and flux only.

    Attributes
    ----------
    internal
        shape (n_local, nc): nodal forces (heat flows) that the solution needs, K u; complete on owned nodes.
    energy
        1/2 ∫ flux : gradient over all ranks, film included; of the gradient without thermal strain.
    thermal_energy
        1/2 ∫ flux : thermal strain over all ranks.
    smoothed
        name -> averages over the cells of a node, within a material.
    nodal
        name -> shape (n_owned, width): these at the owned nodes. Between materials the value of the one where the field
        is larger, so that a peak at an interface is not averaged away.
    at_points
        name -> for each local block shape (n_cells, nq, width), nq the most in the block, zero behind fewer.
    at_cells
        name -> for each local block shape (n_cells, width): means over the volume of the cells.
    """

    def __init__(
        self,
        model: Model,
        u: Array,
        extra: list[ElementMatrices],
        thermal: Terms,
        nodal: list[str],
        at_points: list[str],
        at_cells: Sequence[str] = (),
    ) -> None:
        part, fields = model.part, model.physics.FIELDS
        nc = model.components
        self.internal = internal_forces(model, u)
        slots = Slots(model)
        # A rank may have no cells of a type, or none at all.
        sums = {name: np.zeros((slots.n, _width(model, name))) for name in nodal}
        # Cells of one block may differ in their number of points: where there are fewer, the rest is zero.
        counts = list(zip(part.blocks, model.point_counts, strict=True))
        self.at_points = {name: [np.zeros((len(b), nq, _width(model, name))) for b, nq in counts] for name in at_points}
        means = {name: [np.empty((len(b), _width(model, name))) for b in part.blocks] for name in at_cells}
        energy = thermal_energy = 0.0
        for cells in cell_values(model, u, thermal):
            block = part.blocks[cells.block]
            mine = block.mine[cells.rows]
            weighted_flux = 0.5 * cells.measure[mine][..., None, None] * cells.flux[mine]
            energy += float(np.vdot(weighted_flux, cells.elastic[mine]))
            if thermal:
                thermal_energy += float(np.vdot(weighted_flux, (cells.gradients - cells.elastic)[mine]))
            places = slots.of(cells.block, cells.rows)
            slots.count += np.bincount(places.ravel(), minlength=slots.n)
            E = extrapolation(block.type.name, cells.reference.rule)
            for name in dict.fromkeys([*nodal, *at_points, *at_cells]):
                values = _evaluate(fields[name], cells)
                if name in nodal:
                    _add(sums[name], places, np.einsum("aq,nqw->naw", E, values, optimize=True))
                if name in at_points:
                    self.at_points[name][cells.block][cells.rows, : values.shape[1]] = values
                if name in at_cells:
                    weighted = np.einsum("nq,nqw->nw", cells.measure, values)
                    means[name][cells.block][cells.rows] = weighted / cells.measure.sum(axis=1)[:, None]
        for e in extra:
            at_nodes = u[e.nodes].reshape(len(e.nodes), -1)
            force = np.einsum("nij,nj->ni", e.values, at_nodes)
            _add(self.internal, e.nodes, force.reshape(*e.nodes.shape, nc))
            energy += 0.5 * float((force[e.mine] * at_nodes[e.mine]).sum())
        self.energy, self.thermal_energy = part.comm.sum(np.array([energy, thermal_energy])).tolist()
        self.smoothed = {name: Smoothed(slots, total) for name, total in sums.items()}
        self.nodal = {name: smoothed.at_nodes() for name, smoothed in self.smoothed.items()}
        self.at_cells = means


def _width(model: Model, name: str) -> int:
    """Numbers per point of a field that comes from gradients; a vector in the plane has two."""
    nothing = np.empty((0, 1, model.components, model.part.dim))
    nothing = model.physics.completed(model.section_laws.embedding[:0], nothing, np.empty((0, 1)))
    spec = model.physics.FIELDS[name]
    if spec.at_points is None:
        raise ValueError("this field does not come from gradients")
    return int(spec.at_points(nothing, nothing).shape[-1])


def _evaluate(spec: FieldSpec, cells: CellValues) -> Array:
    if spec.at_points is None:
        raise ValueError("this field does not come from gradients")
    of = {"all": cells.gradients, "elastic": cells.elastic}
    return spec.at_points(of[spec.of] if spec.of in of else cells.gradients - cells.elastic, cells.flux)


def _add(total: Array, nodes: NDArray[np.integer], values: Array) -> None:
    """total[nodes] += values, repeated nodes summed; nodes (n, k), values (n, k, w)."""
    flat = nodes.ravel()
    for w in range(total.shape[1]):
        total[:, w] += np.bincount(flat, weights=values[..., w].ravel(), minlength=len(total))
