"""Gmsh MSH files, versions 2.0 to 2.2, 4.0 and 4.1, text and binary of either byte order.

Physical groups become sets: by their name, or "physical_3" when they have none. The file is mapped and its sections
are converted in bulk; every count is held against what the file can still hold before anything is allocated.

Source: Gmsh reference manual, "MSH file format", "MSH file format version 2", "Legacy formats".
"""

from __future__ import annotations

import mmap
from pathlib import Path

from dougong.meshes.formats import _gmsh2, _gmsh4
from dougong.meshes.formats._gmsh_cells import GMSH_CELLS
from dougong.meshes.formats._gmsh_groups import assemble, joined
from dougong.meshes.formats._gmsh_parts import Parts
from dougong.meshes.formats._text import decode, find, line_of, mapped, shown, skip_space
from dougong.meshes.formats.base import ReadError
from dougong.meshes.mesh import RawMesh

NAME = "gmsh"
SUFFIXES = (".msh", ".msh2", ".msh4", ".gmsh")
DESCRIPTION = "Gmsh MSH 2.2, 4.0 and 4.1, text and binary"
OPENS_FILES = False

_VERSIONS = ("2", "2.0", "2.1", "2.2", "4", "4.0", "4.1")
#: Sections that may tell more about the geometry, but nothing about the mesh.
_SILENT = ("Comments", "GhostElements")


def sniff(head: bytes) -> bool:
    """Whether it begins as an MSH file does, possibly after comments."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"$MeshFormat", b"$Comments")) and b"$MeshFormat" in head


def read(path: Path) -> RawMesh:
    """Read a file. Raises `ReadError`."""
    data = mapped(path)
    parts = Parts()
    at = 3 if data[:3] == b"\xef\xbb\xbf" else 0
    while True:
        at = skip_space(data, at)
        if at >= len(data):
            break
        at = _section(data, at, parts)
    if not parts.version:
        raise ReadError("MESH_SECTION_MISSING", section="$MeshFormat")
    if parts.nodes is None:
        raise ReadError("MESH_SECTION_MISSING", section="$Nodes")
    if parts.chunks is None:
        raise ReadError("MESH_SECTION_MISSING", section="$Elements")
    return assemble(*parts.nodes, parts.chunks, parts.names, parts.notices, GMSH_CELLS)


def _line(data: mmap.mmap, at: int, section: str) -> tuple[bytes, int]:
    """The line at an offset, and where the next begins."""
    stop = data.find(b"\n", at)
    if stop < 0:
        if section:
            raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
        stop = len(data)
    if stop - at > 65536:
        raise ReadError("MESH_BYTES_INVALID", offset=at, section=section or "$", found=shown(data[at : at + 80]))
    return data[at:stop].strip(), stop + 1


def _section(data: mmap.mmap, at: int, parts: Parts) -> int:
    """Read the section that begins at an offset; the offset after it."""
    begin = at
    line, at = _line(data, at, "")
    if not line.startswith(b"$") or line.startswith(b"$End"):
        raise ReadError("MESH_LINE_INVALID", line=line_of(data, begin), section="MSH", found=shown(line))
    name = shown(line[1:])
    section = f"${name}"
    if name == "MeshFormat":
        at = _header(data, at, parts)
    elif name in ("PhysicalNames", "Nodes", "Elements", "Entities", "PartitionedEntities"):
        if not parts.version:
            raise ReadError("MESH_SECTION_MISSING", section="$MeshFormat")
        four = parts.version.startswith("4")
        if name == "PhysicalNames":
            at = _physical_names(data, at, parts)
        elif name == "Nodes":
            if parts.nodes is not None:
                raise ReadError("MESH_LINE_INVALID", line=line_of(data, begin), section="MSH", found=section)
            pieces, at = (_gmsh4.nodes if four else _gmsh2.nodes)(data, at, parts)
            parts.nodes = joined(pieces)
        elif name == "Elements":
            if parts.chunks is not None:
                raise ReadError("MESH_LINE_INVALID", line=line_of(data, begin), section="MSH", found=section)
            parts.chunks, at = (_gmsh4.elements if four else _gmsh2.elements)(data, at, parts)
        elif four:
            at = _gmsh4.entities(data, at, parts, partitioned=name == "PartitionedEntities")
    elif name == "ParametricNodes":
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=section)
    else:
        at = _end_of(data, at, line[1:], section)
        notice: tuple[str, dict[str, object]] = ("MESH_NOTICE_SECTION_SKIPPED", {"section": section})
        if name not in _SILENT and notice not in parts.notices:
            parts.notices.append(notice)
    at = skip_space(data, at)
    end = b"$End" + line[1:]
    if data[at : at + len(end)] != end:
        if len(data) - at < len(end):
            raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
        raise ReadError("MESH_BYTES_INVALID", offset=at, section=section, found=shown(data[at : at + 40]))
    return _line(data, at, "")[1]


def _end_of(data: mmap.mmap, at: int, name: bytes, section: str) -> int:
    """Where the closing line of a section stands."""
    end = find(data, b"$End" + name, at)
    if end < 0:
        raise ReadError("MESH_TRUNCATED", section=section, offset=len(data))
    return end


def _header(data: mmap.mmap, at: int, parts: Parts) -> int:
    section = "$MeshFormat"
    begin = at
    line, at = _line(data, at, section)
    words = line.split()
    if len(words) != 3 or words[1] not in (b"0", b"1"):
        raise ReadError("MESH_LINE_INVALID", line=line_of(data, begin), section=section, found=shown(line))
    version = words[0].decode("latin-1")
    if version not in _VERSIONS:
        known = "2.2, 4.0, 4.1"
        raise ReadError("MESH_VERSION_UNSUPPORTED", version=shown(words[0]), format="Gmsh MSH", known=known)
    if words[2] != b"8":
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"data-size {shown(words[2])}")
    parts.version, parts.binary = version, words[1] == b"1"
    if parts.binary:
        one = data[at : at + 4]
        if one not in (b"\x01\x00\x00\x00", b"\x00\x00\x00\x01"):
            raise ReadError("MESH_BYTES_INVALID", offset=at, section=section, found=one.hex(" "))
        parts.order = "<" if one[0] else ">"
        at += 4
    return at


def _physical_names(data: mmap.mmap, at: int, parts: Parts) -> int:
    section = "$PhysicalNames"
    end = _end_of(data, at, b"PhysicalNames", section)
    first = line_of(data, at)
    lines = data[at:end].split(b"\n")
    announced = lines[0].strip()
    found = 0
    for number, line in enumerate(lines[1:], start=first + 1):
        if not line.strip():
            continue
        words = line.strip().split(None, 2)
        try:
            key = (int(words[0]), abs(int(words[1])))
            quoted = words[2].strip()
        except (IndexError, ValueError):
            raise ReadError("MESH_LINE_INVALID", line=number, section=section, found=shown(line.strip())) from None
        if len(quoted) >= 2 and quoted[:1] == quoted[-1:] == b'"':
            quoted = quoted[1:-1]
        parts.names[key] = decode(quoted)
        found += 1
    if announced != str(found).encode():
        raise ReadError("MESH_COUNT_MISMATCH", section=section, count=shown(announced), found=found)
    return end
