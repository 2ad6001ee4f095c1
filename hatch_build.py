"""Puts the compiled kernels into the wheel, where a C compiler exists; without one the wheel is pure Python."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOTS = ("proto", "meshes", "solver", "server", "client")
KERNELS = Path("solver/dougong/solver/kernels")


class KernelHook(BuildHookInterface[Any]):
    """Compiles before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the libraries, which git ignores, as part of the wheel."""
        root = Path(self.root)
        if version == "editable" or not (root / KERNELS / "build.py").exists():
            return
        path = os.pathsep.join([*(str(root / name) for name in ROOTS), *filter(None, sys.path)])
        answer = subprocess.run(
            [sys.executable, "-m", "dougong.solver.kernels.build"],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            self.app.display_warning(f"The kernels were not compiled; the wheel works without them.\n{answer.stderr}")
            return
        libraries = sorted(file.relative_to(root) for file in (root / KERNELS).rglob("*.so"))
        if libraries:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["artifacts"] += [f"/{file}" for file in libraries]
            build_data["pure_python"] = False
            # The libraries are called through ctypes: bound to the platform, not to a version of Python.
            build_data["tag"] = f"py3-none-{platform}"
