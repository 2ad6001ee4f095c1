"""The server's resident child: validates and estimates analyses.

    python -s -P -m dougong.solver.check

Reads CheckRequest messages from standard input and answers each with a CheckReply on standard output, each message
preceded by its length in four bytes, big-endian. First it says CheckHello. It knows the physics and their forms, which
the server does not import; it does not import PETSc or MPI.
"""

from __future__ import annotations

import os
import struct
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from google.protobuf.message import Message

from dougong.internal import run_pb2
from dougong.meshes.canonical import StoredMesh
from dougong.meshes.mesh import RegionKind
from dougong.messages import DataLoss, InputError, violation, violation_from
from dougong.solver.elements import SOLVABLE
from dougong.solver.estimate.estimate import estimate, kind
from dougong.solver.heat.time_plan import instants
from dougong.solver.links.linking import held_by, linked, reduced
from dougong.solver.links.motions import LinkRows
from dougong.solver.loadings import Conditions
from dougong.solver.loads import LoadBuilder, check_loads, check_values
from dougong.solver.model import Model, assign_sections
from dougong.solver.notices import notices
from dougong.solver.outputs.told import check_told
from dougong.solver.parallel.comm import Serial
from dougong.solver.parallel.partition import Part, build_part
from dougong.solver.physics import all_physics
from dougong.solver.problem import Problem, resolve
from dougong.solver.regions import Regions
from dougong.solver.rigid import free_motions
from dougong.v1 import job_pb2, mesh_pb2

Violation = job_pb2.Violation

_MAX_MESSAGE = 64 << 20


def check(request: run_pb2.CheckRequest, cache: dict[str, tuple[StoredMesh, Part]] | None = None) -> run_pb2.CheckReply:
    """Everything that is wrong with an analysis, and what it would cost.

    Parameters
    ----------
    request
        The analysis and the directory of its mesh.
    cache
        Keeps the mesh used last for the next request.
    """
    reply = run_pb2.CheckReply(sequence=request.sequence)
    try:
        stored = StoredMesh(Path(request.mesh_directory))
        problem = resolve(request.analysis, stored)
        wrong, told = _check_model(problem, stored, cache if cache is not None else {})
        reply.violations.extend(wrong)
    except InputError as error:
        reply.violations.extend(error.violations)
    except DataLoss as error:
        reply.violations.append(violation_from(error.reason, "mesh", error.params))
    if not reply.violations:
        reply.estimate.CopyFrom(estimate(problem, stored, request.resources))
        reply.kind = kind(problem, stored, reply.estimate.solver)
        reply.notices.extend(told)
    return reply


def _check_model(
    problem: Problem, stored: StoredMesh, cache: dict[str, tuple[StoredMesh, Part]]
) -> tuple[list[Violation], list[mesh_pb2.Notice]]:
    """What only the geometry tells: empty selections, cells without section, contradictions, free motions."""
    told: list[mesh_pb2.Notice] = []
    if stored.digest not in cache:
        cache.clear()
        cache[stored.digest] = (stored, build_part(stored, Serial()))
    part = cache[stored.digest][1]
    regions = Regions(stored, part, dict(problem.analysis.regions))
    found = _empty_regions(problem, regions)
    section_of, wrong = assign_sections(problem, part, regions)
    found += wrong
    if found:
        return found, told
    for step in problem.steps:
        model = Model(step, part, regions, problem.sections, section_of)
        first, *later = instants(step.message) if step.message.HasField("transient_heat") else [model.time]
        model = replace(model, time=first)
        held = Conditions(model)
        wrong = list(held.violations)
        for acting in step.acting:
            wrong += check_loads(model, acting) + check_values(model, acting)
        found += wrong or _check_values_at(later, model)
        loads = LoadBuilder(model)
        loads.run(restraining_only=True)
        links = None
        if not held.violations:
            links, wrong, said = _check_links(model, held)
            found += wrong
            told += [n for n in said if n not in told]
            if wrong:
                continue
        if step.run.held and not held.violations and not loads.violations:
            found += free_motions(model, held.constraints, loads, links)
        if step is problem.steps[0]:
            found += check_told(model, problem.analysis.outputs)
    return found, [*notices(problem, part, section_of), *told]


def _check_values_at(times: Sequence[float], model: Model) -> list[Violation]:
    """What is wrong with the values of a step at times: of each number the first."""
    found: dict[str, Violation] = {}
    for time in times:
        then = replace(model, time=time)
        wrong = Conditions(then).violations + [v for acting in model.step.acting for v in check_values(then, acting)]
        found = {v.field: v for v in wrong} | found
    return list(found.values())


def _check_links(model: Model, held: Conditions) -> tuple[LinkRows | None, list[Violation], list[mesh_pb2.Notice]]:
    """The links of a step, None where it has none, what is wrong with them, and what is worth knowing."""
    try:
        links = linked(model)
        if links is None:
            return None, [], []
        loadings = held_by(held, links, 1 + len(model.step.cases))
        reduction = reduced(model.part, held.constraints, links, loadings)
    except InputError as error:
        return None, list(error.violations), []
    return LinkRows(model, links, reduction.held_points), [], [*links.notices, *reduction.notices]


def _empty_regions(problem: Problem, regions: Regions) -> list[Violation]:
    low, high = regions.part.points.min(axis=0), regions.part.points.max(axis=0)
    found = []
    for name in sorted(problem.analysis.regions):
        kinds = regions.kinds(name)
        if RegionKind.FACETS in kinds:
            size = sum(len(f.rows) for f in regions.facets(name))
        elif RegionKind.CELLS in kinds:
            size = sum(len(c) for c in regions.cells(name))
        else:
            size = len(regions.nodes(name))
        if not size:
            path = f'regions["{name}"]'
            found.append(violation("REGION_EMPTY", path, region=name, low=_place(low), high=_place(high)))
    return found


def _place(point: np.ndarray) -> str:
    return "(" + ", ".join(f"{x:.6g}" for x in point) + ")"


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until the input ends."""
    procedures = sorted(p for physics in all_physics() for p in physics.PROCEDURES)
    _send(sink, run_pb2.CheckHello(cell_types=SOLVABLE, procedures=procedures))
    cache: dict[str, tuple[StoredMesh, Part]] = {}
    while (data := _receive(source)) is not None:
        request = run_pb2.CheckRequest.FromString(data)
        try:
            reply = check(request, cache)
        except Exception as error:  # noqa: BLE001 - the server must get an answer to every request
            traceback.print_exc()
            last = traceback.format_exception_only(error)[-1].strip()
            reply = run_pb2.CheckReply(sequence=request.sequence, violations=[violation("WORKER_ERROR", error=last)])
        _send(sink, reply)


def _send(sink: BinaryIO, message: Message) -> None:
    data = message.SerializeToString()
    sink.write(struct.pack(">I", len(data)) + data)
    sink.flush()


def _receive(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    if len(head) < 4:
        return None
    (size,) = struct.unpack(">I", head)
    if size > _MAX_MESSAGE:
        return None
    return source.read(size)


if __name__ == "__main__":
    # Nothing but replies may reach the pipe.
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    np.seterr(all="ignore")
    serve(sys.stdin.buffer, pipe)
