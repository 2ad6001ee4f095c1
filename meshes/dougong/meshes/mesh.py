"""A mesh in memory: points, cell blocks and named regions. Immutable; arrays are not written to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES, CellType


class RegionKind(StrEnum):
    """What a region is a set of."""

    NODES = "nodes"
    FACETS = "facets"
    CELLS = "cells"


@dataclass(frozen=True)
class CellBlock:
    """Cells of one type.

    Attributes
    ----------
    type
        The cell type.
    nodes
        shape (n_cells, n_nodes of the type), integer - indices into the points.
    ids
        shape (n_cells,), int64 - numbers of the cells in the mesh file; None when it has none.
    """

    type: CellType
    nodes: NDArray[np.integer]
    ids: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.nodes)


@dataclass(frozen=True)
class Region:
    """A named set of nodes, cells or facets.

    Attributes
    ----------
    name
        As in the mesh file.
    kind
        What it is a set of.
    entries
        Nodes: shape (n,), int64, indices of nodes, ascending. Cells: shape (n,), int64, indices of cells, counted
        through all blocks, ascending. Facets: shape (n, 2), int64, cell index and number of its facet
        (see `dougong.meshes.cells`), in ascending order.
    origin
        What the file says about it, for people: "physical group 3", "*ELSET".
    """

    name: str
    kind: RegionKind
    entries: NDArray[np.int64]
    origin: str = ""

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True)
class Mesh:
    """A mesh.

    Attributes
    ----------
    points
        shape (n_nodes, dim), float64 - length. dim is 2 or 3.
    blocks
        Cells, one block per type, all of the dimension that is computed in, and cells of lower dimension that are no
        facets of those (shells, beams), which no physics can use yet.
    regions
        Named sets. A name is unique within a kind.
    node_ids
        shape (n_nodes,), int64 - numbers of the nodes in the mesh file; None when they are 1..n or it has none.
    """

    points: NDArray[np.float64]
    blocks: tuple[CellBlock, ...]
    regions: tuple[Region, ...] = ()
    node_ids: NDArray[np.int64] | None = None

    @property
    def dim(self) -> int:
        """Number of coordinates, 2 or 3."""
        return int(self.points.shape[1])

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.points)

    @property
    def n_cells(self) -> int:
        """Number of cells of all blocks."""
        return sum(len(b) for b in self.blocks)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Index of the first cell of each block, shape (n_blocks + 1,)."""
        return np.concatenate([[0], np.cumsum([len(b) for b in self.blocks])]).astype(np.int64)

    def region(self, name: str, kind: RegionKind) -> Region | None:
        """The region of this name and kind, if there is one."""
        return next((r for r in self.regions if r.name == name and r.kind == kind), None)

    def node_numbers(self, nodes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers in the mesh file of nodes given by index."""
        return numbers(self.node_ids, nodes)

    def cell_numbers(self, cells: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers in the mesh file of cells given by index through all blocks."""
        out = np.asarray(cells, dtype=np.int64) + 1
        for k, block in enumerate(self.blocks):
            if block.ids is not None:
                here = (cells >= self.offsets[k]) & (cells < self.offsets[k + 1])
                out[here] = block.ids[cells[here] - self.offsets[k]]
        return out


def numbers(ids: NDArray[np.int64] | None, index: NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers in a mesh file: `ids` at `index`, or `index` + 1 when the file numbers 1..n."""
    return np.asarray(index, dtype=np.int64) + 1 if ids is None else np.asarray(ids[index], dtype=np.int64)


@dataclass(frozen=True)
class RawMesh:
    """What a reader of a mesh format hands over, before anything is checked.

    Attributes
    ----------
    points
        shape (n_nodes, 3), float64 - length.
    blocks
        All cells in the file, of every dimension, in the product's node order; `nodes` are indices into `points`.
        Several blocks of one type are allowed, and are merged later.
    cell_sets
        name -> for each block the indices of its cells in the set. Sets of lower-dimensional cells become facet
        regions where those cells are facets of cells of higher dimension.
    node_sets
        name -> node indices.
    facet_sets
        name -> shape (n, 3): block, cell in the block, facet number. For formats that name facets by cell and side.
    node_ids
        Numbers of the nodes in the file, or None.
    notices
        Reason code and parameters of what was noticed: cards skipped, orientation mended.
    origins
        (kind of set, name) -> what the file says about it.
    """

    points: NDArray[np.float64]
    blocks: tuple[CellBlock, ...]
    cell_sets: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    node_sets: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    facet_sets: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    node_ids: NDArray[np.int64] | None = None
    notices: tuple[tuple[str, dict[str, object]], ...] = ()
    origins: dict[tuple[str, str], str] = field(default_factory=dict)


def cell_type(name: str) -> CellType:
    """The cell type of a name such as "tet10"."""
    return CELL_TYPES[name]
