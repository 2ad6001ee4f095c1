"""What the product says to people: reason codes, their sentences in English and Chinese, errors that carry them."""

from dougong.messages.catalogue import (
    LANGUAGES,
    UnknownReasonError,
    all_reasons,
    catalogue,
    render,
    user_language,
)
from dougong.messages.errors import (
    Conflict,
    DataLoss,
    FemError,
    InputError,
    NotFound,
    ResourceLimit,
    SolveError,
    WorkerLost,
    notice,
    violation,
    violation_from,
)

__all__ = [
    "LANGUAGES",
    "Conflict",
    "DataLoss",
    "FemError",
    "InputError",
    "NotFound",
    "ResourceLimit",
    "SolveError",
    "UnknownReasonError",
    "WorkerLost",
    "all_reasons",
    "catalogue",
    "notice",
    "render",
    "user_language",
    "violation",
    "violation_from",
]
