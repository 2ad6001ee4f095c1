"""The run directory: where server and worker meet. Standard library and protobuf only.

spec.pb         server -> worker: job, token, analysis, resources (RunSpec)
mesh            link to the directory of the converted mesh
inputs          link to the fields that the analysis takes from other jobs, and their list; often there is none
fence           created by rank 0 with O_EXCL as its first act; a second copy of the worker exits
progress.jsonl  rank 0 -> server: one JSON object a line (fields of dougong.v1.Progress), appended.
                It is no heartbeat: a long factorisation writes none, and the server looks at the CPU time then
revoked         server -> worker: this attempt no longer counts, stop
results/        files of the result
outcome.pb      worker -> server: how it ended (Outcome), written last and by rename; the server, too, reads it
                only after it has its name
log             what worker and launcher printed
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from dougong.internal import run_pb2
from dougong.messages import DataLoss
from dougong.v1 import job_pb2

SPEC = "spec.pb"
MESH = "mesh"
INPUTS = "inputs"
FENCE = "fence"
PROGRESS = "progress.jsonl"
REVOKED = "revoked"
RESULTS = "results"
OUTCOME = "outcome.pb"
LOG = "log"

#: Exit code of a worker that found its run directory claimed or revoked: nothing was computed.
EXIT_NOT_MINE = 3

_MAGIC = b"DGOUT1\n"

#: In the folder of inputs: their list.
_LIST = "list.pb"

#: Bytes that are read at a time.
_READ = 1 << 22


class AlreadyFencedError(Exception):
    """Another copy of the worker has this run directory."""


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power failure.

    Temporary file, fsync, rename, fsync of the directory.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def prepare(directory: Path, spec: run_pb2.RunSpec, mesh_directory: Path, inputs: Path | None = None) -> None:
    """Server: make a run directory that a worker can be started in.

    `inputs` is the folder of what is taken from other jobs, where there is one.
    """
    directory.mkdir(parents=True)
    (directory / RESULTS).mkdir()
    os.symlink(mesh_directory.resolve(), directory / MESH)
    if inputs is not None and inputs.exists():
        os.symlink(inputs.resolve(), directory / INPUTS)
    write_durably(directory / SPEC, spec.SerializeToString())
    sync_directory(directory.parent)


def read_spec(directory: Path) -> run_pb2.RunSpec:
    """Worker: what to do."""
    return run_pb2.RunSpec.FromString((directory / SPEC).read_bytes())


def write_inputs(folder: Path, listed: run_pb2.InputList) -> None:
    """Server: say what the files of a folder of inputs are."""
    write_durably(folder / _LIST, listed.SerializeToString())


def read_inputs(directory: Path) -> run_pb2.InputList:
    """Worker: what the analysis takes from other jobs; nothing where there is no such folder."""
    try:
        return run_pb2.InputList.FromString((directory / INPUTS / _LIST).read_bytes())
    except FileNotFoundError:
        return run_pb2.InputList()


def raise_fence(directory: Path, token: str) -> None:
    """Worker, rank 0, first act: claim the run directory.

    Raises
    ------
    AlreadyFencedError
        Another copy has claimed it.
    """
    try:
        fd = os.open(directory / FENCE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        raise AlreadyFencedError(str(directory)) from None
    with os.fdopen(fd, "w") as out:
        out.write(f"{token} {os.uname().nodename} {os.getpid()}\n")
        out.flush()
        os.fsync(out.fileno())
    sync_directory(directory)


def is_fenced(directory: Path) -> bool:
    """Whether a worker has begun in this run directory."""
    return (directory / FENCE).exists()


def revoke(directory: Path) -> None:
    """Server: this attempt no longer counts."""
    write_durably(directory / REVOKED, b"")


def is_revoked(directory: Path) -> bool:
    """Worker: whether to stop."""
    return (directory / REVOKED).exists()


class ProgressWriter:
    """Worker, rank 0: appends progress; each line is one write, so that a reader sees whole lines."""

    def __init__(self, directory: Path) -> None:
        self._fd = os.open(directory / PROGRESS, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
        self._start = time.monotonic()

    def write(self, progress: job_pb2.Progress) -> None:
        """Append a line. The time since the start is filled in."""
        progress.elapsed_seconds = time.monotonic() - self._start
        line = json_format.MessageToDict(progress, preserving_proto_field_name=True)
        os.write(self._fd, (json.dumps(line) + "\n").encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_progress(directory: Path, offset: int) -> tuple[list[job_pb2.Progress], int]:
    """Server: what was appended since `offset`, and the new offset. Lines that cannot be understood are left out."""
    try:
        with open(directory / PROGRESS, "rb") as file:
            file.seek(offset)
            data = file.read(1 << 20)
    except FileNotFoundError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    return list(_parse_lines(whole)), offset + len(whole)


def _parse_lines(data: bytes) -> Iterator[job_pb2.Progress]:
    for line in data.splitlines():
        try:
            fields: dict[str, Any] = json.loads(line)
            yield json_format.ParseDict(fields, job_pb2.Progress(), ignore_unknown_fields=True)
        except (ValueError, json_format.ParseError):
            continue


def write_outcome(directory: Path, outcome: run_pb2.Outcome) -> None:
    """Worker, rank 0, last act."""
    data = outcome.SerializeToString()
    write_durably(directory / OUTCOME, _MAGIC + hashlib.sha256(data).digest() + data)


def read_outcome(directory: Path) -> run_pb2.Outcome | None:
    """Server: how the attempt ended; None while it has not.

    Raises
    ------
    DataLoss
        The file is there, but not what a worker wrote.
    """
    try:
        data = (directory / OUTCOME).read_bytes()
    except FileNotFoundError:
        return None
    head = len(_MAGIC) + 32
    body = data[head:]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != data[len(_MAGIC) : head]:
        raise DataLoss("OUTCOME_DAMAGED")
    return run_pb2.Outcome.FromString(body)


def verify_files(directory: Path, outcome: run_pb2.Outcome) -> None:
    """Server, before a result is accepted: every file is there and has its checksum.

    Raises
    ------
    DataLoss
        Names the first file that is not.
    """
    for entry in outcome.files:
        path = directory / entry.path
        crc = 0
        try:
            with open(path, "rb") as file:
                while piece := file.read(_READ):
                    crc = zlib.crc32(piece, crc)
                size = file.tell()
        except OSError as error:
            raise DataLoss("RESULT_DAMAGED", file=entry.path) from error
        if (size, crc) != (entry.size_bytes, entry.crc32):
            raise DataLoss("RESULT_DAMAGED", file=entry.path)
