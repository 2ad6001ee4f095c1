"""Commands about jobs: submit, jobs, show, logs, cancel, results."""

from __future__ import annotations

import itertools
import sys
import time
from argparse import Namespace
from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from dougong.client.cli import results
from dougong.client.cli.common import (
    connect,
    examine,
    find_job,
    read_with_mesh,
    short_ids,
    state_name,
    want_files,
)
from dougong.client.cli.common import submit as hand_in
from dougong.client.cli.console import answer, answer_json, say, seconds, table, tell_violations
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.cli.solve import show_result
from dougong.client.client import TERMINAL_STATES, Client
from dougong.client.frames import check_name
from dougong.client.plain import to_plain
from dougong.client.probe_table import as_csv, probe_table
from dougong.client.yaml_analysis import dump
from dougong.messages import Conflict, NotFound, user_language
from dougong.v1 import job_pb2

#: Without --all.
NEWEST = 20


def submit(arguments: Namespace) -> ExitCode:
    """Submit an analysis; print the job id."""
    examine(arguments)
    with connect(arguments) as client:
        source = read_with_mesh(client, arguments.analysis)
        want_files(source)
        job = hand_in(client, source, arguments)
        if arguments.json:
            answer_json(results.document(job, None, {}))
        else:
            answer(job.job_id)
    return ExitCode.OK


def jobs(arguments: Namespace) -> ExitCode:
    """List jobs."""
    states: list[Any] = [job_pb2.Job.State.Value(f"STATE_{arguments.state.upper()}")] if arguments.state else []
    with connect(arguments) as client:
        found = list(itertools.islice(client.jobs(states=states), None if arguments.all else NEWEST))
    if arguments.json:
        answer_json({"jobs": [to_plain(job) for job in found]})
    elif not found:
        answer(say("CLI_NO_JOBS"))
    else:
        short = short_ids([job.job_id for job in found])
        columns = ("JOB", "STATE", "CREATED", "TOOK", "NAME")
        rows = [tuple(say(f"CLI_COL_{column}") for column in columns)]
        rows += [
            (short[job.job_id], state_name(job.state), _when(job.create_time), _took(job), job.name) for job in found
        ]
        for line in table(rows, right=(3,)):
            answer(line)
    return ExitCode.OK


def show(arguments: Namespace) -> ExitCode:
    """Show one job."""
    with connect(arguments) as client:
        job = find_job(client, arguments.job)
    if arguments.json:
        answer_json(results.document(job, None, {}))
        return ExitCode.OK
    rows = [
        ("JOB", job.job_id),
        ("NAME", job.name),
        ("STATE", state_name(job.state)),
        ("CREATED", _when(job.create_time)),
        ("TOOK", _took(job)),
        ("RANKS", str(job.resources.ranks or 1)),
        ("ATTEMPTS", str(job.attempts)),
        ("MESH", job.analysis.mesh),
    ]
    for line in table([(say(f"CLI_COL_{label}"), text) for label, text in rows if text]):
        answer(line)
    if job.state == job_pb2.Job.STATE_FAILED:
        text = job.failure.text_zh if user_language() == "zh" and job.failure.text_zh else job.failure.text
        answer(f"{say('CLI_COL_REASON')}  {job.failure.reason}: {text}")
        tell_violations(job.failure.violations)
    answer()
    answer(dump(job.analysis).rstrip())
    return ExitCode.OK


def logs(arguments: Namespace) -> ExitCode:
    """Print the log of a job."""
    with connect(arguments) as client:
        job = find_job(client, arguments.job)
        for data in client.logs(job.job_id, follow=arguments.follow):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return ExitCode.OK


def cancel(arguments: Namespace) -> ExitCode:
    """Ask for the end of a job."""
    with connect(arguments) as client:
        before = find_job(client, arguments.job)
        job = client.cancel(before.job_id)
    if arguments.json:
        answer_json(results.document(job, None, {}))
    elif before.state in TERMINAL_STATES:
        answer(say("CLI_JOB_HAD_ENDED", job=job.job_id, state=state_name(job.state)))
    elif job.end_time.seconds:
        answer(say("CLI_JOB_STATE", job=job.job_id, state=state_name(job.state)))
    else:
        answer(say("CLI_JOB_CANCEL_ASKED", job=job.job_id))
    return ExitCode.OK


def delete(arguments: Namespace) -> ExitCode:
    """Remove jobs that have ended, with their results."""
    with connect(arguments) as client:
        # All are looked up first: a misspelt one leaves everything as it is.
        found = [find_job(client, wanted).job_id for wanted in arguments.jobs]
        for job_id in dict.fromkeys(found):
            client.delete_job(job_id)
            answer(say("CLI_JOB_DELETED", job=job_id))
    return ExitCode.OK


def show_results(arguments: Namespace) -> ExitCode:
    """Show the result of a job and save its files."""
    with connect(arguments) as client:
        job = find_job(client, arguments.job)
        if job.state in (job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED):
            raise Conflict("CLI_JOB_WITHOUT_RESULT", job=job.job_id, state=state_name(job.state))
        if job.state != job_pb2.Job.STATE_SUCCEEDED:
            raise Conflict("CLI_JOB_NOT_FINISHED", job=job.job_id, state=state_name(job.state))
        check_name(arguments.frame, job.analysis)
        if arguments.probes:
            return _probes(client, job)
        if arguments.output is not None:
            results.check_folder(arguments.output)
        return show_result(
            client,
            job,
            folder=arguments.output,
            base=results.base_in(arguments.output, job),
            pictures=results.Pictures.of(arguments),
            json=arguments.json,
        )


def _probes(client: Client, job: job_pb2.Job) -> ExitCode:
    """Print what the probes of a job tell."""
    tables = [probe_table(step, job.analysis.units) for step in client.result(job.job_id).steps]
    if not any(tables):
        raise NotFound("CLI_NO_PROBES", job=job.job_id)
    answer("\n".join(as_csv(rows) for rows in tables if rows).rstrip("\n"))
    return ExitCode.OK


def _when(stamp: Timestamp) -> str:
    return stamp.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if stamp.seconds else ""


def _took(job: job_pb2.Job) -> str:
    """How long a job took, or has taken so far."""
    if not job.start_time.seconds or (job.state in TERMINAL_STATES and not job.end_time.seconds):
        return ""
    end_ns = job.end_time.ToNanoseconds() if job.end_time.seconds else time.time_ns()
    return seconds(max(0.0, (end_ns - job.start_time.ToNanoseconds()) * 1e-9))
