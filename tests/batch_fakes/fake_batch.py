#!/usr/bin/python3 -IS
"""Commands of batch systems for tests: one program under all their names, over a folder, with faults on demand.

It lies in FOLDER under the names of the commands, for example FOLDER/bin/sbatch, and keeps there
    jobs/ID.json   {"name", "script", "log", "state", "reason", "pid", "start"}: a state written by a test stays
    knobs.json     {"squeue": "fail", "sbatch": {"execute_and_fail": 0.05, "fail": 0.05, "slow": 0.05}}
    calls          one line a call: the command and what was done to it
A fault is fail, hang, empty, garbage, truncated, slow (does it after a second), execute_and_fail, unknown_state,
full (no more jobs are taken for now).
Jobs start at once, each in a session of its own. The daemons of a real one are replaced by whoever asks next.
"""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import sys
import time

NAME = os.path.basename(sys.argv[0])
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
JOBS = os.path.join(FOLDER, "jobs")
ARGUMENTS = sys.argv[1:]
SOCKET_TIMED_OUT = "Socket timed out on send/recv operation"

#: State in the words of Slurm: in those of Donau.
DONAU = {"RUNNING": "RUNNING", "PENDING": "PENDING", "COMPLETED": "SUCCEEDED", "CANCELLED": "STOPPED"}


def main():
    fault = choose_fault()
    with open(os.path.join(FOLDER, "calls"), "a") as calls:
        calls.write(f"{NAME} {fault}\n")
    if fault == "fail":
        end(1, error=f"{NAME}: error: {SOCKET_TIMED_OUT}")
    if fault == "full":
        policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        end(1, error=f"{NAME}: error: Batch job submission failed: {policy}")
    if fault == "hang":
        time.sleep(600)
    if fault == "empty":
        end(0)
    if fault == "garbage":
        end(0, "\x00\xff slurm_load_jobs: |||| \n 42\n")
    if fault == "slow":
        time.sleep(1)
    os.makedirs(JOBS, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        output = COMMANDS[NAME]()
    if fault == "execute_and_fail":
        end(1, error=f"{NAME}: error: Batch job submission failed: {SOCKET_TIMED_OUT}")
    if fault == "truncated":
        output = output[: len(output) // 2]
    if fault == "unknown_state":
        output = re.sub(r"RUNNING|COMPLETED", "TELEPORTING", output)
    end(0, output)


def choose_fault():
    try:
        with open(os.path.join(FOLDER, "knobs.json")) as file:
            wanted = json.load(file).get(NAME, "")
    except FileNotFoundError:
        return ""
    if isinstance(wanted, str):
        return wanted
    value = random.random()
    for fault, part in wanted.items():
        value -= part
        if value < 0:
            return fault
    return ""


def end(code, output="", error=""):
    sys.stdout.write(output)
    sys.stderr.write(error + "\n" if error else "")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def option(*names):
    """The value of an option, written --name=value or -n value."""
    for k, argument in enumerate(ARGUMENTS):
        for name in names:
            if argument.startswith(name + "="):
                return argument[len(name) + 1 :]
            if argument == name:
                return ARGUMENTS[k + 1]
    return ""


def path_of(number):
    return os.path.join(JOBS, f"{number}.json")


def load(number):
    with open(path_of(number)) as file:
        return json.load(file)


def save(number, job):
    with open(path_of(number) + ".tmp", "w") as file:
        json.dump(job, file)
    os.replace(path_of(number) + ".tmp", path_of(number))


def all_jobs():
    numbers = sorted(int(name[:-5]) for name in os.listdir(JOBS) if name.endswith(".json"))
    return [(number, refreshed(number)) for number in numbers]


def refreshed(number):
    job = load(number)
    if job["state"] == "RUNNING" and not session(job["pid"]):
        job["state"] = "COMPLETED"
        save(number, job)
    return job


def session(leader):
    """The processes of a session that are more than zombies."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(name))
    return found


def submit():
    script, log = ARGUMENTS[-1], option("--output", "-oo").replace("%%", "%")
    number = 1 + len(os.listdir(JOBS))
    job = {"name": option("--job-name", "-n"), "script": script, "state": "RUNNING", "reason": "None"}
    save(number, job)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.chdir("/")
        for fd, file, flags in ((0, "/dev/null", os.O_RDONLY), (1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)):
            os.dup2(os.open(file, flags, 0o600), fd)
        os.dup2(1, 2)
        os.closerange(3, 64)
        os.execv("/bin/bash", ["bash", script])
    save(number, {**job, "pid": pid, "start": time.time()})
    return str(number)


def elapsed(job):
    return max(0, int(time.time() - job.get("start", time.time())))


def squeue():
    return "".join(
        f"{number}|{job['state']}|{job['reason']}|0:{elapsed(job) % 60:02d}|{job['name']}\n"
        for number, job in all_jobs()
        if not job.get("forgotten")
    )


def scontrol():
    number = ARGUMENTS[-1]
    if not os.path.exists(path_of(number)) or load(number).get("forgotten"):
        end(1, error="slurm_load_jobs error: Invalid job id specified")
    job = refreshed(number)
    return f"JobId={number} JobName={job['name']} UserId=x(0) JobState={job['state']} Reason=None\n"


def sacct():
    end(1, error="Slurm accounting storage is disabled")


def cancel():
    hard = "--signal=KILL" in ARGUMENTS or "--force" in ARGUMENTS
    for number in ARGUMENTS:
        if number.isdigit():
            job = refreshed(number)
            if job["state"] not in ("RUNNING", "PENDING"):
                continue
            if "pid" in job:
                for pid in session(job["pid"]):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
                until = time.time() + 1
                while session(job["pid"]) and time.time() < until:
                    time.sleep(0.02)
            if "pid" not in job or not session(job["pid"]):
                save(number, {**job, "state": "CANCELLED"})
    return ""


def dsub():
    return f"JOBID      MESSAGE\n{submit():<10} Submit job successfully.\n"


def djob():
    number = option("--id")
    rows = [(n, job) for n, job in all_jobs() if not number or str(n) == number]
    if number and not rows:
        end(1, error=f"Job {number} is not found")
    return "".join(f"{n} {job['name']} {DONAU.get(job['state'], job['state'])}\n" for n, job in rows)


COMMANDS = {
    "sbatch": lambda: submit() + "\n",
    "squeue": squeue,
    "scontrol": scontrol,
    "sacct": sacct,
    "scancel": cancel,
    "dsub": dsub,
    "djob": djob,
    "dkill": cancel,
}
# A site that renamed them.
for new, old in (("batch", "sbatch"), ("queue", "squeue"), ("control", "scontrol"), ("cancel", "scancel")):
    COMMANDS["yh" + new] = COMMANDS[old]

main()
