"""House rules about files, and what a user without administrator rights is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    file
    for root in ("proto", "meshes", "solver", "server", "client", "scripts", "examples")
    for file in (ROOT / root).rglob("*.py")
    if not file.name.endswith(("_pb2.py", "_pb2_grpc.py"))
)
MOST_LINES = 500


def test_files_stay_short() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_nothing_is_left_to_do() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    assert [str(file) for file in SOURCES if mark.search(file.read_text(encoding="utf-8"))] == []


def test_make_prints_every_target() -> None:
    answer = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True, timeout=30)
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert [target for target in declared[1].split() if f"make {target} " not in answer.stdout] == []


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux to become another user")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_without_root_one_sentence_names_the_packages() -> None:
    # Not tmp_path, which other users cannot reach.
    with tempfile.TemporaryDirectory() as folder:
        check_set_up_without_root(Path(folder))


def check_set_up_without_root(folder: Path) -> None:
    """Run the set-up of a bare copy as another user."""
    commands = folder / "bin"
    commands.mkdir()
    # A machine on which nothing is installed yet and sudo asks for a password.
    for name, status in (("dpkg-query", 1), ("sudo", 1), ("apt-get", 99)):
        command = commands / name
        command.write_text(f"#!/bin/sh\nexit {status}\n")
        command.chmod(0o755)
    checkout = folder / "checkout"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    shutil.copytree(ROOT / "requirements", checkout / "requirements")
    for name in ("pyproject.toml", "hatch_build.py"):
        shutil.copy(ROOT / name, checkout)
    folder.chmod(0o755)
    checkout.chmod(0o777)
    answer = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(checkout / "scripts" / "setup.sh")],
        env={"PATH": f"{commands}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    for package in ("python3-petsc4py-real", "python3-mpi4py", "openmpi-bin", "libopenblas0-serial", "gcc"):
        assert package in answer.stderr


def pages() -> list[Path]:
    """Every page of documentation."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_pages_that_the_code_names_exist() -> None:
    broken = [
        f"{file.relative_to(ROOT)}: {target}"
        for file in SOURCES
        for target in re.findall(r"\bdocs/[\w/.-]+\.md", file.read_text(encoding="utf-8"))
        if not (ROOT / target).exists()
    ]
    assert broken == []


def test_tests_that_the_architecture_names_exist() -> None:
    page = ROOT / "ARCHITECTURE.md"
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    assert named, "no invariant names its test"
    broken = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or (test and f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert broken == []
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 150
