"""Clusters for tests: a real Slurm on this machine, and folders of fake commands."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slurm.one_machine as real
from dougong.server.cluster import Cluster, Partition

FAKE = Path(__file__).parent / "batch_fakes" / "fake_batch.py"

#: By what the commands of the fakes stand for.
NAMES = {
    "slurm": {
        "submit": "sbatch",
        "status": "squeue",
        "detail": "scontrol",
        "history": "sacct",
        "cancel": "scancel",
    },
    "donau": {"submit": "dsub", "status": "djob", "detail": "djob", "cancel": "dkill"},
}

#: Settings by which tests need not wait: real ones are in `Cluster`.
QUICK: dict[str, Any] = {
    "poll_seconds": 0.1,
    "poll_most_seconds": 0.5,
    "grace_seconds": 0.6,
    "command_seconds": 5.0,
}

#: Containers do not give the rights that single-copy transfer needs; fakes give more ranks than cores.
_OPEN_MPI = {
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def partition(**changes: Any) -> Partition:
    """A partition of two cores a node, without binding: jobs of a test share the cores of this machine."""
    return Partition(**{"cores": 2, "nodes": 2, "binding": "none", "environment": _OPEN_MPI, **changes})


class FakeCluster:
    """A folder of fake commands with knobs; see batch_fakes/fake_batch.py."""

    def __init__(self, folder: Path, executor: str = "slurm", **changes: Any) -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        (folder / "jobs").mkdir()
        names = dict(NAMES[executor], **changes.pop("commands", {}))
        for name in set(names.values()):
            # Not a link: its place tells it whose jobs to keep.
            shutil.copy(FAKE, folder / "bin" / name)
            os.chmod(folder / "bin" / name, 0o755)
        self.settings: dict[str, Any] = {
            "executor": executor,
            "commands": {what: str(folder / "bin" / name) for what, name in names.items()},
            **QUICK,
            **changes,
        }
        self.cluster = Cluster({"debug": partition()}, **self.settings)

    @property
    def file(self) -> str:
        """The description of this cluster for a server in a process of its own."""
        return write_description(self.cluster, self.folder / "cluster.toml")

    def knobs(self, **knobs: Any) -> None:
        """Set all faults, by command."""
        temporary = self.folder / "knobs.tmp"
        temporary.write_text(json.dumps(knobs))
        temporary.rename(self.folder / "knobs.json")

    def calls(self) -> list[tuple[str, str]]:
        """All calls: command and fault."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(command, fault) for command, _, fault in (line.partition(" ") for line in lines)]

    def jobs(self) -> dict[int, dict[str, Any]]:
        """All jobs by number."""
        return {int(f.stem): json.loads(f.read_text()) for f in sorted(self.folder.glob("jobs/*.json"))}

    def change(self, number: int, **changes: Any) -> None:
        """Say something of a job."""
        file = self.folder / "jobs" / f"{number}.json"
        job = {**json.loads(file.read_text()), **changes}
        temporary = file.with_suffix(".changed")
        temporary.write_text(json.dumps(job))
        temporary.rename(file)


@functools.cache
def real_slurm() -> real.OneMachine:
    """The real cluster of this run of the tests; started at the first call, ended with the process."""
    folder = Path(tempfile.mkdtemp(prefix="dg-slurm-", dir="/tmp"))
    cluster = real.OneMachine(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(cluster.stop)
    cluster.start()
    # Of the server and of what it starts.
    os.environ.update(SLURM_CONF=cluster.environment["SLURM_CONF"])
    return cluster


def write_description(cluster: Cluster, file: Path) -> str:
    """The TOML file of a cluster; what it has of other types than text, numbers and lists is left out."""

    def lines(entry: object, skip: tuple[str, ...]) -> list[str]:
        values = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry)}  # type: ignore[arg-type]
        kept = {k: v for k, v in values.items() if k not in skip and v is not None and v != {}}
        return [f"{k} = {_toml(v)}" for k, v in kept.items()]

    text = lines(cluster, ("partitions",))
    for name, entry in cluster.partitions.items():
        text += [f"[partition.{name}]", *lines(entry, ())]
    file.write_text("\n".join(text) + "\n")
    return str(file)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value)


def real_cluster(**changes: Any) -> Cluster:
    """What a server is told of the real cluster."""
    partitions = changes.pop("partitions", {"debug": partition()})
    return Cluster(partitions, **{**QUICK, "grace_seconds": 1.0, "poll_seconds": 0.2, **changes})


@contextmanager
def fake_slurm(**changes: Any) -> Iterator[FakeCluster]:
    """A fake cluster in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as folder:
        yield FakeCluster(Path(folder) / "fake", **changes)
