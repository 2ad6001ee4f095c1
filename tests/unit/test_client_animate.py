"""Animations, curves and tables of probes: what is written, and that it shows what it says."""

import csv
import io

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

from dougong.client.animate import swinging, write_gif
from dougong.client.cli.summary_outputs import further_lines
from dougong.client.curves import draw_curves
from dougong.client.probe_table import as_csv, probe_table
from dougong.client.render import View, deformation_factor, page
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2, result_pb2
from unit.test_client_render import scene

UNITS = pb.UnitSystem(system=pb.UnitSystem.SYSTEM_MM_T_S)


def bent(**changes):
    points = scene().points
    displacement = np.zeros_like(points)
    displacement[:, 2] = 0.01 * points[:, 0] ** 2
    return scene(displacement=displacement, **changes)


def test_a_mode_swings_to_both_sides_and_a_load_to_one():
    first = bent()
    mode = [s.displacement[:, 2] for s in swinging(first, modal=True)]
    load = [s.displacement[:, 2] for s in swinging(first, modal=False)]
    assert min(z.min() for z in mode) == pytest.approx(-max(z.max() for z in mode))
    assert min(z.min() for z in load) >= 0.0
    # Half way it is fully loaded, with the colours of the result; at the beginning there is nothing.
    half = swinging(first, modal=False)[12]
    np.testing.assert_allclose(half.values, first.values)
    np.testing.assert_allclose(half.displacement, first.displacement)
    assert not swinging(first, modal=False)[0].values.any()
    signed = bent(values=first.values - 2.0)
    assert min(s.values.min() for s in swinging(signed, modal=True)) == pytest.approx(-2.0)


def test_all_pictures_of_an_animation_are_seen_in_one_way(tmp_path):
    scenes = swinging(bent(), modal=False)[::6]
    view = View.of(scenes, 200, 150)
    assert view.factor == min(f for s in scenes if (f := deformation_factor(s.points, s.displacement)))
    assert (view.low, view.high) == (0.0, 4.0)
    pages = [page(s, view, marked=False) for s in scenes]
    write_gif(pages, tmp_path / "a.gif", 100)
    with Image.open(tmp_path / "a.gif") as read:
        assert read.n_frames == len(scenes) == 4
        assert read.info["duration"] == 100
        assert read.info["loop"] == 0
        assert read.size == (pages[0].shape[1], pages[0].shape[0])
        read.seek(2)
        shown = np.asarray(read.convert("RGB")).astype(int)
    assert np.abs(shown - pages[2]).mean() < 4  # but for the palette
    assert (np.abs(shown - pages[0]).max(axis=2) > 60).mean() > 0.05


def test_a_mode_is_shown_in_one_size_whatever_its_scale():
    first = bent()
    for scale in (1e-6, 1.0, 1e6):
        moved = scale * first.displacement
        assert deformation_factor(first.points, moved, modal=True) * scale == pytest.approx(
            deformation_factor(first.points, first.displacement, modal=True)
        )


def history(kind=result_pb2.Frame.KIND_TIME, n=5):
    step = result_pb2.StepResult(name="warming")
    for k in range(n):
        frame = step.frames.add(name=f"t={k}", kind=kind)
        frame.value = float(k)
        for probe in ("tip", "middle, top"):
            frame.probes.add(
                probe=probe, field="temperature", values=[20.0 + k / 3], dimension=options_pb2.DIMENSION_TEMPERATURE
            )
            frame.probes.add(
                probe=probe,
                field="heat_flux",
                components=["x", "y"],
                values=[1.0 * k, -1.0 * k],
                dimension=options_pb2.DIMENSION_HEAT_FLUX,
            )
    for probe in ("tip", "middle, top"):
        step.probes.add(probe=probe, cell=7, point=[1.0, 2.0], distance=0.25)
    return step


def test_the_table_of_probes_has_a_row_a_frame_and_all_digits():
    rows = list(csv.reader(io.StringIO(as_csv(probe_table(history(), UNITS)))))
    assert rows[0][:4] == ["step", "frame", "value", "tip temperature [K]"]
    assert rows[0][-1] == "middle, top heat_flux.y [mW/mm²]"
    assert len(rows) == 6
    assert [float(r[2]) for r in rows[1:]] == [0, 1, 2, 3, 4]
    assert float(rows[2][3]) == 20.0 + 1 / 3
    assert probe_table(result_pb2.StepResult(name="s"), UNITS) == []


def test_curves_are_drawn_over_time_only(tmp_path):
    target = tmp_path / "c.png"
    assert draw_curves(history(), UNITS, target, "Erwärmung 升温")
    image = matplotlib.image.imread(target)[:, :, :3]
    assert image.shape[0] > 600  # two diagrams
    assert ((image.max(axis=2) - image.min(axis=2)) > 0.4).sum() > 500  # coloured lines
    for other in (history(n=2), history(kind=result_pb2.Frame.KIND_LOAD_CASE), result_pb2.StepResult(name="s")):
        assert not draw_curves(other, UNITS, tmp_path / "none.png", "x")
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("Estimated", "wanted", "moved by")), ("zh", ("误差", "建议", "已移至"))]
)
def test_the_summary_tells_of_error_probes_and_cuts(monkeypatch, language, words):
    monkeypatch.setenv("DOUGONG_LANG", language)
    step = history(n=20)
    error = step.frames[3].error
    error.relative_error, error.target, error.cells_for_target = 0.123, 0.05, 12345.4
    error.spots.add(cell=42, point=[1, 2], radius=1.0, share=0.6, size=2.0, wanted_size=0.5, regions=["fillet"])
    force = step.frames[0].section_forces.add(name="middle", region="m", sum=[0.0, 3.0], about=[1.0, 2.0])
    force.moment.append(1e-13)
    text = "\n".join(further_lines(step, step.frames, UNITS))
    for word in (*words, "12 %", "12,345", "fillet", "60 %", "middle", "..."):
        assert word in text
    assert "e-13" not in text  # rounding beside the force
    assert text.count("t=") == 2 * 12 + 3  # of 20 frames the first and the last; the error, the force and its moment
