"""What comes down in chunks: arrays and files."""

from __future__ import annotations

import contextlib
import hashlib
import math
import mmap
import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dougong.messages import DataLoss, FemError
from dougong.v1 import mesh_pb2, result_pb2
from dougong.wire import Piece

#: What `dougong.wire` hands over.
Bytes = bytes | bytearray | memoryview

_DTYPES = {
    mesh_pb2.DATA_TYPE_FLOAT64: "<f8",
    mesh_pb2.DATA_TYPE_FLOAT32: "<f4",
    mesh_pb2.DATA_TYPE_INT64: "<i8",
    mesh_pb2.DATA_TYPE_INT32: "<i4",
    mesh_pb2.DATA_TYPE_INT8: "<i1",
}


@dataclass
class Array:
    """An array as it travelled.

    Attributes
    ----------
    name
        Its name in the mesh or the result.
    dtype
        In numpy's notation, for example "<f8": little-endian 64-bit floating point.
    shape
        Its shape.
    cell_type
        For cells: their type.
    data
        Its bytes, C order; of an array that was written to a file they are mapped.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    cell_type: str = ""
    data: bytearray | memoryview = field(default_factory=bytearray, repr=False)

    @property
    def size_bytes(self) -> int:
        """How many bytes type and shape say that it has; -1 for a type that is not known."""
        return math.prod(self.shape, start=int(self.dtype[2:])) if self.dtype else -1

    def numpy(self) -> Any:
        """The array for numpy, which must be installed; it shares the bytes."""
        import numpy as np

        return np.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)

    def best(self) -> Any:
        """The numpy array where numpy is installed, else this object."""
        try:
            return self.numpy()
        except ImportError:
            return self


class ArrayReceiver:
    """Puts the chunks of arrays together and checks them."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._received: dict[str, int] = {}
        self._last: Array | None = None

    @property
    def received_bytes(self) -> int:
        """Bytes of the array that is being received."""
        return self._received[self._last.name] if self._last is not None else 0

    def add(self, piece: Piece[mesh_pb2.ArrayChunk]) -> None:
        """Take the next chunk.

        Raises
        ------
        DataLoss
            A chunk is damaged, or one is missing.
        """
        chunk = piece.head
        if chunk.name and chunk.name not in self.arrays:
            dtype = _DTYPES.get(chunk.dtype, "")
            self._last = Array(chunk.name, dtype, tuple(chunk.shape), chunk.cell_type)
            self.arrays[chunk.name] = self._last
            self._received[chunk.name] = 0
            self._begin(self._last)
        array = self._last
        name = array.name if array is not None else "?"
        if array is None or chunk.offset != self.received_bytes or zlib.crc32(piece.data) != chunk.crc32:
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=name)
        self._keep(array, piece.data)
        self._received[name] += len(piece.data)

    def _begin(self, array: Array) -> None:
        """What is to be done before the first bytes of an array."""

    def _keep(self, array: Array, data: Bytes) -> None:
        cast(bytearray, array.data).extend(data)

    def finish(self) -> dict[str, Array]:
        """All arrays, whole.

        Raises
        ------
        DataLoss
            One is not complete.
        """
        for array in self.arrays.values():
            if self._received[array.name] != array.size_bytes:
                raise DataLoss("RECEIVED_BYTES_DAMAGED", name=array.name)
        return self.arrays

    def abandon(self) -> None:
        """Leave nothing behind."""


class ArrayFileReceiver(ArrayReceiver):
    """Writes an array as a .npy file, which every numpy can load; no more than a chunk of it is in memory.

    Format: NEP 1, version 1.0.

    Parameters
    ----------
    target
        Where the file shall be.
    """

    def __init__(self, target: Path) -> None:
        super().__init__()
        self._file = PartialFile(target)
        self._head = 0

    def _begin(self, array: Array) -> None:
        head = f"{{'descr': '{array.dtype}', 'fortran_order': False, 'shape': {array.shape}, }}"
        head += " " * (-(10 + len(head) + 1) % 64) + "\n"
        self._head = 10 + len(head)
        self._file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())

    def _keep(self, array: Array, data: Bytes) -> None:
        self._file.write(data)

    def finish(self) -> dict[str, Array]:
        """The array, mapped from its file, which is in its place now. Raises `DataLoss`."""
        arrays = super().finish()
        if len(arrays) == 1:
            self._file.place()
            with open(self._file.target, "rb") as file:
                mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            for array in arrays.values():
                array.data = memoryview(mapping)[self._head :]
        return arrays

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.abandon()


def array_receiver(out: str | Path | None) -> ArrayReceiver:
    """What puts an array together: in memory, or in a file."""
    return ArrayReceiver() if out is None else ArrayFileReceiver(Path(out))


class PartialFile:
    """A file that is written beside its place and moved there when it is whole.

    Parameters
    ----------
    target
        Where the file shall be.

    Raises
    ------
    FemError
        FILE_UNWRITABLE, here and by `write`.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._out = open(self._partial, "wb")  # noqa: SIM115 - closed by place or abandon
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, data: Bytes) -> None:
        """Append bytes."""
        try:
            self._out.write(data)
        except OSError as error:
            raise self._unwritable(error) from error

    def place(self) -> None:
        """Put the file in its place."""
        try:
            self._out.close()
            os.replace(self._partial, self.target)
        except OSError as error:
            raise self._unwritable(error) from error

    def abandon(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self._out.close()
        self._partial.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> FemError:
        return FemError("FILE_UNWRITABLE", file=self.target, cause=error.strerror or error)


class FileReceiver:
    """Writes a file of a result and checks it.

    Parameters
    ----------
    target
        Where the file shall be.
    """

    def __init__(self, target: Path) -> None:
        self._file = PartialFile(target)
        self._digest = hashlib.sha256()
        self.received_bytes = 0

    def add(self, piece: Piece[result_pb2.ArtifactChunk]) -> None:
        """Take the next chunk.

        Raises
        ------
        DataLoss
            It is damaged, or one is missing.
        """
        data = piece.data
        if piece.head.offset != self.received_bytes or zlib.crc32(data) != piece.head.crc32:
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=self._file.target.name)
        self._file.write(data)
        self._digest.update(data)
        self.received_bytes += len(data)

    def finish(self, sha256: str) -> None:
        """Put the file in its place.

        Raises
        ------
        DataLoss
            The whole does not have its checksum.
        """
        if self._digest.hexdigest() != sha256:
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=self._file.target.name)
        self._file.place()

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.abandon()
