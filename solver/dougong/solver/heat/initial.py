"""The temperatures in which a heat step begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError
from dougong.solver.model import Model
from dougong.solver.thermal.temperature import values_of_step
from dougong.solver.values.on_model import Values

Array = NDArray[np.float64]


def initial_temperature(model: Model) -> Array:
    """Nodal temperatures of the initial state that a step names, shape (n_local, 1).

    Parameters
    ----------
    model
        The step on this part.

    Raises
    ------
    InputError
        An expression has no value somewhere, or there is no such frame.
    """
    initial, part = model.step.message.initial, model.part
    if initial.WhichOneof("state") == "from_step":
        state = initial.from_step
        assert model.history is not None
        if not state.HasField("frame"):
            return model.history.at_end(state.step)
        return values_of_step(model.history, state.step, state.frame, f"{model.step.own.path}.initial.from_step")
    values = Values(model, initial, f"{model.step.own.path}.initial")
    found = np.empty((part.n_local, 1))
    found[:, 0] = values.at(initial.temperature, part.points)
    if values.violations:
        raise InputError(values.violations)
    return found
