"""The example of docs/how-to/constraints.md runs."""

import re
from pathlib import Path

import numpy as np
import pytest

from dougong.client import yaml_analysis
from dougong.client.cli.summary_points import point_lines
from dougong.meshes.mesh import Mesh
from linked_models import together
from meshgen import box
from solving import check_model, solve

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "constraints.md").read_text(encoding="utf-8")


def shaft():
    """A bar of 40 x 40 along x, and a lever of 40 x 300 x 40 on its end."""
    bar = box("hex20", (8, 2, 2), (400.0, 40.0, 40.0))
    lever = box("hex20", (2, 6, 2), (40.0, 300.0, 40.0))
    mesh = together(("a_", bar, (0.0, 0.0, 0.0)), ("b_", lever, (400.0, 0.0, 0.0)))
    names = {"a_x0": "clamp", "a_z0": "seat", "a_x1": "end", "b_x0": "hub", "b_y1": "grip"}
    kept = tuple(type(r)(names[r.name], r.kind, r.entries) for r in mesh.regions if r.name in names)
    return Mesh(mesh.points, mesh.blocks, kept)


def test_the_example_runs():
    text = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)[0]
    given, _ = yaml_analysis.loads(text)
    given.mesh = ""
    given.ties[0].too_far = given.ties[0].TOO_FAR_RELEASE  # the lever's side is longer than the end of the shaft
    mesh = shaft()
    reply = check_model(mesh, given)
    assert not reply.violations
    assert any("left free" in n.text for n in reply.notices)
    solution = solve(mesh, given)
    point = solution.step.points[0]
    assert point.motion[2] < -0.1
    balance = solution.step.balance
    # The clamp and the bed of springs take the force together.
    assert balance.load_sum[2] + balance.reaction_sum[2] == pytest.approx(0.0, abs=1e-6)
    assert np.abs(balance.link_sum).max() < 1e-6
    assert balance.energy_error < 1e-8
    line = point_lines(solution.step.points, given.units)[0]
    assert "pull" in line
    assert "z -" in line
    assert "mm" in line
    assert "about x -" in line
    assert "rad" in line
