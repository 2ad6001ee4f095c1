"""Materials by name, for analyses that do not define them; in the unit system of the analysis.

The numbers lie in ``library.yaml`` with their units. They are put into the analysis before it is sent: the server sees
consistent numbers only, and the record of a job says with which it was computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources

from dougong.client.schema import Converter
from dougong.client.units import UnitConverter
from dougong.client.yaml_tree import Mapping, Node, Scalar, Sequence, parse
from dougong.messages import InputError, NotFound, violation_from
from dougong.v1 import analysis_pb2, job_pb2


@dataclass(frozen=True)
class LibraryMaterial:
    """A material of the library.

    Attributes
    ----------
    name
        By which sections call it.
    en, zh
        What it is.
    sources
        Constant -> where its numbers come from.
    constants
        The constants as they are written.
    """

    name: str
    en: str
    zh: str
    sources: dict[str, str]
    constants: Node

    def message(self, units: analysis_pb2.UnitSystem) -> analysis_pb2.Material:
        """The material in a unit system.

        Raises
        ------
        InputError
            The unit system cannot be read.
        """
        converter = Converter(UnitConverter(units))
        material = analysis_pb2.Material()
        converter.message(self.constants, material)
        if converter.violations:
            raise InputError(converter.violations)
        return material

    def values(self) -> Iterator[tuple[str, str]]:
        """Each constant as it is written, with its unit: ("elastic.young_modulus", "210 GPa"), ..."""
        return _values(self.constants, "")


@cache
def library() -> dict[str, LibraryMaterial]:
    """Every material by name, in the order of the file."""
    root = parse((resources.files("dougong.client") / "library.yaml").read_bytes())
    found = {}
    for name, node in _entries(root).items():
        parts = _entries(node)
        sources = {constant: _text(source) for constant, source in _entries(parts["sources"]).items()}
        found[name] = LibraryMaterial(name, _text(parts["en"]), _text(parts["zh"]), sources, parts["constants"])
    return found


def library_material(name: str, units: analysis_pb2.UnitSystem | None = None) -> analysis_pb2.Material:
    """A material of the library, to be looked at or changed before it goes into an analysis.

    Parameters
    ----------
    name
        One of `library`.
    units
        The unit system of the analysis; default SI.

    Raises
    ------
    NotFound
        There is none of this name.
    """
    if name not in library():
        raise NotFound("LIBRARY_MATERIAL_UNKNOWN", material=name, known=", ".join(library()))
    return library()[name].message(units or analysis_pb2.UnitSystem())


def with_library(analysis: analysis_pb2.Analysis) -> analysis_pb2.Analysis:
    """The analysis with the materials of the library that its sections name and that it does not define itself."""
    wanted = {s.material for s in analysis.sections} - set(analysis.materials)
    if not wanted or not wanted & library().keys():
        return analysis
    complete = analysis_pb2.Analysis()
    complete.CopyFrom(analysis)
    for name in sorted(wanted & library().keys()):
        complete.materials[name].CopyFrom(library()[name].message(analysis.units))
    return complete


def with_near_names(violations: Iterable[job_pb2.Violation]) -> None:
    """Name materials of the library too, where a server says which names are like that of an unknown material.

    The server knows the materials of the analysis alone.
    """
    for found in violations:
        if found.reason != "MATERIAL_UNKNOWN":
            continue
        known = {name.casefold(): name for name in [*found.params["near"].split(", "), *library()] if name != "-"}
        close = get_close_matches(found.params["material"].casefold(), list(known), n=3, cutoff=0.6)
        if close:
            params = {**found.params, "near": ", ".join(known[name] for name in close)}
            found.CopyFrom(violation_from(found.reason, found.field, params))


def _entries(node: Node) -> dict[str, Node]:
    return {key: value for key, _, value in node.entries} if isinstance(node, Mapping) else {}


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _values(node: Node, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Scalar):
        yield path, node.text
    elif isinstance(node, Sequence):
        for k, item in enumerate(node.items):
            yield from _values(item, f"{path}[{k}]")
    else:
        for key, value in _entries(node).items():
            yield from _values(value, f"{path}.{key}" if path else key)
