"""Keyword cards of an Abaqus or CalculiX deck and their data lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import Growing, decode, find
from dougong.meshes.formats._textfile import TextFile, bad_number, comma_table, parse_float, parse_id, shorten
from dougong.meshes.formats.base import ReadError

_FIELD = re.compile(r'((?:[^,"]|"[^"]*"?)*)(?:,|$)')
_FLAGS = frozenset({"GENERATE", "INTERNAL", "UNSORTED", "ELSET", "NSET", "TYPE", "NAME", "INSTANCE", "PART", "SYSTEM"})

#: Longer keyword lines than this are not keyword lines.
_MAX_KEYWORD = 100_000


@dataclass
class Card:
    """A keyword with its parameters.

    Attributes
    ----------
    name
        In capitals, without the star and without blanks: "ENDPART".
    shown
        As a message shows it: "*END PART".
    params
        In capitals, without blanks -> value, without quotes.
    offset
        Where the keyword stands.
    data
        Ranges of bytes with its data lines.
    """

    name: str
    shown: str
    params: dict[str, str]
    offset: int
    data: list[tuple[int, int]] = field(default_factory=list)


def split_fields(text: str) -> list[str]:
    """Split at commas and strip; a comma in double quotes does not separate. A trailing comma adds none."""
    fields = text.split(",") if '"' not in text else [m[1] for m in _FIELD.finditer(text)]
    fields = [f.strip() for f in fields]
    while len(fields) > 1 and not fields[-1]:
        fields.pop()
    return fields


def cards(file: TextFile) -> Iterator[Card]:
    """Yield all cards in the order of the file; comment lines are left out."""
    data = file.data
    card: Card | None = None
    position = fresh = 0  # where to look next; where data that belong to `card` begin
    while True:
        star = find(data, b"*", position)
        if star < 0:
            break
        begin = data.rfind(b"\n", position, star) + 1 or position
        end = file.end_of_line(star)
        position = end + 1
        if data[begin:star].strip() or star + 1 == len(data):
            continue
        if card is not None and begin > fresh:
            card.data.append((fresh, begin))
        fresh = position
        if data[star + 1] == 42:
            continue
        if card is not None:
            yield card
        card, position = _keyword(file, star, end)
        fresh = position
    if card is not None:
        if fresh < len(data):
            card.data.append((fresh, len(data)))
        yield card


def _keyword(file: TextFile, star: int, end: int) -> tuple[Card, int]:
    """Read the card whose keyword line lies from `star` to `end`, and where the next line begins."""
    text = decode(file.data[star + 1 : min(end, star + _MAX_KEYWORD)]).strip()
    position = end + 1
    while text.endswith(",") and position < len(file) and len(text) < _MAX_KEYWORD:
        stop = file.end_of_line(position)
        more = decode(file.data[position : min(stop, position + _MAX_KEYWORD)]).strip()
        first = more.split(",", 1)[0]
        word = "".join(first.split("=", 1)[0].split()).upper()
        if more.startswith("*") or ("=" not in first and word not in _FLAGS):
            break  # a comma left over: what follows are data
        text += more
        position = stop + 1
    fields = split_fields(text)
    shown = " ".join(fields[0].upper().split())
    params: dict[str, str] = {}
    for entry in fields[1:]:
        key, _, value = entry.partition("=")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        params["".join(key.split()).upper()] = value
    return Card("".join(shown.split()), "*" + shorten(shown), params, star), position


def rows(file: TextFile, card: Card) -> Iterator[tuple[int, list[str]]]:
    """Split data lines into fields, each with its offset."""
    for start, end in card.data:
        for offset, line in file.lines(start, end):
            yield offset, split_fields(line)


def read_nodes(file: TextFile, card: Card) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read numbers, shape (n,), and coordinates, shape (n, 3), of a *NODE card; coordinates left out are 0."""
    size = _size(card)
    ids, points = Growing(np.int64, size), Growing(np.float64, size)
    for start, end in card.data:
        for offset, chunk in file.chunks(start, end):
            table = comma_table(chunk, np.float64)
            if table is not None and len(table[1]) and np.all(table[1] == table[1][0]):
                values = table[0].reshape(len(table[1]), -1)
                number = values[:, 0]
                # NaN, which no integer is, fails the comparison too.
                if np.all((number == np.floor(number)) & (number > 0) & (number < 2**53)):
                    xyz = np.zeros((len(values), 3))
                    width = min(values.shape[1], 4) - 1
                    xyz[:, :width] = values[:, 1 : width + 1]
                    ids.add(number.astype(np.int64), len(chunk))
                    points.add(xyz.reshape(-1), len(chunk))
                    continue
            slow_ids, slow_xyz = _nodes_by_line(file, offset, offset + len(chunk))
            ids.add(slow_ids, len(chunk))
            points.add(slow_xyz.reshape(-1), len(chunk))
    return ids.finish().astype(np.int64, copy=False), points.finish().reshape(-1, 3)


def _size(card: Card) -> int:
    """Bytes of its data lines."""
    return sum(end - start for start, end in card.data)


def _nodes_by_line(file: TextFile, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ids: list[int] = []
    points: list[list[float]] = []
    for offset, text in file.lines(start, end):
        fields = split_fields(text)
        try:
            number = int(fields[0])
            xyz = [float(f) if f else 0.0 for f in fields[1:4]]
            if not 0 < number < 2**53:
                raise ValueError
        except ValueError:
            number = parse_id(fields[0], file, offset)
            if number <= 0:
                raise bad_number(file, offset, fields[0]) from None
            xyz = [parse_float(f, file, offset) if f else 0.0 for f in fields[1:4]]
        ids.append(number)
        points.append(xyz + [0.0] * (3 - len(xyz)))
    return np.array(ids, np.int64), np.array(points, float).reshape(-1, 3)


def read_elements(file: TextFile, card: Card, n_nodes: int, extra: bool) -> NDArray[np.integer]:
    """Read numbers and nodes of an *ELEMENT card.

    An element's data continue on the next line while its line ends in a comma or nodes are missing.

    Parameters
    ----------
    file, card
        Where they stand.
    n_nodes
        Nodes of an element of this type.
    extra
        Whether one more node may follow, which is left out (it orients a beam).

    Returns
    -------
    ndarray
        shape (n, 1 + n_nodes), int64, or int32 where that is enough.

    Raises
    ------
    ReadError
        With the line that cannot be an element.
    """
    fast = _elements_at_once(file, card, 1 + n_nodes)
    if fast is not None:
        return fast
    out = [numbers[: 1 + n_nodes] for _, numbers in element_records(file, card, n_nodes, extra)]
    return np.array(out, np.int64).reshape(-1, 1 + n_nodes)


def _elements_at_once(file: TextFile, card: Card, width: int) -> NDArray[np.integer] | None:
    """Read all elements; None when the data are not whole elements of `width` numbers that begin with a line."""
    values = Growing(np.int64, _size(card))
    counts: list[NDArray[np.int64]] = []
    for start, end in card.data:
        for _, chunk in file.chunks(start, end):
            table = comma_table(chunk, np.int64)
            if table is None:
                return None
            values.add(table[0], len(chunk))
            counts.append(table[1])
    numbers = values.finish()
    if not len(numbers):
        return np.empty((0, width), np.int64)
    if len(numbers) % width or numbers.min() <= 0 or numbers.max() > 2**53:
        return None
    per_line = np.concatenate(counts)
    if not np.all(per_line == width):
        begins = np.cumsum(per_line) - per_line
        whole = begins % width == 0
        if int(whole.sum()) != len(numbers) // width:
            return None
    return numbers.reshape(-1, width)


def element_records(file: TextFile, card: Card, n_nodes: int, extra: bool) -> Iterator[tuple[int, list[int]]]:
    """Yield elements one by one: offset of the first line, and number and nodes. Raises `ReadError` at a wrong one."""
    record: list[int] = []
    begin = 0
    for offset, fields, more in _element_lines(file, card):
        if not record:
            begin = offset
        for text in fields:
            try:
                number = int(text)
            except ValueError:
                number = -1
            if not 0 < number <= 2**53:
                if not text:
                    raise _wrong_count(file, begin, record, n_nodes)
                raise bad_number(file, offset, text)
            record.append(number)
        if len(record) < 1 + n_nodes or (more and extra and len(record) == 1 + n_nodes):
            continue
        if len(record) > 1 + n_nodes + extra:
            raise _wrong_count(file, begin, record, n_nodes)
        yield begin, record
        record = []
    if record:
        if len(record) < 1 + n_nodes:
            raise _wrong_count(file, begin, record, n_nodes)
        yield begin, record


def _element_lines(file: TextFile, card: Card) -> Iterator[tuple[int, list[str], bool]]:
    for start, end in card.data:
        for offset, line in file.lines(start, end):
            yield offset, split_fields(line), line.endswith(",")


def _wrong_count(file: TextFile, begin: int, record: list[int], n_nodes: int) -> ReadError:
    return ReadError(
        "MESH_WRONG_NODE_COUNT",
        line=file.line_number(begin),
        cell=record[0] if record else "?",
        expected=n_nodes,
        found=max(len(record) - 1, 0),
    )
