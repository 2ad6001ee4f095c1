r"""How far the solution may be from the exact one: the estimate of Zienkiewicz and Zhu.

The flux σ of the solution jumps between cells; a smoothed flux σ* is closer to the exact one. Their difference is taken
for the error, in the energy norm:

    η_K² = ∫_K (σ* - σ) : C⁻¹ : (σ* - σ),   η² = Σ η_K²,   |u|² = ∫ σ : C⁻¹ : σ,   relative error = η / sqrt(|u|² + η²)

On linear cells σ* interpolates averages at the nodes (Zienkiewicz and Zhu, "A simple error estimator and adaptive
procedure for practical engineering analysis", IJNME 24, 1987), on quadratic ones it is found by patch recovery
(`outputs.patches`); both within one material. A mesh in which every cell has the same share of a permitted
error e has cells of size h_K (e_K / η_K)^(1/p), e_K = e / sqrt(number of cells), p the order of the cells (same place).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.solver.elements import Reference, finer
from dougong.solver.model import Model
from dougong.solver.outputs.patches import by_patches
from dougong.solver.outputs.smoothing import Slots, Smoothed
from dougong.solver.recover import CellValues, cell_values
from dougong.solver.state import NodalState
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import result_pb2

Array = NDArray[np.float64]

#: The relative error for which the result says how fine the mesh would have to be.
DEFAULT_TARGET = 0.05
#: How many places the result tells of, and from which share in the square of the error on.
_SPOTS, _LEAST_SHARE = 3, 0.02
#: Radius of such a place as a part of the diagonal of the mesh, and in sizes of its worst cell at least.
_RADIUS, _CELLS = 0.05, 1.5
#: Candidates that each rank names.
_CANDIDATES = 200
#: Below this part of the energy that moving the nodes alone by the largest value would take, an error is rounding.
_ROUNDING = 1e-18
#: No cell is asked to be smaller, or allowed to be larger, than this times its size.
_FINEST, _COARSEST = 0.05, 4.0


@dataclass(frozen=True)
class CellErrors:
    """The estimate on one part.

    Attributes
    ----------
    squares
        For each local block shape (n_cells,): η_K².
    total, energy
        η² and |u|² + η², over all ranks; 0 where they are rounding.
    """

    squares: list[Array]
    total: float
    energy: float

    @property
    def relative(self) -> float:
        """The relative error."""
        return float(np.sqrt(self.total / self.energy)) if self.energy > 0 else 0.0

    def shares(self) -> list[Array]:
        """The field `error`, for each local block shape (n_cells, 1): η_K / sqrt(|u|² + η²)."""
        scale = 1.0 / self.energy if self.energy > 0 else 0.0
        return [np.sqrt(s * scale)[:, None] for s in self.squares]


def cell_errors(state: NodalState) -> CellErrors:
    """Estimate the error of each cell; the flux of the physics must have been recovered at the nodes. Collective."""
    model = state.model
    part, field = model.part, model.physics.FIELDS[model.physics.FLUX]
    assert field.at_points is not None
    smoothed = _smoothed(state)
    slots = Slots(model)
    within = [smoothed.within(m) for m in range(len(slots.materials))]
    energies = _Energies(model)
    largest = float(part.comm.max(float(np.abs(state.u).max(initial=0.0))))
    squares = [np.zeros(len(b)) for b in part.blocks]
    energy = rounding = 0.0
    for cells in cell_values(model, state.u, state.loading.thermal):
        block, section = part.blocks[cells.block], model.section_of[cells.block][cells.rows]
        nodes, mine = block.nodes[cells.rows], block.mine[cells.rows]
        of_cell = slots.material_of[section]
        nodal = within[0][nodes] if len(within) == 1 else np.empty((*nodes.shape, within[0].shape[1]))
        for m in range(len(within)) if len(within) > 1 else ():
            nodal[of_cell == m] = within[m][nodes[of_cell == m]]
        flux = field.at_points(cells.gradients, cells.flux)
        at, measure = cells.reference, cells.measure
        found = flux
        if (other := finer(block.type.name, at.rule)) is not None:
            at, to_points = other
            measure = _measure(model, at, nodes, section)
            found = np.einsum("pq,nqw->npw", to_points, flux, optimize=True)
        jump = np.einsum("qa,naw->nqw", at.N, nodal, optimize=True) - found
        squares[cells.block][cells.rows] = energies.of(cells, jump, measure)
        energy += float(energies.of(cells, flux, cells.measure)[mine].sum())
        size = np.ptp(part.points[nodes], axis=1).max(axis=1)
        rounding += float((energies.stiffness[section] * cells.measure.sum(axis=1) / size**2)[mine].sum())
    total = sum(float(s[b.mine].sum()) for s, b in zip(squares, part.blocks, strict=True))
    total, energy, rounding = part.comm.sum(np.array([total, energy, rounding])).tolist()
    if energy + total <= _ROUNDING * rounding * largest * largest or energy + total == 0.0:
        return CellErrors(squares, 0.0, 0.0)
    return CellErrors(squares, total, energy + total)


def _measure(model: Model, at: Reference, nodes: NDArray[np.int32], section: NDArray[np.integer]) -> Array:
    """Area times thickness that each point of a plane cell stands for, shape (n, nq)."""
    coordinates = model.part.points[nodes]
    J = np.einsum("qaj,nai->nqij", at.dN, coordinates, optimize=True)
    return np.linalg.det(J) * at.W * model.extent(section, coordinates[..., 0] @ at.N.T)


class _Energies:
    """Twice the energy of fluxes, ∫ s : C⁻¹ : s.

    Attributes
    ----------
    stiffness
        shape (n_sections,): the largest entry of C.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        C = model.section_laws.coefficient[:, 0]
        self._inverse = np.linalg.pinv(C, hermitian=True)
        self.stiffness = np.abs(C).max(axis=(1, 2))

    def of(self, cells: CellValues, flux: Array, measure: Array) -> Array:
        """Of each of some cells, shape (n,), from fluxes, (n, nq, r), at points that stand for `measure`, (n, nq)."""
        model, section = self._model, self._model.section_of[cells.block][cells.rows]
        if model.varying[section].any():
            C = model.law(cells.block, cells.rows).coefficient
            if C.shape[1] != flux.shape[1]:
                C = C.mean(axis=1, keepdims=True)
            S = np.broadcast_to(np.linalg.pinv(C, hermitian=True), (*flux.shape, flux.shape[2]))
            return np.einsum("nqi,nqij,nqj,nq->n", flux, S, flux, measure, optimize=True)
        out = np.empty(len(flux))
        for k in np.unique(section):
            here = section == k
            of_it = flux[here]
            density = ((of_it @ self._inverse[k]) * of_it).sum(axis=2)
            out[here] = (density * measure[here]).sum(axis=1)
        return out


def _smoothed(state: NodalState) -> Smoothed:
    model = state.model
    averaged = state.recover().smoothed[model.physics.FLUX]
    quadratic = any(t.order > 1 for t in model.regions.stored.cell_types)
    return by_patches(model, state.u, state.loading.thermal, averaged) if quadratic else averaged


def estimate_message(
    state: NodalState, found: CellErrors, options: pb.ErrorEstimateOptions
) -> result_pb2.ErrorEstimate:
    """What the result says of the error. Collective."""
    target = options.target if options.HasField("target") else DEFAULT_TARGET
    message = result_pb2.ErrorEstimate(relative_error=found.relative, target=target)
    if not found.total > 0:
        message.cells_for_target = float(state.model.regions.stored.n_cells)
        return message
    wanted, cells = _wanted_sizes(state.model, found, target)
    message.cells_for_target = cells
    message.spots.extend(_spots(state.model, found, wanted))
    return message


def _wanted_sizes(model: Model, found: CellErrors, target: float) -> tuple[list[Array], float]:
    """For each local cell the size that the target asks for over its size; the number of cells that makes in all."""
    part = model.part
    permitted = target * np.sqrt(found.energy / model.regions.stored.n_cells)
    factors, cells = [], 0.0
    for block, squares in zip(part.blocks, found.squares, strict=True):
        with np.errstate(divide="ignore"):
            factor = (permitted / np.sqrt(squares)) ** (1 / block.type.order)
        factors.append(np.clip(factor, _FINEST, _COARSEST))
        cells += float((factors[-1][block.mine] ** -part.dim).sum())
    return factors, float(part.comm.sum(cells))


@dataclass(frozen=True, order=True)
class _Candidate:
    """A cell with a large error; ordered from the largest on, equal ones by their number."""

    negative_square: float
    cell: int
    point: tuple[float, ...]
    size: float
    factor: float


def _spots(model: Model, found: CellErrors, factors: list[Array]) -> list[result_pb2.RefinementSpot]:
    """The places with the largest shares: around the worst cell, then around the worst outside that, and so on."""
    part = model.part
    centres = [part.points[b.nodes[:, : b.type.n_corners]].mean(axis=1) for b in part.blocks]
    named = sorted(c for group in part.comm.gather(_candidates(model, found, centres, factors)) for c in group)
    low = part.comm.min(part.points.min(axis=0, initial=np.inf))
    high = part.comm.max(part.points.max(axis=0, initial=-np.inf))
    least = _RADIUS * float(np.linalg.norm(high - low))
    chosen: list[tuple[_Candidate, float]] = []
    for candidate in named:
        if all(np.linalg.norm(np.subtract(candidate.point, c.point)) > radius for c, radius in chosen):
            chosen.append((candidate, max(least, _CELLS * candidate.size)))
        if len(chosen) == _SPOTS:
            break
    shares = np.zeros(len(chosen))
    for block, centre, squares in zip(part.blocks, centres, found.squares, strict=True):
        free = block.mine.copy()
        for k, (spot, radius) in enumerate(chosen):
            inside = free & (np.linalg.norm(centre - np.array(spot.point), axis=1) <= radius)
            shares[k] += squares[inside].sum()
            free &= ~inside
    shares = part.comm.sum(shares) / found.total
    told = []
    for (spot, radius), share in sorted(zip(chosen, shares.tolist(), strict=True), key=lambda x: -round(x[1], 9)):
        regions = _near(model, spot.point, radius + spot.size)
        if share >= _LEAST_SHARE:
            told.append(
                result_pb2.RefinementSpot(
                    cell=model.regions.cell_number(spot.cell),
                    point=spot.point,
                    radius=radius,
                    share=share,
                    size=spot.size,
                    wanted_size=spot.size * spot.factor,
                    regions=regions,
                )
            )
    return told


def _candidates(model: Model, found: CellErrors, centres: list[Array], factors: list[Array]) -> list[_Candidate]:
    """The cells of this rank with the largest errors, rounded so that equal ones are equal on any number of ranks."""
    part, out = model.part, []
    for k, block in enumerate(part.blocks):
        squares = np.where(block.mine, found.squares[k], -1.0)
        for i in np.argsort(-squares)[:_CANDIDATES].tolist():
            if block.mine[i]:
                corners = part.points[block.nodes[i, : block.type.n_corners]]
                size = float(np.ptp(corners, axis=0).max())
                square = float(f"{-squares[i] / found.total:.8e}")
                out.append(_Candidate(square, int(block.cells[i]), tuple(centres[k][i]), size, float(factors[k][i])))
    return sorted(out)[:_CANDIDATES]


def _near(model: Model, point: tuple[float, ...], radius: float) -> list[str]:
    """Regions named in the step, and of sections, that have a node within a distance of a point. Collective."""
    part, step = model.part, model.step
    named = [c.region for acting in step.acting for c in acting.conditions]
    named += [x.region for acting in step.acting for x in acting.loads]
    named = [r for r in [*named, *(s.region for s in model.sections)] if r]
    inside = np.linalg.norm(part.points - np.array(point), axis=1) <= radius
    found = []
    for region in dict.fromkeys(named):
        if part.comm.max(float(inside[model.regions.nodes(region)].any())):
            found.append(region)
    return found
