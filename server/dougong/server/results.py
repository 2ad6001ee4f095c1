"""Results in run directories: the accepted outcome, its files with their checksums, and parts of fields."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.internal import run_pb2
from dougong.meshes.canonical import StoredMesh, StoredRegion
from dougong.meshes.mesh import RegionKind
from dougong.messages import DataLoss, InputError, NotFound, violation
from dougong.server.arrays import NUMPY_TYPES
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, result_pb2

_CRC_PIECE = 1 << 22

#: Files that are known to be good.
_REMEMBERED = 10_000


@dataclass(frozen=True)
class StoredResult:
    """The result of an attempt."""

    directory: Path
    outcome: run_pb2.Outcome

    @property
    def result(self) -> result_pb2.Result:
        """The summary."""
        return self.outcome.result

    def find_field(self, wanted: result_pb2.ReadFieldRequest) -> tuple[result_pb2.FieldInfo, run_pb2.ResultFile]:
        """The field that is asked for: of the last step, and at nodes where it is there, when nothing else is said.

        Raises
        ------
        NotFound
            There is no such frame or field; names those there are.
        """
        fields = list(enumerate(self.result.fields))
        step = wanted.step or (self.result.steps[-1].name if self.result.steps else "")
        frame = self._frame(step, wanted)
        matches = [
            (index, field)
            for index, field in fields
            if field.name == wanted.name
            and field.frame == frame
            and field.step == step
            and wanted.location in (analysis_pb2.LOCATION_UNSPECIFIED, field.location)
        ]
        # Nodes have the lowest number of the locations.
        for index, field in sorted(matches, key=lambda match: match[1].location):
            for entry in self.outcome.files:
                if entry.WhichOneof("content") == "field_index" and entry.field_index == index:
                    return field, entry
        known = sorted({f"{f.name} ({f.step}, {_location(f.location)})" for _, f in fields})
        place = f"{wanted.name} ({step}, {_location(wanted.location)}, {frame})"
        raise NotFound("FIELD_NOT_FOUND", name=place[:300], known=", ".join(known))

    def _frame(self, step: str, wanted: result_pb2.ReadFieldRequest) -> int:
        """The number of the frame that is asked for, by number or by name."""
        if not wanted.frame_name:
            return wanted.frame
        frames = [frame.name for s in self.result.steps if s.name == step for frame in s.frames]
        if wanted.frame_name in frames:
            return frames.index(wanted.frame_name)
        known = ", ".join(name for name in frames if name) or "-"
        raise NotFound("FRAME_NOT_FOUND", frame=wanted.frame_name[:200], step=step, known=known)

    def find_artifact(self, name: str) -> run_pb2.ResultFile:
        """The file of an artifact.

        Raises
        ------
        NotFound
            There is none of this name; names those there are.
        """
        for entry in self.outcome.files:
            is_artifact = entry.WhichOneof("content") == "artifact_index"
            if is_artifact and self.result.artifacts[entry.artifact_index].name == name:
                return entry
        known = ", ".join(a.name for a in self.result.artifacts)
        raise NotFound("ARTIFACT_NOT_FOUND", name=name[:300], known=known)


def load_result(directory: Path) -> StoredResult:
    """The accepted result in a run directory.

    Raises
    ------
    DataLoss
        It is no longer there, or no longer what was accepted.
    """
    outcome = rundir.read_outcome(directory)
    if outcome is None or not outcome.HasField("result"):
        raise DataLoss("OUTCOME_DAMAGED")
    return StoredResult(directory, outcome)


class Verifier:
    """Checks that result files still have their checksums: each once, and again when its time or size changes."""

    def __init__(self) -> None:
        # In the order of their checks: the oldest are forgotten.
        self._good: dict[tuple[str, int, int], None] = {}
        self._lock = threading.Lock()

    def verified(self, directory: Path, entry: run_pb2.ResultFile) -> Path:
        """The path of a file that is as it was written.

        Raises
        ------
        DataLoss
            It is not.
        """
        path = directory / entry.path
        try:
            status = path.stat()
            key = (str(path), status.st_mtime_ns, status.st_size)
            with self._lock:
                if key in self._good:
                    return path
            if status.st_size != entry.size_bytes or _crc32(path) != entry.crc32:
                raise DataLoss("RESULT_DAMAGED", file=entry.path)
        except OSError as error:
            raise DataLoss("RESULT_DAMAGED", file=entry.path) from error
        with self._lock:
            self._good[key] = None
            while len(self._good) > _REMEMBERED:
                del self._good[next(iter(self._good))]
        return path


def _crc32(path: Path) -> int:
    crc = 0
    with open(path, "rb") as file:
        while piece := file.read(_CRC_PIECE):
            crc = zlib.crc32(piece, crc)
    return crc


def map_field(path: Path, field: result_pb2.FieldInfo) -> NDArray[Any]:
    """The values of a field, mapped; shape and type as its entry says.

    Raises
    ------
    DataLoss
        The file has another shape.
    """
    shape = tuple(field.shape)
    dtype = NUMPY_TYPES[field.dtype]
    try:
        if path.suffix == ".npy":
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        elif 0 in shape:
            array = np.empty(shape, dtype)
        else:
            array = np.memmap(path, dtype, "r", shape=shape)
    except (OSError, ValueError) as error:
        raise DataLoss("RESULT_DAMAGED", file=path.name) from error
    if array.shape != shape or array.dtype != dtype:
        raise DataLoss("RESULT_DAMAGED", file=path.name)
    return array


def component_index(field: result_pb2.FieldInfo, component: str) -> int:
    """Where a component stands.

    Raises
    ------
    InputError
        The field has no such component.
    """
    try:
        return list(field.components).index(component)
    except ValueError:
        known = ", ".join(field.components) or "-"
        raise InputError(
            [violation("COMPONENT_UNKNOWN", "component", component=component[:100], name=field.name, known=known)]
        ) from None


def region_rows(mesh: StoredMesh, name: str, field: result_pb2.FieldInfo) -> NDArray[np.int64]:
    """Rows of a field that belong to a region of the mesh.

    Nodes of a node region in its order; of a cell or facet region, all their nodes, ascending. Cells of a cell region
    in its order, and their integration points.

    Raises
    ------
    InputError
        There is no such region, or it has no rows of this field's kind.
    """
    regions = mesh.find_regions(name)
    if not regions:
        known = ", ".join(r.name for r in mesh.regions[:50]) or "-"
        raise InputError([violation("RESULT_REGION_UNKNOWN", "region", region=name[:200], known=known)])
    by_kind = {region.kind: region for region in regions}
    if field.location == analysis_pb2.LOCATION_NODE:
        # The more a kind says of nodes, the earlier it is taken.
        region = next(by_kind[k] for k in (RegionKind.NODES, RegionKind.FACETS, RegionKind.CELLS) if k in by_kind)
        return region_nodes(mesh, region)
    if RegionKind.CELLS not in by_kind:
        kind = regions[0].kind.value
        raise InputError([violation("RESULT_REGION_KIND", "region", region=name, kind=kind, name=field.name)])
    cells = np.asarray(mesh.entries(by_kind[RegionKind.CELLS]))
    if field.location == analysis_pb2.LOCATION_CELL:
        return cells
    return _point_rows(mesh, cells, field)


def region_nodes(mesh: StoredMesh, region: StoredRegion) -> NDArray[np.int64]:
    """Nodes of a region: its own, or those of its facets or cells, ascending; mid-side nodes too."""
    entries = np.asarray(mesh.entries(region))
    if region.kind is RegionKind.NODES:
        return entries
    found = []
    cells = entries if region.kind is RegionKind.CELLS else entries[:, 0]
    for block, cell_type in enumerate(mesh.cell_types):
        here = (cells >= mesh.offsets[block]) & (cells < mesh.offsets[block + 1])
        nodes = mesh.cells(block)[cells[here] - mesh.offsets[block]]
        if region.kind is RegionKind.CELLS:
            found.append(nodes.ravel())
            continue
        sides = entries[here, 1]
        for side, (_, local) in enumerate(cell_type.facets):
            found.append(nodes[sides == side][:, list(local)].ravel())
    return np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)


def _point_rows(mesh: StoredMesh, cells: NDArray[np.int64], field: result_pb2.FieldInfo) -> NDArray[np.int64]:
    """Rows of the integration points of cells; the points of a cell follow each other, cells in the mesh's order."""
    counts = np.repeat(np.asarray(field.point_counts, dtype=np.int64), mesh.block_sizes)
    starts = np.concatenate([[0], np.cumsum(counts)])
    lengths = counts[cells]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows: NDArray[np.int64] = np.repeat(starts[cells], lengths) + within
    return rows


def _location(location: int) -> str:
    return analysis_pb2.Location.Name(location).removeprefix("LOCATION_").lower()
