"""What a client is told about a mesh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.canonical import CONVERTER_VERSION
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.geometry import CellGeometry, measures
from dougong.meshes.mesh import Mesh, Region, RegionKind
from dougong.meshes.quality import quality
from dougong.messages import notice
from dougong.v1 import mesh_pb2

#: So many notices are told; a mesh with thousands of odd sets would otherwise fill a message with them.
MAX_NOTICES = 200

_KINDS = {
    RegionKind.NODES: mesh_pb2.RegionInfo.KIND_NODES,
    RegionKind.FACETS: mesh_pb2.RegionInfo.KIND_FACETS,
    RegionKind.CELLS: mesh_pb2.RegionInfo.KIND_CELLS,
}


def mesh_info(
    mesh: Mesh, digest: str, geometry: Sequence[CellGeometry], notices: Iterable[mesh_pb2.Notice] = ()
) -> mesh_pb2.MeshInfo:
    """What is in a mesh.

    Parameters
    ----------
    mesh
        A checked mesh.
    digest
        Of its stored form, from `dougong.meshes.canonical.write`.
    geometry
        Of each block.
    notices
        What was noticed while reading.
    """
    return mesh_pb2.MeshInfo(
        conversion_sha256=digest,
        converter_version=CONVERTER_VERSION,
        dimension=mesh.dim,
        node_count=mesh.n_nodes,
        cell_count=mesh.n_cells,
        cell_types=[mesh_pb2.CellTypeCount(cell_type=b.type.name, count=len(b)) for b in mesh.blocks],
        regions=[_region(mesh, region, geometry) for region in mesh.regions],
        bounding_box_min=mesh.points.min(axis=0).tolist(),
        bounding_box_max=mesh.points.max(axis=0).tolist(),
        quality=quality(mesh, geometry),
        notices=_first(list(notices)),
    )


def _first(notices: list[mesh_pb2.Notice]) -> list[mesh_pb2.Notice]:
    """No more than a person reads, and a word about the others."""
    more = len(notices) - MAX_NOTICES
    return notices if more <= 0 else [*notices[:MAX_NOTICES], notice("MESH_NOTICE_MORE", count=more)]


def _region(mesh: Mesh, region: Region, geometry: Sequence[CellGeometry]) -> mesh_pb2.RegionInfo:
    measure = 0.0
    if region.kind == RegionKind.CELLS:
        for k, geo in enumerate(geometry):
            measure += float(geo.measure[_within(region.entries, mesh, k)].sum())
    elif region.kind == RegionKind.FACETS:
        measure = float(facet_measures(mesh, region.entries).sum())
    return mesh_pb2.RegionInfo(
        name=region.name, kind=_KINDS[region.kind], size=len(region), measure=measure, origin=region.origin
    )


def _within(cells: NDArray[np.int64], mesh: Mesh, block: int) -> NDArray[np.int64]:
    first, last = np.searchsorted(cells, mesh.offsets[block : block + 2])
    return cells[first:last] - mesh.offsets[block]


def facet_measures(mesh: Mesh, entries: NDArray[np.int64]) -> NDArray[np.float64]:
    """Length or area of curved facets.

    Parameters
    ----------
    mesh
        The mesh.
    entries
        shape (n, 2) - cell and facet number, see `dougong.meshes.mesh.Region`.

    Returns
    -------
    ndarray, shape (n,), float64 - length in two dimensions, area in three.
    """
    out = np.empty(len(entries))
    block_of = np.searchsorted(mesh.offsets, entries[:, 0], side="right") - 1
    for k, block in enumerate(mesh.blocks):
        for number, (name, nodes) in enumerate(block.type.facets):
            rows = np.flatnonzero((block_of == k) & (entries[:, 1] == number))
            if len(rows):
                cells = entries[rows, 0] - mesh.offsets[k]
                out[rows] = measures(mesh.points, CELL_TYPES[name], block.nodes[cells][:, list(nodes)])
    return out
