"""Stored meshes for tests of those who use them: all files are one mesh, which is in no file."""

from __future__ import annotations

import threading
from pathlib import Path

from dougong.meshes.canonical import StoredMesh
from dougong.v1 import mesh_pb2

MESH = "the mesh"


class Storage:
    """Stored meshes whose removal can be held up."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.conversions = 0
        self.removing = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def has(self, mesh_id: str, /) -> bool:
        return mesh_id in self.stored

    def directory(self, mesh_id: str, /) -> Path:
        raise AssertionError

    def open(self, mesh_id: str, /) -> StoredMesh:
        raise AssertionError

    def info(self, mesh_id: str, /) -> mesh_pb2.MeshInfo:
        return mesh_pb2.MeshInfo()

    def remove(self, mesh_id: str, /) -> None:
        self.removing.set()
        assert self.go_on.wait(20)
        self.stored.discard(mesh_id)

    async def convert(self, source: Path, format_name: str, file_name: str, /) -> str:
        if MESH not in self.stored:
            self.conversions += 1
            self.stored.add(MESH)
        return MESH
