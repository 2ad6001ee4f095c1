"""YAML text -> a tree with line numbers, within limits; no YAML type, tag or implicit conversion survives.

What a scalar means (a number, a name, yes or no) is decided later from the schema, so that `1e-3` is a number, and a
region may be called `on`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from dougong.messages import InputError, violation

#: An analysis is a small message.
MAX_BYTES = 1 << 20
MAX_DEPTH = 32
#: Values, each counted as often as aliases repeat it.
MAX_VALUES = 100_000


@dataclass(frozen=True)
class Scalar:
    """A single value, as its text.

    Attributes
    ----------
    text
        The text, without quotes.
    quoted
        Whether it stood in quotes, or as a block.
    line
        Line in the file, from 1.
    """

    text: str
    quoted: bool
    line: int
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Whether nothing was written, or YAML's word for it."""
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass
class Sequence:
    """A list."""

    line: int
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass
class Mapping:
    """Keys and values in the order of the file; a key that stands twice is here twice."""

    line: int
    entries: list[tuple[str, int, Node]] = field(default_factory=list)
    size: int = 1


Node = Scalar | Sequence | Mapping


def parse(data: bytes) -> Node:
    """The tree of a YAML document.

    Parameters
    ----------
    data
        UTF-8 text, at most `MAX_BYTES`.

    Raises
    ------
    InputError
        Not YAML, more than one document, too large, too deep, or too many values.
    """
    if len(data) > MAX_BYTES:
        raise InputError([violation("YAML_TOO_LARGE", limit=f"{MAX_BYTES // 1024} KiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError([violation("YAML_NOT_UTF8", offset=error.start)]) from error
    try:
        return _build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or error.context or "?"
        raise InputError([violation("YAML_SYNTAX", problem=problem, line=line, column=column)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError([violation("YAML_SYNTAX", problem=error.reason, line=line, column=1)]) from error


def _build(events: Iterator[yaml.Event]) -> Node:
    stack: list[Sequence | Mapping] = []
    keys: list[Scalar | None] = []  # for each open mapping the key that waits for its value
    anchors: dict[str, Node] = {}
    open_anchors: list[str | None] = []
    root: Node | None = None
    documents = 0

    def put(node: Node) -> None:
        nonlocal root
        if not stack:
            root = node
            return
        parent = stack[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif keys[-1] is None:
            if not isinstance(node, Scalar):
                raise InputError([violation("YAML_KEY_NOT_TEXT", line=node.line)])
            keys[-1] = node
        else:
            parent.entries.append((keys[-1].text, keys[-1].line, node))
            keys[-1] = None
        parent.size += node.size
        if parent.size > MAX_VALUES:
            raise InputError([violation("YAML_TOO_MANY_VALUES", limit=MAX_VALUES, line=node.line)])

    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise InputError([violation("YAML_TWO_DOCUMENTS", line=line)])
        elif isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, event.style is not None, line)
            if event.anchor:
                anchors[event.anchor] = scalar
            put(scalar)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise InputError([violation("YAML_ALIAS_UNKNOWN", alias=event.anchor, line=line)])
            put(anchors[event.anchor])
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(stack) >= MAX_DEPTH:
                raise InputError([violation("YAML_TOO_DEEP", limit=MAX_DEPTH, line=line)])
            stack.append(Sequence(line) if isinstance(event, yaml.SequenceStartEvent) else Mapping(line))
            keys.append(None)
            open_anchors.append(event.anchor)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            node = stack.pop()
            keys.pop()
            anchor = open_anchors.pop()
            if anchor:
                anchors[anchor] = node
            put(node)
    return root if root is not None else Mapping(1)
