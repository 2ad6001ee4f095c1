"""The commands `validate`, `version` and `serve`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from argparse import Namespace
from typing import NoReturn

from dougong.client.cli.common import connect, examine, read_with_mesh
from dougong.client.cli.console import (
    answer,
    answer_json,
    count,
    plain_violations,
    say,
    seconds,
    size,
    tell,
    tell_violations,
)
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.plain import to_plain
from dougong.client.private import PrivateServer, data_folder, socket_path
from dougong.client.yaml_analysis import AnalysisFileError
from dougong.messages import FemError, user_language


def validate(arguments: Namespace) -> ExitCode:
    """Find everything that is wrong with an analysis."""
    try:
        examine(arguments)
        with connect(arguments) as client:
            source = read_with_mesh(client, arguments.analysis)
            reply = client.validate(source.analysis)
    except AnalysisFileError as error:
        if not arguments.json:
            raise
        tell_violations(error.violations, error)
        answer_json({"valid": False, "violations": plain_violations(error.violations, error)})
        return ExitCode.INPUT
    code = ExitCode.INPUT if reply.violations else ExitCode.OK
    if arguments.json:
        document = to_plain(reply)
        if reply.violations:
            document["violations"] = plain_violations(reply.violations, source)
        answer_json({"valid": not reply.violations, **document})
        return code
    tell_violations(reply.violations, source)
    for notice in reply.notices:
        tell(say("CLI_NOTICE", text=notice.text_zh if user_language() == "zh" else notice.text))
    name = arguments.analysis.name
    if reply.violations:
        answer(say("CLI_ANALYSIS_INVALID", file=name, count=len(reply.violations)))
    else:
        cost = reply.estimate
        dofs, memory = count(cost.dofs), size(cost.memory_bytes)
        time = seconds(cost.seconds)
        answer(say("CLI_ANALYSIS_VALID", file=name, dofs=dofs, memory=memory, time=time, solver=cost.solver))
        if cost.earlier_jobs:
            answer(say("CLI_ESTIMATE_LEARNED", count=cost.earlier_jobs))
    return code


def version(arguments: Namespace) -> ExitCode:
    """Show the version of the client, and of the server if one can be asked without starting it."""
    own = own_version()
    server: dict[str, str] = {}
    named = arguments.server or os.environ.get("DOUGONG_SERVER")
    if named or PrivateServer(data_folder()).is_serving():
        with connect(arguments) as client:
            server = {"version": client.capabilities().dougong_version, "address": client.address}
    if arguments.json:
        answer_json({"version": own, **({"server": server} if server else {})})
        return ExitCode.OK
    answer(f"dougong {own}")
    if server:
        answer(say("CLI_SERVER_VERSION", **server))
    return ExitCode.OK


def own_version() -> str:
    """The version of this installation."""
    try:
        return importlib.metadata.version("dougong")
    except importlib.metadata.PackageNotFoundError:
        return "0 (source)"


def serve(arguments: Namespace) -> NoReturn:
    """Become the server: the same process, so that whoever supervises it sees its exit code and signals reach it."""
    try:
        found = importlib.util.find_spec("dougong.server.main")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise FemError("CLI_SERVER_NOT_INSTALLED")
    data = arguments.data.expanduser().absolute() if arguments.data else data_folder()
    listen = arguments.listen or f"unix:{socket_path(data)}"
    command = [sys.executable, "-P", "-m", "dougong.server.main", "--data", str(data), "--listen", listen]
    if arguments.cores:
        command += ["--cores", str(arguments.cores)]
    if arguments.idle_exit:
        command += ["--idle-exit", str(arguments.idle_exit)]
    if arguments.warm_workers is not None:
        command += ["--warm-workers", str(arguments.warm_workers)]
    if arguments.cluster is not None:
        command += ["--cluster", str(arguments.cluster.expanduser().absolute())]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)
