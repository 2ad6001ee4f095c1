"""The example of docs/how-to/values.md runs, and gives what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from dougong.client import yaml_analysis
from dougong.solver.values.expression import FUNCTIONS
from mapped import mapped
from meshgen import box
from solving import solve

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "values.md").read_text(encoding="utf-8")


def test_the_example_runs():
    text = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)[0]
    given, _ = yaml_analysis.loads(text)
    given.mesh = ""
    given.solver.method = given.solver.METHOD_DIRECT
    mesh = mapped(box("hex20", (1, 2, 8)), lambda p: p * [0.4, 3.0, 4.0])
    solution = solve(mesh, given)
    # Water 3.5 m high on 3 m; wind over the upper half, and half as much on the lower.
    push = 9810 * 3.0 * 3.5**2 / 2 - 1200 * 3.0 * (2.0 + 1.0)
    weight = 2400 * 9.81 * 0.4 * 3.0 * 4.0
    np.testing.assert_allclose(solution.step.reactions[0].sum, [-push, 0.0, weight], rtol=1e-6, atol=1e-3 * weight)
    foot = np.isclose(mesh.points[:, 2], 0.0)
    settled = -0.002 * mesh.points[foot, 1] / 3
    assert solution.field("displacement")[foot, 2] == pytest.approx(settled, abs=1e-12)


def test_the_page_names_every_function():
    assert [name for name in FUNCTIONS if not re.search(rf"\b{name}\b", PAGE)] == []
