"""One step of a problem on one part: which section each local cell belongs to, and its material."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation, violation_from
from dougong.solver.elements import Reference
from dougong.solver.laws.laws import Law, law_of
from dougong.solver.laws.orientation import axes_at, check_angles, given, varies, without_direction
from dougong.solver.laws.schemes import Scheme, check_cells
from dougong.solver.parallel.partition import Part, PartBlock
from dougong.solver.physics import Physics
from dougong.solver.problem import Problem, ResolvedSection, ResolvedStep, is_axisymmetric
from dougong.solver.regions import Regions
from dougong.solver.thermal.history import History
from dougong.solver.thermal.temperature import Layer, Temperature
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Cells worked on at a time where arrays over quadrature points are formed.
CHUNK = 4096

#: Numbers of shape functions times integration points that are worked on at a time, where each has a strain matrix.
_AT_POINTS = 1 << 16

#: Cells of a local block: all, some that follow each other, or others.
Rows = slice | NDArray[np.integer]

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
    increment
        In a step with a frame for each frame of another one: which of them it is.
    temperature
        That of the body: in cells and nodes, or where it is the unknown of the step itself at the nodes, shape
        (n_local,). Properties are evaluated at it.
    """

    step: ResolvedStep
    part: Part
    regions: Regions
    sections: tuple[ResolvedSection, ...]
    section_of: tuple[NDArray[np.int32], ...]
    history: History | None = None
    time: float = 1.0
    increment: int = 0
    temperature: Temperature | NDArray[np.float64] | None = None

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

    @property
    def warmth(self) -> Temperature:
        """The temperature of the body; says nothing where there is none."""
        if isinstance(self.temperature, np.ndarray):
            return Temperature((Layer(self.temperature),))
        return self.temperature or Temperature()

    @cached_property
    def varying(self) -> NDArray[np.bool_]:
        """Whether the law of a section may differ from point to point of a cell, shape (n_sections,)."""
        found = [self._turns_inside(s) or self.physics.varies(s.material) for s in self.sections]
        return np.array(found, dtype=bool)

    def _turns_inside(self, section: ResolvedSection) -> bool:
        return self._turns(section) and varies(section.orientation)

    @cached_property
    def section_laws(self) -> Law:
        """The law of each section, p = 1; of one that varies, that in the axes and at the reference of its material."""
        nowhere = np.zeros((1, 1, self.part.dim))
        found = []
        for section in self.sections:
            turned = self._turns(section) and not self._turns_inside(section)
            axes = axes_at(section.orientation, nowhere, self.parameters) if turned else None
            cold = np.full((1, 1), self.physics.reference(section.material))
            found.append(law_of(self.physics, section.material, self.part.dim, section.kinematics, axes, cold))
        return Law(np.concatenate([f.coefficient for f in found]), np.concatenate([f.embedding for f in found]))

    def _turns(self, section: ResolvedSection) -> bool:
        """Whether its orientation counts."""
        return given(section.orientation) and not self.physics.isotropic(section.material)

    def law(self, k: int, rows: Rows) -> Law:
        """The law of some cells of a local block: once a cell where that is enough for all of them, else at each point.

        Parameters
        ----------
        k
            Number of the block.
        rows
            Cells in it, of one scheme.
        """
        section = self.section_of[k][rows]
        found = self.section_laws[section]
        if not self.varying[section].any():
            return found
        points = _points(self.part, self.part.blocks[k], rows, self.reference(k, rows))
        whole = Law(*(np.repeat(x, points.shape[1], axis=1) for x in (found.coefficient, found.embedding)))
        for number in np.flatnonzero(self.varying):
            here, s = np.flatnonzero(section == number), self.sections[number]
            axes = axes_at(s.orientation, points[here], self.parameters) if self._turns(s) else None
            temperature = self._temperature(k, rows)[here] if self.physics.varies(s.material) else None
            of_it = law_of(self.physics, s.material, self.part.dim, s.kinematics, axes, temperature)
            whole.coefficient[here], whole.embedding[here] = of_it.coefficient, of_it.embedding
        return whole

    def axes(self, k: int, rows: Rows, section: int) -> NDArray[np.float64]:
        """Axes of the material at the integration points of those cells that are of a section, shape (n, nq, 3, 3)."""
        points = _points(self.part, self.part.blocks[k], rows, self.reference(k, rows))
        points = points[self.section_of[k][rows] == section]
        axes = axes_at(self.sections[section].orientation, points, self.parameters)
        return np.broadcast_to(axes, (*points.shape[:2], 3, 3))

    def _temperature(self, k: int, rows: Rows) -> NDArray[np.float64]:
        """Temperatures at the integration points of cells, shape (n, nq)."""
        return self.at_points(self.warmth, k, rows)

    def at_points(self, temperature: Temperature, k: int, rows: Rows) -> NDArray[np.float64]:
        """A temperature at the integration points of cells of a local block, shape (n, nq).

        Where it says nothing it is the reference temperature of the material.
        """
        block = self.part.blocks[k]
        references = self.per_section(self.physics.reference)[self.section_of[k][rows]]
        at_nodes = temperature.at_nodes(k, rows, block.nodes[rows], references)
        return np.asarray(at_nodes @ self.reference(k, rows).N.T)

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

    @cached_property
    def schemes(self) -> tuple[Scheme, ...]:
        """How the cells of each section are treated; where the unknown is no displacement, they are plain."""
        if self.physics.UNKNOWN == "displacement":
            return tuple(s.scheme for s in self.sections)
        return tuple(Scheme(s.scheme.rule) for s in self.sections)

    @property
    def plain(self) -> bool:
        """Whether the strains of all cells are those of their displacements."""
        return all(s.formulation == "plain" for s in self.schemes)

    def scheme(self, k: int, rows: Rows) -> Scheme:
        """How some cells of a local block, all of one scheme, are treated."""
        section = self.section_of[k][rows]
        return self.schemes[section[0]] if len(section) else Scheme()

    def reference(self, k: int, rows: Rows) -> Reference:
        """Tables of some cells of a local block, all of one scheme, at their integration points."""
        return self.scheme(k, rows).reference(self.part.blocks[k].type.name)

    @cached_property
    def point_counts(self) -> tuple[int, ...]:
        """Integration points of a cell for each local block, of those in it that have most of them. Collective."""
        blocks = enumerate(self.part.blocks)
        here = [max((self.reference(k, rows).n_points for rows in self.alike(k)), default=0) for k, _ in blocks]
        return tuple(max(counts) for counts in zip(*self.part.comm.gather(here), strict=True))

    def alike(self, k: int) -> Iterator[Rows]:
        """The cells of a local block by schemes."""
        used = [s for s in np.unique(self.section_of[k]).tolist() if s >= 0]
        kinds = list(dict.fromkeys(self.schemes[s] for s in used))
        if len(kinds) == 1:
            yield slice(0, len(self.part.blocks[k]))
            return
        for kind in kinds:
            yield np.flatnonzero(np.isin(self.section_of[k], [s for s in used if self.schemes[s] == kind]))

    def chunks(self) -> Iterator[tuple[PartBlock, int, Rows]]:
        """All local cells in pieces of one scheme each: block, its number, rows."""
        for k, block in enumerate(self.part.blocks):
            for rows in self.alike(k):
                for some in self.pieces(k, rows):
                    yield block, k, some

    def pieces(self, k: int, rows: Rows) -> Iterator[Rows]:
        """Cells of one scheme, so many at a time that arrays over their integration points are not too large."""
        scheme, size = self.scheme(k, rows), CHUNK
        if scheme.formulation != "plain":
            reference = self.reference(k, rows)
            size = max(16, _AT_POINTS // reference.N.size)
        n = rows.stop if isinstance(rows, slice) else len(rows)
        for first in range(0, n, size):
            some = slice(first, min(first + size, n))
            yield some if isinstance(rows, slice) else rows[some]


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
    found += check_cells([s.scheme for s in problem.sections], part, regions, section_of)
    found += _negative_radii(problem, part, regions)
    if not any(v.reason == "CELLS_WITHOUT_SCHEME" for v in found):
        found += _check_axes(problem, part, regions, section_of)
    return tuple(section_of), found


def _check_axes(
    problem: Problem, part: Part, regions: Regions, section_of: list[NDArray[np.int32]]
) -> list[job_pb2.Violation]:
    """Cells on the axis of the cylinder that their material follows, and angles that have no value."""
    found = []
    for number, section in enumerate(problem.sections):
        if not varies(section.orientation):
            continue
        cells: list[int] = []
        angles: list[job_pb2.Violation] = []
        for block, sections in zip(part.blocks, section_of, strict=True):
            rows = np.flatnonzero((sections == number) & block.mine)
            for first in range(0, len(rows), CHUNK):
                some = rows[first : first + CHUNK]
                points = _points(part, block, some, section.scheme.reference(block.type.name))
                cells.extend(block.cells[some[without_direction(section.orientation, points)]].tolist())
                name = section.orientation_name
                angles += check_angles(section.orientation, name, points, problem.analysis.parameters)
        found += angles[:1]
        if cells:
            ids, path = _cell_numbers(regions, cells), f"sections[{number}].orientation"
            params = {"orientation": section.orientation_name, "count": len(cells), "example": ids[0]}
            found.append(violation_from("ORIENTATION_ON_AXIS", path, params, cell_ids=ids))
    return found


def _points(part: Part, block: PartBlock, rows: Rows, reference: Reference) -> NDArray[np.float64]:
    """The integration points of some cells, shape (n, nq, dim)."""
    return np.asarray(np.einsum("qa,nad->nqd", reference.N, part.points[block.nodes[rows]], optimize=True))


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
