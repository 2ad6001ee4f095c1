"""The frames of a result: the states of its steps, such as load cases and combinations, by name."""

from __future__ import annotations

import re

from dougong.messages import NotFound
from dougong.v1 import analysis_pb2, result_pb2

#: Procedures whose frames an analysis does not name.
_UNNAMED = ("transient_heat",)
#: Kinds of steps whose frames are modes, and what these are called.
_MODAL, _MODE = ("modes", "buckling"), re.compile(r"mode-[1-9][0-9]{0,5}")


def frames_of(step: result_pb2.StepResult) -> list[result_pb2.Frame]:
    """The frames of a step, at least one: of a server that tells of none, the step is its only frame."""
    if step.frames:
        return list(step.frames)
    return [result_pb2.Frame(extremes=step.extremes, reactions=step.reactions, balance=step.balance, solve=step.solve)]


def number_of(step: result_pb2.StepResult, name: str) -> int | None:
    """The number of the frame of a name; None where the step has none of it."""
    names = [frame.name for frame in step.frames]
    return names.index(name) if name in names else None


def last_time(step: result_pb2.StepResult) -> int | None:
    """The number of the last frame of a step whose frames are times; None for any other."""
    of_time = step.frames and step.frames[0].kind == result_pb2.Frame.KIND_TIME
    return len(step.frames) - 1 if of_time else None


def drawn_first(step: result_pb2.StepResult, field: str) -> int:
    """The number of the frame that is drawn when nobody says: where a field is largest; of modes the first not free."""
    frames = frames_of(step)
    if frames[0].HasField("mode"):
        return next((k for k, frame in enumerate(frames) if not frame.mode.rigid), 0)
    return next((e.max_frame for e in step.extremes if e.field == field and not e.component), 0)


def names_in(analysis: analysis_pb2.Analysis) -> list[str]:
    """Names of the load cases and combinations that the result of an analysis will have."""
    found = []
    for step in analysis.steps:
        found += [case.name or f"case-{k}" for k, case in enumerate(step.load_cases, 1)]
        found += [one.name or f"combination-{k}" for k, one in enumerate(step.combinations, 1)]
    return found


def _follows(step: analysis_pb2.Step) -> bool:
    """Whether a step has the frames of another one, which may lie in another job."""
    return any(load.WhichOneof("kind") == "temperature" and load.temperature.all_frames for load in step.loads)


def check_name(name: str, analysis: analysis_pb2.Analysis) -> None:
    """Make sure that a frame asked for will be there; "" asks for none.

    Which times a transient step will have is not looked at, nor what a step follows.

    Raises
    ------
    NotFound
        It will not; names those there are.
    """
    known = names_in(analysis)
    if any(step.WhichOneof("procedure") in _UNNAMED or _follows(step) for step in analysis.steps):
        return
    if any(step.WhichOneof("procedure") in _MODAL for step in analysis.steps):
        # How many modes there will be is not always known before.
        known += [name] if _MODE.fullmatch(name) else ["mode-1", "mode-2", "..."]
    if name and name not in known:
        raise NotFound("FRAME_UNKNOWN", frame=name[:200], known=", ".join(known) or "-")
