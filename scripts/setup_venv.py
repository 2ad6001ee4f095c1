"""Make .venv, run by setup.sh with the interpreter for which the distribution's petsc4py is built.

The environment is isolated, except for petsc4py, slepc4py and mpi4py of the distribution: those are built against the
PETSc and the MPI that are installed, and come in by symbolic links. Nothing has to be exported for them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
DISTRIBUTION = Path("/usr/lib/python3/dist-packages")


def main(petsc_packages: Path) -> None:
    """Make or complete the environment.

    Parameters
    ----------
    petsc_packages
        The folder that holds the petsc4py to use.
    """
    python = ENVIRONMENT / "bin" / "python"
    if origin_of(python) != (sys.base_prefix, *sys.version_info[:2]):
        print("Making .venv")
        venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=True)
    site_packages = next((ENVIRONMENT / "lib").glob("python3*/site-packages"))
    link(site_packages, petsc_packages / "petsc4py")
    link(site_packages, DISTRIBUTION / "mpi4py")
    for slepc in sorted(Path("/usr/lib/slepcdir").glob("slepc[0-9]*/*-real/lib/python3/dist-packages/slepc4py")):
        link(site_packages, slepc)

    print("Installing Python packages")
    install_requirements(python, numpy_of_distribution())
    pip(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    # A path file made by hand would put the source roots on the path a second time.
    (site_packages / "dougong-dev.pth").unlink(missing_ok=True)
    # Whether the links lead to what they should; a single process needs no launcher.
    run([str(python), "-c", "from petsc4py import PETSc; from mpi4py import MPI"])


def origin_of(python: Path) -> tuple[str, int, int] | None:
    """From which installation an environment's interpreter comes, and its version; None if it cannot be run."""
    code = "import sys; print(sys.base_prefix, *sys.version_info[:2], sep='\\n')"
    try:
        answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    prefix, major, minor = answer.stdout.splitlines()
    return prefix, int(major), int(minor)


def link(site_packages: Path, target: Path) -> None:
    """Make a package of the distribution visible in the environment."""
    if not target.is_dir():
        raise SystemExit(f"{target} is missing though its Debian package is installed")
    place = site_packages / target.name
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def numpy_of_distribution() -> int:
    """Major version of the distribution's numpy, against which its petsc4py is built."""
    # Not the numpy that somebody may have installed for the whole machine with pip.
    code = f"import sys; sys.path.insert(0, {str(DISTRIBUTION)!r}); import numpy; print(numpy.__version__)"
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    return int(answer.stdout.split(".")[0])


def install_requirements(python: Path, numpy_major: int) -> None:
    """Install what pyproject.toml asks for, in the tested versions where this machine has wheels for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    wanted.append("numpy<2" if numpy_major < 2 else "numpy>=2")
    pins = [ROOT / "requirements" / "tested.txt", ROOT / "requirements" / f"tested-numpy{min(numpy_major, 2)}.txt"]
    constraints = [argument for file in pins for argument in ("--constraint", str(file))]
    try:
        pip(python, "--only-binary=:all:", *constraints, *wanted)
    except subprocess.CalledProcessError:
        print("The tested versions do not all exist for this machine; taking the newest that do.")
        pip(python, "--prefer-binary", *wanted)


def pip(python: Path, *arguments: str) -> None:
    """Run pip install quietly; its messages appear only if it fails."""
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", *arguments]
    # A user's own site-packages and PYTHONPATH must not count as installed.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, check=True, env=environment | {"PYTHONNOUSERSITE": "1"})


def run(command: list[str]) -> None:
    """Run a command from the root of the checkout; a failure ends the set-up."""
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    if shutil.which("mpiexec") is None:
        raise SystemExit("mpiexec is missing though openmpi-bin is installed")
    try:
        main(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"set-up failed: {' '.join(error.cmd[:6])} ... ended with {error.returncode}") from error
