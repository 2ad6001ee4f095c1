"""An iteration that stalls is given up and a factorisation takes over, unless the user insisted on iterating.

A plate 200 times as long as thick, in one layer of quadratic tetrahedra: conjugate gradients need many hundred
iterations there. The answer is compared with that of a factorisation asked for.
"""

from __future__ import annotations

from typing import Any

import pytest

import meshgen
import solving

pytestmark = pytest.mark.skipif(bool(solving.FORCED), reason="is about the choice")

PLATE = meshgen.box("tet10", (48, 12, 1), (40.0, 10.0, 0.2))


def analysis(method: str) -> dict[str, Any]:
    return {
        "materials": {"steel": {"elastic": {"young_modulus": {"value": 2.1e5}, "poisson_ratio": {"value": 0.3}}}},
        "sections": [{"material": "steel"}],
        "steps": [
            {
                "static": {},
                "conditions": [{"region": "x0", "fixed": {}}],
                "loads": [{"region": "x1", "traction": {"z": {"value": -1.0}}}],
            }
        ],
        "solver": {"method": method},
    }


def test_a_stalled_iteration_is_rescued_and_says_so() -> None:
    free = solving.solve(PLATE, analysis("METHOD_UNSPECIFIED"))
    record = free.result.steps[0].solve
    assert free.result.steps[0].dofs > 20_000  # else it would have been factorised at once
    assert "Cholesky" in record.method
    assert "took over" in record.why
    assert "直接分解" in record.why_zh
    assert record.backward_error < 1e-12
    direct = solving.solve(PLATE, analysis("METHOD_DIRECT"))
    want, got = direct.field("displacement"), free.field("displacement")
    assert abs(want - got).max() < 1e-9 * abs(want).max()
