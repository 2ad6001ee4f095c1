"""Huawei Donau, by its commands as they are seen in scripts of its users; held to the contract with imitations of them.

It was never tried on a Donau. What differs at a site (the list of columns above all) can be put right in the
description of the cluster: names of commands, further options, meanings of states.
"""

from __future__ import annotations

from dougong.server.batch.executor import BatchExecutor
from dougong.server.batch.system import BatchSystem, Meaning
from dougong.server.config import Config

NAME = "donau"
MEASURES_MEMORY = False

#: -D: those included that have ended. $CCS_MPI_OPTIONS, by which Donau's own MPI finds its nodes, needs a shell; a
#: site's mpiexec finds them by itself, or by a wrapper that the description of the cluster names.
SYSTEM = BatchSystem(
    title="Donau",
    programs={"submit": "dsub", "status": "djob", "detail": "djob", "cancel": "dkill", "launch": "mpiexec"},
    submit=("-n", "{name}", "-N", "{nodes}", "-oo", "{log}", "-eo", "{log}", "-s", "{script}"),
    resources={
        "ranks_per_node": ("-R", "cpu={ranks_per_node}"),
        "seconds": ("-T", "{seconds}"),
        "partition": ("-q", "{partition}"),
        "account": ("-A", "{account}"),
    },
    submitted=r"^\s*<?(?P<id>\d+)>?(?:\s+Submit job successfully.*)?\s*$",
    refused=r"not exist|no permission|permission denied|invalid|exceed|unknown option|not allowed",
    status=("-D", "-o", "jobid name state", "--no-header"),
    line=r"\s*(?P<id>\d+)(?:\.\d+)?\s+(?P<name>\S+)\s+(?P<state>[A-Z_]+)\s*",
    detail=("-D", "-o", "jobid name state", "--no-header", "--id={id}"),
    history=(),
    shown=r"^\s*\d\S*\s+(?P<name>\S+)\s+(?P<state>[A-Z_]+)\s*$",
    past="",
    # A token of the site that has run out says the same of every job; that is no answer.
    unknown=r"^(?!.*token).*(?:not found|not exist|no such job)",
    cancel=("-y",),
    kill=("-y", "--force"),
    states={
        "PENDING": Meaning.WAITING,
        "WAITING": Meaning.WAITING,
        "SUSPENDED": Meaning.WAITING,
        "RUNNING": Meaning.RUNNING,
        "SUCCEEDED": Meaning.ENDED,
        "FAILED": Meaning.ENDED,
        "TIMEOUT": "TIME_LIMIT",
        "STOPPED": "CANCELLED_OUTSIDE",
        "CANCELLED": "CANCELLED_OUTSIDE",
    },
    native=("-n", "{ranks}"),
)


def create(config: Config) -> BatchExecutor:
    """Make the executor."""
    return BatchExecutor(NAME, SYSTEM, config)
