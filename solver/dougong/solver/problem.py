"""From an Analysis and the description of its mesh to a Problem in which every reference is resolved.

Everything that can be said without looking at coordinates is checked here, and everything wrong is reported, each
thing with the path of its field. What needs the geometry (empty selections, contradictions, rigid bodies) is checked
in `dougong.solver.check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.mesh import RegionKind
from dougong.messages import InputError, violation_from
from dougong.solver.condition_checks import Asked, check_condition, check_point_load
from dougong.solver.elements import SOLVABLE
from dougong.solver.frames import FrameSpec, check_frames, frames_of
from dougong.solver.heat.radiation import check_radiation
from dougong.solver.laws.axes import check_point
from dougong.solver.laws.orientation import check_orientations
from dougong.solver.laws.schemes import Scheme, check_schemes, scheme_of
from dougong.solver.linalg.choice import petsc_option_allowed
from dougong.solver.links.checks import check_links
from dougong.solver.load_checks import check_load_geometry, check_rotations
from dougong.solver.modes.prestress import check_prestress
from dougong.solver.newton.nonlinear import law_is_nonlinear, loads_are_nonlinear
from dougong.solver.outputs.checks import check_outputs
from dougong.solver.physics import Physics, Run, all_physics, for_procedure
from dougong.solver.thermal.checks import Source, check_one_temperature, check_temperatures
from dougong.solver.thermal.temperature import followed
from dougong.solver.values.checks import check_numbers, part_of
from dougong.solver.values.nearest import nearest
from dougong.solver.values.quantities import is_zero, settled
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Violation = job_pb2.Violation
T = TypeVar("T")

_AXISYMMETRIC = pb.Section.KINEMATICS_AXISYMMETRIC


@dataclass(frozen=True)
class ResolvedSection:
    """A section with its material.

    Attributes
    ----------
    region
        Region of cells; "" means all.
    material
        The material.
    material_name
        Its name.
    thickness
        Of a two-dimensional model; 1 in three dimensions.
    kinematics
        What a two-dimensional mesh stands for.
    orientation, orientation_name
        The axes of its material; an empty message and "" for the global ones.
    scheme
        How its cells are integrated, and how they strain.
    """

    region: str
    material: pb.Material
    material_name: str
    thickness: float
    kinematics: pb.Section.Kinematics
    orientation: pb.Orientation = field(default_factory=pb.Orientation)
    orientation_name: str = ""
    scheme: Scheme = field(default_factory=Scheme)


def is_axisymmetric(sections: Iterable[ResolvedSection]) -> bool:
    """Whether a mesh is half a section through a body of revolution: all sections say so, or none."""
    return any(s.kinematics == _AXISYMMETRIC for s in sections)


@dataclass(frozen=True)
class Acting:
    """Conditions and loads that stand together.

    Attributes
    ----------
    path
        Field path of the message that has them.
    conditions, loads
        They.
    """

    path: str
    conditions: Sequence[pb.Condition]
    loads: Sequence[pb.Load]


@dataclass(frozen=True)
class ResolvedStep:
    """A step with the physics that solves it.

    Attributes
    ----------
    index
        Its position in the analysis.
    name
        Its name, the default filled in.
    procedure
        Field of dougong.v1.Step.procedure.
    physics
        The physics.
    message
        The step itself.
    analysis
        The analysis it is part of.
    """

    index: int
    name: str
    procedure: str
    physics: Physics
    message: pb.Step
    analysis: pb.Analysis

    @property
    def run(self) -> Run:
        """How it is carried out."""
        return self.physics.PROCEDURES[self.procedure]

    def nonlinear(self, sections: Iterable[ResolvedSection]) -> bool:
        """Whether it depends on its own solution, on a body with these sections."""
        physics, loads = self.physics, [load for acting in self.acting for load in acting.loads]
        law = law_is_nonlinear(physics.NONLINEAR_CONSTANTS, [s.material for s in sections])
        return law or loads_are_nonlinear(physics.NONLINEAR_LOADS, loads)

    def procedure_on(self, sections: Iterable[ResolvedSection]) -> str:
        """Name of the procedure that carries it out, on a body with these sections."""
        return self.run.nonlinear if self.run.nonlinear and self.nonlinear(sections) else self.run.procedure

    @property
    def usual_fields(self) -> tuple[str, ...]:
        """Names of the fields that are written when none is asked for."""
        return self.run.fields or self.physics.DEFAULT_FIELDS

    @property
    def own(self) -> Acting:
        """What acts in all of the step."""
        return Acting(f"steps[{self.index}]", self.message.conditions, self.message.loads)

    @cached_property
    def cases(self) -> tuple[Acting, ...]:
        """What each load case adds."""
        given = enumerate(self.message.load_cases)
        return tuple(Acting(f"{self.own.path}.load_cases[{k}]", case.conditions, case.loads) for k, case in given)

    @property
    def acting(self) -> tuple[Acting, ...]:
        """All of them, what acts in all of the step first."""
        return (self.own, *self.cases)

    @cached_property
    def frames(self) -> tuple[FrameSpec, ...]:
        """The states of the step."""
        return frames_of(self.message)

    @property
    def as_source(self) -> Source:
        """What a later step may ask it for."""
        known = self.run.procedure == "static" and followed(self.message) is None
        return Source(self.name, self.physics.UNKNOWN, len(self.frames) if known else None)


@dataclass(frozen=True)
class Problem:
    """An analysis whose references are all resolved."""

    analysis: pb.Analysis
    sections: tuple[ResolvedSection, ...]
    steps: tuple[ResolvedStep, ...]


def resolve(analysis: pb.Analysis, stored: StoredMesh) -> Problem:
    """Resolve an analysis.

    Parameters
    ----------
    analysis
        What is to be computed.
    stored
        Its mesh.

    Raises
    ------
    InputError
        With everything that is wrong.
    """
    resolver = _Resolver(analysis, stored)
    problem = resolver.run()
    # What asks for the value of a number that is wrong finds zero, and need not complain of that.
    found = resolver.numbers + [v for v in resolver.violations if v.field not in resolver.wrong]
    if found:
        raise InputError(found)
    return problem


class _Resolver:
    def __init__(self, analysis: pb.Analysis, stored: StoredMesh) -> None:
        self.stored = stored
        self.numbers = check_numbers(analysis, stored.dim)
        self.violations: list[Violation] = []
        self.wrong = {part_of(v.field) for v in self.numbers}
        self.analysis = settled(analysis, self.wrong)
        asked = (self.say, self.check_region, self.check_point, self._kinds, self.violations.append)
        self._asked = Asked(self.analysis, stored.dim, *asked)

    def say(self, reason: str, field: str = "", **params: str | float) -> None:
        """Note a violation."""
        self.violations.append(violation_from(reason, field, params))

    def run(self) -> Problem:
        self._cells()
        self._selectors()
        steps = self._steps()
        sections = self._sections(steps)
        check_links(self._asked, [(s.own.path, s.procedure, s.procedure_on(sections), s.physics) for s in steps])
        for step in steps:
            for acting in step.acting:
                self._conditions(step, acting)
                self._loads(step, acting, sections)
            self.violations += check_frames(step.message, step.own.path)
            if step.run.check is not None:
                used = [(f'materials["{s.material_name}"]', s.material) for s in sections]
                self.violations += step.run.check(step.message, step.own.path, list(dict(used).items()))
            self.violations += check_rotations(step.message, step.own.path)
            self._loads_of_cases(step)
            self._temperatures(step, steps, sections)
        self.violations += check_radiation(self.analysis)
        self.violations += check_prestress(steps)
        check_outputs(self.analysis.outputs, _unique(s.physics for s in steps), self)
        self._solver()
        return Problem(self.analysis, tuple(sections), tuple(steps))

    def _cells(self) -> None:
        for cell in self.stored.cell_types:
            if cell.name not in SOLVABLE or cell.dim != self.stored.dim:
                self.say("CELL_TYPE_NOT_SOLVABLE", "mesh", cell_type=cell.name, known=", ".join(SOLVABLE))

    # -- regions

    def _selectors(self) -> None:
        for name in sorted(self.analysis.regions):
            path, selector = f'regions["{name}"]', self.analysis.regions[name]
            if self.stored.find_regions(name):
                self.say("REGION_NAME_TAKEN", path, region=name)
            shape = selector.WhichOneof("shape")
            if shape is None:
                self.say("REGION_WITHOUT_SHAPE", path, region=name)
                continue
            body = getattr(selector, shape)
            for descriptor in body.DESCRIPTOR.fields:
                if descriptor.message_type is pb.Point.DESCRIPTOR:
                    point = getattr(body, descriptor.name)
                    self.check_point(point, f"{path}.{shape}.{descriptor.name}")
                    if descriptor.name in ("normal", "direction") and not any(point.coordinates):
                        self.say("DIRECTION_ZERO", f"{path}.{shape}.{descriptor.name}")
            if shape == "sphere" and not body.radius > 0:
                self.say("VALUE_NOT_POSITIVE", f"{path}.sphere.radius", value=body.radius)
            if shape in ("box", "sphere", "plane") and body.HasField("tolerance") and body.tolerance < 0:
                self.say("VALUE_NEGATIVE", f"{path}.{shape}.tolerance", value=body.tolerance)
            if shape == "normal" and selector.kind not in (pb.Region.KIND_UNSPECIFIED, pb.Region.KIND_FACETS):
                self.say("NORMAL_NEEDS_FACETS", f"{path}.kind", region=name)

    def check_point(self, point: pb.Point, path: str) -> None:
        """Note a wrong number of coordinates."""
        self.violations += check_point(point, self.stored.dim, path)

    def _kinds(self, name: str) -> set[RegionKind]:
        if name in self.analysis.regions:
            kind = self.analysis.regions[name].kind
            names = {pb.Region.KIND_NODES: RegionKind.NODES, pb.Region.KIND_CELLS: RegionKind.CELLS}
            return {names.get(kind, RegionKind.FACETS)}
        return {r.kind for r in self.stored.find_regions(name)}

    def check_region(self, name: str, wanted: Sequence[RegionKind], path: str) -> bool:
        """Whether a region exists and is of one of the wanted kinds."""
        if not name:
            self.say("REGION_MISSING", path)
            return False
        kinds = self._kinds(name)
        if not kinds:
            known = sorted({r.name for r in self.stored.regions} | set(self.analysis.regions))
            near = nearest(name, known)
            self.say("REGION_UNKNOWN", path, region=name, near=", ".join(near) or "-")
            return False
        if not kinds & set(wanted):
            self.say("REGION_WRONG_KIND", path, region=name, kind=_names(kinds), wanted=_names(wanted))
            return False
        return True

    # -- sections and materials

    def _sections(self, steps: Sequence[ResolvedStep]) -> list[ResolvedSection]:
        if not self.analysis.sections:
            self.say("NO_SECTIONS", "sections")
        resolved, used = [], set()
        for k, section in enumerate(self.analysis.sections):
            path = f"sections[{k}]"
            if section.region:
                self.check_region(section.region, [RegionKind.CELLS], f"{path}.region")
            thickness = section.thickness.value if section.HasField("thickness") else 1.0
            if section.HasField("thickness") and self.stored.dim == 3:
                self.say("THICKNESS_OF_SOLID", f"{path}.thickness")
            if not thickness > 0:
                self.say("VALUE_NOT_POSITIVE", f"{path}.thickness", value=thickness)
            self._kinematics(section, f"{path}.kinematics", steps)
            if section.material not in self.analysis.materials:
                known = sorted(self.analysis.materials)
                near = nearest(section.material, known)
                self.say("MATERIAL_UNKNOWN", f"{path}.material", material=section.material, near=", ".join(near) or "-")
                # What it was meant to be is checked too: one run shall find everything.
                used.update(near)
                continue
            used.add(section.material)
            material = self.analysis.materials[section.material]
            orientation = self.analysis.orientations.get(section.orientation, pb.Orientation())
            given = (section.region, material, section.material, thickness, section.kinematics)
            resolved.append(ResolvedSection(*given, orientation, section.orientation, scheme_of(section)))
        self.violations += check_orientations(self.analysis, self.stored.dim) + check_schemes(self.analysis)
        for name in sorted(used):
            for physics in _unique(s.physics for s in steps):
                material, path = self.analysis.materials[name], f'materials["{name}"]'
                self.violations += physics.check_material(material, path, self.stored.dim)
        return resolved

    def _kinematics(self, section: pb.Section, path: str, steps: Sequence[ResolvedStep]) -> None:
        """What a mesh of this dimension cannot be, or what it must be said to be."""
        known = pb.Section.Kinematics.keys()[1:]
        words = [name.removeprefix("KINEMATICS_").lower() for name in known]
        if section.kinematics not in pb.Section.Kinematics.values():
            self.say("KINEMATICS_UNKNOWN", path, value=section.kinematics, known=", ".join(words))
        elif section.kinematics and self.stored.dim == 3:
            self.say("KINEMATICS_OF_SOLID", path, kinematics=words[section.kinematics - 1])
        elif not section.kinematics and self.stored.dim == 2 and any(s.physics.NEEDS_KINEMATICS for s in steps):
            self.say("KINEMATICS_MISSING", path, known=", ".join(words))
        elif _AXISYMMETRIC in (section.kinematics, self.analysis.sections[0].kinematics):
            if section.kinematics != self.analysis.sections[0].kinematics:
                self.say("KINEMATICS_MIXED", path)
            if section.HasField("thickness"):
                self.say("THICKNESS_OF_RING", path.replace("kinematics", "thickness"))

    # -- steps

    def _steps(self) -> list[ResolvedStep]:
        if not self.analysis.steps:
            self.say("NO_STEPS", "steps")
        resolved: list[ResolvedStep] = []
        for k, step in enumerate(self.analysis.steps):
            path = f"steps[{k}]"
            name = step.name or f"step-{k + 1}"
            if any(s.name == name for s in resolved):
                self.say("STEP_NAME_TAKEN", f"{path}.name", step=name)
            procedure = step.WhichOneof("procedure")
            physics = for_procedure(procedure) if procedure else None
            if procedure is None or physics is None:
                known = sorted(p for f in all_physics() for p in f.PROCEDURES)
                self.say("STEP_WITHOUT_PROCEDURE", path, step=name, known=", ".join(known))
                continue
            if self.stored.dim not in physics.DIMENSIONS:
                dims = ", ".join(f"{d}-D" for d in physics.DIMENSIONS)
                self.say("MESH_DIMENSION_NOT_SUPPORTED", path, procedure=procedure, dim=self.stored.dim, wanted=dims)
                continue
            resolved.append(ResolvedStep(k, name, procedure, physics, step, self.analysis))
        return resolved

    def _conditions(self, step: ResolvedStep, acting: Acting) -> None:
        for k, condition in enumerate(acting.conditions):
            path = f"{acting.path}.conditions[{k}]"
            kind = self._kind(condition, path, step, step.physics.CONDITIONS)
            check_condition(self._asked, condition, kind, path)

    def _loads(self, step: ResolvedStep, acting: Acting, sections: Sequence[ResolvedSection]) -> None:
        kinds = {
            "facets": [RegionKind.FACETS],
            "nodes": [RegionKind.NODES, RegionKind.FACETS],
            "cells": [RegionKind.CELLS],
            "body": list(RegionKind),
        }
        for k, load in enumerate(acting.loads):
            path = f"{acting.path}.loads[{k}]"
            kind = self._kind(load, path, step, step.physics.LOADS)
            if kind is None:
                continue
            wanted = step.physics.LOAD_REGIONS[kind]
            if wanted == "point":
                check_point_load(self._asked, load, path)
            elif load.region or wanted not in ("cells", "body"):
                self.check_region(load.region, kinds[wanted], f"{path}.region")
            value = getattr(load, kind)
            if isinstance(value, pb.Vector):
                if not any(value.HasField(c) for c in "xyz"):
                    self.say("VECTOR_EMPTY", f"{path}.{kind}")
                if kind == "gravity" and not is_zero(value.x) and is_axisymmetric(sections):
                    self.say("GRAVITY_NOT_AXIAL", f"{path}.gravity.x", value=value.x.expression or value.x.value)
                if value.HasField("z") and self.stored.dim == 2:
                    self.say("COMPONENT_NOT_IN_MODEL", f"{path}.{kind}.z", component="z")
            found = check_load_geometry(load, path, self.stored.dim, is_axisymmetric(sections))
            found += step.physics.check_load(load, path, None)
            for section in sections if wanted == "cells" else ():
                # Where the names do not tell whether they share cells, the model will (dougong.solver.loads).
                if not load.region or section.region in ("", load.region):
                    found += step.physics.check_load(load, path, section.material)
            self.violations += _unique(found)

    def _temperatures(
        self, step: ResolvedStep, steps: Sequence[ResolvedStep], sections: Sequence[ResolvedSection]
    ) -> None:
        earlier = [s.as_source for s in steps if s.index < step.index]
        later = [s.name for s in steps if s.index >= step.index]
        static = step.procedure == "static"
        self.violations += check_temperatures(step.message, step.own.path, earlier, later, static)
        varying = next((s.material_name for s in sections if step.physics.varies(s.material)), None)
        if varying is not None:
            self.violations += check_one_temperature(step.message, step.own.path, varying)

    def _loads_of_cases(self, step: ResolvedStep) -> None:
        """Load cases share one matrix: no load that adds to it may stand in one of them."""
        for case in step.cases:
            for k, load in enumerate(case.loads):
                kind = load.WhichOneof("kind")
                if kind in step.physics.RESTRAINING_LOADS:
                    self.say("CASE_LOAD_CHANGES_MATRIX", f"{case.path}.loads[{k}].{kind}", kind=kind)

    def _kind(self, message: pb.Condition | pb.Load, path: str, step: ResolvedStep, known: Iterable[str]) -> str | None:
        kind: str | None = message.WhichOneof("kind")
        if kind is None:
            self.say("KIND_MISSING", path, known=", ".join(sorted(known)))
        elif kind not in known:
            self.say(
                "KIND_NOT_FOR_PROCEDURE",
                f"{path}.{kind}",
                kind=kind,
                procedure=step.procedure,
                known=", ".join(sorted(known)),
            )
            return None
        return kind

    # -- outputs and solver

    def _solver(self) -> None:
        options = self.analysis.solver
        if options.HasField("relative_tolerance") and not 0 < options.relative_tolerance <= 0.1:
            self.say("TOLERANCE_OUT_OF_RANGE", "solver.relative_tolerance", value=options.relative_tolerance)
        if options.HasField("max_iterations") and options.max_iterations < 1:
            self.say("VALUE_NOT_POSITIVE", "solver.max_iterations", value=options.max_iterations)
        for name in sorted(options.petsc_options):
            if not petsc_option_allowed(name, options.petsc_options[name]):
                self.say("PETSC_OPTION_NOT_ALLOWED", f'solver.petsc_options["{name}"]', option=name)


def _names(kinds: Iterable[RegionKind]) -> str:
    return ", ".join(sorted(k.value for k in kinds))


def _unique(items: Iterable[T]) -> list[T]:
    out: list[T] = []
    for item in items:
        if item not in out:
            out.append(item)
    return out
