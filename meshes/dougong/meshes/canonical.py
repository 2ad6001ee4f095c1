"""The converted mesh on disk: a directory of .npy arrays and a header with their checksums.

    header.json      what there is, and the SHA-256 of each piece of each file
    header.sha256    the SHA-256 of the header, 64 hexadecimal digits
    points.npy       (n_nodes, dim) float64
    node_ids.npy     (n_nodes,) int64; absent when the file numbers 1..n
    cells_0.npy      (n_cells, n_nodes of the type) int32, or int64 where a node index needs it
    cell_ids_0.npy   (n_cells,) int64; absent when the file numbers 1..n
    region_0.npy     entries of a `Region`, int64

The array data of a .npy file is aligned, so that every rank maps it and touches the pages of its own slice only.
Checksums are those of pieces, so that many processes check a large mesh together. The digest of a mesh is the SHA-256
of its header.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.messages import DataLoss

#: Version of this layout and of the readers: another version means another conversion.
CONVERTER_VERSION = "2"

HEADER = "header.json"
HEADER_DIGEST = "header.sha256"

#: Bytes of a file that have a checksum of their own; the last piece of a file may be shorter.
PIECE_BYTES = 1 << 22

_INT32_MAX = 2**31 - 1


def write(mesh: Mesh, directory: Path) -> str:
    """Write a mesh into an empty directory, durably.

    Parameters
    ----------
    mesh
        A checked mesh.
    directory
        Must exist and be empty.

    Returns
    -------
    str
        The digest of the converted mesh, 64 hexadecimal digits.
    """
    files: dict[str, dict[str, Any]] = {}

    def put(name: str, array: NDArray[Any] | None) -> None:
        if array is not None:
            files[name] = _write_array(directory / f"{name}.npy", array)

    conn_dtype = np.int32 if mesh.n_nodes <= _INT32_MAX else np.int64
    put("points", np.asarray(mesh.points, dtype=np.float64))
    put("node_ids", _unless_counting(mesh.node_ids, 1))
    for k, block in enumerate(mesh.blocks):
        put(f"cells_{k}", block.nodes.astype(conn_dtype, copy=False))
        put(f"cell_ids_{k}", _unless_counting(block.ids, int(mesh.offsets[k]) + 1))
    for k, region in enumerate(mesh.regions):
        put(f"region_{k}", np.asarray(region.entries, dtype=np.int64))
    header = {
        "converter_version": CONVERTER_VERSION,
        "dim": mesh.dim,
        "n_nodes": mesh.n_nodes,
        "blocks": [{"type": b.type.name, "n_cells": len(b)} for b in mesh.blocks],
        "regions": [{"name": r.name, "kind": r.kind.value, "size": len(r), "origin": r.origin} for r in mesh.regions],
        "piece_bytes": PIECE_BYTES,
        "files": files,
    }
    text = json.dumps(header, indent=1, ensure_ascii=False).encode()
    digest = hashlib.sha256(text).hexdigest()
    for name, data in ((HEADER, text), (HEADER_DIGEST, digest.encode())):
        with open(directory / name, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    return digest


def _unless_counting(ids: NDArray[np.int64] | None, first: int) -> NDArray[np.int64] | None:
    if ids is None or (len(ids) and ids[0] == first and np.array_equal(ids, np.arange(first, first + len(ids)))):
        return None
    return np.asarray(ids, dtype=np.int64)


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    array = np.ascontiguousarray(array)
    with open(path, "wb") as out:
        np.lib.format.write_array(out, array, version=(1, 0), allow_pickle=False)
        out.flush()
        os.fsync(out.fileno())
    with open(path, "rb") as file:
        pieces = [_sha256(piece) for piece in iter(lambda: file.read(PIECE_BYTES), b"")]
    return {
        "pieces": pieces,
        "size_bytes": path.stat().st_size,
        "dtype": array.dtype.str,
        "shape": array.shape,
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class StoredRegion:
    """A region of a stored mesh, without its entries."""

    index: int
    name: str
    kind: RegionKind
    size: int
    origin: str


class StoredMesh:
    """A converted mesh on disk; arrays are mapped, not read.

    Parameters
    ----------
    directory
        Where `write` put it.

    Raises
    ------
    DataLoss
        The header is not there, is not what was written, or cannot be understood.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = Path(directory)
        try:
            text = (self.directory / HEADER).read_bytes()
            self.digest = _sha256(text)
            if (self.directory / HEADER_DIGEST).read_bytes() != self.digest.encode():
                raise DataLoss("STORED_MESH_DAMAGED", file=HEADER)
            self._header: dict[str, Any] = json.loads(text)
            self.dim = int(self._header["dim"])
            self.n_nodes = int(self._header["n_nodes"])
            self.cell_types = tuple(CELL_TYPES[b["type"]] for b in self._header["blocks"])
            self.block_sizes = tuple(int(b["n_cells"]) for b in self._header["blocks"])
            self.regions = tuple(
                StoredRegion(k, r["name"], RegionKind(r["kind"]), int(r["size"]), r["origin"])
                for k, r in enumerate(self._header["regions"])
            )
            self._piece_bytes = int(self._header["piece_bytes"])
            self._files: dict[str, dict[str, Any]] = dict(self._header["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataLoss("STORED_MESH_DAMAGED", file=HEADER) from error
        self.n_cells = sum(self.block_sizes)
        self.offsets = np.concatenate([[0], np.cumsum(self.block_sizes)]).astype(np.int64)

    def has(self, name: str) -> bool:
        """Whether there is an array of this name."""
        return name in self._files

    def array(self, name: str) -> NDArray[Any]:
        """An array, mapped read-only.

        Raises
        ------
        DataLoss
            Its file does not have the announced size, type or shape.
        """
        path = self.directory / f"{name}.npy"
        try:
            entry = self._files[name]
            if path.stat().st_size != entry["size_bytes"]:
                raise DataLoss("STORED_MESH_DAMAGED", file=path.name)
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
            if array.dtype.str != entry["dtype"] or array.shape != tuple(entry["shape"]):
                raise DataLoss("STORED_MESH_DAMAGED", file=path.name)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataLoss("STORED_MESH_DAMAGED", file=path.name) from error
        return array

    @property
    def points(self) -> NDArray[np.float64]:
        """Of shape (n_nodes, dim), mapped."""
        return self.array("points")

    def cells(self, block: int) -> NDArray[np.integer]:
        """Nodes of the cells of a block, shape (n_cells, n_nodes of the type), mapped."""
        return self.array(f"cells_{block}")

    def entries(self, region: StoredRegion) -> NDArray[np.int64]:
        """Entries of a region, see `dougong.meshes.mesh.Region`, mapped."""
        return self.array(f"region_{region.index}")

    def find_regions(self, name: str) -> list[StoredRegion]:
        """All regions of this name, at most one of a kind.

        Where there is none, those whose name differs by case alone, if that is one name: Abaqus decks mean it so.
        """
        found = [r for r in self.regions if r.name == name]
        if not found:
            alike = [r for r in self.regions if r.name.casefold() == name.casefold()]
            found = alike if len({r.name for r in alike}) == 1 else []
        return found

    @property
    def node_ids(self) -> NDArray[np.int64] | None:
        """Numbers of the nodes in the mesh file, mapped; None when they are 1..n."""
        return self.array("node_ids") if self.has("node_ids") else None

    def cell_ids(self, block: int) -> NDArray[np.int64] | None:
        """Numbers of the cells of a block in the mesh file, mapped; None when they count on from 1."""
        return self.array(f"cell_ids_{block}") if self.has(f"cell_ids_{block}") else None

    def load(self) -> Mesh:
        """The mesh as a whole; its arrays are still mapped."""
        return Mesh(
            points=self.points,
            blocks=tuple(CellBlock(t, self.cells(k), self.cell_ids(k)) for k, t in enumerate(self.cell_types)),
            regions=tuple(Region(r.name, r.kind, self.entries(r), r.origin) for r in self.regions),
            node_ids=self.node_ids,
        )

    def damaged_files(self, share: int = 0, shares: int = 1) -> list[str]:
        """Names of the files that no longer have their checksums; reads all of them, or a share.

        Parameters
        ----------
        share, shares
            Number of this share, of so many of nearly equal size that together are the whole mesh.
        """
        pieces = [(name, k) for name, entry in self._files.items() for k in range(len(entry["pieces"]))]
        mine = pieces[len(pieces) * share // shares : len(pieces) * (share + 1) // shares]
        return [
            f"{name}.npy"
            for name, group in groupby(mine, itemgetter(0))
            if not self._intact(name, [k for _, k in group])
        ]

    def _intact(self, name: str, pieces: list[int]) -> bool:
        """Whether some consecutive pieces of a file have their checksums, and the file its size."""
        entry = self._files[name]
        try:
            with open(self.directory / f"{name}.npy", "rb") as file:
                if os.fstat(file.fileno()).st_size != entry["size_bytes"]:
                    return False
                file.seek(pieces[0] * self._piece_bytes)
                return all(_sha256(file.read(self._piece_bytes)) == entry["pieces"][k] for k in pieces)
        except OSError:
            return False
