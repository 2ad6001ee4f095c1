"""The times of a transient step: how long it lasts, when fields are written, where time steps must end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from dougong.messages import violation
from dougong.solver.heat.trbdf2 import SAME, Limits, ends_of_steps
from dougong.solver.newton.nonlinear import dependences
from dougong.solver.values.quantities import TIME, places
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: Part of the largest difference of temperatures that the error of a step may be.
TOLERANCE = 1e-3
#: Frames of a step that says nothing of output.
_FRAMES = 10
#: At so many times of output, at most, loads and conditions are looked at beforehand.
_LOOKED_AT = 50
#: The first step, as a part of the duration.
_FIRST = 1e-3
#: More frames, or more steps of a fixed length, are refused.
MOST_FRAMES, MOST_STEPS = 1000, 1_000_000


@dataclass(frozen=True)
class TimePlan:
    """When what happens.

    Attributes
    ----------
    limits
        What the time steps may be.
    tolerance
        Error that a step may have, as a part of the largest difference of temperatures.
    outputs
        When fields are written, ascending, the last one not after the end.
    ends
        When a time step must end: at outputs, where tables over time have a kink, at the end.
    """

    limits: Limits
    tolerance: float
    outputs: tuple[float, ...]
    ends: tuple[float, ...]


def time_plan(step: pb.Step) -> TimePlan:
    """The times of a transient step that was found to be right."""
    asked = step.transient_heat
    duration = asked.duration.value
    outputs = _outputs(asked)
    fixed = asked.HasField("fixed_step")
    if fixed:
        limits = Limits(duration, asked.fixed_step.value, asked.fixed_step.value, fixed=True)
    else:
        first = asked.initial_step.value if asked.HasField("initial_step") else _FIRST * duration
        limits = Limits(duration, first, asked.max_step.value if asked.HasField("max_step") else duration)
    tolerance = asked.tolerance if asked.HasField("tolerance") else TOLERANCE
    return TimePlan(limits, tolerance, outputs, tuple(ends_of_steps(duration, outputs, _kinks(step))))


def instants(step: pb.Step) -> list[float]:
    """Times at which what drives a transient step is looked at before it begins, ascending.

    Its beginning, its end, and outputs between, of very many some; the beginning alone where nothing changes with time.
    """
    if TIME not in dependences([*step.conditions, *step.loads]):
        return [0.0]
    outputs = _outputs(step.transient_heat)
    every = math.ceil(len(outputs) / _LOOKED_AT)
    return sorted({0.0, *outputs[::every], step.transient_heat.duration.value})


def _outputs(asked: pb.TransientHeat) -> tuple[float, ...]:
    duration = asked.duration.value
    if asked.output_times:
        return tuple(min(t, duration) for t in asked.output_times)
    count = float(_FRAMES)
    if asked.HasField("output_interval"):
        interval = asked.output_interval.value
        count = math.floor(duration / interval * (1 + SAME))
        times = [interval * (k + 1) for k in range(int(count))]
        if not times or duration - times[-1] > SAME * duration:
            times.append(duration)
        return (*times[:-1], duration)
    return tuple(duration * (k + 1) / count for k in range(int(count)))


def _kinks(step: pb.Step) -> list[float]:
    """Where the slope of a table over time changes, in what acts in the step."""
    acting: list[Message] = [*step.conditions, *step.loads]
    return [t for message in acting for place in places(message) for t in place.quantity.over_time.at]


def check_transient(step: pb.Step, path: str, materials: Sequence[tuple[str, pb.Material]]) -> list[job_pb2.Violation]:
    """What is wrong with a transient heat step, seen without its mesh.

    Parameters
    ----------
    step, path
        The step and its field path.
    materials
        Those in use, with their field paths.
    """
    here = f"{path}.transient_heat"
    found = _check_times(step.transient_heat, here)
    if step.initial.WhichOneof("state") is None:
        found.append(violation("INITIAL_STATE_MISSING", f"{path}.initial", step=step.name or path))
    for name in ("load_cases", "combinations"):
        if getattr(step, name):
            found.append(violation("CASES_NOT_OVER_TIME", f"{path}.{name}"))
    for place, material in materials:
        for name, given in (("density", material.density), ("specific_heat", material.specific_heat)):
            values = given.over_temperature.value if given.HasField("over_temperature") else [given.value]
            if not material.HasField(name):
                found.append(violation("MATERIAL_CONSTANT_MISSING", f"{place}.{name}", constant=name))
            elif not min(values, default=1.0) > 0:
                found.append(violation("VALUE_NOT_POSITIVE", f"{place}.{name}", value=min(values)))
    return found


def _check_times(asked: pb.TransientHeat, path: str) -> list[job_pb2.Violation]:
    found = []
    names = ("duration", "initial_step", "max_step", "fixed_step", "output_interval")
    given = {name: getattr(asked, name).value for name in names if asked.HasField(name)}
    if "duration" not in given:
        found.append(violation("DURATION_MISSING", f"{path}.duration"))
    for name, value in given.items():
        if not value > 0:
            found.append(violation("VALUE_NOT_POSITIVE", f"{path}.{name}", value=value))
    if asked.HasField("tolerance") and not 0 < asked.tolerance < 1:
        found.append(violation("TIME_TOLERANCE_OUT_OF_RANGE", f"{path}.tolerance", value=asked.tolerance))
    if "fixed_step" in given:
        others = [n for n in ("initial_step", "max_step", "tolerance") if asked.HasField(n)]
        found += [violation("FIXED_STEP_AND_CONTROL", f"{path}.{name}", name=name) for name in others]
    if asked.output_times and "output_interval" in given:
        found.append(violation("OUTPUT_TIMES_TWICE", f"{path}.output_interval"))
    duration = given.get("duration", 0.0)
    if found or not 0 < duration < math.inf:
        return found
    for name in ("initial_step", "max_step", "fixed_step", "output_interval"):
        if given.get(name, 0.0) > duration * (1 + SAME):
            found.append(violation("LONGER_THAN_DURATION", f"{path}.{name}", value=given[name], duration=duration))
    last = 0.0
    for k, t in enumerate(asked.output_times):
        if not 0 < t <= duration * (1 + SAME):
            found.append(violation("OUTPUT_TIME_OUTSIDE", f"{path}.output_times[{k}]", value=t, duration=duration))
        elif t <= last + SAME * duration:
            found.append(violation("OUTPUT_TIMES_NOT_ASCENDING", f"{path}.output_times[{k}]", value=t, before=last))
        last = max(last, t)
    frames = max(len(asked.output_times), duration / given["output_interval"] if "output_interval" in given else 0)
    if frames > MOST_FRAMES * (1 + SAME):
        name = "output_times" if asked.output_times else "output_interval"
        found.append(violation("TOO_MANY_FRAMES", f"{path}.{name}", count=math.ceil(frames), most=MOST_FRAMES))
    if "fixed_step" in given and duration / given["fixed_step"] > MOST_STEPS:
        count = math.ceil(duration / given["fixed_step"])
        found.append(violation("TOO_MANY_STEPS", f"{path}.fixed_step", count=count, most=MOST_STEPS))
    return found
