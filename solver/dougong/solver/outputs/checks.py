"""What is wrong with what an analysis asks to be written and told, seen without its mesh's geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from dougong.meshes.mesh import RegionKind
from dougong.solver.physics import FieldSpec, Physics, fields_of
from dougong.solver.values.nearest import nearest
from dougong.v1 import analysis_pb2 as pb


class Resolver(Protocol):
    """What the checks ask of who resolves the analysis."""

    def say(self, reason: str, field: str = "", **params: str | float) -> None:
        """Note a violation."""

    def check_region(self, name: str, wanted: Sequence[RegionKind], path: str) -> bool:
        """Whether a region exists and is of one of the wanted kinds; notes what is wrong."""

    def check_point(self, point: pb.Point, path: str) -> None:
        """Note a wrong number of coordinates."""


def check_outputs(outputs: pb.Outputs, physics: Sequence[Physics], resolver: Resolver) -> None:
    """Note what is wrong.

    Parameters
    ----------
    outputs
        What is asked for.
    physics
        Those of the steps.
    resolver
        Who notes it.
    """
    known = {name: [f[name] for f in map(fields_of, physics) if name in f] for p in physics for name in fields_of(p)}
    for k, request in enumerate(outputs.fields):
        path = f"outputs.fields[{k}]"
        if _known(request.name, known, f"{path}.name", resolver):
            _location(request, known[request.name], f"{path}.location", resolver)
    anywhere = {name: specs for name, specs in known.items() if name != "error"}
    unknowns = {p.UNKNOWN for p in physics}
    at_points = [n for n, s in anywhere.items() if n in unknowns or any(x.at_points or x.from_field for x in s)]
    _probes(outputs, at_points, resolver)
    _sections(outputs, resolver)
    kinds = [RegionKind.NODES, RegionKind.FACETS, RegionKind.CELLS]
    for k, asked in enumerate(outputs.extremes):
        path = f"outputs.extremes[{k}]"
        resolver.check_region(asked.region, kinds, f"{path}.region")
        for j, name in enumerate(asked.fields):
            _known(name, anywhere, f"{path}.fields[{j}]", resolver)
    if outputs.HasField("moments_about"):
        resolver.check_point(outputs.moments_about, "outputs.moments_about")
    estimate = outputs.error_estimate
    if estimate.HasField("target") and not 0 < estimate.target < 1:
        resolver.say("ERROR_TARGET_OUT_OF_RANGE", "outputs.error_estimate.target", value=estimate.target)
    if estimate.off and any(r.name == "error" for r in outputs.fields):
        resolver.say("ERROR_ESTIMATE_OFF", "outputs.error_estimate.off")


def _known(name: str, known: Iterable[str], path: str, resolver: Resolver) -> bool:
    if name in known or not known:
        return name in known
    resolver.say("FIELD_UNKNOWN", path, field_name=name, near=", ".join(nearest(name, sorted(known))))
    return False


def _location(request: pb.FieldRequest, specs: Sequence[FieldSpec], path: str, resolver: Resolver) -> None:
    at_nodes = request.location in (pb.LOCATION_UNSPECIFIED, pb.LOCATION_NODE)
    if request.name == "error":
        wrong = request.location != pb.LOCATION_CELL
    else:
        wrong = not at_nodes and any(s.at_points is None and s.from_field is None for s in specs)
    if wrong:
        resolver.say("FIELD_LOCATION_NOT_AVAILABLE", path, field_name=request.name)


def _probes(outputs: pb.Outputs, known: Iterable[str], resolver: Resolver) -> None:
    taken: set[str] = set()
    for k, probe in enumerate(outputs.probes):
        path = f"outputs.probes[{k}]"
        _once(probe.name or f"probe-{k + 1}", taken, f"{path}.name", resolver)
        if probe.HasField("point"):
            resolver.check_point(probe.point, f"{path}.point")
        else:
            resolver.say("VALUE_MISSING", f"{path}.point")
        for j, name in enumerate(probe.fields):
            _known(name, known, f"{path}.fields[{j}]", resolver)
        if probe.HasField("tolerance") and probe.tolerance < 0:
            resolver.say("VALUE_NEGATIVE", f"{path}.tolerance", value=probe.tolerance)


def _sections(outputs: pb.Outputs, resolver: Resolver) -> None:
    taken: set[str] = set()
    for k, section in enumerate(outputs.section_forces):
        path = f"outputs.section_forces[{k}]"
        resolver.check_region(section.region, [RegionKind.FACETS, RegionKind.CELLS], f"{path}.region")
        _once(section.name or section.region, taken, f"{path}.name", resolver)
        if section.HasField("about"):
            resolver.check_point(section.about, f"{path}.about")
        if section.HasField("normal"):
            resolver.check_point(section.normal, f"{path}.normal")
            if not any(section.normal.coordinates):
                resolver.say("DIRECTION_ZERO", f"{path}.normal")


def _once(name: str, taken: set[str], path: str, resolver: Resolver) -> None:
    if name in taken:
        resolver.say("OUTPUT_NAME_TAKEN", path, name=name)
    taken.add(name)
