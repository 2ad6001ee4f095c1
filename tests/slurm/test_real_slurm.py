"""A real server before a real Slurm of two nodes, without accounting; `make test-slurm` runs this.

All commands have other names (links to the real ones), as at a site with a Slurm of its own. The controller forgets an
ended job after a few seconds.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_clusters import partition, real_cluster, real_slurm, write_description
from dougong.server import processes
from dougong.solver import rundir
from dougong.v1 import job_pb2
from integration.test_server_solver import PULL, E, N, _analysis, _bar, _tip
from server_harness import ServerProcess, request, until
from slurm.one_machine import OneMachine, missing

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(180)]

J = job_pb2.Job

#: The wrapper of a site around its submit command: while a file "lie" is there, it does it and reports that it failed.
_SUBMIT = """\
#!/bin/bash
{here}/yhbatch-real "$@" || exit
[ -e {here}/lie ] || exit 0
rm {here}/lie
echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
exit 1
"""


@pytest.fixture(scope="module")
def slurm() -> OneMachine:
    # Not skipped: who runs this file wants it run.
    assert not missing(), missing()
    return real_slurm()


@pytest.fixture(scope="module")
def site(slurm: OneMachine) -> Path:
    """A folder with the description of the cluster, and its commands under other names."""
    names = {"status": "yhqueue", "detail": "yhcontrol", "history": "yhacct", "cancel": "yhcancel", "launch": "yhrun"}
    real = {"status": "squeue", "detail": "scontrol", "history": "sacct", "cancel": "scancel", "launch": "srun"}
    folder = slurm.folder / "site"
    folder.mkdir()
    for what, name in names.items():
        (folder / name).symlink_to(str(shutil.which(real[what])))
    (folder / "yhbatch-real").symlink_to(str(shutil.which("sbatch")))
    (folder / "yhbatch").write_text(_SUBMIT.format(here=folder))
    (folder / "yhbatch").chmod(0o755)
    partitions = {
        "debug": partition(),
        "spread": partition(cores=1),
        "native": partition(launcher="native", launcher_options=("--mpi=pmix",)),
        "minute": partition(time_limit_seconds=60),
        "single": partition(cores=1, nodes=2),
        "huge": partition(cores=64, nodes=1),
    }
    commands = {what: str(folder / name) for what, name in {**names, "submit": "yhbatch"}.items()}
    cluster = real_cluster(partitions=partitions, commands=commands, shared=folder / "shared", cores=64)
    write_description(cluster, folder / "cluster.toml")
    return folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(cluster_file=str(site / "cluster.toml"))
    # Run directories lie in the shared folder.
    process.run_directory = lambda job_id, attempt=1: site / "shared" / "runs" / job_id / str(attempt)  # type: ignore[method-assign]
    try:
        yield process
    finally:
        process.end()


@pytest.fixture(scope="module")
def overdue(server: ServerProcess) -> tuple[str, float]:
    """A job that Slurm itself ends after a minute; it is started before all others, and waited for last."""
    return server.submit("wait", partition="minute").job_id, time.monotonic()  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _begun(overdue: tuple[str, float]) -> None:
    """Every test comes after it was submitted."""


def batch_ids(slurm: OneMachine, token: str) -> list[str]:
    lines = slurm.run("squeue", "-h", "-t", "all", "-o", "%i %j").splitlines()
    return [line.split()[0] for line in lines if line.endswith(token)]


def token_of(server: ServerProcess, job_id: str, attempt: int = 1) -> str:
    until((server.run_directory(job_id, attempt) / rundir.SPEC).exists)
    return rundir.read_spec(server.run_directory(job_id, attempt)).token


@pytest.mark.parametrize(("where", "ranks"), [("debug", 1), ("debug", 2), ("spread", 2), ("native", 2)])
def test_the_solver_runs(site: Path, where: str, ranks: int) -> None:
    """The real one: on one rank, two ranks, two nodes, and under Slurm's own launcher."""
    # A second server for one cluster has a shared folder of its own.
    text = (site / "cluster.toml").read_text().replace("/shared", f"/shared-{where}-{ranks}")
    (site / f"{where}.toml").write_text(text)
    python = (sys.executable, "-s", "-P")
    solver = ServerProcess(
        cluster_file=str(site / f"{where}.toml"),
        worker_command=(*python, "-u", "-m", "mpi4py", "-m", "dougong.solver.worker"),
        check_command=(*python, "-m", "dougong.solver.check"),
    )
    try:
        message = request("", solver.upload(_bar(), format="abaqus").mesh_id, ranks, partition=where)  # type: ignore[arg-type]
        message.analysis.CopyFrom(_analysis(message.analysis.mesh))
        job = solver.wait(solver.jobs.SubmitJob(message, timeout=60).job_id, 60)
        assert (job.state, job.attempts) == (J.STATE_SUCCEEDED, 1), job.failure.text
        assert _tip(solver, job.job_id) == pytest.approx(PULL / E * 3, rel=1e-6)
        assert N == 3
    finally:
        solver.end()


def test_a_job_over_two_nodes_is_on_both(server: ServerProcess, slurm: OneMachine) -> None:
    job_id = server.submit("release", ranks=2, partition="spread").job_id  # type: ignore[arg-type]
    server_wait_running(server, job_id, 2)
    (number,) = batch_ids(slurm, token_of(server, job_id))
    assert slurm.run("squeue", "-h", "-j", number, "-o", "%N").strip() == "n[1-2]"
    nodes = {environ(pid).get("SLURM_NODEID") for pid in ranks_of(server, job_id).values()}
    assert nodes == {"0", "1"}
    (server.run_directory(job_id) / "release").touch()
    assert server.wait(job_id).state == J.STATE_SUCCEEDED


def server_wait_running(server: ServerProcess, job_id: str, ranks: int = 1, attempt: int = 1) -> None:
    log = server.run_directory(job_id, attempt) / rundir.LOG
    until(lambda: log.exists() and log.read_text().count("rank ") >= ranks, 40)
    until(lambda: server.get(job_id).state == J.STATE_RUNNING, 40)


def environ(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(e.split("=", 1) for e in entries if "=" in e)


def ranks_of(server: ServerProcess, job_id: str) -> dict[int, int]:
    """Process numbers by rank."""
    found = {pid: environ(pid) for pid in processes.find(token_of(server, job_id))}
    ranks = {pid: e.get("OMPI_COMM_WORLD_RANK", e.get("PMIX_RANK")) for pid, e in found.items()}
    return {int(rank): pid for pid, rank in ranks.items() if rank is not None}


@pytest.mark.parametrize("name", ["wait", "deaf"])
def test_cancel(server: ServerProcess, slurm: OneMachine, name: str) -> None:
    job_id = server.submit(name, ranks=2).job_id
    server_wait_running(server, job_id, 2)
    token = token_of(server, job_id)
    began = time.monotonic()
    server.jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job_id))
    assert server.wait(job_id).state == J.STATE_CANCELLED
    assert time.monotonic() - began < 25  # five times the figure
    assert processes.find(token) == []


def test_an_administrator_cancels(server: ServerProcess, slurm: OneMachine) -> None:
    job_id = server.submit("wait").job_id
    server_wait_running(server, job_id)
    slurm.run("scancel", *batch_ids(slurm, token_of(server, job_id)))
    job = server.wait(job_id)
    assert (job.state, job.failure.reason, job.attempts) == (J.STATE_FAILED, "CANCELLED_OUTSIDE", 1)


def test_the_time_limit_of_a_job(server: ServerProcess) -> None:
    job_id = server.submit("wait", time_limit_seconds=3).job_id
    token = token_of(server, job_id)
    job = server.wait(job_id)
    assert (job.state, job.failure.reason) == (J.STATE_FAILED, "TIME_LIMIT")
    assert processes.find(token) == []


@pytest.mark.parametrize("where", ["debug", "native"])
def test_a_killed_rank_is_seen(server: ServerProcess, where: str) -> None:
    """A dead rank ends the others, under mpiexec and under srun; within a minute."""
    job_id = server.submit("wait", ranks=2, partition=where).job_id  # type: ignore[arg-type]
    server_wait_running(server, job_id, 2)
    token = token_of(server, job_id)
    began = time.monotonic()
    os.kill(ranks_of(server, job_id)[1], signal.SIGKILL)
    job = server.wait(job_id, 60)
    assert (job.state, job.failure.reason) == (J.STATE_FAILED, "WORKER_DIED"), job.failure.text
    assert job.failure.rank == 1, job.failure.text
    assert time.monotonic() - began < 60
    until(lambda: not processes.find(token))


def test_a_submission_that_is_said_to_have_failed(server: ServerProcess, slurm: OneMachine, site: Path) -> None:
    (site / "lie").touch()
    job_id = server.submit("release").job_id
    server_wait_running(server, job_id)
    assert not (site / "lie").exists()
    assert len(batch_ids(slurm, token_of(server, job_id))) == 1
    (server.run_directory(job_id) / "release").touch()
    job = server.wait(job_id)
    assert (job.state, job.attempts) == (J.STATE_SUCCEEDED, 1)


def test_a_job_that_can_never_be_placed(server: ServerProcess, slurm: OneMachine) -> None:
    job_id = server.submit("solve", ranks=2, partition="single").job_id  # type: ignore[arg-type]
    job = server.wait(job_id)
    assert (job.state, job.failure.reason, job.attempts) == (J.STATE_FAILED, "BATCH_NEVER", 1)
    # Slurm names the one or the other, depending on when it looks at the nodes.
    assert re.search("PartitionNodeLimit|PartitionConfig", job.failure.text)
    assert "Partition" in job.failure.text_zh


def test_a_job_that_is_refused(server: ServerProcess) -> None:
    job = server.wait(server.submit("solve", partition="huge").job_id)  # type: ignore[arg-type]
    assert (job.state, job.failure.reason, job.attempts) == (J.STATE_FAILED, "BATCH_REFUSED", 1)


def test_the_server_comes_back_when_everything_is_forgotten(server: ServerProcess, slurm: OneMachine) -> None:
    """Two jobs end while nobody looks, one well and one not; the controller forgets both."""
    good, bad = server.submit("release").job_id, server.submit("exit 9").job_id
    until(lambda: (server.run_directory(bad) / "exit").exists(), 40)
    bad2 = server.submit("release").job_id
    for job_id in (good, bad2):
        server_wait_running(server, job_id)
    tokens = [token_of(server, job_id) for job_id in (good, bad2)]
    server.kill()
    (server.run_directory(good) / "release").touch()
    for pid in processes.find(tokens[1]):
        # The script first: it would leave the exit code.
        os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(batch_ids(slurm, token) for token in tokens), 60)
    server.start()
    assert server.wait(good).state == J.STATE_SUCCEEDED
    assert server.get(good).attempts == 1
    assert server.wait(bad).failure.reason == "WORKER_DIED"
    # Nothing is known of how it ended, not even an exit code: that is no success, and it is tried again.
    until(lambda: server.get(bad2).attempts == 2, 40)
    server_wait_running(server, bad2, attempt=2)
    (server.run_directory(bad2, 2) / "release").touch()
    assert server.wait(bad2).state == J.STATE_SUCCEEDED


def test_the_controller_is_started_again(server: ServerProcess, slurm: OneMachine) -> None:
    """What runs goes on, what ends meanwhile is known, and what is submitted meanwhile waits."""
    going, ending = server.submit("release").job_id, server.submit("release").job_id
    for job_id in (going, ending):
        server_wait_running(server, job_id)
    slurm.stop_controller()
    (server.run_directory(ending) / "release").touch()
    assert server.wait(ending).state == J.STATE_SUCCEEDED
    meanwhile = server.submit("solve").job_id
    time.sleep(2)
    assert server.get(going).state == J.STATE_RUNNING
    assert server.get(meanwhile).state == J.STATE_PREPARING
    slurm.start_controller()
    assert server.wait(meanwhile, 90).state == J.STATE_SUCCEEDED
    (server.run_directory(going) / "release").touch()
    assert server.wait(going, 60).state == J.STATE_SUCCEEDED
    assert {server.get(job_id).attempts for job_id in (going, ending, meanwhile)} == {1}


def test_a_node_is_lost_while_its_step_lives_on(server: ServerProcess, slurm: OneMachine) -> None:
    """The step writes its answer after the job was tried again elsewhere: it is one job with one answer."""
    job_id = server.submit("release").job_id
    server_wait_running(server, job_id)
    token = token_of(server, job_id)
    (number,) = batch_ids(slurm, token)
    node = slurm.run("squeue", "-h", "-j", number, "-o", "%N").strip()
    slurm.kill(node)
    until(lambda: server.get(job_id).attempts == 2, 90)
    server_wait_running(server, job_id, attempt=2)
    assert processes.find(token), "the step was to live on"
    assert rundir.is_revoked(server.run_directory(job_id))
    (server.run_directory(job_id) / "release").touch()
    until((server.run_directory(job_id) / rundir.OUTCOME).exists)
    time.sleep(1)
    assert server.get(job_id).state == J.STATE_RUNNING
    (server.run_directory(job_id, 2) / "release").touch()
    job = server.wait(job_id)
    assert (job.state, job.attempts) == (J.STATE_SUCCEEDED, 2)
    slurm.start_node(node)
    slurm.wait_ready()


def test_slurm_ends_a_job_at_its_limit(server: ServerProcess, overdue: tuple[str, float]) -> None:
    job_id, began = overdue
    job = server.wait(job_id, 150)
    assert (job.state, job.failure.reason) == (J.STATE_FAILED, "TIME_LIMIT"), job.failure.text
    assert job.failure.params["limit_seconds"] == "60"
    assert time.monotonic() - began > 50
