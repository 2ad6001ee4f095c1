"""What is not wrong with an analysis, but worth knowing."""

from __future__ import annotations

from dougong.meshes.canonical import StoredMesh
from dougong.messages import notice
from dougong.solver.laws.schemes import CELLS_OF
from dougong.solver.links.checks import regions_of_links
from dougong.solver.problem import Acting, Problem
from dougong.solver.values.quantities import is_zero, places
from dougong.v1 import mesh_pb2

#: Cells that lock in bending: their shape functions have no curvature.
_STIFF = ("tri3", "quad4", "tet4", "hex8", "wedge6", "pyramid5")


def notices(problem: Problem, stored: StoredMesh) -> list[mesh_pb2.Notice]:
    """Notices on an analysis and its mesh.

    Parameters
    ----------
    problem
        A valid problem.
    stored
        Its mesh.
    """
    used = {s.region for s in problem.sections}
    for acting in (a for step in problem.steps for a in step.acting):
        used |= {c.region for c in acting.conditions} | {load.region for load in acting.loads}
    used |= regions_of_links(problem.analysis)
    outputs = problem.analysis.outputs
    used |= {x.region for x in outputs.section_forces} | {x.region for x in outputs.extremes}
    found = [notice("REGION_UNUSED", region=r) for r in sorted(problem.analysis.regions) if r not in used]
    loadable = (s for s in problem.steps if s.procedure != "modes")
    idle = (s for s in loadable if not any(a.loads or not _only_zero(a) for a in s.acting))
    found += [notice("STEP_WITHOUT_LOAD", step=s.name) for s in idle]
    bending = all(s.scheme.formulation == "incompatible_modes" for s in problem.sections)
    softened = CELLS_OF["incompatible_modes"] if bending else ()
    stiff = dict.fromkeys(t.name for t in stored.cell_types if t.name in _STIFF and t.name not in softened)
    if stiff and any(s.physics.NAME == "elasticity" for s in problem.steps):
        found.append(notice("LINEAR_CELLS_STIFF", cell_types=", ".join(stiff)))
    return found


def _only_zero(acting: Acting) -> bool:
    for condition in acting.conditions:
        kind = condition.WhichOneof("kind")
        if kind == "temperature" and not is_zero(condition.temperature):
            return False
        moving = kind in ("displacement", "reference_motion")
        if moving and not all(is_zero(p.quantity) for p in places(getattr(condition, kind))):
            return False
    return True
