from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Capabilities(_message.Message):
    __slots__ = ["cell_types", "chunk_bytes", "cores", "dougong_version", "executor", "max_mesh_bytes", "max_message_bytes", "max_queued_jobs", "mesh_formats", "procedures"]
    CELL_TYPES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    CORES_FIELD_NUMBER: _ClassVar[int]
    DOUGONG_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXECUTOR_FIELD_NUMBER: _ClassVar[int]
    MAX_MESH_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUED_JOBS_FIELD_NUMBER: _ClassVar[int]
    MESH_FORMATS_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    cell_types: _containers.RepeatedScalarFieldContainer[str]
    chunk_bytes: int
    cores: int
    dougong_version: str
    executor: str
    max_mesh_bytes: int
    max_message_bytes: int
    max_queued_jobs: int
    mesh_formats: _containers.RepeatedCompositeFieldContainer[MeshFormat]
    procedures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dougong_version: _Optional[str] = ..., mesh_formats: _Optional[_Iterable[_Union[MeshFormat, _Mapping]]] = ..., cell_types: _Optional[_Iterable[str]] = ..., procedures: _Optional[_Iterable[str]] = ..., cores: _Optional[int] = ..., executor: _Optional[str] = ..., max_message_bytes: _Optional[int] = ..., chunk_bytes: _Optional[int] = ..., max_mesh_bytes: _Optional[int] = ..., max_queued_jobs: _Optional[int] = ...) -> None: ...

class GetCapabilitiesRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class MeshFormat(_message.Message):
    __slots__ = ["description", "name", "suffixes", "unavailable_reason"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUFFIXES_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    description: str
    name: str
    suffixes: _containers.RepeatedScalarFieldContainer[str]
    unavailable_reason: str
    def __init__(self, name: _Optional[str] = ..., suffixes: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., unavailable_reason: _Optional[str] = ...) -> None: ...
