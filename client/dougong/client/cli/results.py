"""Files of a result: .vtu, picture, JSON."""

from __future__ import annotations

import contextlib
import re
import tempfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dougong.client.cli.console import say, tell
from dougong.client.cli.progress import ProgressDisplay
from dougong.client.client import Client
from dougong.client.frames import last_time, number_of
from dougong.client.plain import to_plain
from dougong.client.probe_table import as_csv, probe_table
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


@dataclass(frozen=True)
class Pictures:
    """Which pictures of a result are wanted.

    Attributes
    ----------
    still, moving
        Whether a picture is drawn, and an animation.
    frame
        Name of the frame to draw; default: the last time, of load cases and combinations that with the largest value.
    field
        The field that gives the colour; default: what fits the step.
    """

    still: bool = True
    moving: bool = False
    frame: str = ""
    field: str = ""

    @classmethod
    def of(cls, arguments: Namespace) -> Pictures:
        """What a command line asks for."""
        return cls(not arguments.no_picture, arguments.gif, arguments.frame, arguments.field)


def save(
    client: Client,
    job: job_pb2.Job,
    result: result_pb2.Result,
    folder: Path,
    base: str,
    files: dict[str, str],
    pictures: Pictures,
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
    pictures
        Which to draw.

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
    save_probes(job, result, folder, base, files)
    if pictures.still or pictures.moving:
        drawn = draw(client, job, result, folder, base, pictures)
        files.update({path.name: str(path) for path in drawn})


def save_probes(job: job_pb2.Job, result: result_pb2.Result, folder: Path, base: str, files: dict[str, str]) -> None:
    """Write what probes tell, a file for each step that has some, and curves where they have a course."""
    for step in result.steps:
        rows = probe_table(step, job.analysis.units)
        if not rows:
            continue
        suffix = f"-{safe_name(step.name)}" if len(result.steps) > 1 else ""
        target = folder / f"{base}{suffix}-probes.csv"
        try:
            target.write_text(as_csv(rows), encoding="utf-8")
        except OSError as error:
            raise FemError("FILE_UNWRITABLE", file=target, cause=error.strerror or error) from error
        files[target.name] = str(target)


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
    client: Client, job: job_pb2.Job, result: result_pb2.Result, folder: Path, base: str, pictures: Pictures
) -> list[Path]:
    """Draw a picture for each step; where that is not possible, a sentence says why."""
    try:
        import matplotlib  # noqa: F401
        import numpy  # noqa: F401
    except ImportError:
        tell(say("CLI_NO_PICTURE"))
        return []
    from dougong.client.animate import animate_step
    from dougong.client.curves import draw_curves
    from dougong.client.render import draw_step
    from dougong.client.render_page import can_write

    title = job.name
    if not can_write(title):
        title = base if can_write(base) else job.job_id
        tell(say("CLI_NOTICE", text=say("CLI_PIC_NO_FONT", title=title)))
    skin = client.skin(job.analysis.mesh)
    drawn = []
    for step in result.steps:
        number = number_of(step, pictures.frame) if pictures.frame else None
        if pictures.frame and number is None:
            continue
        suffix = f"-{safe_name(step.name)}" if len(result.steps) > 1 else ""
        curves = folder / f"{base}{suffix}-probes.png"
        suffix += f"-{frame_part(step, number)}" if number is not None else ""
        heading = f"{title}, {step.name}" if len(result.steps) > 1 else title
        still = last_time(step) if number is None else number
        ways = [(pictures.still, draw_step, ".png", still), (pictures.moving, animate_step, ".gif", number)]
        try:
            for wanted, way, kind, which in ways:
                target = folder / f"{base}{suffix}{kind}"
                if not wanted:
                    continue
                with ProgressDisplay() as display:
                    display.show("draw", [target.name])
                    made = way(client, job, result, step, skin, target, heading, which, pictures.field)
                if made:
                    drawn.append(target)
                else:
                    tell(say("CLI_NO_PICTURE_FIELD" if kind == ".png" else "CLI_NO_GIF", step=step.name))
            if pictures.still and draw_curves(step, job.analysis.units, curves, heading):
                drawn.append(curves)
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
