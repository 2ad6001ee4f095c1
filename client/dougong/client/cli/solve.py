"""`dougong solve`: mesh up, job in, progress, summary, files; and what Ctrl-C means meanwhile."""

from __future__ import annotations

import os
import queue
import sys
import threading
from argparse import Namespace
from pathlib import Path

from dougong.client.cli import results
from dougong.client.cli.common import connect, examine, find_job, read_with_mesh, state_name, submit, want_files
from dougong.client.cli.console import answer, answer_json, say, tell, tell_error, tell_violations
from dougong.client.cli.exit_codes import ExitCode, of_error, of_state
from dougong.client.cli.progress import ProgressDisplay
from dougong.client.cli.summary import summarise
from dougong.client.client import Client
from dougong.client.frames import check_name
from dougong.client.yaml_analysis import AnalysisFile
from dougong.messages import FemError, user_language
from dougong.v1 import job_pb2


def solve(arguments: Namespace) -> ExitCode:
    """Solve an analysis and show the answer."""
    # What is wrong with the file, or with the place of the answer, is found before anything is uploaded.
    folder = arguments.output or arguments.analysis.parent / f"{results.base_name(arguments.analysis)}-results"
    check_name(arguments.frame, examine(arguments).analysis)
    results.check_folder(folder)
    with connect(arguments) as client:
        source = read_with_mesh(client, arguments.analysis)
        want_files(source)
        job = submit(client, source, arguments)
        if not follow(client, job):
            if arguments.json:
                answer_json(results.document(client.job(job.job_id), None, {}))
            return ExitCode.DETACHED
        job = client.job(job.job_id)
        if job.state != job_pb2.Job.STATE_SUCCEEDED:
            return not_succeeded(client, job, source, json=arguments.json)
        return show_result(
            client,
            job,
            folder=folder,
            base=results.base_name(source.path),
            pictures=results.Pictures.of(arguments),
            json=arguments.json,
        )


def watch(arguments: Namespace) -> ExitCode:
    """Follow a job until it ends."""
    with connect(arguments) as client:
        job = find_job(client, arguments.job)
        if not follow(client, job):
            return ExitCode.DETACHED
        job = client.job(job.job_id)
        if job.state != job_pb2.Job.STATE_SUCCEEDED:
            return not_succeeded(client, job, None, json=False)
        answer(say("CLI_JOB_STATE", job=job.job_id, state=state_name(job.state)))
        return ExitCode.OK


def follow(client: Client, job: job_pb2.Job) -> bool:
    """Show the progress of a job, with the times of its events since it was submitted.

    The events are received in a thread of their own: an interrupt that strikes inside the network library can leave
    one of its locks taken, and the next call would wait for ever. Here it strikes while waiting for the queue.

    Returns
    -------
    bool
        True when the job has ended, False when the user detached.
    """
    job_id = job.job_id
    events: queue.SimpleQueue[job_pb2.JobEvent | BaseException | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(client, job_id, events), daemon=True).start()
    asked_to_cancel = False
    while True:
        display = ProgressDisplay()
        try:
            with display:
                _show(events, display, job.create_time.ToNanoseconds())
            return True
        except KeyboardInterrupt:
            try:
                display.close()
                choice = "d" if asked_to_cancel else _ask()
                if choice == "c":
                    asked_to_cancel = True
                    client.cancel(job_id)
                    tell(say("CLI_JOB_CANCEL_ASKED", job=job_id))
            except KeyboardInterrupt:
                choice = "d"
            if choice == "d":
                tell(say("CLI_DETACHED", job=job_id))
                return False


def _receive(client: Client, job_id: str, events: queue.SimpleQueue[job_pb2.JobEvent | BaseException | None]) -> None:
    """Put all events of a job into a queue; at the end None, or what went wrong."""
    try:
        for event in client.watch(job_id):
            events.put(event)
    except Exception as error:  # noqa: BLE001 - raised again by the thread that reads the queue
        events.put(error)
    else:
        events.put(None)


def _show(
    events: queue.SimpleQueue[job_pb2.JobEvent | BaseException | None], display: ProgressDisplay, created_ns: int
) -> None:
    """Show events until the last one."""
    while (event := events.get()) is not None:
        if isinstance(event, BaseException):
            raise event
        if event.time.seconds and created_ns:
            display.set_clock((event.time.ToNanoseconds() - created_ns) * 1e-9)
        if event.WhichOneof("event") == "progress":
            display.progress(event.progress)
        elif event.state.state not in (job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_SUCCEEDED):
            display.state(event.state.state)


def _ask() -> str:
    """What Ctrl-C shall mean: "c" cancel, "d" detach, "w" wait on.

    Without a terminal nobody can be asked: the job goes on, because work that was handed in is not thrown away. A
    second Ctrl-C detaches too.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "d"
    try:
        while True:
            sys.stderr.write(say("CLI_ASK_CANCEL"))
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                return "d"
            choice = line.strip().lower()[:1]
            if choice in ("c", "d", "w"):
                return choice
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return "d"


def not_succeeded(client: Client, job: job_pb2.Job, source: AnalysisFile | None, *, json: bool) -> ExitCode:
    """Tell how a job ended that has no result."""
    if json:
        answer_json(results.document(job, None, {}))
    if job.state == job_pb2.Job.STATE_FAILED:
        failure = job.failure
        text = failure.text_zh if user_language() == "zh" and failure.text_zh else failure.text
        tell(say("CLI_JOB_FAILED", job=job.job_id, reason=failure.reason, text=text))
        tell_violations(failure.violations, source)
        if next(client.logs(job.job_id), b""):
            tell(say("CLI_SEE_LOGS", job=job.job_id))
    else:
        tell(say("CLI_JOB_STATE", job=job.job_id, state=state_name(job.state)))
    return of_state(job.state)


def show_result(
    client: Client, job: job_pb2.Job, *, folder: Path | None, base: str, pictures: results.Pictures, json: bool
) -> ExitCode:
    """Print the summary of a job that succeeded, or of one frame, and save its files when there is a folder for them.

    The summary comes first: a full disk must not keep the answer from who waited for it.
    """
    result = client.result(job.job_id)
    if not json:
        answer(say("CLI_SUM_TITLE", job=job.job_id, name=job.name, state=state_name(job.state)))
        for line in summarise(job, result, pictures.frame):
            answer(line)
    files: dict[str, str] = {}
    code = ExitCode.OK
    if folder is not None:
        try:
            results.save(client, job, result, folder, base, files, pictures)
        except FemError as error:
            tell_error(error)
            tell(say("CLI_RESULT_KEPT", job=job.job_id))
            code = of_error(error)
    if json:
        answer_json(results.document(job, result, {name: os.path.abspath(path) for name, path in files.items()}))
        return code
    if files:
        answer()
    for path in files.values():
        answer(say("CLI_WROTE", file=path))
    return code
