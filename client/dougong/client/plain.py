"""A protobuf message as plain dictionaries, lists and values: for YAML, for JSON, in one way of writing.

Field names are those of the schema, enum values lower case without prefix, times ISO 8601, 64-bit integers are
integers, a number that is not finite is null.
"""

from __future__ import annotations

import math
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from dougong.client.schema import Field, enum_names, is_repeated, shorthand_field


def to_plain(message: Message) -> Any:
    """What a message holds; what is not set is left out, a message with a shorthand is that value where it can be.

    Returns
    -------
    dict, list, str, int, float or bool
        A dict for every message without shorthand.
    """
    if isinstance(message, Timestamp):
        return message.ToJsonString()
    short = shorthand_field(message)
    out: dict[str, Any] = {}
    fields: list[Field] = list(message.DESCRIPTOR.fields)
    for field in fields:
        if _is_map(field):
            values = getattr(message, field.name)
            if values:
                entry = field.message_type.fields_by_name["value"]
                out[field.name] = {key: _value(entry, values[key]) for key in sorted(values)}
        elif is_repeated(field):
            items = [_value(field, item) for item in getattr(message, field.name)]
            if items:
                out[field.name] = items
        elif field.has_presence:
            if message.HasField(field.name):
                out[field.name] = _value(field, getattr(message, field.name))
        elif getattr(message, field.name) != field.default_value:
            out[field.name] = _value(field, getattr(message, field.name))
    if short is not None and not out.keys() - {short.name}:
        if short.name in out:
            return out[short.name]
        if is_repeated(short):
            return []
        if short.enum_type is None:
            return short.default_value
    return out


def _is_map(field: Field) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _value(field: Field, value: Any) -> Any:
    if field.message_type is not None:
        return to_plain(value)
    if field.enum_type is not None:
        names = {number: name for name, number in enum_names(field.enum_type).items()}
        return names.get(value, "unspecified" if value == 0 else int(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
