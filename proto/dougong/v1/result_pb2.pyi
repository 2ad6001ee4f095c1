from dougong.v1 import analysis_pb2 as _analysis_pb2
from dougong.v1 import mesh_pb2 as _mesh_pb2
from dougong.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArtifactChunk(_message.Message):
    __slots__ = ["crc32", "data", "offset"]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    crc32: int
    data: bytes
    offset: int
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32: _Optional[int] = ...) -> None: ...

class ArtifactInfo(_message.Message):
    __slots__ = ["media_type", "name", "sha256", "size_bytes"]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    name: str
    sha256: str
    size_bytes: int
    def __init__(self, name: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ["energy_error", "equilibrium_error", "external_work", "internal_energy", "link_sum", "load_sum", "reaction_sum", "storage", "support_sum"]
    ENERGY_ERROR_FIELD_NUMBER: _ClassVar[int]
    EQUILIBRIUM_ERROR_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_WORK_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_ENERGY_FIELD_NUMBER: _ClassVar[int]
    LINK_SUM_FIELD_NUMBER: _ClassVar[int]
    LOAD_SUM_FIELD_NUMBER: _ClassVar[int]
    REACTION_SUM_FIELD_NUMBER: _ClassVar[int]
    STORAGE_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_SUM_FIELD_NUMBER: _ClassVar[int]
    energy_error: float
    equilibrium_error: float
    external_work: float
    internal_energy: float
    link_sum: _containers.RepeatedScalarFieldContainer[float]
    load_sum: _containers.RepeatedScalarFieldContainer[float]
    reaction_sum: _containers.RepeatedScalarFieldContainer[float]
    storage: float
    support_sum: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, load_sum: _Optional[_Iterable[float]] = ..., reaction_sum: _Optional[_Iterable[float]] = ..., equilibrium_error: _Optional[float] = ..., internal_energy: _Optional[float] = ..., external_work: _Optional[float] = ..., energy_error: _Optional[float] = ..., storage: _Optional[float] = ..., link_sum: _Optional[_Iterable[float]] = ..., support_sum: _Optional[_Iterable[float]] = ...) -> None: ...

class ErrorEstimate(_message.Message):
    __slots__ = ["cells_for_target", "relative_error", "spots", "target"]
    CELLS_FOR_TARGET_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_ERROR_FIELD_NUMBER: _ClassVar[int]
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    cells_for_target: float
    relative_error: float
    spots: _containers.RepeatedCompositeFieldContainer[RefinementSpot]
    target: float
    def __init__(self, relative_error: _Optional[float] = ..., target: _Optional[float] = ..., cells_for_target: _Optional[float] = ..., spots: _Optional[_Iterable[_Union[RefinementSpot, _Mapping]]] = ...) -> None: ...

class Extreme(_message.Message):
    __slots__ = ["component", "field", "max", "max_frame", "max_node", "max_point", "min", "min_frame", "min_node", "min_point", "region"]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_FIELD_NUMBER: _ClassVar[int]
    MAX_NODE_FIELD_NUMBER: _ClassVar[int]
    MAX_POINT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MIN_FRAME_FIELD_NUMBER: _ClassVar[int]
    MIN_NODE_FIELD_NUMBER: _ClassVar[int]
    MIN_POINT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    component: str
    field: str
    max: float
    max_frame: int
    max_node: int
    max_point: _containers.RepeatedScalarFieldContainer[float]
    min: float
    min_frame: int
    min_node: int
    min_point: _containers.RepeatedScalarFieldContainer[float]
    region: str
    def __init__(self, field: _Optional[str] = ..., component: _Optional[str] = ..., min: _Optional[float] = ..., max: _Optional[float] = ..., min_node: _Optional[int] = ..., max_node: _Optional[int] = ..., min_point: _Optional[_Iterable[float]] = ..., max_point: _Optional[_Iterable[float]] = ..., min_frame: _Optional[int] = ..., max_frame: _Optional[int] = ..., region: _Optional[str] = ...) -> None: ...

class FieldInfo(_message.Message):
    __slots__ = ["components", "crc32", "dimension", "dtype", "frame", "location", "name", "point_counts", "shape", "size_bytes", "step"]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    components: _containers.RepeatedScalarFieldContainer[str]
    crc32: int
    dimension: _options_pb2.Dimension
    dtype: _mesh_pb2.DataType
    frame: int
    location: _analysis_pb2.Location
    name: str
    point_counts: _containers.RepeatedScalarFieldContainer[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    size_bytes: int
    step: str
    def __init__(self, name: _Optional[str] = ..., step: _Optional[str] = ..., frame: _Optional[int] = ..., location: _Optional[_Union[_analysis_pb2.Location, str]] = ..., components: _Optional[_Iterable[str]] = ..., dtype: _Optional[_Union[_mesh_pb2.DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., point_counts: _Optional[_Iterable[int]] = ..., dimension: _Optional[_Union[_options_pb2.Dimension, str]] = ..., size_bytes: _Optional[int] = ..., crc32: _Optional[int] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ["balance", "error", "extremes", "kind", "mode", "name", "points", "probes", "reactions", "region_extremes", "section_forces", "solve", "value"]
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    KIND_BUCKLING: Frame.Kind
    KIND_COMBINATION: Frame.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    KIND_INCREMENT: Frame.Kind
    KIND_LOAD_CASE: Frame.Kind
    KIND_MODE: Frame.Kind
    KIND_TIME: Frame.Kind
    KIND_UNSPECIFIED: Frame.Kind
    MODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    REACTIONS_FIELD_NUMBER: _ClassVar[int]
    REGION_EXTREMES_FIELD_NUMBER: _ClassVar[int]
    SECTION_FORCES_FIELD_NUMBER: _ClassVar[int]
    SOLVE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    balance: Balance
    error: ErrorEstimate
    extremes: _containers.RepeatedCompositeFieldContainer[Extreme]
    kind: Frame.Kind
    mode: Mode
    name: str
    points: _containers.RepeatedCompositeFieldContainer[PointResult]
    probes: _containers.RepeatedCompositeFieldContainer[ProbeValue]
    reactions: _containers.RepeatedCompositeFieldContainer[RegionSum]
    region_extremes: _containers.RepeatedCompositeFieldContainer[Extreme]
    section_forces: _containers.RepeatedCompositeFieldContainer[RegionSum]
    solve: SolveRecord
    value: float
    def __init__(self, kind: _Optional[_Union[Frame.Kind, str]] = ..., name: _Optional[str] = ..., value: _Optional[float] = ..., extremes: _Optional[_Iterable[_Union[Extreme, _Mapping]]] = ..., reactions: _Optional[_Iterable[_Union[RegionSum, _Mapping]]] = ..., balance: _Optional[_Union[Balance, _Mapping]] = ..., solve: _Optional[_Union[SolveRecord, _Mapping]] = ..., mode: _Optional[_Union[Mode, _Mapping]] = ..., points: _Optional[_Iterable[_Union[PointResult, _Mapping]]] = ..., probes: _Optional[_Iterable[_Union[ProbeValue, _Mapping]]] = ..., section_forces: _Optional[_Iterable[_Union[RegionSum, _Mapping]]] = ..., region_extremes: _Optional[_Iterable[_Union[Extreme, _Mapping]]] = ..., error: _Optional[_Union[ErrorEstimate, _Mapping]] = ...) -> None: ...

class GetResultRequest(_message.Message):
    __slots__ = ["job_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class HeatHistory(_message.Message):
    __slots__ = ["balance_error", "by_conditions", "by_loads", "longest_step", "max_temperature", "min_temperature", "newton_iterations", "rejected_steps", "shortest_step", "steps", "stored", "time"]
    BALANCE_ERROR_FIELD_NUMBER: _ClassVar[int]
    BY_CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    BY_LOADS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_STEP_FIELD_NUMBER: _ClassVar[int]
    MAX_TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MIN_TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    NEWTON_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_STEPS_FIELD_NUMBER: _ClassVar[int]
    SHORTEST_STEP_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    balance_error: float
    by_conditions: _containers.RepeatedScalarFieldContainer[float]
    by_loads: _containers.RepeatedScalarFieldContainer[float]
    longest_step: float
    max_temperature: _containers.RepeatedScalarFieldContainer[float]
    min_temperature: _containers.RepeatedScalarFieldContainer[float]
    newton_iterations: int
    rejected_steps: int
    shortest_step: float
    steps: int
    stored: _containers.RepeatedScalarFieldContainer[float]
    time: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, time: _Optional[_Iterable[float]] = ..., min_temperature: _Optional[_Iterable[float]] = ..., max_temperature: _Optional[_Iterable[float]] = ..., stored: _Optional[_Iterable[float]] = ..., by_loads: _Optional[_Iterable[float]] = ..., by_conditions: _Optional[_Iterable[float]] = ..., steps: _Optional[int] = ..., rejected_steps: _Optional[int] = ..., newton_iterations: _Optional[int] = ..., shortest_step: _Optional[float] = ..., longest_step: _Optional[float] = ..., balance_error: _Optional[float] = ...) -> None: ...

class MassProperties(_message.Message):
    __slots__ = ["centre", "inertia", "mass"]
    CENTRE_FIELD_NUMBER: _ClassVar[int]
    INERTIA_FIELD_NUMBER: _ClassVar[int]
    MASS_FIELD_NUMBER: _ClassVar[int]
    centre: _containers.RepeatedScalarFieldContainer[float]
    inertia: _containers.RepeatedScalarFieldContainer[float]
    mass: float
    def __init__(self, mass: _Optional[float] = ..., centre: _Optional[_Iterable[float]] = ..., inertia: _Optional[_Iterable[float]] = ...) -> None: ...

class ModalSummary(_message.Message):
    __slots__ = ["directions", "missed", "rigid", "totals"]
    DIRECTIONS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    RIGID_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    directions: _containers.RepeatedScalarFieldContainer[str]
    missed: int
    rigid: int
    totals: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, missed: _Optional[int] = ..., rigid: _Optional[int] = ..., directions: _Optional[_Iterable[str]] = ..., totals: _Optional[_Iterable[float]] = ...) -> None: ...

class Mode(_message.Message):
    __slots__ = ["cumulative", "effective_mass", "eigenvalue", "error", "participation", "rigid"]
    CUMULATIVE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_MASS_FIELD_NUMBER: _ClassVar[int]
    EIGENVALUE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    RIGID_FIELD_NUMBER: _ClassVar[int]
    cumulative: _containers.RepeatedScalarFieldContainer[float]
    effective_mass: _containers.RepeatedScalarFieldContainer[float]
    eigenvalue: float
    error: float
    participation: _containers.RepeatedScalarFieldContainer[float]
    rigid: bool
    def __init__(self, eigenvalue: _Optional[float] = ..., error: _Optional[float] = ..., rigid: bool = ..., participation: _Optional[_Iterable[float]] = ..., effective_mass: _Optional[_Iterable[float]] = ..., cumulative: _Optional[_Iterable[float]] = ...) -> None: ...

class PointResult(_message.Message):
    __slots__ = ["coupling", "load", "motion", "motions", "place", "reaction"]
    COUPLING_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    MOTIONS_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    coupling: str
    load: _containers.RepeatedScalarFieldContainer[float]
    motion: _containers.RepeatedScalarFieldContainer[float]
    motions: _containers.RepeatedScalarFieldContainer[str]
    place: _containers.RepeatedScalarFieldContainer[float]
    reaction: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, coupling: _Optional[str] = ..., place: _Optional[_Iterable[float]] = ..., motions: _Optional[_Iterable[str]] = ..., motion: _Optional[_Iterable[float]] = ..., load: _Optional[_Iterable[float]] = ..., reaction: _Optional[_Iterable[float]] = ...) -> None: ...

class ProbePlace(_message.Message):
    __slots__ = ["cell", "distance", "point", "probe"]
    CELL_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    cell: int
    distance: float
    point: _containers.RepeatedScalarFieldContainer[float]
    probe: str
    def __init__(self, probe: _Optional[str] = ..., cell: _Optional[int] = ..., point: _Optional[_Iterable[float]] = ..., distance: _Optional[float] = ...) -> None: ...

class ProbeValue(_message.Message):
    __slots__ = ["components", "dimension", "field", "probe", "values"]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    components: _containers.RepeatedScalarFieldContainer[str]
    dimension: _options_pb2.Dimension
    field: str
    probe: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, probe: _Optional[str] = ..., field: _Optional[str] = ..., components: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., dimension: _Optional[_Union[_options_pb2.Dimension, str]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ["analysis_sha256", "conversion_sha256", "cpu", "dougong_version", "host", "mesh_id", "petsc_version", "ranks", "scikit_fem_version"]
    ANALYSIS_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_SHA256_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    DOUGONG_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    MESH_ID_FIELD_NUMBER: _ClassVar[int]
    PETSC_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    SCIKIT_FEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    analysis_sha256: str
    conversion_sha256: str
    cpu: str
    dougong_version: str
    host: str
    mesh_id: str
    petsc_version: str
    ranks: int
    scikit_fem_version: str
    def __init__(self, mesh_id: _Optional[str] = ..., conversion_sha256: _Optional[str] = ..., analysis_sha256: _Optional[str] = ..., dougong_version: _Optional[str] = ..., petsc_version: _Optional[str] = ..., scikit_fem_version: _Optional[str] = ..., cpu: _Optional[str] = ..., host: _Optional[str] = ..., ranks: _Optional[int] = ...) -> None: ...

class ReadArtifactRequest(_message.Message):
    __slots__ = ["job_id", "name", "offset"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    name: str
    offset: int
    def __init__(self, job_id: _Optional[str] = ..., name: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class ReadFieldRequest(_message.Message):
    __slots__ = ["component", "frame", "frame_name", "job_id", "location", "name", "offset", "region", "step"]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    FRAME_NAME_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    component: str
    frame: int
    frame_name: str
    job_id: str
    location: _analysis_pb2.Location
    name: str
    offset: int
    region: str
    step: str
    def __init__(self, job_id: _Optional[str] = ..., name: _Optional[str] = ..., step: _Optional[str] = ..., frame: _Optional[int] = ..., location: _Optional[_Union[_analysis_pb2.Location, str]] = ..., region: _Optional[str] = ..., component: _Optional[str] = ..., offset: _Optional[int] = ..., frame_name: _Optional[str] = ...) -> None: ...

class RefinementSpot(_message.Message):
    __slots__ = ["cell", "point", "radius", "regions", "share", "size", "wanted_size"]
    CELL_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    RADIUS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    WANTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    cell: int
    point: _containers.RepeatedScalarFieldContainer[float]
    radius: float
    regions: _containers.RepeatedScalarFieldContainer[str]
    share: float
    size: float
    wanted_size: float
    def __init__(self, cell: _Optional[int] = ..., point: _Optional[_Iterable[float]] = ..., radius: _Optional[float] = ..., share: _Optional[float] = ..., size: _Optional[float] = ..., wanted_size: _Optional[float] = ..., regions: _Optional[_Iterable[str]] = ...) -> None: ...

class RegionSum(_message.Message):
    __slots__ = ["about", "moment", "name", "region", "sum"]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    about: _containers.RepeatedScalarFieldContainer[float]
    moment: _containers.RepeatedScalarFieldContainer[float]
    name: str
    region: str
    sum: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, region: _Optional[str] = ..., sum: _Optional[_Iterable[float]] = ..., moment: _Optional[_Iterable[float]] = ..., about: _Optional[_Iterable[float]] = ..., name: _Optional[str] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ["artifacts", "fields", "job_id", "notices", "provenance", "stage_times", "steps"]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    STAGE_TIMES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    artifacts: _containers.RepeatedCompositeFieldContainer[ArtifactInfo]
    fields: _containers.RepeatedCompositeFieldContainer[FieldInfo]
    job_id: str
    notices: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Notice]
    provenance: Provenance
    stage_times: _containers.RepeatedCompositeFieldContainer[StageTime]
    steps: _containers.RepeatedCompositeFieldContainer[StepResult]
    def __init__(self, job_id: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[StepResult, _Mapping]]] = ..., fields: _Optional[_Iterable[_Union[FieldInfo, _Mapping]]] = ..., artifacts: _Optional[_Iterable[_Union[ArtifactInfo, _Mapping]]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., stage_times: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., notices: _Optional[_Iterable[_Union[_mesh_pb2.Notice, _Mapping]]] = ...) -> None: ...

class SolveRecord(_message.Message):
    __slots__ = ["backward_error", "converged_reason", "iterations", "method", "method_zh", "newton_corrections", "newton_residuals", "relative_tolerance", "setups", "why", "why_zh"]
    BACKWARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    CONVERGED_REASON_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METHOD_ZH_FIELD_NUMBER: _ClassVar[int]
    NEWTON_CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEWTON_RESIDUALS_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    SETUPS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    WHY_ZH_FIELD_NUMBER: _ClassVar[int]
    backward_error: float
    converged_reason: str
    iterations: int
    method: str
    method_zh: str
    newton_corrections: _containers.RepeatedScalarFieldContainer[float]
    newton_residuals: _containers.RepeatedScalarFieldContainer[float]
    relative_tolerance: float
    setups: int
    why: str
    why_zh: str
    def __init__(self, method: _Optional[str] = ..., why: _Optional[str] = ..., iterations: _Optional[int] = ..., converged_reason: _Optional[str] = ..., relative_tolerance: _Optional[float] = ..., backward_error: _Optional[float] = ..., method_zh: _Optional[str] = ..., why_zh: _Optional[str] = ..., setups: _Optional[int] = ..., newton_residuals: _Optional[_Iterable[float]] = ..., newton_corrections: _Optional[_Iterable[float]] = ...) -> None: ...

class StageTime(_message.Message):
    __slots__ = ["seconds", "stage"]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    seconds: float
    stage: str
    def __init__(self, stage: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class StepResult(_message.Message):
    __slots__ = ["balance", "constrained_dofs", "dofs", "extremes", "frames", "heat_history", "mass", "modes", "name", "points", "probes", "procedure", "reactions", "region_extremes", "solve"]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINED_DOFS_FIELD_NUMBER: _ClassVar[int]
    DOFS_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    HEAT_HISTORY_FIELD_NUMBER: _ClassVar[int]
    MASS_FIELD_NUMBER: _ClassVar[int]
    MODES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    PROCEDURE_FIELD_NUMBER: _ClassVar[int]
    REACTIONS_FIELD_NUMBER: _ClassVar[int]
    REGION_EXTREMES_FIELD_NUMBER: _ClassVar[int]
    SOLVE_FIELD_NUMBER: _ClassVar[int]
    balance: Balance
    constrained_dofs: int
    dofs: int
    extremes: _containers.RepeatedCompositeFieldContainer[Extreme]
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    heat_history: HeatHistory
    mass: MassProperties
    modes: ModalSummary
    name: str
    points: _containers.RepeatedCompositeFieldContainer[PointResult]
    probes: _containers.RepeatedCompositeFieldContainer[ProbePlace]
    procedure: str
    reactions: _containers.RepeatedCompositeFieldContainer[RegionSum]
    region_extremes: _containers.RepeatedCompositeFieldContainer[Extreme]
    solve: SolveRecord
    def __init__(self, name: _Optional[str] = ..., procedure: _Optional[str] = ..., dofs: _Optional[int] = ..., constrained_dofs: _Optional[int] = ..., extremes: _Optional[_Iterable[_Union[Extreme, _Mapping]]] = ..., reactions: _Optional[_Iterable[_Union[RegionSum, _Mapping]]] = ..., balance: _Optional[_Union[Balance, _Mapping]] = ..., solve: _Optional[_Union[SolveRecord, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ..., mass: _Optional[_Union[MassProperties, _Mapping]] = ..., modes: _Optional[_Union[ModalSummary, _Mapping]] = ..., heat_history: _Optional[_Union[HeatHistory, _Mapping]] = ..., points: _Optional[_Iterable[_Union[PointResult, _Mapping]]] = ..., probes: _Optional[_Iterable[_Union[ProbePlace, _Mapping]]] = ..., region_extremes: _Optional[_Iterable[_Union[Extreme, _Mapping]]] = ...) -> None: ...
