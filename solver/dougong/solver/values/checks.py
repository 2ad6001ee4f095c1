"""What is wrong with the numbers of an analysis, as far as it can be said without a mesh, and with their values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import Message

from dougong.messages import violation, violation_from
from dougong.solver.values.expression import CONSTANTS, FUNCTIONS, NAME, Expression, ExpressionError, parse
from dougong.solver.values.nearest import nearest
from dougong.solver.values.quantities import POSITION, TIME, Place, places, ways
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, options_pb2

Violation = job_pb2.Violation

_WAY = re.compile(r"\.(expression|value|over_time|over_temperature)(\.\w+)?(\[\d+\])?$")

_SPACE, _TIME, _TEMPERATURE = (
    options_pb2.VARIATION_SPACE,
    options_pb2.VARIATION_TIME,
    options_pb2.VARIATION_TEMPERATURE,
)
_WORDS: dict[int, str] = {_SPACE: "position", _TIME: "time", _TEMPERATURE: "temperature"}
#: What a table over something needs its Quantity to vary with.
_TABLES = {"over_time": _TIME, "over_temperature": _TEMPERATURE}


def check_numbers(analysis: pb.Analysis, dim: int) -> list[Violation]:
    """What is wrong with numbers, expressions, tables and parameters.

    Parameters
    ----------
    analysis
        The analysis as sent.
    dim
        Dimension of the mesh.
    """
    found = [violation("NUMBER_NOT_FINITE", path, value=value) for path, value in _not_finite(analysis, "")]
    found += _check_parameters(analysis)
    for place in places(analysis):
        found += _check_quantity(place, analysis, dim)
    return found


def _not_finite(message: Message, path: str) -> Iterator[tuple[str, float]]:
    """Numbers that are infinite or not a number."""
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        items: Iterable[tuple[str, Any]] = [(here, value)]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            items = [(f'{here}["{key}"]', value[key]) for key in sorted(value)]
        elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
            items = [(f"{here}[{k}]", item) for k, item in enumerate(value)]
        for where, item in items:
            if isinstance(item, Message):
                yield from _not_finite(item, where)
            elif isinstance(item, float) and not math.isfinite(item):
                yield where, item


def _check_parameters(analysis: pb.Analysis) -> list[Violation]:
    taken = {*POSITION, TIME, *CONSTANTS, *FUNCTIONS}
    found = []
    for name in sorted(analysis.parameters):
        path = f'parameters["{name[:60]}"]'
        if not NAME.fullmatch(name):
            found.append(violation("PARAMETER_NAME_WRONG", path, name=name[:60]))
        elif name in taken:
            found.append(violation("PARAMETER_NAME_TAKEN", path, name=name))
    return found


def _check_quantity(place: Place, analysis: pb.Analysis, dim: int) -> list[Violation]:
    given = ways(place.quantity)
    if not given:
        return [violation("VALUE_MISSING", place.path)]
    if len(given) > 1:
        return [violation("QUANTITY_TWO_WAYS", place.path, given=", ".join(given))]
    if given[0] == "expression":
        return _check_expression(place, analysis, dim)
    if given[0] == "value":
        if place.dimension != options_pb2.DIMENSION_TEMPERATURE:
            return []  # the limits of constants are those of the physics
        return _too_low(place.path, place.quantity.value, place.dimension, analysis.units)
    if _TABLES[given[0]] not in place.varies:
        return [_not_here(place, f"{place.path}.{given[0]}", _TABLES[given[0]])]
    table, path = getattr(place.quantity, given[0]), f"{place.path}.{given[0]}"
    return _check_table(table, path) or [
        v
        for k, value in enumerate(table.value)
        for v in _too_low(f"{path}.value[{k}]", value, place.dimension, analysis.units)
    ]


def _not_here(place: Place, path: str, wanted: int) -> Violation:
    """It cannot depend on what it shall depend on."""
    may = ", ".join(_WORDS[v] for v in sorted(place.varies) if v in _WORDS)
    return violation("VARIATION_NOT_HERE", path, on=_WORDS[wanted], may=may or "-")


def _check_table(table: pb.Table, path: str) -> list[Violation]:
    if not table.at:
        return [violation("TABLE_EMPTY", path)]
    if len(table.at) != len(table.value):
        return [violation("TABLE_LENGTHS_DIFFER", path, arguments=len(table.at), values=len(table.value))]
    for k in range(1, len(table.at)):
        if not table.at[k - 1] < table.at[k]:
            at = f"{path}.at[{k}]"
            return [violation("TABLE_NOT_ASCENDING", at, value=table.at[k], before=table.at[k - 1])]
    return []


def _check_expression(place: Place, analysis: pb.Analysis, dim: int) -> list[Violation]:
    path, parameters = f"{place.path}.expression", analysis.parameters
    try:
        expression = parse(place.quantity.expression)
    except ExpressionError as error:
        return [violation_from(error.reason, path, error.params)]
    coordinates = POSITION[:dim]
    known = [*sorted(parameters), *FUNCTIONS, *CONSTANTS]
    known += coordinates if _SPACE in place.varies else ()
    known += [TIME] if _TIME in place.varies else []
    found = []
    for name, position in expression.names.items():
        if name in parameters and name not in (*POSITION, TIME):
            continue
        if name in POSITION[dim:]:
            found.append(violation("EXPRESSION_COORDINATE_NOT_IN_MODEL", path, position=position, name=name))
        elif name in coordinates and _SPACE not in place.varies:
            found.append(_not_here(place, path, _SPACE))
        elif name == TIME and _TIME not in place.varies:
            found.append(_not_here(place, path, _TIME))
        elif name not in (*coordinates, TIME):
            near = ", ".join(nearest(name, known)) or "-"
            found.append(violation("EXPRESSION_NAME_UNKNOWN", path, position=position, name=name[:60], near=near))
    if not found and not {*coordinates, TIME} & set(expression.names):
        found += _check_settled(expression, place, analysis)
    return found


def _check_settled(expression: Expression, place: Place, analysis: pb.Analysis) -> list[Violation]:
    """Of one that depends on parameters alone: whether it has a value, and one that can be."""
    value = float(expression.evaluate(analysis.parameters))
    path = f"{place.path}.expression"
    if not math.isfinite(value):
        return [violation("EXPRESSION_WITHOUT_VALUE", path, value=value)]
    return _too_low(path, value, place.dimension, analysis.units)


def lowest_value(dimension: int, units: pb.UnitSystem) -> float:
    """Below which no number of a dimension can be; -inf where there is no such limit."""
    limits: dict[int, float] = {
        options_pb2.DIMENSION_TEMPERATURE: units.absolute_zero,
        options_pb2.DIMENSION_FILM_COEFFICIENT: 0.0,
    }
    return limits.get(dimension, -math.inf)


def _too_low(path: str, value: float, dimension: int, units: pb.UnitSystem) -> list[Violation]:
    lowest = lowest_value(dimension, units)
    if not value < lowest:
        return []
    if dimension == options_pb2.DIMENSION_TEMPERATURE:
        return [violation("TEMPERATURE_BELOW_ABSOLUTE_ZERO", path, value=value, zero=lowest)]
    return [violation("VALUE_NEGATIVE", path, value=value)]


def part_of(violation_path: str) -> str:
    """The path of the Quantity that a violation of it is about, such as one of its expression."""
    return _WAY.sub("", violation_path)
