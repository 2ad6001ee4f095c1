"""A Slurm cluster of two nodes on this machine, for tests: everything in one folder, on loopback, ended by its numbers.

    python tests/slurm/one_machine.py FOLDER     starts one by hand, and ends it at Ctrl-C

It has its own munge daemon with its own key and socket, so that one of the machine is neither needed nor disturbed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

#: What has to be installed; Debian's packages slurm-wlm and munge have all of it.
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")

NODES = ("n1", "n2")
CORES = 2

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

#: Short times: MinJobAge, after which an ended job is forgotten; SlurmdTimeout, after which a silent node is down.
_CONFIGURATION = """\
ClusterName=dougong
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld
SlurmdLogFile={folder}/log/slurmd.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
ReturnToService=2
KillWait=2
MinJobAge={min_job_age}
SlurmdTimeout=10
SlurmctldTimeout=10
OverTimeLimit=0
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cores} RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[3]} CPUs={cores} RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=spread Nodes=n1,n2 MaxTime=INFINITE State=UP
PartitionName=native Nodes=n1,n2 MaxTime=INFINITE State=UP
PartitionName=minute Nodes=n1,n2 MaxTime=INFINITE State=UP
PartitionName=single Nodes=n1 MaxNodes=1 MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """What keeps a cluster from being started here; empty when nothing does."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)} (make test-slurm installs them)"
    return "" if os.geteuid() == 0 else "slurmd starts jobs as root only"


class OneMachine:
    """A running cluster.

    Parameters
    ----------
    folder
        Where all its files are; made when missing.
    min_job_age
        Seconds after which an ended job is forgotten.
    """

    def __init__(self, folder: Path, min_job_age: int = 4) -> None:
        self.folder = folder
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("log", "state", "munge", *(f"spool.{node}" for node in NODES)):
            (folder / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        self._key = folder / "munge" / "key"
        self._key.touch(0o600)
        self._key.write_bytes(secrets.token_bytes(128))
        self.configuration = folder / "slurm.conf"
        text = _CONFIGURATION.format(
            folder=folder,
            host=socket.gethostname().partition(".")[0],
            ports=_free_ports(4),
            user="root",
            cores=CORES,
            min_job_age=min_job_age,
        )
        self.configuration.write_text(text)

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables by which Slurm's commands find this cluster."""
        return {"SLURM_CONF": str(self.configuration), "PATH": _PATH}

    def start(self) -> None:
        """Start all daemons, and wait until both nodes take jobs."""
        munge = self.folder / "munge"
        files = [f"--{name}-file={munge / name}" for name in ("key", "pid", "log", "seed")]
        # --force: a folder below /tmp, which everybody may write to, is no place for a real one.
        self._start("munged", "munged", "--foreground", "--force", f"--socket={munge / 'socket'}", *files)
        _until(lambda: (munge / "socket").exists(), "munged")
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self.wait_ready()

    def start_controller(self) -> None:
        """Start slurmctld, with the state that an earlier one left."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.configuration))

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._start(node, "slurmd", "-D", "-f", str(self.configuration), "-N", node)

    def kill(self, daemon: str) -> None:
        """End a daemon ("slurmctld" or the name of a node) as a power cut would; jobs of a node live on."""
        self._end(daemon, signal.SIGKILL)

    def stop_controller(self) -> None:
        """Ask slurmctld to end; it saves its state, of which a killed one loses what is younger than five seconds."""
        self._end("slurmctld", signal.SIGTERM)

    def stop(self) -> None:
        """End everything."""
        if "slurmctld" in self._daemons:
            self.run("scancel", "--user=root", "--full", "--signal=KILL")
            self.run("scancel", "--user=root")
        for daemon in ["slurmctld", *NODES, "munged"]:
            if daemon in self._daemons:
                self._end(daemon, signal.SIGTERM)
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self) -> list[int]:
        """What still runs of this cluster: slurmstepd survives a slurmd that was killed."""
        wanted = f"SLURM_CONF={self.configuration}".encode()
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (directory / "environ").read_bytes().split(b"\0"):
                    found.append(int(directory.name))
            except OSError:
                continue
        return [pid for pid in found if pid != os.getpid()]

    def run(self, *command: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout + done.stderr

    def states(self) -> dict[str, str]:
        """The state of each node."""
        lines = self.run("sinfo", "-h", "-N", "-p", "debug", "-o", "%N %T").splitlines()
        return dict(line.split(None, 1) for line in lines if line.count(" ") == 1)

    def wait_ready(self, seconds: float = 60) -> None:
        """Wait until every node takes jobs."""
        ready = {"idle", "mixed", "allocated"}
        _until(lambda: {*self.states().values()} <= ready and len(self.states()) == 2, "nodes", seconds, self.states)

    def _start(self, daemon: str, *command: str) -> None:
        program = shutil.which(command[0], path=_PATH) or command[0]
        with open(self.folder / "log" / f"{daemon}.out", "ab") as log:
            self._daemons[daemon] = subprocess.Popen(
                [program, *command[1:]],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, daemon: str, number: signal.Signals) -> None:
        process = self._daemons.pop(daemon)
        process.send_signal(number)
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            # slurmd does not listen to SIGTERM while a step hangs.
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _until(condition: object, what: str, seconds: float = 30, seen: object = None) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not get ready in {seconds:g} s: {seen() if seen else ''}")  # type: ignore[operator]
        time.sleep(0.1)


if __name__ == "__main__":
    cluster = OneMachine(Path(sys.argv[1]).absolute())
    try:
        cluster.start()
        sys.stdout.write(f"export SLURM_CONF={cluster.configuration}\n")
        sys.stdout.flush()
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()
