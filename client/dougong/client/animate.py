"""Animations: the frames of a step one after the other, or one state that comes and goes, as a .gif file.

Pillow writes them; matplotlib, which pictures need, brings it along.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.client.client import Client
from dougong.client.frames import drawn_first, frames_of
from dougong.client.render import View, page, scene_of
from dougong.client.scene import Scene
from dougong.v1 import job_pb2, result_pb2

#: Pixels of the picture of the part.
_WIDTH, _HEIGHT = 820, 600
#: Pictures of one state that comes and goes, and the most of a history.
_PHASES, _MOST = 24, 60
#: Milliseconds for each picture of a state that comes and goes, of a history, and of a load case.
_SWINGING, _PASSING, _STANDING = 60, 150, 1200


def animate_step(
    client: Client,
    job: job_pb2.Job,
    result: result_pb2.Result,
    step: result_pb2.StepResult,
    skin: Mapping[str, Any],
    target: Path,
    title: str,
    frame: int | None = None,
    field: str = "",
) -> bool:
    """Write an animation of a step; False when it has nothing that can be drawn, or nothing moves.

    Times, increments and frequencies, and load cases, follow each other. One mode, or the only state of a step, or a
    frame that is asked for, swings or grows and shrinks.

    Parameters
    ----------
    client, job, result, step, skin, title, frame, field
        As of `dougong.client.render.scene_of`.
    target
        The .gif file.
    """
    frames = frames_of(step)
    modal = frames[0].HasField("mode")
    if frame is None and len(frames) > 1 and not modal:
        few = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _MOST)).round().astype(int)).tolist()
        found = [scene_of(client, job, result, step, skin, title, k, field) for k in few]
        scenes = [s for s in found if s is not None]
        case = frames[0].kind in (result_pb2.Frame.KIND_LOAD_CASE, result_pb2.Frame.KIND_UNSPECIFIED)
        pause = _STANDING if case else _PASSING
    else:
        number = drawn_first(step, "displacement") if frame is None and modal else frame
        one = scene_of(client, job, result, step, skin, title, number, field)
        scenes = swinging(one, modal) if one is not None and one.displacement.any() else []
        pause = _SWINGING
    if not scenes:
        return False
    view = View.of(scenes, _WIDTH, _HEIGHT)
    write_gif([page(scene, view, marked=pause == _STANDING) for scene in scenes], target, pause)
    return True


def swinging(scene: Scene, modal: bool) -> list[Scene]:
    """A mode swings to both sides, and its colours with its size; a loaded part is loaded and unloaded."""
    found = []
    for k in range(_PHASES):
        angle = 2 * math.pi * k / _PHASES
        part = math.sin(angle) if modal else (1 - math.cos(angle)) / 2
        # A magnitude has no sign, a component has.
        values = scene.values * (part if (scene.values < 0).any() else abs(part))
        found.append(replace(scene, displacement=scene.displacement * part, values=values))
    return found


def write_gif(pages: Sequence[NDArray[np.uint8]], target: Path, pause: int) -> None:
    """Write pages of one size as an animation that repeats, `pause` milliseconds each; all in the colours of one."""
    from PIL import Image

    pictures = [Image.fromarray(p) for p in pages]
    richest = max(pictures, key=lambda p: len(p.getcolors(1 << 24) or ()))
    palette = richest.quantize(256)
    flat = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    flat[0].save(target, save_all=True, append_images=flat[1:], duration=pause, loop=0, optimize=False)
