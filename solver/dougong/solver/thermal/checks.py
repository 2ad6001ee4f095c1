"""What is wrong with the temperatures of a step, as far as it can be said without mesh and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dougong.messages import violation
from dougong.solver.values.nearest import nearest
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

Violation = job_pb2.Violation


@dataclass(frozen=True)
class Source:
    """A step whose states others may ask for.

    Attributes
    ----------
    name
        Its name.
    unknown
        Name of its field of unknowns.
    frames
        How many frames it will have; None where that is not known before it has run.
    """

    name: str
    unknown: str
    frames: int | None


def check_state(state: pb.FromStep, path: str, earlier: Sequence[Source], later: Sequence[str]) -> list[Violation]:
    """What is wrong with a temperature from an earlier step.

    Parameters
    ----------
    state, path
        What is asked for, and its field path.
    earlier
        The steps before the one that asks.
    later
        Names of that one and those after it.
    """
    known = ", ".join(s.name for s in earlier if s.unknown == "temperature") or "-"
    found = next((s for s in earlier if s.name == state.step), None)
    if found is None:
        if state.step in later:
            return [violation("STATE_OF_LATER_STEP", f"{path}.step", step=state.step, known=known)]
        near = ", ".join(nearest(state.step, [s.name for s in earlier])) or "-"
        return [violation("STATE_OF_UNKNOWN_STEP", f"{path}.step", step=state.step or "-", near=near)]
    if found.unknown != "temperature":
        return [violation("STATE_NOT_THERMAL", f"{path}.step", step=found.name, unknown=found.unknown, known=known)]
    last = found.frames - 1 if found.frames is not None else None
    if state.HasField("frame") and (state.frame < 0 or (last is not None and state.frame > last)):
        shown = last if last is not None else "?"
        return [violation("FRAME_NUMBER_UNKNOWN", f"{path}.frame", frame=state.frame, step=found.name, last=shown)]
    return []


def check_temperatures(
    step: pb.Step, path: str, earlier: Sequence[Source], later: Sequence[str], static: bool
) -> list[Violation]:
    """What is wrong with the temperatures in which a step begins, and which it and its load cases say.

    Parameters
    ----------
    step, path
        The step, and its field path.
    earlier, later
        As for `check_state`.
    static
        Whether the step is one of static equilibrium, which alone can follow the frames of another.
    """
    found: list[Violation] = []
    if step.initial.WhichOneof("state") == "from_step":
        found += check_state(step.initial.from_step, f"{path}.initial.from_step", earlier, later)
    own = [(f"{path}.loads[{k}]", load) for k, load in enumerate(step.loads)]
    of_cases = [
        (f"{path}.load_cases[{c}].loads[{k}]", load)
        for c, case in enumerate(step.load_cases)
        for k, load in enumerate(case.loads)
    ]
    followed: list[tuple[str, str]] = []
    for place, load in own + of_cases:
        if load.WhichOneof("kind") != "temperature":
            continue
        given, here = load.temperature, f"{place}.temperature"
        source = given.WhichOneof("source")
        if source is None:
            found.append(violation("TEMPERATURE_WITHOUT_SOURCE", here))
            continue
        if source == "from_step":
            found += check_state(given.from_step, f"{here}.from_step", earlier, later)
        if not given.all_frames:
            continue
        where = f"{here}.all_frames"
        if source == "value":
            found.append(violation("ALL_FRAMES_OF_VALUE", where))
        elif step.load_cases:
            found.append(violation("ALL_FRAMES_AND_CASES", where))
        elif not static:
            found.append(violation("ALL_FRAMES_NOT_STATIC", where))
        elif getattr(given, source).HasField("frame"):
            found.append(violation("ALL_FRAMES_AND_ONE", where, frame=getattr(given, source).frame))
        else:
            state = getattr(given, source)
            followed.append((where, f"{getattr(state, 'job_id', '')} {state.step}"))
    found += [violation("ALL_FRAMES_OF_TWO", where) for where, of in followed[1:] if of != followed[0][1]]
    return found


def check_one_temperature(step: pb.Step, path: str, material: str) -> list[Violation]:
    """Load cases share one matrix: none may have a temperature of its own where the law of a material depends on it.

    Parameters
    ----------
    step, path
        The step, and its field path.
    material
        Name of such a material.
    """
    cases = enumerate(step.load_cases)
    loads = ((f"{path}.load_cases[{c}].loads[{k}]", load) for c, case in cases for k, load in enumerate(case.loads))
    warm = (place for place, load in loads if load.WhichOneof("kind") == "temperature")
    return [violation("CASE_TEMPERATURE_CHANGES_MATRIX", f"{place}.temperature", material=material) for place in warm]
