"""Errors of the client: the tree of `dougong.messages`, brought back from what a server sent.

    FemError
    ├── InputError         what was sent is wrong; `violations`
    │   └── AnalysisFileError   what is wrong already in the file; `place(field)`
    ├── NotFound           no such mesh, job, field, file
    ├── Conflict           it exists already, or its state does not allow this now
    ├── ResourceLimit      too large, too many, queue full
    ├── DataLoss           bytes do not have their checksum
    ├── ServerUnreachable  nobody answers, or not in time
    └── ServerError        anything else, with what the server said

A server may be newer than this client: a reason code that the catalogue here does not have keeps the server's own
sentence.
"""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from dougong.client.library import with_near_names
from dougong.messages import (
    Conflict,
    DataLoss,
    FemError,
    InputError,
    NotFound,
    ResourceLimit,
    all_reasons,
    user_language,
    violation,
)
from dougong.v1 import job_pb2

_DETAILS = "grpc-status-details-bin"

_T = TypeVar("_T", bound=Message)


class ServerUnreachable(FemError):
    """Nobody answers, or not in time."""


class ServerError(FemError):
    """The server reported something that fits no other class."""


_CLASSES: dict[grpc.StatusCode, type[FemError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.FAILED_PRECONDITION: Conflict,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceLimit,
    grpc.StatusCode.OUT_OF_RANGE: ResourceLimit,
    grpc.StatusCode.DATA_LOSS: DataLoss,
    grpc.StatusCode.UNAVAILABLE: ServerUnreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: ServerUnreachable,
}


def from_rpc(error: grpc.RpcError, address: str) -> FemError:
    """The error of the tree that a failed call stands for.

    Parameters
    ----------
    error
        What grpc raised; with or without google.rpc details.
    address
        Where the call went, for the sentence.
    """
    code: grpc.StatusCode = error.code()
    message: str = error.details() or code.name
    details = _details(error)
    info = _find(details, error_details_pb2.ErrorInfo())
    if info is None and code == grpc.StatusCode.UNAVAILABLE:
        return ServerUnreachable("SERVER_UNREACHABLE", address=address, cause=message)
    if info is None and code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return ServerUnreachable("SERVER_TOO_SLOW", address=address)
    checked = _find(details, job_pb2.ValidateAnalysisResponse())
    if checked is not None and checked.violations:
        return input_error(list(checked.violations))
    localized = _find(details, error_details_pb2.LocalizedMessage())
    if localized is not None and user_language() == "zh":
        message = localized.message
    if code == grpc.StatusCode.INVALID_ARGUMENT:
        return input_error([_violation(info, message)])
    cls = _CLASSES.get(code, ServerError)
    if info is not None and info.reason in all_reasons():
        return cls(info.reason, **{str(k): v for k, v in info.metadata.items() if k not in ("self", "reason")})
    return cls("SERVER_MESSAGE", code=info.reason if info is not None else code.name, message=message)


def input_error(violations: list[job_pb2.Violation]) -> InputError:
    """An `InputError` also for reason codes that only the server knows."""
    with_near_names(violations)
    for found in violations:
        # Parts of the call, such as the header of an upload, are no fields that a user has written.
        if found.field.partition(".")[0] in ("header", "resources", "request_id"):
            found.field = ""
    if violations[0].reason in all_reasons():
        return InputError(violations)
    first = violations[0]
    error = InputError([violation("SERVER_MESSAGE", first.field, code=first.reason, message=first.text)])
    error.violations = violations
    return error


def _violation(info: Any, message: str) -> job_pb2.Violation:
    if info is not None and info.reason in all_reasons():
        params: dict[str, Any] = {k: v for k, v in info.metadata.items() if k not in ("reason", "field")}
        return violation(info.reason, info.metadata.get("field", ""), **params)
    return violation("SERVER_MESSAGE", code=info.reason if info is not None else "INVALID_ARGUMENT", message=message)


def _details(error: grpc.RpcError) -> list[Any]:
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == _DETAILS:
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                return []
    return []


def _find(details: list[Any], kind: _T) -> _T | None:
    for detail in details:
        if detail.Is(kind.DESCRIPTOR):
            try:
                if detail.Unpack(kind):
                    return kind
            except DecodeError:
                return None
    return None
