"""Stress at a node between two materials is not averaged across them.

A bar of two materials in series along x, ends of both fixed in x, heated by nothing but stretched: in the transverse
direction both are free (nu = 0), so the axial stress is the same in both. Side by side instead (interface parallel to
the load) the axial strain is the same and the stress is E times it: exact, with a jump at the interface.
"""

from __future__ import annotations

import numpy as np
import pytest

import meshgen
import solving

STIFF, SOFT, STRAIN = 2.0e5, 1.0e3, 1.0e-3


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_jump_of_stress_keeps_its_peak(ranks: int) -> None:
    mesh = meshgen.box("hex8", (4, 2, 2), (4.0, 1.0, 1.0))
    halves = {
        "low": {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0, 0, 0]}, "max": {"coordinates": [4, 0.5, 1]}}},
        "high": {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0, 0.5, 0]}, "max": {"coordinates": [4, 1, 1]}}},
    }
    elastic = {name: {"elastic": {"young_modulus": {"value": E}, "poisson_ratio": {"value": 0.0}}} for name, E in
               (("stiff", STIFF), ("soft", SOFT))}  # fmt: skip
    analysis = {
        "materials": elastic,
        "regions": halves,
        "sections": [{"region": "low", "material": "stiff"}, {"region": "high", "material": "soft"}],
        "steps": [
            {
                "static": {},
                "conditions": [
                    {"region": "x0", "fixed": {}},
                    {"region": "x1", "displacement": {"x": {"value": 4.0 * STRAIN}}},
                ],
            }
        ],
    }
    found = solving.solve(mesh, analysis, ranks=ranks)
    stress = found.field("stress")[:, 0]
    y = mesh.points[:, 1]
    assert np.allclose(stress[y <= 0.5], STIFF * STRAIN, rtol=1e-9)
    assert np.allclose(stress[y > 0.5], SOFT * STRAIN, rtol=1e-9)
