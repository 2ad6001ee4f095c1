"""Uploads: what is slow is not done on the event loop, and a sweep takes nothing away from a call."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dougong.messages import DataLoss, InputError, NotFound
from dougong.server import uploads
from dougong.server.database import Database
from dougong.server.meshes import MeshLibrary
from dougong.server.uploads import Uploads
from dougong.v1 import mesh_pb2
from dougong.wire import Piece
from mesh_storage import Storage

DATA = b"a mesh file, or nearly one" * 50


class Bench:
    def __init__(self, path: Path) -> None:
        self.folder = path / "uploads"
        self.folder.mkdir()
        self.database = Database(path / "db")
        self.now = 1000
        library = MeshLibrary(self.database, Storage(), lambda: 1)
        self.uploads = Uploads(
            self.database, self.folder, library, lambda: self.now, max_uploads=9, max_upload_bytes=1 << 30
        )

    def header(self, sha256: str = "") -> mesh_pb2.UploadHeader:
        digest = sha256 or hashlib.sha256(DATA).hexdigest()
        return mesh_pb2.UploadHeader(
            upload_id=str(uuid.uuid4()), size_bytes=len(DATA), sha256=digest, format="gmsh", file_name="a.msh"
        )

    async def send(
        self, header: mesh_pb2.UploadHeader, start: int, stop: int, before_end: asyncio.Event | None = None
    ) -> None:
        async def chunks() -> AsyncIterator[Piece[mesh_pb2.UploadChunk]]:
            middle = (start + stop) // 2
            yield Piece(mesh_pb2.UploadChunk(offset=start), DATA[start:middle])
            if before_end is not None:
                await before_end.wait()
            yield Piece(mesh_pb2.UploadChunk(offset=middle), DATA[middle:stop])

        await self.uploads.receive("li", header, chunks())

    async def half(self) -> mesh_pb2.UploadHeader:
        """An upload that was interrupted."""
        header = self.header()
        with pytest.raises(InputError):
            await self.send(header, 0, len(DATA) // 2)
        return header

    def files(self) -> list[Path]:
        return list(self.folder.iterdir())


def _run(path: Path, story: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    bench = Bench(path)
    try:
        asyncio.run(asyncio.wait_for(story(bench), 30))
    finally:
        bench.database.close()


def test_nothing_that_takes_long_holds_up_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here: dict[str, bool] = {}

    def watch(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            here[name] = here.get(name, False) or threading.current_thread() is threading.main_thread()
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, watched)

    async def story(bench: Bench) -> None:
        watch(Path, "unlink")
        watch(shutil, "disk_usage")
        for name in ("cut", "append", "digest"):
            watch(uploads._Sink, name)
        await bench.send(await bench.half(), 10, len(DATA))
        with pytest.raises(DataLoss):
            await bench.send(bench.header("00" * 32), 0, len(DATA))
        await bench.half()
        bench.now = 3000
        await bench.uploads.sweep(2000)
        assert bench.files() == []

    _run(tmp_path, story)
    assert here == dict.fromkeys(("unlink", "disk_usage", "cut", "append", "digest"), False)


def test_a_sweep_takes_what_is_old_and_what_is_nobodys(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        old, slow = await bench.half(), bench.header()
        go_on = asyncio.Event()
        sending = asyncio.create_task(bench.send(slow, 0, len(DATA), go_on))
        while len(bench.files()) < 2:
            await asyncio.sleep(0.01)
        bench.now = 3000
        new = await bench.half()
        (bench.folder / "left").write_bytes(b"by a crash")
        await bench.uploads.sweep(2000)
        assert len(bench.files()) == 2
        with pytest.raises(NotFound):
            await bench.uploads.committed("li", old.upload_id)
        assert await bench.uploads.committed("li", new.upload_id) == len(DATA) // 2
        go_on.set()
        await sending

    _run(tmp_path, story)


def test_what_arrives_while_a_sweep_looks_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bench: Bench) -> None:
        bench.now = 3000
        old = await bench.half()
        bench.now = 5000
        new: list[mesh_pb2.UploadHeader] = []
        read = bench.database.read

        async def and_meanwhile(query: Any) -> Any:
            rows = await read(query)
            if asyncio.current_task() is sweeping:
                # One comes, and an old one goes on, between the look at the rows and what follows from it.
                new.append(await asyncio.create_task(bench.half()))
                with pytest.raises(InputError):
                    await asyncio.create_task(bench.send(old, len(DATA) // 2, len(DATA) - 1))
            return rows

        monkeypatch.setattr(bench.database, "read", and_meanwhile)
        sweeping = asyncio.create_task(bench.uploads.sweep(4000))
        await sweeping
        assert len(new) == 1
        assert await bench.uploads.committed("li", new[0].upload_id) == len(DATA) // 2
        assert await bench.uploads.committed("li", old.upload_id) == len(DATA) - 1

    _run(tmp_path, story)
