from dougong.v1 import analysis_pb2 as _analysis_pb2
from dougong.v1 import job_pb2 as _job_pb2
from dougong.v1 import mesh_pb2 as _mesh_pb2
from dougong.v1 import result_pb2 as _result_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckHello(_message.Message):
    __slots__ = ["cell_types", "procedures"]
    CELL_TYPES_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    cell_types: _containers.RepeatedScalarFieldContainer[str]
    procedures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cell_types: _Optional[_Iterable[str]] = ..., procedures: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckReply(_message.Message):
    __slots__ = ["estimate", "kind", "notices", "sequence", "violations"]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    estimate: _job_pb2.Estimate
    kind: str
    notices: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Notice]
    sequence: int
    violations: _containers.RepeatedCompositeFieldContainer[_job_pb2.Violation]
    def __init__(self, sequence: _Optional[int] = ..., violations: _Optional[_Iterable[_Union[_job_pb2.Violation, _Mapping]]] = ..., notices: _Optional[_Iterable[_Union[_mesh_pb2.Notice, _Mapping]]] = ..., estimate: _Optional[_Union[_job_pb2.Estimate, _Mapping]] = ..., kind: _Optional[str] = ...) -> None: ...

class CheckRequest(_message.Message):
    __slots__ = ["analysis", "mesh_directory", "resources", "sequence"]
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    MESH_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    analysis: _analysis_pb2.Analysis
    mesh_directory: str
    resources: _job_pb2.Resources
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., analysis: _Optional[_Union[_analysis_pb2.Analysis, _Mapping]] = ..., mesh_directory: _Optional[str] = ..., resources: _Optional[_Union[_job_pb2.Resources, _Mapping]] = ...) -> None: ...

class Cost(_message.Message):
    __slots__ = ["peak_bytes", "seconds"]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    peak_bytes: _containers.RepeatedScalarFieldContainer[int]
    seconds: float
    def __init__(self, seconds: _Optional[float] = ..., peak_bytes: _Optional[_Iterable[int]] = ...) -> None: ...

class InputField(_message.Message):
    __slots__ = ["crc32", "file", "frame", "frame_name", "job_id", "last", "size_bytes", "step", "value"]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    FRAME_NAME_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    crc32: int
    file: str
    frame: int
    frame_name: str
    job_id: str
    last: bool
    size_bytes: int
    step: str
    value: float
    def __init__(self, job_id: _Optional[str] = ..., step: _Optional[str] = ..., frame: _Optional[int] = ..., frame_name: _Optional[str] = ..., value: _Optional[float] = ..., last: bool = ..., file: _Optional[str] = ..., size_bytes: _Optional[int] = ..., crc32: _Optional[int] = ...) -> None: ...

class InputList(_message.Message):
    __slots__ = ["fields"]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[InputField]
    def __init__(self, fields: _Optional[_Iterable[_Union[InputField, _Mapping]]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ["cost", "failure", "files", "result", "revoked", "token"]
    COST_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    cost: Cost
    failure: _job_pb2.Failure
    files: _containers.RepeatedCompositeFieldContainer[ResultFile]
    result: _result_pb2.Result
    revoked: bool
    token: str
    def __init__(self, token: _Optional[str] = ..., result: _Optional[_Union[_result_pb2.Result, _Mapping]] = ..., failure: _Optional[_Union[_job_pb2.Failure, _Mapping]] = ..., revoked: bool = ..., files: _Optional[_Iterable[_Union[ResultFile, _Mapping]]] = ..., cost: _Optional[_Union[Cost, _Mapping]] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ["estimate", "kind"]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    estimate: _job_pb2.Estimate
    kind: str
    def __init__(self, kind: _Optional[str] = ..., estimate: _Optional[_Union[_job_pb2.Estimate, _Mapping]] = ...) -> None: ...

class ResultFile(_message.Message):
    __slots__ = ["artifact_index", "crc32", "field_index", "path", "sha256", "size_bytes"]
    ARTIFACT_INDEX_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    FIELD_INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    artifact_index: int
    crc32: int
    field_index: int
    path: str
    sha256: str
    size_bytes: int
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., crc32: _Optional[int] = ..., field_index: _Optional[int] = ..., artifact_index: _Optional[int] = ...) -> None: ...

class RunSpec(_message.Message):
    __slots__ = ["analysis", "analysis_sha256", "job_id", "resources", "token"]
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    ANALYSIS_SHA256_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    analysis: _analysis_pb2.Analysis
    analysis_sha256: str
    job_id: str
    resources: _job_pb2.Resources
    token: str
    def __init__(self, job_id: _Optional[str] = ..., token: _Optional[str] = ..., analysis: _Optional[_Union[_analysis_pb2.Analysis, _Mapping]] = ..., resources: _Optional[_Union[_job_pb2.Resources, _Mapping]] = ..., analysis_sha256: _Optional[str] = ...) -> None: ...
