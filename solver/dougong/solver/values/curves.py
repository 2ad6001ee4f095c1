"""Constants that depend on temperature: piecewise linear, constant beyond their ends; their slopes and integrals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.v1 import analysis_pb2 as pb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A constant as a function of temperature.

    Attributes
    ----------
    at, value
        shape (n,): temperatures, ascending, and values there; one of each for what does not depend on it.
    """

    at: Array
    value: Array

    @property
    def constant(self) -> bool:
        """Whether it does not depend on the temperature."""
        return bool((self.value == self.value[0]).all())

    def __call__(self, T: Array) -> Array:
        """Its values at temperatures of any shape."""
        return np.interp(T, self.at, self.value)

    def slope(self, T: Array) -> Array:
        """Its derivative: at a kink that above it; zero beyond the ends."""
        slopes = np.concatenate([[0.0], np.diff(self.value) / np.diff(self.at), [0.0]])
        return np.asarray(slopes[np.searchsorted(self.at, T, side="right")])


def curve(quantity: pb.Quantity) -> Curve:
    """A quantity of a material, or of the heat that passes a surface, over temperature."""
    if quantity.HasField("over_temperature"):
        table = quantity.over_temperature
        return Curve(np.array(table.at), np.array(table.value))
    return Curve(np.zeros(1), np.array([quantity.value]))


class StoredHeat:
    """Heat of a unit of volume, e(T) = ∫ ρ c dT from some temperature on, and its derivative ρ c.

    Parameters
    ----------
    density, specific_heat
        Of the material.
    """

    def __init__(self, density: Curve, specific_heat: Curve) -> None:
        self._factors = (density, specific_heat)
        self.constant = density.constant and specific_heat.constant
        self._at = np.union1d(density.at, specific_heat.at)
        # The product is a parabola between two temperatures of the tables: Simpson's rule is exact.
        self._sums = np.concatenate([[0.0], np.cumsum(self._between(self._at[:-1], self._at[1:]))])

    def rate(self, T: Array) -> Array:
        """ρ c at temperatures of any shape."""
        density, specific_heat = self._factors
        return np.asarray(density(T) * specific_heat(T))

    def __call__(self, T: Array) -> Array:
        """The heat, at temperatures of any shape."""
        k = np.clip(np.searchsorted(self._at, T, side="right") - 1, 0, len(self._at) - 1)
        return np.asarray(self._sums[k] + self._between(self._at[k], T))

    def _between(self, a: Array, b: Array) -> Array:
        return np.asarray((b - a) / 6.0 * (self.rate(a) + 4.0 * self.rate((a + b) / 2.0) + self.rate(b)))
