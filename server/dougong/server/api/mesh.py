"""MeshService: decode, call, encode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import numpy as np
from google.protobuf import empty_pb2
from numpy.typing import NDArray

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.skin import skin
from dougong.messages import InputError, ResourceLimit, violation
from dougong.server.api.limits import Checks, check_id, make_page_token, page_size, read_page_token
from dougong.server.api.owner import LOCAL_OWNER
from dougong.server.arrays import array_chunks
from dougong.server.config import Config
from dougong.server.formats import known_formats
from dougong.server.meshes import MeshLibrary
from dougong.server.uploads import Uploads
from dougong.v1 import mesh_pb2, mesh_pb2_grpc
from dougong.wire import Piece

Context = grpc.aio.ServicerContext

#: What an upload consists of: its header, then chunks.
UploadPart = mesh_pb2.UploadMeshRequest | Piece[mesh_pb2.UploadChunk]


class MeshService(mesh_pb2_grpc.MeshServiceServicer):
    """Meshes: upload once, use in many jobs."""

    def __init__(self, library: MeshLibrary, uploads: Uploads, config: Config) -> None:
        self._library = library
        self._uploads = uploads
        self._config = config

    async def UploadMesh(self, requests: AsyncIterator[UploadPart], context: Context) -> mesh_pb2.Mesh:
        """Take a mesh file, whole or continued."""
        first = await anext(aiter(requests), None)
        if first is None or isinstance(first, Piece) or first.WhichOneof("part") != "header":
            raise InputError([violation("UPLOAD_HEADER_EXPECTED", "header")])
        header = self._checked(first.header)
        record = await self._uploads.receive(LOCAL_OWNER, header, _chunks(requests))
        return await self._library.message(record)

    def _checked(self, header: mesh_pb2.UploadHeader) -> mesh_pb2.UploadHeader:
        checks = Checks()
        header.upload_id = checks.uuid(header.upload_id, "header.upload_id")
        checks.sha256(header.sha256, "header.sha256")
        checks.range(header.size_bytes, "header.size_bytes", 1)
        checks.text(header.file_name, "header.file_name")
        if header.format and header.format not in known_formats():
            known = ", ".join(known_formats())
            checks.add("MESH_FORMAT_UNKNOWN", "header.format", format=header.format[:100], known=known)
        checks.done()
        if header.size_bytes > self._config.max_mesh_bytes:
            limit = self._config.max_mesh_bytes
            raise ResourceLimit("MESH_FILE_TOO_LARGE", size_bytes=header.size_bytes, limit_bytes=limit)
        return header

    async def QueryUpload(self, request: mesh_pb2.QueryUploadRequest, context: Context) -> mesh_pb2.QueryUploadResponse:
        """How much of an upload has arrived."""
        checks = Checks()
        upload_id = checks.uuid(request.upload_id, "upload_id")
        checks.done()
        committed = await self._uploads.committed(LOCAL_OWNER, upload_id)
        return mesh_pb2.QueryUploadResponse(committed_bytes=committed)

    async def FindMissing(self, request: mesh_pb2.FindMissingRequest, context: Context) -> mesh_pb2.FindMissingResponse:
        """Which meshes must be uploaded."""
        checks = Checks()
        checks.count(request.mesh_ids, "mesh_ids", 1000)
        checks.done()
        missing = await self._library.missing(LOCAL_OWNER, list(request.mesh_ids))
        return mesh_pb2.FindMissingResponse(missing_mesh_ids=missing)

    async def GetMesh(self, request: mesh_pb2.GetMeshRequest, context: Context) -> mesh_pb2.Mesh:
        """A mesh and what is in it."""
        check_id(request.mesh_id, "mesh_id")
        return await self._library.message(await self._library.record(LOCAL_OWNER, request.mesh_id))

    async def ListMeshes(self, request: mesh_pb2.ListMeshesRequest, context: Context) -> mesh_pb2.ListMeshesResponse:
        """Meshes, newest first."""
        size = page_size(request.page_size)
        below = read_page_token(request.page_token, "meshes")
        records = await self._library.page(LOCAL_OWNER, below, size + 1)
        response = mesh_pb2.ListMeshesResponse()
        for record in records[:size]:
            # A mesh that an older converter stored counts as missing until it is uploaded again.
            if await self._library.find(LOCAL_OWNER, record.mesh_id) is not None:
                response.meshes.append(await self._library.message(record))
        if len(records) > size:
            response.next_page_token = make_page_token(records[size - 1].number, "meshes")
        return response

    async def DeleteMesh(self, request: mesh_pb2.DeleteMeshRequest, context: Context) -> empty_pb2.Empty:
        """Remove a mesh that no unfinished job uses."""
        check_id(request.mesh_id, "mesh_id")
        await self._library.delete(LOCAL_OWNER, request.mesh_id)
        return empty_pb2.Empty()

    async def ReadMesh(self, request: mesh_pb2.ReadMeshRequest, context: Context) -> None:
        """Arrays of the stored mesh, or of its skin."""
        check_id(request.mesh_id, "mesh_id")
        mesh = await self._library.open(LOCAL_OWNER, request.mesh_id)
        arrays = await asyncio.to_thread(_skin_arrays if request.skin else _stored_arrays, mesh)
        names = {name for name, _, _ in arrays}
        unknown = [name for name in request.arrays if name not in names]
        if unknown:
            known = ", ".join(sorted(names)[:50])
            raise InputError([violation("ARRAY_UNKNOWN", "arrays", array=unknown[0][:200], known=known)])
        for name, array, cell_type in arrays:
            if request.arrays and name not in request.arrays:
                continue
            async for chunk in array_chunks(name, array, self._config.chunk_bytes, cell_type=cell_type):
                await context.write(chunk)


async def _chunks(requests: AsyncIterator[UploadPart]) -> AsyncIterator[Piece[mesh_pb2.UploadChunk]]:
    async for request in requests:
        if not isinstance(request, Piece):
            raise InputError([violation("FIELD_MISSING", "chunk", name="chunk")])
        yield request


_Named = tuple[str, NDArray[np.generic], str]


def _stored_arrays(mesh: StoredMesh) -> list[_Named]:
    """Name, values and cell type of every array; those of one region name in the order of MeshInfo.regions."""
    arrays: list[_Named] = [("points", mesh.points, "")]
    if mesh.node_ids is not None:
        arrays.append(("node_ids", mesh.node_ids, ""))
    for block, cell_type in enumerate(mesh.cell_types):
        arrays.append((f"cells/{block}", mesh.cells(block), cell_type.name))
        ids = mesh.cell_ids(block)
        if ids is not None:
            arrays.append((f"cell_ids/{block}", ids, ""))
    arrays += [(f"region/{region.name}", mesh.entries(region), "") for region in mesh.regions]
    return arrays


def _skin_arrays(mesh: StoredMesh) -> list[_Named]:
    surface = skin(mesh)
    return [
        ("points", surface.points, ""),
        ("node_index", surface.node_index, ""),
        ("triangles", surface.triangles, ""),
        ("edges", surface.edges, ""),
    ]
