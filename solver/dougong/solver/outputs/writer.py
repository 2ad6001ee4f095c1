"""Writes fields in the order of the stored mesh, every rank its slice of each file.

A field file is the bare array, little-endian, C order. Values travel from the rank that has them to the rank that
writes the slice they belong to, so that every file is written in large contiguous pieces, which any shared filesystem
can take. The checksum of a field is put together from those of its pieces in memory: the file is not read again, and a
piece that does not reach the disk as it was is found by whoever reads it next.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.internal import run_pb2
from dougong.meshes.canonical import StoredMesh
from dougong.solver.parallel.comm import Comm, Directory
from dougong.solver.parallel.crc import combine
from dougong.solver.parallel.partition import Part
from dougong.solver.rundir import RESULTS
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import mesh_pb2, options_pb2, result_pb2

Array = NDArray[np.float64]

_READ = 1 << 22

#: First byte, number of bytes and CRC-32 of a piece of a file.
_Piece = tuple[int, int, int]


@dataclass(frozen=True)
class FieldKey:
    """What identifies a field in a result."""

    name: str
    step: str
    frame: int
    components: tuple[str, ...]
    dimension: options_pb2.Dimension


class ResultWriter:
    """Writes the files of a result. All methods are collective.

    Parameters
    ----------
    rundir
        The run directory.
    stored
        The mesh.
    comm
        The processes.

    Attributes
    ----------
    fields, artifacts
        What was written, without checksums until `finish`.
    """

    def __init__(self, rundir: Path, stored: StoredMesh, comm: Comm) -> None:
        self._rundir = rundir
        self._stored = stored
        self._comm = comm
        self.fields: list[result_pb2.FieldInfo] = []
        self.artifacts: list[result_pb2.ArtifactInfo] = []
        self._paths: list[tuple[str, str, int]] = []
        # By path what this rank wrote: first byte, number of bytes, CRC-32.
        self._pieces: dict[str, list[_Piece]] = {}

    def nodal(self, key: FieldKey, part: Part, values: Array) -> Array:
        """Write values at nodes.

        Parameters
        ----------
        values
            shape (n_owned, width).

        Returns
        -------
        ndarray
            This rank's slice of the field in stored order, shape (n, width).
        """
        directory = Directory(self._comm, self._stored.n_nodes)
        mine = in_stored_order(directory, part.nodes[: part.n_owned], values)
        self._write(
            self._new_field(key, pb.LOCATION_NODE, (self._stored.n_nodes, values.shape[1])), directory.first, mine
        )
        return mine

    def at_points(self, key: FieldKey, part: Part, values: list[Array]) -> None:
        """Write values at integration points.

        Parameters
        ----------
        values
            For each local block shape (n_cells, nq, width).
        """
        counts = [v.shape[1] for v in values]
        width = values[0].shape[2]
        total = sum(n * c for n, c in zip(self._stored.block_sizes, counts, strict=True))
        path = self._new_field(key, pb.LOCATION_INTEGRATION_POINT, (total, width), counts)
        start = 0
        for k, (block, points) in enumerate(zip(part.blocks, values, strict=True)):
            directory = Directory(self._comm, self._stored.block_sizes[k])
            cells = block.cells[block.mine] - self._stored.offsets[k]
            mine = in_stored_order(directory, cells, points[block.mine].reshape(len(cells), counts[k] * width))
            self._write(path, start + directory.first * counts[k], mine.reshape(-1, width))
            start += self._stored.block_sizes[k] * counts[k]

    def at_cells(self, key: FieldKey, part: Part, values: list[Array]) -> Array:
        """Write values of cells.

        Parameters
        ----------
        values
            For each local block shape (n_cells, width).

        Returns
        -------
        ndarray
            This rank's slice of the field in stored order, shape (n, width).
        """
        directory = Directory(self._comm, self._stored.n_cells)
        cells = np.concatenate([b.cells[b.mine] for b in part.blocks])
        rows = np.concatenate([v[b.mine] for b, v in zip(part.blocks, values, strict=True)])
        mine = in_stored_order(directory, cells, rows)
        self._write(
            self._new_field(key, pb.LOCATION_CELL, (self._stored.n_cells, rows.shape[1])), directory.first, mine
        )
        return mine

    def artifact(self, name: str, media_type: str) -> Path:
        """Announce a file; the caller writes it at the path returned."""
        relative = f"{RESULTS}/{name}"
        self._paths.append((relative, "artifact", len(self.artifacts)))
        self.artifacts.append(result_pb2.ArtifactInfo(name=name, media_type=media_type))
        return self._rundir / relative

    def _new_field(
        self, key: FieldKey, location: pb.Location, shape: tuple[int, int], counts: list[int] | None = None
    ) -> str:
        """Announce a field and make its file; returns its path in the run directory."""
        relative = f"{RESULTS}/field-{len(self.fields)}.bin"
        self._paths.append((relative, "field", len(self.fields)))
        self.fields.append(
            result_pb2.FieldInfo(
                name=key.name,
                step=key.step,
                frame=key.frame,
                location=location,
                components=key.components,
                dtype=mesh_pb2.DATA_TYPE_FLOAT64,
                shape=shape if key.components else shape[:1],
                point_counts=counts or [],
                dimension=key.dimension,
                size_bytes=shape[0] * shape[1] * 8,
            )
        )
        if self._comm.rank == 0:
            create(self._rundir / relative, shape[0] * shape[1] * 8)
        self._comm.barrier()
        return relative

    def _write(self, relative: str, first_row: int, rows: Array) -> None:
        rows = np.ascontiguousarray(rows)
        first = first_row * rows.shape[1] * 8
        write_at(self._rundir / relative, first, rows)
        self._pieces.setdefault(relative, []).append((first, rows.nbytes, zlib.crc32(_bytes(rows))))

    def finish(self) -> list[run_pb2.ResultFile]:
        """Make everything durable and tell the checksums; artifacts are read for theirs, shared out over the ranks."""
        for path, _, _ in self._paths:
            _sync(self._rundir / path)
        self._comm.barrier()
        artifacts = [path for path, kind, _ in self._paths if kind == "artifact"]
        read = {path: _digest(self._rundir / path) for path in artifacts[self._comm.rank :: self._comm.size]}
        pieces: dict[str, list[_Piece]] = {}
        digests: dict[str, tuple[int, str, int]] = {}
        for theirs, found in self._comm.gather((self._pieces, read)):
            digests.update(found)
            for path, some in theirs.items():
                pieces.setdefault(path, []).extend(some)
        files = []
        for path, kind, index in self._paths:
            file = run_pb2.ResultFile(path=path)
            if kind == "field":
                field = self.fields[index]
                field.crc32 = file.crc32 = _crc_of_whole(pieces.get(path, []), field.size_bytes)
                file.size_bytes, file.field_index = field.size_bytes, index
            else:
                artifact = self.artifacts[index]
                file.size_bytes, file.sha256, file.crc32 = digests[path]
                artifact.size_bytes, artifact.sha256 = file.size_bytes, file.sha256
                file.artifact_index = index
            files.append(file)
        return files


def _crc_of_whole(pieces: list[_Piece], size: int) -> int:
    """CRC-32 of a file from its pieces in any order."""
    pieces = sorted(piece for piece in pieces if piece[1])
    end = 0
    for first, count, _ in pieces:
        if first != end:
            raise ValueError(f"a field was not written from byte {end} to {first}, or twice")
        end += count
    if end != size:
        raise ValueError(f"a field was written to byte {end} of {size}")
    return combine((crc, count) for _, count, crc in pieces)


def in_stored_order(directory: Directory, index: NDArray[np.int64], values: Array) -> Array:
    """The rank's own slice of rows in stored order, from rows that any rank has. Collective."""
    where, what = directory.send(index, np.ascontiguousarray(values))
    out = np.empty((directory.last - directory.first, values.shape[1]))
    out[where] = what
    return out


def create(path: Path, size: int) -> None:
    """Make a file of a size."""
    with open(path, "wb") as out:
        out.truncate(size)


def write_at(path: Path, offset: int, rows: NDArray[Any]) -> None:
    """Write an array at an offset of a file that exists."""
    data = _bytes(np.ascontiguousarray(rows))
    fd = os.open(path, os.O_WRONLY)
    try:
        while data:
            written = os.pwrite(fd, data, offset)
            data, offset = data[written:], offset + written
    finally:
        os.close(fd)


def _bytes(rows: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array."""
    return rows.reshape(-1).view(np.uint8).data if rows.size else memoryview(b"")


def _sync(path: Path) -> None:
    """Make durable what this rank wrote of a file."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _digest(path: Path) -> tuple[int, str, int]:
    sha, crc, size = hashlib.sha256(), 0, 0
    with open(path, "rb") as file:
        while piece := file.read(_READ):
            sha.update(piece)
            crc = zlib.crc32(piece, crc)
            size += len(piece)
    return size, sha.hexdigest(), crc
