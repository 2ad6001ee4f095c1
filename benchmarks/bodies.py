"""The bodies that are solved: a cantilever beam, the bracket of the examples, a thin-walled frame; and other cells.

Each becomes a folder that every program reads from: `mesh/`, the converted mesh as a worker finds it (plain .npy arrays
that the peers read too), and `case.json`, what acts on it. Those that the peers get are made of quadratic
tetrahedra. All carry their own weight and are held where a coordinate is smallest. Their edges are straight: on curved
cells no two programs use the same quadrature, so that answers differ by some 1e-5 though none is wrong.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapes
from google.protobuf import json_format

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

#: The same of other cells than quadratic tetrahedra.
OTHER_BRICKS = {"tet4": {"10k": 9, "100k": 20}, "hex8": {"10k": 9, "100k": 20}, "hex20": {"10k": 6, "100k": 13}}

#: Nodes that are asked for where the size can be chosen.
NODES = {"300k": 100_000, "100k": 35_000, "800k": 267_000}

#: Largest edge of the bricks of our own frame, mm.
TUBE_SPACING = {"100k": 10.0, "300k": 5.5, "800k": 3.35}

#: Steel in mm, t, s.
YOUNG, POISSON, DENSITY, ACCELERATION = 2.1e5, 0.3, 7.85e-9, 9810.0


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
        low, high = [-1e30] * 3, [1e30] * 3
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


def make(name: str, folder: Path) -> Body:
    """Make a body, or take the one that is there.

    Parameters
    ----------
    name
        "beam/SIZE", "demo/100k|300k|800k" (the bracket of the examples), "thin/100k|300k|800k" (a thin-walled frame:
        that of the extra meshes, else one of our own), and for the table of estimates "tet4|hex8|hex20/SIZE".
    folder
        Where all bodies are kept.
    """
    kind, size = name.split("/")
    frame = _frame()
    own = kind == "thin" and frame is None
    place = folder / f"{'tubes' if own else kind}-{size}"
    if (place / "case.json").exists():
        if _is_current(place):
            return _read(name, place)
        shutil.rmtree(place)
    held_axis, gravity_axis = 2, 0
    cell_type = "tet10"
    if kind in ("beam", "tet4", "hex8", "hex20"):
        held_axis, gravity_axis = 0, 2
        cell_type = "tet10" if kind == "beam" else kind
        points, cells = shapes.beam((BEAM_BRICKS if kind == "beam" else OTHER_BRICKS[kind])[size])
        if cell_type.startswith("tet"):
            points, cells = shapes.six_in_each(points, cells)
    elif kind == "demo":
        points, cells = _bracket(size)
    else:
        points, cells = _own_frame(size) if frame is None else _part_of_frame(frame, size)
    if cell_type in ("tet10", "hex20"):
        points, cells = shapes.quadratic(points, cells, "tet4" if cell_type == "tet10" else "hex8")
    (place / "mesh").mkdir(parents=True)
    canonical.write(Mesh(points, (CellBlock(CELL_TYPES[cell_type], cells),)), place / "mesh")
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
        "converter_version": canonical.CONVERTER_VERSION,
    }
    (place / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    return _read(name, place)


def _is_current(place: Path) -> bool:
    """Whether the mesh is stored in the form that this version reads."""
    case = json.loads((place / "case.json").read_text())
    return bool(case.get("converter_version") == canonical.CONVERTER_VERSION)


def _read(name: str, place: Path) -> Body:
    case = json.loads((place / "case.json").read_text())
    names = ("held_axis", "held_below", "gravity_axis", "n_nodes", "n_cells")
    return Body(name, place, **{k: case[k] for k in names})


def _read_mesh(path: Path) -> shapes.Meshed:
    mesh = build(find("gmsh", path.name, b"").read(path)).mesh
    (block,) = mesh.blocks
    return mesh.points, block.nodes.astype(np.int64)


def _frame() -> Path | None:
    """The file of the welded frame, where there is one."""
    extra = os.environ.get(EXTRA, "")
    return Path(extra) / FRAME if extra and (Path(extra) / FRAME).exists() else None


def _bracket(size: str) -> shapes.Meshed:
    points, cells = _read_mesh(ROOT / "examples" / "bracket" / "bracket.msh")
    if size == "800k":
        return shapes.cut_in_eight(points, cells)
    points, cells = shapes.corners(points, cells)
    return (points, cells) if size == "100k" else shapes.finer(points, cells, NODES[size])


def _part_of_frame(path: Path, size: str) -> shapes.Meshed:
    """The welded frame as it is, its lower part, or with smaller cells."""
    points, cells = shapes.corners(*_read_mesh(path))
    if size == "100k":
        return shapes.lower_part(points, cells, 2, NODES[size])
    return (points, cells) if size == "300k" else shapes.finer(points, cells, NODES[size])


def _own_frame(size: str) -> shapes.Meshed:
    points, cells = shapes.six_in_each(*shapes.tubes(TUBE_SPACING[size]))
    return points, cells
