"""The meshes of users while several calls concern one mesh at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dougong.messages import NotFound
from dougong.server.database import Database
from dougong.server.meshes import MeshLibrary
from mesh_storage import MESH, Storage

SHA = "ab" * 32


class Bench:
    def __init__(self, path: Path) -> None:
        self.storage = Storage()
        self.database = Database(path / "db")
        self.library = MeshLibrary(self.database, self.storage, lambda: 1)
        self.source = path / "two.msh"
        self.source.write_text("a mesh")

    async def add(self, owner: str = "li") -> None:
        await self.library.add(owner, self.source, SHA, "gmsh", "two.msh")

    async def held_up_delete(self) -> asyncio.Task[None]:
        """A deletion whose files are just being removed."""
        self.storage.go_on.clear()
        deletion = asyncio.create_task(self.library.delete("li", MESH))
        await asyncio.to_thread(self.storage.removing.wait, 20)
        return deletion


def _run(path: Path, story: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    bench = Bench(path)
    try:
        asyncio.run(asyncio.wait_for(story(bench), 30))
    finally:
        bench.storage.go_on.set()
        bench.database.close()


@pytest.mark.parametrize("owner", ["li", "wang"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_mesh_that_comes_again_while_it_is_deleted_is_there(tmp_path: Path, owner: str, interrupted: bool) -> None:
    async def story(bench: Bench) -> None:
        await bench.add()
        deletion = await bench.held_up_delete()
        if interrupted:
            # The client that asked for it has gone.
            deletion.cancel()
        again = asyncio.create_task(bench.add(owner))
        await asyncio.sleep(0.1)
        bench.storage.go_on.set()
        await again
        await asyncio.wait([deletion])
        assert (await bench.library.record(owner, MESH)).file_name == "two.msh"
        assert bench.storage.has(MESH)
        assert bench.storage.conversions == 2

    _run(tmp_path, story)


def test_a_mesh_stays_while_another_user_has_it(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.gather(bench.add("li"), bench.add("wang"))
        await bench.library.delete("li", MESH)
        assert bench.storage.has(MESH)
        for gone in ("li", "nobody"):
            with pytest.raises(NotFound):
                await bench.library.delete(gone, MESH)
        await bench.library.delete("wang", MESH)
        assert not bench.storage.has(MESH)
        assert bench.storage.conversions == 1

    _run(tmp_path, story)
