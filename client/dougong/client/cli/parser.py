"""The command line of `dougong`, in the user's language."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn

from dougong.client.cli.console import pad, say, tell, width
from dougong.client.cli.exit_codes import ExitCode


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def]
        super().add_usage(usage, actions, groups, say("CLI_USAGE") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence and ends with the exit code for that."""

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("formatter_class", _Formatter)
        super().__init__(add_help=False, allow_abbrev=False, **kwargs)  # type: ignore[arg-type]
        self._positionals.title = say("CLI_ARGUMENTS")
        self._optionals.title = say("CLI_OPTIONS")
        self.add_argument("-h", "--help", action="help", help=say("CLI_HELP_HELP"))

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and end."""
        tell(say("CLI_ARGUMENTS_WRONG", problem=_reworded(message), command=self.prog))
        self.exit(ExitCode.INPUT)


def build() -> Parser:
    """The parser; `command` of its result names what to do."""
    parser = Parser(prog="dougong", description=say("CLI_ABOUT"), epilog=exit_codes_text())
    commands = parser.add_subparsers(title=say("CLI_COMMANDS"), dest="command", metavar="COMMAND")

    def command(name: str, *, server: bool = True, json: bool = True) -> Parser:
        text = say(f"CLI_HELP_{name.upper()}")
        one: Parser = commands.add_parser(name, help=text, description=text)
        if server:
            one.add_argument("--server", metavar="ADDRESS", help=say("CLI_HELP_OPT_SERVER"))
        if json:
            one.add_argument("--json", action="store_true", help=say("CLI_HELP_OPT_JSON"))
        return one

    serve = command("serve", server=False, json=False)
    serve.add_argument("--data", type=Path, metavar="FOLDER", help=say("CLI_HELP_OPT_DATA"))
    serve.add_argument("--listen", metavar="ADDRESS", help=say("CLI_HELP_OPT_LISTEN"))
    serve.add_argument("--cores", type=_positive, metavar="N", help=say("CLI_HELP_OPT_CORES"))
    serve.add_argument("--idle-exit", type=_positive, metavar="SECONDS", help=say("CLI_HELP_OPT_IDLE"))
    serve.add_argument("--warm-workers", type=_whole, metavar="N", help=say("CLI_HELP_OPT_WARM_WORKERS"))
    serve.add_argument("--cluster", type=Path, metavar="FILE", help=say("CLI_HELP_OPT_CLUSTER"))

    for name in ("solve", "submit"):
        one = command(name)
        one.add_argument("analysis", type=Path, help=say("CLI_HELP_ARG_ANALYSIS"))
        one.add_argument("-n", "--ranks", type=_positive, default=1, metavar="N", help=say("CLI_HELP_OPT_RANKS"))
        one.add_argument("--time-limit", type=_positive, metavar="SECONDS", help=say("CLI_HELP_OPT_TIME_LIMIT"))
        one.add_argument("--partition", default="", metavar="NAME", help=say("CLI_HELP_OPT_PARTITION"))
        if name == "solve":
            one.add_argument("--output", type=Path, metavar="FOLDER", help=say("CLI_HELP_OPT_OUTPUT"))
            _pictures(one)

    for name in ("watch", "show", "logs", "cancel", "results"):
        one = command(name, json=name in ("show", "results", "cancel"))
        one.add_argument("job", help=say("CLI_HELP_ARG_JOB"))
        if name == "logs":
            one.add_argument("-f", "--follow", action="store_true", help=say("CLI_HELP_OPT_FOLLOW"))
        if name == "results":
            one.add_argument("--output", type=Path, metavar="FOLDER", help=say("CLI_HELP_OPT_OUTPUT_RESULTS"))
            one.add_argument("--probes", action="store_true", help=say("CLI_HELP_OPT_PROBES"))
            _pictures(one)

    delete = command("delete", json=False)
    delete.add_argument("jobs", nargs="+", metavar="job", help=say("CLI_HELP_ARG_JOB"))

    jobs = command("jobs")
    jobs.add_argument("--all", action="store_true", help=say("CLI_HELP_OPT_ALL"))
    states = ("queued", "preparing", "running", "succeeded", "failed", "cancelled")
    jobs.add_argument("--state", choices=states, metavar="|".join(states), help=say("CLI_HELP_OPT_STATE"))

    mesh = command("mesh", server=False, json=False)
    inside = mesh.add_subparsers(title=say("CLI_COMMANDS"), dest="mesh_command", metavar="COMMAND", required=True)
    for name in ("info", "list", "delete"):
        text = say(f"CLI_HELP_MESH_{name.upper()}")
        one = inside.add_parser(name, help=text, description=text)
        if name == "info":
            one.add_argument("file", type=Path, help=say("CLI_HELP_ARG_MESH"))
            one.add_argument("--format", default="", metavar="NAME", help=say("CLI_HELP_OPT_FORMAT"))
        if name == "delete":
            one.add_argument("meshes", nargs="+", metavar="mesh", help=say("CLI_HELP_ARG_MESH_ID"))
        one.add_argument("--server", metavar="ADDRESS", help=say("CLI_HELP_OPT_SERVER"))
        if name != "delete":
            one.add_argument("--json", action="store_true", help=say("CLI_HELP_OPT_JSON"))

    validate = command("validate")
    validate.add_argument("analysis", type=Path, help=say("CLI_HELP_ARG_ANALYSIS"))
    materials = command("materials", server=False)
    materials.add_argument("name", nargs="?", default="", help=say("CLI_HELP_ARG_MATERIAL"))
    command("version")
    return parser


def _pictures(one: Parser) -> None:
    """What is told of and drawn."""
    one.add_argument("--frame", default="", metavar="NAME", help=say("CLI_HELP_OPT_FRAME"))
    one.add_argument("--field", default="", metavar="NAME", help=say("CLI_HELP_OPT_FIELD"))
    one.add_argument("--gif", action="store_true", help=say("CLI_HELP_OPT_GIF"))
    one.add_argument("--no-picture", action="store_true", help=say("CLI_HELP_OPT_NO_PICTURE"))


def exit_codes_text() -> str:
    """The exit codes, for the end of the help."""
    lines = [f"  {pad(str(int(code)), 4)}{say(f'CLI_EXIT_{int(code)}')}" for code in ExitCode]
    return "\n".join([say("CLI_EXIT_CODES") + ":", *lines])


#: What argparse says -> the phrase of the catalogue. What is not here stays as it is.
_REWORDED = (
    (r"the following arguments are required: (?P<names>.+)", "CLI_ARG_MISSING"),
    (r"unrecognized arguments: (?P<names>.+)", "CLI_ARG_EXTRA"),
    (r"argument (?P<argument>.+?): invalid choice: (?P<value>.+) \(choose from (?P<choices>.+)\)", "CLI_ARG_CHOICE"),
    (r"argument (?P<argument>.+?): expected (?:one|at least one) argument", "CLI_ARG_VALUE"),
    (r"argument (?P<argument>.+?): ignored explicit argument (?P<value>.+)", "CLI_ARG_NO_VALUE"),
)


def _reworded(message: str) -> str:
    """What argparse says, in the user's language."""
    for pattern, reason in _REWORDED:
        found = re.fullmatch(pattern, message)
        if found:
            return say(reason, **found.groupdict())
    # "argument -n/--ranks: ..." with a sentence of our own
    return re.sub(r"^argument (\S+): ", r"\1: ", message)


def _whole(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 0 < value < 2**31:
        raise argparse.ArgumentTypeError(say("CLI_ARG_WHOLE", value=repr(text)))
    return value


__all__ = ["Parser", "build", "exit_codes_text", "width"]
