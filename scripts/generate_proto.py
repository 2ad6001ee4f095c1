"""Generate the Python code of the contract; `--check` only says whether it is up to date.

Generated with the oldest supported grpcio-tools, so that the code loads on the runtimes of every supported
distribution (protobuf 4.21 on loong64) as well as on the newest ones. Those tools pin an old protobuf, hence they live
in an environment of their own, build/proto-venv.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TOOLS = ROOT / "build" / "proto-venv"
#: The tools that the oldest supported runtime belongs to; setuptools because they import pkg_resources.
REQUIREMENTS = ("grpcio-tools==1.51.3", "setuptools<81")


def tools_python() -> Path:
    """Find the interpreter that has grpcio-tools, made when it is not there yet."""
    python = TOOLS / "bin" / "python"
    done = TOOLS / "requirements"
    wanted = "\n".join(REQUIREMENTS)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        print("Making build/proto-venv")
        venv.create(TOOLS, clear=True, symlinks=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *REQUIREMENTS]
        subprocess.run(command, check=True)
        done.write_text(wanted, encoding="utf-8")
    return python


def sources() -> list[str]:
    """Every .proto file, relative to the root of the contract."""
    return sorted(str(file.relative_to(PROTO)) for file in PROTO.glob("dougong/**/*.proto"))


def generate(target: Path) -> None:
    """Write the generated code of all .proto files below a folder.

    Only a .proto with a service gets a ``_pb2_grpc.py``: the others would be empty.
    """
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    command = [str(tools_python()), "-m", "grpc_tools.protoc", f"-I{PROTO}", *outputs, *sources()]
    subprocess.run(command, check=True, cwd=PROTO)
    for stub in target.glob("dougong/**/*_pb2_grpc.py"):
        if "class " not in stub.read_text(encoding="utf-8"):
            stub.unlink()


def generated_files(root: Path) -> dict[str, bytes]:
    """Contents of the generated files below a folder, by relative path."""
    return {
        str(file.relative_to(root)): file.read_bytes()
        for pattern in ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
        for file in sorted(root.glob(f"dougong/**/{pattern}"))
    }


def main(check: bool) -> int:
    """Generate, or compare; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        new, present = generated_files(fresh), generated_files(PROTO)
        changed = sorted(name for name in new.keys() | present.keys() if new.get(name) != present.get(name))
        if check:
            for name in changed:
                print(f"proto/{name} is not what its .proto says; run `make proto`")
            return 1 if changed else 0
        for name in changed:
            if name in new:
                shutil.copyfile(fresh / name, PROTO / name)
            else:
                (PROTO / name).unlink()
            print(f"proto/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--check"]))
