"""What a mesh format is: one module of this package, found by scan, that has these names.

    NAME              the name declared at upload, for example "gmsh"
    SUFFIXES          file name endings, for example (".msh",)
    DESCRIPTION       one line for people
    OPENS_FILES       whether its reader can be made to open other files; then it needs a kernel that can forbid it
    sniff(head)       whether the first bytes of a file look like this format
    read(path)        the whole file as a `RawMesh`, or a `ReadError`
    PRELOAD           names of modules that `read` imports, if any: imported before the child gives up its rights

Readers run only in the sandboxed child. They check what they need in order not to crash and to say where a file is
broken; that the mesh makes sense is checked afterwards, for all formats alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from dougong.meshes.mesh import RawMesh


class ReadError(Exception):
    """The file cannot be read as what it is said to be.

    Parameters
    ----------
    reason
        A reason code of the catalogue.
    **params
        What fills the gaps of its sentence; `line` or `offset` says where.
    """

    def __init__(self, reason: str, **params: object) -> None:
        self.reason = reason
        self.params = params
        super().__init__(reason, params)


class Format(Protocol):
    """A module of this package that reads a format."""

    NAME: str
    SUFFIXES: tuple[str, ...]
    DESCRIPTION: str
    OPENS_FILES: bool

    def sniff(self, head: bytes) -> bool:
        """Whether the first 4096 bytes of a file look like this format."""

    def read(self, path: Path) -> RawMesh:
        """Read the file. Raises `ReadError`."""
