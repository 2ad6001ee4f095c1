"""The mesh formats, for people. Readers themselves run only in the sandboxed child."""

from __future__ import annotations

from dougong.meshes.confine import landlock_version
from dougong.meshes.formats import all_formats
from dougong.messages import render
from dougong.v1 import system_pb2


def known_formats() -> list[str]:
    """The formats that may be declared."""
    return [f.NAME for f in all_formats()]


def describe_formats() -> list[system_pb2.MeshFormat]:
    """Every format, and why it is refused on this machine if it is."""
    confined = landlock_version() > 0
    return [
        system_pb2.MeshFormat(
            name=f.NAME,
            suffixes=f.SUFFIXES,
            description=f.DESCRIPTION,
            unavailable_reason=""
            if confined or not f.OPENS_FILES
            else render("MESH_FORMAT_NEEDS_LANDLOCK", {"format": f.NAME}),
        )
        for f in all_formats()
    ]
