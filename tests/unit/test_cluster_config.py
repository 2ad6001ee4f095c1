"""The description of a cluster: what it may say, and what a server makes of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from dougong.server.cluster import load_cluster
from dougong.server.config import from_arguments
from dougong.server.database import Database
from dougong.server.datafolder import DataFolder
from dougong.server.jobs.model import State
from dougong.server.jobs.store import JobStore, NewJob
from dougong.server.main import Server
from dougong.server.starting import StartError
from dougong.v1 import analysis_pb2, job_pb2

sys.path.insert(0, str(Path(__file__).parents[1] / "server_fakes"))
from serve import config

SITE = """
executor = "slurm"
shared = "/shared/dougong"
default = "work"
grace_seconds = 5
[commands]
submit = "yhbatch"
[options]
submit = ["-w", "cn[1-4]"]
[states]
TELEPORTING = "RUNNING"
[partition.work]
cores = 64
nodes = 20
memory_bytes = 137438953472
time_limit_seconds = 86400
account = "fem"
modules = ["petsc/3.22"]
launcher = "native"
launcher_options = ["--mpi=pmix"]
ranks_per_numa = 16
environment = {UCX_TLS = "self,sm,rc"}
[partition.debug]
cores = 8
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "cluster.toml"
    file.write_text(text)
    return file


def test_a_site_is_read(tmp_path: Path) -> None:
    cluster = load_cluster(write(tmp_path, SITE))
    assert cluster.commands == {"submit": "yhbatch"}
    assert cluster.options == {"submit": ("-w", "cn[1-4]")}
    name, work = cluster.partition("")
    assert (name, work.cores, work.modules, work.launcher_options) == ("work", 64, ("petsc/3.22",), ("--mpi=pmix",))
    assert cluster.partition("debug")[1].launcher == "mpiexec"
    assert cluster.grace_seconds == 5.0


def test_a_server_with_a_cluster(tmp_path: Path) -> None:
    file = str(write(tmp_path, SITE))
    settings = from_arguments(["--data", "/d", "--cluster", file])
    assert (settings.executor, settings.cores, settings.warm_workers) == ("slurm", 64 * 20 + 8, 0)
    assert settings.shared == Path("/shared/dougong")
    assert settings.stall_limit_seconds == 3600
    assert from_arguments(["--data", "/d", "--cluster", file, "--cores", "5"]).cores == 5
    for asked in (0, 7200):
        file = str(write(tmp_path, f"stall_limit_seconds = {asked}\n{SITE}"))
        assert from_arguments(["--data", "/d", "--cluster", file]).stall_limit_seconds == asked
    assert from_arguments(["--data", "/d"]).executor == "local"


@pytest.mark.parametrize(
    ("text", "reason", "key"),
    [
        ("=", "CLUSTER_FILE_UNREADABLE", ""),
        ("", "CLUSTER_VALUE_WRONG", "partition"),
        ("partition = 3", "CLUSTER_VALUE_WRONG", "partition"),
        ("[partition.p]", "CLUSTER_VALUE_WRONG", "partition.p.cores"),
        ("[partition.p]\ncores = 0", "CLUSTER_VALUE_WRONG", "partition.p.cores"),
        ("[partition.p]\ncores = true", "CLUSTER_VALUE_WRONG", "partition.p.cores"),
        ('[partition.p]\ncores = "8"', "CLUSTER_VALUE_WRONG", "partition.p.cores"),
        ("[partition.p]\ncores = 8\nshell = 'x'", "CLUSTER_KEY_UNKNOWN", "partition.p.shell"),
        ("[partition.p]\ncores = 8\nmodules = 'x'", "CLUSTER_VALUE_WRONG", "partition.p.modules"),
        ('[partition.p]\ncores = 8\nmodules = ["x\\nrm"]', "CLUSTER_VALUE_WRONG", "partition.p.modules"),
        ("[partition.p]\ncores = 8\nlauncher = 'ssh'", "CLUSTER_VALUE_WRONG", "partition.p.launcher"),
        ("[partition.p]\ncores = 8\nbinding = 'tape'", "CLUSTER_VALUE_WRONG", "partition.p.binding"),
        ("[partition.p]\ncores = 8\nenvironment = ['x']", "CLUSTER_VALUE_WRONG", "partition.p.environment"),
        ("[partition.p]\ncores = 8\nenvironment = {'A;B' = 'x'}", "CLUSTER_VALUE_WRONG", "partition.p.environment"),
        ("[partition.p]\ncores = 8\nenvironment = {'1A' = 'x'}", "CLUSTER_VALUE_WRONG", "partition.p.environment"),
        ("[partition.p]\ncores = 8\nmodules = ['--force']", "CLUSTER_VALUE_WRONG", "partition.p.modules"),
        ("[partition.p]\ncores = 8\nmodules = ['']", "CLUSTER_VALUE_WRONG", "partition.p.modules"),
        ("surprise = 1\n[partition.p]\ncores = 8", "CLUSTER_KEY_UNKNOWN", "surprise"),
        ("partitions = {}\n[partition.p]\ncores = 8", "CLUSTER_KEY_UNKNOWN", "partitions"),
        ("shared = 'relative'\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "shared"),
        ("poll_seconds = 0\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "poll_seconds"),
        ("default = 'q'\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "default"),
        ("commands = {pray = 'x'}\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "commands"),
        ("states = {X = 'GONE'}\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "states.X"),
        ("options = {submit = 'x'}\n[partition.p]\ncores = 8", "CLUSTER_VALUE_WRONG", "options.submit"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, reason: str, key: str) -> None:
    with pytest.raises(StartError) as caught:
        load_cluster(write(tmp_path, text))
    assert caught.value.reason == reason
    assert caught.value.params.get("key", "") == key
    assert str(tmp_path) in caught.value.params["file"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        load_cluster(tmp_path / "none")
    assert caught.value.reason == "CLUSTER_FILE_UNREADABLE"


def test_an_executor_that_is_not_there(tmp_path: Path) -> None:
    cluster = load_cluster(write(tmp_path, "executor = 'abacus'\n[partition.p]\ncores = 8"))
    with pytest.raises(StartError) as caught:
        Server(config(tmp_path / "data", "127.0.0.1:0", cluster=cluster))
    assert caught.value.reason == "EXECUTOR_UNKNOWN"
    assert caught.value.params["known"] == "donau, local, slurm"


def test_meshes_and_runs_lie_in_the_shared_folder_and_it_is_one_servers(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    mine, other = DataFolder(tmp_path / "a", shared), DataFolder(tmp_path / "b", shared)
    for _ in range(2):  # also after a restart
        mine.make()
        mine.claim_shared()
    assert mine.runs == shared / "runs"
    assert mine.meshes == shared / "meshes"
    assert mine.uploads == tmp_path / "a" / "uploads"
    other.make()
    with pytest.raises(StartError) as caught:
        other.claim_shared()
    assert caught.value.reason == "SHARED_FOLDER_IN_USE"
    assert not list(shared.glob(".*"))


def test_the_database_must_not_lie_on_a_network_file_system_but_the_shared_folder_may(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"20 1 8:1 / / rw - ext4 x rw\n21 20 0:3 / {tmp_path}/net rw - lustre x rw\n")
    DataFolder(tmp_path / "data", tmp_path / "net" / "shared").make(mountinfo)
    with pytest.raises(StartError, match="lustre"):
        DataFolder(tmp_path / "net" / "data", tmp_path / "shared").make(mountinfo)


@pytest.mark.parametrize(
    ("executor", "folder", "reason"),
    [
        ("slurm", "", "EXECUTOR_CHANGED"),
        ("local", "/elsewhere", "SHARED_FOLDER_CHANGED"),
        ("local", "", ""),
        ("local", None, ""),  # begun by a version that did not note it
    ],
)
def test_a_server_does_not_take_up_what_it_cannot_look_after(
    tmp_path: Path, executor: str, folder: str | None, reason: str
) -> None:
    """Of a job of another executor, or in another folder, it would say that it has ended, and start it again."""

    async def begun() -> None:
        database = Database(tmp_path / "dougong.db")
        store = JobStore(database, lambda: 1, lambda _: None)
        await database.write(
            lambda db: db.execute("INSERT INTO meshes VALUES (1, 'me', 'm', 'f', 1, 'gmsh', 0)") and None
        )
        for job_id in ("one", "two", "ended", "waiting"):
            analysis = analysis_pb2.Analysis(mesh="m")
            await store.submit(NewJob(job_id, "me", job_id, "c", analysis, job_pb2.Resources(ranks=1)))
            if job_id != "waiting":
                await store.begin_attempt(job_id, f"token {job_id}", executor, folder)  # type: ignore[arg-type]
        await store.move("ended", State.CANCELLED)
        database.close()

    async def started() -> None:
        server = Server(config(tmp_path, "127.0.0.1:0"))
        try:
            await server.start()
        finally:
            await server.stop()

    asyncio.run(begun())
    if not reason:
        asyncio.run(started())
        return
    with pytest.raises(StartError) as caught:
        asyncio.run(started())
    assert caught.value.reason == reason
    assert caught.value.params["count"] == "2"
    assert (executor if reason == "EXECUTOR_CHANGED" else str(folder)) in caught.value.params["theirs"]
