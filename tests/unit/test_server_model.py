"""The life of a job, as pure functions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dougong.server.jobs.model import (
    LEGAL,
    MAX_ATTEMPTS,
    RETRYABLE,
    TERMINAL,
    Condemn,
    IllegalTransitionError,
    JobView,
    Move,
    Observation,
    Phase,
    State,
    Stop,
    Waiting,
    check_transition,
    failure,
    next_actions,
    pick,
)

GONE = Observation(Phase.GONE)
RUNNING = Observation(Phase.RUNNING, run_seconds=50, silent_seconds=50, memory_bytes=50)


def _lost(reason: str) -> Observation:
    return Observation(Phase.GONE, lost=failure(reason, cause="c", log=""))


def test_nothing_leads_out_of_a_terminal_state() -> None:
    for old, new in itertools.product(TERMINAL, State):
        with pytest.raises(IllegalTransitionError):
            check_transition(old, new)


def test_every_state_leads_to_an_end() -> None:
    for state in set(State) - TERMINAL:
        reached, border = {state}, {state}
        while border:
            border = {n for s in border for n in LEGAL[s]} - reached
            reached |= border
        assert reached >= TERMINAL


def test_success_before_anybody_looked_passes_through_running() -> None:
    actions = next_actions(JobView(State.PREPARING, 1), Observation(Phase.GONE, succeeded=True))
    assert actions == [Move(State.RUNNING), Move(State.SUCCEEDED)]


def test_gone_without_outcome_is_never_success() -> None:
    (move,) = next_actions(JobView(State.RUNNING, 1), GONE)
    assert isinstance(move, Move)
    assert (move.state, move.failure.reason) == (State.FAILED, "WORKER_DIED")


@pytest.mark.parametrize("reason", ["WORKER_DIED", "NODE_FAILED", "PREEMPTED", "LAUNCH_FAILED"])
@pytest.mark.parametrize("attempts", range(1, MAX_ATTEMPTS + 1))
def test_only_causes_outside_the_job_are_tried_again(reason: str, attempts: int) -> None:
    actions = next_actions(JobView(State.RUNNING, attempts), _lost(reason))
    if reason in RETRYABLE and attempts < MAX_ATTEMPTS:
        assert actions == [Stop(), Move(State.QUEUED)]
    else:
        assert [a.failure.reason for a in actions if isinstance(a, Move)] == [reason]


def test_an_unreachable_launcher_changes_nothing() -> None:
    for state in (State.PREPARING, State.RUNNING):
        assert next_actions(JobView(state, 1, cancel_requested=True), Observation(Phase.UNKNOWN)) == []


@pytest.mark.parametrize("state", [State.PREPARING, State.RUNNING])
def test_an_outcome_counts_also_while_the_launcher_does_not_answer(state: State) -> None:
    for cancel in (False, True):
        view, wrong = JobView(state, 1, cancel), failure("OUTCOME_DAMAGED")
        assert next_actions(view, Observation(Phase.UNKNOWN, succeeded=True))[-1] == Move(State.SUCCEEDED)
        assert next_actions(view, Observation(Phase.UNKNOWN, failure=wrong))[-1] == Move(State.FAILED, wrong)
    condemned = JobView(state, 1, verdict=failure("TIME_LIMIT", limit_seconds=1))
    assert next_actions(condemned, Observation(Phase.UNKNOWN, succeeded=True)) == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"time_limit_seconds": 49}, "TIME_LIMIT"),
        ({"memory_limit_bytes": 49}, "OUT_OF_MEMORY"),
        ({"stall_limit_seconds": 49}, "STALLED"),
        ({"time_limit_seconds": 51, "memory_limit_bytes": 51, "stall_limit_seconds": 51}, None),
        ({}, None),
    ],
)
def test_limits(limits: dict[str, float], reason: str | None) -> None:
    actions = next_actions(JobView(State.RUNNING, 1, **limits), RUNNING)
    assert [a.failure.reason for a in actions if isinstance(a, Condemn)] == ([reason] if reason else [])
    assert (Stop() in actions) == (reason is not None)


def test_a_verdict_outlives_the_server_and_wins_over_a_late_outcome() -> None:
    verdict = failure("TIME_LIMIT", limit_seconds=1)
    view = JobView(State.RUNNING, 1, verdict=verdict)
    assert next_actions(view, RUNNING) == [Stop()]
    assert next_actions(view, Observation(Phase.GONE, succeeded=True)) == [Move(State.FAILED, verdict)]


def test_cancelled_only_when_nothing_runs_any_more_and_a_finished_job_may_still_succeed() -> None:
    view = JobView(State.RUNNING, 1, cancel_requested=True)
    assert next_actions(view, RUNNING) == [Stop()]
    assert next_actions(view, GONE) == [Move(State.CANCELLED)]
    assert next_actions(view, Observation(Phase.RUNNING, succeeded=True)) == [Move(State.SUCCEEDED)]


_failures = st.sampled_from(["WORKER_DIED", "NODE_FAILED", "PREEMPTED", "LAUNCH_FAILED", "NOT_OURS"])


@st.composite
def _observations(draw: st.DrawFn) -> Observation:
    return Observation(
        phase=draw(st.sampled_from(Phase)),
        succeeded=draw(st.booleans()) and draw(st.booleans()),
        failure=draw(st.none() | st.just(failure("OUTCOME_DAMAGED"))),
        lost=draw(st.none() | st.sampled_from(sorted(RETRYABLE)).map(lambda r: failure(r, cause="", log=""))),
        run_seconds=draw(st.floats(0, 20)),
        silent_seconds=draw(st.floats(0, 20)),
        memory_bytes=draw(st.integers(0, 20)),
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_history_is_legal_and_comes_to_an_end(data: st.DataObject) -> None:
    """Whatever is observed in whatever order: no illegal transition, at most three attempts, and, once what is
    observed makes sense again, an end."""
    state, attempts, cancel, verdict = State.QUEUED, 0, False, None
    limits = {"time_limit_seconds": 15.0, "memory_limit_bytes": 15, "stall_limit_seconds": 15.0}
    for k in range(40):
        cancel = cancel or (k < 30 and data.draw(st.integers(0, 19)) == 0)
        seen = None
        if state is State.QUEUED and not cancel:
            check_transition(state, State.PREPARING)
            state, attempts, verdict = State.PREPARING, attempts + 1, None
        elif state is not State.QUEUED:
            seen = data.draw(_observations()) if k < 30 else GONE
        for action in next_actions(JobView(state, attempts, cancel, verdict, **limits), seen):
            if isinstance(action, Condemn):
                verdict = action.failure
            elif isinstance(action, Move):
                check_transition(state, action.state)
                assert (action.failure is not None) == (action.state is State.FAILED)
                state = action.state
        assert attempts <= MAX_ATTEMPTS
    assert state.terminal


def test_the_queue_is_by_priority_then_by_age_and_a_large_job_is_not_overtaken() -> None:
    queue = [Waiting("a", 1, 0, 1), Waiting("b", 2, 5, 3), Waiting("c", 3, 5, 1), Waiting("d", 4, 0, 1)]
    assert pick(queue, 4, 9, 0.0) == ["b", "c"]
    assert pick(queue, 2, 9, 0.0) == []
    assert pick(queue, 6, 9, 0.0) == ["b", "c", "a", "d"]


def test_a_job_that_waits_to_be_tried_again_holds_nobody_back() -> None:
    queue = [Waiting("a", 1, 9, 2, not_before=10.0), Waiting("b", 2, 0, 2)]
    assert pick(queue, 2, 2, 5.0) == ["b"]
    assert pick(queue, 2, 2, 11.0) == ["a"]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 5)), max_size=20), st.integers(0, 12))
def test_never_more_cores_than_there_are(jobs: list[tuple[int, int]], cores: int) -> None:
    queue = [Waiting(str(k), k, priority, ranks) for k, (priority, ranks) in enumerate(jobs)]
    assert sum(jobs[int(name)][1] for name in pick(queue, cores, 9, 0.0)) <= cores


def test_a_job_accepted_when_there_were_more_cores_gets_all_that_are_left() -> None:
    queue = [Waiting("a", 1, 0, 8), Waiting("b", 2, 0, 1)]
    assert pick(queue, 1, 2, 0.0) == []
    assert pick(queue, 2, 2, 0.0) == ["a"]
