"""Addresses and channels."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import grpc

from dougong import wire
from dougong.messages import InputError, violation
from dougong.v1 import mesh_pb2, result_pb2

#: Seconds between signs of life on an otherwise silent connection; the server allows one each 30 seconds.
KEEPALIVE_SECONDS = 60

#: Largest message received: chunks are about 1 MiB.
MAX_MESSAGE_BYTES = 16 << 20

#: Before a call is repeated; UNAVAILABLE on calls that may be repeated, nothing else.
RETRY_DELAYS_SECONDS = (0.1, 0.3, 0.8, 2.0)

#: A watch looks so long for a server that has gone before it gives up.
WATCH_PATIENCE_SECONDS = 60.0

#: Deadline of a call that only looks something up.
QUICK_SECONDS = 30.0

#: Deadline of a call that reads the mesh to answer.
THOROUGH_SECONDS = 300.0

_HOST_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")


def check_address(address: str) -> str:
    """The target grpc takes: `unix:PATH`, a path, or `HOST:PORT`.

    Raises
    ------
    InputError
        It is neither.
    """
    if address.startswith("/"):
        address = f"unix:{address}"
    if address.startswith("unix:"):
        # The parser of targets takes a percent sign for the beginning of an escape.
        return address.replace("%", "%25")
    if _HOST_PORT.fullmatch(address) and int(address.rpartition(":")[2]) < 65536:
        return address
    raise InputError([violation("ADDRESS_INVALID", address=address)])


def channel_options(target: str) -> list[tuple[str, str | int]]:
    """Options of a channel, the same for the synchronous and the asynchronous client."""
    options: list[tuple[str, str | int]] = [
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # Only this client knows which calls may be repeated.
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if target.startswith("unix:"):
        # Without it the path is sent as the name of the host, which servers may refuse.
        options.append(("grpc.default_authority", "localhost"))
    if target.startswith("unix:") or _is_loopback(target.rpartition(":")[0]):
        # A proxy for the web must not get calls to this machine.
        options.append(("grpc.enable_http_proxy", 0))
    return options


def open_channel(target: str) -> grpc.Channel:
    """A channel; nothing is connected yet."""
    return grpc.insecure_channel(target, options=channel_options(target))


def use_bulk_messages(channel: Any, meshes: Any, results: Any) -> None:
    """Let the methods of stubs that carry bulk data leave protobuf aside; synchronous and asynchronous channels.

    They take and give what `dougong.wire` makes: bytes of messages, and pieces.
    """
    meshes.UploadMesh = channel.stream_unary(
        "/dougong.v1.MeshService/UploadMesh",
        request_serializer=wire.encode,
        response_deserializer=mesh_pb2.Mesh.FromString,
    )
    meshes.ReadMesh = channel.unary_stream(
        "/dougong.v1.MeshService/ReadMesh",
        request_serializer=mesh_pb2.ReadMeshRequest.SerializeToString,
        response_deserializer=wire.read_array_chunk,
    )
    results.ReadField = channel.unary_stream(
        "/dougong.v1.ResultService/ReadField",
        request_serializer=result_pb2.ReadFieldRequest.SerializeToString,
        response_deserializer=wire.read_array_chunk,
    )
    results.ReadArtifact = channel.unary_stream(
        "/dougong.v1.ResultService/ReadArtifact",
        request_serializer=result_pb2.ReadArtifactRequest.SerializeToString,
        response_deserializer=wire.read_artifact_chunk,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
