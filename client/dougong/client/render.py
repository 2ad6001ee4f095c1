"""Pictures of results: the deformed part, shaded and coloured by a field. Needs numpy and matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.client.client import Client
from dougong.client.frames import drawn_first, frames_of
from dougong.client.raster import Camera, Raster, corner_normals, draw_lines, is_closed, rasterise
from dougong.client.units import unit_name
from dougong.messages import render as sentence
from dougong.messages import user_language
from dougong.v1 import analysis_pb2, job_pb2, options_pb2, result_pb2

_Floats = NDArray[np.float64]

#: Pixels of the picture of the part, before and after supersampling.
_WIDTH, _HEIGHT, _SUPERSAMPLING = 1240, 900, 2
_DPI = 150

#: The largest displacement is shown as this part of the diagonal of the part.
_SHOWN_DEFORMATION = 0.05

#: The first character of the Chinese blocks of Unicode.
_CHINESE = 0x2E80

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


def draw_step(
    client: Client,
    job: job_pb2.Job,
    result: result_pb2.Result,
    step: result_pb2.StepResult,
    skin: Mapping[str, Any],
    target: Path,
    title: str,
    frame: int | None = None,
) -> bool:
    """Draw the result of a step.

    Parameters
    ----------
    client
        Fetches the fields.
    job, result, step
        What is drawn.
    skin
        From `Client.skin`.
    target
        The .png file.
    title
        First line of the picture; the name of a frame is added.
    frame
        Its frame; default: see `drawn_first`.

    Returns
    -------
    bool
        False when the step has no field that can be drawn.
    """
    nodal = {
        info.name: info
        for info in result.fields
        if info.step == step.name and info.location in (analysis_pb2.LOCATION_NODE, analysis_pb2.LOCATION_UNSPECIFIED)
    }
    mode = frames_of(step)[0].HasField("mode")
    chosen = next((c for c in (*_COLOURS, *[_MODE_COLOUR] * mode) if c[0] in nodal), None)
    if chosen is None or not len(skin["triangles"]):
        return False
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
    values = np.linalg.norm(values, axis=1) if field == "displacement" else values.reshape(-1)
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
    told = "displacement_magnitude" if field == "displacement" else field
    extreme = next((e for e in shown.extremes if e.field == told and not e.component), None)
    if on_skin or extreme is None:
        where = where if on_skin else int(np.argmax(values[index]))
        top_point, top_displacement = points[where], displacement[where]
    else:
        top_point, top_displacement = _three(np.array([extreme.max_point]))[0], np.zeros(3)
    scene = Scene(
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
    )
    draw(scene, target)
    return True


def draw(scene: Scene, target: Path) -> None:
    """Draw a scene into a .png file."""
    factor = deformation_factor(scene.points, scene.displacement)
    moved = scene.points + factor * scene.displacement
    both = np.concatenate([scene.points, moved])
    view = (-90.0, 90.0) if scene.flat else _best_view(scene, moved)
    camera = Camera.fit(both, *view, _WIDTH * _SUPERSAMPLING, _HEIGHT * _SUPERSAMPLING)
    low, high, capped = colour_range(scene.values, scene.top)
    image = _paint(scene, moved, factor > 0, camera, low, high)
    marker = camera.project((scene.top_point + factor * scene.top_displacement)[None])[0, :2] / _SUPERSAMPLING
    _compose(scene, image, camera, factor, (low, high, capped), marker, target)


def deformation_factor(points: _Floats, displacement: _Floats) -> float:
    """By how much the deformation is magnified: 1, 2 or 5 times a power of ten; 0 when nothing moved."""
    largest = float(np.linalg.norm(displacement, axis=1).max(initial=0.0))
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    if largest <= 1e-12 * diagonal:
        return 0.0
    wanted = _SHOWN_DEFORMATION * diagonal / largest
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
    palette = _palette(scene.colours)
    place = np.clip((value - low) / (high - low) * 1023, 0, 1023)
    colour = palette[np.nan_to_num(place).astype(int)]
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


def _palette(name: str) -> NDArray[np.float32]:
    """Colours of a map, shape (1024, 3); without its nearly black ends, which shading would make black."""
    from matplotlib import colormaps

    low, high = {"turbo": (0.09, 0.95), "inferno": (0.12, 0.97)}.get(name, (0.0, 1.0))
    return np.asarray(colormaps[name](np.linspace(low, high, 1024)))[:, :3].astype(np.float32)


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


def _compose(
    scene: Scene,
    image: NDArray[np.float32],
    camera: Camera,
    factor: float,
    scale: tuple[float, float, bool],
    marker: _Floats,
    target: Path,
) -> None:
    """Put title, colour bar, axes and the mark of the largest value around the picture, and write the file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure

    text = _Texts()
    height, width = image.shape[:2]
    figure = Figure(figsize=((width + 260) / _DPI, (height + 110) / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    whole_w, whole_h = width + 260, height + 110
    axes = figure.add_axes((0, 0, width / whole_w, height / whole_h))
    axes.imshow(image, interpolation="none", aspect="auto", extent=(0, width, height, 0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    low, high, capped = scale
    bar_axes = figure.add_axes(((width + 60) / whole_w, 0.14, 26 / whole_w, 0.62))
    mappable = ScalarMappable(Normalize(low, high), ListedColormap(_palette(scene.colours)))
    bar = figure.colorbar(mappable, cax=bar_axes, extend="max" if capped else "neither")
    bar.ax.tick_params(labelsize=8, length=3)
    bar.outline.set_linewidth(0.6)
    label = text.say(scene.label)
    heading = f"{label}\n[{scene.unit}]" if scene.unit else label
    figure.text((width + 56) / whole_w, 0.81, heading, fontsize=9.5, va="bottom", **text.font)
    figure.text(0.022, 1 - 30 / whole_h, text.plain(scene.title), fontsize=13, va="top", weight="bold", **text.font)
    figure.text(0.022, 1 - 66 / whole_h, _subtitle(text, factor), fontsize=9, va="top", color="0.35", **text.font)
    x, y = float(marker[0]), float(marker[1])
    left = x > 0.82 * width
    down = y < 0.15 * height
    axes.annotate(
        f"max {scene.top:.4g} {scene.unit}".strip(),
        xy=(x, y),
        xytext=(-46 if left else 46, -34 if down else 34),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=8.5,
        bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "0.3", "linewidth": 0.7, "alpha": 0.92},
        arrowprops={"arrowstyle": "-", "color": "0.15", "linewidth": 0.9, "shrinkB": 4},
    )
    axes.plot([x], [y], "o", markersize=6, markerfacecolor="none", markeredgecolor="white", markeredgewidth=2.4)
    axes.plot([x], [y], "o", markersize=6, markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.1)
    _triad(axes, camera, height, flat=scene.flat)
    canvas.print_figure(str(target), dpi=_DPI)


def _subtitle(text: _Texts, factor: float) -> str:
    if factor == 0:
        return ""
    if factor == 1:
        return text.say("CLI_PIC_TRUE_SCALE")
    return text.say("CLI_PIC_DEFORMED", factor=f"{factor:,.0f}")


def _triad(axes: Any, camera: Camera, height: int, *, flat: bool) -> None:
    """The directions of x, y and z in the lower left corner."""
    origin, length = np.array([74.0, height - 74.0]), 44.0
    colours = ("#c8102e", "#1a7f37", "#1f4fbf")
    order = np.argsort(camera.axes[2])  # those that point away first
    for k in order:
        if flat and k == 2:
            continue
        tip = origin + length * np.array([camera.axes[0, k], -camera.axes[1, k]])
        axes.annotate(
            "",
            xy=tip,
            xytext=origin,
            arrowprops={"arrowstyle": "-|>", "color": colours[k], "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0},
        )
        beyond = origin + (length + 13) * np.array([camera.axes[0, k], -camera.axes[1, k]])
        axes.text(*beyond, "xyz"[k], color=colours[k], fontsize=9, ha="center", va="center", weight="bold")


class _Texts:
    """Words of the picture in a language there is a font for."""

    def __init__(self) -> None:
        family = _chinese_font()
        self._language = user_language() if family else "en"
        self._latin_only = family is None
        self.font: dict[str, Any] = {"fontfamily": [family, "DejaVu Sans"] if family else ["DejaVu Sans"]}

    def say(self, reason: str, /, **params: object) -> str:
        """A phrase of the catalogue."""
        return sentence(reason, params, self._language)

    def plain(self, text: str) -> str:
        """A text of the user without signs that no font here has, and without markup."""
        text = text.replace("$", r"\$")
        return "".join(c if ord(c) < _CHINESE else "?" for c in text) if self._latin_only else text


def can_write(text: str) -> bool:
    """Whether there is a font for a text."""
    return all(ord(c) < _CHINESE for c in text) or _chinese_font() is not None


def _chinese_font() -> str | None:
    from matplotlib import font_manager

    known = (
        "Noto Sans CJK SC",
        "Source Han Sans SC",
        "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei",
        "SimHei",
        "AR PL UMing CN",
    )
    there = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in known if name in there), None)
