"""What memory is free, within the control groups that batch systems and containers put a job in."""

import pytest

from dougong.solver.linalg import factor
from dougong.solver.parallel.comm import Serial

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 64 GiB free, and no groups yet."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {128 * GIB >> 10} kB\nMemAvailable: {64 * GIB >> 10} kB\n")
    monkeypatch.setattr(factor, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(factor, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(factor, "_OWN_GROUPS", tmp_path / "own")
    return tmp_path


def group(folder, **files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / f"memory.{name}").write_text(f"{content}\n")


def test_without_groups_the_machine_counts(machine):
    assert factor.free_bytes(Serial()) == 64 * GIB
    (machine / "own").write_text("0::/\n")
    assert factor.free_bytes(Serial()) == 64 * GIB


def test_the_narrowest_group_above_the_process_counts(machine):
    """Version 2: a job's limit lies on a group above that of its processes; cache of files can go."""
    (machine / "own").write_text("0::/slurm/job_7/step_0\n")
    stat = f"anon 5\ninactive_file {GIB}"
    group(machine / "groups/slurm/job_7/step_0", max="max", current=GIB, stat=stat)
    (machine / "groups/slurm/job_7/memory.max").write_text(f"{8 * GIB}\n")
    (machine / "groups/slurm/job_7/memory.current").write_text(f"{3 * GIB}\n")
    (machine / "groups/slurm/job_7/memory.stat").write_text(stat)
    assert factor.free_bytes(Serial()) == 6 * GIB


def test_groups_of_the_first_version_count(machine):
    (machine / "own").write_text("4:cpu,cpuacct:/a\n3:memory:/docker/x\n0::/\n")
    group(machine / "groups/memory/docker/x", limit_in_bytes=4 * GIB, usage_in_bytes=GIB, stat="total_inactive_file 0")
    assert factor.free_bytes(Serial()) == 3 * GIB
