"""Uploads: chunks in order, resumable at an offset, digest checked, then handed to the mesh library.

What has arrived lies in a file whose name is a digest: neither the upload's id nor the file's name becomes a path.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from dougong.meshes.formats import ReadError, find
from dougong.meshes.store import mesh_id
from dougong.messages import Conflict, DataLoss, InputError, NotFound, ResourceLimit, violation
from dougong.server.database import Database
from dougong.server.meshes import MeshLibrary, MeshRecord
from dougong.server.uninterrupted import uninterrupted
from dougong.v1 import mesh_pb2
from dougong.wire import Piece

Chunk = Piece[mesh_pb2.UploadChunk]

_HEAD_BYTES = 4096
_READ_BYTES = 1 << 20
#: So many chunks may have arrived that nobody writes yet.
_CHUNKS_AHEAD = 4

#: Disk space that uploads leave to the database and to results.
_RESERVE_BYTES = 64 << 20


class Uploads:
    """Uploads that have not ended.

    Parameters
    ----------
    database
        Their headers.
    folder
        Their bytes.
    library
        Where they go when they are whole.
    clock
        Wall-clock nanoseconds.
    max_uploads, max_upload_bytes
        Quotas of all unfinished uploads of a user.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        library: MeshLibrary,
        clock: Callable[[], int],
        *,
        max_uploads: int,
        max_upload_bytes: int,
    ) -> None:
        self._database = database
        self._folder = folder
        self._library = library
        self._clock = clock
        self._max_uploads = max_uploads
        self._max_upload_bytes = max_upload_bytes
        self._active: dict[Path, asyncio.Task[MeshRecord]] = {}
        self._taken: set[asyncio.Task[MeshRecord]] = set()

    async def receive(self, owner: str, header: mesh_pb2.UploadHeader, chunks: AsyncIterator[Chunk]) -> MeshRecord:
        """Take an upload, from its beginning or from where it was interrupted, to a stored mesh.

        Raises
        ------
        Conflict
            The id belongs to another upload, or a newer call has taken this upload over.
        DataLoss
            The bytes do not have the announced digest.
        InputError
            The chunks do not fit, or the file is no mesh that can be used.
        ResourceLimit
            Too many uploads, or the disk is full.
        """
        known = await self._stored(owner, header)
        if known is not None:
            await self._forget(owner, header.upload_id)
            return known
        await self._register(owner, header)
        path = self._path(owner, header.upload_id)
        # A broken connection is often noticed later here than by the client, who is back already: the newer call wins.
        older = self._active.get(path)
        if older is not None:
            self._taken.add(older)
            older.cancel()
            await asyncio.wait([older])
        task = asyncio.create_task(self._receive(owner, header, chunks, path))
        self._active[path] = task
        try:
            return await task
        except asyncio.CancelledError:
            if task in self._taken:
                raise Conflict("UPLOAD_TAKEN_OVER", upload_id=header.upload_id) from None
            task.cancel()
            raise
        finally:
            self._taken.discard(task)
            if self._active.get(path) is task:
                del self._active[path]

    async def _receive(
        self, owner: str, header: mesh_pb2.UploadHeader, chunks: AsyncIterator[Chunk], path: Path
    ) -> MeshRecord:
        sink = _Sink(path)
        try:
            await self._write(header, chunks, sink)
            if sink.position < header.size_bytes:
                received = sink.position
                raise _invalid("UPLOAD_INCOMPLETE", "chunk", received=received, announced=header.size_bytes)
            digest = await asyncio.to_thread(sink.digest)
        finally:
            sink.close()
        if digest != header.sha256:
            await self._forget(owner, header.upload_id)
            raise DataLoss("UPLOAD_DIGEST_WRONG", announced=header.sha256, received=digest)
        try:
            format_name = await asyncio.to_thread(_format, header, path)
            record = await self._library.add(owner, path, header.sha256, format_name, header.file_name)
        except InputError:
            await self._forget(owner, header.upload_id)
            raise
        await self._forget(owner, header.upload_id)
        return record

    async def _write(self, header: mesh_pb2.UploadHeader, chunks: AsyncIterator[Chunk], sink: _Sink) -> None:
        """Append chunks to the file; what has arrived stays when the stream breaks.

        While some are written and hashed, the next arrive.
        """
        position, first = sink.position, True
        arrived: list[bytes | bytearray | memoryview] = []
        writing: asyncio.Future[None] | None = None
        room = asyncio.Event()

        async def write() -> None:
            nonlocal arrived
            try:
                while arrived:
                    ready, arrived = arrived, []
                    room.set()
                    await asyncio.to_thread(sink.append, ready)
            finally:
                room.set()

        try:
            async for chunk in chunks:
                offset = chunk.head.offset
                # The first chunk of a call may repeat bytes that have arrived already: the file is cut there.
                if first and 0 <= offset < position:
                    writing = asyncio.ensure_future(asyncio.to_thread(sink.cut, offset))
                    await asyncio.shield(writing)
                    position = offset
                first = False
                if offset != position:
                    raise _invalid("UPLOAD_OFFSET_WRONG", "chunk.offset", offset=offset, expected=position)
                if position + len(chunk.data) > header.size_bytes:
                    raise _invalid("UPLOAD_TOO_LONG", "chunk.data", announced=header.size_bytes)
                position += len(chunk.data)
                arrived.append(chunk.data)
                # The fewer calls the better: what arrives during one is written by the next.
                if writing is None or writing.done():
                    if writing is not None:
                        writing.result()
                    writing = asyncio.ensure_future(write())
                elif len(arrived) >= _CHUNKS_AHEAD:
                    room.clear()
                    await room.wait()
            if writing is not None:
                await asyncio.shield(writing)
        finally:
            # Nothing may write to the file any more when a newer call opens it, also when this one is cancelled.
            while writing is not None and not writing.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([writing])
            if writing is not None and not writing.cancelled():
                writing.exception()

    async def committed(self, owner: str, upload_id: str) -> int:
        """How many bytes of an upload have arrived.

        Raises
        ------
        NotFound
            There is no such upload.
        """
        if await self._header(owner, upload_id) is None:
            raise NotFound("UPLOAD_NOT_FOUND", upload_id=upload_id)
        try:
            return self._path(owner, upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    async def sweep(self, older_than: int) -> None:
        """Remove uploads that nobody has continued since, and files that belong to none; others may go on meanwhile."""
        # The files first: one that comes after that has a row by the time that the rows are read.
        files = await asyncio.to_thread(lambda: list(self._folder.iterdir()))
        sql = "SELECT owner, upload_id, touch_time FROM uploads"
        rows = await self._database.read(lambda db: db.execute(sql).fetchall())
        for owner, upload_id, touch_time in rows:
            if touch_time < older_than and self._path(owner, upload_id) not in self._active:
                await self._forget(owner, upload_id, older_than)
        owned = {self._path(owner, upload_id) for owner, upload_id, _ in rows}
        for path in files:
            if path not in owned:
                await self._discard(path)

    async def _stored(self, owner: str, header: mesh_pb2.UploadHeader) -> MeshRecord | None:
        """The mesh, when this user has uploaded the same bytes as the same format before."""
        if not header.format:
            return None
        return await self._library.find(owner, mesh_id(header.format, header.sha256))

    async def _header(self, owner: str, upload_id: str) -> mesh_pb2.UploadHeader | None:
        sql = "SELECT header FROM uploads WHERE owner = ? AND upload_id = ?"
        row = await self._database.read(lambda db: db.execute(sql, (owner, upload_id)).fetchone())
        return None if row is None else mesh_pb2.UploadHeader.FromString(row[0])

    async def _register(self, owner: str, header: mesh_pb2.UploadHeader) -> None:
        data = header.SerializeToString(deterministic=True)
        free = (await asyncio.to_thread(shutil.disk_usage, self._folder)).free

        def transaction(db: sqlite3.Connection) -> None:
            key = (owner, header.upload_id)
            row = db.execute("SELECT header FROM uploads WHERE owner = ? AND upload_id = ?", key).fetchone()
            if row is None:
                sql = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM uploads WHERE owner = ?"
                count, size = db.execute(sql, (owner,)).fetchone()
                if count >= self._max_uploads or size + header.size_bytes > self._max_upload_bytes:
                    raise ResourceLimit(
                        "TOO_MANY_UPLOADS", count=count, size_bytes=size, max_uploads=self._max_uploads,
                        max_bytes=self._max_upload_bytes,
                    )  # fmt: skip
                if header.size_bytes + _RESERVE_BYTES > free:
                    raise ResourceLimit("DISK_FULL", detail=f"{header.size_bytes} + {_RESERVE_BYTES} > {free} bytes")
                values = (*key, data, header.size_bytes, self._clock())
                db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", values)
                return
            if row["header"] != data:
                raise Conflict("UPLOAD_ID_REUSED", upload_id=header.upload_id)
            db.execute("UPDATE uploads SET touch_time = ? WHERE owner = ? AND upload_id = ?", (self._clock(), *key))

        await self._database.write(transaction)

    async def _forget(self, owner: str, upload_id: str, older_than: int | None = None) -> None:
        """Forget an upload: one that is done with, or else one that was not touched since `older_than`."""
        path = self._path(owner, upload_id)
        if older_than is None:
            await self._discard(path, mine=True)
        sql = "DELETE FROM uploads WHERE owner = ? AND upload_id = ? AND touch_time < ?"
        values = (owner, upload_id, 2**63 - 1 if older_than is None else older_than)
        gone = await self._database.write(lambda db: db.execute(sql, values).rowcount)
        if gone and older_than is not None:
            await self._discard(path)

    async def _discard(self, path: Path, *, mine: bool = False) -> None:
        """Remove a file, unless a call writes to it. It loses its name at once, so that none opens it from now on.

        `mine`: the call that writes to it is the one that asks for this.
        """
        if path in self._active and not mine:
            return
        doomed = path.with_name(uuid.uuid4().hex)
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
        # The blocks of a large file take a while to be given back.
        await uninterrupted(asyncio.to_thread(doomed.unlink, missing_ok=True))

    def _path(self, owner: str, upload_id: str) -> Path:
        return self._folder / hashlib.sha256(f"{owner}\n{upload_id}".encode()).hexdigest()


def _invalid(reason: str, field: str, **params: object) -> InputError:
    return InputError([violation(reason, field, **params)])  # type: ignore[arg-type]


class _Sink:
    """The file of an upload, hashed while it grows. `append`, `cut` and `digest` may take long.

    The file itself is not made durable: after a power cut the digest tells whether it is what was sent, and what is
    kept is the mesh that it is converted to.
    """

    def __init__(self, path: Path) -> None:
        self._out = open(path, "ab")  # noqa: SIM115 - closed by `close`
        self._path = path
        self._sha256 = hashlib.sha256()
        self._hashed = 0
        #: Bytes in the file.
        self.position = self._out.tell()

    def cut(self, position: int) -> None:
        """Forget what is behind a position; only before anything is appended."""
        self._out.truncate(position)
        self.position = position

    def append(self, pieces: list[bytes | bytearray | memoryview]) -> None:
        self._catch_up()
        for data in pieces:
            self._out.write(data)
            self._out.flush()
            self.position += len(data)
            self._sha256.update(data)
            self._hashed += len(data)

    def digest(self) -> str:
        """SHA-256 of the whole file."""
        self._catch_up()
        return self._sha256.hexdigest()

    def close(self) -> None:
        self._out.close()

    def _catch_up(self) -> None:
        """Hash what earlier calls have brought."""
        if self._hashed == self.position:
            return
        with open(self._path, "rb") as file:
            file.seek(self._hashed)
            while self._hashed < self.position and (data := file.read(min(_READ_BYTES, self.position - self._hashed))):
                self._sha256.update(data)
                self._hashed += len(data)


def _format(header: mesh_pb2.UploadHeader, path: Path) -> str:
    """The format, as declared or found."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        return find(header.format, header.file_name, head).NAME
    except ReadError as error:
        raise _invalid(error.reason, "header.format", **error.params) from error
