"""What acts through cuts: force and moment, or heat flow, from the nodal forces of the cells on one side.

The cells A on one side of a cut are in equilibrium by themselves: at every node the forces that their stresses need are
those that act on them there. At the nodes of the cut these are loads on the cells A and what the other side exerts:

    s = F_A(u) - f_A

so that the sum of s over the cut is in equilibrium with loads and reactions on A to the accuracy of the solution, on
any mesh. Stresses integrated over the cut would be as wrong as the stresses are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.elements import FacetBasis, load_reference
from dougong.solver.loadings import superpose
from dougong.solver.loads import LoadBuilder, film_forces
from dougong.solver.model import Model
from dougong.solver.outputs.cuts import Cut, cut_of
from dougong.solver.recover import forces_of_flux
from dougong.solver.regions import Facets, Regions
from dougong.solver.state import NodalState
from dougong.solver.thermal.temperature import Temperature
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, result_pb2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Section:
    """A cut with its name, the point of its moment, and the model of the cells beside it."""

    message: pb.SectionForce
    cut: Cut
    about: Array
    beside: Model


def find_sections(model: Model, outputs: pb.Outputs) -> tuple[list[_Section], list[job_pb2.Violation]]:
    """The cuts of an analysis, and what is wrong with them. Collective."""
    found, wrong = [], []
    for k, message in enumerate(outputs.section_forces):
        path = f"outputs.section_forces[{k}]"
        normal = np.array(message.normal.coordinates) if message.HasField("normal") else None
        cut = cut_of(model.regions, message.region, normal)
        if not model.part.comm.sum(len(cut.nodes)):
            wrong.append(violation("SECTION_EMPTY", f"{path}.region", region=message.region))
        elif model.part.comm.max(float(not cut.clear)):
            wrong.append(violation("SECTION_UNCLEAR", f"{path}.region", region=message.region))
        else:
            given = message.about.coordinates
            about = np.array(given) if message.HasField("about") else _centroid(model, cut.facets)
            found.append(_Section(message, cut, about, _beside(model, cut)))
    return found, wrong


def section_forces(state: NodalState, frame: int, sections: Sequence[_Section]) -> list[result_pb2.RegionSum]:
    """What acts through the cuts in a state. Collective."""
    model, out = state.model, []
    for section in sections:
        beside, rows = _at_state(section, model), section.cut.rows
        thermal = tuple((weight, temperature.within(rows)) for weight, temperature in state.loading.thermal)
        force = forces_of_flux(beside, state.u, thermal)
        force -= _loads(state, frame, beside, model)
        at = section.cut.nodes
        message = result_pb2.RegionSum(
            name=section.message.name or section.message.region, region=section.message.region
        )
        add_sum(message, model, at, force[at], section.about)
        out.append(message)
    return out


def add_sum(
    message: result_pb2.RegionSum, model: Model, nodes: NDArray[np.integer], forces: Array, about: Array | None
) -> None:
    """Set the sum of forces, (n, nc), at owned nodes, and their moment about a point or the origin. Collective."""
    message.sum.extend(model.part.comm.sum(forces.sum(axis=0)).tolist())
    if forces.shape[1] > 1 and not model.axisymmetric:
        about = np.zeros(model.part.dim) if about is None else about
        arm = model.part.points[nodes] - about
        moment = np.cross(arm, forces).reshape(len(nodes), 3 if model.part.dim == 3 else 1).sum(axis=0)
        message.moment.extend(np.atleast_1d(model.part.comm.sum(moment)).tolist())
        message.about.extend(np.asarray(about).tolist())


def _loads(state: NodalState, frame: int, beside: Model, model: Model) -> Array:
    """Nodal loads on the cells beside a cut, what a film takes away left out, shape (n_local, nc). Collective."""
    total = np.zeros_like(state.u)
    if not model.part.comm.max(state.loading.size):
        return total
    own = _Loads(beside, model)
    own.run()
    specs = model.step.frames
    weights = specs[frame].weights if frame < len(specs) else (1.0,)
    every = [own.rhs]
    for acting in model.step.cases if len(weights) > 1 else ():
        case = _Loads(beside, model)
        case.run(acting)
        every.append(own.rhs + case.rhs)
    return superpose(weights, every) - film_forces(own.matrices, state.u)


class _Loads(LoadBuilder):
    """Loads on some cells; what is spread over a region is spread over all of it, whichever of its cells are here.

    Forces at single nodes act on no cell: those at nodes of the cut count as what acts through it.
    """

    def __init__(self, beside: Model, whole: Model) -> None:
        super().__init__(beside)
        self._whole = LoadBuilder(whole)

    def measure(self, region: str) -> float:
        """See `Loads`."""
        return self._whole.measure(region)

    def on_nodes(self, region: str, components: pb.Vector) -> None:
        """See `Loads`."""


class _Beside(Regions):
    """The regions of a part, within some of its cells; facets of the cut belong to the other side."""

    def __init__(self, whole: Regions, part: object, cut: Cut) -> None:
        self.stored, self.part, self.selectors = whole.stored, whole.part, whole.selectors
        self._whole, self._cut = whole, cut

    def nodes(self, name: str) -> NDArray[np.int32]:
        """See `Regions`."""
        return self._whole.nodes(name)

    def cells(self, name: str) -> list[NDArray[np.int32]]:
        """See `Regions`."""
        every = zip(self._whole.cells(name), self._cut.rows, strict=True)
        return [np.flatnonzero(np.isin(ours, rows)).astype(np.int32) for rows, ours in every]

    def facets(self, name: str) -> list[Facets]:
        """See `Regions`."""
        found = []
        for f in self._whole.facets(name):
            ours = self._cut.rows[f.block]
            of_cut = [c.rows for c in self._cut.facets if (c.block, c.number) == (f.block, f.number)]
            here = np.isin(f.rows, ours) & ~np.isin(f.rows, np.concatenate([*of_cut, np.empty(0, np.int32)]))
            if here.any():
                rows = np.searchsorted(ours, f.rows[here]).astype(np.int32)
                found.append(Facets(f.type, f.nodes[here], rows, f.block, f.number))
        return found


def _beside(model: Model, cut: Cut) -> Model:
    """The model of the cells beside a cut; nodes are those of the part."""
    blocks = tuple(
        replace(b, nodes=b.nodes[r], cells=b.cells[r], mine=b.mine[r])
        for b, r in zip(model.part.blocks, cut.rows, strict=True)
    )
    part = replace(model.part, blocks=blocks)
    section_of = tuple(s[r] for s, r in zip(model.section_of, cut.rows, strict=True))
    return replace(model, part=part, regions=_Beside(model.regions, part, cut), section_of=section_of)


def _at_state(section: _Section, model: Model) -> Model:
    """The model of the cells beside a cut at the time, and with the temperature, of a state."""
    warm = model.temperature
    if isinstance(warm, Temperature):
        warm = warm.within(section.cut.rows)
    return replace(section.beside, step=model.step, time=model.time, increment=model.increment, temperature=warm)


def _centroid(model: Model, facets: Sequence[Facets]) -> Array:
    """The centroid of facets, shape (dim,). Collective."""
    part = model.part
    moments = np.zeros(part.dim + 1)
    for f in facets:
        basis = FacetBasis(load_reference(f.type), part.points, f.nodes, 1)
        mine = f.mine(part)
        x = np.asarray(basis.default_parameters()["x"])[:, mine]
        moments += [basis.dx[mine].sum(), *(basis.dx[mine] * x).sum(axis=(1, 2))]
    moments = part.comm.sum(moments)
    return np.asarray(moments[1:] / moments[0])
