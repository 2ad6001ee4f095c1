"""A YAML tree -> a protobuf message, led by the descriptors of the schema alone.

Rules, the same for every message: keys are the field names; an enum value is lower case without its prefix, "-" or "_";
the one field of a oneof stands among the other keys, or under the name of the oneof as a mapping with one key; a bare
value given for a message is the value of its `shorthand` field, a formula given for a Quantity its expression; a number
with the `dimension` option, its own or that of the message around it, may be a string with a unit.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from dougong.client.dimensions import DIMENSIONS
from dougong.client.units import UnitConverter, UnitError, is_formula, parse_number
from dougong.client.yaml_tree import Mapping, Node, Scalar, Sequence
from dougong.messages import render, violation
from dougong.v1 import analysis_pb2, job_pb2, options_pb2

#: More violations than this help nobody.
MAX_VIOLATIONS = 100

#: Descriptors: the C implementation and the pure Python one have no common type that a checker knows.
Field = Any
Enum = Any
Oneof = Any

_INTEGERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
_REALS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Converter:
    """Fills messages and collects what is wrong.

    Parameters
    ----------
    units
        Converts values with units.

    Attributes
    ----------
    violations
        Everything found, in the order of the file.
    lines
        Field path -> line in the file, for every value met.
    """

    def __init__(self, units: UnitConverter) -> None:
        self._units = units
        self._arguments = 0  # dimension of the arguments of the table that is read
        self.violations: list[job_pb2.Violation] = []
        self.lines: dict[str, int] = {}

    def message(self, node: Node, into: Message, path: str = "", dimension: int = 0) -> None:
        """Fill a message from a node.

        Parameters
        ----------
        node
            Where the value comes from.
        into
            The message to fill.
        path
            Field path of the message, for violations.
        dimension
            Dimension of the numbers in it that have none of their own.
        """
        self.lines.setdefault(path, 1 if not path else node.line)
        if isinstance(node, Mapping):
            self._mapping(node, into, path, dimension)
            return
        short = shorthand_field(into)
        if isinstance(node, Scalar) and node.is_null:
            if short is not None:
                self._refuse("YAML_NO_VALUE", path)
            else:
                into.SetInParent()
        elif isinstance(into, analysis_pb2.Quantity) and isinstance(node, Scalar) and is_formula(node.text):
            into.expression = node.text
        elif short is not None and isinstance(node, Sequence) == is_repeated(short):
            self._field(node, into, short, path, dimension)
        elif short is not None and is_repeated(short):
            self._refuse("YAML_LIST_EXPECTED", path)
        elif into.DESCRIPTOR.full_name == analysis_pb2.Vector.DESCRIPTOR.full_name:
            self._vector(node, into, path, dimension)
        elif not into.DESCRIPTOR.fields:
            self._refuse("YAML_EMPTY_EXPECTED", path, key=path.rpartition(".")[2])
        else:
            self._refuse("YAML_MAPPING_EXPECTED", path, keys=", ".join(f.name for f in into.DESCRIPTOR.fields))

    def _vector(self, node: Node, into: Message, path: str, dimension: int) -> None:
        """Fill a vector from a list: its components in the order of the fields."""
        fields: list[Field] = list(into.DESCRIPTOR.fields)
        if not isinstance(node, Sequence) or not 2 <= len(node.items) <= len(fields):
            self._refuse("YAML_VECTOR_EXPECTED", path)
            return
        into.SetInParent()
        for field, item in zip(fields, node.items, strict=False):
            here = join(path, field.name)
            self.lines.setdefault(here, item.line)
            self._field(item, into, field, here, dimension)

    def _mapping(self, node: Mapping, into: Message, path: str, dimension: int) -> None:
        into.SetInParent()
        fields = into.DESCRIPTOR.fields_by_name
        oneofs = {o.name: o for o in into.DESCRIPTOR.oneofs if not is_synthetic(o)}
        seen: set[str] = set()
        chosen: dict[str, str] = {}
        for key, line, value in node.entries:
            here = join(path, key)
            self.lines.setdefault(here, line)
            if key in seen:
                self._refuse("YAML_DUPLICATE_KEY", here, key=key)
                continue
            seen.add(key)
            if key in oneofs and key not in fields:
                pair = self._choice(value, oneofs[key], here)
                if pair is None:
                    continue
                key, value = pair
                here = join(path, key)
                self.lines.setdefault(here, value.line)
            if key not in fields:
                self._unknown_key(key, here, list(fields))
                continue
            field = fields[key]
            oneof = field.containing_oneof
            if oneof is not None and not is_synthetic(oneof):
                if oneof.name in chosen:
                    self._refuse("YAML_TWO_CHOICES", here, first=chosen[oneof.name], second=key)
                    continue
                chosen[oneof.name] = key
            self._field(value, into, field, here, dimension)

    def _choice(self, node: Node, oneof: Oneof, path: str) -> tuple[str, Node] | None:
        if isinstance(node, Mapping) and len(node.entries) == 1:
            return node.entries[0][0], node.entries[0][2]
        if isinstance(node, Scalar) and node.text in [f.name for f in oneof.fields]:
            return node.text, Mapping(node.line)
        self._refuse("YAML_ONE_CHOICE", path, keys=", ".join(f.name for f in oneof.fields))
        return None

    def _field(self, node: Node, into: Message, field: Field, path: str, dimension: int) -> None:
        options = field.GetOptions()
        if options.HasExtension(options_pb2.dimension):
            dimension = options.Extensions[options_pb2.dimension]
        if options.HasExtension(options_pb2.argument):
            self._arguments = options.Extensions[options_pb2.argument]
        elif field.name == "at" and into.DESCRIPTOR.full_name == analysis_pb2.Table.DESCRIPTOR.full_name:
            dimension = self._arguments
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._map(node, into, field, path, dimension)
        elif is_repeated(field):
            self._list(node, into, field, path, dimension)
        elif field.message_type is not None:
            self.message(node, getattr(into, field.name), path, dimension)
        else:
            value = self._scalar(node, field, path, dimension)
            if value is not None:
                setattr(into, field.name, value)

    def _map(self, node: Node, into: Message, field: Field, path: str, dimension: int) -> None:
        if isinstance(node, Scalar) and node.is_null:
            return
        if not isinstance(node, Mapping):
            self._refuse("YAML_NAMES_EXPECTED", path)
            return
        target = getattr(into, field.name)
        for key, line, value in node.entries:
            here = f'{path}["{key}"]'
            if here in self.lines:
                self._refuse("YAML_DUPLICATE_KEY", here, key=key)
                continue
            self.lines[here] = line
            entry = field.message_type.fields_by_name["value"]
            if entry.message_type is not None:
                self.message(value, target[key], here, dimension)
                continue
            plain = self._scalar(value, entry, here, dimension)
            if plain is not None:
                target[key] = plain

    def _list(self, node: Node, into: Message, field: Field, path: str, dimension: int) -> None:
        if isinstance(node, Scalar) and node.is_null:
            return
        if not isinstance(node, Sequence):
            self._refuse("YAML_LIST_EXPECTED", path)
            return
        target = getattr(into, field.name)
        for k, item in enumerate(node.items):
            here = f"{path}[{k}]"
            self.lines[here] = item.line
            if field.message_type is not None:
                self.message(item, target.add(), here, dimension)
            else:
                value = self._scalar(item, field, here, dimension)
                if value is not None:
                    target.append(value)

    def _scalar(self, node: Node, field: Field, path: str, dimension: int) -> Any:
        """The value of a field that is no message; None when it is refused."""
        if not isinstance(node, Scalar):
            self._refuse("YAML_VALUE_EXPECTED", path)
            return None
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return "" if node.is_null else node.text
        if node.is_null:
            self._refuse("YAML_NO_VALUE", path)
            return None
        if field.enum_type is not None:
            return self._enum(node.text, field.enum_type, path)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            value = _BOOLEANS.get(node.text.lower())
            if value is None:
                self._refuse("YAML_BOOLEAN_EXPECTED", path, value=node.text)
            return value
        if field.cpp_type in _INTEGERS:
            return self._integer(node.text, field, path)
        return self._real(node.text, path, dimension)

    def _enum(self, text: str, enum: Enum, path: str) -> int | None:
        names = enum_names(enum)
        number = names.get(text.lower().replace("-", "_").replace(" ", "_"))
        if number is None:
            self._refuse("YAML_ENUM_UNKNOWN", path, value=text, known=", ".join(names))
        return number

    def _integer(self, text: str, field: Field, path: str) -> int | None:
        bits = 31 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 63
        if re.fullmatch(r"[+-]?[0-9]{1,19}", text) and -(2**bits) <= int(text) < 2**bits:
            return int(text)
        self._refuse("YAML_INTEGER_EXPECTED", path, value=text[:60])
        return None

    def _real(self, text: str, path: str, dimension: int) -> float | None:
        info = DIMENSIONS.get(dimension)
        try:
            if info is None:
                value, rest = parse_number(text)
                if rest:
                    raise UnitError("number", text)
                return value
            return self._units.convert(text, dimension)
        except UnitError as error:
            self._refuse_value(error, text[:60], path, dimension)
            return None

    def _refuse_value(self, error: UnitError, text: str, path: str, dimension: int) -> None:
        info = DIMENSIONS.get(dimension)
        params: dict[str, Any] = {"value": text, "unit": error.part[:60]}
        if info is None:
            self._refuse("NUMBER_EXPECTED", path, **params)
            return
        reason = {
            "number": "QUANTITY_EXPECTED",
            "not_finite": "QUANTITY_TOO_LARGE",
            "unit": "UNIT_UNKNOWN",
            "dimension": "UNIT_WRONG_DIMENSION",
            "difference": "UNIT_IS_DIFFERENCE",
        }[error.kind]
        found = violation(reason, path, dimension=info.en, examples=info.examples, **params)
        found.text_zh = render(reason, {**found.params, "dimension": info.zh}, "zh")
        self._add(found)

    def _unknown_key(self, key: str, path: str, known: list[str]) -> None:
        near = nearest(key, known)
        if near:
            self._refuse("YAML_UNKNOWN_KEY_NEAR", path, key=key[:60], nearest=near)
        else:
            self._refuse("YAML_UNKNOWN_KEY", path, key=key[:60], known=", ".join(known) or "{}")

    def _refuse(self, reason: str, path: str, **params: Any) -> None:
        self._add(violation(reason, path, **params))

    def _add(self, found: job_pb2.Violation) -> None:
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(found)


def shorthand_field(message: Message) -> Field | None:
    """The field whose value may stand for the message, if it has one."""
    fields: list[Field] = list(message.DESCRIPTOR.fields)
    for field in fields:
        if field.GetOptions().Extensions[options_pb2.shorthand]:
            return field
    return None


def is_repeated(field: Field) -> bool:
    """Whether a field is a list or a map; the newest protobuf and the oldest supported one name this differently."""
    newer = getattr(field, "is_repeated", None)
    return bool(newer) if newer is not None else field.label == FieldDescriptor.LABEL_REPEATED


def is_synthetic(oneof: Oneof) -> bool:
    """Whether a oneof is only the compiler's way to say `optional`."""
    return len(oneof.fields) == 1 and oneof.name.startswith("_")


def enum_names(enum: Enum) -> dict[str, int]:
    """The names of an enum as a person writes them -> number; without the unspecified one."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {v.name.removeprefix(prefix).lower(): v.number for v in enum.values if v.number != 0}


def join(path: str, key: str) -> str:
    """The field path of a key of the message at a path."""
    key = key[:60]
    if not _IDENTIFIER.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def nearest(key: str, known: list[str]) -> str:
    """The known name that looks most like a misspelt one, or nothing."""
    spelled = key.lower().replace("-", "_").replace(" ", "_")
    found = difflib.get_close_matches(spelled, known, n=1, cutoff=0.6)
    return found[0] if found else ""
