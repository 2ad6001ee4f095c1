"""The numbers of an analysis: constant, by an expression of position and time, or by a table.

Where a number may vary the schema says (the option `varies`). An expression of nothing but parameters is a number like
any other; `settled` replaces it by its value, so that only who deals with what varies need know of expressions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from dougong.solver.values.expression import Expression, ExpressionError, parse
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2

Array = NDArray[np.float64]

#: Names with a meaning in an expression, beside parameters: the coordinates and the time.
POSITION = ("x", "y", "z")
TIME = "t"
#: Points at which an expression is evaluated at a time.
_POINTS = 1 << 15


@dataclass(frozen=True)
class Place:
    """A Quantity where it stands in a message.

    Attributes
    ----------
    path
        Its field path.
    quantity
        The Quantity.
    dimension
        A value of dougong.v1.Dimension.
    varies
        Values of dougong.v1.Variation: with what it may vary.
    """

    path: str
    quantity: pb.Quantity
    dimension: int
    varies: frozenset[int]


def places(message: Message, path: str = "") -> Iterator[Place]:
    """Every Quantity in a message, with its field path; `path` is that of the message."""
    return _places(message, path, 0, frozenset())


def _places(message: Message, path: str, dimension: int, varies: frozenset[int]) -> Iterator[Place]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        options: Any = field.GetOptions()
        own = options.Extensions[options_pb2.dimension] or dimension
        may = frozenset(options.Extensions[options_pb2.varies]) or varies
        for here, item in _items(field, value, f"{path}.{field.name}" if path else field.name):
            if isinstance(item, pb.Quantity):
                yield Place(here, item, own, may)
            elif isinstance(item, Message):
                yield from _places(item, here, own, may)


def _items(field: Any, value: Any, here: str) -> list[tuple[str, Any]]:
    """The messages of a field, each with its path."""
    if field.message_type.GetOptions().map_entry:
        return [(f'{here}["{key}"]', value[key]) for key in sorted(value)]
    if isinstance(value, Message):
        return [(here, value)]
    return [(f"{here}[{k}]", item) for k, item in enumerate(value)]


def settled(analysis: pb.Analysis, wrong: Collection[str] = ()) -> pb.Analysis:
    """The same analysis with the value of each expression that depends on parameters alone in its place.

    Parameters
    ----------
    analysis
        The analysis.
    wrong
        Field paths of Quantities that cannot be used, see `dougong.solver.values.checks`: they become zero.
    """
    out = pb.Analysis()
    out.CopyFrom(analysis)
    for place in places(out):
        value = 0.0 if place.path in wrong else _settled_value(place.quantity, analysis.parameters)
        if value is not None:
            place.quantity.Clear()
            place.quantity.value = value
    return out


def _settled_value(quantity: pb.Quantity, parameters: Mapping[str, float]) -> float | None:
    if ways(quantity) != ["expression"]:
        return None
    try:
        expression = parse(quantity.expression)
    except ExpressionError:
        return None
    if any(name not in parameters or name in (*POSITION, TIME) for name in expression.names):
        return None
    value = float(expression.evaluate(parameters))
    return value if np.isfinite(value) else None


def ways(quantity: pb.Quantity) -> list[str]:
    """The ways in which a Quantity is given: one of them when it is right."""
    given = [name for name in ("value", "over_time", "over_temperature") if quantity.HasField(name)]
    return [*given, "expression"] if quantity.expression else given


def is_constant(quantity: pb.Quantity) -> bool:
    """Whether a Quantity is the same number everywhere and always; one that is not given is zero."""
    return not (quantity.expression or quantity.HasField("over_time") or quantity.HasField("over_temperature"))


def is_zero(quantity: pb.Quantity) -> bool:
    """Whether a Quantity is surely zero everywhere and always."""
    if quantity.expression:
        return False
    tables = [t for t in ("over_time", "over_temperature") if quantity.HasField(t)]
    return not quantity.value and not any(any(getattr(quantity, t).value) for t in tables)


def depends_on(quantity: pb.Quantity) -> frozenset[str]:
    """What a Quantity depends on: some of "x", "y", "z", "t" and "temperature"."""
    if quantity.expression:
        return frozenset(parse(quantity.expression).names) & {*POSITION, TIME}
    tables = {"over_time": TIME, "over_temperature": "temperature"}
    return frozenset(name for table, name in tables.items() if quantity.HasField(table))


def vector(components: pb.Vector, dim: int) -> list[pb.Quantity]:
    """The first components of a vector."""
    return [components.x, components.y, components.z][:dim]


def evaluate(
    quantity: pb.Quantity,
    *,
    points: Array | None = None,
    time: float = 1.0,
    temperature: Array | None = None,
    parameters: Mapping[str, float] | None = None,
) -> float | Array:
    """The value of a Quantity, in the units of the analysis.

    Parameters
    ----------
    quantity
        A Quantity that was found to be right.
    points
        shape (..., dim) - length: where; None for a Quantity that does not depend on position.
    time
        The time in the step.
    temperature
        shape (...): at the points; needed for a table over temperature.
    parameters
        Those of the analysis.

    Returns
    -------
    float or ndarray
        A number where it is the same everywhere, else shape (...). It may be infinite or not a number where an
        expression has no value.
    """
    if quantity.expression:
        return _evaluate(parse(quantity.expression), points, {**(parameters or {}), TIME: time})
    if quantity.HasField("over_time"):
        return float(np.interp(time, quantity.over_time.at, quantity.over_time.value))
    if quantity.HasField("over_temperature"):
        if temperature is None:
            raise ValueError("a table over temperature needs the temperature")
        return np.interp(temperature, quantity.over_temperature.at, quantity.over_temperature.value)
    return quantity.value


def _evaluate(expression: Expression, points: Array | None, values: Mapping[str, float | Array]) -> float | Array:
    """The value of an expression at points, some of them at a time: what is between its parentheses takes memory."""
    if points is None or not expression.names.keys() & {*POSITION}:
        return float(expression.evaluate(values))
    flat = points.reshape(-1, points.shape[-1])
    found = np.empty(len(flat))
    for first in range(0, len(flat), _POINTS):
        some = flat[first : first + _POINTS]
        at = {name: some[:, i] for i, name in enumerate(POSITION[: some.shape[1]])}
        found[first : first + _POINTS] = expression.evaluate({**values, **at})
    return found.reshape(points.shape[:-1])
