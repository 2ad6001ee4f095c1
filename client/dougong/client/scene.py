"""What there is to draw of a frame of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """What is to be drawn.

    Attributes
    ----------
    points
        shape (n, 3), length - the skin where it was.
    displacement
        shape (n, 3), length - how it moved.
    triangles
        shape (m, 3) - indices into `points`, outward normals.
    edges
        shape (k, 2) - indices into `points`, feature edges.
    values
        shape (n,) - the field that gives the colour, in its unit.
    label, unit, colours
        Of that field; `colours` is the name of a colour map.
    top
        Largest value of the field in the whole part.
    top_point, top_displacement
        shape (3,), length - where that is.
    title
        First line of the picture.
    flat
        Whether the part is plane: then it is looked at from above.
    modal
        Whether this is a mode: the size of its displacements has no meaning.
    """

    points: _Floats
    displacement: _Floats
    triangles: NDArray[Any]
    edges: NDArray[Any]
    values: _Floats
    label: str
    unit: str
    colours: str
    top: float
    top_point: _Floats
    top_displacement: _Floats
    title: str
    flat: bool
    modal: bool = False
