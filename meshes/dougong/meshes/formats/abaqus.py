"""Decks of Abaqus and CalculiX (.inp): nodes, elements, sets and surfaces; parts and instances.

What does not define the mesh (materials, steps, loads) is left out, with a notice that names it.

Source: Abaqus Keywords Guide; CalculiX CrunchiX manual, "Input deck format".
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats import _abaqus_cards as deck
from dougong.meshes.formats._abaqus_cards import Card
from dougong.meshes.formats._abaqus_elements import element_type, own_formulation
from dougong.meshes.formats._abaqus_model import (
    ElementGroup,
    Instance,
    Members,
    Scope,
    Surface,
    SurfaceRow,
    rotation_about,
)
from dougong.meshes.formats._abaqus_resolve import Resolver
from dougong.meshes.formats._textfile import TextFile, comma_table, parse_float, parse_id, reading, shorten
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import RawMesh

NAME = "abaqus"
SUFFIXES = (".inp",)
DESCRIPTION = "Abaqus and CalculiX input decks (.inp)"
OPENS_FILES = False

_KEYWORD = re.compile(rb"^[ \t]*\*[ \t]*(HEADING|NODE|PART|ELEMENT|INCLUDE|PREPRINT|NSET|ASSEMBLY)\b", re.I | re.M)

#: Cards that make nodes or elements by rules which this reader does not follow.
_GENERATORS = frozenset(
    {"NGEN", "NFILL", "NCOPY", "NMAP", "ELGEN", "ELCOPY", "SUBMODEL", "IMPORT", "SYMMETRICMODELGENERATION", "PARAMETER"}
)

#: Cards that are understood or that change nothing in the mesh.
_SILENT = frozenset({"HEADING", "PREPRINT", "ENDSTEP", "RESTART"})


def sniff(head: bytes) -> bool:
    """Say whether a keyword of a deck stands at the beginning of a line."""
    return _KEYWORD.search(head) is not None


def read(path: Path) -> RawMesh:
    """Read a deck. Raises `ReadError` with the line that is wrong."""
    with reading(path, NAME) as file:
        if not file.mentions(b"NODE", b"INSTANCE", b"INCLUDE"):
            raise ReadError("MESH_NO_NODES")
        reader = _Reader(file)
        for card in deck.cards(file):
            reader.take(card)
        return reader.finish()


class _Reader:
    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.flat = Scope("")
        self.assembly = Scope("Assembly")
        self.parts: dict[str, Scope] = {}
        self.instances: dict[str, Instance] = {}
        self.scope = self.flat
        self.in_assembly = False
        self.skipped: dict[str, int] = {}
        self.connectors = 0
        self.formulations: dict[str, None] = {}
        self.transforms = 0
        self.system: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def take(self, card: Card) -> None:
        """Do what a card says."""
        method = getattr(self, f"_card_{card.name.lower()}", None)
        if method is not None:
            method(card)
        elif card.name in _GENERATORS:
            raise ReadError("MESH_CARD_UNSUPPORTED", line=self._line(card), card=card.shown)
        elif card.name == "INCLUDE":
            raise ReadError("MESH_OTHER_FILE", line=self._line(card), card=card.shown)
        elif card.name not in _SILENT:
            self.skipped[card.shown] = self.skipped.get(card.shown, 0) + 1

    def finish(self) -> RawMesh:
        """Build the mesh of all cards."""
        instances = list(self.instances.values())
        if self.parts and not instances:
            instances = [Instance(p.name, [p]) for p in self.parts.values()]
        instances.append(Instance("", [self.flat, self.assembly]))
        resolver = Resolver(self.file, instances)
        if self.transforms:
            resolver.notices.append(("MESH_NOTICE_NODE_FRAMES", {"card": "*TRANSFORM", "count": self.transforms}))
        if self.formulations:
            resolver.notices.append(("MESH_NOTICE_FORMULATION", {"types": ", ".join(self.formulations)}))
        if self.connectors:
            resolver.notices.append(("MESH_NOTICE_CONNECTORS_SKIPPED", {"count": self.connectors}))
        if self.skipped:
            names = list(self.skipped)
            shown = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
            resolver.notices.append(("MESH_NOTICE_CARDS_SKIPPED", {"cards": shown}))
        return resolver.mesh()

    def _line(self, card: Card) -> int:
        return self.file.line_number(card.offset)

    def _parameter(self, card: Card, key: str) -> str:
        value = card.params.get(key, "")
        if not value:
            raise ReadError("MESH_PARAMETER_MISSING", line=self._line(card), card=card.shown, parameter=key)
        return value

    def _no_other_file(self, card: Card) -> None:
        if "INPUT" in card.params:
            raise ReadError("MESH_OTHER_FILE", line=self._line(card), card=card.shown)

    # -- parts and instances -----------------------------------------------------------------------------------------

    def _card_part(self, card: Card) -> None:
        name = self._parameter(card, "NAME")
        if name.upper() in self.parts:
            raise ReadError("MESH_NAME_TWICE", line=self._line(card), card=card.shown, name=shorten(name))
        self.scope = self.parts[name.upper()] = Scope(name)
        self.system = None

    def _card_endpart(self, card: Card) -> None:
        self.scope = self.flat
        self.system = None

    def _card_assembly(self, card: Card) -> None:
        self.scope = self.assembly
        self.in_assembly = True

    def _card_endassembly(self, card: Card) -> None:
        self.scope = self.assembly  # the model's own sets, after it, may name instances too
        self.system = None

    def _card_instance(self, card: Card) -> None:
        self._no_other_file(card)
        name, part = self._parameter(card, "NAME"), self._parameter(card, "PART")
        if "LIBRARY" in card.params:
            raise ReadError("MESH_OTHER_FILE", line=self._line(card), card=card.shown)
        if name.upper() in self.instances:
            raise ReadError("MESH_NAME_TWICE", line=self._line(card), card=card.shown, name=shorten(name))
        if part.upper() not in self.parts:
            raise ReadError("MESH_PART_UNKNOWN", line=self._line(card), name=shorten(part))
        own = Scope(name)
        instance = Instance(name, [self.parts[part.upper()], own], card.offset)
        self.instances[name.upper()] = instance
        self.scope = own
        self._move(card, instance)

    def _move(self, card: Card, instance: Instance) -> None:
        """Take the data lines of *INSTANCE: first a translation, then a rotation about a line."""
        for row, (offset, fields) in enumerate(deck.rows(self.file, card)):
            numbers = [parse_float(f, self.file, offset) if f else 0.0 for f in fields]
            numbers += [0.0] * ((3 if row == 0 else 7) - len(numbers))
            if not np.all(np.isfinite(numbers)) or row > 1 or len(numbers) != (3 if row == 0 else 7):
                raise ReadError("MESH_INSTANCE_PLACE", line=self.file.line_number(offset))
            if row == 0:
                instance.shift = np.array(numbers)
                continue
            start, end = np.array(numbers[:3]), np.array(numbers[3:6])
            if not np.linalg.norm(end - start) > 0.0:
                raise ReadError("MESH_INSTANCE_PLACE", line=self.file.line_number(offset))
            matrix, shift = rotation_about(start, end - start, numbers[6])
            instance.rotation, instance.shift = matrix, matrix @ instance.shift + shift

    def _card_endinstance(self, card: Card) -> None:
        self.scope = self.assembly
        self.system = None

    # -- nodes and elements ------------------------------------------------------------------------------------------

    def _card_node(self, card: Card) -> None:
        self._no_other_file(card)
        system = card.params.get("SYSTEM", "R").upper()
        if system not in ("R", "C"):
            raise ReadError("MESH_CARD_UNSUPPORTED", line=self._line(card), card=f"*NODE, SYSTEM={shorten(system)}")
        ids, points = deck.read_nodes(self.file, card)
        if system == "C":
            radius, angle = points[:, 0].copy(), np.deg2rad(points[:, 1])
            points[:, 0], points[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
        if self.system is not None:
            points = points @ self.system[0].T + self.system[1]
        self.scope.add_nodes(ids, points)
        if card.params.get("NSET"):
            self.scope.named("nodes", card.params["NSET"], "*NODE").members.append(Members(card.offset, ids=ids))

    def _card_system(self, card: Card) -> None:
        """Take a local system: origin a, a point b on the local x axis, a point c in the local x-y plane."""
        numbers: list[float] = []
        for offset, fields in deck.rows(self.file, card):
            numbers += [parse_float(f, self.file, offset) if f else 0.0 for f in fields]
        self.system = None
        if not numbers:
            return
        if len(numbers) not in (3, 6, 9) or not np.all(np.isfinite(numbers)):
            raise ReadError("MESH_CARD_UNSUPPORTED", line=self._line(card), card=card.shown)
        a = np.array(numbers[:3])
        if len(numbers) == 3:
            self.system = np.eye(3), a
            return
        x = np.array(numbers[3:6]) - a
        in_plane = np.array(numbers[6:9]) - a if len(numbers) == 9 else np.array([-x[1], x[0], 0.0])
        z = np.cross(x, in_plane)
        if not (np.linalg.norm(x) > 0.0 and np.linalg.norm(z) > 0.0) or (len(numbers) == 6 and x[2] != 0.0):
            raise ReadError("MESH_CARD_UNSUPPORTED", line=self._line(card), card=card.shown)
        x, z = x / np.linalg.norm(x), z / np.linalg.norm(z)
        self.system = np.column_stack([x, np.cross(z, x), z]), a

    def _card_element(self, card: Card) -> None:
        self._no_other_file(card)
        name = "".join(self._parameter(card, "TYPE").upper().split())
        kind = element_type(name)
        if kind is None:
            raise ReadError("MESH_CELL_TYPE_UNKNOWN", line=self._line(card), type=shorten(name))
        if own_formulation(name):
            self.formulations[name] = None
        if self.scope is self.assembly and any("." in ",".join(f[1:]) for _, f in deck.rows(self.file, card)):
            # Springs and connectors between instances name their nodes "instance.number".
            self.connectors += sum(1 for _ in deck.rows(self.file, card))
            if card.params.get("ELSET"):
                self.scope.named("cells", card.params["ELSET"], "*ELEMENT")
            return
        table = deck.read_elements(self.file, card, kind.cell.n_nodes, kind.cell.dim == 1)
        ids, nodes = table[:, 0].astype(np.int64), table[:, 1:]
        if kind.order is not None:
            nodes = nodes[:, kind.order]
        if len(ids):
            self.scope.groups.append(ElementGroup(kind, ids, nodes, card))
        if card.params.get("ELSET"):
            self.scope.named("cells", card.params["ELSET"], "*ELEMENT").members.append(Members(card.offset, ids=ids))

    # -- sets and surfaces -------------------------------------------------------------------------------------------

    def _card_nset(self, card: Card) -> None:
        self._set(card, "nodes", "NSET")
        of = card.params.get("ELSET")
        if of:
            members = Members(card.offset, card.params.get("INSTANCE", ""), name=of, kind="cells")
            self.scope.named("nodes", self._parameter(card, "NSET"), "*NSET").members.append(members)

    def _card_elset(self, card: Card) -> None:
        self._set(card, "cells", "ELSET")

    def _set(self, card: Card, kind: str, key: str) -> None:
        members = self.scope.named(kind, self._parameter(card, key), card.shown).members
        instance = card.params.get("INSTANCE", "")
        if "GENERATE" in card.params:
            members += self._spans(card, instance)
            return
        for start, end in card.data:
            for offset, chunk in self.file.chunks(start, end):
                table = comma_table(chunk, np.int64)
                if table is not None:
                    members.append(Members(offset, instance, ids=table[0]))
                else:
                    members += self._by_name(offset, offset + len(chunk), instance)

    def _by_name(self, start: int, end: int, instance: str) -> list[Members]:
        out = []
        numbers: list[int] = []
        for offset, line in self.file.lines(start, end):
            for text in deck.split_fields(line):
                if text.isdecimal():
                    numbers.append(parse_id(text, self.file, offset))
                elif text:
                    out.append(Members(offset, instance, name=text))
        out.append(Members(start, instance, ids=np.array(numbers, np.int64)))
        return out

    def _spans(self, card: Card, instance: str) -> list[Members]:
        out: list[Members] = []
        for offset, fields in deck.rows(self.file, card):
            numbers = [parse_id(f, self.file, offset) for f in fields if f]
            if len(numbers) not in (1, 2, 3):
                raise ReadError("MESH_RANGE", line=self.file.line_number(offset))
            first, last = numbers[0], numbers[1] if len(numbers) > 1 else numbers[0]
            step = numbers[2] if len(numbers) > 2 and numbers[2] != 0 else 1
            if step < 0 or last < first:
                raise ReadError("MESH_RANGE", line=self.file.line_number(offset))
            out.append(Members(offset, instance, span=(first, last, step)))
        return out

    def _card_surface(self, card: Card) -> None:
        name = self._parameter(card, "NAME")
        kind = card.params.get("TYPE", "ELEMENT").upper()
        if kind == "NODE":
            members = self.scope.named("nodes", name, card.shown).members
            for offset, fields in deck.rows(self.file, card):
                if fields[0]:
                    members.append(Members(offset, name=fields[0]))
        elif kind == "ELEMENT" and "COMBINE" not in card.params:
            surface = self.scope.surfaces.setdefault(name.upper(), Surface(name))
            for offset, fields in deck.rows(self.file, card):
                face = fields[1].upper() if len(fields) > 1 else ""
                surface.rows.append(SurfaceRow(offset, fields[0], face))
        else:
            shown = f"{card.shown}, TYPE={shorten(kind)}" if kind != "ELEMENT" else f"{card.shown}, COMBINE"
            self.skipped[shown] = self.skipped.get(shown, 0) + 1

    def _card_transform(self, card: Card) -> None:
        self.transforms += 1
