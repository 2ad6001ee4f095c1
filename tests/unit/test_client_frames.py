"""Frames of a result in the command: which are there, what files are called, what a picture shows."""

from pathlib import Path

import numpy as np
import pytest

from dougong.client import render
from dougong.client.cli.progress import ProgressDisplay
from dougong.client.cli.results import _part, frame_part
from dougong.client.cli.tables import balance_rows, combination_lines, sums_of
from dougong.client.frames import check_name, drawn_first, frames_of, names_in
from dougong.client.yaml_analysis import load
from dougong.messages import NotFound
from dougong.v1 import analysis_pb2 as a
from dougong.v1 import job_pb2, options_pb2, result_pb2
from fake_server import box_skin, field_info

CASES = a.Step(
    load_cases=[a.LoadCase(name="dead"), a.LoadCase()],
    combinations=[
        a.Combination(factors={"case-2": -1.0, "dead": 1.35}),
        a.Combination(name="dead alone", factors={"dead": 1.0}),
    ],
)


def step(name, *frames):
    return result_pb2.StepResult(name=name, frames=[result_pb2.Frame(name=f) for f in frames])


def test_names_are_those_the_solver_gives():
    names = names_in(a.Analysis(steps=[CASES, a.Step()]))
    assert names == ["dead", "case-2", "combination-1", "dead alone"]
    check_name("", a.Analysis())
    check_name("case-2", a.Analysis(steps=[CASES]))
    with pytest.raises(NotFound):
        check_name("case-1", a.Analysis(steps=[CASES]))
    with pytest.raises(NotFound):
        check_name("case-1", a.Analysis(steps=[a.Step()]))


@pytest.mark.parametrize("kind", ["modes", "buckling"])
def test_modes_may_be_asked_for_by_number(kind):
    """How many there will be is not known before."""
    analysis = a.Analysis(steps=[CASES, a.Step(**{kind: {}})])
    check_name("mode-12", analysis)
    check_name("dead", analysis)
    for name in ("mode-0", "mode-x", "mode-1 ", "other"):
        with pytest.raises(NotFound):
            check_name(name, analysis)
    with pytest.raises(NotFound):
        check_name("mode-1", a.Analysis(steps=[CASES]))


def test_the_first_mode_that_deforms_the_body_is_drawn():
    modes = step("s", "mode-1", "mode-2", "mode-3")
    for frame, rigid in zip(modes.frames, (True, True, False), strict=True):
        frame.mode.rigid = rigid
    assert drawn_first(modes, "displacement") == 2
    for frame in modes.frames:
        frame.mode.rigid = True
    assert drawn_first(modes, "displacement") == 0


def test_a_mode_shape_is_drawn_by_how_far_it_moves(tmp_path, monkeypatch):
    points, triangles, edges = box_skin()
    skin = {"points": points, "triangles": triangles, "edges": edges, "node_index": np.arange(len(points))}
    one = step("s", "mode-1", "mode-2")
    for frame, value in zip(one.frames, (0.0, 515.7643), strict=True):
        frame.kind, frame.value, frame.mode.rigid = result_pb2.Frame.KIND_MODE, value, not value
    fields = [field_info("displacement", ["x", "y", "z"], points, options_pb2.DIMENSION_LENGTH)]
    fields[0].step = "s"
    drawn, client = [], OneField(points)
    monkeypatch.setattr(render, "draw", lambda scene, target: drawn.append(scene))
    monkeypatch.setattr(client, "field", lambda job, name, *, step, frame: np.tile([3.0, 0.0, 4.0], (len(points), 1)))
    job = job_pb2.Job(job_id="j", analysis=a.Analysis())
    assert render.draw_step(client, job, result_pb2.Result(fields=fields), one, skin, tmp_path / "p.png", "t")
    assert drawn[0].title == "t, mode-2: 515.76 Hz"
    assert (drawn[0].values == 5.0).all()
    assert drawn[0].unit == ""


def test_the_frames_of_what_follows_another_step_are_not_known():
    """They may be times, or the load cases of another job."""
    given = a.Analysis(steps=[a.Step(load_cases=[a.LoadCase(name="wind")])])
    with pytest.raises(NotFound):
        check_name("t=5", given)
    load = a.Load(temperature=a.TemperatureField(from_job=a.FromJob(job_id="job-1"), all_frames=True))
    given.steps.add().loads.append(load)
    check_name("t=5", given)


def test_combinations_are_written_in_the_order_of_the_cases():
    names = names_in(a.Analysis(steps=[CASES]))
    assert combination_lines(CASES, names) == ["  combination-1  = 1.35 dead - case-2", "  dead alone     = dead"]
    heavy = a.Step()
    heavy.CopyFrom(CASES)
    heavy.loads.add()
    assert combination_lines(heavy, names)[1] == "  dead alone     = loads of the step + dead"


def test_a_step_of_an_older_server_is_its_own_frame():
    old = result_pb2.StepResult(
        solve=result_pb2.SolveRecord(iterations=7), reactions=[result_pb2.RegionSum(region="r")]
    )
    (only,) = frames_of(old)
    assert (only.solve.iterations, only.reactions[0].region, only.name) == (7, "r", "")


def test_files_are_called_after_step_and_frame():
    one, two = step("a", "x y", "X-y", "../z"), step("b", "w")
    for stem, steps, name in (
        ("result-2", [one, two], "b"),
        ("result-1-3", [one], "z"),
        ("result-1-1", [one, two], "a-x-y-1"),
        ("result-1-9", [one], "1-9"),
        ("result-9", [one], "9"),
        ("result-step-1", [one], "step-1"),
        ("other", [one], "other"),
    ):
        assert _part(stem, result_pb2.Result(steps=steps)) == name
    assert [frame_part(one, k) for k in range(3)] == ["x-y-1", "X-y-2", "z"]


def test_progress_tells_which_case_of_how_many(capsys):
    with ProgressDisplay() as display:
        for k, name in enumerate(("dead", "wind\x1b"), 1):
            display.progress(job_pb2.Progress(stage="solve", step="s", frame=k, frames=3, frame_name=name))
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("s  dead (1/3)")
    assert second.endswith("(2/3)")
    assert "\x1b" not in second


class OneField:
    """Gives a field that tells which frame was asked for."""

    def __init__(self, points):
        self.points, self.asked = points, []

    def field(self, job_id, name, *, step, frame):
        self.asked.append((name, frame))
        return np.linspace(0, 1, len(self.points)) if name == "von_mises" else np.zeros_like(self.points)


@pytest.mark.parametrize(("frame", "shown"), [(None, 1), (0, 0)])
def test_the_picture_shows_the_worst_frame_or_the_one_asked_for(tmp_path, monkeypatch, frame, shown):
    points, triangles, edges = box_skin()
    skin = {"points": points, "triangles": triangles, "edges": edges, "node_index": np.arange(len(points))}
    one = step("s", "light", "重")
    one.extremes.add(field="von_mises", max=1.0, max_frame=1)
    fields = [field_info("von_mises", [], points[:, 0], options_pb2.DIMENSION_PRESSURE)]
    fields[0].step = "s"
    drawn = []
    monkeypatch.setattr(render, "draw", lambda scene, target: drawn.append(scene))
    client = OneField(points)
    job = job_pb2.Job(job_id="j", analysis=a.Analysis())
    assert render.draw_step(client, job, result_pb2.Result(fields=fields), one, skin, tmp_path / "p.png", "t", frame)
    assert client.asked == [("von_mises", shown)]
    assert drawn[0].title in (("t, 重", "t, 2") if shown else ("t, light",))


def test_the_example_is_read_and_the_read_me_shows_its_cases():
    root = Path(__file__).parents[2]
    example = root / "examples/bracket/load_cases.yaml"
    assert names_in(load(example).analysis) == ["pull", "press", "side", "operation", "ultimate"]
    shown = example.read_text().partition("    load_cases:")[2]
    for name in ("README.md", "README.zh-CN.md"):
        assert shown in (root / name).read_text()


def test_springs_and_equations_have_rows_of_their_own():
    balance = result_pb2.Balance(load_sum=[1.0, 0.0], support_sum=[-4.0, 0.0], reaction_sum=[-3.0, 0.0])
    balance.link_sum[:] = [2.0, 0.0]
    rows = balance_rows(balance, sums_of("static"))
    assert [list(values) for _, values in rows] == [[5.0, 0.0], [-4.0, 0.0], [-3.0, 0.0], [2.0, 0.0]]
    assert sum(values[0] for _, values in rows) == 0.0
    coupled = result_pb2.Balance(load_sum=[5.0], reaction_sum=[-5.0], link_sum=[1e-9])
    assert [list(values) for _, values in balance_rows(coupled, sums_of("static"))] == [[5.0], [-5.0]]
