"""Arrays and files in pieces, each with its checksum."""

from __future__ import annotations

import asyncio
import mmap
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError, violation
from dougong.v1 import mesh_pb2, result_pb2
from dougong.wire import array_chunk, artifact_chunk

T = TypeVar("T")

DATA_TYPES = {
    "<f8": mesh_pb2.DATA_TYPE_FLOAT64,
    "<f4": mesh_pb2.DATA_TYPE_FLOAT32,
    "<i8": mesh_pb2.DATA_TYPE_INT64,
    "<i4": mesh_pb2.DATA_TYPE_INT32,
    "|i1": mesh_pb2.DATA_TYPE_INT8,
}

#: numpy's type of each data type: little-endian, as on the wire and on disk.
NUMPY_TYPES = {number: np.dtype(name) for name, number in DATA_TYPES.items()}


async def array_chunks(
    name: str, array: NDArray[Any], chunk_bytes: int, *, offset: int = 0, cell_type: str = ""
) -> AsyncIterator[bytes]:
    """An array as messages on the wire: the first says what it is, also when it has no bytes.

    While one is being sent the next is read, checked and put together, off the event loop.

    Parameters
    ----------
    array
        Any shape and layout; only the rows of a piece are in memory at a time, also of a mapped one.
    offset
        Byte at which to begin.
    """
    dtype = array.dtype.newbyteorder("<")
    if not 0 <= offset <= array.nbytes:
        raise InputError([violation("VALUE_OUT_OF_RANGE", "offset", value=offset, expected=f"0..{array.nbytes}")])
    head = mesh_pb2.ArrayChunk(name=name, dtype=DATA_TYPES[dtype.str], shape=array.shape, cell_type=cell_type)
    rows = array.reshape(-1) if array.ndim == 0 else array

    def piece(head: mesh_pb2.ArrayChunk, start: int) -> bytes:
        data = _bytes_of(rows, dtype, start, min(start + chunk_bytes, array.nbytes))
        head.offset, head.crc32 = start, zlib.crc32(data)
        wire = array_chunk(head, data)
        _release(rows, start, start + len(data))
        return wire

    starts = range(offset, array.nbytes, chunk_bytes) or range(offset, offset + 1)
    calls = (partial(piece, mesh_pb2.ArrayChunk() if start > offset else head, start) for start in starts)
    async for wire in one_ahead(calls):
        yield wire


async def one_ahead(calls: Iterable[Callable[[], T]]) -> AsyncIterator[T]:
    """Results of calls in order, each made in a thread; while one result is being used the next call is under way."""
    ahead: asyncio.Task[T] | None = None
    try:
        for call in calls:
            if ahead is not None:
                result = await ahead
                ahead = asyncio.create_task(asyncio.to_thread(call))
                yield result
            else:
                ahead = asyncio.create_task(asyncio.to_thread(call))
        if ahead is not None:
            yield await ahead
    finally:
        if ahead is not None:
            ahead.cancel()


def _bytes_of(rows: NDArray[Any], dtype: np.dtype[Any], start: int, stop: int) -> memoryview:
    """Some bytes of an array as they travel: little-endian, C order."""
    if start >= stop:
        return memoryview(b"")
    width = rows.nbytes // len(rows)
    first, last = start // width, -(-stop // width)
    block = np.ascontiguousarray(rows[first:last], dtype=dtype).reshape(-1).view(np.uint8)
    return block.data[start - first * width : stop - first * width]


def _release(rows: NDArray[Any], start: int, stop: int) -> None:
    """Let go of the mapped pages that have been read: else a large file would stay resident as a whole."""
    mapping: Any = rows
    while isinstance(mapping, np.ndarray):
        mapping = mapping.base
    # What was mapped for writing may hold changes.
    if not isinstance(mapping, mmap.mmap) or rows.flags.writeable or rows.strides[0] <= 0 or start >= stop:
        return
    width = rows.nbytes // len(rows)
    begin = rows.ctypes.data - np.frombuffer(mapping, np.uint8).ctypes.data
    # The page at the end belongs to the next piece too, that at the beginning to nobody any more.
    low = (begin + start // width * rows.strides[0]) // mmap.PAGESIZE * mmap.PAGESIZE
    high = (begin + stop // width * rows.strides[0]) // mmap.PAGESIZE * mmap.PAGESIZE
    if high > low:
        mapping.madvise(mmap.MADV_DONTNEED, low, high - low)


def file_chunks(path: Path, offset: int, size: int, chunk_bytes: int) -> AsyncIterator[bytes]:
    """A file of this size as messages on the wire, from an offset; none when nothing is left."""

    def piece(start: int) -> bytes:
        data = read_piece(path, start, chunk_bytes)
        return artifact_chunk(result_pb2.ArtifactChunk(offset=start, crc32=zlib.crc32(data)), data)

    return one_ahead(partial(piece, start) for start in range(offset, size, chunk_bytes))


def read_piece(path: Path, offset: int, size: int) -> bytes:
    """Some bytes of a file; fewer at its end, none when there is no file."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)
    except FileNotFoundError:
        return b""
