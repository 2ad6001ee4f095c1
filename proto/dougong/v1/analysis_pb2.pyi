from dougong.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

COMPONENT_ROTATION_X: Component
COMPONENT_ROTATION_Y: Component
COMPONENT_ROTATION_Z: Component
COMPONENT_TEMPERATURE: Component
COMPONENT_UNSPECIFIED: Component
COMPONENT_X: Component
COMPONENT_Y: Component
COMPONENT_Z: Component
DESCRIPTOR: _descriptor.FileDescriptor
LOCATION_CELL: Location
LOCATION_INTEGRATION_POINT: Location
LOCATION_NODE: Location
LOCATION_UNSPECIFIED: Location

class Analysis(_message.Message):
    __slots__ = ["couplings", "equations", "masses", "materials", "mesh", "name", "orientations", "outputs", "parameters", "regions", "sections", "solver", "springs", "steps", "ties", "units"]
    class CouplingsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Coupling
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Coupling, _Mapping]] = ...) -> None: ...
    class MaterialsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Material
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Material, _Mapping]] = ...) -> None: ...
    class OrientationsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Orientation
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Orientation, _Mapping]] = ...) -> None: ...
    class ParametersEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class RegionsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Region
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Region, _Mapping]] = ...) -> None: ...
    COUPLINGS_FIELD_NUMBER: _ClassVar[int]
    EQUATIONS_FIELD_NUMBER: _ClassVar[int]
    MASSES_FIELD_NUMBER: _ClassVar[int]
    MATERIALS_FIELD_NUMBER: _ClassVar[int]
    MESH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIENTATIONS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    SOLVER_FIELD_NUMBER: _ClassVar[int]
    SPRINGS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIES_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    couplings: _containers.MessageMap[str, Coupling]
    equations: _containers.RepeatedCompositeFieldContainer[Equation]
    masses: _containers.RepeatedCompositeFieldContainer[Mass]
    materials: _containers.MessageMap[str, Material]
    mesh: str
    name: str
    orientations: _containers.MessageMap[str, Orientation]
    outputs: Outputs
    parameters: _containers.ScalarMap[str, float]
    regions: _containers.MessageMap[str, Region]
    sections: _containers.RepeatedCompositeFieldContainer[Section]
    solver: SolverOptions
    springs: _containers.RepeatedCompositeFieldContainer[Spring]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    ties: _containers.RepeatedCompositeFieldContainer[Tie]
    units: UnitSystem
    def __init__(self, name: _Optional[str] = ..., mesh: _Optional[str] = ..., units: _Optional[_Union[UnitSystem, _Mapping]] = ..., regions: _Optional[_Mapping[str, Region]] = ..., materials: _Optional[_Mapping[str, Material]] = ..., sections: _Optional[_Iterable[_Union[Section, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., outputs: _Optional[_Union[Outputs, _Mapping]] = ..., solver: _Optional[_Union[SolverOptions, _Mapping]] = ..., parameters: _Optional[_Mapping[str, float]] = ..., orientations: _Optional[_Mapping[str, Orientation]] = ..., equations: _Optional[_Iterable[_Union[Equation, _Mapping]]] = ..., couplings: _Optional[_Mapping[str, Coupling]] = ..., ties: _Optional[_Iterable[_Union[Tie, _Mapping]]] = ..., springs: _Optional[_Iterable[_Union[Spring, _Mapping]]] = ..., masses: _Optional[_Iterable[_Union[Mass, _Mapping]]] = ...) -> None: ...

class Anisotropic(_message.Message):
    __slots__ = ["constants"]
    CONSTANTS_FIELD_NUMBER: _ClassVar[int]
    constants: _containers.RepeatedCompositeFieldContainer[Quantity]
    def __init__(self, constants: _Optional[_Iterable[_Union[Quantity, _Mapping]]] = ...) -> None: ...

class Antisymmetry(_message.Message):
    __slots__ = ["normal"]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    normal: Point
    def __init__(self, normal: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Axes(_message.Message):
    __slots__ = ["cylindrical", "x_axis", "xy_plane"]
    class Cylinder(_message.Message):
        __slots__ = ["axis", "origin"]
        AXIS_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        axis: Point
        origin: Point
        def __init__(self, origin: _Optional[_Union[Point, _Mapping]] = ..., axis: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...
    CYLINDRICAL_FIELD_NUMBER: _ClassVar[int]
    XY_PLANE_FIELD_NUMBER: _ClassVar[int]
    X_AXIS_FIELD_NUMBER: _ClassVar[int]
    cylindrical: Axes.Cylinder
    x_axis: Point
    xy_plane: Point
    def __init__(self, x_axis: _Optional[_Union[Point, _Mapping]] = ..., xy_plane: _Optional[_Union[Point, _Mapping]] = ..., cylindrical: _Optional[_Union[Axes.Cylinder, _Mapping]] = ...) -> None: ...

class Buckling(_message.Message):
    __slots__ = ["count"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class Centrifugal(_message.Message):
    __slots__ = ["angular_velocity", "direction", "point"]
    ANGULAR_VELOCITY_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    angular_velocity: Quantity
    direction: Point
    point: Point
    def __init__(self, angular_velocity: _Optional[_Union[Quantity, _Mapping]] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., direction: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Combination(_message.Message):
    __slots__ = ["factors", "name"]
    class FactorsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    factors: _containers.ScalarMap[str, float]
    name: str
    def __init__(self, name: _Optional[str] = ..., factors: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ["antisymmetry", "displacement", "electric_potential", "fixed", "head", "reference_motion", "region", "symmetry", "temperature"]
    ANTISYMMETRY_FIELD_NUMBER: _ClassVar[int]
    DISPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    ELECTRIC_POTENTIAL_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_MOTION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SYMMETRY_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    antisymmetry: Antisymmetry
    displacement: Displacement
    electric_potential: Quantity
    fixed: Fixed
    head: Quantity
    reference_motion: ReferenceMotion
    region: str
    symmetry: Symmetry
    temperature: Quantity
    def __init__(self, region: _Optional[str] = ..., displacement: _Optional[_Union[Displacement, _Mapping]] = ..., fixed: _Optional[_Union[Fixed, _Mapping]] = ..., symmetry: _Optional[_Union[Symmetry, _Mapping]] = ..., temperature: _Optional[_Union[Quantity, _Mapping]] = ..., antisymmetry: _Optional[_Union[Antisymmetry, _Mapping]] = ..., reference_motion: _Optional[_Union[ReferenceMotion, _Mapping]] = ..., electric_potential: _Optional[_Union[Quantity, _Mapping]] = ..., head: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Convection(_message.Message):
    __slots__ = ["ambient", "coefficient"]
    AMBIENT_FIELD_NUMBER: _ClassVar[int]
    COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    ambient: Quantity
    coefficient: Quantity
    def __init__(self, coefficient: _Optional[_Union[Quantity, _Mapping]] = ..., ambient: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Coupling(_message.Message):
    __slots__ = ["distributing", "kinematic", "point", "region"]
    class Distributing(_message.Message):
        __slots__ = ["weighting"]
        class Weighting(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = []
        WEIGHTING_AREA: Coupling.Distributing.Weighting
        WEIGHTING_FIELD_NUMBER: _ClassVar[int]
        WEIGHTING_NODES: Coupling.Distributing.Weighting
        WEIGHTING_UNSPECIFIED: Coupling.Distributing.Weighting
        weighting: Coupling.Distributing.Weighting
        def __init__(self, weighting: _Optional[_Union[Coupling.Distributing.Weighting, str]] = ...) -> None: ...
    class Kinematic(_message.Message):
        __slots__ = ["components"]
        COMPONENTS_FIELD_NUMBER: _ClassVar[int]
        components: _containers.RepeatedScalarFieldContainer[Component]
        def __init__(self, components: _Optional[_Iterable[_Union[Component, str]]] = ...) -> None: ...
    DISTRIBUTING_FIELD_NUMBER: _ClassVar[int]
    KINEMATIC_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    distributing: Coupling.Distributing
    kinematic: Coupling.Kinematic
    point: Point
    region: str
    def __init__(self, region: _Optional[str] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., kinematic: _Optional[_Union[Coupling.Kinematic, _Mapping]] = ..., distributing: _Optional[_Union[Coupling.Distributing, _Mapping]] = ...) -> None: ...

class Displacement(_message.Message):
    __slots__ = ["axes", "r", "theta", "x", "y", "z"]
    AXES_FIELD_NUMBER: _ClassVar[int]
    R_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    axes: Axes
    r: Quantity
    theta: Quantity
    x: Quantity
    y: Quantity
    z: Quantity
    def __init__(self, x: _Optional[_Union[Quantity, _Mapping]] = ..., y: _Optional[_Union[Quantity, _Mapping]] = ..., z: _Optional[_Union[Quantity, _Mapping]] = ..., axes: _Optional[_Union[Axes, _Mapping]] = ..., r: _Optional[_Union[Quantity, _Mapping]] = ..., theta: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Elastic(_message.Message):
    __slots__ = ["poisson_ratio", "young_modulus"]
    POISSON_RATIO_FIELD_NUMBER: _ClassVar[int]
    YOUNG_MODULUS_FIELD_NUMBER: _ClassVar[int]
    poisson_ratio: Quantity
    young_modulus: Quantity
    def __init__(self, young_modulus: _Optional[_Union[Quantity, _Mapping]] = ..., poisson_ratio: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Electrostatics(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Equation(_message.Message):
    __slots__ = ["terms", "value"]
    class Term(_message.Message):
        __slots__ = ["coefficient", "component", "coupling", "node", "region"]
        COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
        COMPONENT_FIELD_NUMBER: _ClassVar[int]
        COUPLING_FIELD_NUMBER: _ClassVar[int]
        NODE_FIELD_NUMBER: _ClassVar[int]
        REGION_FIELD_NUMBER: _ClassVar[int]
        coefficient: float
        component: Component
        coupling: str
        node: int
        region: str
        def __init__(self, node: _Optional[int] = ..., region: _Optional[str] = ..., coupling: _Optional[str] = ..., component: _Optional[_Union[Component, str]] = ..., coefficient: _Optional[float] = ...) -> None: ...
    TERMS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[Equation.Term]
    value: float
    def __init__(self, terms: _Optional[_Iterable[_Union[Equation.Term, _Mapping]]] = ..., value: _Optional[float] = ...) -> None: ...

class ErrorEstimateOptions(_message.Message):
    __slots__ = ["off", "target"]
    OFF_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    off: bool
    target: float
    def __init__(self, target: _Optional[float] = ..., off: bool = ...) -> None: ...

class Euler(_message.Message):
    __slots__ = ["angular_acceleration", "direction", "point"]
    ANGULAR_ACCELERATION_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    angular_acceleration: Quantity
    direction: Point
    point: Point
    def __init__(self, angular_acceleration: _Optional[_Union[Quantity, _Mapping]] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., direction: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Expansion(_message.Message):
    __slots__ = ["coefficient", "orthotropic", "reference_temperature", "zero"]
    COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    ORTHOTROPIC_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    ZERO_FIELD_NUMBER: _ClassVar[int]
    coefficient: Quantity
    orthotropic: OrthotropicExpansion
    reference_temperature: Quantity
    zero: Quantity
    def __init__(self, reference_temperature: _Optional[_Union[Quantity, _Mapping]] = ..., coefficient: _Optional[_Union[Quantity, _Mapping]] = ..., orthotropic: _Optional[_Union[OrthotropicExpansion, _Mapping]] = ..., zero: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class FieldRequest(_message.Message):
    __slots__ = ["location", "name"]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    location: Location
    name: str
    def __init__(self, name: _Optional[str] = ..., location: _Optional[_Union[Location, str]] = ...) -> None: ...

class Fixed(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Foundation(_message.Message):
    __slots__ = ["normal", "tangential"]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    TANGENTIAL_FIELD_NUMBER: _ClassVar[int]
    normal: Quantity
    tangential: Quantity
    def __init__(self, normal: _Optional[_Union[Quantity, _Mapping]] = ..., tangential: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class FromJob(_message.Message):
    __slots__ = ["frame", "job_id", "step"]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    frame: int
    job_id: str
    step: str
    def __init__(self, job_id: _Optional[str] = ..., step: _Optional[str] = ..., frame: _Optional[int] = ...) -> None: ...

class FromStep(_message.Message):
    __slots__ = ["frame", "step"]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    frame: int
    step: str
    def __init__(self, step: _Optional[str] = ..., frame: _Optional[int] = ...) -> None: ...

class Hydrostatic(_message.Message):
    __slots__ = ["density", "down", "gravity", "level", "specific_weight", "surface"]
    DENSITY_FIELD_NUMBER: _ClassVar[int]
    DOWN_FIELD_NUMBER: _ClassVar[int]
    GRAVITY_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SPECIFIC_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    density: Quantity
    down: Point
    gravity: Quantity
    level: Quantity
    specific_weight: Quantity
    surface: Point
    def __init__(self, surface: _Optional[_Union[Point, _Mapping]] = ..., down: _Optional[_Union[Point, _Mapping]] = ..., specific_weight: _Optional[_Union[Quantity, _Mapping]] = ..., density: _Optional[_Union[Quantity, _Mapping]] = ..., gravity: _Optional[_Union[Quantity, _Mapping]] = ..., level: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class InitialState(_message.Message):
    __slots__ = ["from_step", "temperature"]
    FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    from_step: FromStep
    temperature: Quantity
    def __init__(self, temperature: _Optional[_Union[Quantity, _Mapping]] = ..., from_step: _Optional[_Union[FromStep, _Mapping]] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ["axes", "body_force", "centrifugal", "charge_density", "convection", "euler", "foundation", "gravity", "heat_flux", "heat_source", "hydrostatic", "inflow", "nodal_force", "pressure", "radiation", "reference_force", "region", "surface_charge", "temperature", "total_force", "traction", "water_source"]
    AXES_FIELD_NUMBER: _ClassVar[int]
    BODY_FORCE_FIELD_NUMBER: _ClassVar[int]
    CENTRIFUGAL_FIELD_NUMBER: _ClassVar[int]
    CHARGE_DENSITY_FIELD_NUMBER: _ClassVar[int]
    CONVECTION_FIELD_NUMBER: _ClassVar[int]
    EULER_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    GRAVITY_FIELD_NUMBER: _ClassVar[int]
    HEAT_FLUX_FIELD_NUMBER: _ClassVar[int]
    HEAT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    HYDROSTATIC_FIELD_NUMBER: _ClassVar[int]
    INFLOW_FIELD_NUMBER: _ClassVar[int]
    NODAL_FORCE_FIELD_NUMBER: _ClassVar[int]
    PRESSURE_FIELD_NUMBER: _ClassVar[int]
    RADIATION_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FORCE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_CHARGE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FORCE_FIELD_NUMBER: _ClassVar[int]
    TRACTION_FIELD_NUMBER: _ClassVar[int]
    WATER_SOURCE_FIELD_NUMBER: _ClassVar[int]
    axes: Axes
    body_force: Vector
    centrifugal: Centrifugal
    charge_density: Quantity
    convection: Convection
    euler: Euler
    foundation: Foundation
    gravity: Vector
    heat_flux: Quantity
    heat_source: Quantity
    hydrostatic: Hydrostatic
    inflow: Quantity
    nodal_force: Vector
    pressure: Quantity
    radiation: Radiation
    reference_force: ReferenceForce
    region: str
    surface_charge: Quantity
    temperature: TemperatureField
    total_force: Vector
    traction: Vector
    water_source: Quantity
    def __init__(self, region: _Optional[str] = ..., pressure: _Optional[_Union[Quantity, _Mapping]] = ..., traction: _Optional[_Union[Vector, _Mapping]] = ..., total_force: _Optional[_Union[Vector, _Mapping]] = ..., nodal_force: _Optional[_Union[Vector, _Mapping]] = ..., gravity: _Optional[_Union[Vector, _Mapping]] = ..., body_force: _Optional[_Union[Vector, _Mapping]] = ..., heat_flux: _Optional[_Union[Quantity, _Mapping]] = ..., heat_source: _Optional[_Union[Quantity, _Mapping]] = ..., convection: _Optional[_Union[Convection, _Mapping]] = ..., centrifugal: _Optional[_Union[Centrifugal, _Mapping]] = ..., euler: _Optional[_Union[Euler, _Mapping]] = ..., hydrostatic: _Optional[_Union[Hydrostatic, _Mapping]] = ..., temperature: _Optional[_Union[TemperatureField, _Mapping]] = ..., radiation: _Optional[_Union[Radiation, _Mapping]] = ..., surface_charge: _Optional[_Union[Quantity, _Mapping]] = ..., charge_density: _Optional[_Union[Quantity, _Mapping]] = ..., inflow: _Optional[_Union[Quantity, _Mapping]] = ..., water_source: _Optional[_Union[Quantity, _Mapping]] = ..., foundation: _Optional[_Union[Foundation, _Mapping]] = ..., reference_force: _Optional[_Union[ReferenceForce, _Mapping]] = ..., axes: _Optional[_Union[Axes, _Mapping]] = ...) -> None: ...

class LoadCase(_message.Message):
    __slots__ = ["conditions", "loads", "name"]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    loads: _containers.RepeatedCompositeFieldContainer[Load]
    name: str
    def __init__(self, name: _Optional[str] = ..., loads: _Optional[_Iterable[_Union[Load, _Mapping]]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Mass(_message.Message):
    __slots__ = ["coupling", "inertia", "mass", "node", "per_area", "region"]
    COUPLING_FIELD_NUMBER: _ClassVar[int]
    INERTIA_FIELD_NUMBER: _ClassVar[int]
    MASS_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PER_AREA_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    coupling: str
    inertia: Vector
    mass: Quantity
    node: int
    per_area: Quantity
    region: str
    def __init__(self, node: _Optional[int] = ..., region: _Optional[str] = ..., coupling: _Optional[str] = ..., mass: _Optional[_Union[Quantity, _Mapping]] = ..., per_area: _Optional[_Union[Quantity, _Mapping]] = ..., inertia: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class Material(_message.Message):
    __slots__ = ["anisotropic", "conductivity", "density", "elastic", "expansion", "orthotropic", "orthotropic_conductivity", "permeability", "permittivity", "specific_heat"]
    ANISOTROPIC_FIELD_NUMBER: _ClassVar[int]
    CONDUCTIVITY_FIELD_NUMBER: _ClassVar[int]
    DENSITY_FIELD_NUMBER: _ClassVar[int]
    ELASTIC_FIELD_NUMBER: _ClassVar[int]
    EXPANSION_FIELD_NUMBER: _ClassVar[int]
    ORTHOTROPIC_CONDUCTIVITY_FIELD_NUMBER: _ClassVar[int]
    ORTHOTROPIC_FIELD_NUMBER: _ClassVar[int]
    PERMEABILITY_FIELD_NUMBER: _ClassVar[int]
    PERMITTIVITY_FIELD_NUMBER: _ClassVar[int]
    SPECIFIC_HEAT_FIELD_NUMBER: _ClassVar[int]
    anisotropic: Anisotropic
    conductivity: Quantity
    density: Quantity
    elastic: Elastic
    expansion: Expansion
    orthotropic: Orthotropic
    orthotropic_conductivity: OrthotropicConductivity
    permeability: Quantity
    permittivity: Quantity
    specific_heat: Quantity
    def __init__(self, elastic: _Optional[_Union[Elastic, _Mapping]] = ..., density: _Optional[_Union[Quantity, _Mapping]] = ..., conductivity: _Optional[_Union[Quantity, _Mapping]] = ..., orthotropic: _Optional[_Union[Orthotropic, _Mapping]] = ..., anisotropic: _Optional[_Union[Anisotropic, _Mapping]] = ..., expansion: _Optional[_Union[Expansion, _Mapping]] = ..., orthotropic_conductivity: _Optional[_Union[OrthotropicConductivity, _Mapping]] = ..., permittivity: _Optional[_Union[Quantity, _Mapping]] = ..., permeability: _Optional[_Union[Quantity, _Mapping]] = ..., specific_heat: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Modes(_message.Message):
    __slots__ = ["count", "max_frequency", "min_frequency"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    count: int
    max_frequency: float
    min_frequency: float
    def __init__(self, count: _Optional[int] = ..., min_frequency: _Optional[float] = ..., max_frequency: _Optional[float] = ...) -> None: ...

class Orientation(_message.Message):
    __slots__ = ["axes", "cylindrical", "rotation"]
    class Cylindrical(_message.Message):
        __slots__ = ["axis", "origin"]
        AXIS_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        axis: Point
        origin: Point
        def __init__(self, origin: _Optional[_Union[Point, _Mapping]] = ..., axis: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...
    class Rotation(_message.Message):
        __slots__ = ["about", "angle_degrees"]
        ABOUT_FIELD_NUMBER: _ClassVar[int]
        ANGLE_DEGREES_FIELD_NUMBER: _ClassVar[int]
        about: int
        angle_degrees: Quantity
        def __init__(self, angle_degrees: _Optional[_Union[Quantity, _Mapping]] = ..., about: _Optional[int] = ...) -> None: ...
    AXES_FIELD_NUMBER: _ClassVar[int]
    CYLINDRICAL_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    axes: Axes
    cylindrical: Orientation.Cylindrical
    rotation: Orientation.Rotation
    def __init__(self, axes: _Optional[_Union[Axes, _Mapping]] = ..., cylindrical: _Optional[_Union[Orientation.Cylindrical, _Mapping]] = ..., rotation: _Optional[_Union[Orientation.Rotation, _Mapping]] = ...) -> None: ...

class Orthotropic(_message.Message):
    __slots__ = ["e1", "e2", "e3", "g12", "g13", "g23", "nu12", "nu13", "nu23"]
    E1_FIELD_NUMBER: _ClassVar[int]
    E2_FIELD_NUMBER: _ClassVar[int]
    E3_FIELD_NUMBER: _ClassVar[int]
    G12_FIELD_NUMBER: _ClassVar[int]
    G13_FIELD_NUMBER: _ClassVar[int]
    G23_FIELD_NUMBER: _ClassVar[int]
    NU12_FIELD_NUMBER: _ClassVar[int]
    NU13_FIELD_NUMBER: _ClassVar[int]
    NU23_FIELD_NUMBER: _ClassVar[int]
    e1: Quantity
    e2: Quantity
    e3: Quantity
    g12: Quantity
    g13: Quantity
    g23: Quantity
    nu12: Quantity
    nu13: Quantity
    nu23: Quantity
    def __init__(self, e1: _Optional[_Union[Quantity, _Mapping]] = ..., e2: _Optional[_Union[Quantity, _Mapping]] = ..., e3: _Optional[_Union[Quantity, _Mapping]] = ..., nu12: _Optional[_Union[Quantity, _Mapping]] = ..., nu13: _Optional[_Union[Quantity, _Mapping]] = ..., nu23: _Optional[_Union[Quantity, _Mapping]] = ..., g12: _Optional[_Union[Quantity, _Mapping]] = ..., g13: _Optional[_Union[Quantity, _Mapping]] = ..., g23: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class OrthotropicConductivity(_message.Message):
    __slots__ = ["k1", "k2", "k3"]
    K1_FIELD_NUMBER: _ClassVar[int]
    K2_FIELD_NUMBER: _ClassVar[int]
    K3_FIELD_NUMBER: _ClassVar[int]
    k1: Quantity
    k2: Quantity
    k3: Quantity
    def __init__(self, k1: _Optional[_Union[Quantity, _Mapping]] = ..., k2: _Optional[_Union[Quantity, _Mapping]] = ..., k3: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class OrthotropicExpansion(_message.Message):
    __slots__ = ["alpha1", "alpha2", "alpha3"]
    ALPHA1_FIELD_NUMBER: _ClassVar[int]
    ALPHA2_FIELD_NUMBER: _ClassVar[int]
    ALPHA3_FIELD_NUMBER: _ClassVar[int]
    alpha1: Quantity
    alpha2: Quantity
    alpha3: Quantity
    def __init__(self, alpha1: _Optional[_Union[Quantity, _Mapping]] = ..., alpha2: _Optional[_Union[Quantity, _Mapping]] = ..., alpha3: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Outputs(_message.Message):
    __slots__ = ["error_estimate", "extremes", "fields", "moments_about", "probes", "section_forces", "vtu", "vtu_compressed"]
    ERROR_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_ABOUT_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    SECTION_FORCES_FIELD_NUMBER: _ClassVar[int]
    VTU_COMPRESSED_FIELD_NUMBER: _ClassVar[int]
    VTU_FIELD_NUMBER: _ClassVar[int]
    error_estimate: ErrorEstimateOptions
    extremes: _containers.RepeatedCompositeFieldContainer[RegionExtremes]
    fields: _containers.RepeatedCompositeFieldContainer[FieldRequest]
    moments_about: Point
    probes: _containers.RepeatedCompositeFieldContainer[Probe]
    section_forces: _containers.RepeatedCompositeFieldContainer[SectionForce]
    vtu: bool
    vtu_compressed: bool
    def __init__(self, fields: _Optional[_Iterable[_Union[FieldRequest, _Mapping]]] = ..., vtu: bool = ..., vtu_compressed: bool = ..., probes: _Optional[_Iterable[_Union[Probe, _Mapping]]] = ..., section_forces: _Optional[_Iterable[_Union[SectionForce, _Mapping]]] = ..., extremes: _Optional[_Iterable[_Union[RegionExtremes, _Mapping]]] = ..., moments_about: _Optional[_Union[Point, _Mapping]] = ..., error_estimate: _Optional[_Union[ErrorEstimateOptions, _Mapping]] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ["coordinates"]
    COORDINATES_FIELD_NUMBER: _ClassVar[int]
    coordinates: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, coordinates: _Optional[_Iterable[float]] = ...) -> None: ...

class Probe(_message.Message):
    __slots__ = ["fields", "name", "point", "tolerance"]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedScalarFieldContainer[str]
    name: str
    point: Point
    tolerance: float
    def __init__(self, name: _Optional[str] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., fields: _Optional[_Iterable[str]] = ..., tolerance: _Optional[float] = ...) -> None: ...

class Quantity(_message.Message):
    __slots__ = ["expression", "over_temperature", "over_time", "value"]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    OVER_TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    OVER_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    expression: str
    over_temperature: Table
    over_time: Table
    value: float
    def __init__(self, value: _Optional[float] = ..., expression: _Optional[str] = ..., over_time: _Optional[_Union[Table, _Mapping]] = ..., over_temperature: _Optional[_Union[Table, _Mapping]] = ...) -> None: ...

class Radiation(_message.Message):
    __slots__ = ["ambient", "constant", "emissivity"]
    AMBIENT_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    EMISSIVITY_FIELD_NUMBER: _ClassVar[int]
    ambient: Quantity
    constant: Quantity
    emissivity: Quantity
    def __init__(self, emissivity: _Optional[_Union[Quantity, _Mapping]] = ..., ambient: _Optional[_Union[Quantity, _Mapping]] = ..., constant: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class ReferenceForce(_message.Message):
    __slots__ = ["coupling", "force", "moment"]
    COUPLING_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    coupling: str
    force: Vector
    moment: Vector
    def __init__(self, coupling: _Optional[str] = ..., force: _Optional[_Union[Vector, _Mapping]] = ..., moment: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class ReferenceMotion(_message.Message):
    __slots__ = ["coupling", "rotation_x", "rotation_y", "rotation_z", "x", "y", "z"]
    COUPLING_FIELD_NUMBER: _ClassVar[int]
    ROTATION_X_FIELD_NUMBER: _ClassVar[int]
    ROTATION_Y_FIELD_NUMBER: _ClassVar[int]
    ROTATION_Z_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    coupling: str
    rotation_x: Quantity
    rotation_y: Quantity
    rotation_z: Quantity
    x: Quantity
    y: Quantity
    z: Quantity
    def __init__(self, coupling: _Optional[str] = ..., x: _Optional[_Union[Quantity, _Mapping]] = ..., y: _Optional[_Union[Quantity, _Mapping]] = ..., z: _Optional[_Union[Quantity, _Mapping]] = ..., rotation_x: _Optional[_Union[Quantity, _Mapping]] = ..., rotation_y: _Optional[_Union[Quantity, _Mapping]] = ..., rotation_z: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ["all", "box", "kind", "normal", "plane", "sphere"]
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class Box(_message.Message):
        __slots__ = ["max", "min", "tolerance"]
        MAX_FIELD_NUMBER: _ClassVar[int]
        MIN_FIELD_NUMBER: _ClassVar[int]
        TOLERANCE_FIELD_NUMBER: _ClassVar[int]
        max: Point
        min: Point
        tolerance: float
        def __init__(self, min: _Optional[_Union[Point, _Mapping]] = ..., max: _Optional[_Union[Point, _Mapping]] = ..., tolerance: _Optional[float] = ...) -> None: ...
    class Everything(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class NormalDirection(_message.Message):
        __slots__ = ["angle_degrees", "direction"]
        ANGLE_DEGREES_FIELD_NUMBER: _ClassVar[int]
        DIRECTION_FIELD_NUMBER: _ClassVar[int]
        angle_degrees: float
        direction: Point
        def __init__(self, direction: _Optional[_Union[Point, _Mapping]] = ..., angle_degrees: _Optional[float] = ...) -> None: ...
    class Plane(_message.Message):
        __slots__ = ["normal", "point", "tolerance"]
        NORMAL_FIELD_NUMBER: _ClassVar[int]
        POINT_FIELD_NUMBER: _ClassVar[int]
        TOLERANCE_FIELD_NUMBER: _ClassVar[int]
        normal: Point
        point: Point
        tolerance: float
        def __init__(self, point: _Optional[_Union[Point, _Mapping]] = ..., normal: _Optional[_Union[Point, _Mapping]] = ..., tolerance: _Optional[float] = ...) -> None: ...
    class Sphere(_message.Message):
        __slots__ = ["center", "radius", "surface_only", "tolerance"]
        CENTER_FIELD_NUMBER: _ClassVar[int]
        RADIUS_FIELD_NUMBER: _ClassVar[int]
        SURFACE_ONLY_FIELD_NUMBER: _ClassVar[int]
        TOLERANCE_FIELD_NUMBER: _ClassVar[int]
        center: Point
        radius: float
        surface_only: bool
        tolerance: float
        def __init__(self, center: _Optional[_Union[Point, _Mapping]] = ..., radius: _Optional[float] = ..., surface_only: bool = ..., tolerance: _Optional[float] = ...) -> None: ...
    ALL_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    KIND_CELLS: Region.Kind
    KIND_FACETS: Region.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    KIND_NODES: Region.Kind
    KIND_UNSPECIFIED: Region.Kind
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    PLANE_FIELD_NUMBER: _ClassVar[int]
    SPHERE_FIELD_NUMBER: _ClassVar[int]
    all: Region.Everything
    box: Region.Box
    kind: Region.Kind
    normal: Region.NormalDirection
    plane: Region.Plane
    sphere: Region.Sphere
    def __init__(self, kind: _Optional[_Union[Region.Kind, str]] = ..., box: _Optional[_Union[Region.Box, _Mapping]] = ..., sphere: _Optional[_Union[Region.Sphere, _Mapping]] = ..., plane: _Optional[_Union[Region.Plane, _Mapping]] = ..., normal: _Optional[_Union[Region.NormalDirection, _Mapping]] = ..., all: _Optional[_Union[Region.Everything, _Mapping]] = ...) -> None: ...

class RegionExtremes(_message.Message):
    __slots__ = ["fields", "region"]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedScalarFieldContainer[str]
    region: str
    def __init__(self, region: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ...) -> None: ...

class Section(_message.Message):
    __slots__ = ["formulation", "integration", "kinematics", "material", "orientation", "region", "thickness"]
    class Formulation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class Integration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class Kinematics(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    FORMULATION_B_BAR: Section.Formulation
    FORMULATION_FIELD_NUMBER: _ClassVar[int]
    FORMULATION_INCOMPATIBLE_MODES: Section.Formulation
    FORMULATION_MIXED: Section.Formulation
    FORMULATION_PLAIN: Section.Formulation
    FORMULATION_UNSPECIFIED: Section.Formulation
    INTEGRATION_FIELD_NUMBER: _ClassVar[int]
    INTEGRATION_FULL: Section.Integration
    INTEGRATION_REDUCED: Section.Integration
    INTEGRATION_UNSPECIFIED: Section.Integration
    KINEMATICS_AXISYMMETRIC: Section.Kinematics
    KINEMATICS_FIELD_NUMBER: _ClassVar[int]
    KINEMATICS_PLANE_STRAIN: Section.Kinematics
    KINEMATICS_PLANE_STRESS: Section.Kinematics
    KINEMATICS_UNSPECIFIED: Section.Kinematics
    MATERIAL_FIELD_NUMBER: _ClassVar[int]
    ORIENTATION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    THICKNESS_FIELD_NUMBER: _ClassVar[int]
    formulation: Section.Formulation
    integration: Section.Integration
    kinematics: Section.Kinematics
    material: str
    orientation: str
    region: str
    thickness: Quantity
    def __init__(self, region: _Optional[str] = ..., material: _Optional[str] = ..., thickness: _Optional[_Union[Quantity, _Mapping]] = ..., kinematics: _Optional[_Union[Section.Kinematics, str]] = ..., orientation: _Optional[str] = ..., integration: _Optional[_Union[Section.Integration, str]] = ..., formulation: _Optional[_Union[Section.Formulation, str]] = ...) -> None: ...

class SectionForce(_message.Message):
    __slots__ = ["about", "name", "normal", "region"]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    about: Point
    name: str
    normal: Point
    region: str
    def __init__(self, name: _Optional[str] = ..., region: _Optional[str] = ..., about: _Optional[_Union[Point, _Mapping]] = ..., normal: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Seepage(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SolverOptions(_message.Message):
    __slots__ = ["max_iterations", "method", "petsc_options", "relative_tolerance"]
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class PetscOptionsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MAX_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    METHOD_DIRECT: SolverOptions.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METHOD_ITERATIVE: SolverOptions.Method
    METHOD_UNSPECIFIED: SolverOptions.Method
    PETSC_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    max_iterations: int
    method: SolverOptions.Method
    petsc_options: _containers.ScalarMap[str, str]
    relative_tolerance: float
    def __init__(self, method: _Optional[_Union[SolverOptions.Method, str]] = ..., relative_tolerance: _Optional[float] = ..., max_iterations: _Optional[int] = ..., petsc_options: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Spring(_message.Message):
    __slots__ = ["at", "axes", "axial", "direction", "rotational", "stiffness", "to"]
    class End(_message.Message):
        __slots__ = ["coupling", "node", "region"]
        COUPLING_FIELD_NUMBER: _ClassVar[int]
        NODE_FIELD_NUMBER: _ClassVar[int]
        REGION_FIELD_NUMBER: _ClassVar[int]
        coupling: str
        node: int
        region: str
        def __init__(self, node: _Optional[int] = ..., region: _Optional[str] = ..., coupling: _Optional[str] = ...) -> None: ...
    AT_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    AXIAL_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    ROTATIONAL_FIELD_NUMBER: _ClassVar[int]
    STIFFNESS_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    at: Spring.End
    axes: Axes
    axial: Quantity
    direction: Point
    rotational: Vector
    stiffness: Vector
    to: Spring.End
    def __init__(self, at: _Optional[_Union[Spring.End, _Mapping]] = ..., to: _Optional[_Union[Spring.End, _Mapping]] = ..., stiffness: _Optional[_Union[Vector, _Mapping]] = ..., axial: _Optional[_Union[Quantity, _Mapping]] = ..., rotational: _Optional[_Union[Vector, _Mapping]] = ..., axes: _Optional[_Union[Axes, _Mapping]] = ..., direction: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Static(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SteadyHeat(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Step(_message.Message):
    __slots__ = ["buckling", "combinations", "conditions", "electrostatics", "initial", "load_cases", "loads", "modes", "name", "prestress", "seepage", "static", "steady_heat", "transient_heat"]
    BUCKLING_FIELD_NUMBER: _ClassVar[int]
    COMBINATIONS_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    ELECTROSTATICS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    LOAD_CASES_FIELD_NUMBER: _ClassVar[int]
    MODES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRESTRESS_FIELD_NUMBER: _ClassVar[int]
    SEEPAGE_FIELD_NUMBER: _ClassVar[int]
    STATIC_FIELD_NUMBER: _ClassVar[int]
    STEADY_HEAT_FIELD_NUMBER: _ClassVar[int]
    TRANSIENT_HEAT_FIELD_NUMBER: _ClassVar[int]
    buckling: Buckling
    combinations: _containers.RepeatedCompositeFieldContainer[Combination]
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    electrostatics: Electrostatics
    initial: InitialState
    load_cases: _containers.RepeatedCompositeFieldContainer[LoadCase]
    loads: _containers.RepeatedCompositeFieldContainer[Load]
    modes: Modes
    name: str
    prestress: FromStep
    seepage: Seepage
    static: Static
    steady_heat: SteadyHeat
    transient_heat: TransientHeat
    def __init__(self, name: _Optional[str] = ..., static: _Optional[_Union[Static, _Mapping]] = ..., steady_heat: _Optional[_Union[SteadyHeat, _Mapping]] = ..., modes: _Optional[_Union[Modes, _Mapping]] = ..., buckling: _Optional[_Union[Buckling, _Mapping]] = ..., transient_heat: _Optional[_Union[TransientHeat, _Mapping]] = ..., electrostatics: _Optional[_Union[Electrostatics, _Mapping]] = ..., seepage: _Optional[_Union[Seepage, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., loads: _Optional[_Iterable[_Union[Load, _Mapping]]] = ..., load_cases: _Optional[_Iterable[_Union[LoadCase, _Mapping]]] = ..., combinations: _Optional[_Iterable[_Union[Combination, _Mapping]]] = ..., initial: _Optional[_Union[InitialState, _Mapping]] = ..., prestress: _Optional[_Union[FromStep, _Mapping]] = ...) -> None: ...

class Symmetry(_message.Message):
    __slots__ = ["normal"]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    normal: Point
    def __init__(self, normal: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ["at", "value"]
    AT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    at: _containers.RepeatedScalarFieldContainer[float]
    value: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, at: _Optional[_Iterable[float]] = ..., value: _Optional[_Iterable[float]] = ...) -> None: ...

class TemperatureField(_message.Message):
    __slots__ = ["all_frames", "from_job", "from_step", "value"]
    ALL_FRAMES_FIELD_NUMBER: _ClassVar[int]
    FROM_JOB_FIELD_NUMBER: _ClassVar[int]
    FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    all_frames: bool
    from_job: FromJob
    from_step: FromStep
    value: Quantity
    def __init__(self, value: _Optional[_Union[Quantity, _Mapping]] = ..., from_step: _Optional[_Union[FromStep, _Mapping]] = ..., from_job: _Optional[_Union[FromJob, _Mapping]] = ..., all_frames: bool = ...) -> None: ...

class Tie(_message.Message):
    __slots__ = ["master", "slave", "tolerance", "too_far"]
    class TooFar(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    MASTER_FIELD_NUMBER: _ClassVar[int]
    SLAVE_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    TOO_FAR_FIELD_NUMBER: _ClassVar[int]
    TOO_FAR_REFUSE: Tie.TooFar
    TOO_FAR_RELEASE: Tie.TooFar
    TOO_FAR_UNSPECIFIED: Tie.TooFar
    master: str
    slave: str
    tolerance: float
    too_far: Tie.TooFar
    def __init__(self, slave: _Optional[str] = ..., master: _Optional[str] = ..., tolerance: _Optional[float] = ..., too_far: _Optional[_Union[Tie.TooFar, str]] = ...) -> None: ...

class TransientHeat(_message.Message):
    __slots__ = ["capacity", "duration", "fixed_step", "initial_step", "max_step", "output_interval", "output_times", "tolerance"]
    class Capacity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    CAPACITY_CONSISTENT: TransientHeat.Capacity
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_LUMPED: TransientHeat.Capacity
    CAPACITY_UNSPECIFIED: TransientHeat.Capacity
    DURATION_FIELD_NUMBER: _ClassVar[int]
    FIXED_STEP_FIELD_NUMBER: _ClassVar[int]
    INITIAL_STEP_FIELD_NUMBER: _ClassVar[int]
    MAX_STEP_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TIMES_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    capacity: TransientHeat.Capacity
    duration: Quantity
    fixed_step: Quantity
    initial_step: Quantity
    max_step: Quantity
    output_interval: Quantity
    output_times: _containers.RepeatedScalarFieldContainer[float]
    tolerance: float
    def __init__(self, duration: _Optional[_Union[Quantity, _Mapping]] = ..., initial_step: _Optional[_Union[Quantity, _Mapping]] = ..., max_step: _Optional[_Union[Quantity, _Mapping]] = ..., fixed_step: _Optional[_Union[Quantity, _Mapping]] = ..., tolerance: _Optional[float] = ..., output_times: _Optional[_Iterable[float]] = ..., output_interval: _Optional[_Union[Quantity, _Mapping]] = ..., capacity: _Optional[_Union[TransientHeat.Capacity, str]] = ...) -> None: ...

class UnitSystem(_message.Message):
    __slots__ = ["absolute_zero", "length", "mass", "system", "temperature", "time"]
    class System(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ABSOLUTE_ZERO_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    MASS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_EXPLICIT: UnitSystem.System
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_MM_T_S: UnitSystem.System
    SYSTEM_SI: UnitSystem.System
    SYSTEM_UNSPECIFIED: UnitSystem.System
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    absolute_zero: float
    length: str
    mass: str
    system: UnitSystem.System
    temperature: str
    time: str
    def __init__(self, system: _Optional[_Union[UnitSystem.System, str]] = ..., length: _Optional[str] = ..., mass: _Optional[str] = ..., time: _Optional[str] = ..., temperature: _Optional[str] = ..., absolute_zero: _Optional[float] = ...) -> None: ...

class Vector(_message.Message):
    __slots__ = ["x", "y", "z"]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    x: Quantity
    y: Quantity
    z: Quantity
    def __init__(self, x: _Optional[_Union[Quantity, _Mapping]] = ..., y: _Optional[_Union[Quantity, _Mapping]] = ..., z: _Optional[_Union[Quantity, _Mapping]] = ...) -> None: ...

class Component(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Location(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
