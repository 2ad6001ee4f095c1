"""Streams of bulk data: their messages do not go through protobuf as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from dougong import wire

#: Methods whose requests are bulk data, with the deserializer; and those whose responses are.
_REQUESTS: dict[str, Callable[[bytes], Any]] = {"/dougong.v1.MeshService/UploadMesh": wire.read_upload}
_RESPONSES = frozenset(
    {
        "/dougong.v1.MeshService/ReadMesh",
        "/dougong.v1.ResultService/ReadField",
        "/dougong.v1.ResultService/ReadArtifact",
    }
)


class BulkInterceptor(grpc.aio.ServerInterceptor):
    """Puts the serializers of `dougong.wire` in the place of the generated ones."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Exchange them in the handler of a method."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if method in _REQUESTS and handler.stream_unary is not None:
            behaviour, serializer = handler.stream_unary, handler.response_serializer
            return grpc.stream_unary_rpc_method_handler(behaviour, _REQUESTS[method], serializer)
        if method in _RESPONSES and handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(handler.unary_stream, handler.request_deserializer, wire.encode)
        return handler
