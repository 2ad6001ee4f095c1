"""Transient heat in tests: analyses, and the temperatures of bodies that cool, from their series."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import optimize, special

from solving import value


def transient(
    k: float = 1.0,
    heat_capacity: float = 1.0,
    *,
    duration: float = 1.0,
    initial: Any = 0.0,
    material: dict[str, Any] | None = None,
    times: list[float] | None = None,
    conditions: list[dict[str, Any]] | None = None,
    loads: list[dict[str, Any]] | None = None,
    options: dict[str, Any] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """A transient analysis of one material; `heat_capacity` that of a unit of volume, `options` those of the step."""
    constants = {"conductivity": value(k), "density": value(1.0), "specificHeat": value(heat_capacity)}
    given = {"duration": value(duration), "outputTimes": times or [duration]} | (options or {})
    step = {
        "transientHeat": given,
        "initial": initial if isinstance(initial, dict) else {"temperature": value(initial)},
        "conditions": conditions or [],
        "loads": loads or [],
    }
    sections = rest.pop("sections", [{"material": "m"}])
    return {"materials": {"m": constants | (material or {})}, "sections": sections, "steps": [step]} | rest


def film(region: str, h: float, ambient: Any = 0.0) -> dict[str, Any]:
    """Convection on a region."""
    ambient = ambient if isinstance(ambient, dict) else value(ambient)
    return {"region": region, "convection": {"coefficient": value(h), "ambient": ambient}}


def _roots(function: Any, ends: np.ndarray) -> np.ndarray:
    return np.array([optimize.brentq(function, a, b) for a, b in pairwise(ends)])


def slab(x: float, fourier: float, biot: float = np.inf) -> float:
    """Excess temperature of a slab of half thickness 1, cooled on both sides, over its initial excess.

    Source: Carslaw, Jaeger, "Conduction of Heat in Solids", 1959, sections 3.3 (faces held) and 3.11 (films).
    """
    n = np.arange(60)
    if np.isinf(biot):
        zeta = (n + 0.5) * np.pi
    else:
        low = n * np.pi + 1e-9
        zeta = np.array([optimize.brentq(lambda z: z * np.sin(z) - biot * np.cos(z), a, a + np.pi / 2) for a in low])
    c = 4 * np.sin(zeta) / (2 * zeta + np.sin(2 * zeta))
    return float((c * np.exp(-(zeta**2) * fourier) * np.cos(zeta * x)).sum())


def cylinder(r: float, fourier: float, biot: float) -> float:
    """The same of a long cylinder of radius 1 (section 7.7)."""
    ends = np.concatenate([[1e-9], special.jn_zeros(1, 40)])
    zeta = _roots(lambda z: z * special.j1(z) - biot * special.j0(z), ends)
    c = 2 / zeta * special.j1(zeta) / (special.j0(zeta) ** 2 + special.j1(zeta) ** 2)
    return float((c * np.exp(-(zeta**2) * fourier) * special.j0(zeta * r)).sum())


def sphere(r: float, fourier: float, biot: float) -> float:
    """The same of a sphere of radius 1 (section 9.4)."""
    ends = np.arange(40) * np.pi + 1e-9
    zeta = np.array([optimize.brentq(lambda z: z * np.cos(z) + (biot - 1) * np.sin(z), a, a + np.pi) for a in ends])
    c = 4 * (np.sin(zeta) - zeta * np.cos(zeta)) / (2 * zeta - np.sin(2 * zeta))
    shape = np.sinc(zeta * r / np.pi)
    return float((c * np.exp(-(zeta**2) * fourier) * shape).sum())
