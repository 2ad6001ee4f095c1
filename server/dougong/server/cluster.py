"""What a site says of its cluster, in a TOML file: frozen, checked key by key, nothing of it ever seen by a shell.

    executor = "slurm"
    shared = "/shared/dougong"           # meshes and run directories, where compute nodes see them
    default = "work"

    [commands]                           # a site that renamed them
    submit = "yhbatch"

    [partition.work]
    cores = 64                           # of a node
    nodes = 20
    modules = ["petsc/3.22"]

docs/how-to/cluster.md explains every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_type_hints

from dougong.server.starting import StartError

T = TypeVar("T")


@dataclass(frozen=True)
class Partition:
    """A partition or queue, and how jobs run in it."""

    cores: int
    """Cores of a node that a job may use: its ranks on one node."""
    nodes: int = 1
    """Nodes that one job may use."""
    memory_bytes: int = 0
    """Memory of a node that a job may use; 0: the batch system decides. A job that names none gets all of it."""
    time_limit_seconds: int = 0
    """Longest time of a job, and that of jobs which name none; 0: the batch system decides."""
    account: str = ""
    """Account that pays."""
    modules: tuple[str, ...] = ()
    """Environment modules that the job script loads, in this order."""
    launcher: str = "mpiexec"
    """What starts several ranks: "mpiexec", or "native" for the launcher of the batch system (srun)."""
    launcher_options: tuple[str, ...] = ()
    """Further options of the launcher, for example --mpi=pmix."""
    binding: str = "cores"
    """Ranks are bound to "cores", or to "none"."""
    ranks_per_numa: int = 0
    """Ranks for each NUMA node, where memory is slower than all its cores together; 0: no rule."""
    submit_options: tuple[str, ...] = ()
    """Further options of the submit command, for example --qos=long."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables of a job."""


@dataclass(frozen=True)
class Cluster:
    """A cluster behind the server."""

    partitions: Mapping[str, Partition]
    """By the name that the batch system knows them by."""
    executor: str = "slurm"
    """Which batch system: a module of `server/executors`."""
    shared: Path | None = None
    """Folder of meshes and run directories, which compute nodes must see under the same path. Default: the data
    folder, which is right where the nodes are this machine."""
    default: str = ""
    """Partition of jobs that name none. Default: the first."""
    cores: int = 0
    """Cores that jobs handed to the batch system may use together, those that wait there included; what is beyond
    waits in the server's own queue, where its priorities hold. Default: all of all partitions."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Other names or paths of commands: submit, status, detail, history, cancel, launch."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options put behind the name of a command in every call, by the same names."""
    states: Mapping[str, str] = field(default_factory=dict)
    """What states of this site mean that the executor does not know: WAITING, RUNNING, ENDED or a reason."""
    python: str = ""
    """Python of the compute nodes, with Dougong's packages. Default: the server's own."""
    mpiexec: str = ""
    """mpiexec of the compute nodes. Default: the server's own."""
    keep: tuple[str, ...] = ("SLURM_CONF",)
    """Environment variables of the server that the commands get, beside PATH, HOME, USER and LOGNAME."""
    command_seconds: float = 60.0
    """A command of the batch system that takes longer has failed. Slurm's own give up after some 30 s."""
    poll_seconds: float = 1.0
    """Between two questions for the states of all jobs, at least."""
    poll_most_seconds: float = 30.0
    """The same at most: while nothing changes it is asked more and more rarely, for sites count questions."""
    stall_limit_seconds: int = 3600
    """A worker that tells no progress for so long has failed; 0: never. How much CPU time ranks on other machines use
    is not seen, so that a long factorisation looks like one that hangs: longer than the longest of a site."""
    grace_seconds: float = 30.0
    """How much later than the batch system shows a job or its end, files of it may appear, and the other way round."""

    def partition(self, name: str) -> tuple[str, Partition]:
        """A partition, or the default one when no name is given.

        Raises
        ------
        KeyError
            There is none of this name: jobs may be older than the description.
        """
        name = name or self.default or next(iter(self.partitions))
        return name, self.partitions[name]


def load_cluster(file: Path) -> Cluster:
    """Read the file.

    Raises
    ------
    StartError
        It cannot be read, has a key that nobody knows, or a value that cannot be.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StartError("CLUSTER_FILE_UNREADABLE", file=file, cause=str(error)) from error
    partitions = table.pop("partition", {})
    if not isinstance(partitions, dict) or not partitions:
        raise StartError("CLUSTER_VALUE_WRONG", file=file, key="partition", value="", expected="[partition.NAME]")
    read = {name: _read(Partition, entry, file, f"partition.{name}.") for name, entry in partitions.items()}
    for name, partition in read.items():
        _text(name, file, f"partition.{name}")
        _one_of(partition.launcher, ("mpiexec", "native"), file, f"partition.{name}.launcher")
        _one_of(partition.binding, ("cores", "none"), file, f"partition.{name}.binding")
        for variable in partition.environment:
            if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", variable):
                _wrong(f"partition.{name}.environment", variable, "A-Z, a-z, 0-9, _", file)
        for module in partition.modules:
            if not module or module.startswith("-"):
                _wrong(f"partition.{name}.modules", module, "NAME/VERSION", file)
        if partition.cores < 1 or partition.nodes < 1:
            key = f"partition.{name}.{'cores' if partition.cores < 1 else 'nodes'}"
            raise StartError("CLUSTER_VALUE_WRONG", file=file, key=key, value="0", expected=">= 1")
    cluster = _read(Cluster, table, file, "", partitions=read)
    if cluster.default:
        _one_of(cluster.default, tuple(read), file, "default")
    for state, meaning in cluster.states.items():
        _one_of(meaning, MEANINGS, file, f"states.{state}")
    for key in ("commands", "options"):
        for name in getattr(cluster, key):
            _one_of(name, COMMANDS, file, key)
    return cluster


#: What the state of a batch job may mean: the last ones are reasons for which it has ended.
MEANINGS = (
    "WAITING",
    "RUNNING",
    "ENDED",
    "TIME_LIMIT",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "NODE_FAILED",
    "NODE_BOOT_FAILED",
    "DEADLINE_PASSED",
    "CANCELLED_OUTSIDE",
    "LAUNCH_FAILED",
)

#: What is done by a command of the batch system.
COMMANDS = ("submit", "status", "detail", "history", "cancel", "launch")


def _read(kind: type[T], table: object, file: Path, where: str, **values: object) -> T:
    """A dataclass from a table; `values` are not taken from it."""
    known = {f.name: f for f in fields(kind) if f.name not in values}  # type: ignore[arg-type]
    if not isinstance(table, dict):
        raise StartError("CLUSTER_VALUE_WRONG", file=file, key=where.rstrip("."), value=table, expected="table")
    hints = get_type_hints(kind)
    for key, value in table.items():
        if key not in known:
            raise StartError("CLUSTER_KEY_UNKNOWN", file=file, key=where + key, known=", ".join(sorted(known)))
        values[key] = _value(hints[key], value, file, where + key)
    for name, entry in known.items():
        if name not in values and entry.default is MISSING and entry.default_factory is MISSING:
            raise StartError("CLUSTER_VALUE_WRONG", file=file, key=where + name, value="", expected=str(entry.type))
    return kind(**values)


def _value(hint: Any, value: object, file: Path, key: str) -> object:
    """A value of the type that a field has."""
    if hint is int and type(value) is int and value >= 0:
        return value
    if hint is float and type(value) in (int, float) and value > 0:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    if hint is str and isinstance(value, str):
        return _text(value, file, key)
    if hint == Path | None and isinstance(value, str) and Path(value).is_absolute():
        return Path(_text(value, file, key))
    if hint == tuple[str, ...] and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(_text(v, file, key) for v in value)
    if isinstance(value, dict) and hint == Mapping[str, str]:
        return {_text(k, file, key): _value(str, v, file, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, dict) and hint == Mapping[str, tuple[str, ...]]:
        return {k: _value(tuple[str, ...], v, file, f"{key}.{k}") for k, v in value.items()}
    raise StartError("CLUSTER_VALUE_WRONG", file=file, key=key, value=str(value)[:100], expected=_EXPECTED[str(hint)])


_EXPECTED = {
    str(int): "0, 1, 2, ...",
    str(float): "> 0",
    str(str): '"..."',
    str(Path | None): '"/..."',
    str(tuple[str, ...]): '["...", ...]',
    str(Mapping[str, str]): '{name = "..."}',
    str(Mapping[str, tuple[str, ...]]): '{name = ["...", ...]}',
}


def _text(value: str, file: Path, key: str) -> str:
    """Text that may become an argument or a line of a script."""
    if not value.isprintable():
        raise StartError("CLUSTER_VALUE_WRONG", file=file, key=key, value=ascii(value[:100]), expected="a-z, 0-9, ...")
    return value


def _wrong(key: str, value: str, expected: str, file: Path) -> NoReturn:
    raise StartError("CLUSTER_VALUE_WRONG", file=file, key=key, value=value, expected=expected)


def _one_of(value: str, allowed: tuple[str, ...], file: Path, key: str) -> None:
    if value not in allowed:
        _wrong(key, value, " | ".join(allowed), file)
