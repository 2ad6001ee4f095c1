from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

ARGUMENT_FIELD_NUMBER: _ClassVar[int]
DESCRIPTOR: _descriptor.FileDescriptor
DIMENSION_ACCELERATION: Dimension
DIMENSION_ANGULAR_ACCELERATION: Dimension
DIMENSION_ANGULAR_VELOCITY: Dimension
DIMENSION_ANY: Dimension
DIMENSION_CHARGE_DENSITY: Dimension
DIMENSION_CONDUCTIVITY: Dimension
DIMENSION_DENSITY: Dimension
DIMENSION_ELECTRIC_CHARGE: Dimension
DIMENSION_ELECTRIC_FIELD: Dimension
DIMENSION_ELECTRIC_POTENTIAL: Dimension
DIMENSION_ENERGY_DENSITY: Dimension
DIMENSION_EXPANSION: Dimension
DIMENSION_FIELD_NUMBER: _ClassVar[int]
DIMENSION_FILM_COEFFICIENT: Dimension
DIMENSION_FORCE: Dimension
DIMENSION_FORCE_PER_VOLUME: Dimension
DIMENSION_FREQUENCY: Dimension
DIMENSION_HEAT_FLUX: Dimension
DIMENSION_HEAT_SOURCE: Dimension
DIMENSION_INERTIA: Dimension
DIMENSION_LENGTH: Dimension
DIMENSION_MASS: Dimension
DIMENSION_MASS_PER_AREA: Dimension
DIMENSION_MOMENT: Dimension
DIMENSION_NONE: Dimension
DIMENSION_PERMITTIVITY: Dimension
DIMENSION_PER_TIME: Dimension
DIMENSION_POWER: Dimension
DIMENSION_PRESSURE: Dimension
DIMENSION_ROTATIONAL_STIFFNESS: Dimension
DIMENSION_SPECIFIC_HEAT: Dimension
DIMENSION_STEFAN_BOLTZMANN: Dimension
DIMENSION_STIFFNESS: Dimension
DIMENSION_SURFACE_CHARGE: Dimension
DIMENSION_TEMPERATURE: Dimension
DIMENSION_TEMPERATURE_DIFFERENCE: Dimension
DIMENSION_TEMPERATURE_GRADIENT: Dimension
DIMENSION_TIME: Dimension
DIMENSION_UNSPECIFIED: Dimension
DIMENSION_VELOCITY: Dimension
DIMENSION_VOLUME_FLOW: Dimension
SHORTHAND_FIELD_NUMBER: _ClassVar[int]
VARIATION_SPACE: Variation
VARIATION_TEMPERATURE: Variation
VARIATION_TIME: Variation
VARIATION_UNSPECIFIED: Variation
VARIES_FIELD_NUMBER: _ClassVar[int]
argument: _descriptor.FieldDescriptor
dimension: _descriptor.FieldDescriptor
shorthand: _descriptor.FieldDescriptor
varies: _descriptor.FieldDescriptor

class Dimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Variation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
