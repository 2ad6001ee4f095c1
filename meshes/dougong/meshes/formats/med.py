"""MED files of Salome and Code_Aster (.med, .rmed, .mmed), MED 3 and 4: nodes, cells, families and their groups.

Source: MED 4 documentation, "Le modèle de données" and internal names of groups and attributes.
"""

from __future__ import annotations

import errno
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats._ids import repeated
from dougong.meshes.formats._med_file import MedGroup
from dougong.meshes.formats._order import find_order
from dougong.meshes.formats._textfile import shorten
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import CellBlock, RawMesh

NAME = "med"
SUFFIXES = (".med", ".rmed", ".mmed")
DESCRIPTION = "MED files of Salome and Code_Aster, version 3 and 4 (.med)"
OPENS_FILES = True
#: To be imported before the reader may open nothing but the mesh file.
PRELOAD = ("h5py",)

#: The group that holds all meshes.
_MESHES = "ENS_MAA"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Internal names of the cell types; files of some programs have the longer ones.
_CELLS: dict[str, str] = {
    "PO1": "point1", "SE2": "line2", "SE3": "line3", "TR3": "tri3", "TR6": "tri6", "TR7": "tri7", "QU4": "quad4",
    "QU8": "quad8", "QU9": "quad9", "TE4": "tet4", "T10": "tet10", "TE10": "tet10", "HE8": "hex8", "H20": "hex20",
    "HE20": "hex20", "H27": "hex27", "HE27": "hex27", "PE6": "wedge6", "P15": "wedge15", "PE15": "wedge15",
    "P18": "wedge18", "PE18": "wedge18", "PY5": "pyramid5", "P13": "pyramid13", "PY13": "pyramid13",
}  # fmt: skip


def sniff(head: bytes) -> bool:
    """Say whether this is an HDF5 file; only the reader can tell whether it is MED."""
    return head.startswith(_SIGNATURE)


def unavailable() -> str:
    """Name the package without which the format cannot be read here; empty when it can."""
    try:
        importlib.import_module("h5py")
    except ImportError:
        return "h5py"
    return ""


def read(path: Path) -> RawMesh:
    """Read a MED file. Raises `ReadError` with the group or dataset that is wrong."""
    if path.stat().st_size == 0:
        raise ReadError("MESH_FILE_EMPTY")
    if unavailable():
        raise ReadError("MESH_READER_MISSING", format=NAME, package=unavailable())
    h5py: Any = importlib.import_module("h5py")
    try:
        # Coordinates may be no numbers: the checks that follow for all formats say so.
        with h5py.File(path, "r") as file, np.errstate(all="ignore"):
            return _Reader(MedGroup(h5py, file)).mesh()
    except OSError as error:
        if error.errno in (errno.ENOMEM, errno.ENOSPC):
            raise
        raise ReadError("MESH_MED_DAMAGED", detail=shorten(str(error))) from error
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError) as error:
        # h5py tells of damage in all of these ways.
        raise ReadError("MESH_MED_DAMAGED", detail=shorten(str(error))) from error


class _Reader:
    def __init__(self, root: MedGroup) -> None:
        self.root = root
        self.notices: list[tuple[str, dict[str, object]]] = []

    def mesh(self) -> RawMesh:
        meshes = self.root.need(_MESHES)
        names = meshes.names()
        if not names:
            raise ReadError("MESH_NO_NODES")
        mesh = meshes.need(names[0])
        if len(names) > 1:
            self._notice("MESH_NOTICE_OTHER_MESHES", name=shorten(names[0]), others=shorten(", ".join(names[1:])))
        dim = mesh.integer("ESP", mesh.integer("DIM", 3))
        if not 1 <= dim <= 3:
            raise ReadError("MESH_MED_MISSING", path=f"{shorten(mesh.path)}@ESP")
        if mesh.integer("TYP", 0) != 0 or mesh.integer("REP", 0) != 0:
            raise ReadError("MESH_MED_KIND", path=shorten(mesh.path))
        step = self._step(mesh)
        nodes = step.need("NOE")
        coordinates = nodes.numbers("COO", np.float64)
        n_nodes = len(coordinates) // dim
        if n_nodes == 0 or len(coordinates) != n_nodes * dim:
            raise ReadError("MESH_NO_NODES" if not len(coordinates) else "MESH_MED_DAMAGED", detail=f"{nodes.path}/COO")
        points = np.zeros((n_nodes, 3))
        points[:, :dim] = coordinates.reshape(dim, n_nodes).T  # all x, then all y, then all z
        blocks, families = self._cells(step, points)
        groups = self._groups(mesh, names[0])
        cell_sets = {
            name: [np.flatnonzero(np.isin(f, numbers)) for f in families] for name, numbers in groups["ELEME"].items()
        }
        node_sets: dict[str, NDArray[np.int64]] = {}
        node_families = nodes.array("FAM", np.int64)
        if node_families is not None:
            self._same_length(nodes.path, node_families, n_nodes)
            for name, numbers in groups["NOEUD"].items():
                node_sets[name] = np.flatnonzero(np.isin(node_families.reshape(-1), numbers))
        origins = {("cells", name): "MED group" for name in cell_sets}
        origins |= {("nodes", name): "MED group" for name in node_sets}
        return RawMesh(
            points=points,
            blocks=tuple(blocks),
            cell_sets=cell_sets,
            node_sets=node_sets,
            node_ids=self._numbers(nodes, n_nodes),
            notices=tuple(self.notices),
            origins=origins,
        )

    def _notice(self, reason: str, **params: object) -> None:
        self.notices.append((reason, params))

    def _step(self, mesh: MedGroup) -> MedGroup:
        """Open the first computing step; before MED 3 there were none."""
        names = mesh.names()
        if "NOE" in names:
            return mesh
        steps = [step for step in (mesh.group(n) for n in names) if step is not None and "NOE" in step.names()]
        if not steps:
            raise ReadError("MESH_NO_NODES")
        if len(steps) > 1:
            self._notice("MESH_NOTICE_OTHER_STEPS", count=len(steps))
        return steps[0]

    def _same_length(self, path: str, values: NDArray[np.int64], expected: int) -> None:
        if values.size != expected:
            raise ReadError("MESH_COUNT_MISMATCH", section=shorten(path), count=expected, found=values.size)

    def _numbers(self, group: MedGroup, expected: int) -> NDArray[np.int64] | None:
        """Read the numbers that the file gives to nodes or cells, unless one occurs twice."""
        numbers = group.array("NUM", np.int64)
        if numbers is None:
            return None
        self._same_length(f"{group.path}/NUM", numbers, expected)
        return None if len(repeated(numbers.reshape(-1))) else numbers.reshape(-1)

    def _cells(self, step: MedGroup, points: NDArray[np.float64]) -> tuple[list[CellBlock], list[NDArray[np.int64]]]:
        """Read all cells, and for each block the family of each of its cells."""
        cells = step.group("MAI")
        names = cells.names() if cells is not None else []
        if cells is None or not names:
            raise ReadError("MESH_NO_CELLS")
        blocks: list[CellBlock] = []
        families: list[NDArray[np.int64]] = []
        for name in names:
            group = cells.need(name)
            if name not in _CELLS:
                raise ReadError("MESH_CELL_TYPE_UNSUPPORTED", cell_type=shorten(name))
            cell = CELL_TYPES[_CELLS[name]]
            flat = group.numbers("NOD", np.int64)
            n = len(flat) // cell.n_nodes
            if len(flat) != n * cell.n_nodes:
                raise ReadError(
                    "MESH_COUNT_MISMATCH", section=f"{shorten(group.path)}/NOD", count=len(flat), found=n * cell.n_nodes
                )
            nodes = np.ascontiguousarray(flat.reshape(cell.n_nodes, n).T) - 1  # all first nodes, then all second ...
            outside = ((nodes < 0) | (nodes >= len(points))).any(axis=1)
            if outside.any():
                count = int(np.count_nonzero(outside))
                raise ReadError("MESH_INDEX_OUT_OF_RANGE", count=count, cell_type=cell.name, path=shorten(group.path))
            nodes = nodes[:, find_order(points, cell, nodes)]
            family = group.array("FAM", np.int64)
            if family is not None:
                self._same_length(f"{group.path}/FAM", family, n)
            families.append(np.zeros(n, np.int64) if family is None else family.reshape(-1))
            blocks.append(CellBlock(cell, nodes, self._numbers(group, n)))
        ids = [b.ids for b in blocks]
        known = [i for i in ids if i is not None]
        if len(known) < len(ids) or len(repeated(np.concatenate(known))):
            # Numbers that several types share name no cell: count through instead.
            blocks = [CellBlock(b.type, b.nodes) for b in blocks]
        return blocks, families

    def _groups(self, mesh: MedGroup, name: str) -> dict[str, dict[str, list[int]]]:
        """Read which families make up each group, for nodes (NOEUD) and for cells (ELEME)."""
        out: dict[str, dict[str, list[int]]] = {"NOEUD": {}, "ELEME": {}}
        everything = self.root.group("FAS")
        families = everything.group(name) if everything is not None else mesh.group("FAS")
        if families is None:
            return out
        for kind, groups in out.items():
            folder = families.group(kind)
            for family_name in folder.names() if folder is not None else []:
                family = folder.need(family_name) if folder is not None else families
                members = family.group("GRO")
                number = family.integer("NUM")
                if members is None:
                    continue
                for group in members.texts("NOM"):
                    if group:
                        groups.setdefault(group, []).append(number)
        return out
