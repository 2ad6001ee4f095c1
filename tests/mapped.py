"""Structured meshes bent into shape: every node of a unit box is sent through a map, mid-side nodes too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dougong.meshes.mesh import Mesh


def mapped(mesh: Mesh, into: Callable[[np.ndarray], np.ndarray]) -> Mesh:
    """The mesh with its points, shape (n, dim), sent through `into`."""
    return Mesh(np.asarray(into(mesh.points)), mesh.blocks, mesh.regions)


def rotation(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    """The matrix that turns about an axis (Rodrigues)."""
    n = np.asarray(axis, float) / np.linalg.norm(axis)
    N = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    return np.eye(3) + np.sin(angle) * N + (1 - np.cos(angle)) * N @ N


def at(points: np.ndarray, place: tuple[float, ...]) -> int:
    """The node at a place."""
    distance = np.linalg.norm(points - np.asarray(place), axis=1)
    assert distance.min() < 1e-9 * max(1.0, np.abs(points).max())
    return int(np.argmin(distance))
