"""Runs the verification tests on every path by which an answer comes about, and says which of them hold.

    python tests/paths.py [--paths fused,plain] [--ranks 1,2,3,4] [arguments of pytest]

A path is a way of computing: "fused" takes the compiled kernels, "plain" the forms of scikit-fem alone; "matrix-free"
and "assembled" take the kernels and iterate wherever a test leaves the method open, on quadratic cells without a matrix
or with one. With several ranks pytest itself runs under mpiexec: all ranks run each test together, solve it together,
and check each its part.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What each path sets in the environment.
PATHS: Mapping[str, Mapping[str, str]] = {
    "fused": {},
    "plain": {"DOUGONG_KERNELS": "off"},
    "matrix-free": {"DOUGONG_TEST_SOLVER": "matrix-free"},
    "assembled": {"DOUGONG_TEST_SOLVER": "assembled"},
}

#: Seconds after which a combination is taken as hanging.
TIMEOUT = 900


def run(path: str, ranks: int, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run pytest on a path.

    Raises
    ------
    subprocess.TimeoutExpired
        It hangs.
    """
    launcher = ["mpiexec", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    command = [*launcher, sys.executable, "-s", "-P", "-u", "-m", "mpi4py", str(Path(__file__)), "--inside", *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "PRTE_", "DOUGONG_"))}
    root = {f"{n}_ALLOW_RUN_AS_ROOT{s}": "1" for n in ("OMPI", "PRTE") for s in ("", "_CONFIRM")}
    environment = clean | root | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | dict(PATHS[path])
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def _inside(arguments: list[str]) -> int:
    """Pytest on this rank; rank 0 prints, another only what it finds wrong. A failure ends all ranks."""
    import io

    import pytest
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    said = io.StringIO()
    # Ranks of a test wait for each other: after a failure on one of them there is no going on.
    options = [
        *(["-x"] if world.size > 1 else []),
        "-q",
        "--color=no",
        "-p",
        "no:cacheprovider",
        "-m",
        "not mpi",
        *arguments,
    ]
    with contextlib.redirect_stdout(said) if world.rank else contextlib.nullcontext():
        code = int(pytest.main(options))
    if code and world.size > 1:
        sys.stdout.write(said.getvalue())
        sys.stdout.flush()
        world.Abort(1)
    return code


def main(arguments: list[str]) -> int:
    """Run all combinations and print a line for each."""
    if arguments[:1] == ["--inside"]:
        return _inside(arguments[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", default=",".join(PATHS), help=f"some of {', '.join(PATHS)}")
    parser.add_argument("--ranks", default="1,2,3,4", help="numbers of ranks")
    options, rest = parser.parse_known_args(arguments)
    failed = []
    for path in options.paths.split(","):
        for ranks in map(int, options.ranks.split(",")):
            start = time.perf_counter()
            ended = run(path, ranks, rest or ["tests/verification"])
            last = next((line for line in reversed(ended.stdout.splitlines()) if " passed" in line), "nothing passed")
            sys.stdout.write(f"{path:12} {ranks} ranks  {'ok    ' if ended.returncode == 0 else 'FAILED'}  {last}")
            sys.stdout.write(f", {time.perf_counter() - start:.0f} s in all\n")
            sys.stdout.flush()
            if ended.returncode:
                failed.append(f"{path} on {ranks}")
                sys.stdout.write(ended.stdout + ended.stderr)
    sys.stdout.write(f"FAILED: {', '.join(failed)}\n" if failed else "every path holds\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
