"""A server for tests of the client: real gRPC on a Unix socket, invented answers, faults on demand."""

import hashlib
import threading
import time
import zlib
from concurrent import futures

import grpc
import numpy as np
from google.protobuf import any_pb2, empty_pb2
from google.rpc import error_details_pb2, status_pb2

from dougong.messages import violation
from dougong.v1 import (
    analysis_pb2,
    job_pb2,
    job_pb2_grpc,
    mesh_pb2,
    mesh_pb2_grpc,
    options_pb2,
    result_pb2,
    result_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
)

J = job_pb2.Job
CHUNK = 1000


def status_bytes(code, message, *details):
    packed = []
    for detail in details:
        one = any_pb2.Any()
        one.Pack(detail)
        packed.append(one)
    return status_pb2.Status(code=code, message=message, details=packed).SerializeToString()


def refuse(context, code, message, *details):
    context.set_trailing_metadata((("grpc-status-details-bin", status_bytes(code.value[0], message, *details)),))
    context.abort(code, message)


def box_skin(n=6):
    """Surface of the box 4 x 1 x 1 as triangles with outward normals, and its twelve edges."""
    lines = [np.linspace(0, 4, 4 * n + 1), np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1)]
    points, triangles = [], []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (0, 1):
            grid_u, grid_v = np.meshgrid(lines[u], lines[v], indexing="ij")
            block = np.empty((grid_u.size, 3))
            block[:, axis] = lines[axis][-1] * side
            block[:, u], block[:, v] = grid_u.ravel(), grid_v.ravel()
            k = np.arange(grid_u.size).reshape(grid_u.shape) + sum(map(len, points))
            a, b, c, d = k[:-1, :-1].ravel(), k[1:, :-1].ravel(), k[1:, 1:].ravel(), k[:-1, 1:].ravel()
            faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
            points.append(block)
            triangles.append(faces if side else faces[:, ::-1])
    allp, tri = np.concatenate(points), np.concatenate(triangles)
    unique, inverse = np.unique(allp.round(9), axis=0, return_inverse=True)
    tri = inverse.reshape(-1)[tri]
    pairs = np.sort(np.concatenate([tri[:, [0, 1]], tri[:, [1, 2]], tri[:, [2, 0]]]), axis=1)
    pairs = np.unique(pairs, axis=0)
    ends = np.array([4.0, 1.0, 1.0])
    on = [((unique == 0) | (unique == ends))[pairs[:, k]] for k in (0, 1)]
    return unique, tri, pairs[(on[0] & on[1]).sum(axis=1) >= 2]


class FakeServer(
    mesh_pb2_grpc.MeshServiceServicer,
    job_pb2_grpc.JobServiceServicer,
    result_pb2_grpc.ResultServiceServicer,
    system_pb2_grpc.SystemServiceServicer,
):
    """Answers for every call; `faults` says which call fails how often, and after how many messages of a stream."""

    def __init__(self, socket):
        self.target = f"unix:{socket}"
        self.meshes, self.jobs, self.requests, self.partial = {}, {}, {}, {}
        self.faults, self.calls = {}, []
        self.end = J.STATE_SUCCEEDED
        self.violations = []
        self.earlier_jobs = 0
        self.hold = threading.Event()
        self.hold.set()
        self.points, self.triangles, self.edges = box_skin()
        self.displacement = np.zeros_like(self.points)
        self.displacement[:, 2] = -0.002 * self.points[:, 0] ** 2
        self.von_mises = 100 * (4 - self.points[:, 0]) * np.abs(self.points[:, 2] - 0.5)
        self.vtu = b"<VTKFile/>" * 500
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((_health(),))
        mesh_pb2_grpc.add_MeshServiceServicer_to_server(self, self._server)
        job_pb2_grpc.add_JobServiceServicer_to_server(self, self._server)
        result_pb2_grpc.add_ResultServiceServicer_to_server(self, self._server)
        system_pb2_grpc.add_SystemServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.target)
        self._server.start()

    def stop(self):
        self.hold.set()
        self._server.stop(0).wait()

    def _fault(self, context, name):
        self.calls.append(name)
        if self.faults.get(name, 0) > 0:
            self.faults[name] -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "for the test")

    def GetCapabilities(self, request, context):
        self._fault(context, "GetCapabilities")
        gmsh = system_pb2.MeshFormat(name="gmsh", suffixes=[".msh"], description="Gmsh 2.2 and 4.1")
        return system_pb2.Capabilities(
            dougong_version="0.1.0", mesh_formats=[gmsh], chunk_bytes=CHUNK, cores=2, executor="local"
        )

    # Meshes

    def FindMissing(self, request, context):
        return mesh_pb2.FindMissingResponse(missing_mesh_ids=[m for m in request.mesh_ids if m not in self.meshes])

    def QueryUpload(self, request, context):
        if request.upload_id not in self.partial:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such upload")
        return mesh_pb2.QueryUploadResponse(committed_bytes=len(self.partial[request.upload_id]))

    def UploadMesh(self, request_iterator, context):
        self.calls.append("UploadMesh")
        header = next(request_iterator).header
        data = self.partial.setdefault(header.upload_id, bytearray())
        cut = self.faults.pop("UploadMesh", None)
        for count, message in enumerate(request_iterator):
            if cut is not None and count >= cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            assert message.chunk.offset == len(data)
            data += message.chunk.data
        digest = hashlib.sha256(data).hexdigest()
        assert digest == header.sha256
        if data.startswith(b"bad"):
            found = violation("STORED_MESH_DAMAGED", "", file=header.file_name)
            refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                found.text,
                job_pb2.ValidateAnalysisResponse(violations=[found]),
            )
        mesh_id = hashlib.sha256(f"dougong-mesh\ngmsh\n{digest}\n".encode()).hexdigest()
        info = mesh_pb2.MeshInfo(
            dimension=3,
            node_count=len(self.points),
            cell_count=48,
            cell_types=[mesh_pb2.CellTypeCount(cell_type="hex8", count=48)],
            regions=[
                mesh_pb2.RegionInfo(name="tip", kind=2, size=9, measure=1.0, origin="physical group 2"),
                mesh_pb2.RegionInfo(name="body", kind=3, size=48, measure=4.0, origin="physical group 1"),
            ],
            bounding_box_min=[0, 0, 0],
            bounding_box_max=[4, 1, 1],
            quality=mesh_pb2.Quality(
                scaled_jacobian_histogram=[0, 0, 0, 0, 0, 1, 2, 5, 10, 30],
                min_scaled_jacobian=0.55,
                worst_scaled_jacobian_cell=17,
                aspect_histogram=[40, 8, 0, 0, 0, 0, 0, 0],
                max_aspect=2.5,
                worst_aspect_cell=3,
            ),
        )
        self.meshes[mesh_id] = mesh_pb2.Mesh(
            mesh_id=mesh_id, file_name=header.file_name, file_bytes=len(data), format="gmsh", info=info
        )
        return self.meshes[mesh_id]

    def GetMesh(self, request, context):
        return self.meshes[request.mesh_id]

    def ListMeshes(self, request, context):
        return mesh_pb2.ListMeshesResponse(meshes=self.meshes.values())

    def DeleteMesh(self, request, context):
        del self.meshes[request.mesh_id]
        return empty_pb2.Empty()

    def ReadMesh(self, request, context):
        yield from array_chunks("points", self.points)
        yield from array_chunks("node_index", np.arange(len(self.points), dtype=np.int64))
        yield from array_chunks("triangles", self.triangles.astype(np.int32))
        yield from array_chunks("edges", self.edges.astype(np.int32))

    # Jobs

    def ValidateAnalysis(self, request, context):
        return job_pb2.ValidateAnalysisResponse(
            violations=self.violations,
            estimate=job_pb2.Estimate(
                dofs=300, memory_bytes=10**8, seconds=2, solver="direct", earlier_jobs=self.earlier_jobs
            ),
        )

    def SubmitJob(self, request, context):
        self.calls.append("SubmitJob")
        if self.violations:
            refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "the analysis is not valid",
                error_details_pb2.ErrorInfo(reason=self.violations[0].reason, domain="dougong"),
                job_pb2.ValidateAnalysisResponse(violations=self.violations),
            )
        if request.request_id not in self.requests:
            job_id = hashlib.sha256(request.request_id.encode()).hexdigest()[:26]
            job = J(job_id=job_id, name=request.analysis.name, state=J.STATE_QUEUED, analysis=request.analysis)
            job.resources.CopyFrom(request.resources)
            job.create_time.GetCurrentTime()
            self.requests[request.request_id] = self.jobs[job_id] = job
        reply = J()
        reply.CopyFrom(self.requests[request.request_id])
        if self.faults.pop("SubmitJob.reply", None):
            context.abort(grpc.StatusCode.UNAVAILABLE, "accepted, but the reply is lost")
        return reply

    def _job(self, job_id, context):
        if job_id not in self.jobs:
            refuse(
                context,
                grpc.StatusCode.NOT_FOUND,
                "no such job",
                error_details_pb2.ErrorInfo(reason="A_REASON_OF_THE_FUTURE", domain="dougong"),
                error_details_pb2.LocalizedMessage(locale="zh-CN", message="没有这个作业"),
            )
        return self.jobs[job_id]

    def GetJob(self, request, context):
        self._fault(context, "GetJob")
        return self._job(request.job_id, context)

    def ListJobs(self, request, context):
        jobs = list(self.jobs.values())
        first = int(request.page_token or 0)
        last = first + 2
        return job_pb2.ListJobsResponse(jobs=jobs[first:last], next_page_token=str(last) if last < len(jobs) else "")

    def CancelJob(self, request, context):
        job = self._job(request.job_id, context)
        job.cancel_requested = True
        self.end = J.STATE_CANCELLED
        self.hold.set()
        return job

    def DeleteJob(self, request, context):
        self._job(request.job_id, context)
        del self.jobs[request.job_id]
        return empty_pb2.Empty()

    def WatchJob(self, request, context):
        self.calls.append("WatchJob")
        job = self._job(request.job_id, context)
        cut = self.faults.pop("WatchJob", None)
        solving = [
            job_pb2.Progress(
                stage="solve",
                step="step-1",
                iteration=10 * k,
                residual=10.0 ** -(2 * k),
                target_residual=1e-8,
                dofs=300,
            )
            for k in range(1, 5)
        ]
        events = [
            J.STATE_QUEUED,
            J.STATE_PREPARING,
            J.STATE_RUNNING,
            job_pb2.Progress(stage="assemble"),
            *solving,
            None,
        ]
        for sequence, content in enumerate(events, 1):
            if sequence <= request.after_sequence:
                continue
            if cut is not None and sequence > cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            if content is None:
                while not self.hold.wait(0.05):
                    if not context.is_active():
                        return
                content = self.end
            event = job_pb2.JobEvent(job_id=job.job_id, sequence=sequence)
            if isinstance(content, int):
                job.state = content
                event.state.state = content
                if content == J.STATE_FAILED:
                    found = violation("RESULT_DAMAGED", file="x")
                    job.failure.reason, job.failure.text, job.failure.text_zh = found.reason, found.text, found.text_zh
                    event.state.failure.CopyFrom(job.failure)
            else:
                event.progress.CopyFrom(content)
            job.last_sequence = sequence
            yield event

    def ReadLog(self, request, context):
        self.calls.append("ReadLog")
        text = b"".join(b"line %d\n" % k for k in range(100))
        cut = self.faults.pop("ReadLog", None)
        for start in range(request.offset, len(text), 100):
            if cut is not None and start >= cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            yield job_pb2.LogChunk(offset=start, data=text[start : start + 100])

    # Results

    def GetResult(self, request, context):
        self._job(request.job_id, context)
        worst, tip = int(self.von_mises.argmax()), int(self.displacement[:, 2].argmin())
        step = result_pb2.StepResult(
            name="step-1",
            procedure="static",
            dofs=300,
            constrained_dofs=27,
            extremes=[
                result_pb2.Extreme(
                    field="displacement_magnitude", max=0.032, max_node=tip + 1, max_point=self.points[tip]
                ),
                result_pb2.Extreme(
                    field="von_mises", max=self.von_mises.max(), max_node=worst + 1, max_point=self.points[worst]
                ),
            ],
            reactions=[result_pb2.RegionSum(region="root", sum=[0, 0, 1000])],
            balance=result_pb2.Balance(
                load_sum=[0, 0, -1000],
                reaction_sum=[0, 0, 1000],
                equilibrium_error=1e-12,
                internal_energy=16,
                external_work=16,
                energy_error=1e-13,
            ),
            solve=result_pb2.SolveRecord(
                method="sparse direct (MUMPS)", why="300 degrees of freedom", iterations=1, backward_error=3e-17
            ),
        )
        return result_pb2.Result(
            job_id=request.job_id,
            steps=[step],
            fields=[
                field_info("displacement", ["x", "y", "z"], self.displacement, options_pb2.DIMENSION_LENGTH),
                field_info("von_mises", [], self.von_mises, options_pb2.DIMENSION_PRESSURE),
            ],
            artifacts=[
                result_pb2.ArtifactInfo(
                    name="result-step-1.vtu",
                    media_type="application/vnd.vtk",
                    size_bytes=len(self.vtu),
                    sha256=hashlib.sha256(self.vtu).hexdigest(),
                )
            ],
            stage_times=[
                result_pb2.StageTime(stage="assemble", seconds=0.1),
                result_pb2.StageTime(stage="solve", seconds=1),
            ],
        )

    def ReadField(self, request, context):
        self.asked = request
        array = {"displacement": self.displacement, "von_mises": self.von_mises}.get(request.name)
        if array is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such field")
        cut = self.faults.pop("ReadField", None)
        for count, chunk in enumerate(array_chunks(request.name, array, request.offset)):
            if cut is not None and count >= cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            if self.faults.get("damage"):
                chunk.crc32 ^= 1
            yield chunk

    def ReadArtifact(self, request, context):
        cut = self.faults.pop("ReadArtifact", None)
        for start in range(request.offset, len(self.vtu), CHUNK):
            if cut is not None and start >= cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            data = self.vtu[start : start + CHUNK]
            yield result_pb2.ArtifactChunk(offset=start, data=data, crc32=zlib.crc32(data))


def field_info(name, components, array, dimension):
    return result_pb2.FieldInfo(
        name=name,
        step="step-1",
        location=analysis_pb2.LOCATION_NODE,
        components=components,
        shape=array.shape,
        dtype=mesh_pb2.DATA_TYPE_FLOAT64,
        dimension=dimension,
    )


def array_chunks(name, array, offset=0):
    kinds = {"f8": mesh_pb2.DATA_TYPE_FLOAT64, "i8": mesh_pb2.DATA_TYPE_INT64, "i4": mesh_pb2.DATA_TYPE_INT32}
    data = np.ascontiguousarray(array).tobytes()
    first = mesh_pb2.ArrayChunk(name=name, dtype=kinds[array.dtype.str[1:]], shape=array.shape)
    for start in range(offset, len(data), CHUNK):
        chunk = first if start == offset else mesh_pb2.ArrayChunk()
        chunk.offset, chunk.data = start, data[start : start + CHUNK]
        chunk.crc32 = zlib.crc32(chunk.data)
        yield chunk


def _health():
    check = grpc.unary_unary_rpc_method_handler(
        lambda request, context: b"\x08\x01", request_deserializer=bytes, response_serializer=bytes
    )
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
