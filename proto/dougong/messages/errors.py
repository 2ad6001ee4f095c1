"""One tree of errors for all of Dougong.

    FemError
    ├── InputError       what was sent is wrong; carries every violation found
    ├── NotFound         no such mesh, job, field, file
    ├── Conflict         it exists already, or its state does not allow this now
    ├── ResourceLimit    too large, too many, queue full
    ├── DataLoss         stored bytes no longer have their checksum
    ├── SolveError       the numerics could not give an answer
    └── WorkerLost       the process that computed is gone

Each has a reason code of the catalogue and the parameters of its sentence. Only `dougong.server.api.errors` knows
gRPC codes; only `dougong.client.errors` maps back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dougong.messages.catalogue import render
from dougong.v1 import job_pb2, mesh_pb2

#: A violation names at most so many nodes or cells.
MAX_IDS = 100


class FemError(Exception):
    """Base of all errors that are told to a user.

    Parameters
    ----------
    reason
        A reason code of the catalogue.
    **params
        What fills the gaps of its sentence.
    """

    def __init__(self, reason: str, **params: object) -> None:
        self.reason = reason
        self.params = {key: str(value) for key, value in params.items()}
        super().__init__(render(reason, self.params))

    def text(self, language: str = "en") -> str:
        """The sentence in a language of the catalogue."""
        return render(self.reason, self.params, language)


class InputError(FemError):
    """What was sent is wrong.

    Parameters
    ----------
    violations
        Everything that was found, not only the first; at least one.
    """

    def __init__(self, violations: Sequence[job_pb2.Violation]) -> None:
        first = violations[0]
        super().__init__(first.reason, **dict(first.params))
        self.violations = list(violations)

    def __str__(self) -> str:
        return "\n".join(f"{v.field}: {v.text}" if v.field else v.text for v in self.violations)


class NotFound(FemError):
    """No such mesh, job, field or file, or not for this user."""


class Conflict(FemError):
    """It exists already, or its state does not allow this now."""


class ResourceLimit(FemError):
    """Too large, too many, or the queue is full."""


class DataLoss(FemError):
    """Stored or sent bytes do not have their checksum."""


class SolveError(FemError):
    """The numerics could not give an answer: SINGULAR_SYSTEM, NOT_CONVERGED, NON_FINITE."""


class WorkerLost(FemError):
    """The process that computed is gone."""


def violation(
    reason: str,
    field: str = "",
    *,
    node_ids: Iterable[int] = (),
    cell_ids: Iterable[int] = (),
    **params: object,
) -> job_pb2.Violation:
    """One thing that is wrong, with its sentences.

    Parameters
    ----------
    reason
        A reason code of the catalogue.
    field
        Path in the analysis, such as ``steps[0].loads[1].region``.
    node_ids, cell_ids
        Numbers as in the mesh file; only the first `MAX_IDS` are kept.
    **params
        What fills the gaps of the sentence.
    """
    return violation_from(reason, field, params, node_ids=node_ids, cell_ids=cell_ids)


def violation_from(
    reason: str,
    field: str,
    params: Mapping[str, object],
    *,
    node_ids: Iterable[int] = (),
    cell_ids: Iterable[int] = (),
) -> job_pb2.Violation:
    """The same as `violation`, with the parameters as a mapping."""
    texts = {key: str(value) for key, value in params.items()}
    return job_pb2.Violation(
        field=field,
        reason=reason,
        params=texts,
        text=render(reason, texts, "en"),
        text_zh=render(reason, texts, "zh"),
        node_ids=[int(i) for i, _ in zip(node_ids, range(MAX_IDS), strict=False)],
        cell_ids=[int(i) for i, _ in zip(cell_ids, range(MAX_IDS), strict=False)],
    )


def notice(reason: str, **params: object) -> mesh_pb2.Notice:
    """Something worth knowing that is not wrong, with its sentences."""
    texts = {key: str(value) for key, value in params.items()}
    return mesh_pb2.Notice(
        reason=reason, params=texts, text=render(reason, texts, "en"), text_zh=render(reason, texts, "zh")
    )
