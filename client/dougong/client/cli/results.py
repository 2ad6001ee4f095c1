"""Files of a result: .vtu, picture, JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dougong.client.cli.console import say, tell
from dougong.client.client import Client
from dougong.client.plain import to_plain
from dougong.messages import FemError
from dougong.v1 import job_pb2, result_pb2


def base_name(analysis_file: Path) -> str:
    """What result files are called: the name of the analysis file, or of its folder when it is just `analysis`."""
    stem = analysis_file.stem
    folder = analysis_file.absolute().parent.name
    return folder if stem == "analysis" and folder else stem


def safe_name(text: str) -> str:
    """A name from the server as the name of a file: nothing in it can leave the folder."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    return name[:80] or "result"


def save(
    client: Client, job: job_pb2.Job, result: result_pb2.Result, folder: Path, base: str, *, picture: bool
) -> dict[str, str]:
    """Write the files of a result.

    Parameters
    ----------
    folder
        Made when it is not there.
    base
        What the files are called, without suffix.
    picture
        Whether to draw one.

    Returns
    -------
    dict
        Name -> path, of each file written.

    Raises
    ------
    FemError
        A file cannot be written or fetched. A picture that cannot be drawn is only told of.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FemError("FILE_UNWRITABLE", file=folder, cause=error.strerror or error) from error
    files: dict[str, str] = {}
    single = sum(info.name.endswith(".vtu") for info in result.artifacts) == 1
    for info in result.artifacts:
        stem, suffix = Path(info.name).stem, Path(info.name).suffix
        plain = single and suffix == ".vtu"
        name = base if plain else f"{base}-{safe_name(_part(stem, result))}"
        target = folder / f"{name}{safe_name(suffix) and suffix}"
        files[info.name] = str(client.artifact(job.job_id, info, target))
    if not any(info.name.endswith(".vtu") for info in result.artifacts):
        tell(say("CLI_NO_VTU"))
    if picture:
        drawn = draw(client, job, result, folder, base)
        files.update({path.name: str(path) for path in drawn})
    return files


def _part(stem: str, result: result_pb2.Result) -> str:
    """What a file is of: the name of its step for "result-1", else what its name says."""
    rest = stem.removeprefix("result-")
    if rest.isascii() and rest.isdigit() and 0 < int(rest) <= len(result.steps):
        return result.steps[int(rest) - 1].name
    return rest


def draw(client: Client, job: job_pb2.Job, result: result_pb2.Result, folder: Path, base: str) -> list[Path]:
    """Draw a picture for each step; an empty list, and a sentence, when that is not possible."""
    try:
        import matplotlib  # noqa: F401
        import numpy  # noqa: F401
    except ImportError:
        tell(say("CLI_NO_PICTURE"))
        return []
    from dougong.client.render import draw_step

    skin = client.skin(job.analysis.mesh)
    drawn = []
    for step in result.steps:
        suffix = f"-{safe_name(step.name)}" if len(result.steps) > 1 else ""
        target = folder / f"{base}{suffix}.png"
        try:
            if draw_step(client, job, result, step, skin, target):
                drawn.append(target)
        except (OSError, ValueError) as error:
            tell(say("CLI_PICTURE_FAILED", cause=error))
    return drawn


def document(job: job_pb2.Job, result: result_pb2.Result | None, files: dict[str, str]) -> dict[str, Any]:
    """The JSON document of a job."""
    out: dict[str, Any] = {"job": to_plain(job)}
    if result is not None:
        out["result"] = to_plain(result)
    if files:
        out["files"] = files
    return out
