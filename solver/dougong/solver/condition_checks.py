"""What can be said of conditions, and of loads on reference points, without looking at coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dougong.meshes.mesh import RegionKind
from dougong.solver.laws.axes import check_turning_axes
from dougong.solver.physics._supports import CYLINDRICAL, MOTIONS, RECTANGULAR, names_of
from dougong.solver.values.nearest import nearest
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

_HOLDS = [RegionKind.NODES, RegionKind.FACETS]


@dataclass(frozen=True)
class Asked:
    """What checks ask of an analysis and its mesh.

    Attributes
    ----------
    analysis, dim
        The analysis, and the dimension of its mesh.
    say
        Called with a reason, a field path and what its sentence needs.
    region
        Whether a region exists and is of one of some kinds; says what is wrong. Called with name, kinds and field path.
    point
        Says what is wrong with the number of coordinates of a point; called with it and its field path.
    kinds
        The kinds of a region.
    found
        Called with what was found to be wrong.
    """

    analysis: pb.Analysis
    dim: int
    say: Callable[..., None]
    region: Callable[[str, Sequence[RegionKind], str], bool]
    point: Callable[[pb.Point, str], None]
    kinds: Callable[[str], set[RegionKind]]
    found: Callable[[job_pb2.Violation], None]

    def coupling(self, name: str, path: str) -> bool:
        """Whether a coupling exists; says what is wrong."""
        if name in self.analysis.couplings:
            return True
        near = ", ".join(nearest(name, sorted(self.analysis.couplings))) or "-"
        self.say("COUPLING_UNKNOWN", path, coupling=name, near=near)
        return False

    def direction(self, given: pb.Point, path: str) -> None:
        """Says what is wrong with a direction."""
        self.point(given, path)
        if not any(given.coordinates):
            self.say("DIRECTION_ZERO", path)

    def axes(self, axes: pb.Axes, path: str) -> None:
        """Says what is wrong with axes."""
        for found in check_turning_axes(axes, self.dim, path):
            self.found(found)


def check_condition(asked: Asked, condition: pb.Condition, kind: str | None, path: str) -> None:
    """Say what is wrong with a condition; its kind is None where it is no kind for the step."""
    if kind == "reference_motion":
        _motion(asked, condition, path)
        return
    if not asked.region(condition.region, _HOLDS, f"{path}.region"):
        return
    if kind == "displacement":
        _displacement(asked, condition.displacement, f"{path}.displacement")
    elif kind in ("symmetry", "antisymmetry"):
        plane = getattr(condition, kind)
        if plane.HasField("normal"):
            asked.direction(plane.normal, f"{path}.{kind}.normal")
        elif RegionKind.FACETS not in asked.kinds(condition.region):
            asked.say("SYMMETRY_NEEDS_NORMAL", f"{path}.{kind}", region=condition.region)


def _displacement(asked: Asked, displacement: pb.Displacement, path: str) -> None:
    given = [c for c in dict.fromkeys((*RECTANGULAR, *CYLINDRICAL)) if displacement.HasField(c)]
    allowed = names_of(displacement, 3)
    if not given:
        asked.say("DISPLACEMENT_EMPTY", path)
    for name in given:
        if name not in allowed:
            asked.say("COMPONENT_OF_OTHER_AXES", f"{path}.{name}", component=name, known=", ".join(allowed))
    if "z" in given and asked.dim == 2:
        asked.say("COMPONENT_NOT_IN_MODEL", f"{path}.z", component="z")
    if displacement.HasField("axes"):
        asked.axes(displacement.axes, f"{path}.axes")


def _motion(asked: Asked, condition: pb.Condition, path: str) -> None:
    motion, path_of_motion = condition.reference_motion, f"{path}.reference_motion"
    if condition.region:
        asked.say("REGION_NOT_WANTED", f"{path}.region", region=condition.region, kind="reference_motion")
    asked.coupling(motion.coupling, f"{path_of_motion}.coupling")
    given = [c for c in MOTIONS if motion.HasField(c)]
    if not given:
        asked.say("MOTION_EMPTY", path_of_motion)
    known = motions_of(asked)
    for name in given:
        if name not in known:
            asked.say("COMPONENT_NOT_IN_MODEL", f"{path_of_motion}.{name}", component=name)


def check_point_load(asked: Asked, load: pb.Load, path: str) -> None:
    """Say what is wrong with a force and moment on a reference point."""
    force, path_of_force = load.reference_force, f"{path}.reference_force"
    if load.region:
        asked.say("REGION_NOT_WANTED", f"{path}.region", region=load.region, kind="reference_force")
    asked.coupling(force.coupling, f"{path_of_force}.coupling")
    given = [(m, f"force.{m}", force.force) for m in "xyz"]
    given += [(f"rotation_{m}", f"moment.{m}", force.moment) for m in "xyz"]
    there = [(motion, where) for motion, where, v in given if v.HasField(where[-1])]
    if not there:
        asked.say("VECTOR_EMPTY", path_of_force)
    known = motions_of(asked)
    for motion, where in there:
        if motion not in known:
            asked.say("COMPONENT_NOT_IN_MODEL", f"{path_of_force}.{where}", component=where)


def motions_of(asked: Asked) -> tuple[str, ...]:
    """What a reference point can do: six motions in space, three in the plane, one about an axis of symmetry."""
    if asked.dim == 3:
        return MOTIONS
    ring = any(s.kinematics == pb.Section.KINEMATICS_AXISYMMETRIC for s in asked.analysis.sections)
    return ("y",) if ring else ("x", "y", "rotation_z")
