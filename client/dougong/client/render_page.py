"""What stands around the picture of a part: title, colour bar, axes, the mark of the largest value; and its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.client.raster import Camera
from dougong.client.scene import Scene
from dougong.messages import render as sentence
from dougong.messages import user_language

_Floats = NDArray[np.float64]

_DPI = 150

#: The first character of the Chinese blocks of Unicode.
_CHINESE = 0x2E80


def palette(name: str) -> NDArray[np.float32]:
    """Colours of a map, shape (1024, 3); without its nearly black ends, which shading would make black."""
    from matplotlib import colormaps

    low, high = {"turbo": (0.09, 0.95), "inferno": (0.12, 0.97)}.get(name, (0.0, 1.0))
    return np.asarray(colormaps[name](np.linspace(low, high, 1024)))[:, :3].astype(np.float32)


def compose(
    scene: Scene,
    image: NDArray[np.float32],
    camera: Camera,
    factor: float,
    scale: tuple[float, float, bool],
    marker: _Floats | None,
    target: Path | None = None,
) -> NDArray[np.uint8]:
    """Put title, colour bar, axes and the mark of the largest value around the picture.

    Parameters
    ----------
    scene, image, camera, factor
        What is shown, its picture, from where, and by how much the deformation is magnified.
    scale
        Ends of the colour bar, and whether values above it are cut off.
    marker
        shape (2,), pixels: where the largest value is; None: it is not marked.
    target
        The .png file; None: none is written.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        The page; empty where a file was written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure

    text = Texts()
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
    mappable = ScalarMappable(Normalize(low, high), ListedColormap(palette(scene.colours)))
    bar = figure.colorbar(mappable, cax=bar_axes, extend="max" if capped else "neither")
    bar.ax.tick_params(labelsize=8, length=3)
    bar.outline.set_linewidth(0.6)
    label = text.say(scene.label)
    heading = f"{label}\n[{scene.unit}]" if scene.unit else label
    figure.text((width + 56) / whole_w, 0.81, heading, fontsize=9.5, va="bottom", **text.font)
    figure.text(0.022, 1 - 30 / whole_h, text.plain(scene.title), fontsize=13, va="top", weight="bold", **text.font)
    figure.text(
        0.022,
        1 - 66 / whole_h,
        _subtitle(text, 0.0 if scene.modal else factor),
        fontsize=9,
        va="top",
        color="0.35",
        **text.font,
    )
    if marker is not None:
        _mark(axes, scene, marker, width, height)
    _triad(axes, camera, height, flat=scene.flat)
    if target is not None:
        canvas.print_figure(str(target), dpi=_DPI)
        return np.empty((0, 0, 3), dtype=np.uint8)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _mark(axes: Any, scene: Scene, marker: _Floats, width: int, height: int) -> None:
    """A ring around the largest value, and what it is."""
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


def _subtitle(text: Texts, factor: float) -> str:
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


class Texts:
    """Words of the picture in a language there is a font for."""

    def __init__(self) -> None:
        family = _chinese_font()
        self._language = user_language() if family else "en"
        self._latin_only = family is None
        self.font: dict[str, Any] = {"fontfamily": [family, "DejaVu Sans"] if family else ["DejaVu Sans"]}

    def say(self, reason: str, /, **params: object) -> str:
        """A phrase of the catalogue; the name of a field stays as it is."""
        if not reason.startswith("CLI_"):
            return reason
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
