"""analysis.yaml <-> `dougong.v1.Analysis`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dougong.client.plain import to_plain
from dougong.client.schema import Converter
from dougong.client.units import UnitConverter, UnitError, absolute_zero, base_units
from dougong.client.yaml_tree import Mapping, Scalar, parse
from dougong.messages import FemError, InputError, NotFound, violation
from dougong.v1 import analysis_pb2, job_pb2

_MESH_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class AnalysisFile:
    """An analysis as read from a file.

    Attributes
    ----------
    analysis
        The message; its `mesh` is empty while `mesh_file` is not uploaded.
    path
        The YAML file.
    mesh_file
        The mesh file it names, or None when it gives a mesh id.
    lines
        Field path -> line in the YAML file.
    """

    analysis: analysis_pb2.Analysis
    path: Path
    mesh_file: Path | None
    lines: dict[str, int] = field(default_factory=dict)

    def place(self, field_path: str) -> str:
        """Where a field stands, as "analysis.yaml:12"; where its nearest parent stands when it is not written."""
        return place(self.path, self.lines, field_path)


class AnalysisFileError(InputError):
    """An analysis file is wrong.

    Attributes
    ----------
    violations
        What is wrong.
    path
        The YAML file.
    lines
        Field path -> line in the YAML file.
    """

    def __init__(self, violations: list[job_pb2.Violation], path: Path, lines: dict[str, int] | None = None) -> None:
        super().__init__(violations)
        self.path = path
        self.lines = lines or {}

    def place(self, field_path: str) -> str:
        """Where a field stands, as "analysis.yaml:12"."""
        return place(self.path, self.lines, field_path)

    def __str__(self) -> str:
        return "\n".join(
            ": ".join(part for part in (self.place(v.field), v.field, v.text) if part) for v in self.violations
        )


def place(path: Path, lines: dict[str, int], field_path: str) -> str:
    """Where a field, or the nearest parent that is written, stands in a file: "analysis.yaml:12"."""
    while field_path and field_path not in lines:
        cut = max(field_path.rfind("."), field_path.rfind("["))
        field_path = field_path[: max(cut, 0)]
    return f"{path.name}:{lines[field_path]}" if field_path in lines else path.name


def load(path: str | Path) -> AnalysisFile:
    """Read an analysis file.

    Parameters
    ----------
    path
        A YAML file.

    Returns
    -------
    AnalysisFile
        The analysis in its own unit system, and the mesh file it names, relative to the YAML file.

    Raises
    ------
    NotFound
        There is no such file, or no such mesh file.
    AnalysisFileError
        Everything that is wrong with it as far as the schema and the units go. What only the mesh can tell (is there
        such a region?) the server finds.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound("FILE_UNREADABLE", file=path, cause=error.strerror or error) from error
    analysis, lines = loads(data, path)
    if not analysis.mesh:
        raise AnalysisFileError([violation("ANALYSIS_WITHOUT_MESH", "mesh")], path, lines)
    mesh_file = path.parent / analysis.mesh
    try:
        there = mesh_file.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        if _MESH_ID.fullmatch(analysis.mesh):
            return AnalysisFile(analysis, path, None, lines)
        missing = violation("MESH_FILE_MISSING", "mesh", file=mesh_file)
        raise AnalysisFileError([missing], path, lines)
    analysis.mesh = ""
    if not analysis.name:
        analysis.name = path.stem
    return AnalysisFile(analysis, path, mesh_file, lines)


def loads(data: bytes | str, path: Path | None = None) -> tuple[analysis_pb2.Analysis, dict[str, int]]:
    """The analysis of a YAML text, and field path -> line.

    Raises
    ------
    AnalysisFileError
        See `load`.
    """
    path = path or Path("analysis.yaml")
    try:
        root = parse(data.encode() if isinstance(data, str) else data)
    except InputError as error:
        raise AnalysisFileError(error.violations, path) from error
    if isinstance(root, Scalar) and root.is_null:
        root = Mapping(1)
    converter = Converter(UnitConverter(_units(root)))
    analysis = analysis_pb2.Analysis()
    converter.message(root, analysis)
    found = converter.violations + _check_units(analysis.units)
    if found:
        raise AnalysisFileError(found, path, converter.lines)
    _set_absolute_zero(analysis.units)
    return analysis, converter.lines


def _units(root: object) -> analysis_pb2.UnitSystem:
    """The unit system, needed before any value can be converted; SI when what is written cannot be used."""
    units = analysis_pb2.UnitSystem()
    first = Converter(UnitConverter(units))
    for key, _, node in root.entries if isinstance(root, Mapping) else ():
        if key == "units":
            first.message(node, units)
            break
    if first.violations or _check_units(units):
        return analysis_pb2.UnitSystem()
    _set_absolute_zero(units)
    return units


def _set_absolute_zero(units: analysis_pb2.UnitSystem) -> None:
    """Write down where a scale such as degrees Celsius has its zero, so that the message says what its numbers mean."""
    zero = absolute_zero(units)
    if zero:
        units.absolute_zero = zero


def _check_units(units: analysis_pb2.UnitSystem) -> list[job_pb2.Violation]:
    named = [name for name in ("length", "mass", "time", "temperature") if getattr(units, name)]
    if units.system != analysis_pb2.UnitSystem.SYSTEM_EXPLICIT:
        return [violation("UNITS_NOT_EXPLICIT", f"units.{name}", name=name) for name in named]
    missing = [name for name in ("length", "mass", "time") if name not in named]
    found = [violation("UNITS_BASE_MISSING", f"units.{name}", name=name) for name in missing]
    for name in named:
        alone = analysis_pb2.UnitSystem(system=units.system)
        setattr(alone, name, getattr(units, name))
        try:
            base_units(alone)
        except UnitError:
            found.append(violation("UNITS_BASE_WRONG", f"units.{name}", name=name, unit=getattr(units, name)[:60]))
    return found


def dump(analysis: analysis_pb2.Analysis) -> str:
    """An analysis as YAML; reading it again gives the same message."""
    text: str = yaml.safe_dump(to_plain(analysis), sort_keys=False, allow_unicode=True, width=110)
    return text


__all__ = ["AnalysisFile", "AnalysisFileError", "FemError", "dump", "load", "loads", "place"]
