"""What the sections of an MSH file give, whatever its version."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._gmsh_groups import Chunk


@dataclass
class Parts:
    """What has been read so far."""

    version: str = ""
    binary: bool = False
    order: str = "<"
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    entities: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    nodes: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
    chunks: list[Chunk] | None = None
    notices: list[tuple[str, dict[str, object]]] = field(default_factory=list)
