"""Configuration: one frozen dataclass, resolved once, printed at start. Every default states its reason."""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from dougong.server.cluster import Cluster, load_cluster
from dougong.server.starting import StartError

#: `python` with the switches every child gets: no user site-packages, and no import from the folder it stands in.
CHILD_PYTHON = (sys.executable, "-s", "-P")

#: Variables of our own environment that a worker may need: by them sites say where PETSc, MPI and Python packages are.
INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "LD_LIBRARY_PATH",
    "PETSC_DIR",
    "PETSC_ARCH",
    "SLEPC_DIR",
)

#: Longest path of a Unix socket (sun_path of unix(7), with its closing zero).
MAX_SOCKET_PATH = 107


@dataclass(frozen=True)
class Address:
    """Where the server listens: a Unix socket, or a port on loopback.

    Attributes
    ----------
    socket
        Path of the Unix socket, or None.
    host, port
        Loopback address and port; port 0 takes a free one.
    """

    socket: Path | None = None
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``unix:PATH``, ``127.0.0.1:PORT`` or ``[::1]:PORT``.

        Raises
        ------
        StartError
            Any other address: until there are certificates and tokens nobody else may reach the server.
        """
        if text.startswith("unix:"):
            path = Path(text.removeprefix("unix:")).absolute()
            if len(os.fsencode(path)) > MAX_SOCKET_PATH:
                raise StartError("SOCKET_PATH_TOO_LONG", path=path, limit=MAX_SOCKET_PATH)
            return cls(socket=path)
        host, _, port = text.rpartition(":")
        try:
            loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
            number = int(port)
        except ValueError:
            raise StartError("ADDRESS_REFUSED", address=text) from None
        if not loopback or not 0 <= number <= 65535:
            raise StartError("ADDRESS_REFUSED", address=text)
        return cls(host=host.strip("[]"), port=number)

    def __str__(self) -> str:
        if self.socket is not None:
            return f"unix:{self.socket}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Config:
    """Everything that can be chosen about a server."""

    data: Path
    """Folder of the database, meshes, uploads and run directories; on a local disk. A cluster may have meshes and run
    directories elsewhere."""
    listen: Address
    """Where it listens."""
    cluster: Cluster | None = None
    """A cluster that runs the jobs; without one this machine does."""
    idle_exit_seconds: float = 0.0
    """End after so long without an unfinished job and without an open call; 0: never."""
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    """Cores that jobs may use together. Default: those this process may use."""
    mpiexec: str = field(default_factory=lambda: find_mpiexec())
    """The launcher of MPI programs. Open MPI's first, because Debian's PETSc is built for it."""
    worker_command: tuple[str, ...] = (*CHILD_PYTHON, "-u", "-m", "mpi4py", "-m", "dougong.solver.worker")
    """The worker; the run directory is appended. `-m mpi4py`: without it an exception on one rank hangs the job."""
    warm_workers: int = 4
    """Workers kept ready for jobs of one rank, never more than cores; 0: none. A ready one saves its job a second and
    holds some 50 MB; they start as jobs need them, but for the first."""
    warm_jobs: int = 200
    """Jobs of one warm worker, before another takes its place: what leaks slowly does not grow."""
    warm_idle_seconds: float = 300.0
    """A warm worker without a job for so long ends, and gives back its memory."""
    warm_command: tuple[str, ...] = (*CHILD_PYTHON, "-u", "-m", "dougong.solver.warm")
    """A warm worker."""
    check_command: tuple[str, ...] = (*CHILD_PYTHON, "-m", "dougong.solver.check")
    """The resident child that checks analyses."""
    check_timeout_seconds: float = 120.0
    """A check takes a second on a large mesh; two minutes is a hang."""
    check_memory_bytes: int = field(default_factory=lambda: min(4 << 30, total_memory_bytes() // 4))
    """A check process that holds more memory after a check is replaced. Default: 4 GiB, or a quarter of all memory."""
    stall_limit_seconds: float = 600.0
    """A worker without a sign of life for so long has failed. Progress is one, and CPU time used by every rank: a long
    stage without progress, such as a direct factorisation, is no silence."""
    stop_patience_seconds: float = 3.0
    """Between asking processes to end and killing them."""
    poll_seconds: float = 0.1
    """How often a running job is looked at."""
    retry_seconds: float = 1.0
    """Before the second attempt at a job; twice that before the third. The cause of a lost attempt may pass."""
    max_mesh_bytes: int = 8 << 30
    """Largest mesh file: reading one of Gmsh or Abaqus needs about one and a half times this memory, others more."""
    max_uploads: int = 64
    """Unfinished uploads at one time."""
    max_upload_bytes: int = 16 << 30
    """All unfinished uploads together."""
    upload_days: float = 7.0
    """An upload that nobody continued for so long is removed."""
    sweep_seconds: float = 3600.0
    """How often such uploads are looked for."""
    max_queued_jobs: int = 10_000
    """Jobs that may wait."""
    max_analysis_bytes: int = 1 << 20
    """Largest analysis message; arrays never travel inside it."""
    max_message_bytes: int = 4 << 20
    """Largest message received: gRPC's default."""
    chunk_bytes: int = 1 << 20
    """Size of the pieces in which arrays and files travel."""
    watcher_patience_seconds: float = 30.0
    """A watcher that takes no event for so long is dropped."""
    worker_environment: Mapping[str, str] = field(
        default_factory=lambda: {name: os.environ[name] for name in INHERITED if name in os.environ}
    )
    """What of our environment the worker gets."""

    @property
    def executor(self) -> str:
        """Name of what runs the jobs."""
        return "local" if self.cluster is None else self.cluster.executor

    @property
    def shared(self) -> Path:
        """Folder of meshes and run directories."""
        return self.data if self.cluster is None or self.cluster.shared is None else self.cluster.shared

    def lines(self) -> list[str]:
        """The configuration for the log, one line a value."""
        return [f"{f.name} = {getattr(self, f.name)}" for f in fields(self) if f.name != "worker_environment"]


def total_memory_bytes() -> int:
    """Memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def find_mpiexec() -> str:
    """Path of the launcher of MPI programs; its bare name when there is none, which then shows in the job's error."""
    return shutil.which("mpiexec.openmpi") or shutil.which("mpiexec") or "mpiexec"


def default_listen(data: Path) -> str:
    """The Unix socket in the data folder, or a short one under /tmp when that path would be too long."""
    path = data.absolute() / "socket" / "server.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return f"unix:{path}"
    name = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    return f"unix:/tmp/dougong-{os.getuid()}-{name}/server.sock"


def from_arguments(argv: Sequence[str]) -> Config:
    """Resolve the command line. Ends the process with exit code 2 and a sentence when it cannot be understood.

    Raises
    ------
    StartError
        An address that must not be listened on, or a file of a cluster that cannot be.
    """
    parser = argparse.ArgumentParser(prog="dougong serve", description="Run a Dougong server.")
    parser.add_argument("--data", type=Path, required=True, help="data folder, on a local disk; made when missing")
    parser.add_argument(
        "--listen", help="unix:PATH, 127.0.0.1:PORT or [::1]:PORT (default: a socket in the data folder)"
    )
    parser.add_argument("--idle-exit", type=float, default=0.0, metavar="SECONDS", help="end when idle for so long")
    parser.add_argument("--cores", type=int, help="cores that jobs may use together (default: all)")
    parser.add_argument(
        "--cluster", type=Path, metavar="FILE", help="run jobs on the cluster that this TOML file describes"
    )
    parser.add_argument("--mpiexec", help="launcher of MPI programs (default: found on PATH)")
    parser.add_argument("--stall-limit", type=float, metavar="SECONDS", help="silence after which a job has failed")
    parser.add_argument(
        "--warm-workers", type=int, metavar="N", help="workers kept ready for jobs of one rank (default: 4; 0: none)"
    )
    arguments = parser.parse_args(argv)
    if arguments.cores is not None and arguments.cores < 1:
        parser.error("--cores must be at least 1")
    if arguments.warm_workers is not None and arguments.warm_workers < 0:
        parser.error("--warm-workers must not be negative")
    data = arguments.data.expanduser().absolute()
    chosen: dict[str, object] = {"cores": arguments.cores, "mpiexec": arguments.mpiexec}
    chosen["stall_limit_seconds"] = arguments.stall_limit
    chosen["warm_workers"] = arguments.warm_workers
    if arguments.cluster is not None:
        chosen = {**chosen, **for_cluster(load_cluster(arguments.cluster), chosen)}
    return Config(
        data=data,
        listen=Address.parse(arguments.listen or default_listen(data)),
        idle_exit_seconds=arguments.idle_exit,
        **{name: value for name, value in chosen.items() if value is not None},  # type: ignore[arg-type]
    )


def for_cluster(cluster: Cluster, chosen: Mapping[str, object]) -> dict[str, object]:
    """What is different for a server with a cluster, as far as it was not chosen.

    How much CPU time ranks on other machines use is not seen, so that progress is their only sign of life, which a long
    factorisation does not give: the cluster says how much silence is allowed. Files on a shared file system are looked
    at less often.
    """
    everything = sum(p.cores * p.nodes for p in cluster.partitions.values())
    stall_limit = float(cluster.stall_limit_seconds)
    defaults = {"cores": cluster.cores or everything, "stall_limit_seconds": stall_limit, "poll_seconds": 1.0}
    return {
        "cluster": cluster,
        "warm_workers": 0,
        **{name: value if chosen.get(name) is None else chosen[name] for name, value in defaults.items()},
    }
