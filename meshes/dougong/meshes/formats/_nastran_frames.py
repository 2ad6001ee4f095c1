"""Coordinate systems of bulk data (CORD1R/C/S, CORD2R/C/S) and points given in them.

Source: MSC/NX Nastran Quick Reference Guide, entries CORD1x and CORD2x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._nastran_cards import Cards
from dougong.meshes.formats._nastran_numbers import parse_integer, parse_real
from dougong.meshes.formats._textfile import shorten
from dougong.meshes.formats.base import ReadError

_MAX_DEPTH = 100


@dataclass(frozen=True)
class _Definition:
    kind: str
    entry: int
    parent: int = 0
    points: NDArray[np.float64] | None = None
    grids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Frame:
    """A coordinate system: R, C or S, origin (3,) and axes as columns (3, 3), both in the basic system."""

    kind: str
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]

    def to_basic(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert points, shape (n, 3), to the basic system. Angles are in degrees."""
        a, b, c = points.T
        if self.kind == "C":
            local = np.column_stack([a * np.cos(np.deg2rad(b)), a * np.sin(np.deg2rad(b)), c])
        elif self.kind == "S":
            polar, azimuth = np.deg2rad(b), np.deg2rad(c)
            local = np.column_stack(
                [a * np.sin(polar) * np.cos(azimuth), a * np.sin(polar) * np.sin(azimuth), a * np.cos(polar)]
            )
        else:
            local = points
        return local @ self.axes.T + self.origin


class Frames:
    """All coordinate systems of a deck.

    Parameters
    ----------
    cards
        The deck.
    grid
        Gives the coordinate system and the coordinates of a grid point, or None if there is none of this number.
    """

    def __init__(self, cards: Cards, grid: Callable[[int], tuple[int, NDArray[np.float64]] | None]) -> None:
        self._cards = cards
        self._grid = grid
        self._definitions: dict[int, _Definition] = {}
        self._frames = {0: Frame("R", np.zeros(3), np.eye(3))}
        for name in ("CORD1R", "CORD1C", "CORD1S", "CORD2R", "CORD2C", "CORD2S"):
            for entry in cards.of(name):
                self._define(name, int(entry))

    def _define(self, name: str, entry: int) -> None:
        fields = self._cards.fields(entry, 11 if name[4] == "2" else 8)
        try:
            if name[4] == "2":
                points = np.array([parse_real(f) for f in fields[2:11]]).reshape(3, 3)
                number = parse_integer(fields[0])
                self._definitions[number] = _Definition(name[5], entry, parse_integer(fields[1]), points)
                return
            for k in (0, 4):
                numbers = [parse_integer(f) for f in fields[k : k + 4]]
                if numbers[0]:
                    self._definitions[numbers[0]] = _Definition(name[5], entry, grids=tuple(numbers[1:]))
        except ValueError:
            raise self._wrong(entry) from None

    def _wrong(self, entry: int) -> ReadError:
        shown = " ".join(self._cards.fields(entry, 8)[:2])
        return ReadError("MESH_FRAME", line=self._cards.line_number(entry), frame=shorten(shown))

    def frame(self, number: int, entry: int, depth: int = 0) -> Frame:
        """Resolve a coordinate system.

        Parameters
        ----------
        number
            0 is the basic system.
        entry
            The entry that uses it, for messages.
        depth
            How many systems have been gone through.

        Raises
        ------
        ReadError
            It is not defined, its points are on a line, or it is defined through itself.
        """
        if number in self._frames:
            return self._frames[number]
        if number not in self._definitions or depth > _MAX_DEPTH:
            raise ReadError("MESH_FRAME_UNKNOWN", line=self._cards.line_number(entry), frame=number)
        d = self._definitions[number]
        if d.points is not None:
            a, b, c = self.frame(d.parent, d.entry, depth + 1).to_basic(d.points)
        else:
            a, b, c = (self._grid_point(g, d.entry, depth + 1) for g in d.grids)
        z, x = b - a, c - a
        y = np.cross(z, x)
        lengths = np.linalg.norm([x, y, z], axis=1)
        if not (np.isfinite(lengths).all() and lengths.min() > 1e-12 * lengths.max()):
            raise self._wrong(d.entry)
        z, y = z / lengths[2], y / lengths[1]
        self._frames[number] = Frame(d.kind, a, np.column_stack([np.cross(y, z), y, z]))
        return self._frames[number]

    def _grid_point(self, number: int, entry: int, depth: int) -> NDArray[np.float64]:
        found = self._grid(number)
        if found is None:
            raise self._wrong(entry)
        return self.frame(found[0], entry, depth).to_basic(found[1][None, :])[0]
