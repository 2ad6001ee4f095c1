"""Batch systems as tables: commands, answers, states, the job script. Nothing is run but the script."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_clusters import partition
from dougong.server.batch import script
from dougong.server.batch.system import BatchSystem, Entry, GarbledError, Meaning, duration
from dougong.server.batch.verdict import why_ended, why_unknown
from dougong.server.cluster import MEANINGS, Cluster
from dougong.server.executors import all_executors
from dougong.server.executors.base import Attempt
from dougong.server.executors.donau import SYSTEM as DONAU
from dougong.server.executors.slurm import SYSTEM as SLURM
from dougong.server.jobs.model import RETRYABLE
from dougong.solver import rundir
from dougong.v1 import job_pb2

SYSTEMS = [m.SYSTEM for m in all_executors().values() if hasattr(m, "SYSTEM")]


def attempt(directory: Path, **resources: int) -> Attempt:
    return Attempt("t" * 32, directory, job_pb2.Resources(**{"ranks": 1, **resources}), "17")


# Submit


def test_a_submission_asks_for_what_is_known_and_nothing_else() -> None:
    part = partition(cores=4, nodes=8, account="a b", memory_bytes=0, submit_options=("--qos=long",))
    resources = job_pb2.Resources(ranks=9, memory_bytes=9 << 30, time_limit_seconds=61)
    values = script.request("big", part, resources, "dougong-x", Path("/s/100%"), "log")
    command = SLURM.submit_command(values, part.submit_options)
    assert command == [
        "sbatch",
        "--parsable",
        "--no-requeue",
        "--job-name=dougong-x",
        "--output=/s/100%%/log",
        "--open-mode=append",
        "--chdir=/s/100%",
        "--ntasks=9",
        "--nodes=3",
        "--ntasks-per-node=3",
        "--mem=3072M",
        "--time=2",
        "--partition=big",
        "--account=a b",
        "--qos=long",
        "/s/100%/job.sh",
    ]
    plain = script.request("p", partition(), job_pb2.Resources(ranks=1), "n", Path("/s"), "log")
    assert not [a for a in SLURM.submit_command(plain, ()) if a.startswith(("--mem", "--time", "--account"))]


def test_a_job_without_limits_of_its_own_has_those_of_its_partition() -> None:
    part = partition(memory_bytes=1 << 30, time_limit_seconds=120)
    values = script.request("p", part, job_pb2.Resources(ranks=2), "n", Path("/s"), "log")
    assert (values["memory_mib"], values["minutes"], values["seconds"]) == (1024, 2, 120)


def test_memory_is_that_of_the_node_with_the_most_ranks() -> None:
    resources = job_pb2.Resources(ranks=5, memory_bytes=5 << 30)
    values = script.request("p", partition(cores=4, nodes=2), resources, "n", Path("/s"), "log")
    assert (values["nodes"], values["ranks_per_node"], values["memory_mib"]) == (2, 3, 3 << 10)


def test_a_site_has_its_own_names_and_options() -> None:
    site = dataclasses.replace(
        SLURM, programs={**SLURM.programs, "submit": "yhbatch"}, options={"submit": ("-w", "cn1")}
    )
    assert site.submit_command(script.request("p", partition(), job_pb2.Resources(), "n", Path("/s"), "l"), ())[:3] == [
        "yhbatch",
        "-w",
        "cn1",
    ]


@pytest.mark.parametrize(
    ("system", "answer", "number"),
    [
        (SLURM, "42\n", "42"),
        (SLURM, "42;tianhe\n", "42"),
        (SLURM, "Submitted batch job 42\n", "42"),
        (SLURM, "sbatch: a notice of the site 7 days before maintenance\n42\n", "42"),
        (SLURM, "", None),
        (SLURM, "error 42 happened", None),
        (DONAU, "JOBID      MESSAGE\n8678302    Submit job successfully.\n", "8678302"),
        (DONAU, "<8678302>\n", "8678302"),
        (DONAU, "token does not exist\n", None),
    ],
)
def test_the_id_of_a_submitted_job(system: BatchSystem, answer: str, number: str | None) -> None:
    assert system.submitted_id(answer) == number


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("sbatch: error: Batch job submission failed: Invalid partition name specified", True),
        ("sbatch: error: Batch job submission failed: Requested node configuration is not available", True),
        ("sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: "
         "Requested node configuration is not available", True),
        ("sbatch: error: QOSMaxCpuPerJobLimit\nsbatch: error: Batch job submission failed: Job violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)", True),
        ("sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)", None),
        ("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's "
         "size and/or time limits)", None),
        ("sbatch: error: Batch job submission failed: Required partition not available (inactive or drain)", None),
        ("sbatch: error: Batch job submission failed: Required node not available (down, drained or reserved)", None),
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", False),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", False),
        ("sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received", False),
    ],
)  # fmt: skip
def test_only_a_refusal_for_good_counts_as_one(answer: str, refused: bool | None) -> None:
    """None: it is one for now."""
    assert (SLURM.refuses(answer), SLURM.postpones(answer)) == (refused is True, refused is None)


# Status


def test_a_list_is_read() -> None:
    answer = "1|RUNNING|None|1-02:03:04|dougong-a\n7_[2-3]|PENDING|(a|b)|0:00|some|body's\n\n"
    assert SLURM.entries(answer.replace("(a|b)", "Resources")) == [
        Entry("1", "dougong-a", "RUNNING", "None", 93784.0),
        Entry("7_[2-3]", "some|body's", "PENDING", "Resources", 0.0),
    ]
    assert DONAU.entries("12.0  dougong-a   RUNNING\n 13 b PENDING \n") == [
        Entry("12", "dougong-a", "RUNNING"),
        Entry("13", "b", "PENDING"),
    ]
    assert SLURM.entries("") == []


@pytest.mark.parametrize("answer", ["slurm_load_jobs error: x", "1|RUNNING|None|0:01", "\0\xff|||", "1|running|a|b|c"])
def test_what_is_no_list_is_garbled(answer: str) -> None:
    with pytest.raises(GarbledError):
        SLURM.entries(f"1|RUNNING|None|0:01|x\n{answer}\n")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.title)
@given(text=st.text())
def test_any_answer_is_a_list_or_garbled(system: BatchSystem, text: str) -> None:
    try:
        system.entries(text)
        system.shown_state(text, text)
    except GarbledError:
        pass
    system.past_state(text, text)
    system.submitted_id(text)
    system.refuses(text)
    system.postpones(text)
    system.meaning(text)
    duration(text)


def test_one_job_is_shown() -> None:
    shown = "JobId=5 JobName=dougong-x UserId=root(0) JobState=NODE_FAIL Reason=NodeDown Dependency=(null)\n"
    assert SLURM.shown_state(shown, "dougong-x") == "NODE_FAIL"
    # After a crash of the controller the number may be another job's.
    assert SLURM.shown_state(shown, "dougong-y") is None
    assert SLURM.past_state("other|COMPLETED\ndougong-x|CANCELLED by 1000\n", "dougong-x") == "CANCELLED"
    assert SLURM.past_state("other|COMPLETED\n", "dougong-x") is None
    assert SLURM.shown_state("slurm_load_jobs error: Invalid job id specified\n", "dougong-x") is None
    assert DONAU.shown_state("17 dougong-x SUCCEEDED\n", "dougong-x") == "SUCCEEDED"
    assert DONAU.shown_state("Job 17 is not found\n", "dougong-x") is None
    for answer in ("", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"):
        with pytest.raises(GarbledError):
            SLURM.shown_state(answer, "dougong-x")
    with pytest.raises(GarbledError):
        # The token of the user has run out: that says nothing of the job.
        DONAU.shown_state("Error: the token does not exist, please dlogin\n", "dougong-x")


# States

#: slurm.h, squeue(1) and sacct(1): base states and flags, as they are printed.
EVERY_SLURM_STATE = {
    "PENDING", "RUNNING", "SUSPENDED", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
    "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "CONFIGURING", "COMPLETING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD",
    "RESIZING",
    "RESV_DEL_HOLD", "REVOKED", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "LAUNCH_FAILED", "RECONFIG_FAIL",
}  # fmt: skip


def test_every_state_means_something() -> None:
    assert set(SLURM.states) == EVERY_SLURM_STATE
    for system in SYSTEMS:
        assert set(system.states.values()) <= set(MEANINGS)
    assert SLURM.meaning("CANCELLED+") == SLURM.meaning("CANCELLED by 0") == "CANCELLED_OUTSIDE"
    assert SLURM.meaning("TELEPORTING") is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("TIMEOUT", "TIME_LIMIT"),
        ("PREEMPTED", "PREEMPTED"),
        ("NODE_FAIL", "NODE_FAILED"),
        ("OUT_OF_MEMORY", "OUT_OF_MEMORY"),
        ("CANCELLED", "CANCELLED_OUTSIDE"),
        ("BOOT_FAIL", "NODE_BOOT_FAILED"),
        ("DEADLINE", "DEADLINE_PASSED"),
        ("COMPLETED", "WORKER_DIED"),
        ("FAILED", "WORKER_DIED"),
    ],
)
def test_each_end_has_its_own_reason_in_both_languages(tmp_path: Path, state: str, reason: str) -> None:
    rundir.raise_fence(tmp_path, "t")
    one = attempt(tmp_path, time_limit_seconds=60, memory_bytes=1000)
    why = why_ended("Slurm", one, partition(), str(SLURM.meaning(state)), state)
    assert why.reason == reason
    for text in (why.text, why.text_zh):
        assert "{" not in text
        assert len(text) > 10
    assert (reason in RETRYABLE) == (state in ("PREEMPTED", "NODE_FAIL", "BOOT_FAIL"))


def test_how_a_job_ended_that_nobody_knows(tmp_path: Path) -> None:
    one = attempt(tmp_path)
    assert why_unknown("Slurm", one).reason == "LAUNCH_FAILED"
    assert why_ended("Slurm", one, partition(), Meaning.ENDED, "COMPLETED").reason == "LAUNCH_FAILED"
    rundir.raise_fence(tmp_path, "t")
    assert why_unknown("Slurm", one).reason == "BATCH_JOB_LOST"
    (tmp_path / script.EXIT).write_text("137\n")
    assert why_unknown("Slurm", one).params["cause"].startswith("signal 9")
    (tmp_path / script.EXIT).write_text("")
    assert why_unknown("Slurm", one).reason == "BATCH_JOB_LOST"


def test_a_job_that_was_started_again_behind_our_back_is_no_dead_worker(tmp_path: Path) -> None:
    """The first run was ended for it, and its exit code tells nothing."""
    rundir.raise_fence(tmp_path, "t")
    (tmp_path / script.EXIT).write_text("143\n")
    (tmp_path / script.COPY).touch()
    for why in (
        why_ended("Slurm", attempt(tmp_path), partition(), Meaning.ENDED, "FAILED"),
        why_unknown("Slurm", attempt(tmp_path)),
    ):
        assert why.reason == "BATCH_REQUEUED"
        assert why.reason in RETRYABLE


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:05", 5), ("1:00:01", 3601), ("2-00:00:00", 172800), ("7", 7), ("INVALID", 0), ("", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


# The script


def test_one_rank_needs_no_launcher() -> None:
    assert script.launcher(SLURM, partition(launcher="native"), "mpiexec", 1) == []


def test_launchers() -> None:
    native = partition(launcher="native", binding="cores", ranks_per_numa=12, launcher_options=("--mpi=pmix",))
    assert script.launcher(SLURM, native, "mpiexec", 48) == [
        "srun", "--kill-on-bad-exit=1", "--ntasks=48", "--cpu-bind=cores", "--ntasks-per-socket=12",
        "--distribution=block:cyclic", "--mpi=pmix",
    ]  # fmt: skip
    mpi = partition(binding="cores", ranks_per_numa=12, launcher_options=("--mca", "pml", "ucx"))
    assert script.launcher(SLURM, mpi, "/opt/mpiexec", 48) == [
        "/opt/mpiexec", "-n", "48", "--bind-to", "core", "--map-by", "ppr:12:numa", "--mca", "pml", "ucx",
    ]  # fmt: skip
    assert script.launcher(SLURM, partition(), "mpiexec", 2) == ["mpiexec", "-n", "2", "--bind-to", "none"]


def test_the_nodes_have_a_python_of_their_own() -> None:
    cluster = Cluster({"p": partition()}, python="/shared/venv/bin/python")
    assert script.worker_command(cluster, ["/here/python", "-s", "x"]) == ["/shared/venv/bin/python", "-s", "x"]


@given(values=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20), min_size=3))
def test_nothing_in_the_script_is_more_than_text(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    directory = tmp_path_factory.mktemp("it's $(touch x) `touch x`; touch x")
    command = ["/usr/bin/printf", "%s\\0", *values]
    variables = {"PATH": "/usr/bin:/bin", "ODD": values[0]}
    (directory / "job.sh").write_text(script.job_script(variables, (), command, directory), newline="")
    done = subprocess.run(["/bin/bash", directory / "job.sh"], capture_output=True, check=True, timeout=10, env={})
    assert done.stdout.decode() == "".join(v + "\0" for v in values)
    assert sorted(p.name for p in directory.iterdir()) == ["exit", "job.sh"]


def test_the_script_leaves_its_exit_code_also_when_it_is_asked_to_end(tmp_path: Path) -> None:
    assert script.read_exit_code(tmp_path) is None
    command = ["/bin/bash", "-c", "kill -TERM $PPID; sleep 0.1; exit 7"]
    (tmp_path / "job.sh").write_text(script.job_script({"PATH": "/usr/bin:/bin"}, (), command, tmp_path))
    done = subprocess.run(["/bin/bash", tmp_path / "job.sh"], check=False, timeout=10)
    assert done.returncode == script.read_exit_code(tmp_path) == 7


def test_modules_are_loaded_after_the_variables_to_which_they_add(tmp_path: Path) -> None:
    lines = script.job_script({"PATH": "/bin"}, ["petsc/3.22", "a b"], ["true"], tmp_path).splitlines()
    assert lines[0] == "#!/bin/bash -l"
    loads = [line.partition(" ||")[0] for line in lines]
    assert loads.index("export PATH=/bin") < loads.index("module load petsc/3.22") < loads.index("module load 'a b'")


@pytest.mark.parametrize("fenced", [False, True])
def test_without_a_module_nothing_is_computed_and_it_is_said(tmp_path: Path, fenced: bool) -> None:
    """Here no module can be loaded. A copy that comes too late does not speak for who has the run directory."""
    if fenced:
        rundir.raise_fence(tmp_path, "t")
    variables = {"PATH": "/usr/bin:/bin"}
    (tmp_path / "job.sh").write_text(script.job_script(variables, ["petsc/3.22"], ["/usr/bin/touch", "ran"], tmp_path))
    with (tmp_path / rundir.LOG).open("w") as log:
        done = subprocess.run(["/bin/bash", tmp_path / "job.sh"], check=False, timeout=10, env={}, stderr=log)
    assert done.returncode == script.EXIT_MODULE
    assert not (tmp_path / "ran").exists()
    assert script.read_exit_code(tmp_path) == (None if fenced else script.EXIT_MODULE)
    if not fenced:
        why = why_ended("Slurm", attempt(tmp_path), partition(), Meaning.ENDED, "FAILED")
        assert why.reason == why_unknown("Slurm", attempt(tmp_path)).reason == "MODULE_NOT_LOADED"
        assert "petsc/3.22" in why.text
        assert why.reason not in RETRYABLE


def test_a_copy_that_found_the_run_directory_taken_leaves_no_exit_code(tmp_path: Path) -> None:
    def end(code: int) -> tuple[int | None, bool]:
        command = ["/bin/bash", "-c", f"exit {code}"]
        (tmp_path / "job.sh").write_text(script.job_script({"PATH": "/usr/bin:/bin"}, (), command, tmp_path))
        assert subprocess.run(["/bin/bash", tmp_path / "job.sh"], check=False, timeout=10).returncode == code
        return script.read_exit_code(tmp_path), script.was_copy(tmp_path)

    assert end(rundir.EXIT_NOT_MINE) == (None, True)
    # Whose it is ends later: that counts. A run after that one is a copy again.
    assert end(7) == (7, False)
    assert end(rundir.EXIT_NOT_MINE) == (7, True)


def test_the_variables_of_the_ranks() -> None:
    part = partition(environment={"UCX_TLS": "self,sm"})
    variables = script.environment({"PATH": "/bin", "PETSC_DIR": "/petsc"}, part, "token")
    assert variables["OMP_NUM_THREADS"] == "1"
    assert variables["DOUGONG_TOKEN"] == "token"
    assert variables["PETSC_DIR"] == "/petsc"
    assert variables["UCX_TLS"] == "self,sm"
