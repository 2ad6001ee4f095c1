"""Import rules that import-linter cannot state, and the layout they rest on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = ("proto", "meshes", "solver", "server", "client")
#: Not from PyPI: they come with the distribution's PETSc, SLEPc and MPI.
FROM_THE_DISTRIBUTION = {"petsc4py", "slepc4py", "mpi4py"}
#: Folders whose modules are found by scan; a module whose name begins with an underscore is a helper of its neighbours.
PLUGINS = {
    "meshes/dougong/meshes/formats": {"base"},
    "solver/dougong/solver/physics": {"base"},
    "solver/dougong/solver/procedures": {"base"},
    "server/dougong/server/executors": {"base"},
}


def python_files(root: str) -> list[Path]:
    """Our own Python files below one source root, without generated ones."""
    files = (ROOT / root).rglob("*.py")
    return sorted(file for file in files if not file.name.endswith(("_pb2.py", "_pb2_grpc.py")))


def imports(file: Path) -> list[str]:
    """Every module that a file imports, also inside functions."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_no_source_root_hides_the_others(root: str) -> None:
    assert not (ROOT / root / "dougong" / "__init__.py").exists()


@pytest.mark.parametrize("folder", sorted(PLUGINS))
def test_plugins_do_not_import_each_other(folder: str) -> None:
    modules = {file.stem for file in (ROOT / folder).glob("[a-z]*.py")} - PLUGINS[folder]
    package = folder.split("/", 1)[1].replace("/", ".")
    offences = [
        f"{folder}/{name}.py imports {module}"
        for name in modules
        for module in imports(ROOT / folder / f"{name}.py")
        if module.startswith(f"{package}.") and module.removeprefix(f"{package}.").split(".")[0] in modules - {name}
    ]
    assert not offences


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {}
    for root in ROOTS:
        for file in python_files(root):
            parts = file.relative_to(ROOT / root).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    left = {}
    for name, file in modules.items():
        found = imports(file)
        # `from package import module` is told as the package too, which is meant only where there is no such module.
        packages = {i.rpartition(".")[0] for i in found if i in modules}
        left[name] = {i for i in found if i in modules and i != name and i not in packages}
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"they import each other, or one of those that do: {sorted(left)}"


def test_every_third_party_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(item for name in ("render", "server", "solver", "med") for item in extras[name]),
    ]
    declared = {re.split(r"[^A-Za-z0-9._-]", item)[0].lower().replace("_", "-") for item in wanted}
    providers = packages_distributions()
    undeclared = set()
    for root in ROOTS:
        for file in python_files(root):
            for module in imports(file):
                top = module.split(".")[0]
                if top in sys.stdlib_module_names or top == "dougong" or top in FROM_THE_DISTRIBUTION:
                    continue
                distributions = {name.lower().replace("_", "-") for name in providers.get(top, [top])}
                if not distributions & declared:
                    undeclared.add(f"{file.relative_to(ROOT)}: {top}")
    assert not undeclared


def test_server_process_loads_no_numerics() -> None:
    modules = [
        ".".join(file.relative_to(ROOT / "server").with_suffix("").parts)
        for file in python_files("server")
        if file.stem not in ("__init__", "__main__")
    ]
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "forbidden = {'petsc4py', 'slepc4py', 'mpi4py', 'scipy', 'skfem', 'meshio', 'h5py'}\n"
        "print(sorted(forbidden & {name.split('.')[0] for name in sys.modules}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert answer.stdout.strip() == "[]", answer.stderr
