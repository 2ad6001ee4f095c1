"""States that steps hand on: what is kept, what comes back, and what is left of it on disk."""

import numpy as np
import pytest

from dougong.solver.thermal.history import STATES, History, KeptFrame, named_states, wanted_steps
from dougong.v1 import analysis_pb2 as pb


def test_frames_come_back_as_they_were(tmp_path):
    history = History(tmp_path, 0, {"heating", "cooling"})
    frames = np.random.default_rng(1).normal(size=(3, 5, 2))
    for k, values in enumerate(frames):
        history.add("heating", values[::1], name=f"at {k}", value=0.5 * k)
    assert history.frames("heating") == [KeptFrame(f"at {k}", 0.5 * k) for k in range(3)]
    assert history.frames("cooling") == []
    for k in (0, 2, 1):
        np.testing.assert_array_equal(history.values("heating", k), frames[k])
    np.testing.assert_array_equal(history.values("heating"), frames[-1])
    for frame in (3, -4):
        with pytest.raises(IndexError):
            history.values("heating", frame)
    with pytest.raises(ValueError, match="shapes"):
        history.add("heating", np.zeros((4, 2)))


def test_each_rank_has_its_own(tmp_path):
    ranks = [History(tmp_path, rank, {"s"}) for rank in range(2)]
    for rank, history in enumerate(ranks):
        history.add("s", np.full((2 + rank, 1), float(rank)))
    for rank, history in enumerate(ranks):
        np.testing.assert_array_equal(history.values("s"), np.full((2 + rank, 1), rank))


def test_what_nobody_asks_for_is_not_kept(tmp_path):
    history = History(tmp_path, 0, {"s"})
    assert history.wants("s")
    assert not history.wants("other")
    history.add("other", np.zeros((2, 1)))
    with pytest.raises(KeyError):
        history.values("other")
    assert list((tmp_path / STATES).iterdir()) == []
    assert not (History(tmp_path / "none", 0, set())._directory).exists()


def test_values_without_contiguous_memory(tmp_path):
    history = History(tmp_path, 0, {"s"})
    values = np.arange(12.0).reshape(3, 4)[:, ::2]
    history.add("s", values)
    np.testing.assert_array_equal(history.values("s"), values)


def test_nothing_is_left(tmp_path):
    history = History(tmp_path, 0, {"s"})
    history.add("s", np.zeros((2, 1)))
    assert (tmp_path / STATES).exists()
    history.close()
    history.close()
    assert list(tmp_path.iterdir()) == []


def test_mentions_are_found_in_analyses_without_any():
    assert list(named_states(pb.FromStep(step="a"))) == [pb.FromStep(step="a")]
    step = pb.Step(name="a", conditions=[pb.Condition(fixed=pb.Fixed())])
    step.combinations.add().factors["x"] = 1.0
    assert wanted_steps(pb.Analysis(steps=[step], materials={"m": pb.Material()})) == set()
