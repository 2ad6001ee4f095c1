"""A batch system as a table: which commands it has, and how to read what they print. Pure; runs nothing.

A new system is a module of `server/executors` with one such table. Commands are lists of arguments with gaps in braces;
answers are read by regular expressions with named groups.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Meaning(StrEnum):
    """What the state of a batch job means; every other meaning of a state is a reason code, for which it ended."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    ENDED = "ENDED"  # By itself, well or not: only its files can tell.


class GarbledError(Exception):
    """What a command printed is not what it prints: nothing follows from it."""


@dataclass(frozen=True)
class Entry:
    """A batch job as the system shows it.

    Attributes
    ----------
    state
        In the system's own words.
    reason
        Why it waits, in the system's own words.
    run_seconds
        Since it started, if that is shown.
    """

    job_id: str
    name: str
    state: str
    reason: str = ""
    run_seconds: float = 0.0


@dataclass(frozen=True)
class BatchSystem:
    """The table of a batch system.

    Attributes
    ----------
    title
        Its name for people.
    programs
        Names of its commands: submit, status, detail, history, cancel, launch.
    submit
        Arguments that submit {script} as {name}, with {log} as the file of what it prints.
    resources
        Further arguments, each only where its value is known: {ranks}, {nodes}, {ranks_per_node}, {memory_mib} (of a
        node), {seconds} and {minutes} (of time), {partition}, {account}. By the name of the value that must be there.
    submitted
        Where the answer has the `id`.
    refused
        What an answer has when the job is refused for good. Any other failure may hide a job that was accepted.
    later
        What an answer has when the job is refused for now, and looks at first glance like one for good; unless it also
        names a limit that is `hopeless`. Empty: no such thing.
    status
        Arguments that list all jobs of {user}, those included that ended a short while ago.
    line
        A line of that list: `id`, `name`, `state`, and where there is such a thing `reason` and `elapsed`.
    detail, history
        Arguments that ask about job {id}, in the memory of the controller and in the accounting; empty: no such thing.
    shown, past
        Where their answers have `name` and `state`.
    unknown
        What the answer to `detail` has when there is no such job (any more).
    cancel, kill
        Arguments that end jobs, politely and at once; the ids are appended.
    states
        What each state means: a `Meaning`, or the reason code for which a job in it has ended.
    hopeless
        Reasons of waiting that never pass.
    native
        Arguments by which the system's own launcher starts {ranks} ranks; a dead rank has to end them all.
    native_binding
        Further ones that bind ranks to cores.
    native_numa
        Further ones that put {ranks_per_numa} ranks on each NUMA node.
    """

    title: str
    programs: Mapping[str, str]
    submit: tuple[str, ...]
    resources: Mapping[str, tuple[str, ...]]
    submitted: str
    refused: str
    status: tuple[str, ...]
    line: str
    detail: tuple[str, ...]
    history: tuple[str, ...]
    shown: str
    past: str
    unknown: str
    cancel: tuple[str, ...]
    kill: tuple[str, ...]
    states: Mapping[str, str]
    later: str = ""
    hopeless: frozenset[str] = frozenset()
    native: tuple[str, ...] = ()
    native_binding: tuple[str, ...] = ()
    native_numa: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def command(self, what: str, arguments: Sequence[str], **gaps: object) -> list[str]:
        """A command line: the name of the program, the options a site always wants, the arguments."""
        filled = [argument.format(**gaps) for argument in arguments]
        return [self.programs[what], *self.options.get(what, ()), *filled]

    def submit_command(self, values: Mapping[str, object], further: Sequence[str]) -> list[str]:
        """The command that submits a script.

        Parameters
        ----------
        values
            For the gaps of `submit` and `resources`; those that are empty or 0 are left out.
        further
            Options that a partition wants.
        """
        arguments = [argument for name, group in self.resources.items() if values.get(name) for argument in group]
        # The script comes last: what follows it would be taken for its arguments.
        *options, script = self.submit
        filled = [argument.format(**values) for argument in (*options, *arguments)]
        return [*self.command("submit", ()), *filled, *further, script.format(**values)]

    def submitted_id(self, answer: str) -> str | None:
        """The id of the job that was submitted, if the answer has one."""
        found = re.search(self.submitted, answer, re.MULTILINE)
        return found["id"] if found else None

    def refuses(self, answer: str) -> bool:
        """Whether the answer says that the job is refused for good."""
        return not self.postpones(answer) and re.search(self.refused, answer, re.IGNORECASE) is not None

    def postpones(self, answer: str) -> bool:
        """Whether the answer says that the job is refused for now: it was not accepted, and may be later."""
        if not self.later or re.search(self.later, answer, re.IGNORECASE) is None:
            return False
        return not any(limit in answer for limit in self.hopeless)

    def entries(self, answer: str) -> list[Entry]:
        """The jobs of a list.

        Raises
        ------
        GarbledError
            A line is none of such a list.
        """
        found = []
        for line in answer.splitlines():
            if not line.strip():
                continue
            match = re.fullmatch(self.line, line)
            if match is None:
                raise GarbledError(line[:200])
            found.append(_entry(match))
        return found

    def shown_state(self, answer: str, name: str) -> str | None:
        """The state in the answer to `detail`; None when the job is not known there.

        A job of another name is not the one that was asked for: a controller that lost its state to a crash gives the
        same numbers again.

        Raises
        ------
        GarbledError
            The answer says neither.
        """
        found = re.search(self.shown, answer, re.MULTILINE)
        if found:
            return found["state"] if found["name"] == name else None
        if re.search(self.unknown, answer):
            return None
        raise GarbledError(answer[:200])

    def past_state(self, answer: str, name: str) -> str | None:
        """The state in the answer to `history`, which may have several jobs of one number; None when there is none."""
        if not self.past:
            return None
        found = [m["state"] for m in re.finditer(self.past, answer, re.MULTILINE) if m["name"] == name]
        return found[-1] if found else None

    def meaning(self, state: str) -> str | None:
        """What a state means; None when nobody knows it."""
        return self.states.get(state.strip().split(" ")[0].rstrip("+"))


def _entry(match: re.Match[str]) -> Entry:
    groups = match.groupdict()
    return Entry(
        job_id=groups["id"],
        name=groups["name"],
        state=groups["state"],
        reason=groups.get("reason") or "",
        run_seconds=duration(groups.get("elapsed") or "0"),
    )


def duration(text: str) -> float:
    """Seconds of [days-][[hours:]minutes:]seconds.

    0 when it is something else, such as "INVALID", which Slurm prints when a clock was set back.
    """
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isascii() and part.isdigit() for part in (days or "0", *parts)) or len(parts) > 3:
        return 0.0
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds + int(days or "0") * 86400.0
