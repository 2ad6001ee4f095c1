"""The bodies that are solved: a cantilever beam, the bracket of the examples, a thin-walled frame.

Each becomes a folder that every program reads from: `mesh/`, the converted mesh as a worker finds it (plain .npy arrays
that the peers read too), and `case.json`, what acts on it. All are made of quadratic tetrahedra, carry their own weight
and are held where a coordinate is smallest. Their edges are straight: on curved cells no two programs use the same
quadrature, so that answers differ by some 1e-5 though none is wrong.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format
from numpy.typing import NDArray

from dougong.meshes import canonical
from dougong.meshes.build import build
from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import find
from dougong.meshes.mesh import CellBlock, Mesh
from dougong.v1 import analysis_pb2 as pb

ROOT = Path(__file__).resolve().parents[1]

#: Folder with more mesh files; the frame is one of them.
EXTRA = "DOUGONG_EXTRA_MESHES"
FRAME = Path("netgen") / "frame_m.msh"

#: Bricks along the height of the beam, six tetrahedra each, by the name of the size.
BEAM_BRICKS = {"1k": 2, "10k": 4, "50k": 8, "100k": 10, "300k": 14, "800k": 20, "3M": 31}

#: Steel in mm, t, s.
YOUNG, POISSON, DENSITY, ACCELERATION = 2.1e5, 0.3, 7.85e-9, 9810.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Body:
    """A case to solve.

    Attributes
    ----------
    name
        For example "beam/100k".
    folder
        Where `mesh/` and `case.json` are.
    held_axis, held_below
        All nodes whose coordinate along this axis is at most this are held.
    gravity_axis
        The weight acts against this axis.
    n_nodes, n_cells
        Size of the mesh.
    """

    name: str
    folder: Path
    held_axis: int
    held_below: float
    gravity_axis: int
    n_nodes: int
    n_cells: int

    @property
    def dofs(self) -> int:
        """Unknowns, the held ones too."""
        return 3 * self.n_nodes

    @property
    def mesh(self) -> StoredMesh:
        """The mesh."""
        return StoredMesh(self.folder / "mesh")

    def analysis(self) -> pb.Analysis:
        """What our worker is given: everything at its defaults."""
        low, high = [-1e9] * 3, [1e9] * 3
        high[self.held_axis] = self.held_below
        quantity = {"value": -ACCELERATION}
        given: dict[str, Any] = {
            "units": {"system": "SYSTEM_MM_T_S"},
            "regions": {
                "held": {
                    "kind": "KIND_NODES",
                    "box": {"min": {"coordinates": low}, "max": {"coordinates": high}, "tolerance": 0.0},
                }
            },
            "materials": {
                "steel": {
                    "elastic": {"youngModulus": {"value": YOUNG}, "poissonRatio": {"value": POISSON}},
                    "density": {"value": DENSITY},
                }
            },
            "sections": [{"material": "steel"}],
            "steps": [
                {
                    "static": {},
                    "conditions": [{"region": "held", "fixed": {}}],
                    "loads": [{"gravity": {"xyz"[self.gravity_axis]: quantity}}],
                }
            ],
        }
        return json_format.ParseDict(given, pb.Analysis())


def make(name: str, folder: Path) -> Body | None:
    """Make a body, or take the one that is there; None when its mesh file is not to be had.

    Parameters
    ----------
    name
        "beam/SIZE", "demo/100k", "demo/800k" (every cell cut in eight) or "thin/300k".
    folder
        Where all bodies are kept.
    """
    place = folder / name.replace("/", "-")
    if (place / "case.json").exists():
        return _read(name, place)
    kind, size = name.split("/")
    if kind == "beam":
        points, cells = beam(BEAM_BRICKS[size])
        held_axis, gravity_axis = 0, 2
    elif kind == "demo":
        points, cells = _read_mesh(ROOT / "examples" / "bracket" / "bracket.msh")
        if size == "800k":
            points, cells = cut_in_eight(points, cells)
        else:
            points, cells = corners(points, cells)
        held_axis, gravity_axis = 2, 0
    else:
        extra = os.environ.get(EXTRA, "")
        if not extra or not (Path(extra) / FRAME).exists():
            return None
        points, cells = _read_mesh(Path(extra) / FRAME)
        held_axis, gravity_axis = 2, 0
    if cells.shape[1] == 4:
        points, cells = quadratic(points, cells)
    (place / "mesh").mkdir(parents=True)
    canonical.write(Mesh(points, (CellBlock(CELL_TYPES["tet10"], cells),)), place / "mesh")
    low, extent = points[:, held_axis].min(), np.ptp(points[:, held_axis])
    case = {
        "held_axis": held_axis,
        "held_below": float(low + 1e-6 * extent),
        "gravity_axis": gravity_axis,
        "n_nodes": len(points),
        "n_cells": len(cells),
        "young": YOUNG,
        "poisson": POISSON,
        "density": DENSITY,
        "acceleration": ACCELERATION,
    }
    (place / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    return _read(name, place)


def _read(name: str, place: Path) -> Body:
    case = json.loads((place / "case.json").read_text())
    names = ("held_axis", "held_below", "gravity_axis", "n_nodes", "n_cells")
    return Body(name, place, **{k: case[k] for k in names})


def _read_mesh(path: Path) -> tuple[Floats, Ints]:
    mesh = build(find("gmsh", path.name, b"").read(path)).mesh
    (block,) = mesh.blocks
    return mesh.points, block.nodes.astype(np.int64)


def beam(n: int) -> tuple[Floats, Ints]:
    """Linear tetrahedra of a 4 x 1 x 1 beam with n bricks along its height; each brick is six tetrahedra."""
    shape = (4 * n + 1, n + 1, n + 1)
    grid = np.stack(np.meshgrid(*(np.arange(s) / n for s in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(len(grid)).reshape(shape)
    corner = {
        (i, j, k): number[i : shape[0] - 1 + i, j : shape[1] - 1 + j, k : shape[2] - 1 + k].ravel()
        for i in (0, 1)
        for j in (0, 1)
        for k in (0, 1)
    }
    # Along the diagonal of the brick, each axis once, in all six orders; an odd order is turned over.
    cells = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)):
        at, path = [0, 0, 0], [(0, 0, 0)]
        for axis in order:
            at[axis] = 1
            path.append((at[0], at[1], at[2]))
        if order in ((0, 2, 1), (2, 1, 0), (1, 0, 2)):
            path[1], path[2] = path[2], path[1]
        cells.append(np.stack([corner[p] for p in path], axis=1))
    return grid, np.stack(cells, axis=1).reshape(-1, 4)


def quadratic(points: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """Quadratic tetrahedra on linear ones: a node in the middle of each edge."""
    pairs = np.sort(cells[:, CELL_TYPES["tet4"].edges], axis=2)  # (n, 6, 2)
    key = pairs[..., 0] * len(points) + pairs[..., 1]
    unique, number = np.unique(key, return_inverse=True)
    middle = (points[unique // len(points)] + points[unique % len(points)]) / 2
    return np.vstack([points, middle]), np.hstack([cells, len(points) + number.reshape(len(cells), 6)])


def corners(points: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """The linear tetrahedra on the corners of quadratic ones."""
    used, number = np.unique(cells[:, :4], return_inverse=True)
    return points[used], number.reshape(-1, 4)


def cut_in_eight(points: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """Linear tetrahedra: each quadratic one cut at its mid-side nodes, the octahedron in its middle along 4-9."""
    a, b, c, d, ab, bc, ca, ad, bd, cd = cells.T
    parts = [
        (a, ab, ca, ad), (ab, b, bc, bd), (ca, bc, c, cd), (ad, bd, cd, d),
        (ab, cd, ad, bd), (ab, cd, bd, bc), (ab, cd, bc, ca), (ab, cd, ca, ad),
    ]  # fmt: skip
    fine = np.stack([np.stack(p, axis=1) for p in parts], axis=1).reshape(-1, 4)
    edges = points[fine[:, 1:]] - points[fine[:, :1]]
    turned = np.linalg.det(edges) < 0
    fine[turned, 2:] = fine[turned, :1:-1]
    return points, fine
