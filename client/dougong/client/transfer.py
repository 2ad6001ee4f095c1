"""What goes up in chunks: mesh files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dougong.messages import InputError, NotFound, violation
from dougong.v1 import mesh_pb2, system_pb2
from dougong.wire import upload_chunk

#: Told how many bytes of how many have been sent.
ProgressCallback = Callable[[int, int], None]


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
