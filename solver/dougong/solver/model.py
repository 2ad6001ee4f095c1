"""One step of a problem on one part: which section each local cell belongs to, and its material."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.history import History
from dougong.solver.partition import Part, PartBlock
from dougong.solver.physics import Physics
from dougong.solver.problem import Problem, ResolvedSection, ResolvedStep, is_axisymmetric
from dougong.solver.regions import Regions
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Cells worked on at a time where arrays over quadrature points are formed.
CHUNK = 4096

#: Nodes this far on the wrong side of the axis, as a part of the largest radius, are taken as on it.
_ON_AXIS = 1e-9


@dataclass(frozen=True)
class Model:
    """A step on a part.

    Attributes
    ----------
    step
        The step.
    part, regions
        The part and its regions.
    sections
        All sections of the analysis.
    section_of
        For each local block the section of each cell, shape (n_cells,), int32; -1 where there is none.
    history
        States of the steps before it; None where nothing was computed.
    time
        Time in the step, for what depends on it: 1 at the end of a step without a time of its own.
    """

    step: ResolvedStep
    part: Part
    regions: Regions
    sections: tuple[ResolvedSection, ...]
    section_of: tuple[NDArray[np.int32], ...]
    history: History | None = None
    time: float = 1.0

    @property
    def physics(self) -> Physics:
        """The physics of the step."""
        return self.step.physics

    @property
    def components(self) -> int:
        """Unknowns a node."""
        return max(1, len(self.physics.components(self.part.dim)))

    @property
    def parameters(self) -> Mapping[str, float]:
        """Numbers by name, for expressions."""
        return self.step.analysis.parameters

    def coefficients(self) -> NDArray[np.float64]:
        """Constitutive matrix of the solid of each section, shape (n_sections, r, r)."""
        return np.array([self.physics.coefficient(s.material, self.part.dim, s.kinematics) for s in self.sections])

    def embeddings(self) -> NDArray[np.float64]:
        """Strains of the solid from those of the model, of each section, shape (n_sections, r, k)."""
        return np.array([self.physics.embedding(s.material, self.part.dim, s.kinematics) for s in self.sections])

    def laws(self) -> NDArray[np.float64]:
        """Constitutive matrix that the form and the kernel take, of each section, shape (n_sections, k, k)."""
        T = self.embeddings()
        C = np.einsum("sia,sij,sjb->sab", T, self.coefficients(), T)
        return np.asarray((C + C.transpose(0, 2, 1)) / 2)

    @property
    def axisymmetric(self) -> bool:
        """Whether the mesh is half a section through a body of revolution about the y axis."""
        return is_axisymmetric(self.sections)

    def extent(self, section: NDArray[np.integer], radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far the body reaches across the plane: its thickness, or the circumference 2 π r; 1 in space.

        Parameters
        ----------
        section
            shape (n,): of cells.
        radius
            shape (n, nq): first coordinate of points in them.

        Returns
        -------
        ndarray, shape (n, nq)
        """
        if self.axisymmetric:
            return 2 * np.pi * radius
        return np.broadcast_to(self.thickness()[section][:, None], radius.shape)

    def thickness(self) -> NDArray[np.float64]:
        """Thickness of each section, shape (n_sections,)."""
        return np.array([s.thickness for s in self.sections])

    def per_section(self, of: Callable[[pb.Material], float]) -> NDArray[np.float64]:
        """A constant of the material of each section, shape (n_sections,)."""
        return np.array([of(s.material) for s in self.sections])

    def chunks(self) -> Iterator[tuple[PartBlock, int, slice]]:
        """All local cells in pieces: block, its number, rows."""
        for k, block in enumerate(self.part.blocks):
            for first in range(0, len(block), CHUNK):
                yield block, k, slice(first, min(first + CHUNK, len(block)))


def assign_sections(
    problem: Problem, part: Part, regions: Regions
) -> tuple[tuple[NDArray[np.int32], ...], list[job_pb2.Violation]]:
    """The section of each local cell, and what is wrong: cells in no section or in two, nodes beyond the axis."""
    section_of = [np.full(len(b), -1, dtype=np.int32) for b in part.blocks]
    twice: dict[tuple[int, int], list[int]] = {}
    for number, section in enumerate(problem.sections):
        for k, rows in enumerate(regions.cells(section.region)):
            taken = section_of[k][rows]
            for other in np.unique(taken[taken >= 0]):
                cells = part.blocks[k].cells[rows[taken == other]]
                twice.setdefault((int(other), number), []).extend(cells.tolist())
            section_of[k][rows] = number
    found = []
    for (first, second), cells in twice.items():
        ids = _cell_numbers(regions, cells)
        path = f"sections[{second}].region"
        found.append(
            violation("CELLS_IN_TWO_SECTIONS", path, cell_ids=ids, count=len(cells), first=first, second=second)
        )
    missing = [c for b, s in zip(part.blocks, section_of, strict=True) for c in b.cells[(s < 0) & b.mine].tolist()]
    if missing:
        ids = _cell_numbers(regions, missing)
        found.append(violation("CELLS_WITHOUT_SECTION", "sections", cell_ids=ids, count=len(missing), example=ids[0]))
    return tuple(section_of), found + _negative_radii(problem, part, regions)


def _negative_radii(problem: Problem, part: Part, regions: Regions) -> list[job_pb2.Violation]:
    """Nodes of an axisymmetric model beyond the axis. Collective."""
    if not is_axisymmetric(problem.sections):
        return []
    radius = part.points[: part.n_owned, 0]
    largest = part.comm.max(float(np.abs(radius).max(initial=0.0)))
    wrong = np.flatnonzero(radius < -_ON_AXIS * largest)
    if not len(wrong):
        return []
    ids = regions.stored.load().node_numbers(np.sort(part.nodes[wrong])[:1000]).tolist()
    lowest = float(radius.min())
    return [violation("RADIUS_NEGATIVE", "mesh", node_ids=ids, count=len(wrong), example=ids[0], value=lowest)]


def _cell_numbers(regions: Regions, cells: list[int]) -> list[int]:
    some = np.sort(np.array(cells, dtype=np.int64))[:1000]
    return regions.stored.load().cell_numbers(some).tolist()
