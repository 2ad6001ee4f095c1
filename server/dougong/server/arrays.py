"""Arrays and files in pieces, each with its checksum."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError, violation
from dougong.v1 import mesh_pb2

DATA_TYPES = {
    "<f8": mesh_pb2.DATA_TYPE_FLOAT64,
    "<f4": mesh_pb2.DATA_TYPE_FLOAT32,
    "<i8": mesh_pb2.DATA_TYPE_INT64,
    "<i4": mesh_pb2.DATA_TYPE_INT32,
    "|i1": mesh_pb2.DATA_TYPE_INT8,
}

#: numpy's type of each data type: little-endian, as on the wire and on disk.
NUMPY_TYPES = {number: np.dtype(name) for name, number in DATA_TYPES.items()}


def little_endian(array: NDArray[Any]) -> NDArray[Any]:
    """The array, contiguous and little-endian; itself when it is that already."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


async def array_chunks(
    name: str, array: NDArray[Any], chunk_bytes: int, *, offset: int = 0, cell_type: str = ""
) -> AsyncIterator[mesh_pb2.ArrayChunk]:
    """An array as messages: the first says what it is, also when it has no bytes.

    Parameters
    ----------
    array
        Any shape; a mapped one is read piece by piece, off the event loop.
    offset
        Byte at which to begin.
    """
    array = await asyncio.to_thread(little_endian, array)
    flat = array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)
    if not 0 <= offset <= flat.size:
        raise InputError([violation("VALUE_OUT_OF_RANGE", "offset", value=offset, expected=f"0..{flat.size}")])
    head = mesh_pb2.ArrayChunk(
        name=name, dtype=DATA_TYPES[array.dtype.str], shape=array.shape, cell_type=cell_type, offset=offset
    )
    while True:
        data, crc = await asyncio.to_thread(_piece, flat, offset, chunk_bytes)
        head.offset, head.data, head.crc32 = offset, data, crc
        yield head
        offset += len(data)
        if offset >= flat.size:
            return
        head = mesh_pb2.ArrayChunk()


def _piece(flat: NDArray[np.uint8], offset: int, size: int) -> tuple[bytes, int]:
    data = flat[offset : offset + size].tobytes()
    return data, zlib.crc32(data)


def read_piece(path: Path, offset: int, size: int) -> bytes:
    """Some bytes of a file; fewer at its end, none when there is no file."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)
    except FileNotFoundError:
        return b""
