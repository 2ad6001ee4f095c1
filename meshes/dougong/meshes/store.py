"""Meshes on disk, found by what they are made of.

Below the root folder are

    meshes/<id>/source          the uploaded bytes
    meshes/<id>/conversion-<v>  the mesh as version <v> of the converter made it, with info.pb
    work                        what is not finished; emptied at the start

A mesh becomes visible by one rename of a folder that is complete and on disk. So after a crash at any point it is
there whole or not at all. One process at a time may use a store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError

from dougong.meshes import sandbox
from dougong.meshes.canonical import CONVERTER_VERSION, HEADER, StoredMesh
from dougong.meshes.convert import INFO
from dougong.messages import DataLoss, NotFound
from dougong.v1 import mesh_pb2

_ID = re.compile(r"[0-9a-f]{64}")
_SOURCE = "source"
_CONVERSION = f"conversion-{CONVERTER_VERSION}"


def mesh_id(format_name: str, sha256: str) -> str:
    """Identity of a mesh: that of the uploaded bytes read as the declared format (see dougong.v1.Mesh)."""
    return hashlib.sha256(f"dougong-mesh\n{format_name}\n{sha256}\n".encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class MeshStore:
    """A store of meshes.

    Parameters
    ----------
    root
        Its folder; made when it is not there.
    """

    def __init__(self, root: Path) -> None:
        self._meshes = Path(root) / "meshes"
        self._work = Path(root) / "work"
        for folder in (self._meshes, self._work):
            folder.mkdir(parents=True, exist_ok=True)
            _sync(folder.parent)
        for leftover in self._work.iterdir():
            _delete(leftover)

    async def convert(
        self, source: Path, format_name: str, file_name: str = "", limits: sandbox.Limits | None = None
    ) -> str:
        """Read a mesh file in the sandbox and store the mesh; the same file a second time costs nothing.

        Parameters
        ----------
        source
            The file, complete. It is linked or copied, and not needed afterwards.
        format_name
            Name of its format.
        file_name
            What its user calls it, for messages.
        limits
            Of the child that reads it.

        Returns
        -------
        str
            The mesh id.

        Raises
        ------
        InputError
            The file is no mesh that can be used.
        ResourceLimit
            The disk is full.
        """
        identity = mesh_id(format_name, await asyncio.to_thread(file_sha256, source))
        if self.has(identity):
            return identity
        work = self._work / uuid.uuid4().hex
        try:
            await asyncio.to_thread(_begin, work, source)
            await sandbox.convert(work / _SOURCE, work / _CONVERSION, format_name, file_name, limits)
            await asyncio.to_thread(self._publish, work, identity)
        finally:
            await asyncio.to_thread(_delete, work)
        return identity

    def convert_now(
        self, source: Path, format_name: str, file_name: str = "", limits: sandbox.Limits | None = None
    ) -> str:
        """`convert` for callers without an event loop."""
        identity = mesh_id(format_name, file_sha256(source))
        if self.has(identity):
            return identity
        work = self._work / uuid.uuid4().hex
        try:
            _begin(work, source)
            sandbox.convert_now(work / _SOURCE, work / _CONVERSION, format_name, file_name, limits)
            self._publish(work, identity)
        finally:
            _delete(work)
        return identity

    def _publish(self, work: Path, identity: str) -> None:
        """Make a finished conversion durable, then visible."""
        conversion = work / _CONVERSION
        _verify(conversion)
        for file in conversion.iterdir():
            _sync(file)
        for folder in (conversion, work):
            _sync(folder)
        target = self._meshes / identity
        try:
            if not target.exists():
                os.rename(work, target)
                _sync(self._meshes)
            elif not (target / _CONVERSION).exists():
                # The file was converted by another version before.
                os.rename(conversion, target / _CONVERSION)
                _sync(target)
        except OSError:
            # Somebody else converted the same file at the same time and was first.
            if not self.has(identity):
                raise

    def has(self, identity: str) -> bool:
        """Whether a mesh is stored, as this version of the converter makes it."""
        return _ID.fullmatch(identity) is not None and (self._meshes / identity / _CONVERSION).is_dir()

    def directory(self, identity: str) -> Path:
        """Where the converted mesh lies.

        Raises
        ------
        NotFound
            There is no such mesh.
        """
        if not self.has(identity):
            raise NotFound("MESH_NOT_FOUND", mesh_id=identity[:64])
        return self._meshes / identity / _CONVERSION

    def source(self, identity: str) -> Path:
        """The uploaded bytes. Raises `NotFound`."""
        return self.directory(identity).parent / _SOURCE

    def open(self, identity: str) -> StoredMesh:
        """The stored mesh; its header has the digest that `info` tells. Raises `NotFound` and `DataLoss`."""
        stored = StoredMesh(self.directory(identity))
        if stored.digest != self.info(identity).conversion_sha256:
            raise DataLoss("STORED_MESH_DAMAGED", file=HEADER)
        return stored

    def info(self, identity: str) -> mesh_pb2.MeshInfo:
        """What is in a mesh. Raises `NotFound` and `DataLoss`."""
        try:
            return mesh_pb2.MeshInfo.FromString((self.directory(identity) / INFO).read_bytes())
        except (OSError, DecodeError) as error:
            raise DataLoss("STORED_MESH_DAMAGED", file=INFO) from error

    def remove(self, identity: str) -> None:
        """Remove a mesh with its source; nothing happens when it is not there."""
        if _ID.fullmatch(identity) is None:
            return
        doomed = self._work / uuid.uuid4().hex
        try:
            os.rename(self._meshes / identity, doomed)
        except FileNotFoundError:
            return
        _sync(self._meshes)
        _delete(doomed)

    def ids(self) -> Iterator[str]:
        """Ids of all stored meshes, in no order."""
        for entry in self._meshes.iterdir():
            if self.has(entry.name):
                yield entry.name


def _begin(work: Path, source: Path) -> None:
    (work / _CONVERSION).mkdir(parents=True)
    try:
        os.link(source, work / _SOURCE)
    except OSError:
        shutil.copyfile(source, work / _SOURCE)
    _sync(work / _SOURCE)


def _verify(conversion: Path) -> None:
    """Nothing but plain files that fit together may have come out of the child."""
    for entry in conversion.iterdir():
        if not stat.S_ISREG(entry.lstat().st_mode):
            raise DataLoss("STORED_MESH_DAMAGED", file=entry.name)
    StoredMesh(conversion).load()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
