from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DATA_TYPE_FLOAT32: DataType
DATA_TYPE_FLOAT64: DataType
DATA_TYPE_INT32: DataType
DATA_TYPE_INT64: DataType
DATA_TYPE_INT8: DataType
DATA_TYPE_UNSPECIFIED: DataType
DESCRIPTOR: _descriptor.FileDescriptor

class ArrayChunk(_message.Message):
    __slots__ = ["cell_type", "crc32", "data", "dtype", "name", "offset", "shape"]
    CELL_TYPE_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    cell_type: str
    crc32: int
    data: bytes
    dtype: DataType
    name: str
    offset: int
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., cell_type: _Optional[str] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32: _Optional[int] = ...) -> None: ...

class CellTypeCount(_message.Message):
    __slots__ = ["cell_type", "count"]
    CELL_TYPE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    cell_type: str
    count: int
    def __init__(self, cell_type: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class DeleteMeshRequest(_message.Message):
    __slots__ = ["mesh_id"]
    MESH_ID_FIELD_NUMBER: _ClassVar[int]
    mesh_id: str
    def __init__(self, mesh_id: _Optional[str] = ...) -> None: ...

class FindMissingRequest(_message.Message):
    __slots__ = ["mesh_ids"]
    MESH_IDS_FIELD_NUMBER: _ClassVar[int]
    mesh_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mesh_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class FindMissingResponse(_message.Message):
    __slots__ = ["missing_mesh_ids"]
    MISSING_MESH_IDS_FIELD_NUMBER: _ClassVar[int]
    missing_mesh_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, missing_mesh_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMeshRequest(_message.Message):
    __slots__ = ["mesh_id"]
    MESH_ID_FIELD_NUMBER: _ClassVar[int]
    mesh_id: str
    def __init__(self, mesh_id: _Optional[str] = ...) -> None: ...

class ListMeshesRequest(_message.Message):
    __slots__ = ["page_size", "page_token"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMeshesResponse(_message.Message):
    __slots__ = ["meshes", "next_page_token"]
    MESHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    meshes: _containers.RepeatedCompositeFieldContainer[Mesh]
    next_page_token: str
    def __init__(self, meshes: _Optional[_Iterable[_Union[Mesh, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Mesh(_message.Message):
    __slots__ = ["create_time", "file_bytes", "file_name", "format", "info", "mesh_id"]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    MESH_ID_FIELD_NUMBER: _ClassVar[int]
    create_time: _timestamp_pb2.Timestamp
    file_bytes: int
    file_name: str
    format: str
    info: MeshInfo
    mesh_id: str
    def __init__(self, mesh_id: _Optional[str] = ..., file_name: _Optional[str] = ..., file_bytes: _Optional[int] = ..., format: _Optional[str] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., info: _Optional[_Union[MeshInfo, _Mapping]] = ...) -> None: ...

class MeshInfo(_message.Message):
    __slots__ = ["bounding_box_max", "bounding_box_min", "cell_count", "cell_types", "conversion_sha256", "converter_version", "dimension", "node_count", "notices", "quality", "regions"]
    BOUNDING_BOX_MAX_FIELD_NUMBER: _ClassVar[int]
    BOUNDING_BOX_MIN_FIELD_NUMBER: _ClassVar[int]
    CELL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CELL_TYPES_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONVERTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    NODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    bounding_box_max: _containers.RepeatedScalarFieldContainer[float]
    bounding_box_min: _containers.RepeatedScalarFieldContainer[float]
    cell_count: int
    cell_types: _containers.RepeatedCompositeFieldContainer[CellTypeCount]
    conversion_sha256: str
    converter_version: str
    dimension: int
    node_count: int
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    quality: Quality
    regions: _containers.RepeatedCompositeFieldContainer[RegionInfo]
    def __init__(self, conversion_sha256: _Optional[str] = ..., converter_version: _Optional[str] = ..., dimension: _Optional[int] = ..., node_count: _Optional[int] = ..., cell_count: _Optional[int] = ..., cell_types: _Optional[_Iterable[_Union[CellTypeCount, _Mapping]]] = ..., regions: _Optional[_Iterable[_Union[RegionInfo, _Mapping]]] = ..., bounding_box_min: _Optional[_Iterable[float]] = ..., bounding_box_max: _Optional[_Iterable[float]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ["params", "reason", "text", "text_zh"]
    class ParamsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    params: _containers.ScalarMap[str, str]
    reason: str
    text: str
    text_zh: str
    def __init__(self, reason: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., text: _Optional[str] = ..., text_zh: _Optional[str] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ["aspect_histogram", "max_aspect", "min_scaled_jacobian", "scaled_jacobian_histogram", "worst_aspect_cell", "worst_scaled_jacobian_cell"]
    ASPECT_HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_FIELD_NUMBER: _ClassVar[int]
    MIN_SCALED_JACOBIAN_FIELD_NUMBER: _ClassVar[int]
    SCALED_JACOBIAN_HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    WORST_ASPECT_CELL_FIELD_NUMBER: _ClassVar[int]
    WORST_SCALED_JACOBIAN_CELL_FIELD_NUMBER: _ClassVar[int]
    aspect_histogram: _containers.RepeatedScalarFieldContainer[int]
    max_aspect: float
    min_scaled_jacobian: float
    scaled_jacobian_histogram: _containers.RepeatedScalarFieldContainer[int]
    worst_aspect_cell: int
    worst_scaled_jacobian_cell: int
    def __init__(self, scaled_jacobian_histogram: _Optional[_Iterable[int]] = ..., min_scaled_jacobian: _Optional[float] = ..., worst_scaled_jacobian_cell: _Optional[int] = ..., aspect_histogram: _Optional[_Iterable[int]] = ..., max_aspect: _Optional[float] = ..., worst_aspect_cell: _Optional[int] = ...) -> None: ...

class QueryUploadRequest(_message.Message):
    __slots__ = ["upload_id"]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    def __init__(self, upload_id: _Optional[str] = ...) -> None: ...

class QueryUploadResponse(_message.Message):
    __slots__ = ["committed_bytes"]
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    committed_bytes: int
    def __init__(self, committed_bytes: _Optional[int] = ...) -> None: ...

class ReadMeshRequest(_message.Message):
    __slots__ = ["arrays", "mesh_id", "skin"]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    MESH_ID_FIELD_NUMBER: _ClassVar[int]
    SKIN_FIELD_NUMBER: _ClassVar[int]
    arrays: _containers.RepeatedScalarFieldContainer[str]
    mesh_id: str
    skin: bool
    def __init__(self, mesh_id: _Optional[str] = ..., skin: bool = ..., arrays: _Optional[_Iterable[str]] = ...) -> None: ...

class RegionInfo(_message.Message):
    __slots__ = ["kind", "measure", "name", "origin", "size"]
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    KIND_CELLS: RegionInfo.Kind
    KIND_FACETS: RegionInfo.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    KIND_NODES: RegionInfo.Kind
    KIND_UNSPECIFIED: RegionInfo.Kind
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    kind: RegionInfo.Kind
    measure: float
    name: str
    origin: str
    size: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[RegionInfo.Kind, str]] = ..., size: _Optional[int] = ..., measure: _Optional[float] = ..., origin: _Optional[str] = ...) -> None: ...

class UploadChunk(_message.Message):
    __slots__ = ["data", "offset"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    offset: int
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ["file_name", "format", "sha256", "size_bytes", "upload_id"]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    file_name: str
    format: str
    sha256: str
    size_bytes: int
    upload_id: str
    def __init__(self, upload_id: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., format: _Optional[str] = ..., file_name: _Optional[str] = ...) -> None: ...

class UploadMeshRequest(_message.Message):
    __slots__ = ["chunk", "header"]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    chunk: UploadChunk
    header: UploadHeader
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., chunk: _Optional[_Union[UploadChunk, _Mapping]] = ...) -> None: ...

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
