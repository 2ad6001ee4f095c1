"""The analysis of docs/how-to/materials.md gives the stresses that the page states."""

import re
from pathlib import Path

import numpy as np

from dougong.client.library import with_library
from dougong.client.yaml_analysis import loads
from dougong.meshes.mesh import Mesh, Region, RegionKind
from mapped import mapped
from meshgen import box
from solving import solve
from verification.test_orthotropic_cylinder import HOOP, around, hoop_at_the_faces, thin_sector

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "materials.md"


def test_the_wound_tube():
    (text,) = re.findall(r"```yaml\n(# analysis.yaml\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    analysis, _ = loads(text)
    plain = box("hex20", (8, 2, 2))
    inside = plain.points[plain.blocks[0].nodes].mean(axis=1)[:, 0] < 0.5
    layers = [Region(name, RegionKind.CELLS, np.flatnonzero(which)) for name, which in
              (("liner", inside), ("windings", ~inside))]  # fmt: skip
    body = mapped(Mesh(plain.points, plain.blocks, (*plain.regions, *layers)), thin_sector)
    found = hoop_at_the_faces(body, solve(body, with_library(analysis)), around)
    stated = [float(x) for x in re.findall(r"(\d+) MPa (?:in|out)side", PAGE.read_text(encoding="utf-8"))]
    assert len(stated) == 4
    for (place, target), said in zip(HOOP.items(), stated, strict=True):
        assert abs(target - said) < 1
        assert abs(found[place] - said) < 0.02 * said
