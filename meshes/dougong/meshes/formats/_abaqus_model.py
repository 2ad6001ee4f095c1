"""What an Abaqus deck defines, as it stands there: parts, instances, and sets that are not looked up yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._abaqus_cards import Card
from dougong.meshes.formats._abaqus_elements import ElementType
from dougong.meshes.formats._ids import IdMap


@dataclass(frozen=True)
class Members:
    """Numbers in a set, or a name or a range of numbers.

    Attributes
    ----------
    offset
        Where in the file, for messages.
    instance
        The instance whose numbers and names these are; "" for the scope of the set itself.
    ids
        shape (n,), int64, or None.
    name
        Name of another set, or a qualified number; "" if none.
    span
        First, last, step; None if none.
    kind
        "nodes" or "cells": what `name` is a set of, when it is not what the set is made of.
    """

    offset: int
    instance: str = ""
    ids: NDArray[np.int64] | None = None
    name: str = ""
    span: tuple[int, int, int] | None = None
    kind: str = ""


@dataclass
class NamedSet:
    """A set of nodes or elements."""

    name: str
    origin: str
    members: list[Members] = field(default_factory=list)


@dataclass(frozen=True)
class SurfaceRow:
    """A data line of an element surface: set or element, and its face identifier in capitals."""

    offset: int
    name: str
    face: str


@dataclass
class Surface:
    """An element surface."""

    name: str
    rows: list[SurfaceRow] = field(default_factory=list)


@dataclass
class ElementGroup:
    """The elements of one *ELEMENT card: type, numbers (n,), nodes by number (n, n_nodes) in the product's order."""

    type: ElementType
    ids: NDArray[np.int64]
    nodes: NDArray[np.integer]
    card: Card


@dataclass
class Scope:
    """What is defined in a part, in the assembly, or in a deck without parts. Sets by kind and name in capitals."""

    name: str
    node_ids: list[NDArray[np.int64]] = field(default_factory=list)
    points: list[NDArray[np.float64]] = field(default_factory=list)
    groups: list[ElementGroup] = field(default_factory=list)
    sets: dict[str, dict[str, NamedSet]] = field(default_factory=lambda: {"nodes": {}, "cells": {}})
    surfaces: dict[str, Surface] = field(default_factory=dict)

    def named(self, kind: str, name: str, origin: str) -> NamedSet:
        """Find the set of this name, or make it: several cards of one name add up."""
        return self.sets[kind].setdefault(name.upper(), NamedSet(name, origin))

    def add_nodes(self, ids: NDArray[np.int64], points: NDArray[np.float64]) -> None:
        """Take in the nodes of a card."""
        self.node_ids.append(ids)
        self.points.append(points)


@dataclass
class Instance:
    """A part put in its place.

    Attributes
    ----------
    name
        As in the deck; "" for a deck without parts, and for what the assembly itself defines.
    scopes
        The part, and what the instance defines itself.
    rotation, shift
        x -> rotation @ x + shift.
    """

    name: str
    scopes: list[Scope]
    offset: int = 0
    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    shift: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


@dataclass
class Placed:
    """The nodes and cells of an instance in the whole mesh.

    Attributes
    ----------
    instance
        Whose they are.
    nodes, cells
        Index of each number among the instance's own.
    first_node, first_cell
        Where they begin in the mesh. Cells are counted through all blocks.
    """

    instance: Instance
    nodes: IdMap
    cells: IdMap
    first_node: int
    first_cell: int
    n_nodes: int
    n_cells: int


def rotation_about(
    point: NDArray[np.float64], axis: NDArray[np.float64], degrees: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute matrix and shift of a rotation about a line, by Rodrigues' formula.

    Parameters
    ----------
    point
        shape (3,) - length. On the line.
    axis
        shape (3,) - its direction, not zero.
    degrees
        By the right-hand rule.
    """
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.deg2rad(degrees)
    matrix = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return matrix, point - matrix @ point
