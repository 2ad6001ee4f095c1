"""Bulk messages without protobuf's copies.

protobuf copies the data of a chunk into the message and once more out of it. Here a message is put together from its
parts in one step, and taken apart by slicing. The bytes on the wire are those of the .proto files: everything but the
data goes through protobuf, and a message of any other form than the usual one does so altogether.

Source: Protocol Buffers documentation, "Encoding".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from dougong.v1 import mesh_pb2, result_pb2

_M = TypeVar("_M", bound=Message)
_Data = bytes | bytearray | memoryview

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

_UPLOAD_DATA = mesh_pb2.UploadChunk.DESCRIPTOR.fields_by_name["data"].number
_UPLOAD_CHUNK = mesh_pb2.UploadMeshRequest.DESCRIPTOR.fields_by_name["chunk"].number
_ARRAY_DATA = mesh_pb2.ArrayChunk.DESCRIPTOR.fields_by_name["data"].number
_FILE_DATA = result_pb2.ArtifactChunk.DESCRIPTOR.fields_by_name["data"].number


@dataclass(frozen=True)
class Piece(Generic[_M]):
    """A message that carries bulk data.

    Attributes
    ----------
    head
        The message without its data.
    data
        They; mostly a view into what arrived, which it keeps in memory.
    """

    head: _M
    data: _Data


def encode(message: Message | bytes) -> bytes:
    """The serializer of a stream: messages, and bytes of messages that were put together before."""
    return message if isinstance(message, bytes) else message.SerializeToString()


def array_chunk(head: mesh_pb2.ArrayChunk, data: _Data) -> bytes:
    """An ArrayChunk on the wire."""
    return b"".join((head.SerializeToString(), _prefix(_ARRAY_DATA, data), data))


def artifact_chunk(head: result_pb2.ArtifactChunk, data: _Data) -> bytes:
    """An ArtifactChunk on the wire."""
    return b"".join((head.SerializeToString(), _prefix(_FILE_DATA, data), data))


def upload_chunk(offset: int, data: _Data) -> bytes:
    """An UploadMeshRequest with a chunk on the wire."""
    head = mesh_pb2.UploadChunk(offset=offset).SerializeToString() + _prefix(_UPLOAD_DATA, data)
    return b"".join((_tag(_UPLOAD_CHUNK), _varint(len(head) + len(data)), head, data))


def read_array_chunk(wire: bytes) -> Piece[mesh_pb2.ArrayChunk]:
    """An ArrayChunk from the wire. Raises what protobuf raises for bytes that are no message."""
    return _read(mesh_pb2.ArrayChunk, _ARRAY_DATA, wire)


def read_artifact_chunk(wire: bytes) -> Piece[result_pb2.ArtifactChunk]:
    """An ArtifactChunk from the wire. Raises what protobuf raises for bytes that are no message."""
    return _read(result_pb2.ArtifactChunk, _FILE_DATA, wire)


def read_upload(wire: bytes) -> mesh_pb2.UploadMeshRequest | Piece[mesh_pb2.UploadChunk]:
    """A chunk of an upload, or another message of it. Raises what protobuf raises for bytes that are no message."""
    # Usual is a request that is nothing but one chunk.
    if wire[:1] == _tag(_UPLOAD_CHUNK):
        length, start = _read_varint(wire, 1)
        if start >= 0 and start + length == len(wire):
            return _read(mesh_pb2.UploadChunk, _UPLOAD_DATA, memoryview(wire)[start:])
    request = mesh_pb2.UploadMeshRequest.FromString(wire)
    if request.WhichOneof("part") == "chunk":
        return _without_data(request.chunk)
    return request


def _read(kind: type[Any], number: int, wire: bytes | memoryview) -> Piece[Any]:
    found = _find(wire, number)
    if found is None:
        return _without_data(kind.FromString(bytes(wire)))
    begin, start, end = found
    view = memoryview(wire)
    return Piece(kind.FromString(b"".join((view[:begin], view[end:]))), view[start:end])


def _without_data(message: Any) -> Piece[Any]:
    data = message.data
    message.ClearField("data")
    return Piece(message, data)


def _find(wire: bytes | memoryview, number: int) -> tuple[int, int, int] | None:
    """Where the only field of this number begins, and its content begins and ends; None when it is not that simple."""
    found = None
    at, size = 0, len(wire)
    while at < size:
        begin = at
        key, at = _read_varint(wire, at)
        if at < 0:
            return None
        kind = key & 7
        if kind == _LENGTH:
            length, start = _read_varint(wire, at)
            at = start + length
            if start < 0 or at > size:
                return None
            if key >> 3 == number:
                if found is not None:
                    return None
                found = begin, start, at
        elif kind == _VARINT:
            _, at = _read_varint(wire, at)
            if at < 0:
                return None
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            return None
    return found if at == size else None


def _read_varint(wire: bytes | memoryview, at: int) -> tuple[int, int]:
    """A number and the offset behind it; that is -1 when the bytes end before it does or it has more than 10."""
    value = shift = 0
    for k in range(at, min(at + 10, len(wire))):
        value |= (wire[k] & 0x7F) << shift
        if wire[k] < 0x80:
            return value, k + 1
        shift += 7
    return 0, -1


def _prefix(number: int, data: _Data) -> bytes:
    """What stands before the bytes of a field; proto3 leaves out an empty one."""
    return _tag(number) + _varint(len(data)) if len(data) else b""


def _tag(number: int) -> bytes:
    return _varint(number << 3 | _LENGTH)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
