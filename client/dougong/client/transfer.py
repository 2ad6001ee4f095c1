"""What travels in chunks: mesh files up, arrays and files down."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dougong.messages import DataLoss, FemError, InputError, NotFound, violation
from dougong.v1 import mesh_pb2, result_pb2, system_pb2
from dougong.wire import Piece, upload_chunk

#: Told how many bytes of how many have been sent.
ProgressCallback = Callable[[int, int], None]

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
        Its bytes, C order.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    cell_type: str = ""
    data: bytearray = field(default_factory=bytearray, repr=False)

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
        self._last: Array | None = None

    @property
    def received_bytes(self) -> int:
        """Bytes of the array that is being received."""
        return len(self._last.data) if self._last is not None else 0

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
        array = self._last
        name = array.name if array is not None else "?"
        if array is None or chunk.offset != len(array.data) or zlib.crc32(piece.data) != chunk.crc32:
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=name)
        array.data += piece.data

    def finish(self) -> dict[str, Array]:
        """All arrays, whole.

        Raises
        ------
        DataLoss
            One is not complete.
        """
        for array in self.arrays.values():
            expected = int(array.dtype[2:] or 0)
            for n in array.shape:
                expected *= n
            if not array.dtype or len(array.data) != expected:
                raise DataLoss("RECEIVED_BYTES_DAMAGED", name=array.name)
        return self.arrays


@dataclass(frozen=True)
class MeshFile:
    """A mesh file on this machine, with what must be announced of it.

    Attributes
    ----------
    path
        Where it is.
    size_bytes
        Its size.
    sha256
        SHA-256 of its bytes.
    """

    path: Path
    size_bytes: int
    sha256: str

    @classmethod
    def read(cls, path: str | Path) -> MeshFile:
        """Read it once for its digest.

        Raises
        ------
        NotFound
            It cannot be read, or is no regular file: a device or a pipe might never end.
        InputError
            It is empty.
        """
        path = Path(path)
        try:
            if path.exists() and not path.is_file():
                raise NotFound("FILE_NOT_REGULAR", file=path)
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or error
            raise NotFound("FILE_UNREADABLE", file=path, cause=cause) from error
        if not size:
            raise InputError([violation("FILE_EMPTY", file=path)])
        return cls(path, size, digest)

    def possible_ids(self, formats: Iterable[system_pb2.MeshFormat], declared: str) -> list[str]:
        """Mesh ids that it may already have at a server: one for each format its name fits, or the declared one."""
        suffix = self.path.suffix.lower()
        names = [declared] if declared else [f.name for f in formats if suffix in f.suffixes]
        return [mesh_id(name, self.sha256) for name in names]

    def header(self, upload_id: str, declared: str) -> mesh_pb2.UploadMeshRequest:
        """The first message of an upload."""
        return mesh_pb2.UploadMeshRequest(
            header=mesh_pb2.UploadHeader(
                upload_id=upload_id,
                size_bytes=self.size_bytes,
                sha256=self.sha256,
                format=declared,
                file_name=self.path.name,
            )
        )

    def chunks(self, offset: int, chunk_bytes: int, progress: ProgressCallback | None) -> Iterator[bytes]:
        """The messages after the first one, as they are on the wire."""
        with open(self.path, "rb") as file:
            file.seek(offset)
            while data := file.read(chunk_bytes):
                yield upload_chunk(offset, data)
                offset += len(data)
                if progress is not None:
                    progress(offset, self.size_bytes)


def mesh_id(format_name: str, file_sha256: str) -> str:
    """The identity of a mesh file read as a format; see the message Mesh."""
    return hashlib.sha256(f"dougong-mesh\n{format_name}\n{file_sha256}\n".encode()).hexdigest()


class FileReceiver:
    """Writes a file of a result beside its place and moves it there when it is whole.

    Parameters
    ----------
    target
        Where the file shall be.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._out = open(self._partial, "wb")  # noqa: SIM115 - closed by finish or abandon
        except OSError as error:
            raise FemError("FILE_UNWRITABLE", file=target, cause=error.strerror or error) from error
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
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=self._target.name)
        try:
            self._out.write(data)
        except OSError as error:
            raise FemError("FILE_UNWRITABLE", file=self._target, cause=error.strerror or error) from error
        self._digest.update(data)
        self.received_bytes += len(data)

    def finish(self, sha256: str) -> None:
        """Put the file in its place.

        Raises
        ------
        DataLoss
            The whole does not have its checksum.
        """
        self._out.close()
        if self._digest.hexdigest() != sha256:
            self._partial.unlink(missing_ok=True)
            raise DataLoss("RECEIVED_BYTES_DAMAGED", name=self._target.name)
        os.replace(self._partial, self._target)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._out.close()
        self._partial.unlink(missing_ok=True)
