"""Bulk messages put together by hand are protobuf's, and the other way round."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from dougong import wire
from dougong.v1 import mesh_pb2, result_pb2

INT64 = st.integers(-(2**63), 2**63 - 1)
CRC = st.integers(0, 2**32 - 1)
TEXT = st.text(max_size=20)
DATA = st.one_of(st.binary(max_size=300), st.sampled_from([b"x" * 127, b"x" * 128, b"x" * 16383, b"x" * 16384]))
ARRAYS = st.builds(
    mesh_pb2.ArrayChunk, name=TEXT, dtype=st.integers(0, 7), shape=st.lists(INT64, max_size=3), cell_type=TEXT,
    offset=INT64, crc32=CRC,
)  # fmt: skip
FILES = st.builds(result_pb2.ArtifactChunk, offset=INT64, crc32=CRC)
#: Fields of a version of the contract that is yet to come: varint, 8 bytes, text, 4 bytes, group.
UNKNOWN = st.sampled_from(
    [b"", b"\xa0\x06\x96\x01", b"\xa1\x06" + b"8" * 8, b"\xa2\x06\x03abc", b"\xa5\x064444", b"\xa3\x06\xa4\x06"]
)


def whole(piece):
    message = type(piece.head)()
    message.CopyFrom(piece.head)
    message.data = bytes(piece.data)
    return message


def with_data(head, data):
    message = type(head)()
    message.CopyFrom(head)
    message.data = data
    return message


@given(ARRAYS, DATA, UNKNOWN, UNKNOWN)
def test_array_chunks(head, data, before, behind):
    made = wire.array_chunk(head, memoryview(data))
    message = with_data(head, data)
    assert mesh_pb2.ArrayChunk.FromString(made) == message
    for given_bytes in (made, message.SerializeToString()):
        assert whole(wire.read_array_chunk(given_bytes)) == message
    newer = before + message.SerializeToString() + behind
    assert whole(wire.read_array_chunk(newer)) == mesh_pb2.ArrayChunk.FromString(newer)


@given(FILES, DATA, UNKNOWN, UNKNOWN)
def test_artifact_chunks(head, data, before, behind):
    made = wire.artifact_chunk(head, data)
    message = with_data(head, data)
    assert result_pb2.ArtifactChunk.FromString(made) == message
    for given_bytes in (made, message.SerializeToString()):
        assert whole(wire.read_artifact_chunk(given_bytes)) == message
    newer = before + message.SerializeToString() + behind
    assert whole(wire.read_artifact_chunk(newer)) == result_pb2.ArtifactChunk.FromString(newer)


@given(INT64, DATA, UNKNOWN, UNKNOWN, UNKNOWN)
def test_upload_chunks(offset, data, inside, before, behind):
    message = mesh_pb2.UploadMeshRequest(chunk=mesh_pb2.UploadChunk(offset=offset, data=data))
    made = wire.upload_chunk(offset, data)
    assert mesh_pb2.UploadMeshRequest.FromString(made) == message
    inner = message.chunk.SerializeToString() + inside
    newer = mesh_pb2.UploadMeshRequest(chunk=mesh_pb2.UploadChunk.FromString(inner)).SerializeToString()
    for given_bytes in (made, message.SerializeToString(), newer, before + newer + behind, newer + newer):
        expected = mesh_pb2.UploadMeshRequest.FromString(given_bytes).chunk
        assert whole(wire.read_upload(given_bytes)) == expected


@given(st.builds(mesh_pb2.UploadHeader, upload_id=TEXT, size_bytes=INT64, sha256=TEXT, format=TEXT, file_name=TEXT))
def test_other_messages_of_an_upload(header):
    for request in (mesh_pb2.UploadMeshRequest(header=header), mesh_pb2.UploadMeshRequest()):
        assert wire.read_upload(wire.encode(request)) == request
    # Of a chunk and then a header the header counts, and the other way round.
    chunk = wire.upload_chunk(3, b"abc")
    assert wire.read_upload(chunk + mesh_pb2.UploadMeshRequest(header=header).SerializeToString()).header == header
    both = mesh_pb2.UploadMeshRequest(header=header).SerializeToString() + chunk
    assert whole(wire.read_upload(both)) == mesh_pb2.UploadChunk(offset=3, data=b"abc")


@pytest.mark.parametrize(
    ("read", "parse"),
    [
        (wire.read_array_chunk, mesh_pb2.ArrayChunk.FromString),
        (wire.read_artifact_chunk, result_pb2.ArtifactChunk.FromString),
        (wire.read_upload, mesh_pb2.UploadMeshRequest.FromString),
    ],
)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda good, at, byte: good[: at % len(good)] + bytes([byte]) + good[at % len(good) + 1 :],
            st.sampled_from(
                [
                    mesh_pb2.ArrayChunk(name="u", shape=[2], data=b"12345678", crc32=7).SerializeToString(),
                    wire.upload_chunk(5, b"12345678"),
                    wire.upload_chunk(5, b"12345678")[:-1],
                ]
            ),
            st.integers(0, 100),
            st.integers(0, 255),
        ),
    )
)
def test_any_bytes_mean_what_protobuf_says(read, parse, given_bytes):
    try:
        expected = parse(given_bytes)
    except DecodeError:
        with pytest.raises(DecodeError):
            read(given_bytes)
        return
    found = read(given_bytes)
    if isinstance(found, wire.Piece):
        found, expected = whole(found), getattr(expected, "chunk", expected)
    assert found == expected


def test_data_are_not_copied():
    made = wire.array_chunk(mesh_pb2.ArrayChunk(name="u"), b"x" * 1000)
    piece = wire.read_array_chunk(made)
    assert isinstance(piece.data, memoryview)
    assert piece.data.obj is made
    upload = wire.upload_chunk(0, b"x" * 1000)
    assert wire.read_upload(upload).data.obj is upload
