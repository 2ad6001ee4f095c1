"""Pieces of analyses of heated bodies, for tests."""

from __future__ import annotations

from typing import Any

from solving import elastic, value

ALPHA, COLD, HOT = 1.2e-5, 20.0, 120.0
FIELDS = {"fields": [{"name": n} for n in ("displacement", "stress", "strain", "thermal_strain", "elastic_strain")]}


def expansion(coefficient: Any = ALPHA, reference: float = COLD, **more: Any) -> dict[str, Any]:
    """Thermal expansion of a material; the coefficient as a number, or as a Quantity."""
    alpha = coefficient if isinstance(coefficient, dict) else value(coefficient)
    return {"expansion": {"coefficient": alpha, "referenceTemperature": value(reference)} | more}


def orthotropic(alphas: tuple[float, float, float], reference: float = COLD) -> dict[str, Any]:
    """Coefficients along the axes of the material."""
    given = {f"alpha{k + 1}": value(alpha) for k, alpha in enumerate(alphas)}
    return {"expansion": {"orthotropic": given, "referenceTemperature": value(reference)}}


def warm(temperature: Any, region: str = "") -> dict[str, Any]:
    """A temperature in a region: a number, an expression, or a source such as {"fromStep": {...}}."""
    given = temperature
    if isinstance(temperature, str):
        given = {"value": {"expression": temperature}}
    elif not isinstance(temperature, dict):
        given = {"value": value(temperature)}
    return {"region": region, "temperature": given}


def table(**pairs: Any) -> dict[str, Any]:
    """A Quantity tabulated over temperature."""
    return {"overTemperature": pairs}


def heated(temperature: Any, held: tuple[str, ...], E: float = 2.1e5, nu: float = 0.3, **more: Any) -> dict[str, Any]:
    """An elastic body at a temperature, without normal displacement at some faces."""
    conditions = [{"region": r, "symmetry": {}} for r in held] + more.pop("conditions", [])
    loads = [warm(temperature), *more.pop("loads", [])]
    material = expansion() | more.pop("material", {})
    return elastic(E, nu, material=material, conditions=conditions, loads=loads, outputs=FIELDS, **more)
