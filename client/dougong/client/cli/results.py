"""Files of a result: .vtu, picture, JSON."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path
from typing import Any

from dougong.client.cli.console import say, tell
from dougong.client.client import Client
from dougong.client.frames import last_time, number_of
from dougong.client.plain import to_plain
from dougong.messages import FemError, InputError, violation
from dougong.v1 import job_pb2, result_pb2


def base_name(analysis_file: Path) -> str:
    """What result files are called: the name of the analysis file, or of its folder when it is just `analysis`."""
    stem = analysis_file.stem
    folder = analysis_file.absolute().parent.name
    return folder if stem == "analysis" and folder else stem


def base_in(folder: Path | None, job: job_pb2.Job) -> str:
    """What the files of a job are called where the analysis file is not known.

    In the folder that `solve` would have made, NAME-results, they are called NAME as by `solve`; else after the title.
    """
    name = folder.absolute().name if folder is not None else ""
    stem = name.removesuffix("-results")
    return stem if stem and stem != name else safe_name(job.name)


def safe_name(text: str) -> str:
    """A name from the server as the name of a file: nothing in it can leave the folder."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    return name[:80] or "result"


def check_folder(folder: Path) -> None:
    """Make sure that files can be written to a folder, and leave everything as it was.

    Raises
    ------
    InputError
        They cannot; says why.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made: list[Path] = []
    try:
        for path in reversed(missing):
            path.mkdir()
            made.append(path)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise InputError([violation("OUTPUT_FOLDER_UNUSABLE", folder=folder, cause=cause)]) from error
    finally:
        with contextlib.suppress(OSError):
            for path in reversed(made):
                path.rmdir()


def save(
    client: Client,
    job: job_pb2.Job,
    result: result_pb2.Result,
    folder: Path,
    base: str,
    files: dict[str, str],
    *,
    picture: bool,
    frame: str = "",
) -> None:
    """Write the files of a result.

    Parameters
    ----------
    folder
        Made when it is not there.
    base
        What the files are called, without suffix.
    files
        Gets name -> path of each file as soon as it is written.
    picture
        Whether to draw one.
    frame
        Name of the frame to draw; default: the last time, of load cases and combinations that with the largest value.

    Raises
    ------
    FemError
        A file cannot be written or fetched. A picture that cannot be drawn is only told of.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FemError("FILE_UNWRITABLE", file=folder, cause=error.strerror or error) from error
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
        drawn = draw(client, job, result, folder, base, frame)
        files.update({path.name: str(path) for path in drawn})


def _part(stem: str, result: result_pb2.Result) -> str:
    """What a file is of: names of its step and frame for "result-1" and "result-1-2", else what its name says."""
    rest = stem.removeprefix("result-")
    numbers = [int(text) - 1 for text in rest.split("-") if text.isascii() and text.isdigit()]
    if len(numbers) != rest.count("-") + 1 or not 0 <= numbers[0] < len(result.steps):
        return rest
    step = result.steps[numbers[0]]
    if len(numbers) == 1:
        return step.name
    if len(numbers) == 2 and 0 <= numbers[1] < len(step.frames):
        frame = frame_part(step, numbers[1])
        return frame if len(result.steps) == 1 else f"{step.name}-{frame}"
    return rest


def frame_part(step: result_pb2.StepResult, number: int) -> str:
    """The name of a frame as part of a file name; with its number where two names look alike there."""
    names = [safe_name(frame.name).casefold() for frame in step.frames]
    name = safe_name(step.frames[number].name)
    return name if names.count(name.casefold()) == 1 else f"{name}-{number + 1}"


def draw(
    client: Client, job: job_pb2.Job, result: result_pb2.Result, folder: Path, base: str, frame: str = ""
) -> list[Path]:
    """Draw a picture for each step; where that is not possible, a sentence says why."""
    try:
        import matplotlib  # noqa: F401
        import numpy  # noqa: F401
    except ImportError:
        tell(say("CLI_NO_PICTURE"))
        return []
    from dougong.client.render import can_write, draw_step

    title = job.name
    if not can_write(title):
        title = base if can_write(base) else job.job_id
        tell(say("CLI_NOTICE", text=say("CLI_PIC_NO_FONT", title=title)))
    skin = client.skin(job.analysis.mesh)
    drawn = []
    for step in result.steps:
        number = number_of(step, frame) if frame else None
        if frame and number is None:
            continue
        suffix = f"-{safe_name(step.name)}" if len(result.steps) > 1 else ""
        suffix += f"-{frame_part(step, number)}" if number is not None else ""
        target = folder / f"{base}{suffix}.png"
        try:
            heading = f"{title}, {step.name}" if len(result.steps) > 1 else title
            if draw_step(
                client, job, result, step, skin, target, heading, last_time(step) if number is None else number
            ):
                drawn.append(target)
            else:
                tell(say("CLI_NO_PICTURE_FIELD", step=step.name))
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
