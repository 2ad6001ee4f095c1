"""The asynchronous client: the methods of `Client`, to be awaited, or iterated with `async for`.

async with AsyncClient() as client:
    mesh = await client.upload_mesh("bracket.msh")
    job = await client.submit(analysis)
    async for event in client.watch(job.job_id): ...
"""

from __future__ import annotations

import asyncio
import operator
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio

from dougong.client.errors import from_rpc
from dougong.client.library import with_library, with_near_names
from dougong.client.patience import BROKEN_SECONDS, ENDED_SECONDS, Watching, delay, is_last
from dougong.client.private import PrivateServer, data_folder
from dougong.client.receive import Array, ArrayReceiver, FileReceiver, array_receiver
from dougong.client.transfer import MeshFile, ProgressCallback
from dougong.client.transport import (
    QUICK_SECONDS,
    THOROUGH_SECONDS,
    channel_options,
    check_address,
    use_bulk_messages,
)
from dougong.messages import DataLoss
from dougong.v1 import (
    analysis_pb2,
    job_pb2,
    job_pb2_grpc,
    mesh_pb2,
    mesh_pb2_grpc,
    result_pb2,
    result_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
)

_T = TypeVar("_T")


class AsyncClient:
    """A connection to a server; made by ``async with``.

    Parameters
    ----------
    address
        As for `Client`.
    """

    def __init__(self, address: str | None = None) -> None:
        chosen = address or os.environ.get("DOUGONG_SERVER")
        self.private = None if chosen else PrivateServer(data_folder())
        self.address = check_address(chosen) if chosen else ""
        self._capabilities: system_pb2.Capabilities | None = None

    async def __aenter__(self) -> AsyncClient:
        if self.private is not None:
            self.address = check_address(await asyncio.to_thread(self.private.ensure))
        self._channel = grpc.aio.insecure_channel(self.address, options=channel_options(self.address))
        channel: Any = self._channel
        self._meshes: Any = mesh_pb2_grpc.MeshServiceStub(channel)
        self._jobs: Any = job_pb2_grpc.JobServiceStub(channel)
        self._results: Any = result_pb2_grpc.ResultServiceStub(channel)
        self._system: Any = system_pb2_grpc.SystemServiceStub(channel)
        use_bulk_messages(channel, self._meshes, self._results)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._channel.close(None)

    async def capabilities(self) -> system_pb2.Capabilities:
        """What the server can do; asked once."""
        if self._capabilities is None:
            request = system_pb2.GetCapabilitiesRequest()
            reply: system_pb2.Capabilities = await self._ask(self._system.GetCapabilities, request)
            self._capabilities = reply
        return self._capabilities

    async def upload_mesh(
        self, path: str | Path, *, format_name: str = "", progress: ProgressCallback | None = None
    ) -> mesh_pb2.Mesh:
        """Bring a mesh file to the server, see `Client.upload_mesh`."""
        file = await asyncio.to_thread(MeshFile.read, path)
        capabilities = await self.capabilities()
        ids = file.possible_ids(capabilities.mesh_formats, format_name)
        if ids:
            reply = await self._ask(self._meshes.FindMissing, mesh_pb2.FindMissingRequest(mesh_ids=ids))
            there = [i for i in ids if i not in reply.missing_mesh_ids]
            if there:
                return await self.mesh(there[0])
        upload_id = str(uuid.uuid4())

        async def upload(attempt: int) -> mesh_pb2.Mesh:
            offset = await self._committed(upload_id) if attempt else 0

            async def messages() -> AsyncIterator[mesh_pb2.UploadMeshRequest | bytes]:
                yield file.header(upload_id, format_name)
                chunks = file.chunks(offset, capabilities.chunk_bytes or 1 << 20, progress)
                while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                    yield chunk

            reply: mesh_pb2.Mesh = await self._meshes.UploadMesh(messages())
            return reply

        return await self._retried(upload)

    async def _committed(self, upload_id: str) -> int:
        try:
            query = mesh_pb2.QueryUploadRequest(upload_id=upload_id)
            reply = await self._meshes.QueryUpload(query, timeout=QUICK_SECONDS)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return 0
            raise
        return int(reply.committed_bytes)

    async def mesh(self, mesh_id: str) -> mesh_pb2.Mesh:
        """A stored mesh."""
        return await self._ask(self._meshes.GetMesh, mesh_pb2.GetMeshRequest(mesh_id=mesh_id))

    async def meshes(self) -> AsyncIterator[mesh_pb2.Mesh]:
        """All meshes of this user."""
        request = mesh_pb2.ListMeshesRequest()
        while True:
            page = await self._ask(self._meshes.ListMeshes, request)
            for mesh in page.meshes:
                yield mesh
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def delete_mesh(self, mesh_id: str) -> None:
        """Remove a mesh."""
        await self._ask(self._meshes.DeleteMesh, mesh_pb2.DeleteMeshRequest(mesh_id=mesh_id), repeat=False)

    async def mesh_arrays(self, mesh_id: str, arrays: Sequence[str] = ()) -> dict[str, Any]:
        """Arrays of a stored mesh, by name."""
        return await self._read_mesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh_id, arrays=arrays))

    async def skin(self, mesh_id: str) -> dict[str, Any]:
        """The skin of a mesh."""
        return await self._read_mesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh_id, skin=True))

    async def _read_mesh(self, request: mesh_pb2.ReadMeshRequest) -> dict[str, Any]:
        async def read(_attempt: int) -> dict[str, Array]:
            receiver = ArrayReceiver()
            await _take(self._meshes.ReadMesh(request), receiver.add)
            return receiver.finish()

        return {name: array.best() for name, array in (await self._retried(read)).items()}

    async def validate(self, analysis: analysis_pb2.Analysis) -> job_pb2.ValidateAnalysisResponse:
        """Everything that is wrong with an analysis; nothing is submitted."""
        request = job_pb2.ValidateAnalysisRequest(analysis=with_library(analysis))
        checked = await self._ask(self._jobs.ValidateAnalysis, request, seconds=THOROUGH_SECONDS)
        with_near_names(checked.violations)
        return checked

    async def estimate(
        self, analysis: analysis_pb2.Analysis, resources: job_pb2.Resources | None = None
    ) -> job_pb2.Estimate:
        """What a job would cost."""
        request = job_pb2.EstimateJobRequest(analysis=with_library(analysis), resources=resources)
        return await self._ask(self._jobs.EstimateJob, request, seconds=THOROUGH_SECONDS)

    async def submit(
        self,
        analysis: analysis_pb2.Analysis,
        resources: job_pb2.Resources | None = None,
        *,
        request_id: str | None = None,
    ) -> job_pb2.Job:
        """Hand in a job, see `Client.submit`."""
        request = job_pb2.SubmitJobRequest(
            request_id=request_id or str(uuid.uuid4()), analysis=with_library(analysis), resources=resources
        )
        return await self._ask(self._jobs.SubmitJob, request, seconds=THOROUGH_SECONDS)

    async def job(self, job_id: str) -> job_pb2.Job:
        """A job as it stands."""
        return await self._ask(self._jobs.GetJob, job_pb2.GetJobRequest(job_id=job_id))

    async def jobs(
        self,
        *,
        states: Sequence[job_pb2.Job.State] = (),
        name_contains: str = "",
        mesh_id: str = "",
        page_size: int = 100,
    ) -> AsyncIterator[job_pb2.Job]:
        """Jobs, the newest first, without their analyses."""
        request = job_pb2.ListJobsRequest(
            states=list(states), name_contains=name_contains, mesh_id=mesh_id, page_size=page_size
        )
        while True:
            page = await self._ask(self._jobs.ListJobs, request)
            for job in page.jobs:
                yield job
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def cancel(self, job_id: str) -> job_pb2.Job:
        """Ask for the end of a job."""
        return await self._ask(self._jobs.CancelJob, job_pb2.CancelJobRequest(job_id=job_id))

    async def delete_job(self, job_id: str) -> None:
        """Remove a job that has ended, with its results."""
        await self._ask(self._jobs.DeleteJob, job_pb2.DeleteJobRequest(job_id=job_id), repeat=False)

    async def watch(self, job_id: str, after_sequence: int = 0) -> AsyncIterator[job_pb2.JobEvent]:
        """All events of a job; a lost connection is taken up again, see `Client.watch`."""
        watching = Watching(job_id, after_sequence)
        while True:
            call = self._jobs.WatchJob(watching.request())
            try:
                async for event in call:
                    watching.seen(event)
                    yield event
                    if is_last(event):
                        return
            except grpc.RpcError as error:
                watching.lost(error, self.address)
                await asyncio.sleep(BROKEN_SECONDS)
                await self._revive()
            else:
                # The server ended the stream without the last event: that was known, or the server is stopping.
                if watching.is_over(await self.job(job_id)):
                    return
                await asyncio.sleep(ENDED_SECONDS)
            finally:
                call.cancel()

    async def logs(self, job_id: str, offset: int = 0, *, follow: bool = False) -> AsyncIterator[bytes]:
        """What solver and launcher printed, from an offset."""
        attempt = 0
        while True:
            call = self._jobs.ReadLog(job_pb2.ReadLogRequest(job_id=job_id, offset=offset, follow=follow))
            try:
                async for chunk in call:
                    attempt = 0
                    offset = chunk.offset + len(chunk.data)
                    yield chunk.data
                return
            except grpc.RpcError as error:
                await self._pause(error, attempt)
                attempt += 1
            finally:
                call.cancel()

    async def result(self, job_id: str) -> result_pb2.Result:
        """The summary of a job that succeeded."""
        return await self._ask(self._results.GetResult, result_pb2.GetResultRequest(job_id=job_id))

    async def field(
        self,
        job_id: str,
        name: str,
        *,
        step: str = "",
        frame: int | str = 0,
        region: str = "",
        component: str = "",
        location: analysis_pb2.Location = analysis_pb2.LOCATION_NODE,
        out: str | Path | None = None,
    ) -> Any:
        """A field of a result, see `Client.field`."""
        request = result_pb2.ReadFieldRequest(
            job_id=job_id,
            name=name,
            step=step,
            frame=0 if isinstance(frame, str) else operator.index(frame),
            frame_name=frame if isinstance(frame, str) else "",
            region=region,
            component=component,
            location=location,
        )
        receiver = array_receiver(out)

        async def read(_attempt: int) -> Array:
            request.offset = receiver.received_bytes
            await _take(self._results.ReadField(request), receiver.add)
            arrays = receiver.finish()
            if not arrays:
                raise DataLoss("RECEIVED_BYTES_DAMAGED", name=name)
            return next(iter(arrays.values()))

        try:
            return (await self._retried(read)).best()
        except BaseException:
            receiver.abandon()
            raise

    async def artifact(self, job_id: str, info: result_pb2.ArtifactInfo, target: str | Path) -> Path:
        """Fetch a file of a result, see `Client.artifact`."""
        receiver = FileReceiver(Path(target))

        async def read(_attempt: int) -> None:
            request = result_pb2.ReadArtifactRequest(job_id=job_id, name=info.name, offset=receiver.received_bytes)
            await _take(self._results.ReadArtifact(request), receiver.add)

        try:
            await self._retried(read)
            receiver.finish(info.sha256)
        except BaseException:
            receiver.abandon()
            raise
        return Path(target)

    async def _ask(
        self, method: Callable[..., Awaitable[_T]], request: Any, *, seconds: float = QUICK_SECONDS, repeat: bool = True
    ) -> _T:
        async def call(_attempt: int) -> _T:
            return await method(request, timeout=seconds)

        return await self._retried(call, repeat=repeat)

    async def _retried(self, call: Callable[[int], Awaitable[_T]], *, repeat: bool = True) -> _T:
        attempt = 0
        while True:
            try:
                return await call(attempt)
            except grpc.RpcError as error:
                if not repeat:
                    raise from_rpc(error, self.address) from error
                await self._pause(error, attempt)
                attempt += 1

    async def _pause(self, error: grpc.RpcError, attempt: int) -> None:
        await asyncio.sleep(delay(error, attempt, self.address))
        await self._revive()

    async def _revive(self) -> None:
        if self.private is not None:
            await asyncio.to_thread(self.private.ensure)


async def _take(pieces: AsyncIterator[_T], add: Callable[[_T], None]) -> None:
    """Hand pieces to a receiver, whose checksums are not for the event loop; while one is taken the next arrives."""
    taking: asyncio.Future[None] | None = None
    try:
        async for piece in pieces:
            if taking is not None:
                await asyncio.shield(taking)
            taking = asyncio.ensure_future(asyncio.to_thread(add, piece))
        if taking is not None:
            await asyncio.shield(taking)
    finally:
        # Who comes back after a broken stream asks the receiver how much it has.
        if taking is not None:
            await asyncio.wait([taking])
            taking.exception()
