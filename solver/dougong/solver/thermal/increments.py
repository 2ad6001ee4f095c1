"""A static step that follows another one: for each frame of a heat step a state of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dougong.solver.loadings import warmed
from dougong.solver.model import Model
from dougong.solver.thermal.temperature import followed, frames_followed

#: So many that share a matrix are solved together: their loads and solutions are kept until the matrix is gone.
TOGETHER = 16


@dataclass(frozen=True)
class Increment:
    """A frame that is followed.

    Attributes
    ----------
    number
        Its number in the step that is followed.
    name
        What the state is called: as the frame is.
    value
        Of the frame, such as its time; None where it has none.
    """

    number: int
    name: str
    value: float | None

    def of(self, model: Model) -> Model:
        """The model of a step at this increment: its temperature, and loads and conditions at its time. Collective."""
        time = model.time if self.value is None else self.value
        return warmed(replace(model, increment=self.number, time=time))


def increments_of(model: Model) -> list[Increment]:
    """The increments of a step; none where it follows no other."""
    given = followed(model.step.message)
    if given is None or model.history is None:
        return []
    frames = frames_followed(model.history, given)
    return [Increment(k, f.name or f"increment-{k + 1}", f.value) for k, f in enumerate(frames)]
