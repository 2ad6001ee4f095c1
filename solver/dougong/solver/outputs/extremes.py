"""The largest and smallest values of fields, where they are, and in which frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.mesh import numbers
from dougong.solver.model import Model
from dougong.v1 import result_pb2

Array = NDArray[np.float64]


def extremes_of(
    model: Model,
    frame: int,
    name: str,
    components: tuple[str, ...],
    values: Array,
    nodes: NDArray[np.integer] | None = None,
) -> list[result_pb2.Extreme]:
    """Extremes of a field at nodes, for each component, and for the magnitude of a vector. Collective.

    Parameters
    ----------
    model
        The step on this part.
    frame
        Number of the frame.
    name, components
        The field.
    values
        shape (n_owned, width).
    nodes
        Those to look at among the owned ones; default: all.
    """
    part = model.part
    nodes = np.arange(part.n_owned) if nodes is None else nodes
    values = values[nodes]
    columns = [(name, c, values[:, i]) for i, c in enumerate(components or ("",))]
    if components in (("x", "y"), ("x", "y", "z")):
        columns.append((f"{name}_magnitude", "", np.linalg.norm(values, axis=1)))
    node_ids = model.regions.stored.node_ids
    out = []
    for field, component, column in columns:
        best = []
        for sign in (1.0, -1.0):
            here: tuple[float, int, list[float]] = (np.inf, -1, [])
            if len(column):
                k = int(np.argmin(sign * column))
                here = (sign * column[k], int(part.nodes[nodes[k]]), part.points[nodes[k]].tolist())
            best.append(min(part.comm.gather(here)))
        (low, low_node, low_point), (high, high_node, high_point) = best
        ids = numbers(node_ids, np.array([low_node, high_node]))
        out.append(
            result_pb2.Extreme(
                field=field,
                component=component,
                min=low,
                max=-high,
                min_node=int(ids[0]),
                max_node=int(ids[1]),
                min_point=low_point,
                max_point=high_point,
                min_frame=frame,
                max_frame=frame,
            )
        )
    return out


def envelope(of_frames: Sequence[Sequence[result_pb2.Extreme]]) -> list[result_pb2.Extreme]:
    """The extremes over all frames, for each region by itself; of equal values that of the first frame."""
    whole: dict[tuple[str, str, str], result_pb2.Extreme] = {}
    for extremes in of_frames:
        for e in extremes:
            found = whole.setdefault((e.region, e.field, e.component), e)
            if found is e:
                continue
            low, high = (found if found.min <= e.min else e), (found if found.max >= e.max else e)
            whole[e.region, e.field, e.component] = result_pb2.Extreme(
                field=e.field,
                component=e.component,
                min=low.min,
                min_node=low.min_node,
                min_point=low.min_point,
                min_frame=low.min_frame,
                max=high.max,
                max_node=high.max_node,
                max_point=high.max_point,
                max_frame=high.max_frame,
                region=e.region,
            )
    return list(whole.values())
