"""Steps that several commands share: connect, read the analysis, find a job, upload."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from dougong.client.cli.console import count, say, tell, tell_error
from dougong.client.cli.progress import ProgressDisplay
from dougong.client.client import Client
from dougong.client.yaml_analysis import AnalysisFile, AnalysisFileError, line_of, load, related
from dougong.messages import FemError, NotFound
from dougong.v1 import job_pb2, mesh_pb2

#: Characters of a job id that are shown, "job-" among them; more where that is not unique.
SHORT_ID = 12


class Told(Exception):
    """An error that has been printed, with the places in the analysis file that only the command knows.

    Parameters
    ----------
    error
        What it was.
    source
        The analysis file, where it is known.
    """

    def __init__(self, error: FemError, source: AnalysisFile | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.source = source


class InterruptedSubmit(KeyboardInterrupt):
    """Ctrl-C while a job was being submitted: whether it was cannot be known here."""


def connect(arguments: Namespace) -> Client:
    """Connect to the server of the command line."""
    return Client(arguments.server)


def upload(client: Client, path: Path, format_name: str = "") -> mesh_pb2.Mesh:
    """Bring a mesh to the server, with progress, and say what is in it."""
    with ProgressDisplay() as display:
        mesh = client.upload_mesh(path, format_name=format_name, progress=display.sent)
    types = ", ".join(f"{count(t.count)} {t.cell_type}" for t in mesh.info.cell_types)
    nodes, cells = count(mesh.info.node_count), count(mesh.info.cell_count)
    tell(say("CLI_MESH_READY", file=path.name, nodes=nodes, cells=cells, types=types))
    return mesh


def examine(arguments: Namespace) -> AnalysisFile:
    """Read the analysis file; when something is wrong with it, find all that is wrong at once.

    What is wrong with values and keys is known without a server. The server then checks what could be read, so that
    an unknown region is not found only after a wrong unit has been put right.

    Raises
    ------
    AnalysisFileError
        Everything found, in the order of the file.
    """
    try:
        source = load(arguments.analysis)
    except AnalysisFileError as error:
        if error.partial is None:
            raise
        lines = error.lines
        found = error.violations + _further(arguments, error, error.partial)
        found.sort(key=lambda v: line_of(lines, v.field))
        raise AnalysisFileError(found, error.path, error.lines) from error
    if "units" not in source.lines:
        tell(say("CLI_NOTICE", text=say("CLI_UNITS_SI")))
    return source


def _further(arguments: Namespace, error: AnalysisFileError, partial: AnalysisFile) -> list[job_pb2.Violation]:
    """What the server finds in the rest of an analysis; without what only follows from the faults known already."""
    try:
        with connect(arguments) as client:
            if partial.mesh_file is not None:
                partial.analysis.mesh = upload(client, partial.mesh_file).mesh_id
            found = client.validate(partial.analysis).violations
    except FemError:
        # The faults of the file are to be told, not that more could not be found.
        return []
    known = [v.field for v in error.violations]
    for one in error.violations:
        if "nearest" in one.params:
            parent = one.field.rpartition(".")[0]
            known.append(f"{parent}.{one.params['nearest']}" if parent else one.params["nearest"])
    return [v for v in found if v.field and not any(related(v.field, path) for path in known)]


def want_files(source: AnalysisFile) -> None:
    """Ask for the .vtu files, which people expect, unless the analysis file says something about them."""
    if "outputs.vtu" not in source.lines:
        source.analysis.outputs.vtu = True


def read_with_mesh(client: Client, path: Path) -> AnalysisFile:
    """Read an analysis file and bring its mesh to the server."""
    source = load(path)
    if source.mesh_file is not None:
        source.analysis.mesh = upload(client, source.mesh_file).mesh_id
    return source


def submit(client: Client, source: AnalysisFile, arguments: Namespace) -> job_pb2.Job:
    """Hand in the analysis; what is wrong with it is told with its places in the file."""
    resources = job_pb2.Resources(
        ranks=arguments.ranks, time_limit_seconds=arguments.time_limit or 0, partition=arguments.partition
    )
    try:
        job = client.submit(source.analysis, resources)
        # From here on an interrupt leaves a job behind, which must be told.
        arguments.submitted = job.job_id
    except FemError as error:
        tell_error(error, source)
        raise Told(error, source) from error
    except KeyboardInterrupt:
        raise InterruptedSubmit from None
    tell(say("CLI_JOB_SUBMITTED", job=job.job_id, name=job.name))
    return job


def find_job(client: Client, wanted: str) -> job_pb2.Job:
    """The job of an id, of the beginning of one, or the newest for "last".

    Raises
    ------
    NotFound
        There is none, or there are several.
    """
    if wanted == "last":
        newest = next(client.jobs(page_size=1), None)
        if newest is None:
            raise NotFound("CLI_NO_JOBS")
        return client.job(newest.job_id)
    if wanted and len(wanted) < 64:
        begins = (wanted, f"job-{wanted}")
        found = [job.job_id for job in client.jobs(page_size=1000) if job.job_id.startswith(begins)]
        if wanted in found or len(found) == 1:
            return client.job(wanted if wanted in found else found[0])
        if found:
            known = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
            raise NotFound("CLI_JOB_AMBIGUOUS", job=wanted, known=known)
    raise NotFound("CLI_JOB_UNKNOWN", job=wanted[:64])


def short_ids(ids: list[str]) -> dict[str, str]:
    """For each id its beginning that is unique among them."""
    length = SHORT_ID
    while len({i[:length] for i in ids}) < len(set(ids)):
        length += 1
    return {i: i[:length] for i in ids}


def state_name(state: job_pb2.Job.State) -> str:
    """A state in the user's language."""
    return say(f"CLI_STATE_{job_pb2.Job.State.Name(state).removeprefix('STATE_')}")
