"""JobService: decode, call, encode."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import Callable

import grpc
from google.protobuf import empty_pb2, timestamp_pb2

from dougong.internal import run_pb2
from dougong.messages import InputError, ResourceLimit
from dougong.server.api.limits import Checks, check_id, make_page_token, page_size, read_page_token
from dougong.server.api.owner import LOCAL_OWNER
from dougong.server.arrays import read_piece
from dougong.server.checker import Checker
from dougong.server.config import Config
from dougong.server.datafolder import DataFolder
from dougong.server.inputs import Found, Inputs
from dougong.server.jobs.history import History
from dougong.server.jobs.model import State
from dougong.server.jobs.scheduler import Scheduler
from dougong.server.jobs.store import JobFilter, JobRecord, JobStore, NewJob, wire_state
from dougong.server.jobs.watch import WatchHub
from dougong.server.meshes import MeshLibrary
from dougong.server.uninterrupted import uninterrupted
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2, job_pb2_grpc

Context = grpc.aio.ServicerContext

_FOLLOW_SECONDS = 0.2


class JobService(job_pb2_grpc.JobServiceServicer):
    """Jobs: one analysis, solved once."""

    def __init__(
        self,
        store: JobStore,
        scheduler: Scheduler,
        hub: WatchHub,
        library: MeshLibrary,
        checker: Checker,
        history: History,
        folder: DataFolder,
        new_job_id: Callable[[], str],
        config: Config,
    ) -> None:
        self._store = store
        self._scheduler = scheduler
        self._hub = hub
        self._library = library
        self._checker = checker
        self._history = history
        self._folder = folder
        self._inputs = Inputs(store, library, folder)
        self._new_job_id = new_job_id
        self._config = config

    async def ValidateAnalysis(
        self, request: job_pb2.ValidateAnalysisRequest, context: Context
    ) -> job_pb2.ValidateAnalysisResponse:
        """Everything that is wrong with an analysis."""
        reply, _ = await self._check(request.analysis, job_pb2.Resources(ranks=1))
        response = job_pb2.ValidateAnalysisResponse(violations=reply.violations, notices=reply.notices)
        if not reply.violations:
            response.estimate.CopyFrom(await self._history.correct(reply.kind, reply.estimate))
        return response

    async def EstimateJob(self, request: job_pb2.EstimateJobRequest, context: Context) -> job_pb2.Estimate:
        """What a job would cost."""
        reply, _ = await self._check(request.analysis, self._resources(request.resources))
        if reply.violations:
            raise InputError(list(reply.violations))
        return await self._history.correct(reply.kind, reply.estimate)

    async def SubmitJob(self, request: job_pb2.SubmitJobRequest, context: Context) -> job_pb2.Job:
        """Accept a job."""
        checks = Checks()
        request_id = checks.uuid(request.request_id, "request_id")
        checks.done()
        resources = self._resources(request.resources)
        content = _content_sha256(request.analysis, resources)
        # Asked first: a repeated request gets its job, whatever has become of the mesh since.
        job = await self._store.find_request(LOCAL_OWNER, request_id, content)
        if job is None:
            reply, inputs = await self._check(request.analysis, resources)
            if reply.violations:
                raise InputError(list(reply.violations))
            predicted = run_pb2.Prediction(kind=reply.kind, estimate=reply.estimate)
            new = NewJob(self._new_job_id(), LOCAL_OWNER, request_id, content, request.analysis, resources, predicted)
            job = await uninterrupted(self._accept(new, inputs))
        return job_message(job)

    async def _accept(self, new: NewJob, inputs: Found) -> JobRecord:
        accepted = None
        try:
            await self._inputs.keep(new.job_id, inputs)
            accepted = await self._store.submit(new)
        finally:
            # The same request, sent twice at a time, is one job: the first of them.
            if inputs.files and (accepted is None or accepted.job_id != new.job_id):
                await asyncio.to_thread(shutil.rmtree, self._folder.job(new.job_id), ignore_errors=True)
        self._scheduler.add(accepted)
        return accepted

    async def _check(
        self, analysis: analysis_pb2.Analysis, resources: job_pb2.Resources
    ) -> tuple[run_pb2.CheckReply, Found]:
        """What the check process says of an analysis, and what other jobs have for it."""
        checks = Checks()
        size, limit = analysis.ByteSize(), self._config.max_analysis_bytes
        if size > limit:
            checks.add("ANALYSIS_TOO_LARGE", "analysis", size_bytes=size, limit_bytes=limit)
        checks.text(analysis.name, "name")
        if not analysis.mesh:
            checks.add("FIELD_MISSING", "mesh", name="mesh")
        checks.text(analysis.mesh, "mesh", 200)
        checks.done()
        await self._library.record(LOCAL_OWNER, analysis.mesh)
        inputs = await self._inputs.find(analysis, LOCAL_OWNER)
        reply = await self._checker.check(analysis, self._library.directory(analysis.mesh), resources)
        reply.violations.extend(inputs.violations)
        return reply, inputs

    def _resources(self, asked: job_pb2.Resources) -> job_pb2.Resources:
        """The resources with defaults filled in."""
        resources = job_pb2.Resources()
        resources.CopyFrom(asked)
        checks = Checks()
        checks.range(asked.ranks, "resources.ranks", 0)
        checks.range(asked.memory_bytes, "resources.memory_bytes", 0)
        cluster, cores, most_seconds = self._config.cluster, self._config.cores, None
        if cluster is None:
            if asked.partition:
                checks.add("NO_PARTITIONS", "resources.partition", partition=asked.partition[:100])
        elif asked.partition and asked.partition not in cluster.partitions:
            known = ", ".join(cluster.partitions)
            checks.add("PARTITION_UNKNOWN", "resources.partition", partition=asked.partition[:100], known=known)
        else:
            _, partition = cluster.partition(asked.partition)
            cores = min(cores, partition.cores * partition.nodes)
            most_seconds = partition.time_limit_seconds or None
        checks.range(asked.time_limit_seconds, "resources.time_limit_seconds", 0, most_seconds)
        checks.done()
        resources.ranks = asked.ranks or 1
        if resources.ranks > cores:
            raise ResourceLimit("TOO_MANY_RANKS", ranks=resources.ranks, cores=cores)
        return resources

    async def GetJob(self, request: job_pb2.GetJobRequest, context: Context) -> job_pb2.Job:
        """A job."""
        check_id(request.job_id, "job_id")
        return job_message(await self._store.get(request.job_id, LOCAL_OWNER))

    async def ListJobs(self, request: job_pb2.ListJobsRequest, context: Context) -> job_pb2.ListJobsResponse:
        """Jobs, newest first."""
        size = page_size(request.page_size)
        checks = Checks()
        names = {wire_state(s): s for s in State}
        for k, number in enumerate(request.states):
            if number not in names:
                checks.add("VALUE_OUT_OF_RANGE", f"states[{k}]", value=number, expected="1..6")
        checks.text(request.name_contains, "name_contains")
        checks.text(request.mesh_id, "mesh_id", 200)
        checks.done()
        states = tuple(names[number] for number in request.states)
        wanted = JobFilter(LOCAL_OWNER, states, request.name_contains, request.mesh_id)
        jobs = await self._store.page(wanted, read_page_token(request.page_token, wanted), size + 1)
        response = job_pb2.ListJobsResponse(jobs=[job_message(job, with_analysis=False) for job in jobs[:size]])
        if len(jobs) > size:
            response.next_page_token = make_page_token(jobs[size - 1].number, wanted)
        return response

    async def CancelJob(self, request: job_pb2.CancelJobRequest, context: Context) -> job_pb2.Job:
        """Ask for the end of a job."""
        check_id(request.job_id, "job_id")
        return job_message(await uninterrupted(self._cancel(request.job_id)))

    async def _cancel(self, job_id: str) -> JobRecord:
        job = await self._store.request_cancel(job_id, LOCAL_OWNER)
        self._scheduler.cancel(job)
        return job

    async def DeleteJob(self, request: job_pb2.DeleteJobRequest, context: Context) -> empty_pb2.Empty:
        """Remove a job that has ended, with all its bytes."""
        check_id(request.job_id, "job_id")
        await uninterrupted(self._delete(request.job_id))
        return empty_pb2.Empty()

    async def _delete(self, job_id: str) -> None:
        await self._store.delete(job_id, LOCAL_OWNER)
        self._hub.forget(job_id)
        # Should the server die here, the next one finds a folder without a job and removes it.
        await asyncio.to_thread(shutil.rmtree, self._folder.job(job_id), ignore_errors=True)

    async def WatchJob(self, request: job_pb2.WatchJobRequest, context: Context) -> None:
        """Events of a job: past ones, then those to come."""
        check_id(request.job_id, "job_id")
        job = await self._store.get(request.job_id, LOCAL_OWNER)
        checks = Checks()
        # Beyond the last event there is nothing to wait for: the event that ends the job may come before.
        checks.range(request.after_sequence, "after_sequence", 0, job.last_sequence)
        checks.done()
        if job.state.terminal and request.after_sequence >= job.last_sequence:
            return
        patience = self._config.watcher_patience_seconds
        events = self._hub.watch(request.job_id, request.after_sequence, self._store.events)
        async with contextlib.aclosing(events):
            async for event in events:
                try:
                    await asyncio.wait_for(context.write(event), patience)
                except TimeoutError:
                    raise ResourceLimit("WATCHER_TOO_SLOW", seconds=f"{patience:g}") from None

    async def ReadLog(self, request: job_pb2.ReadLogRequest, context: Context) -> None:
        """What solver and launcher printed: the logs of all attempts, one after the other."""
        check_id(request.job_id, "job_id")
        checks = Checks()
        checks.range(request.offset, "offset", 0)
        checks.done()
        offset = request.offset
        while True:
            # The state first: once the job has ended, nothing is added to what is read afterwards.
            job = await self._store.get(request.job_id, LOCAL_OWNER)
            while data := await asyncio.to_thread(self._read_log, job, offset):
                await context.write(job_pb2.LogChunk(offset=offset, data=data))
                offset += len(data)
            if job.state.terminal or not request.follow:
                return
            self._hub.check_open()
            await asyncio.sleep(_FOLLOW_SECONDS)

    def _read_log(self, job: JobRecord, offset: int) -> bytes:
        for attempt in range(1, job.attempts + 1):
            path = self._folder.attempt(job.job_id, attempt) / rundir.LOG
            size = path.stat().st_size if path.exists() else 0
            if offset < size:
                return read_piece(path, offset, self._config.chunk_bytes)
            offset -= size
        return b""


def job_message(job: JobRecord, *, with_analysis: bool = True) -> job_pb2.Job:
    """A job as it is told."""
    message = job_pb2.Job(
        job_id=job.job_id,
        name=job.name,
        state=wire_state(job.state),
        create_time=_time(job.create_time),
        start_time=_time(job.start_time),
        end_time=_time(job.end_time),
        resources=job_pb2.Resources.FromString(job.resources),
        attempts=job.attempts,
        cancel_requested=job.cancel_requested,
        last_sequence=job.last_sequence,
    )
    if with_analysis:
        message.analysis.ParseFromString(job.analysis)
    if job.failure is not None:
        message.failure.ParseFromString(job.failure)
    if job.progress is not None:
        message.progress.ParseFromString(job.progress)
    return message


def _time(nanoseconds: int | None) -> timestamp_pb2.Timestamp | None:
    if nanoseconds is None:
        return None
    return timestamp_pb2.Timestamp(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)


def _content_sha256(analysis: analysis_pb2.Analysis, resources: job_pb2.Resources) -> str:
    digest = hashlib.sha256(analysis.SerializeToString(deterministic=True))
    digest.update(b"\n" + resources.SerializeToString(deterministic=True))
    return digest.hexdigest()
