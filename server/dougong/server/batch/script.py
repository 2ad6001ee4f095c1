"""The script of a batch job: sets everything itself, for a compute node may have nothing but a shell. Pure.

It holds no text of a user: the analysis lies in the run directory. Everything in it is quoted.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from dougong.server.batch.system import BatchSystem
from dougong.server.cluster import Cluster, Partition
from dougong.server.processes import TOKEN_VARIABLE
from dougong.solver import rundir
from dougong.v1 import job_pb2

#: The script itself, and the exit code it leaves, in a run directory.
SCRIPT = "job.sh"
EXIT = "exit"

#: Left in place of an exit code by a copy of the script whose worker found the run directory taken.
COPY = "copy"

#: Exit code of a script that could not load a module; no worker has it before its fence.
EXIT_MODULE = 97

#: One BLAS thread a rank.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

#: Open MPI asks root, who is the service account of a container, whether it is meant.
_ROOT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def environment(base: Mapping[str, str], partition: Partition, token: str) -> dict[str, str]:
    """Variables of the ranks of an attempt."""
    root = _ROOT if os.geteuid() == 0 else {}
    return {**base, "LANG": "C.UTF-8", **_THREADS, **root, **partition.environment, TOKEN_VARIABLE: token}


def worker_command(cluster: Cluster, worker: Sequence[str]) -> list[str]:
    """The worker, with the Python of the compute nodes."""
    return [cluster.python, *worker[1:]] if cluster.python else list(worker)


def launcher(system: BatchSystem, partition: Partition, mpiexec: str, ranks: int) -> list[str]:
    """What stands before the worker's command; nothing for one rank, which needs no launcher."""
    if ranks == 1:
        return []
    numa = partition.ranks_per_numa
    bound = partition.binding == "cores"
    if partition.launcher == "native":
        extra = [*(system.native_binding if bound else ()), *(system.native_numa if numa else ())]
        gaps = {"ranks": ranks, "ranks_per_numa": numa}
        return [*system.command("launch", [*system.native, *extra], **gaps), *partition.launcher_options]
    binding = ["--bind-to", "core" if bound else "none"]
    mapping = ["--map-by", f"ppr:{numa}:numa"] if numa else []
    return [mpiexec, "-n", str(ranks), *binding, *mapping, *partition.launcher_options]


def job_script(variables: Mapping[str, str], modules: Sequence[str], command: Sequence[str], directory: Path) -> str:
    """The script.

    Its last act is to leave the exit code in the run directory, by rename: a batch system soon forgets how a job ended.
    A copy that came too late does not, for the directory is another's; that one's exit code, which comes later, removes
    what the copy left.
    """
    # Modules are a function of login shells, and add to the variables set before.
    lines = ["#!/bin/bash -l" if modules else "#!/bin/bash"]
    # On SIGTERM the shell waits for its children, which get it too: some systems lose sight of them when it has gone.
    lines += ["trap : TERM"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    lines += [f"cd {shlex.quote(str(directory))} || exit"]
    leave = f"echo $code >.{EXIT}.tmp && mv .{EXIT}.tmp {EXIT}"
    if modules:
        unfenced = f"[ -e {rundir.FENCE} ] || {{ {leave}; }}"
        lines += [f'unloaded() {{ echo "module load $1: failed" >&2; code={EXIT_MODULE}; {unfenced}; exit $code; }}']
    lines += [f"module load {module} || unloaded {module}" for module in map(shlex.quote, modules)]
    lines += [
        shlex.join(command),
        "code=$?",
        f"if [ $code -eq {rundir.EXIT_NOT_MINE} ]; then : >{COPY}; else {leave}; rm -f {COPY}; fi",
        "exit $code",
    ]
    return "\n".join(lines) + "\n"


def read_exit_code(directory: Path) -> int | None:
    """The exit code that the script left; None when it came to no end."""
    try:
        return int((directory / EXIT).read_text())
    except (OSError, ValueError):
        return None


def was_copy(directory: Path) -> bool:
    """Whether the last that ended here was a copy, whose worker found the run directory taken."""
    return (directory / COPY).exists()


def request(
    partition_name: str, partition: Partition, resources: job_pb2.Resources, name: str, directory: Path, log: str
) -> dict[str, object]:
    """Values for the gaps of a submit command; 0 and empty ones are not asked for."""
    ranks = max(resources.ranks, 1)
    nodes = math.ceil(ranks / partition.cores)
    ranks_per_node = math.ceil(ranks / nodes)
    seconds = time_limit_seconds(partition, resources)
    # What the node with the most ranks needs; in whole numbers, for floating ones do not hold every number of bytes.
    memory = -(-resources.memory_bytes * ranks_per_node // ranks) or partition.memory_bytes
    return {
        "name": name,
        "script": str(directory / SCRIPT),
        "directory": str(directory),
        # Batch systems put numbers of jobs and nodes in place of %j, %N and others.
        "log": str(directory / log).replace("%", "%%"),
        "ranks": ranks,
        "nodes": nodes,
        "ranks_per_node": ranks_per_node,
        "memory_mib": math.ceil(memory / (1 << 20)),
        "seconds": seconds,
        "minutes": math.ceil(seconds / 60),
        "partition": partition_name,
        "account": partition.account,
    }


def time_limit_seconds(partition: Partition, resources: job_pb2.Resources) -> int:
    """The limit of a job, or else that of its partition; 0: none."""
    return int(resources.time_limit_seconds) or partition.time_limit_seconds
