"""The analysis of docs/how-to/elements.md runs and gives what the page states."""

import re
from pathlib import Path

import numpy as np

from dougong.client import yaml_analysis
from dougong.meshes.mesh import Mesh, Region, RegionKind
from meshgen import box
from solving import check_model, solve

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "elements.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
FORMULATION = re.compile(r", formulation: \w+")


def pad():
    """A leaf of 100 x 20 x 2 on a pad of 100 x 20 x 20; its edge is the face at x = 100."""
    mesh = box("hex8", (20, 4, 5))
    x, y, z = mesh.points.T
    points = np.column_stack([100 * x, 20 * y, np.where(z < 0.8 + 1e-9, 25 * z, 20 + 10 * (z - 0.8))])
    leaf = mesh.points[mesh.blocks[0].nodes][:, :, 2].mean(axis=1) > 0.8
    faces = {r.name: r.entries for r in mesh.regions}
    regions = (
        Region("leaf", RegionKind.CELLS, np.flatnonzero(leaf)),
        Region("pad", RegionKind.CELLS, np.flatnonzero(~leaf)),
        Region("ground", RegionKind.FACETS, faces["z0"]),
        Region("edge", RegionKind.FACETS, faces["x1"][leaf[faces["x1"][:, 0]]]),
    )
    return Mesh(points, mesh.blocks, regions)


def deflection(text):
    mesh = pad()
    given, _ = yaml_analysis.loads(text)
    given.mesh = ""
    assert not check_model(mesh, given).violations
    solved = solve(mesh, given)
    edge = mesh.points[:, 0] > 100 - 1e-6
    return -solved.field("displacement")[edge, 2].min()


def test_the_pad():
    with_them, without = (float(x) for x in re.findall(r"(\d+\.\d+) mm", PAGE)[:2])
    assert abs(deflection(EXAMPLE) - with_them) < 0.005
    assert FORMULATION.search(EXAMPLE)
    assert abs(deflection(FORMULATION.sub("", EXAMPLE)) - without) < 0.005
