"""Element types of Abaqus and CalculiX and the cells they are.

Source: Abaqus Elements Guide, element library; CalculiX CrunchiX manual, "Element types".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType


@dataclass(frozen=True)
class ElementType:
    """An element type.

    Attributes
    ----------
    cell
        What it is here.
    order
        For each node of the cell its place in the element; None when they are the same.
    structural
        A shell, membrane or beam: a surface made of it without naming a face is the cell itself.
    """

    cell: CellType
    order: tuple[int, ...] | None = None
    structural: bool = False


#: C3D13 is no name of Abaqus; Gmsh writes it.
_SOLID = {
    4: "tet4", 5: "pyramid5", 6: "wedge6", 8: "hex8", 10: "tet10", 13: "pyramid13", 15: "wedge15", 20: "hex20",
    27: "hex27",
}  # fmt: skip
_PLANE = {3: "tri3", 4: "quad4", 6: "tri6", 8: "quad8", 9: "quad9"}
_LINE = {2: "line2", 3: "line3"}

#: (pattern whose only group is the number of nodes, cells by number of nodes, structural)
_FAMILIES: tuple[tuple[re.Pattern[str], dict[int, str], bool], ...] = (
    # Stress, heat, acoustic and fluid solids. V (a variable number of nodes) is not matched.
    (re.compile(r"(?:C3D|DC3D|DCC3D|AC3D|F3D|FC3D|Q3D|EMC3D)(\d+)(?:[A-UW-Z]*)"), _SOLID, False),
    (re.compile(r"(?:SC|CSS|DSC)(6|8)R?[HT]*"), _SOLID, False),
    (re.compile(r"(?:CPS|CPE|CPEG|CAX|CGAX|DC2D|DCC2D|DCAX|DCCAX|AC2D|ACAX)(\d)[A-Z]*"), _PLANE, False),
    (re.compile(r"(?:M3D|SFM3D|DS|R3D|EMC2D)(\d)[A-Z]*"), _PLANE, True),
    (re.compile(r"S(\d)(?:R|RS|RSW|RT|T|R5|5)?"), _PLANE, True),
    (re.compile(r"STRI(3)"), _PLANE, True),
    (re.compile(r"STRI(6)5"), _PLANE, True),
    (re.compile(r"(?:T2D|T3D|DC1D|AC1D)(\d)[A-Z]*"), _LINE, True),
)

#: Lines whose name counts not the nodes but the degree of the shape functions.
_BY_NAME: dict[str, str] = {
    "MASS": "point1", "ROTARYI": "point1", "HEATCAP": "point1", "SPRING1": "point1", "DASHPOT1": "point1",
    "SPRING2": "line2", "SPRINGA": "line2", "DASHPOT2": "line2", "DASHPOTA": "line2", "CONN2D2": "line2",
    "CONN3D2": "line2", "GAPUNI": "line2", "RB2D2": "line2", "RB3D2": "line2", "R2D2": "line2", "RAX2": "line2",
}  # fmt: skip
_BEAM = re.compile(r"(?:B|PIPE|ELBOW)[23]([123])[A-Z]*|(?:D?SAX|MAX|MGAX)([12])T?")

#: A three-node beam or truss names its middle node second.
_MIDDLE_SECOND = (0, 2, 1)


def element_type(name: str) -> ElementType | None:
    """Find the element type of a name in capitals; None when it is not known."""
    if name in _BY_NAME:
        return ElementType(CELL_TYPES[_BY_NAME[name]], None, True)
    for pattern, cells, structural in _FAMILIES:
        match = pattern.fullmatch(name)
        if match and int(match[1]) in cells:
            return _element(cells[int(match[1])], structural)
    match = _BEAM.fullmatch(name)
    if match:
        # B31 and B33 have two nodes, B32 three.
        return _element("line3" if (match[1] or match[2]) == "2" else "line2", True)
    return None


#: Solids: shape and order, then letters of the formulation.
_FORMULATION = re.compile(r"(?:C3D(?:4|6|8|10|15|20|27)|CP[SE]G?\d|CG?AX\d)([A-Z]*)")


def own_formulation(name: str) -> bool:
    """Whether an element type asks for a formulation that a cell does not carry: C3D8I, C3D20R, C3D10M, ..."""
    match = _FORMULATION.fullmatch(name)
    # R reduced, I incompatible modes, H hybrid, M modified, S improved surface stress; T, E, P add other fields.
    return match is not None and bool(set(match[1]) & set("RIHMS"))


def _element(cell: str, structural: bool) -> ElementType:
    return ElementType(CELL_TYPES[cell], _MIDDLE_SECOND if cell == "line3" else None, structural)


def sort_hex27(points: NDArray[np.float64], nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put the face and centre nodes of 27-node bricks in order, by where they lie.

    Programs disagree on the order of these seven; the first twenty leave no doubt.

    Parameters
    ----------
    points
        shape (n_nodes, 3), float64 - length.
    nodes
        shape (n, 27), int64.

    Returns
    -------
    sorted
        shape (n, 27), int64.
    doubtful
        Rows in which two of the seven lie nearest to the same place.
    """
    cell = CELL_TYPES["hex27"]
    reference = np.array(cell.reference)
    # The place of each of the seven is the average of the corners of its face, or of all eight.
    weights = (np.abs(reference[20:, None, :] - reference[None, :8, :]) <= 0.5).all(axis=2).astype(float)
    weights /= weights.sum(axis=1, keepdims=True)
    out = nodes.copy()
    doubtful = []
    for start in range(0, len(nodes), 20000):
        part = nodes[start : start + 20000]
        places = np.einsum("fc,ncd->nfd", weights, points[part[:, :8]])
        gaps = np.linalg.norm(places[:, :, None, :] - points[part[:, 20:]][:, None, :, :], axis=3)
        nearest = np.argmin(gaps, axis=2)
        bad = (np.sort(nearest, axis=1) != np.arange(7)).any(axis=1)
        doubtful.append(start + np.flatnonzero(bad))
        out[start : start + 20000, 20:] = np.take_along_axis(part[:, 20:], nearest, axis=1)
    return out, np.concatenate(doubtful) if doubtful else np.empty(0, np.int64)
