"""How cells are integrated, and how their strains follow from displacements: what a section says of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.messages import violation
from dougong.solver.elements import LINEAR, RULES, SOLVABLE, Reference, reference
from dougong.solver.parallel.partition import Part
from dougong.solver.regions import Regions
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Violation = job_pb2.Violation

_RULES = {
    pb.Section.INTEGRATION_UNSPECIFIED: "full",
    pb.Section.INTEGRATION_FULL: "full",
    pb.Section.INTEGRATION_REDUCED: "reduced",
}
_FORMULATIONS = {
    pb.Section.FORMULATION_UNSPECIFIED: "plain",
    pb.Section.FORMULATION_PLAIN: "plain",
    pb.Section.FORMULATION_B_BAR: "b_bar",
    pb.Section.FORMULATION_INCOMPATIBLE_MODES: "incompatible_modes",
    pb.Section.FORMULATION_MIXED: "mixed",
}

_BRICKS = ("hex8", "quad4")
#: Cells that have a formulation.
CELLS_OF: dict[str, tuple[str, ...]] = {
    "plain": SOLVABLE,
    "b_bar": _BRICKS,
    "incompatible_modes": _BRICKS,
    "mixed": tuple(name for name in SOLVABLE if name not in LINEAR.values()),
}

#: Cells whose mixed pressure is linear; that of the others is constant.
LINEAR_PRESSURE = ("quad8", "quad9", "hex20", "hex27")


@dataclass(frozen=True)
class Scheme:
    """How the cells of a section are treated.

    Attributes
    ----------
    rule
        Of integration: one of `dougong.solver.elements.RULES`.
    formulation
        "plain", "b_bar", "incompatible_modes" or "mixed".
    """

    rule: str = "full"
    formulation: str = "plain"

    def reference(self, cell_type: str) -> Reference:
        """Tables of a cell type at the points of the rule."""
        return reference(cell_type, self.rule)


def scheme_of(section: pb.Section) -> Scheme:
    """The scheme of a section; of one that is wrong, the default."""
    return Scheme(_RULES.get(section.integration, "full"), _FORMULATIONS.get(section.formulation, "plain"))


def check_schemes(analysis: pb.Analysis) -> list[Violation]:
    """What is wrong with the schemes of the sections, seen without the mesh."""
    found = []
    for k, section in enumerate(analysis.sections):
        path = f"sections[{k}]"
        for field, known, words in (("integration", _RULES, "full, reduced"), ("formulation", _FORMULATIONS, "")):
            number = getattr(section, field)
            if number not in known:
                words = words or ", ".join(CELLS_OF)
                found.append(violation("SCHEME_UNKNOWN", f"{path}.{field}", value=number, known=words))
        scheme = scheme_of(section)
        if scheme.rule == "reduced" and scheme.formulation != "plain":
            found.append(violation("REDUCED_NOT_PLAIN", f"{path}.integration", formulation=scheme.formulation))
        thin = section.kinematics == pb.Section.KINEMATICS_PLANE_STRESS
        if thin and scheme.formulation in ("b_bar", "mixed"):
            path = f"{path}.formulation"
            found.append(violation("FORMULATION_OF_PLANE_STRESS", path, formulation=scheme.formulation))
    return found


def check_cells(
    schemes: Sequence[Scheme], part: Part, regions: Regions, section_of: Sequence[NDArray[np.integer]]
) -> list[Violation]:
    """Cells of this rank that do not have the scheme of their section.

    Parameters
    ----------
    schemes
        Of each section.
    part, regions
        The part.
    section_of
        For each local block the section of each cell, -1 where there is none.
    """
    found = []
    for number, scheme in enumerate(schemes):
        wrong: dict[str, list[np.int64]] = {}
        fields: dict[str, tuple[str, ...]] = {}
        for block, section in zip(part.blocks, section_of, strict=True):
            name, here = block.type.name, block.cells[(section == number) & block.mine].tolist()
            if here and name not in RULES[scheme.rule]:
                wrong.setdefault("integration", []).extend(here)
                fields["integration"] = tuple(RULES[scheme.rule])
            if here and name not in CELLS_OF[scheme.formulation]:
                wrong.setdefault("formulation", []).extend(here)
                fields["formulation"] = CELLS_OF[scheme.formulation]
        for field, cells in wrong.items():
            some = np.sort(np.array(cells, dtype=np.int64))[:1000]
            ids = regions.stored.load().cell_numbers(some).tolist()
            asked = scheme.rule if field == "integration" else scheme.formulation
            params = {"asked": asked, "count": len(cells), "example": ids[0], "known": ", ".join(fields[field])}
            path = f"sections[{number}].{field}"
            found.append(violation("CELLS_WITHOUT_SCHEME", path, cell_ids=ids, **params))
    return found
