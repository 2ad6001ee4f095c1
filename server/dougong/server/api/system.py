"""SystemService: what this server can do."""

from __future__ import annotations

import grpc

from dougong.server.checker import Checker
from dougong.server.config import Config
from dougong.server.formats import describe_formats
from dougong.server.version import VERSION
from dougong.v1 import system_pb2, system_pb2_grpc


class SystemService(system_pb2_grpc.SystemServiceServicer):
    """What this server can do."""

    def __init__(self, checker: Checker, executor: str, config: Config) -> None:
        self._checker = checker
        self._executor = executor
        self._config = config

    async def GetCapabilities(
        self, request: system_pb2.GetCapabilitiesRequest, context: grpc.aio.ServicerContext
    ) -> system_pb2.Capabilities:
        """Formats, cell types, procedures and limits."""
        hello = await self._checker.hello()
        return system_pb2.Capabilities(
            dougong_version=VERSION,
            mesh_formats=describe_formats(),
            cell_types=hello.cell_types,
            procedures=hello.procedures,
            cores=self._config.cores,
            executor=self._executor,
            max_message_bytes=self._config.max_message_bytes,
            chunk_bytes=self._config.chunk_bytes,
            max_mesh_bytes=self._config.max_mesh_bytes,
            max_queued_jobs=self._config.max_queued_jobs,
        )
