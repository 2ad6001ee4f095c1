"""Links and reductions of a step, refused where something is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dougong.messages import violation
from dougong.solver.conditions import ConstraintSet
from dougong.solver.links.checks import is_linked
from dougong.solver.links.linked import LinkedReduction, linked_reduction
from dougong.solver.links.links import Links, links_of
from dougong.solver.links.springs import check_masses
from dougong.solver.loadings import Conditions, Loading, refuse
from dougong.solver.loads import LoadBuilder
from dougong.solver.model import Model
from dougong.solver.parallel.partition import Part
from dougong.solver.reduction import Reduction, reduction
from dougong.v1 import job_pb2


def linked(model: Model) -> Links | None:
    """The links of a step; None where it has none. Collective.

    Raises
    ------
    InputError
        Something is wrong with them.
    """
    refuse(model.part.comm, check_masses(model))
    if not is_linked(model.step.analysis, model.physics, model.part.dim):
        return None
    links, wrong = links_of(model)
    refuse(model.part.comm, wrong)
    refuse(model.part.comm, check_point_loads(model, links))
    return links


def check_point_loads(model: Model, links: Links) -> list[job_pb2.Violation]:
    """Forces and moments on reference points that nothing there takes."""
    found = []
    for acting in model.step.acting:
        loads = LoadBuilder(model)
        for k, load in enumerate(acting.loads):
            if load.WhichOneof("kind") != "reference_force":
                continue
            loads.on_points.clear()
            loads.run(replace(acting, loads=[load]))
            lost = np.flatnonzero(links.idle & (links.forces(loads.on_points) != 0))
            point = next((p for p in links.points if p.name == load.reference_force.coupling), None)
            if len(lost) and point is not None:
                motions = ", ".join(point.motions[i - links.of(point).start] for i in lost)
                path = f"{acting.path}.loads[{k}].reference_force"
                found.append(violation("POINT_LOAD_NOT_TAKEN", path, coupling=point.name, motions=motions))
    return found


def reduced(
    part: Part, constraints: ConstraintSet, links: Links, loadings: Sequence[Loading], blocks: bool = False
) -> LinkedReduction:
    """The reduction by conditions and links, for what loadings prescribe; see `linked_reduction`. Collective.

    Raises
    ------
    InputError
        Equations contradict each other, or conditions.
    """
    prescribed, motions = [x.prescribed for x in loadings], np.array([x.motions for x in loadings])
    found = linked_reduction(part, constraints, prescribed, links, motions, blocks)
    refuse(part.comm, list(found.violations))
    return found


def reduction_of(model: Model, conditions: Conditions) -> Reduction:
    """The reduction of a step, whether it has links or none, by what the step itself prescribes. Collective."""
    links = linked(model)
    if links is None:
        return reduction(model.part, conditions.constraints)
    return reduced(model.part, conditions.constraints, links, held_by(conditions, links, 1))


def held_by(conditions: Conditions, links: Links, count: int) -> list[Loading]:
    """The first loadings of a step as far as conditions go, without loads."""
    none = np.empty(0)
    return [
        Loading(none, conditions.prescribed(k), on_points=none, motions=conditions.motions(k, links))
        for k in range(count)
    ]
