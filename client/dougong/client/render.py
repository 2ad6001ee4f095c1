"""Pictures of results: the deformed part, shaded and coloured by a field. Needs numpy and matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.client.client import Client
from dougong.client.frames import drawn_first, frames_of
from dougong.client.raster import Camera, Raster, corner_normals, draw_lines, is_closed, rasterise
from dougong.client.render_page import can_write, compose, palette
from dougong.client.scene import Scene
from dougong.client.units import unit_name
from dougong.messages import NotFound
from dougong.v1 import analysis_pb2, job_pb2, options_pb2, result_pb2

_Floats = NDArray[np.float64]

#: Pixels of the picture of the part, before and after supersampling.
_WIDTH, _HEIGHT, _SUPERSAMPLING = 1240, 900, 2

#: The largest displacement is shown as this part of the diagonal of the part.
_SHOWN_DEFORMATION = 0.05

#: Directions to look from: around z from x, above the horizon. The first is taken when it is as good as the others.
_VIEWS = ((-55, 28), (-35, 28), (35, 28), (55, 28), (125, 28), (145, 28), (215, 28), (235, 28), (-55, -25), (55, -25))

#: Colour by which field: field, dimension, label, colour map.
_COLOURS = (
    ("temperature", options_pb2.DIMENSION_TEMPERATURE, "CLI_PIC_TEMPERATURE", "inferno"),
    ("von_mises", options_pb2.DIMENSION_PRESSURE, "CLI_PIC_VON_MISES", "turbo"),
    ("electric_potential", options_pb2.DIMENSION_ELECTRIC_POTENTIAL, "CLI_PIC_POTENTIAL", "viridis"),
    ("head", options_pb2.DIMENSION_LENGTH, "CLI_PIC_HEAD", "viridis"),
)
#: Of mode shapes by how far they move; their scale has no meaning.
_MODE_COLOUR = ("displacement", options_pb2.DIMENSION_NONE, "CLI_PIC_MODE", "turbo")


def scene_of(
    client: Client,
    job: job_pb2.Job,
    result: result_pb2.Result,
    step: result_pb2.StepResult,
    skin: Mapping[str, Any],
    title: str,
    frame: int | None = None,
    field: str = "",
) -> Scene | None:
    """What there is to draw of a step.

    Parameters
    ----------
    client
        Fetches the fields.
    job, result, step
        What is drawn.
    skin
        From `Client.skin`.
    title
        First line of the picture; the name of a frame is added.
    frame
        Its frame; default: see `drawn_first`.
    field
        The field that gives the colour, or a component of it, such as "stress.xx"; default: what fits the step.

    Returns
    -------
    Scene | None
        None when the step has no field that can be drawn.

    Raises
    ------
    NotFound
        It has fields, but not the one that is asked for.
    """
    nodal = {
        info.name: info
        for info in result.fields
        if info.step == step.name and info.location in (analysis_pb2.LOCATION_NODE, analysis_pb2.LOCATION_UNSPECIFIED)
    }
    mode = frames_of(step)[0].HasField("mode")
    chosen = _asked(field, nodal) if field else None
    if chosen is None and not field:
        chosen = next((c for c in (*_COLOURS, *[_MODE_COLOUR] * mode) if c[0] in nodal), None)
    if chosen is None or not len(skin["triangles"]):
        return None
    _, _, component = field.partition(".")
    field, dimension, label, colours = chosen
    index = skin["node_index"]
    if frame is None:
        frame = drawn_first(step, field)
    shown = frames_of(step)[frame]
    if shown.name:
        title = f"{title}, {shown.name if can_write(shown.name) else frame + 1}"
    if mode:
        value = f"{shown.value:.5g}"
        if shown.kind == result_pb2.Frame.KIND_MODE:
            value = f"{value} {unit_name(options_pb2.DIMENSION_FREQUENCY, job.analysis.units)}"
        title = f"{title}: {value}"
    values = np.asarray(client.field(job.job_id, field, step=step.name, frame=frame), dtype=float)
    names = list(nodal[field].components)
    if component:
        values = values[:, names.index(component)]
    else:
        values = np.linalg.norm(values, axis=1) if names in (["x", "y"], ["x", "y", "z"]) else values.reshape(-1)
    points = _three(skin["points"])
    displacement = np.zeros_like(points)
    if "displacement" in nodal:
        whole = client.field(job.job_id, "displacement", step=step.name, frame=frame)
        displacement = _three(np.asarray(whole)[index])
    unit = unit_name(dimension, job.analysis.units)
    top = int(np.nanargmax(values))
    # The largest value may be inside the part; it is marked where it would be seen through the surface.
    where = int(np.searchsorted(index, top))
    on_skin = where < len(index) and index[where] == top
    told = f"{field}_magnitude" if names and not component else field
    extreme = next((e for e in shown.extremes if e.field == told and e.component == component), None)
    if on_skin or extreme is None:
        where = where if on_skin else int(np.argmax(values[index]))
        top_point, top_displacement = points[where], displacement[where]
    else:
        top_point, top_displacement = _three(np.array([extreme.max_point]))[0], np.zeros(3)
    return Scene(
        points=points,
        displacement=displacement,
        triangles=np.asarray(skin["triangles"]),
        edges=np.asarray(skin["edges"]),
        values=values[index],
        label=label,
        unit=unit,
        colours=colours,
        top=float(values[top]),
        top_point=top_point,
        top_displacement=top_displacement,
        title=title,
        flat=skin["points"].shape[1] == 2 or float(np.ptp(points[:, 2])) == 0.0,
        modal=mode,
    )


def _asked(field: str, nodal: Mapping[str, result_pb2.FieldInfo]) -> tuple[str, options_pb2.Dimension, str, str]:
    """Field, dimension, label and colours of a field that is asked for by name.

    Raises
    ------
    NotFound
        There is no such field, or it takes a component to give one number.
    """
    name, _, component = field.partition(".")
    info = nodal.get(name)
    vector = info is not None and list(info.components) in (["x", "y"], ["x", "y", "z"])
    if info is None or (component not in info.components if component else info.components and not vector):
        known = [n if not i.components else f"{n}.{i.components[0]}" for n, i in sorted(nodal.items())]
        raise NotFound("CLI_PICTURE_FIELD_UNKNOWN", field=field[:100], known=", ".join(known) or "-")
    usual = {c[0]: c for c in _COLOURS}
    if name in usual:
        return usual[name]
    return name, info.dimension, name if not component else f"{name} {component}", "turbo"


def draw_step(
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
    """Draw the result of a step into a .png file; False when it has nothing that can be drawn. See `scene_of`."""
    scene = scene_of(client, job, result, step, skin, title, frame, field)
    if scene is not None:
        draw(scene, target)
    return scene is not None


@dataclass(frozen=True)
class View:
    """From where and how scenes are shown; those of an animation all in one way.

    Attributes
    ----------
    camera
        From where.
    factor
        By how much the deformation is magnified.
    low, high, capped
        Ends of the colour scale, and whether values above it are cut off.
    """

    camera: Camera
    factor: float
    low: float
    high: float
    capped: bool

    @classmethod
    def of(cls, scenes: Sequence[Scene], width: int = _WIDTH, height: int = _HEIGHT) -> View:
        """The view of scenes of one part."""
        first = scenes[0]
        factors = [deformation_factor(s.points, s.displacement, modal=s.modal) for s in scenes]
        factor = min((f for f in factors if f), default=0.0)
        moved = [s.points + factor * s.displacement for s in scenes]
        main = max(range(len(scenes)), key=lambda k: scenes[k].top)
        angles = (-90.0, 90.0) if first.flat else _best_view(scenes[main], moved[main])
        size = width * _SUPERSAMPLING, height * _SUPERSAMPLING
        camera = Camera.fit(np.concatenate([first.points, *moved]), *angles, *size)
        every = np.concatenate([s.values for s in scenes]) if len(scenes) > 1 else first.values
        return cls(camera, factor, *colour_range(every, max(s.top for s in scenes)))


def draw(scene: Scene, target: Path) -> None:
    """Draw a scene into a .png file."""
    page(scene, View.of([scene]), target=target)


def page(scene: Scene, view: View, *, marked: bool = True, target: Path | None = None) -> NDArray[np.uint8]:
    """The page with the picture of a scene, shape (height, width, 3); into a .png file where there is a target."""
    moved = scene.points + view.factor * scene.displacement
    image = _paint(scene, moved, view.factor > 0, view.camera, view.low, view.high)
    marker = None
    if marked:
        top = scene.top_point + view.factor * scene.top_displacement
        marker = view.camera.project(top[None])[0, :2] / _SUPERSAMPLING
    return compose(scene, image, view.camera, view.factor, (view.low, view.high, view.capped), marker, target)


def deformation_factor(points: _Floats, displacement: _Floats, *, modal: bool = False) -> float:
    """By how much the deformation is magnified: 1, 2 or 5 times a power of ten; 0 when nothing moved.

    That of a mode, which has no scale of its own, is shown in one size, magnified or not.
    """
    largest = float(np.linalg.norm(displacement, axis=1).max(initial=0.0))
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    if largest <= 1e-12 * diagonal:
        return 0.0
    wanted = _SHOWN_DEFORMATION * diagonal / largest
    if modal:
        return 2 * wanted
    if wanted <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(wanted))
    return max(m * power for m in (1, 2, 5) if m * power <= wanted * (1 + 1e-9))


def colour_range(values: _Floats, top: float) -> tuple[float, float, bool]:
    """Ends of the colour scale, and whether values above its end are cut off.

    A peak at a sharp corner would leave the rest of the part in one colour: then the scale ends at the value that
    half a percent of the surface exceeds.
    """
    low, high = float(np.nanmin(values)), max(top, float(np.nanmax(values)))
    usual = float(np.nanquantile(values, 0.995))
    if high > low and usual - low < 0.6 * (high - low) and usual > low:
        return low, usual, True
    if high - low <= 1e-12 * max(abs(high), abs(low), 1e-300):
        return low - 0.5 * max(abs(low), 1.0), high + 0.5 * max(abs(high), 1.0), False
    return low, high, False


def _three(points: Any) -> _Floats:
    """Coordinates with a third, zero, where there are two."""
    full = np.asarray(points, dtype=float)
    if full.shape[1] == 2:
        full = np.column_stack([full, np.zeros(len(full))])
    return full


def _best_view(scene: Scene, moved: _Floats) -> tuple[float, float]:
    """The direction that shows most of the surface, and the place of the largest value."""
    near = np.linalg.norm(scene.points - scene.top_point, axis=1).argmin()
    around = (np.asarray(scene.triangles) == near).any(axis=1)
    area = _areas(moved, scene.triangles)
    closed = is_closed(moved, scene.triangles)
    best, best_score = _VIEWS[0], -1.0
    for view in _VIEWS:
        camera = Camera.fit(moved, *view, 220, 160)
        owner = rasterise(camera.project(moved), scene.triangles, 220, 160, closed=closed).triangle
        seen = np.unique(owner[owner >= 0])
        score = float(area[seen].sum() / area.sum())
        score *= 1.35 if around[seen].any() else 1.0
        score *= 0.85 if view[1] < 0 else 1.0  # people look down on things
        if score > best_score * 1.02:
            best, best_score = view, score
    return best


def _areas(points: _Floats, triangles: NDArray[Any]) -> _Floats:
    x = points[triangles]
    doubled: _Floats = np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1)
    return doubled / 2


def _paint(scene: Scene, moved: _Floats, outline: bool, camera: Camera, low: float, high: float) -> NDArray[np.float32]:
    """The picture of the part, shape (height, width, 3), colours from 0 to 1, already scaled down."""
    pixels = camera.project(moved)
    closed = is_closed(moved, scene.triangles)
    raster = rasterise(pixels, scene.triangles, camera.width, camera.height, closed=closed)
    covered = raster.triangle >= 0
    image = np.ones((camera.height, camera.width, 3), dtype=np.float32)
    triangle, weights = raster.triangle[covered], raster.weights[covered]
    value = (scene.values[scene.triangles[triangle]] * weights).sum(axis=1)
    shades = palette(scene.colours)
    place = np.clip((value - low) / (high - low) * 1023, 0, 1023)
    colour = shades[np.nan_to_num(place).astype(int)]
    if not scene.flat:
        colour = _shade(colour, _normals(moved, scene.triangles, triangle, weights, camera))
    image[covered] = colour
    line = 0.5 * _SUPERSAMPLING
    slack = 0.004 * max(camera.width, camera.height)
    if outline:
        ghost = draw_lines(camera.project(scene.points), scene.edges, raster.depth, line, 0.0)
        image[ghost & ~covered] = 0.5
        image[ghost & covered] = image[ghost & covered] * 0.75 + 0.25 * 0.5
    drawn = draw_lines(pixels, scene.edges, raster.depth, line, slack)
    image[drawn] = image[drawn] * 0.2 + np.float32(0.05)
    rim = _silhouette(raster)
    image[rim] = image[rim] * 0.25
    s = _SUPERSAMPLING
    small: NDArray[np.float32] = image.reshape(camera.height // s, s, camera.width // s, s, 3).mean(axis=(1, 3))
    return small


def _normals(
    moved: _Floats, triangles: NDArray[Any], triangle: NDArray[Any], weights: NDArray[Any], camera: Camera
) -> NDArray[np.float32]:
    """Unit normals of pixels in the axes of the camera, towards the viewer."""
    corners = (corner_normals(moved, triangles) @ camera.axes.T).astype(np.float32)
    normal = np.zeros((len(triangle), 3), dtype=np.float32)
    for k in range(3):
        normal += corners[triangle, k] * weights[:, k, None]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    normal[normal[:, 2] < 0] *= -1
    return normal


def _shade(colour: NDArray[np.float32], normal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light from above left, a weaker one from the right, and a soft highlight; colours stay readable everywhere."""
    key = np.array([-0.45, 0.65, 0.62]) / np.linalg.norm([-0.45, 0.65, 0.62])
    fill = np.array([0.75, -0.1, 0.65]) / np.linalg.norm([0.75, -0.1, 0.65])
    light = 0.60 + 0.40 * np.clip(normal @ key, 0, 1) + 0.16 * np.clip(normal @ fill, 0, 1)
    half = key + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    shine = 0.14 * np.clip(normal @ half, 0, 1) ** 40
    lit = colour * light[:, None].astype(np.float32) + shine[:, None].astype(np.float32)
    return np.clip(lit, 0, 1)


def _silhouette(raster: Raster) -> NDArray[np.bool_]:
    """Pixels at the rim of the part, and where a near part passes before a far one."""
    depth = np.where(np.isfinite(raster.depth), raster.depth, np.float32(1e9))
    jump = np.float32(0.02 * max(depth.shape))
    rim = np.zeros(depth.shape, dtype=bool)
    for axis in (0, 1):
        step = np.diff(depth, axis=axis)
        near, far = (step > jump), (step < -jump)
        if axis == 0:
            rim[:-1][near] = True
            rim[1:][far] = True
        else:
            rim[:, :-1][near] = True
            rim[:, 1:][far] = True
    return rim
