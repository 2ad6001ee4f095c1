"""ResultService: decode, call, encode."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from dougong.messages import Conflict, InputError, violation
from dougong.server.api.limits import Checks, check_id
from dougong.server.api.owner import LOCAL_OWNER
from dougong.server.arrays import array_chunks, file_chunks
from dougong.server.config import Config
from dougong.server.datafolder import DataFolder
from dougong.server.jobs.model import State
from dougong.server.jobs.store import JobRecord, JobStore
from dougong.server.meshes import MeshLibrary
from dougong.server.results import StoredResult, Verifier, component_index, load_result, map_field, region_rows
from dougong.v1 import result_pb2, result_pb2_grpc

Context = grpc.aio.ServicerContext


class ResultService(result_pb2_grpc.ResultServiceServicer):
    """Results: a summary with its evidence, fields, and files."""

    def __init__(self, store: JobStore, library: MeshLibrary, folder: DataFolder, config: Config) -> None:
        self._store = store
        self._library = library
        self._folder = folder
        self._config = config
        self._verifier = Verifier()

    async def _load(self, job_id: str) -> tuple[JobRecord, StoredResult]:
        check_id(job_id, "job_id")
        job = await self._store.get(job_id, LOCAL_OWNER)
        if job.state is not State.SUCCEEDED:
            raise Conflict("JOB_NOT_SUCCEEDED", job_id=job_id, state=job.state)
        return job, await asyncio.to_thread(load_result, self._folder.attempt(job_id, job.attempts))

    async def GetResult(self, request: result_pb2.GetResultRequest, context: Context) -> result_pb2.Result:
        """The summary."""
        job, stored = await self._load(request.job_id)
        result = result_pb2.Result()
        result.CopyFrom(stored.result)
        result.job_id = job.job_id
        return result

    async def ReadField(self, request: result_pb2.ReadFieldRequest, context: Context) -> None:
        """A field, or part of it."""
        job, stored = await self._load(request.job_id)
        field, entry = stored.find_field(request)
        path = await asyncio.to_thread(self._verifier.verified, stored.directory, entry)
        values: NDArray[Any] = await asyncio.to_thread(map_field, path, field)
        column = component_index(field, request.component) if request.component else None
        if request.region:
            mesh = await self._library.open(LOCAL_OWNER, job.mesh_id)
            rows = await asyncio.to_thread(region_rows, mesh, request.region, field)
            values = await asyncio.to_thread(np.take, values, rows, 0)
        if column is not None:
            values = values[:, column]
        async for chunk in array_chunks(field.name, values, self._config.chunk_bytes, offset=request.offset):
            await context.write(chunk)

    async def ReadArtifact(self, request: result_pb2.ReadArtifactRequest, context: Context) -> None:
        """A file of the result."""
        _, stored = await self._load(request.job_id)
        checks = Checks()
        checks.range(request.offset, "offset", 0)
        checks.done()
        entry = stored.find_artifact(request.name)
        path = await asyncio.to_thread(self._verifier.verified, stored.directory, entry)
        if request.offset > entry.size_bytes:
            expected = f"0..{entry.size_bytes}"
            raise InputError([violation("VALUE_OUT_OF_RANGE", "offset", value=request.offset, expected=expected)])
        async for chunk in file_chunks(path, request.offset, entry.size_bytes, self._config.chunk_bytes):
            await context.write(chunk)
