"""Puts the compiled kernels into the wheel, where a C compiler exists; without one the wheel is pure Python."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Not the package itself, whose modules need numpy, which a build environment does not have.
COMPILE = """
import sys, types
package = types.ModuleType("dougong.solver.kernels")
package.__path__ = [sys.argv[1]]
sys.modules[package.__name__] = package
from dougong.solver.kernels.build import main
sys.exit(main())
"""
ROOTS = ("proto", "meshes", "solver", "server", "client")


class KernelHook(BuildHookInterface[Any]):
    """Compiles before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the library, which git ignores, as part of the wheel."""
        root = Path(self.root)
        if version == "editable":
            return
        path = os.pathsep.join(str(root / name) for name in ROOTS)
        answer = subprocess.run(
            [sys.executable, "-c", COMPILE, str(root / "solver/dougong/solver/kernels")],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            self.app.display_warning(f"The kernels were not compiled; the wheel works without them.\n{answer.stderr}")
            return
        library = Path(answer.stdout.strip()).resolve().relative_to(root.resolve())
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(f"/{library}")
        build_data["pure_python"] = False
        # The library is called through ctypes: bound to the platform, not to a version of Python.
        build_data["tag"] = f"py3-none-{platform}"
