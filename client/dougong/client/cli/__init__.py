"""The `dougong` command."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import NoReturn

# Before grpc is imported: what the library logs is for its developers; errors reach the user as sentences.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from dougong.client.cli import jobs, materials, meshes, other, solve
from dougong.client.cli.common import InterruptedSubmit, Told
from dougong.client.cli.console import answer_json, plain_violations, say, tell, tell_error
from dougong.client.cli.exit_codes import ExitCode, of_error
from dougong.client.cli.parser import build
from dougong.client.yaml_analysis import AnalysisFile, AnalysisFileError
from dougong.messages import FemError, InputError

COMMANDS: dict[str, Callable[..., ExitCode]] = {
    "serve": other.serve,
    "solve": solve.solve,
    "submit": jobs.submit,
    "watch": solve.watch,
    "jobs": jobs.jobs,
    "show": jobs.show,
    "logs": jobs.logs,
    "cancel": jobs.cancel,
    "results": jobs.show_results,
    "delete": jobs.delete,
    "mesh": meshes.command,
    "validate": other.validate,
    "materials": materials.show,
    "version": other.version,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv
        Arguments without the name of the program; default: those of the process.

    Returns
    -------
    int
        The exit code, see `ExitCode`.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark; it must not end the command.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    parser = build()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return int(ExitCode.OK)
    try:
        return int(COMMANDS[arguments.command](arguments))
    except Told as told:
        return _failed(told.error, arguments, told.source)
    except FemError as error:
        tell_error(error)
        return _failed(error, arguments, error if isinstance(error, AnalysisFileError) else None)
    except InterruptedSubmit:
        _leave(say("CLI_INTERRUPTED_UNSURE"), ExitCode.DETACHED)
    except KeyboardInterrupt:
        job = getattr(arguments, "submitted", None)
        if job is not None:
            _leave(say("CLI_DETACHED", job=job), ExitCode.DETACHED)
        phrase = say("CLI_INTERRUPTED") if arguments.command in ("solve", "submit") else say("CLI_INTERRUPTED_PLAIN")
        _leave(phrase, ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone, as with `| head`: nobody is left to tell, and the flush at exit must not
        # complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _failed(error: FemError, arguments: Namespace, source: AnalysisFile | AnalysisFileError | None) -> int:
    """The exit code of an error; with --json also its document, so that standard output always holds one."""
    if getattr(arguments, "json", False):
        violations = error.violations if isinstance(error, InputError) else []
        about = {"reason": error.reason, "text": error.text("en"), "text_zh": error.text("zh")}
        answer_json({"error": {**about, "violations": plain_violations(violations, source)}})
    return int(of_error(error))


def _leave(text: str, code: ExitCode) -> NoReturn:
    """End at once: after an interrupt inside the network library its cleaning up might wait for ever."""
    tell(text)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
