"""The synchronous client.

with Client() as client:
    mesh = client.upload_mesh("bracket.msh")
    job = client.submit(analysis)
    for event in client.watch(job.job_id): ...
    stress = client.field(job.job_id, "von_mises")
"""

from __future__ import annotations

import operator
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import grpc

from dougong.client.errors import ServerUnreachable, from_rpc
from dougong.client.library import with_library, with_near_names
from dougong.client.patience import BROKEN_SECONDS, ENDED_SECONDS, TERMINAL_STATES, Watching, delay, is_last
from dougong.client.private import PrivateServer, data_folder
from dougong.client.receive import Array, ArrayReceiver, FileReceiver, array_receiver
from dougong.client.transfer import MeshFile, ProgressCallback
from dougong.client.transport import (
    QUICK_SECONDS,
    THOROUGH_SECONDS,
    check_address,
    open_channel,
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


class Client:
    """A connection to a server.

    Parameters
    ----------
    address
        ``unix:PATH`` or ``HOST:PORT``. Default: DOUGONG_SERVER, else the private server of the data folder, which is
        started when it does not run.

    Raises
    ------
    InputError
        The address cannot be understood.
    ServerUnreachable
        The private server could not be started. (Whether a server answers at an address shows at the first call.)
    """

    def __init__(self, address: str | None = None) -> None:
        chosen = address or os.environ.get("DOUGONG_SERVER")
        self.private = None if chosen else PrivateServer(data_folder())
        self.address = check_address(chosen) if chosen else ""
        if self.private is not None:
            self.address = check_address(self.private.ensure())
        self._channel = open_channel(self.address)
        channel: Any = self._channel
        self._meshes = mesh_pb2_grpc.MeshServiceStub(channel)
        self._jobs = job_pb2_grpc.JobServiceStub(channel)
        self._results = result_pb2_grpc.ResultServiceStub(channel)
        self._system = system_pb2_grpc.SystemServiceStub(channel)
        use_bulk_messages(channel, self._meshes, self._results)
        self._capabilities: system_pb2.Capabilities | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # An interrupt that struck inside the library may have left a lock taken, which closing would wait for.
        if kind is None or not issubclass(kind, KeyboardInterrupt):
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    # What the server can do

    def capabilities(self) -> system_pb2.Capabilities:
        """What the server can do; asked once."""
        if self._capabilities is None:
            self._capabilities = self._ask(self._system.GetCapabilities, system_pb2.GetCapabilitiesRequest())
        return self._capabilities

    # Meshes

    def upload_mesh(
        self, path: str | Path, *, format_name: str = "", progress: ProgressCallback | None = None
    ) -> mesh_pb2.Mesh:
        """Bring a mesh file to the server; nothing is sent when it is there already.

        Parameters
        ----------
        path
            The file.
        format_name
            A format of the capabilities. Empty: found from name and content.
        progress
            Told how many bytes of how many have been sent; called from another thread.

        Raises
        ------
        NotFound
            The file cannot be read.
        InputError
            The server cannot use it as a mesh; the violations say where and why.
        ResourceLimit
            It is too large for the server.
        """
        file = MeshFile.read(path)
        capabilities = self.capabilities()
        ids = file.possible_ids(capabilities.mesh_formats, format_name)
        if ids:
            reply = self._ask(self._meshes.FindMissing, mesh_pb2.FindMissingRequest(mesh_ids=ids))
            there = [i for i in ids if i not in reply.missing_mesh_ids]
            if there:
                return self.mesh(there[0])
        upload_id = str(uuid.uuid4())
        chunk_bytes = capabilities.chunk_bytes or 1 << 20
        return self._retried(lambda attempt: self._upload(file, upload_id, format_name, chunk_bytes, progress, attempt))

    def _upload(
        self,
        file: MeshFile,
        upload_id: str,
        declared: str,
        chunk_bytes: int,
        progress: ProgressCallback | None,
        attempt: int,
    ) -> mesh_pb2.Mesh:
        offset = 0
        if attempt:
            try:
                query = mesh_pb2.QueryUploadRequest(upload_id=upload_id)
                offset = self._meshes.QueryUpload(query, timeout=QUICK_SECONDS).committed_bytes
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise

        def messages() -> Iterator[mesh_pb2.UploadMeshRequest | bytes]:
            yield file.header(upload_id, declared)
            yield from file.chunks(offset, chunk_bytes, progress)

        upload: Any = self._meshes.UploadMesh
        call = upload.future(messages())
        try:
            reply: mesh_pb2.Mesh = call.result()
        except BaseException:
            call.cancel()
            raise
        return reply

    def mesh(self, mesh_id: str) -> mesh_pb2.Mesh:
        """A stored mesh: its counts, regions and quality."""
        return self._ask(self._meshes.GetMesh, mesh_pb2.GetMeshRequest(mesh_id=mesh_id))

    def meshes(self) -> Iterator[mesh_pb2.Mesh]:
        """All meshes of this user."""
        token = ""
        while True:
            page = self._ask(self._meshes.ListMeshes, mesh_pb2.ListMeshesRequest(page_token=token))
            yield from page.meshes
            token = page.next_page_token
            if not token:
                return

    def delete_mesh(self, mesh_id: str) -> None:
        """Remove a mesh."""
        self._ask(self._meshes.DeleteMesh, mesh_pb2.DeleteMeshRequest(mesh_id=mesh_id), repeat=False)

    def mesh_arrays(self, mesh_id: str, arrays: Sequence[str] = ()) -> dict[str, Any]:
        """Arrays of a stored mesh, by name, see ReadMeshRequest; numpy arrays where numpy is installed."""
        return self._read_mesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh_id, arrays=arrays))

    def skin(self, mesh_id: str) -> dict[str, Any]:
        """The skin of a mesh: points, node_index, triangles, edges, see ReadMeshRequest."""
        return self._read_mesh(mesh_pb2.ReadMeshRequest(mesh_id=mesh_id, skin=True))

    def _read_mesh(self, request: mesh_pb2.ReadMeshRequest) -> dict[str, Any]:
        def read(_attempt: int) -> dict[str, Array]:
            receiver = ArrayReceiver()
            for chunk in self._meshes.ReadMesh(request):
                receiver.add(chunk)
            return receiver.finish()

        return {name: array.best() for name, array in self._retried(read).items()}

    # Jobs

    def validate(self, analysis: analysis_pb2.Analysis) -> job_pb2.ValidateAnalysisResponse:
        """Everything that is wrong with an analysis; nothing is submitted."""
        request = job_pb2.ValidateAnalysisRequest(analysis=with_library(analysis))
        checked = self._ask(self._jobs.ValidateAnalysis, request, seconds=THOROUGH_SECONDS)
        with_near_names(checked.violations)
        return checked

    def estimate(self, analysis: analysis_pb2.Analysis, resources: job_pb2.Resources | None = None) -> job_pb2.Estimate:
        """What a job would cost."""
        request = job_pb2.EstimateJobRequest(analysis=with_library(analysis), resources=resources)
        return self._ask(self._jobs.EstimateJob, request, seconds=THOROUGH_SECONDS)

    def submit(
        self,
        analysis: analysis_pb2.Analysis,
        resources: job_pb2.Resources | None = None,
        *,
        request_id: str | None = None,
    ) -> job_pb2.Job:
        """Hand in a job. When this returns, the job is safe.

        Parameters
        ----------
        analysis
            What to compute; `analysis.mesh` is a mesh id. Materials that its sections name and that it does not define
            are taken from the library, see `dougong.client.library`.
        resources
            Processes, memory, time.
        request_id
            A UUID. Handing in the same with the same id again gives the same job. Default: a new one.

        Raises
        ------
        InputError
            The analysis is wrong; all violations.
        """
        request = job_pb2.SubmitJobRequest(
            request_id=request_id or str(uuid.uuid4()), analysis=with_library(analysis), resources=resources
        )
        # The request id makes it safe to repeat.
        return self._ask(self._jobs.SubmitJob, request, seconds=THOROUGH_SECONDS)

    def job(self, job_id: str) -> job_pb2.Job:
        """A job as it stands."""
        return self._ask(self._jobs.GetJob, job_pb2.GetJobRequest(job_id=job_id))

    def jobs(
        self,
        *,
        states: Sequence[job_pb2.Job.State] = (),
        name_contains: str = "",
        mesh_id: str = "",
        page_size: int = 100,
    ) -> Iterator[job_pb2.Job]:
        """Jobs, the newest first, without their analyses; pages are fetched as they are needed."""
        request = job_pb2.ListJobsRequest(
            states=list(states), name_contains=name_contains, mesh_id=mesh_id, page_size=page_size
        )
        while True:
            page = self._ask(self._jobs.ListJobs, request)
            yield from page.jobs
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def cancel(self, job_id: str) -> job_pb2.Job:
        """Ask for the end of a job."""
        return self._ask(self._jobs.CancelJob, job_pb2.CancelJobRequest(job_id=job_id))

    def delete_job(self, job_id: str) -> None:
        """Remove a job that has ended, with its results."""
        self._ask(self._jobs.DeleteJob, job_pb2.DeleteJobRequest(job_id=job_id), repeat=False)

    def watch(self, job_id: str, after_sequence: int = 0) -> Iterator[job_pb2.JobEvent]:
        """All events of a job, those that have been and those to come; ends with the job.

        A lost connection is taken up again behind the last event seen.

        Raises
        ------
        ServerUnreachable
            The server stayed away.
        """
        watching = Watching(job_id, after_sequence)
        while True:
            call: Any = self._jobs.WatchJob(watching.request())
            try:
                for event in call:
                    watching.seen(event)
                    yield event
                    if is_last(event):
                        return
            except grpc.RpcError as error:
                watching.lost(error, self.address)
                time.sleep(BROKEN_SECONDS)
                self._revive()
            else:
                # The server ended the stream without the last event: that was known, or the server is stopping.
                if watching.is_over(self.job(job_id)):
                    return
                time.sleep(ENDED_SECONDS)
            finally:
                call.cancel()

    def logs(self, job_id: str, offset: int = 0, *, follow: bool = False) -> Iterator[bytes]:
        """What solver and launcher printed, from an offset; with `follow` until the job ends."""
        attempt = 0
        while True:
            request = job_pb2.ReadLogRequest(job_id=job_id, offset=offset, follow=follow)
            call: Any = self._jobs.ReadLog(request)
            try:
                for chunk in call:
                    attempt = 0
                    offset = chunk.offset + len(chunk.data)
                    yield chunk.data
                return
            except grpc.RpcError as error:
                self._pause(error, attempt)
                attempt += 1
            finally:
                call.cancel()

    # Results

    def result(self, job_id: str) -> result_pb2.Result:
        """The summary of a job that succeeded: extremes, reactions, balance, how it was solved, which fields."""
        return self._ask(self._results.GetResult, result_pb2.GetResultRequest(job_id=job_id))

    def field(
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
        """A field of a result.

        Parameters
        ----------
        job_id, name
            Which.
        step
            Default: the last.
        frame
            State of the step: its number, or its name, such as that of a load case.
        region
            Only the nodes or cells of this region.
        component
            Only this one.
        location
            Where its values live.
        out
            A file to write it to instead of keeping it in memory, in numpy's format (.npy); it appears there whole or
            not at all. What is returned is mapped from it.

        Returns
        -------
        ndarray or Array
            shape (n, components) or as the field's description says, in the units of the analysis; `Array` where
            numpy is not installed.

        Raises
        ------
        NotFound
            There is no such field or frame.
        DataLoss
            The bytes do not have their checksum.
        """
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

        def read(_attempt: int) -> Array:
            request.offset = receiver.received_bytes
            for chunk in self._results.ReadField(request):
                receiver.add(chunk)
            arrays = receiver.finish()
            if not arrays:
                raise DataLoss("RECEIVED_BYTES_DAMAGED", name=name)
            return next(iter(arrays.values()))

        try:
            return self._retried(read).best()
        except BaseException:
            receiver.abandon()
            raise

    def artifact(self, job_id: str, info: result_pb2.ArtifactInfo, target: str | Path) -> Path:
        """Fetch a file of a result.

        Parameters
        ----------
        job_id
            The job.
        info
            An entry of `Result.artifacts`.
        target
            Where to write it; it appears there whole or not at all.
        """
        receiver = FileReceiver(Path(target))

        def read(_attempt: int) -> None:
            request = result_pb2.ReadArtifactRequest(job_id=job_id, name=info.name, offset=receiver.received_bytes)
            for chunk in self._results.ReadArtifact(request):
                receiver.add(chunk)

        try:
            self._retried(read)
            receiver.finish(info.sha256)
        except BaseException:
            receiver.abandon()
            raise
        return Path(target)

    # Calls

    def _ask(
        self, method: Callable[..., _T], request: Any, *, seconds: float = QUICK_SECONDS, repeat: bool = True
    ) -> _T:
        return self._retried(lambda _attempt: method(request, timeout=seconds), repeat=repeat)

    def _retried(self, call: Callable[[int], _T], *, repeat: bool = True) -> _T:
        """Make a call; again when the server was not there and the call may be repeated."""
        attempt = 0
        while True:
            try:
                return call(attempt)
            except grpc.RpcError as error:
                if not repeat:
                    raise from_rpc(error, self.address) from error
                self._pause(error, attempt)
                attempt += 1

    def _pause(self, error: grpc.RpcError, attempt: int) -> None:
        """Wait before the next attempt, or raise what the error stands for."""
        time.sleep(delay(error, attempt, self.address))
        self._revive()

    def _revive(self) -> None:
        """Start the private server again if it has died; its jobs are on disk."""
        if self.private is not None:
            self.private.ensure()


__all__ = ["TERMINAL_STATES", "Client", "ServerUnreachable"]
