"""Starts the converter as a child with limits on time, memory and files, and turns however it ends into an answer."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from dougong.meshes.convert import EXIT_DISK_FULL, EXIT_MEMORY, EXIT_PROBLEMS, INFO, PROBLEMS
from dougong.messages import InputError, ResourceLimit, violation
from dougong.v1 import job_pb2, mesh_pb2

_MIB = 1 << 20
#: What the child keeps of its environment: where to find Python and its libraries, nothing else.
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
#: What a child says about a mesh is small; of a longer answer the beginning is read, which is no message.
_MAX_ANSWER_BYTES = 16 * _MIB


@dataclass(frozen=True)
class Limits:
    """What the child may use.

    Attributes
    ----------
    memory_bytes
        Address space; the file itself, mapped, counts.
    cpu_seconds, wall_seconds
        Processor and elapsed time.
    file_bytes
        Size of each file it writes.
    """

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    file_bytes: int

    @classmethod
    def for_file(cls, size_bytes: int) -> Limits:
        """Generous for honest files of this size: six times the file and 1 GiB, 1 MiB a second after two minutes."""
        seconds = 120 + size_bytes // _MIB
        return cls(6 * size_bytes + 1024 * _MIB, seconds, 2.0 * seconds, 8 * size_bytes + 64 * _MIB)


async def convert(
    source: Path, outdir: Path, format_name: str, file_name: str = "", limits: Limits | None = None
) -> mesh_pb2.MeshInfo:
    """Convert a mesh file in a child process.

    Parameters
    ----------
    source
        The file.
    outdir
        An empty folder; the converted mesh and `info.pb` will be in it.
    format_name
        How to read the file.
    file_name
        What its user calls it, for messages.
    limits
        Default: those that fit the size of the file.

    Raises
    ------
    InputError
        The file is no mesh that can be used, or reading it took too much time or memory or crashed.
    ResourceLimit
        The disk is full.
    """
    granted = limits or Limits.for_file(source.stat().st_size)
    child = await asyncio.create_subprocess_exec(
        *_command(source, outdir, format_name, file_name, granted),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(os.environ),
        cwd=outdir,
    )
    try:
        async with asyncio.timeout(granted.wall_seconds):
            status = await child.wait()
    except TimeoutError:
        raise InputError([_timed_out(granted.wall_seconds)]) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _outcome(status, outdir, granted)


def convert_now(
    source: Path, outdir: Path, format_name: str, file_name: str = "", limits: Limits | None = None
) -> mesh_pb2.MeshInfo:
    """`convert` for callers without an event loop."""
    granted = limits or Limits.for_file(source.stat().st_size)
    try:
        status = subprocess.run(
            _command(source, outdir, format_name, file_name, granted),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ),
            cwd=outdir,
            timeout=granted.wall_seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise InputError([_timed_out(granted.wall_seconds)]) from None
    return _outcome(status, outdir, granted)


def _command(source: Path, outdir: Path, format_name: str, file_name: str, limits: Limits) -> list[str]:
    return [
        sys.executable, "-s", "-P", "-m", "dougong.meshes.convert", str(source.resolve()), str(outdir.resolve()),
        f"--format={_printable(format_name)}", f"--file-name={_printable(file_name)}",
        f"--memory-bytes={limits.memory_bytes}", f"--cpu-seconds={limits.cpu_seconds}",
        f"--file-bytes={limits.file_bytes}", f"--parent={os.getpid()}",
    ]  # fmt: skip


def _printable(file_name: str) -> str:
    """A name that can be passed on a command line, whatever somebody calls a file."""
    return "".join(c if c.isprintable() else "_" for c in file_name[:255])


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {key: environment[key] for key in _KEPT if key in environment}
    # One thread: more only take address space.
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def _timed_out(seconds: float) -> job_pb2.Violation:
    return violation("MESH_READ_TIMEOUT", seconds=round(seconds))


def _outcome(status: int, outdir: Path, limits: Limits) -> mesh_pb2.MeshInfo:
    try:
        if status == 0:
            with open(outdir / INFO, "rb") as file:
                return mesh_pb2.MeshInfo.FromString(file.read(_MAX_ANSWER_BYTES))
        if status == EXIT_PROBLEMS:
            with open(outdir / PROBLEMS, "rb") as file:
                problems = job_pb2.ValidateAnalysisResponse.FromString(file.read(_MAX_ANSWER_BYTES)).violations
            if problems:
                raise InputError(list(problems))
    except (OSError, DecodeError):
        status = status or 1
    if status == EXIT_DISK_FULL:
        raise ResourceLimit("DISK_FULL", detail=os.strerror(errno.ENOSPC))
    if status == EXIT_MEMORY:
        raise InputError([violation("MESH_TOO_LARGE", limit_mib=limits.memory_bytes // _MIB)])
    if status == -signal.SIGXCPU:
        raise InputError([_timed_out(limits.cpu_seconds)])
    text = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    raise InputError([violation("MESH_READER_CRASHED", status=text)])
