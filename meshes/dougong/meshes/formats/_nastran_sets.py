"""Names and sets in a Nastran deck: SET commands, and what pre-processors write into comments.

Known comments: HyperMesh ($HMNAME, $HMSET, $HMMOVE), ANSA ($ANSA_NAME_COMMENT), Femap ($ Femap Property), Patran
("region :" above the property).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dougong.meshes.formats._nastran_cards import Cards
from dougong.meshes.formats._text import decode

_HM_NAME = re.compile(r'\$HMNAME\s+(PROP|COMP)\s+(\d{1,15})\s*"([^"]+)"', re.I)
_HM_SET = re.compile(r'\$HMSET\s+(\d{1,15})\s+(\d)\s*"([^"]+)"', re.I)
_HM_MOVE = re.compile(r"\$HMMOVE\s+(\d{1,15})", re.I)
_ANSA = re.compile(r"\$ANSA_NAME(?:_COMMENT)?;(\d{1,15});(P[A-Z]+);~?;?([^;~]+)", re.I)
_FEMAP = re.compile(r"\$\s*Femap.*Property\s+(\d{1,15})\s*:\s*(.+)", re.I)
_PATRAN = re.compile(r"\$.*region\s*:\s*(.+)", re.I)
_PROPERTY = re.compile(rb"P[A-Z0-9]+\*?[ \t,]+(\d{1,15})")
_SET = re.compile(r"\s*SET\s+(\d{1,15})\s*=\s*(.*)", re.I)
_REQUEST = re.compile(r"\s*([A-Z]{4,})\s*(?:\([^)]*\))?\s*=\s*(\d{1,15})\s*$", re.I)
_ITEM = re.compile(r"(\d{1,15})(?:\s*THRU\s*(\d{1,15}))?", re.I)

#: First four letters of output requests whose set is one of grid points, or of elements.
_OF_NODES = frozenset({"DISP", "VELO", "ACCE", "SPCF", "MPCF", "OLOA", "GPFO", "TEMP", "SVEC"})
_OF_CELLS = frozenset({"STRE", "STRA", "FORC", "ELFO", "ESE", "ELST", "ELSD", "FLUX"})

#: A SET command is followed over so many characters at most.
_MAX_SET_TEXT = 50_000_000

#: A request is no longer than so many characters.
_MAX_REQUEST = 200


@dataclass(frozen=True)
class ListedSet:
    """A set: number, name, "nodes" or "cells", ranges of numbers (both ends belong to it)."""

    number: int
    name: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    origin: str


@dataclass
class Names:
    """Names of properties by number, sets, and numbers of sets of which it is not known what they are sets of."""

    properties: dict[int, str] = field(default_factory=dict)
    sets: list[ListedSet] = field(default_factory=list)
    undecided: list[int] = field(default_factory=list)


def read_names(cards: Cards, n_before: int) -> Names:
    """Read names and sets.

    Parameters
    ----------
    cards
        The deck.
    n_before
        How many cards stand before the bulk data.
    """
    names = Names()
    kinds: dict[int, tuple[str, str]] = {}
    components: dict[int, str] = {}
    moves: dict[int, list[tuple[int, int]]] = {}
    _comments(cards, names, kinds, components, moves)
    _commands(cards, n_before, names, kinds)
    for number, spans in moves.items():
        name = components.get(number, f"COMP_{number}")
        names.sets.append(ListedSet(number, name, "cells", tuple(spans), f"component {number}"))
    return names


def _comments(
    cards: Cards,
    names: Names,
    kinds: dict[int, tuple[str, str]],
    components: dict[int, str],
    moves: dict[int, list[tuple[int, int]]],
) -> None:
    moving: list[tuple[int, int]] | None = None
    data = cards.file.data
    position = 0
    while (position := data.find(b"$", position)) >= 0:
        # A dollar in the middle of a line is a comment behind data.
        begin = data.rfind(b"\n", max(position - 200, 0), position) + 1
        end = min(cards.file.end_of_line(position), position + 200)
        if data[begin:position].strip():
            position = cards.file.end_of_line(position)
            continue
        text = decode(data[position:end]).rstrip()
        position = cards.file.end_of_line(position)
        if match := _HM_MOVE.match(text):
            moving = moves.setdefault(int(match[1]), [])
            continue
        if moving is not None:
            fields = [text[k : k + 8].strip() for k in range(8, len(text), 8)]
            if text[:8].strip() == "$" and all(f.isdecimal() or f.upper() == "THRU" for f in fields if f):
                moving += _spans(" ".join(fields))
                continue
            moving = None
        if match := _HM_NAME.match(text):
            (names.properties if match[1].upper() == "PROP" else components)[int(match[2])] = match[3].strip()
        elif match := _HM_SET.match(text):
            if match[2] in "12":
                kinds[int(match[1])] = ("nodes" if match[2] == "1" else "cells", match[3].strip())
        elif match := (_ANSA.match(text) or _FEMAP.match(text)):
            names.properties[int(match[1])] = match[match.lastindex or 2].strip()
        elif match := _PATRAN.match(text):
            after = data[position + 1 : position + 200].lstrip(b"\r\n")
            card = _PROPERTY.match(after)
            if card:
                names.properties[int(card[1])] = match[1].strip()


def _commands(cards: Cards, n_before: int, names: Names, kinds: dict[int, tuple[str, str]]) -> None:
    """Read the case control section: SET commands go on while a line ends in a comma."""
    requested: dict[int, str] = {}
    sets: dict[int, str] = {}
    last = int(cards.card[n_before - 1]) if n_before else 0
    line = 0
    while line < last:
        text = cards.text(line)
        line += 1
        if match := _SET.match(text):
            parts = [match[2].strip()]
            size = len(parts[0])
            while parts[-1].endswith(",") and line < last and size < _MAX_SET_TEXT:
                parts.append(cards.text(line).strip())
                size += len(parts[-1])
                line += 1
            sets[int(match[1])] = " ".join(parts)
        elif match := _REQUEST.match(text[:_MAX_REQUEST]):
            word = match[1].upper()[:4]
            if word in _OF_NODES or word in _OF_CELLS:
                requested.setdefault(int(match[2]), "nodes" if word in _OF_NODES else "cells")
    for number, text in sets.items():
        kind, name = kinds.get(number, (requested.get(number, ""), f"SET_{number}"))
        spans = _spans(text)
        if kind and spans and "EXCEPT" not in text.upper():
            names.sets.append(ListedSet(number, name, kind, tuple(spans), f"SET {number}"))
        elif not re.match(r"ALL\b", text, re.I):
            names.undecided.append(number)


def _spans(text: str) -> list[tuple[int, int]]:
    return [(int(m[1]), int(m[2] or m[1])) for m in _ITEM.finditer(text)]
