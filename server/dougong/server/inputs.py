"""What an analysis takes from the results of other jobs: found and checked before the job is accepted, then kept.

The files are linked into the folder of the new job, so that they are there when it starts, whatever becomes of the job
they are from. Where no link can be made they are copied.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import Message

from dougong.internal import run_pb2
from dougong.messages import DataLoss, NotFound, violation, violation_from
from dougong.server.datafolder import DataFolder
from dougong.server.jobs.model import State
from dougong.server.jobs.store import JobRecord, JobStore
from dougong.server.meshes import MeshLibrary
from dougong.server.results import StoredResult, Verifier, load_result
from dougong.solver import rundir
from dougong.v1 import analysis_pb2, job_pb2, result_pb2

#: What can be taken from another job.
_FIELD = "temperature"

#: Frames of one analysis: each is a file.
_MOST_FILES = 10_000


@dataclass(frozen=True)
class Mention:
    """Another job in an analysis.

    Attributes
    ----------
    path
        Field path of the message that names it.
    wanted
        That message.
    all_frames
        Whether all frames of the step are meant.
    """

    path: str
    wanted: analysis_pb2.FromJob
    all_frames: bool


def mentions(message: Message, path: str = "") -> Iterator[Mention]:
    """Every job that a message names, however deep."""
    for descriptor, value in message.ListFields():
        kind = descriptor.message_type
        if kind is None:
            continue
        here = f"{path}.{descriptor.name}" if path else descriptor.name
        if isinstance(value, analysis_pb2.FromJob):
            yield Mention(here, value, bool(getattr(message, "all_frames", False)))
        elif isinstance(value, Message):
            yield from mentions(value, here)
        elif kind.GetOptions().map_entry:
            for key in sorted(value):
                if isinstance(value[key], Message):
                    yield from mentions(value[key], f'{here}["{key}"]')
        else:
            for k, item in enumerate(value):
                yield from mentions(item, f"{here}[{k}]")


@dataclass
class Found:
    """What the jobs that an analysis names have for it.

    Attributes
    ----------
    violations
        What is wrong.
    files
        Each field with the file that has it, as it lies with the other job.
    """

    violations: list[job_pb2.Violation] = field(default_factory=list)
    files: list[tuple[run_pb2.InputField, Path]] = field(default_factory=list)


class Inputs:
    """Results of jobs as the input of others.

    Parameters
    ----------
    store
        Jobs.
    library
        Meshes.
    folder
        The data folder.
    """

    def __init__(self, store: JobStore, library: MeshLibrary, folder: DataFolder) -> None:
        self._store = store
        self._library = library
        self._folder = folder
        self._verifier = Verifier()

    async def find(self, analysis: analysis_pb2.Analysis, owner: str) -> Found:
        """Look up what an analysis names, of a user's own jobs. Its mesh is there."""
        found = Found()
        for mention in mentions(analysis):
            try:
                job = await self._store.get(mention.wanted.job_id, owner)
            except NotFound:
                self._refuse(found, mention, "INPUT_JOB_UNKNOWN", "job_id", job=mention.wanted.job_id[:100] or '""')
                continue
            if job.state is not State.SUCCEEDED:
                self._refuse(found, mention, "INPUT_JOB_NOT_SUCCEEDED", "job_id", job=job.job_id, state=job.state)
                continue
            await asyncio.to_thread(self._look, found, mention, job, analysis)
        if len(found.files) > _MOST_FILES:
            wrong = violation("INPUT_TOO_MANY_FRAMES", "", count=len(found.files), limit=_MOST_FILES)
            return Found([*found.violations, wrong])
        return found

    def _look(self, found: Found, mention: Mention, job: JobRecord, analysis: analysis_pb2.Analysis) -> None:
        try:
            stored = load_result(self._folder.attempt(job.job_id, job.attempts))
            mesh = self._library.digest(analysis.mesh)
        except DataLoss as error:
            found.violations.append(violation_from(error.reason, f"{mention.path}.job_id", error.params))
            return
        if (job.mesh_id, stored.result.provenance.conversion_sha256) != (analysis.mesh, mesh):
            self._refuse(found, mention, "INPUT_MESH_DIFFERS", "job_id", job=job.job_id)
            return
        theirs = analysis_pb2.Analysis.FromString(job.analysis).units
        if _units(theirs) != _units(analysis.units):
            told = {"theirs": _told(theirs), "ours": _told(analysis.units)}
            self._refuse(found, mention, "INPUT_UNITS_DIFFER", "job_id", job=job.job_id, **told)
            return
        fields = {(f.step, f.frame): k for k, f in enumerate(stored.result.fields) if _usable(f)}
        steps = [s for s in stored.result.steps if any(step == s.name for step, _ in fields)]
        known = ", ".join(s.name for s in steps) or "-"
        chosen = [s for s in steps if s.name == mention.wanted.step] if mention.wanted.step else steps[-1:]
        if not chosen:
            given = {"job": job.job_id, "step": mention.wanted.step[:100] or "-", "known": known}
            self._refuse(found, mention, "INPUT_STEP_WITHOUT_FIELD", "step", field_name=_FIELD, **given)
            return
        step = chosen[0]
        count = len(step.frames)
        frame = mention.wanted.frame if mention.wanted.HasField("frame") else count - 1
        frames = range(count) if mention.all_frames else [frame]
        if any((step.name, k) not in fields for k in frames):
            self._refuse(found, mention, "INPUT_FRAME_UNKNOWN", "frame", frame=frame, step=step.name, last=count - 1)
            return
        there = {(f.job_id, f.step, f.frame) for f, _ in found.files}
        for k in frames:
            if (job.job_id, mention.wanted.step, k) not in there:
                found.files.append(self._file(stored, step, k, fields[step.name, k], mention))

    def _file(
        self, stored: StoredResult, step: result_pb2.StepResult, frame: int, index: int, mention: Mention
    ) -> tuple[run_pb2.InputField, Path]:
        is_it = (f for f in stored.outcome.files if f.WhichOneof("content") == "field_index")
        entry = next(f for f in is_it if f.field_index == index)
        told = run_pb2.InputField(
            job_id=mention.wanted.job_id,
            step=mention.wanted.step,
            frame=frame,
            frame_name=step.frames[frame].name,
            last=frame == len(step.frames) - 1,
            size_bytes=entry.size_bytes,
            crc32=entry.crc32,
        )
        if step.frames[frame].HasField("value"):
            told.value = step.frames[frame].value
        return told, stored.directory / entry.path

    def _refuse(self, found: Found, mention: Mention, reason: str, name: str, **params: str | int) -> None:
        found.violations.append(violation_from(reason, f"{mention.path}.{name}", params))

    async def keep(self, job_id: str, found: Found) -> None:
        """Put what was found into the folder of a job that is about to be accepted.

        Raises
        ------
        DataLoss
            A file is no longer what it was.
        """
        if found.files:
            await asyncio.to_thread(self._keep, self._folder.inputs(job_id), found)

    def _keep(self, folder: Path, found: Found) -> None:
        folder.mkdir(parents=True)
        listed = run_pb2.InputList()
        for k, (entry, source) in enumerate(found.files):
            told = run_pb2.ResultFile(path=source.name, size_bytes=entry.size_bytes, crc32=entry.crc32)
            self._verifier.verified(source.parent, told)
            kept = listed.fields.add()
            kept.CopyFrom(entry)
            kept.file = f"{k}.bin"
            _link(source, folder / kept.file)
        rundir.write_inputs(folder, listed)


def _usable(info: result_pb2.FieldInfo) -> bool:
    return info.name == _FIELD and info.location == analysis_pb2.LOCATION_NODE


#: Where absolute zero lies on a scale that is named, if the analysis does not say it.
_ZERO = {"degC": -273.15, "degF": -459.67}


def _units(units: analysis_pb2.UnitSystem) -> tuple[str, str, str, str, float]:
    """Length, mass, time and temperature of a unit system, and where its absolute zero lies."""
    length, mass, time, degree = "m", "kg", "s", "K"
    if units.system == analysis_pb2.UnitSystem.SYSTEM_MM_T_S:
        length, mass = "mm", "t"
    elif units.system == analysis_pb2.UnitSystem.SYSTEM_EXPLICIT:
        length, mass, time = units.length or length, units.mass or mass, units.time or time
        degree = units.temperature.removeprefix("delta_") or degree
    zero = units.absolute_zero if units.HasField("absolute_zero") else _ZERO.get(degree, 0.0)
    # A degree Celsius is a kelvin: absolute zero alone says where the scale begins.
    return length, mass, time, "K" if degree == "degC" else degree, zero


def _told(units: analysis_pb2.UnitSystem) -> str:
    """A unit system for people: "mm, t, s, K, absolute zero -273.15"."""
    length, mass, time, degree, zero = _units(units)
    return f"{length}, {mass}, {time}, {degree}, absolute zero {zero:g}"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
