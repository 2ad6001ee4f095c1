"""analysis.yaml <-> `dougong.v1.Analysis`."""

from __future__ import annotations

import re
from collections.abc import Callable
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

#: What mesh files are called; an analysis file is not.
MESH_SUFFIXES = frozenset(
    {".msh", ".inp", ".vtu", ".vtk", ".unv", ".bdf", ".nas", ".fem", ".dat", ".med", ".mesh", ".stl", ".xdmf", ".h5"}
)


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
    partial
        What could be read all the same, without what is wrong; None when that is not worth looking at.
    """

    def __init__(
        self,
        violations: list[job_pb2.Violation],
        path: Path,
        lines: dict[str, int] | None = None,
        partial: AnalysisFile | None = None,
    ) -> None:
        super().__init__(violations)
        self.path = path
        self.lines = lines or {}
        self.partial = partial

    def place(self, field_path: str) -> str:
        """Where a field stands, as "analysis.yaml:12"."""
        return place(self.path, self.lines, field_path)

    def __str__(self) -> str:
        return "\n".join(
            ": ".join(part for part in (self.place(v.field), v.field, v.text) if part) for v in self.violations
        )


def place(path: Path, lines: dict[str, int], field_path: str) -> str:
    """Where a field, or the nearest parent that is written, stands in a file: "analysis.yaml:12"."""
    line = line_of(lines, field_path)
    return f"{path.name}:{line}" if line else path.name


def line_of(lines: dict[str, int], field_path: str) -> int:
    """The line of a field, or of the nearest parent that is written; 0 when nothing is known."""
    while field_path and field_path not in lines:
        cut = max(field_path.rfind("."), field_path.rfind("["))
        field_path = field_path[: max(cut, 0)]
    return lines.get(field_path, 0)


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
        regular = path.is_file()
        if not regular and path.exists():
            raise NotFound("FILE_NOT_REGULAR", file=path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise NotFound("FILE_UNREADABLE", file=path, cause=getattr(error, "strerror", None) or error) from error
    if path.suffix.lower() in MESH_SUFFIXES or data.startswith((b"$MeshFormat", b"\x89HDF")):
        raise AnalysisFileError([violation("ANALYSIS_IS_MESH", file=path.name)], path)
    analysis, lines, found = _read(data, path)
    bad = {v.field for v in found}
    mesh_file: Path | None = path.parent / analysis.mesh if analysis.mesh else None
    if mesh_file is None:
        if "mesh" not in bad:
            found.append(violation("ANALYSIS_WITHOUT_MESH", "mesh"))
    elif _is(mesh_file, Path.is_file):
        analysis.mesh = ""
        analysis.name = analysis.name or path.stem
    else:
        if _is(mesh_file, Path.exists):
            found.append(violation("FILE_NOT_REGULAR", "mesh", file=mesh_file))
        elif not _MESH_ID.fullmatch(analysis.mesh):
            found.append(violation("MESH_FILE_MISSING", "mesh", file=mesh_file))
        mesh_file = None
    source = AnalysisFile(analysis, path, mesh_file, lines)
    if found:
        raise AnalysisFileError(found, path, lines, source if _worth_checking(found) else None)
    return source


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    """What is asked of a path; no for one that the system does not take as a path."""
    try:
        return what(path)
    except (OSError, ValueError):
        return False


def _worth_checking(found: list[job_pb2.Violation]) -> bool:
    """Whether a check of the rest would find faults of the file, and not only the consequences of those found."""
    for one in found:
        whole_part = not ({".", "["} & set(one.field))
        unknown = one.reason == "YAML_UNKNOWN_KEY"
        if one.field.startswith("units") or (whole_part and not unknown):
            return False
    return True


def related(one: str, other: str) -> bool:
    """Whether two field paths are the same, or one of them lies inside the other."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and (not short or long[len(short) : len(short) + 1] in ("", ".", "["))


def loads(data: bytes | str, path: Path | None = None) -> tuple[analysis_pb2.Analysis, dict[str, int]]:
    """The analysis of a YAML text, and field path -> line.

    Raises
    ------
    AnalysisFileError
        See `load`.
    """
    path = path or Path("analysis.yaml")
    analysis, lines, found = _read(data.encode() if isinstance(data, str) else data, path)
    if found:
        raise AnalysisFileError(found, path, lines)
    return analysis, lines


def _read(data: bytes, path: Path) -> tuple[analysis_pb2.Analysis, dict[str, int], list[job_pb2.Violation]]:
    """What can be read of an analysis, field path -> line, and everything that is wrong."""
    try:
        root = parse(data)
    except InputError as error:
        raise AnalysisFileError(error.violations, path) from error
    if isinstance(root, Scalar) and root.is_null:
        root = Mapping(1)
    converter = Converter(UnitConverter(_units(root)))
    analysis = analysis_pb2.Analysis()
    converter.message(root, analysis)
    found = converter.violations + _check_units(analysis.units)
    if not found:
        _set_absolute_zero(analysis.units)
    return analysis, converter.lines, found


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


__all__ = ["AnalysisFile", "AnalysisFileError", "FemError", "dump", "line_of", "load", "loads", "place", "related"]
