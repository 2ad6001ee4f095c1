"""Errors on the wire: the only place that knows gRPC codes.

A `FemError` becomes a google.rpc.Status with its details; anything else is logged with an incident number and told as
INTERNAL. Trailing metadata is limited to 8 KiB by default in gRPC: long lists are cut, and say by how many.
"""

from __future__ import annotations

import errno
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from dougong.messages import (
    Conflict,
    DataLoss,
    FemError,
    InputError,
    NotFound,
    ResourceLimit,
    SolveError,
    WorkerLost,
    violation,
)
from dougong.server.activity import Activity
from dougong.server.stopping import ServerStoppingError
from dougong.v1 import job_pb2

_log = logging.getLogger(__name__)

DOMAIN = "dougong"

#: Bytes of the status with its details. In base64, with the message beside it, it stays below 8 KiB.
_MAX_STATUS = 5000
_MAX_TEXT = 600

#: Conflicts of two requests; all other conflicts are with a state.
_ALREADY_EXISTS = frozenset({"REQUEST_ID_REUSED", "UPLOAD_ID_REUSED"})

#: Limits that waiting lifts, and after how many seconds it is worth asking again.
_RETRY_SECONDS = {
    "QUEUE_FULL": 30,
    "TOO_MANY_UPLOADS": 30,
    "DISK_FULL": 60,
    "WATCHER_TOO_SLOW": 1,
    "SERVER_STOPPING": 2,
    "CHECK_FAILED": 1,
    "UPLOAD_TAKEN_OVER": 1,
}


def code_of(error: FemError) -> grpc.StatusCode:
    """The canonical code of an error."""
    if isinstance(error, Conflict):
        if error.reason in _ALREADY_EXISTS:
            return grpc.StatusCode.ALREADY_EXISTS
        return grpc.StatusCode.ABORTED if error.reason == "UPLOAD_TAKEN_OVER" else grpc.StatusCode.FAILED_PRECONDITION
    table: dict[type[FemError], grpc.StatusCode] = {
        InputError: grpc.StatusCode.INVALID_ARGUMENT,
        NotFound: grpc.StatusCode.NOT_FOUND,
        ResourceLimit: grpc.StatusCode.RESOURCE_EXHAUSTED,
        DataLoss: grpc.StatusCode.DATA_LOSS,
        ServerStoppingError: grpc.StatusCode.UNAVAILABLE,
        SolveError: grpc.StatusCode.FAILED_PRECONDITION,
        WorkerLost: grpc.StatusCode.INTERNAL,
    }
    return next((code for kind, code in table.items() if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def status_of(error: FemError) -> status_pb2.Status:
    """The status of an error with its details: at most one of each kind."""
    code = code_of(error)
    status = status_pb2.Status(code=code.value[0], message=_cut(str(error)))
    params = {key: _cut(value) for key, value in error.params.items()}
    _pack(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=params))
    _pack(status, error_details_pb2.LocalizedMessage(locale="zh-CN", message=_cut(error.text("zh"))))
    if error.reason in _RETRY_SECONDS:
        delay = duration_pb2.Duration(seconds=_RETRY_SECONDS[error.reason])
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    if error.reason == "MESH_NOT_FOUND":
        missing = error_details_pb2.PreconditionFailure.Violation(type="MISSING", description=_cut(str(error)))
        missing.subject = f"meshes/{params.get('mesh_id', '')}"
        _pack(status, error_details_pb2.PreconditionFailure(violations=[missing]))
    if isinstance(error, InputError):
        _pack_violations(status, error.violations)
    return status


def _pack_violations(status: status_pb2.Status, violations: list[job_pb2.Violation]) -> None:
    """Both forms of the violations, google.rpc's and ours with ids and languages: as many as there is room for."""
    kept = [_short(v) for v in violations]
    while True:
        hidden = len(violations) - len(kept)
        more = [violation("MORE_VIOLATIONS", count=hidden)] if hidden else []
        fields = [
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=_cut(v.text, 200)) for v in kept
        ]
        trial = status_pb2.Status()
        trial.CopyFrom(status)
        _pack(trial, error_details_pb2.BadRequest(field_violations=fields))
        _pack(trial, job_pb2.ValidateAnalysisResponse(violations=[*kept, *more]))
        if trial.ByteSize() <= _MAX_STATUS or not kept:
            status.CopyFrom(trial)
            return
        kept = kept[: max(0, min(len(kept) - 1, len(kept) * _MAX_STATUS // trial.ByteSize()))]


def _short(full: job_pb2.Violation) -> job_pb2.Violation:
    """A violation that fits: texts and lists of ids are cut."""
    short = job_pb2.Violation(field=_cut(full.field, 200), reason=full.reason)
    short.text, short.text_zh = _cut(full.text), _cut(full.text_zh)
    for key, value in full.params.items():
        short.params[key] = _cut(value, 200)
    short.node_ids.extend(full.node_ids[:20])
    short.cell_ids.extend(full.cell_ids[:20])
    return short


def _pack(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def _cut(text: str, limit: int = _MAX_TEXT) -> str:
    """A text of at most so many bytes of UTF-8."""
    data = text.encode(errors="replace")
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "..."


def convert(error: BaseException, method: str) -> FemError:
    """What a caller is told of an exception. Unexpected ones are logged under a number that the caller gets."""
    if isinstance(error, FemError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceLimit("DISK_FULL", detail=error.strerror or "")
    incident = uuid.uuid4().hex[:12]
    _log.error("incident %s in %s", incident, method, exc_info=error)
    return FemError("INTERNAL_ERROR", incident=incident)


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns exceptions of every method into statuses, and counts open calls.

    Parameters
    ----------
    activity
        Told of calls to this product's services.
    """

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of a method."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith("/dougong."):
            return handler
        inner: Any = handler.stream_stream or handler.stream_unary or handler.unary_stream or handler.unary_unary
        makers = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        make = makers[bool(handler.request_streaming), bool(handler.response_streaming)]
        return make(self._guard(inner, method), handler.request_deserializer, handler.response_serializer)

    def _guard(self, inner: Callable[[Any, Any], Awaitable[Any]], method: str) -> Callable[[Any, Any], Awaitable[Any]]:
        async def guarded(request: Any, context: grpc.aio.ServicerContext) -> Any:
            with self._activity.call():
                try:
                    return await inner(request, context)
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 - converted: this is the border
                    await abort(context, convert(error, method))

        return guarded


async def abort(context: grpc.aio.ServicerContext, error: FemError) -> None:
    """End a call with the status of an error."""
    status = status_of(error)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code_of(error), status.message, metadata)
