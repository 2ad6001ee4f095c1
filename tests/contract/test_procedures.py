"""What every procedure must be. Runs over each one found; what it computes is the matter of its verification."""

from __future__ import annotations

import numpy as np
import pytest

from contract.test_physics import material
from dougong.solver.physics import all_physics
from dougong.solver.procedures import all_procedures, procedure
from dougong.v1 import analysis_pb2 as pb
from meshgen import box
from solving import solve

#: Procedures whose states are motions that need no load: how the body vibrates, or gives way.
MOTIONS = ("modes", "buckling")

#: Each physics with each procedure that runs it.
PAIRS = [
    pytest.param(p, step, id=f"{p.NAME}-{step}-{run.procedure}")
    for p in all_physics()
    for step, run in p.PROCEDURES.items()
    if run.procedure not in MOTIONS
]


def test_names_are_unique():
    names = [p.NAME for p in all_procedures()]
    assert len(set(names)) == len(names) > 0
    assert all(name.isidentifier() for name in names)
    assert all(procedure(p.NAME) is p for p in all_procedures())


def test_each_is_used():
    runs = [run for p in all_physics() for run in p.PROCEDURES.values()]
    used = {name for run in runs for name in (run.procedure, run.nonlinear) if name}
    assert used == {p.NAME for p in all_procedures()}


def condition(kind: str) -> pb.Condition:
    """A condition at the end x0 that holds everything, all values zero, whatever its kind."""
    made = pb.Condition(region="x0")
    given = getattr(made, kind)
    given.SetInParent()
    for field in given.DESCRIPTOR.fields:
        if field.name in ("x", "y", "z"):
            getattr(given, field.name).value = 0.0
        elif field.name == "value":
            given.value = 0.0
    return made


#: What the shortest step of a kind needs.
NEEDED = {
    "transient_heat": {
        "transient_heat": {"duration": {"value": 1.0}, "output_times": [1.0]},
        "initial": {"temperature": {"value": 0.0}},
    }
}


@pytest.mark.parametrize("step", MOTIONS)
def test_motions_are_frames_of_their_own(step):
    """The shortest run there is ends with the usual fields of each frame, its record and its evidence."""
    loads = [] if step == "modes" else [pb.Load(region="x1", pressure=pb.Quantity(value=1.0))]
    given = pb.Analysis(
        materials={"m": material()},
        sections=[pb.Section(material="m")],
        steps=[pb.Step(name="s", conditions=[condition("fixed")], loads=loads, **{step: {"count": 2}})],
    )
    ended = solve(box("hex8", (2, 1, 1)), given)
    frames = ended.step.frames
    assert [f.name for f in frames] == [f"mode-{k + 1}" for k in range(len(frames))]
    assert len(frames) >= 2
    assert [(f.name, f.frame) for f in ended.result.fields] == [("displacement", k) for k in range(len(frames))]
    for k, frame in enumerate(frames):
        assert np.abs(ended.field("displacement", frame=k)).max() > 0
        assert frame.mode.error < 1e-8
        assert frame.solve.method
        assert frame.solve.why
        assert [e.field for e in frame.extremes].count("displacement_magnitude") == 1
    assert ended.step.HasField("modes")
    assert ended.step.modes.missed == 0


@pytest.mark.parametrize(("physics", "step"), PAIRS)
def test_a_body_that_is_held_and_not_loaded_does_nothing(physics, step):
    """The shortest run there is ends with every usual field, its record and its evidence."""
    held = condition(next(iter(physics.CONDITIONS)))
    given = pb.Analysis(
        materials={"m": material()},
        sections=[pb.Section(material="m")],
        steps=[pb.Step(name="s", conditions=[held], **NEEDED.get(step, {step: {}}))],
    )
    ended = solve(box("hex8", (2, 1, 1)), given)
    assert [s.procedure for s in ended.result.steps] == [step]
    assert [f.name for f in ended.result.fields] == list(physics.DEFAULT_FIELDS)
    for info in ended.result.fields:
        assert info.step == "s"
        assert info.dimension == physics.FIELDS[info.name].dimension
        values = ended.field(info.name)
        assert values.shape == (12, physics.FIELDS[info.name].width)
        assert np.abs(values).max() == 0.0
    assert ended.step.dofs == 12 * max(1, len(physics.components(3)))
    assert ended.step.HasField("balance")
    assert ended.step.solve.method
    assert ended.step.solve.why
