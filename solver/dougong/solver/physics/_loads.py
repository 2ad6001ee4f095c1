r"""Loads of elastic bodies that come from a rotation, or from a fluid at rest.

In the axes of a body that rotates with the angular velocity ω a and the angular acceleration α a about an axis a
through p, a density ρ at x has the inertia forces, with r = x - p,

    centrifugal  ρ ω² (r - (a·r) a)
    Euler        -ρ α a x r

(Goldstein, Poole, Safko, "Classical Mechanics", 2002, section 4.10.) A fluid of specific weight γ presses with γ h at
the depth h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from skfem import LinearForm
from skfem.helpers import dot

from dougong.solver.physics.base import Array, Loads
from dougong.v1 import analysis_pb2 as pb


@LinearForm
def centrifugal_force(v: Any, w: Any) -> Any:
    """ρ ω² v · (r - (a·r) a)."""
    r = w.x - w.point
    return w.density * w.omega**2 * dot(r - dot(w.axis, r) * w.axis, v)


@LinearForm
def euler_force(v: Any, w: Any) -> Any:
    """-ρ α v · (a x r)."""
    r = w.x - w.point
    return -w.density * w.alpha * dot(_cross(w.axis, r), v)


def _cross(axis: Any, r: Any) -> Any:
    """An axis times distances; in the plane the axis is across it."""
    if len(r) == 2:
        return np.array([-r[1], r[0]])
    return np.array([axis[i] * r[j] - axis[j] * r[i] for i, j in ((1, 2), (2, 0), (0, 1))])


@LinearForm
def fluid_pressure(v: Any, w: Any) -> Any:
    """-γ h v · n, h not less than zero."""
    depth = dot(w.x - w.surface, w.down) + w.level
    return -w.density * w.gravity * np.maximum(depth, 0.0) * dot(w.n, v)


def centrifugal(load: pb.Load, dim: int, loads: Loads) -> None:
    """Add the centrifugal force."""
    c = load.centrifugal
    # In the plane zero stands for an axis across it: the whole distance counts.
    axis = np.array([0.0, 1.0]) if loads.axisymmetric else _unit(c.direction, dim)
    loads.on_cells(
        load.region,
        centrifugal_force,
        density=loads.section_values(lambda m: m.density.value),
        omega=c.angular_velocity,
        point=_coordinates(c.point, dim),
        axis=axis,
    )


def euler(load: pb.Load, dim: int, loads: Loads) -> None:
    """Add the Euler force."""
    e = load.euler
    loads.on_cells(
        load.region,
        euler_force,
        density=loads.section_values(lambda m: m.density.value),
        alpha=e.angular_acceleration,
        point=_coordinates(e.point, dim),
        axis=_unit(e.direction, dim),
    )


def hydrostatic(load: pb.Load, dim: int, loads: Loads) -> None:
    """Add the pressure of a fluid."""
    h = load.hydrostatic
    given = h.HasField("specific_weight")
    loads.on_facets(
        load.region,
        fluid_pressure,
        density=h.specific_weight if given else h.density,
        gravity=1.0 if given else h.gravity,
        level=h.level,
        surface=_coordinates(h.surface, dim),
        down=_unit(h.down, dim),
    )


def _coordinates(point: pb.Point, dim: int) -> Array:
    """A point; one that is not given is the origin."""
    return np.array(point.coordinates or [0.0] * dim, dtype=float)


def _unit(direction: pb.Point, dim: int) -> Array:
    """A unit vector; zero where no direction is given."""
    vector = _coordinates(direction, dim)
    largest = np.abs(vector).max()  # divided by first: the square of a length may be beyond the numbers there are
    if not largest > 0:
        return vector
    return np.asarray(vector / largest / np.linalg.norm(vector / largest))
