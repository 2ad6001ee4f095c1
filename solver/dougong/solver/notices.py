"""What is not wrong with an analysis, but worth knowing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.messages import notice
from dougong.solver.laws.schemes import CELLS_OF
from dougong.solver.links.checks import regions_of_links
from dougong.solver.parallel.partition import Part
from dougong.solver.problem import Problem, ResolvedStep
from dougong.solver.values.quantities import is_zero, places
from dougong.v1 import mesh_pb2

#: Cells that lock in bending: their shape functions have no curvature.
_STIFF = ("tri3", "quad4", "tet4", "hex8", "wedge6", "pyramid5")


def notices(problem: Problem, part: Part, section_of: Sequence[NDArray[np.integer]]) -> list[mesh_pb2.Notice]:
    """Notices on an analysis and its mesh. Collective.

    Parameters
    ----------
    problem
        A valid problem.
    part
        This rank's part of the mesh.
    section_of
        For each local block the section of each cell, shape (n_cells,).
    """
    found = []
    unused = _unused_regions(problem)
    if unused:
        found.append(notice("REGION_UNUSED", regions=", ".join(unused)))
    found += [notice("STEP_WITHOUT_LOAD", step=s.name) for s in problem.steps if s.procedure != "modes" and _idle(s)]
    without = [s.name for s in problem.steps if not s.run.estimated]
    if problem.analysis.outputs.section_forces and without:
        found.append(notice("SECTION_FORCES_LEFT_OUT", steps=", ".join(without)))
    if any(s.physics.NAME == "elasticity" for s in problem.steps):
        stiff = _stiff_cells(problem, part, section_of)
        if stiff:
            found.append(notice("LINEAR_CELLS_STIFF", cell_types=", ".join(stiff)))
    return found


def _unused_regions(problem: Problem) -> list[str]:
    used = {s.region for s in problem.sections}
    for acting in (a for step in problem.steps for a in step.acting):
        used |= {c.region for c in acting.conditions} | {load.region for load in acting.loads}
    used |= regions_of_links(problem.analysis)
    outputs = problem.analysis.outputs
    used |= {x.region for x in outputs.section_forces} | {x.region for x in outputs.extremes}
    return [name for name in sorted(problem.analysis.regions) if name not in used]


def _idle(step: ResolvedStep) -> bool:
    """Whether nothing acts in a step, and all that is prescribed is zero: in the body, by equations, at the start."""
    if step.message.HasField("initial") or any(e.value for e in step.analysis.equations):
        return False
    given = [place for acting in step.acting for condition in acting.conditions for place in places(condition)]
    return not any(acting.loads for acting in step.acting) and all(is_zero(place.quantity) for place in given)


def _stiff_cells(problem: Problem, part: Part, section_of: Sequence[NDArray[np.integer]]) -> list[str]:
    """The types of cells that lock in bending as their sections treat them. Collective."""
    here = set()
    for block, sections in zip(part.blocks, section_of, strict=True):
        for number in np.unique(sections[sections >= 0]):
            softened = problem.sections[number].scheme.formulation == "incompatible_modes"
            if not (softened and block.type.name in CELLS_OF["incompatible_modes"]):
                here.add(block.type.name)
    everywhere = {name for names in part.comm.gather(here) for name in names}
    return [name for name in _STIFF if name in everywhere]
