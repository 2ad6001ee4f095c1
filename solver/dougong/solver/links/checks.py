"""What can be said of equations, couplings, ties, springs and masses without looking at coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dougong.meshes.mesh import RegionKind
from dougong.solver.condition_checks import Asked, motions_of
from dougong.solver.laws.axes import check_axes
from dougong.solver.physics import Physics
from dougong.v1 import analysis_pb2 as pb

_NODES = [RegionKind.NODES]
_HOLDS = [RegionKind.NODES, RegionKind.FACETS]
_FACETS = [RegionKind.FACETS]


#: Procedures that eliminate equations, couplings and ties, and know springs.
REDUCING = frozenset({"static", "modes", "buckling"})


def check_links(asked: Asked, steps: Sequence[tuple[str, str, str, Physics]]) -> None:
    """Say what is wrong with the links of an analysis.

    Parameters
    ----------
    asked
        The analysis.
    steps
        Field path, procedure of the schema, name of the procedure that carries it out, and physics, of each step.
    """
    analysis = asked.analysis
    for path, kind, procedure, physics in steps:
        if procedure not in REDUCING and is_linked(analysis, physics, asked.dim):
            asked.say("LINKS_NOT_FOR_PROCEDURE", path, procedure=kind)
    for k, equation in enumerate(analysis.equations):
        _equation(asked, equation, f"equations[{k}]")
    for name in sorted(analysis.couplings):
        _coupling(asked, analysis.couplings[name], f'couplings["{name}"]')
    for k, tie in enumerate(analysis.ties):
        _tie(asked, tie, f"ties[{k}]")
    for k, spring in enumerate(analysis.springs):
        _spring(asked, spring, f"springs[{k}]")
    for k, mass in enumerate(analysis.masses):
        _mass(asked, mass, f"masses[{k}]")


def is_linked(analysis: pb.Analysis, physics: Physics, dim: int) -> bool:
    """Whether links act in the steps of a physics, so that the system must be reduced."""
    if analysis.ties or any(acts(e, physics, dim) for e in analysis.equations):
        return True
    return bool(physics.components(dim)) and bool(analysis.couplings or analysis.springs)


def regions_of_links(analysis: pb.Analysis) -> set[str]:
    """Names of the regions that links act on."""
    places: list[Any] = [t for e in analysis.equations for t in e.terms]
    places += [end for s in analysis.springs for end in (s.at, s.to)]
    named = {place.region for place in [*places, *analysis.masses]}
    named |= {c.region for c in analysis.couplings.values()}
    return named | {name for t in analysis.ties for name in (t.slave, t.master)}


def acts(equation: pb.Equation, physics: Physics, dim: int) -> bool:
    """Whether an equation is one of the unknowns of a physics."""
    of_temperature = any(t.component == pb.COMPONENT_TEMPERATURE for t in equation.terms)
    return of_temperature == (not physics.components(dim))


def _at(asked: Asked, at: Any, path: str, regions: list[RegionKind]) -> None:
    """Say what is wrong with a place: a node, a region, or the reference point of a coupling."""
    kind = at.WhichOneof("at")
    if kind is None:
        asked.say("PLACE_MISSING", path)
    elif kind == "region":
        asked.region(at.region, regions, f"{path}.region")
    elif kind == "coupling":
        asked.coupling(at.coupling, f"{path}.coupling")
    elif at.node < 1:
        asked.say("NODE_UNKNOWN", f"{path}.node", node=at.node)


def _equation(asked: Asked, equation: pb.Equation, path: str) -> None:
    if not equation.terms:
        asked.say("EQUATION_EMPTY", path)
    of_temperature = [t.component == pb.COMPONENT_TEMPERATURE for t in equation.terms]
    if any(of_temperature) and not all(of_temperature):
        asked.say("EQUATION_MIXED", path)
    for k, term in enumerate(equation.terms):
        here = f"{path}.terms[{k}]"
        _at(asked, term, here, _NODES)
        name = pb.Component.Name(term.component) if term.component in pb.Component.values() else str(term.component)
        word = name.removeprefix("COMPONENT_").lower()
        known = motions_of(asked) if term.WhichOneof("at") == "coupling" else ("x", "y", "z")[: asked.dim]
        if term.WhichOneof("at") != "coupling":
            known = (*known, "temperature")
        if word not in known:
            asked.say("LINK_COMPONENT_UNKNOWN", f"{here}.component", component=word, known=", ".join(known))
        if not term.coefficient:
            asked.say("COEFFICIENT_ZERO", f"{here}.coefficient")


def _coupling(asked: Asked, coupling: pb.Coupling, path: str) -> None:
    found = asked.region(coupling.region, _HOLDS, f"{path}.region")
    if coupling.HasField("point"):
        asked.point(coupling.point, f"{path}.point")
    kind = coupling.WhichOneof("kind")
    if kind is None:
        asked.say("COUPLING_WITHOUT_KIND", path)
    known = ("x", "y", "z")[: asked.dim]
    for k, component in enumerate(coupling.kinematic.components):
        name = pb.Component.Name(component) if component in pb.Component.values() else str(component)
        if name.removeprefix("COMPONENT_").lower() not in known:
            word = name.removeprefix("COMPONENT_").lower()
            here = f"{path}.kinematic.components[{k}]"
            asked.say("LINK_COMPONENT_UNKNOWN", here, component=word, known=", ".join(known))
    by_area = coupling.distributing.weighting == pb.Coupling.Distributing.WEIGHTING_AREA
    if found and by_area and RegionKind.FACETS not in asked.kinds(coupling.region):
        asked.say("AREA_NEEDS_FACETS", f"{path}.distributing.weighting", region=coupling.region)


def _tie(asked: Asked, tie: pb.Tie, path: str) -> None:
    asked.region(tie.slave, _HOLDS, f"{path}.slave")
    asked.region(tie.master, _FACETS, f"{path}.master")
    if tie.slave and tie.slave == tie.master:
        asked.say("TIE_TO_ITSELF", f"{path}.master", region=tie.master)
    if tie.HasField("tolerance") and not tie.tolerance > 0:
        asked.say("VALUE_NOT_POSITIVE", f"{path}.tolerance", value=tie.tolerance)


def _spring(asked: Asked, spring: pb.Spring, path: str) -> None:
    kind = spring.WhichOneof("kind")
    _at(asked, spring.at, f"{path}.at", _HOLDS)
    if spring.HasField("to"):
        _at(asked, spring.to, f"{path}.to", _NODES)
    if spring.HasField("axes"):
        for found in check_axes(spring.axes, asked.dim, f"{path}.axes"):
            asked.found(found)
    if kind is None:
        asked.say("SPRING_WITHOUT_STIFFNESS", path)
    elif kind == "axial":
        if not spring.axial.value > 0:
            asked.say("VALUE_NOT_POSITIVE", f"{path}.axial", value=spring.axial.value)
        if spring.HasField("direction"):
            asked.direction(spring.direction, f"{path}.direction")
        elif not spring.HasField("to"):
            asked.say("SPRING_WITHOUT_DIRECTION", f"{path}.direction")
    else:
        _stiffness(asked, spring, kind, path)


def _stiffness(asked: Asked, spring: pb.Spring, kind: str, path: str) -> None:
    stiffness = getattr(spring, kind)
    given = [c for c in "xyz" if stiffness.HasField(c)]
    if not given:
        asked.say("VECTOR_EMPTY", f"{path}.{kind}")
    known = motions_of(asked) if kind == "rotational" else ("x", "y", "z")[: asked.dim]
    for c in given:
        value = getattr(stiffness, c).value
        if value < 0:
            asked.say("VALUE_NEGATIVE", f"{path}.{kind}.{c}", value=value)
        if (f"rotation_{c}" if kind == "rotational" else c) not in known:
            asked.say("COMPONENT_NOT_IN_MODEL", f"{path}.{kind}.{c}", component=c)
    ends = [spring.at, *([spring.to] if spring.HasField("to") else [])]
    if kind == "rotational" and any(e.WhichOneof("at") != "coupling" for e in ends):
        asked.say("ROTATION_NEEDS_POINT", f"{path}.rotational")


def _mass(asked: Asked, mass: pb.Mass, path: str) -> None:
    kind, at = mass.WhichOneof("kind"), mass.WhichOneof("at")
    _at(asked, mass, path, _FACETS if kind == "per_area" else _HOLDS)
    if kind is None and not mass.HasField("inertia"):
        asked.say("MASS_EMPTY", path)
    elif kind is not None and not getattr(mass, kind).value > 0:
        asked.say("VALUE_NOT_POSITIVE", f"{path}.{kind}", value=getattr(mass, kind).value)
    if kind == "per_area" and at != "region":
        asked.say("AREA_NEEDS_FACETS", f"{path}.per_area", region="-")
    if mass.HasField("inertia"):
        if at != "coupling":
            asked.say("ROTATION_NEEDS_POINT", f"{path}.inertia")
        for c in "xyz":
            if mass.inertia.HasField(c) and not getattr(mass.inertia, c).value >= 0:
                asked.say("VALUE_NEGATIVE", f"{path}.inertia.{c}", value=getattr(mass.inertia, c).value)
