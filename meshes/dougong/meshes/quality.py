"""How well shaped the cells of a mesh are.

Source of the scaled Jacobian: Knupp, "Achieving finite element mesh quality via optimization of the Jacobian matrix
norm and associated quantities, part II", IJNME 48 (2000) 1165-1185; here with the tangents of the curved edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dougong.meshes.geometry import CellGeometry
from dougong.meshes.mesh import Mesh
from dougong.v1 import mesh_pb2

#: Lower ends of the bins of the aspect histogram.
ASPECT_BINS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
SCALED_JACOBIAN_BINS = 10


def quality(mesh: Mesh, geometry: Sequence[CellGeometry]) -> mesh_pb2.Quality:
    """Histograms and worst cells, over the cells of the highest dimension.

    Parameters
    ----------
    mesh
        A checked mesh.
    geometry
        Of each block.
    """
    out = mesh_pb2.Quality()
    top = max(b.type.dim for b in mesh.blocks)
    jacobian_counts = np.zeros(SCALED_JACOBIAN_BINS, dtype=np.int64)
    aspect_counts = np.zeros(len(ASPECT_BINS), dtype=np.int64)
    lowest, highest = np.inf, -np.inf
    for k, (block, geo) in enumerate(zip(mesh.blocks, geometry, strict=True)):
        if block.type.dim != top or len(block) == 0:
            continue
        scaled, aspect = geo.scaled_jacobian, geo.aspect
        jacobian_bin = np.clip((scaled * SCALED_JACOBIAN_BINS).astype(np.int64), 0, SCALED_JACOBIAN_BINS - 1)
        jacobian_counts += np.bincount(jacobian_bin, minlength=SCALED_JACOBIAN_BINS)
        aspect_bin = np.clip(np.digitize(aspect, ASPECT_BINS) - 1, 0, len(ASPECT_BINS) - 1)
        aspect_counts += np.bincount(aspect_bin, minlength=len(ASPECT_BINS))
        worst = int(scaled.argmin())
        if scaled[worst] < lowest:
            lowest = float(scaled[worst])
            out.worst_scaled_jacobian_cell = _number(mesh, k, worst)
        worst = int(aspect.argmax())
        if aspect[worst] > highest:
            highest = float(aspect[worst])
            out.worst_aspect_cell = _number(mesh, k, worst)
    out.scaled_jacobian_histogram.extend(jacobian_counts.tolist())
    out.aspect_histogram.extend(aspect_counts.tolist())
    out.min_scaled_jacobian = lowest
    out.max_aspect = highest
    return out


def _number(mesh: Mesh, block: int, cell: int) -> int:
    ids = mesh.blocks[block].ids
    return int(ids[cell]) if ids is not None else int(mesh.offsets[block]) + cell + 1
