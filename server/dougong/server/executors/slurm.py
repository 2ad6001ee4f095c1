"""Slurm, from 20.02 on, and whatever has its commands under other names (Tianhe: yhbatch, yhqueue, yhcancel, yhrun)."""

from __future__ import annotations

from dougong.server.batch.executor import BatchExecutor
from dougong.server.batch.system import BatchSystem, Meaning
from dougong.server.config import Config

NAME = "slurm"
MEASURES_MEMORY = False

_WAITING, _RUNNING, _ENDED = Meaning.WAITING, Meaning.RUNNING, Meaning.ENDED

#: --no-requeue: Slurm would run the script again by itself. --kill-on-bad-exit: a dead rank does not end a step.
SYSTEM = BatchSystem(
    title="Slurm",
    programs={
        "submit": "sbatch",
        "status": "squeue",
        "detail": "scontrol",
        "history": "sacct",
        "cancel": "scancel",
        "launch": "srun",
    },
    submit=(
        "--parsable",
        "--no-requeue",
        "--job-name={name}",
        "--output={log}",
        "--open-mode=append",
        "--chdir={directory}",
        "--ntasks={ranks}",
        "--nodes={nodes}",
        "--ntasks-per-node={ranks_per_node}",
        "{script}",
    ),
    resources={
        "memory_mib": ("--mem={memory_mib}M",),
        "minutes": ("--time={minutes}",),
        "partition": ("--partition={partition}",),
        "account": ("--account={account}",),
    },
    # `sbatch --parsable` prints id[;cluster]; under a wrapper that knows no such option, a sentence.
    submitted=r"^(?:Submitted batch job )?(?P<id>\d+)(?:;\S+)?\s*$",
    refused=(
        r"invalid (partition|account|qos|job|node|feature|generic|reservation|wckey|user)|not available"
        r"|violates|exceeds|more processors requested|access/permission denied|not permitted|disallowed"
        r"|unrecognized option|unknown option|invalid option|unable to open file|requested .* is invalid"
        r"|too (large|many|long)|not allowed"
    ),
    # The limits of an association and of a QOS, those of jobs at one time among them, have one sentence together; newer
    # versions name the limit before it.
    later=(
        r"violates accounting/QOS policy|submit limit|MaxSubmitJob|temporarily unable"
        r"|(partition|node) not available \((inactive|down)"
    ),
    # %j is last: a name of somebody else's job may have the separator in it.
    status=("--noheader", "--user={user}", "--states=all", "--format=%i|%T|%r|%M|%j"),
    line=r"(?P<id>[^|]+)\|(?P<state>[A-Z_]+)\|(?P<reason>[^|]*)\|(?P<elapsed>[^|]*)\|(?P<name>.*)",
    detail=("show", "job", "--oneliner", "{id}"),
    history=("--allocations", "--noheader", "--parsable2", "--jobs={id}", "--format=JobName,State"),
    shown=r"^JobId=\S+ JobName=(?P<name>\S+) .*\bJobState=(?P<state>[A-Z_]+)",
    past=r"^(?P<name>[^|]*)\|(?P<state>[A-Z_]+)",
    unknown=r"Invalid job id specified",
    cancel=(),
    kill=("--signal=KILL", "--full"),
    states={
        "PENDING": _WAITING,
        "CONFIGURING": _WAITING,
        "REQUEUED": _WAITING,
        "REQUEUE_FED": _WAITING,
        "REQUEUE_HOLD": _WAITING,
        "RESV_DEL_HOLD": _WAITING,
        "SPECIAL_EXIT": _WAITING,
        # It gives no sign of life, and must not.
        "SUSPENDED": _WAITING,
        "STOPPED": _WAITING,
        "RUNNING": _RUNNING,
        "COMPLETING": _RUNNING,
        "RESIZING": _RUNNING,
        "SIGNALING": _RUNNING,
        "STAGE_OUT": _RUNNING,
        "COMPLETED": _ENDED,
        "FAILED": _ENDED,
        "TIMEOUT": "TIME_LIMIT",
        "OUT_OF_MEMORY": "OUT_OF_MEMORY",
        "PREEMPTED": "PREEMPTED",
        "NODE_FAIL": "NODE_FAILED",
        "BOOT_FAIL": "NODE_BOOT_FAILED",
        "DEADLINE": "DEADLINE_PASSED",
        "CANCELLED": "CANCELLED_OUTSIDE",
        "REVOKED": "CANCELLED_OUTSIDE",
        "LAUNCH_FAILED": "LAUNCH_FAILED",
        "RECONFIG_FAIL": "NODE_BOOT_FAILED",
    },
    hopeless=frozenset(
        {
            "PartitionConfig",
            "PartitionNodeLimit",
            "PartitionTimeLimit",
            "BadConstraints",
            "AccountNotAllowed",
            "InvalidAccount",
            "InvalidQOS",
            "QOSNotAllowed",
            "DependencyNeverSatisfied",
            "AssocMaxCpuPerJobLimit",
            "AssocMaxMemPerJob",
            "AssocMaxNodePerJobLimit",
            "AssocMaxWallDurationPerJobLimit",
            "QOSMaxCpuPerJobLimit",
            "QOSMaxMemoryPerJob",
            "QOSMaxNodePerJobLimit",
            "QOSMaxWallDurationPerJobLimit",
            "MaxMemPerLimit",
        }
    ),
    native=("--kill-on-bad-exit=1", "--ntasks={ranks}"),
    native_binding=("--cpu-bind=cores",),
    # Slurm's sockets are NUMA nodes where its configuration says so (numa_node_as_socket).
    native_numa=("--ntasks-per-socket={ranks_per_numa}", "--distribution=block:cyclic"),
)


def create(config: Config) -> BatchExecutor:
    """Make the executor."""
    return BatchExecutor(NAME, SYSTEM, config)
