"""What the benchmarks judge by: growth, budget, fit, and meshes that are whole."""

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_growth_is_seen_and_noise_is_not(load):
    watching = load("watching")
    chance = np.random.default_rng(1)

    def samples(growth_mb_per_minute, files=lambda k: 20):
        memory = 50e6 + chance.normal(0.0, 1e5, 200) + growth_mb_per_minute * 1e6 * np.arange(200) / 60.0
        return [watching.Sample(float(k), 1, int(m), files(k), 4) for k, m in enumerate(memory)]

    flat, grows = watching.Group.of(samples(0.0), 50.0), watching.Group.of(samples(3.0), 50.0)
    assert abs(flat.growth_mb_per_minute) < 0.2
    assert grows.growth_mb_per_minute == pytest.approx(3.0, abs=0.2)
    assert flat.files_grow == 0
    assert watching.Group.of(samples(0.0, lambda k: 20 + k % 5), 0.0).files_grow == 0
    assert watching.Group.of(samples(0.0, lambda k: 20 + k // 10), 0.0).files_grow > 0


def test_a_run_of_load_is_judged(load):
    judge, watching = load("load"), load("watching")

    def found(wrong=(), rate=12.0, seconds=120.0, leak=0):
        steady = [watching.Sample(float(k), 1, 10**7 + leak * k, 9, 3) for k in range(int(seconds))]
        said = [{"took": [0.2] * int(rate * seconds), "wrong": list(wrong)}]
        return judge.summary(said, dict.fromkeys(("server", "workers", "clients"), steady), seconds)

    assert found()["ok"]
    assert not found(wrong=["job-1"])["ok"]
    assert not found(rate=9.0)["ok"]
    assert not found(leak=50_000)["ok"]
    assert found(leak=50_000, seconds=60.0)["ok"]
    json.dumps(found())


def test_the_budget_leaves_out_what_does_not_fit(load, tmp_path, monkeypatch):
    budget = load("budget")
    now = [0.0]
    monkeypatch.setattr(budget, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    first = budget.Budget(100.0, tmp_path / "seconds.json")
    first.note("a", 60.0)
    first.note("b", 40.0)
    plan = budget.Budget(200.0, tmp_path / "seconds.json")
    plan.plan(["a", "b", "c"])
    assert plan.begin("a") == "[0:00 of about 1:55] a"
    assert plan.allows(144.0)
    assert not plan.allows(146.0)
    now[0] = 120.0
    plan.end("a", 120.0)
    # Half as fast as the last time: what is ahead takes longer too.
    assert plan.begin("b") == "[2:00 of about 3:50] b"
    assert plan.allows(49.0)
    assert not plan.allows(51.0)
    assert plan.allows(0.0)
    assert plan.needs("slow program", 10.0) == 20.0
    now[0] = 201.0
    assert not plan.allows(0.0)


def test_the_fit_finds_the_coefficients_and_the_factor(load):
    fit = load("fit")
    rows = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 9.0], [7.0, 2.0]])
    exact, factor = fit.fit(rows, rows @ [0.3, 2.0])
    assert exact == pytest.approx([0.3, 2.0], rel=0.01)
    assert factor < 1.01
    same = np.ones((2, 1))
    # Of one thing that is once 1 and once 4 the best guess is 2, wrong by a factor of 2.
    guess, factor = fit.fit(same, np.array([1.0, 4.0]))
    assert guess == pytest.approx([2.0], rel=0.01)
    assert factor == pytest.approx(2.0, rel=0.01)


def _volumes(points, cells):
    return np.linalg.det(points[cells[:, 1:4]] - points[cells[:, :1]]) / 6.0


@pytest.mark.parametrize("wanted", [300, 700, 2000])
def test_a_finer_mesh_is_conforming_and_fills_the_same_body(load, wanted):
    shapes = load("shapes")
    points, cells = shapes.finer(*shapes.six_in_each(*shapes.beam(1)), wanted)
    nodes = len(shapes.quadratic(points, cells)[0])
    assert wanted <= nodes <= 1.3 * wanted
    volume = _volumes(points, cells)
    assert volume.min() > 0
    assert volume.sum() == pytest.approx(4.0)
    # A hanging node would leave faces alone inside: those that one cell has are the surface.
    faces, n = np.unique(
        np.sort(cells[:, [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]].reshape(-1, 3), axis=1),
        axis=0,
        return_counts=True,
    )
    a, b, c = np.moveaxis(points[faces[n == 1]], 1, 0)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2 == pytest.approx(18.0)


def test_the_frame_of_our_own_is_thin_and_in_one_piece(load):
    shapes = load("shapes")
    points, cells = shapes.six_in_each(*shapes.tubes(20.0))
    assert _volumes(points, cells).min() > 0
    assert len(shapes._standing(points, cells, 2)[1]) == len(cells)
    box = np.prod(np.ptp(points, axis=0))
    assert _volumes(points, cells).sum() < 0.1 * box


def test_a_lower_part_stands_and_has_the_size_asked_for(load):
    shapes = load("shapes")
    whole = shapes.six_in_each(*shapes.tubes(20.0))
    points, cells = shapes.lower_part(*whole, 2, 3000)
    assert points[:, 2].min() == 0.0
    assert len(shapes.quadratic(points, cells)[0]) == pytest.approx(3000, rel=0.1)


def test_parts_that_touch_along_an_edge_alone_are_no_piece(load):
    shapes = load("shapes")
    line = np.arange(3.0)
    keep = np.zeros((2, 1, 2), dtype=bool)
    keep[0, 0, 0] = keep[1, 0, 1] = True
    points, cells = shapes.six_in_each(*shapes.bricks((line, np.arange(2.0), line), keep))
    assert len(shapes._standing(points, cells, 2)[1]) == 6
