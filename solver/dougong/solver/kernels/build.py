"""Compiles the kernels into a shared library: ``python -m dougong.solver.kernels.build``.

Done once at set-up, by the distribution's C compiler (environment variable CC, else cc, gcc, clang); never when a job
runs. The library lies beside its sources, named by a digest of them and by the machine, so that a library of other
sources or of another architecture is not loaded by mistake. It holds the same kernels for several instruction sets; the
one for the processor at hand is chosen when it is loaded, so a library built on a login node serves every node.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dougong.solver.kernels.location import FOLDER, SHARED_SOURCES, VARIANT_SOURCE, library_path

#: -ffp-contract=fast lets products and sums fuse where the processor can; the order of sums is never changed.
_FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-ffp-contract=fast", "-fvisibility=hidden", "-fno-math-errno")

#: Instruction sets by machine: name, cells in a vector, compiler flags. "base" runs on every processor of the machine.
_VARIANTS: dict[str, tuple[tuple[str, int, tuple[str, ...]], ...]] = {
    "x86_64": (
        ("base", 2, ()),
        ("avx2", 4, ("-mavx2", "-mfma")),
        ("avx512", 8, ("-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512")),
    ),
    "loongarch64": (("base", 2, ()), ("lasx", 4, ("-mlasx",))),
}
_DEFAULT_VARIANTS: tuple[tuple[str, int, tuple[str, ...]], ...] = (("base", 2, ()),)


class BuildError(Exception):
    """The kernels could not be compiled."""


def find_compiler() -> list[str]:
    """The command of a C compiler.

    Raises
    ------
    BuildError
        There is none.
    """
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return [found]
    raise BuildError("no C compiler found: install gcc or clang, or name one in the environment variable CC")


def build() -> Path:
    """Compile, unless the library is there already.

    An instruction set the compiler does not know is left out; "base" must compile.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    BuildError
        Without compiler, or with what the compiler said.
    """
    target = library_path()
    if target.exists():
        return target
    compiler = find_compiler()
    with tempfile.TemporaryDirectory() as temporary:
        objects, defines = [], []
        for name, width, flags in _VARIANTS.get(platform.machine(), _DEFAULT_VARIANTS):
            obj = Path(temporary, f"{name}.o")
            options = [*_FLAGS, *flags, f"-DDG_NAME={name}", f"-DDG_WIDTH={width}"]
            try:
                _run([*compiler, *options, "-c", str(FOLDER / VARIANT_SOURCE), "-o", str(obj)])
            except BuildError:
                if name == "base":
                    raise
                continue
            objects.append(str(obj))
            defines.append(f"-DDG_HAVE_{name}")
        sources = [str(FOLDER / name) for name in SHARED_SOURCES]
        made = Path(temporary, "kernels.so")
        _run([*compiler, *_FLAGS, "-fvisibility=default", *defines, "-shared", *sources, *objects, "-o", str(made)])
        # A temporary name beside the target, then a rename: nobody ever loads half a file.
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            shutil.copyfile(made, beside)
            beside.chmod(0o755)
            os.replace(beside, target)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise BuildError(f"the kernels cannot be written to {target}: {error.strerror}") from error
    return target


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"the C compiler {command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")


def main() -> int:
    """Build and say where; the exit code is 1 when it did not work."""
    try:
        path = build()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
