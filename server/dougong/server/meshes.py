"""The meshes of users: who uploaded what, and the stored mesh behind it.

Two users of the same bytes share one stored mesh, and neither learns of the other.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from google.protobuf import timestamp_pb2

from dougong.meshes.canonical import StoredMesh
from dougong.messages import Conflict, NotFound
from dougong.server.database import Database
from dougong.server.uninterrupted import uninterrupted
from dougong.v1 import mesh_pb2

#: Meshes that are read at one time: each may need several times the memory of its file.
_CONVERSIONS = 2


class MeshStorage(Protocol):
    """What is needed of the mesh store; methods may block."""

    def has(self, mesh_id: str, /) -> bool:
        """Whether the mesh is stored."""

    def directory(self, mesh_id: str, /) -> Path:
        """Where the converted mesh lies."""

    def open(self, mesh_id: str, /) -> StoredMesh:
        """The stored mesh."""

    def info(self, mesh_id: str, /) -> mesh_pb2.MeshInfo:
        """What is in it."""

    def remove(self, mesh_id: str, /) -> None:
        """Remove it."""

    async def convert(self, source: Path, format_name: str, file_name: str, /) -> str:
        """Read an uploaded file in the sandbox and store the mesh; returns its id. Raises `InputError`."""


@dataclass(frozen=True)
class MeshRecord:
    """An uploaded mesh as its user sees it."""

    number: int
    mesh_id: str
    file_name: str
    file_bytes: int
    format: str
    create_time: int


_COLUMNS = ", ".join(MeshRecord.__dataclass_fields__)


class MeshLibrary:
    """The meshes of all users.

    Parameters
    ----------
    database
        Who uploaded what.
    storage
        The stored meshes.
    clock
        Wall-clock nanoseconds.
    """

    def __init__(self, database: Database, storage: MeshStorage, clock: Callable[[], int]) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._places = asyncio.Semaphore(_CONVERSIONS)
        self._conversions: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(self, owner: str, source: Path, sha256: str, format_name: str, file_name: str) -> MeshRecord:
        """Convert an uploaded file, unless it is stored already, and note whose it is.

        The same bytes are converted once, however many upload them at a time; a caller who goes away does not stop it.

        Raises
        ------
        InputError
            The file is no mesh that can be used.
        """
        size = source.stat().st_size
        while True:
            mesh_id = await self._stored(source, sha256, format_name, file_name)
            if await uninterrupted(self._note(owner, mesh_id, file_name, size, format_name)):
                return await self.record(owner, mesh_id)

    async def _stored(self, source: Path, sha256: str, format_name: str, file_name: str) -> str:
        key = (sha256, format_name)
        conversion = self._conversions.get(key)
        if conversion is None:
            conversion = asyncio.create_task(self._convert(source, format_name, file_name))
            self._conversions[key] = conversion
            conversion.add_done_callback(lambda task: self._converted(key, task))
        return await asyncio.shield(conversion)

    def _turn(self, mesh_id: str) -> asyncio.Lock:
        """What changes rows and files of a mesh goes one after the other, whoever its users are."""
        return self._turns.setdefault(mesh_id, asyncio.Lock())

    async def _note(self, owner: str, mesh_id: str, file_name: str, size: int, format_name: str) -> bool:
        """Note whose a stored mesh is; False when it was removed meanwhile."""

        def transaction(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO meshes (owner, mesh_id, file_name, file_bytes, format, create_time)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, mesh_id) DO NOTHING",
                (owner, mesh_id, file_name, size, format_name, self._clock()),
            )

        async with self._turn(mesh_id):
            if not await asyncio.to_thread(self._storage.has, mesh_id):
                return False
            await self._database.write(transaction)
            return True

    async def _convert(self, source: Path, format_name: str, file_name: str) -> str:
        async with self._places:
            return await self._storage.convert(source, format_name, file_name)

    def _converted(self, key: tuple[str, str], task: asyncio.Task[str]) -> None:
        del self._conversions[key]
        if not task.cancelled():
            task.exception()  # Seen, also when every caller has gone.

    async def find(self, owner: str, mesh_id: str) -> MeshRecord | None:
        """A mesh of a user, if it is there and its stored form too."""
        sql = f"SELECT {_COLUMNS} FROM meshes WHERE owner = ? AND mesh_id = ?"
        row = await self._database.read(lambda db: db.execute(sql, (owner, mesh_id)).fetchone())
        if row is None or not await asyncio.to_thread(self._storage.has, mesh_id):
            return None
        return MeshRecord(*row)

    async def record(self, owner: str, mesh_id: str) -> MeshRecord:
        """A mesh of a user.

        Raises
        ------
        NotFound
            There is none, or it is somebody else's.
        """
        found = await self.find(owner, mesh_id)
        if found is None:
            raise NotFound("MESH_NOT_FOUND", mesh_id=mesh_id)
        return found

    async def missing(self, owner: str, mesh_ids: Sequence[str]) -> list[str]:
        """Which of these the user has to upload."""
        return [mesh_id for mesh_id in dict.fromkeys(mesh_ids) if await self.find(owner, mesh_id) is None]

    async def page(self, owner: str, below: int, count: int) -> list[MeshRecord]:
        """Meshes of a user, newest first, with a number less than `below`."""
        sql = f"SELECT {_COLUMNS} FROM meshes WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?"
        rows = await self._database.read(lambda db: db.execute(sql, (owner, below, count)).fetchall())
        return [MeshRecord(*row) for row in rows]

    async def message(self, record: MeshRecord) -> mesh_pb2.Mesh:
        """A mesh as it is told."""
        return mesh_pb2.Mesh(
            mesh_id=record.mesh_id,
            file_name=record.file_name,
            file_bytes=record.file_bytes,
            format=record.format,
            create_time=timestamp_pb2.Timestamp(seconds=record.create_time // 10**9, nanos=record.create_time % 10**9),
            info=await asyncio.to_thread(self._storage.info, record.mesh_id),
        )

    async def open(self, owner: str, mesh_id: str) -> StoredMesh:
        """The stored mesh of a user.

        Raises
        ------
        NotFound
            There is none.
        """
        await self.record(owner, mesh_id)
        return await asyncio.to_thread(self._storage.open, mesh_id)

    def directory(self, mesh_id: str) -> Path:
        """Where the converted mesh lies; whose it is was asked before."""
        return self._storage.directory(mesh_id)

    def digest(self, mesh_id: str) -> str:
        """Digest of the stored form of a mesh, which says how nodes are numbered; whose it is was asked before."""
        return self._storage.open(mesh_id).digest

    async def delete(self, owner: str, mesh_id: str) -> None:
        """Remove a mesh of a user; its stored form goes with the last user.

        Raises
        ------
        Conflict
            A job that has not ended uses it.
        NotFound
            There is none.
        """
        await uninterrupted(self._delete(owner, mesh_id))

    async def _delete(self, owner: str, mesh_id: str) -> None:
        def transaction(db: sqlite3.Connection) -> bool:
            job = db.execute(
                "SELECT job_id FROM jobs WHERE owner = ? AND mesh_id = ?"
                " AND state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED') LIMIT 1",
                (owner, mesh_id),
            ).fetchone()
            if job is not None:
                raise Conflict("MESH_IN_USE", mesh_id=mesh_id, job_id=job["job_id"])
            db.execute("DELETE FROM meshes WHERE owner = ? AND mesh_id = ?", (owner, mesh_id))
            return db.execute("SELECT 1 FROM meshes WHERE mesh_id = ?", (mesh_id,)).fetchone() is None

        async with self._turn(mesh_id):
            await self.record(owner, mesh_id)
            if await self._database.write(transaction):
                await asyncio.to_thread(self._storage.remove, mesh_id)
