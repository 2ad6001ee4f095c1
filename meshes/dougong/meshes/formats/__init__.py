"""The mesh formats: every module here is one, except `base` and those whose name begins with an underscore."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import PurePath
from typing import cast

from dougong.meshes.formats.base import Format, ReadError

__all__ = ["FindError", "Format", "ReadError", "all_formats", "find", "knows_suffix"]

#: `sniff` is given so many bytes.
HEAD_BYTES = 4096


class FindError(ReadError):
    """No format, or more than one, fits: MESH_FORMAT_UNKNOWN, MESH_FORMAT_NOT_RECOGNISED or MESH_FORMAT_AMBIGUOUS."""


@cache
def all_formats() -> tuple[Format, ...]:
    """All mesh formats, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base" and not module.name.startswith("_"):
            found.append(cast(Format, importlib.import_module(f"{__name__}.{module.name}")))
    return tuple(sorted(found, key=lambda f: f.NAME))


def find(name: str, file_name: str, head: bytes) -> Format:
    """The format of a file.

    Parameters
    ----------
    name
        As declared; empty when it is to be found from the other two.
    file_name
        Only its ending is looked at.
    head
        The first bytes of the file, at best `HEAD_BYTES`.

    Raises
    ------
    FindError
        None or several fit.
    """
    formats = all_formats()
    known = ", ".join(f.NAME for f in formats)
    if name:
        for candidate in formats:
            if name == candidate.NAME:
                return candidate
        raise FindError("MESH_FORMAT_UNKNOWN", format=name, known=known)
    by_content = [f for f in formats if f.sniff(head[:HEAD_BYTES])]
    by_suffix = [f for f in formats if knows_suffix(f, file_name)]
    for candidates in ([f for f in by_content if f in by_suffix], by_content, by_suffix):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = ", ".join(f.NAME for f in candidates)
            raise FindError("MESH_FORMAT_AMBIGUOUS", file_name=PurePath(file_name).name, candidates=names)
    raise FindError("MESH_FORMAT_NOT_RECOGNISED", file_name=PurePath(file_name).name, known=known)


def knows_suffix(mesh_format: Format, file_name: str) -> bool:
    """Whether a file name ends as the files of a format do."""
    return file_name.lower().endswith(mesh_format.SUFFIXES)
