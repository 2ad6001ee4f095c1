"""The child program that turns untrusted bytes into a mesh.

    python -s -P -m dougong.meshes.convert SOURCE OUTDIR --format FORMAT ...

It ends with 0 and leaves the converted mesh and `info.pb` (MeshInfo) in OUTDIR, or with `EXIT_PROBLEMS` and leaves
`problems.pb` (ValidateAnalysisResponse with violations). `dougong.meshes.sandbox` starts it.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from dougong.meshes import canonical
from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.confine import code_folders, die_with, landlock_version, restrict_files, set_limits
from dougong.meshes.formats import Format, ReadError, find
from dougong.meshes.geometry import cell_geometry
from dougong.meshes.info import mesh_info
from dougong.messages import InputError, violation
from dougong.v1 import job_pb2, mesh_pb2

INFO = "info.pb"
PROBLEMS = "problems.pb"

EXIT_PROBLEMS = 3
EXIT_MEMORY = 4
EXIT_DISK_FULL = 5


def convert(source: Path, outdir: Path, mesh_format: Format) -> mesh_pb2.MeshInfo:
    """Read, build, check and write a mesh.

    Parameters
    ----------
    source
        The mesh file.
    outdir
        An empty folder for the result.
    mesh_format
        How to read it.

    Raises
    ------
    ReadError
        The file is broken.
    InputError
        The mesh in it cannot be used.
    """
    built = build(mesh_format.read(source))
    mesh = built.mesh
    geometry = [cell_geometry(mesh.points, b.type, b.nodes) for b in mesh.blocks]
    violations = check(mesh, geometry)
    if violations:
        raise InputError(violations)
    digest = canonical.write(mesh, outdir)
    return mesh_info(mesh, digest, geometry, built.notices)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; returns the exit status."""
    parser = argparse.ArgumentParser(prog="dougong.meshes.convert")
    parser.add_argument("source", type=Path)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--format", required=True)
    parser.add_argument("--file-name", default="", help="for messages only")
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--cpu-seconds", type=int, required=True)
    parser.add_argument("--file-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.parent:
        die_with(options.parent)
    warnings.simplefilter("ignore")
    try:
        mesh_format = _prepare(options)
        info = convert(options.source, options.outdir, mesh_format)
        _write(options.outdir / INFO, info.SerializeToString())
    except ReadError as error:
        found = violation(error.reason, **cast(dict[str, Any], error.params))
        return _problems(options.outdir, [found])
    except InputError as error:
        return _problems(options.outdir, error.violations)
    except MemoryError:
        return EXIT_MEMORY
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return EXIT_DISK_FULL
        if error.errno in (errno.EFBIG, errno.ENOMEM):
            return EXIT_MEMORY
        return _crashed(options.outdir, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a reader does, the caller gets a reason
        return _crashed(options.outdir, error)
    return 0


def _prepare(options: argparse.Namespace) -> Format:
    """Import what will be needed, then give up all rights that will not."""
    mesh_format = find(options.format, options.file_name, b"")
    for module in getattr(mesh_format, "PRELOAD", ()):
        try:
            __import__(module)
        except ImportError:
            continue  # The reader says what is missing.
    if mesh_format.OPENS_FILES and landlock_version() == 0:
        raise InputError([violation("MESH_FORMAT_NEEDS_LANDLOCK", format=mesh_format.NAME)])
    set_limits(options.memory_bytes, options.cpu_seconds, options.file_bytes)
    restrict_files([options.source, *code_folders()], options.outdir)
    return mesh_format


def _crashed(outdir: Path, error: BaseException) -> int:
    traceback.print_exception(error)
    status = f"{type(error).__name__}: {error}"[:200]
    return _problems(outdir, [violation("MESH_READER_CRASHED", status=status)])


def _problems(outdir: Path, violations: Sequence[job_pb2.Violation]) -> int:
    _write(outdir / PROBLEMS, job_pb2.ValidateAnalysisResponse(violations=violations).SerializeToString())
    return EXIT_PROBLEMS


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


if __name__ == "__main__":
    sys.exit(main())
