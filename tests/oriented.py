"""Analyses of materials with axes: a layer of carbon fibres, wood-like triclinic constants, conduction along fibres."""

from __future__ import annotations

from typing import Any

import numpy as np

from dougong.solver.materials import anisotropic, orthotropic
from solving import value

#: A layer of carbon fibres in epoxy, MPa.
FIBRES = {
    "e1": 134e3, "e2": 10.2e3, "e3": 8.4e3,
    "nu12": 0.3, "nu13": 0.32, "nu23": 0.46,
    "g12": 5.5e3, "g13": 5.1e3, "g23": 3.4e3,
}  # fmt: skip

_ROOT = np.random.default_rng(3).normal(size=(6, 6))
_D = 1e4 * (_ROOT @ _ROOT.T + 4 * np.eye(6))
_ORDER = ("11", "22", "33", "12", "13", "23")

#: Of a matrix without any symmetry.
TRICLINIC = {name: float(_D[_ORDER.index(name[1:3]), _ORDER.index(name[3:])]) for name in anisotropic.CONSTANTS}


def fibres(**change: float) -> dict[str, Any]:
    """The layer as a material, some constants changed."""
    return {"orthotropic": {name: value(x) for name, x in (FIBRES | change).items()}}


def triclinic(**change: float) -> dict[str, Any]:
    """The material without symmetry, some constants changed."""
    return {"anisotropic": {"constants": [value(x) for x in (TRICLINIC | change).values()]}}


def along(k1: float = 60.0, k2: float = 2.0, k3: float = 7.0) -> dict[str, Any]:
    """Conduction along fibres."""
    return {"orthotropicConductivity": {"k1": value(k1), "k2": value(k2), "k3": value(k3)}}


def made_of(material: dict[str, Any], given: dict[str, Any], **section: Any) -> dict[str, Any]:
    """An analysis with another material; what its section has beside that as keywords."""
    section = {"material": "m"} | section
    return given | {"materials": {"m": material}, "sections": [section]}


def axes(R: np.ndarray) -> dict[str, Any]:
    """Rectangular axes, the rows of R, shape (3, 3), or (2, 2) in the plane."""
    given = {"xAxis": {"coordinates": list(R[0])}}
    if len(R) == 3:
        given["xyPlane"] = {"coordinates": list(R[1])}
    return {"axes": given}


def cylinder(origin: list[float], axis: list[float] | None = None) -> dict[str, Any]:
    """Axes that follow a cylinder."""
    given: dict[str, Any] = {"origin": {"coordinates": origin}}
    return {"cylindrical": given | ({"axis": {"coordinates": axis}} if axis else {})}


def turn(degrees: float | str, about: int = 3) -> dict[str, Any]:
    """A rotation by an angle, or by an expression of position."""
    angle = {"expression": degrees} if isinstance(degrees, str) else value(degrees)
    return {"rotation": {"angleDegrees": angle, "about": about}}


def stiffness(C: np.ndarray, R: np.ndarray) -> np.ndarray:
    """C_ijkl of a 6 x 6 matrix over xx, yy, zz, xy, yz, zx in axes R, turned to global axes, index by index."""
    places = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])
    tensor = np.array(C)[places[:, :, None, None], places[None, None]]
    return np.einsum("ijkl,ia,jb,kc,ld->abcd", tensor, R, R, R, R)


def fibre_matrix() -> np.ndarray:
    """The elasticity matrix of the layer in its axes."""
    return orthotropic.matrix(**FIBRES)
