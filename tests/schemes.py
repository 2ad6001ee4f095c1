"""Sections with an integration or a formulation of their own, for tests."""

from __future__ import annotations

from typing import Any


def section(**more: Any) -> dict[str, Any]:
    """A section of material "m"; kinematics, integration and formulation by their names in lower case."""
    enums = ("kinematics", "integration", "formulation")
    named = {k: f"{k.upper()}_{v.upper()}" for k, v in more.items() if k in enums and isinstance(v, str)}
    return {"material": "m"} | more | named


#: Cell type, its kinematics ("" in space), and what its section says.
REDUCED = [("hex20", "", {"integration": "reduced"})] + [
    ("quad8", kind, {"integration": "reduced"}) for kind in ("plane_stress", "plane_strain", "axisymmetric")
]
B_BAR = [("hex8", "", {"formulation": "b_bar"})] + [
    ("quad4", kind, {"formulation": "b_bar"}) for kind in ("plane_strain", "axisymmetric")
]
INCOMPATIBLE = [("hex8", "", {"formulation": "incompatible_modes"})] + [
    ("quad4", kind, {"formulation": "incompatible_modes"}) for kind in ("plane_stress", "plane_strain", "axisymmetric")
]
MIXED = [
    (name, "", {"formulation": "mixed"})
    for name in ("tet10", "hex20", "hex27", "wedge15", "wedge18", "pyramid13", "pyramid14")
] + [
    (name, kind, {"formulation": "mixed"})
    for name in ("tri6", "quad8", "quad9")
    for kind in ("plane_strain", "axisymmetric")
]


def name_of(row: tuple[str, str, dict[str, Any]]) -> str:
    """For the ids of tests."""
    return "-".join(filter(None, (row[0], row[1], *row[2].values())))
