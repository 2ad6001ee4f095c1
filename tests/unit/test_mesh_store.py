import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes import canonical, convert, sandbox
from dougong.meshes.confine import landlock_version
from dougong.meshes.store import MeshStore, file_sha256, mesh_id
from dougong.messages import DataLoss, InputError, NotFound
from meshgen import box
from meshwriters import write_gmsh

MIB = 1 << 20


@pytest.fixture
def source(tmp_path):
    write_gmsh(tmp_path / "a.msh", box("tet10"), "4.1", True)
    return tmp_path / "a.msh"


@pytest.fixture
def store(tmp_path):
    return MeshStore(tmp_path / "store")


def reasons(call, *arguments, **options):
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return [v.reason for v in caught.value.violations]


def test_a_mesh_is_stored_once_and_found_by_what_it_is_made_of(store, source):
    identity = asyncio.run(store.convert(source, "gmsh", "../../etc/passwd\x00\n"))
    sha = hashlib.sha256(source.read_bytes()).hexdigest()
    assert identity == hashlib.sha256(f"dougong-mesh\ngmsh\n{sha}\n".encode()).hexdigest()
    assert store.has(identity)
    assert list(store.ids()) == [identity]
    assert store.source(identity).read_bytes() == source.read_bytes()
    stored = store.open(identity)
    mesh = box("tet10")
    np.testing.assert_array_equal(stored.points, mesh.points)
    np.testing.assert_array_equal(stored.cells(0), mesh.blocks[0].nodes)
    assert stored.damaged_files() == []
    info = store.info(identity)
    assert (info.node_count, info.cell_count, info.dimension) == (mesh.n_nodes, mesh.n_cells, 3)
    assert info.conversion_sha256 == stored.digest
    assert info.converter_version == canonical.CONVERTER_VERSION
    assert {r.name for r in info.regions} == {r.name for r in mesh.regions}
    # A second time there is nothing to do: not even a child is started.
    before = {p: p.stat().st_mtime_ns for p in store.directory(identity).iterdir()}
    assert store.convert_now(source, "gmsh") == identity
    assert {p: p.stat().st_mtime_ns for p in store.directory(identity).iterdir()} == before


def test_the_same_file_twice_at_a_time(store, source):
    async def both():
        return await asyncio.gather(store.convert(source, "gmsh"), store.convert(source, "gmsh"))

    first, second = asyncio.run(both())
    assert first == second
    assert list(store.ids()) == [first]
    assert store.open(first).damaged_files() == []


def test_a_caller_who_goes_away_leaves_neither_child_nor_file(store, source, tmp_path):
    def children():
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if b"dougong.meshes.convert" in command and str(tmp_path).encode() in command:
                found.append(entry.name)
        return found

    async def cancelled():
        task = asyncio.create_task(store.convert(source, "gmsh"))
        while not children():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert children() == []
    assert list(store.ids()) == []
    assert list((tmp_path / "store" / "work").iterdir()) == []


def test_removing(store, source, tmp_path):
    identity = store.convert_now(source, "gmsh")
    store.remove(identity)
    store.remove(identity)
    assert not store.has(identity)
    assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []
    with pytest.raises(NotFound):
        store.open(identity)
    assert source.exists()


@pytest.mark.parametrize("identity", ["", "..", "../" * 21 + "a", "A" * 64, "0" * 64, "0" * 63 + "\n", "0" * 64 + "\n"])
def test_what_is_no_id_is_not_found_and_never_a_path(store, identity):
    assert not store.has(identity)
    store.remove(identity)
    with pytest.raises(NotFound):
        store.directory(identity)


def test_leftovers_of_a_crash_are_swept_up_and_half_a_mesh_is_no_mesh(store, source, tmp_path):
    identity = store.convert_now(source, "gmsh")
    root = tmp_path / "store"
    # A conversion that never ended, and a mesh of which only the source of an older version is there.
    shutil.copytree(root / "meshes" / identity, root / "work" / "unfinished")
    other = mesh_id("gmsh", "0" * 64)
    (root / "meshes" / other).mkdir()
    shutil.copy(source, root / "meshes" / other / "source")
    again = MeshStore(root)
    assert list(again.ids()) == [identity]
    assert list((root / "work").iterdir()) == []
    assert not again.has(other)


def test_another_version_of_the_converter_converts_again(store, source):
    identity = store.convert_now(source, "gmsh")
    directory = store.directory(identity)
    directory.rename(directory.with_name("conversion-0"))
    assert not store.has(identity)
    assert store.convert_now(source, "gmsh") == identity
    assert {p.name for p in directory.parent.iterdir()} == {"source", "conversion-0", directory.name}


def test_a_damaged_mesh_is_data_loss(store, source):
    identity = store.convert_now(source, "gmsh")
    points = store.directory(identity) / "points.npy"
    data = bytearray(points.read_bytes())
    data[-1] ^= 1
    points.write_bytes(data)
    assert store.open(identity).damaged_files() == ["points.npy"]
    header = store.directory(identity) / "header.json"
    header.write_text(header.read_text().replace('"x0"', '"x9"'))
    with pytest.raises(DataLoss):
        store.open(identity)
    header.write_text("{")
    with pytest.raises(DataLoss):
        store.open(identity)
    (store.directory(identity) / "info.pb").write_bytes(b"\xff\xff")
    with pytest.raises(DataLoss):
        store.info(identity)


def test_a_bad_file_leaves_nothing(store, tmp_path):
    bad = tmp_path / "bad.msh"
    bad.write_bytes(
        b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 1000000000000 1 2\n3 1 0 1000000000000\n$EndNodes\n"
    )
    assert reasons(store.convert_now, bad, "gmsh") == ["MESH_COUNT_IMPOSSIBLE"]
    assert reasons(lambda: asyncio.run(store.convert(bad, "gmsh"))) == ["MESH_COUNT_IMPOSSIBLE"]
    bad.write_bytes(b"")
    assert reasons(store.convert_now, bad, "vtu") == ["MESH_FILE_EMPTY"]
    assert reasons(store.convert_now, bad, "word") == ["MESH_FORMAT_UNKNOWN"]
    assert reasons(store.convert_now, bad, "\x00 --format=gmsh") == ["MESH_FORMAT_UNKNOWN"]
    assert list(store.ids()) == []
    assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []
    assert list((tmp_path / "store" / "work").iterdir()) == []


def test_too_little_memory_or_time_is_a_reason(source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    limits = sandbox.Limits(memory_bytes=200 * MIB, cpu_seconds=60, wall_seconds=60, file_bytes=MIB)
    big = tmp_path / "big.msh"
    big.write_bytes(b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n1\n" + b"1 " * (16 * MIB) + b"\n$EndNodes\n")
    assert reasons(sandbox.convert_now, big, out, "gmsh", limits=limits) == ["MESH_TOO_LARGE"]
    limits = sandbox.Limits(memory_bytes=1024 * MIB, cpu_seconds=60, wall_seconds=0.05, file_bytes=MIB)
    assert reasons(sandbox.convert_now, source, out, "gmsh", limits=limits) == ["MESH_READ_TIMEOUT"]
    assert reasons(lambda: asyncio.run(sandbox.convert(source, out, "gmsh", limits=limits))) == ["MESH_READ_TIMEOUT"]
    limits = sandbox.Limits(memory_bytes=1024 * MIB, cpu_seconds=60, wall_seconds=60, file_bytes=1000)
    assert reasons(sandbox.convert_now, source, out, "gmsh", limits=limits) == ["MESH_TOO_LARGE"]


CHILD = """
import ctypes, os, socket, subprocess, sys, time
from dougong.meshes import convert
from dougong.meshes.formats import gmsh
def attack(path):
{body}
gmsh.read = attack
sys.exit(convert.main(sys.argv[1:]))
"""


def attack(body, source, out, **changes):
    """Run the converter with a reader that misbehaves; its exit status and output."""
    out.mkdir(exist_ok=True)
    limits = {"memory-bytes": 1024 * MIB, "cpu-seconds": 20, "file-bytes": 64 * MIB} | changes
    program = CHILD.format(body="\n".join("    " + line for line in body.splitlines()))
    command = [sys.executable, "-c", program, str(source), str(out), "--format=gmsh"]
    command += [f"--{key}={value}" for key, value in limits.items()]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


needs_landlock = pytest.mark.skipif(landlock_version() == 0, reason="the kernel has no Landlock")


@needs_landlock
@pytest.mark.parametrize(
    "body",
    [
        "open('/etc/passwd').read()",
        "open(str(path) + '.other').read()",
        "open(path, 'ab')",
        "os.unlink(path)",
        "os.listdir('/')",
        "open(str(path) + '.new', 'w')",
        "os.symlink('/etc', 'link')",
        "os.mkdir('folder')",
        "subprocess.run(['/bin/true'])",
        "subprocess.run([sys.executable, '-c', ''])",
    ],
)
def test_the_reader_reaches_nothing_but_its_file(source, tmp_path, body):
    Path(f"{source}.other").write_text("secret")
    found = attack(f"try:\n    {body}\nexcept PermissionError:\n    os._exit(77)", source, tmp_path / "out")
    assert found.returncode == 77, found.stderr
    assert source.exists()


@pytest.mark.skipif(landlock_version() < 4, reason="the kernel's Landlock does not know the network")
def test_the_reader_has_no_network(source, tmp_path):
    body = "try:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept PermissionError:\n    os._exit(77)"
    assert attack(body, source, tmp_path / "out").returncode == 77


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit(0)", "MESH_READER_CRASHED"),
        ("raise ValueError('x')", "MESH_READER_CRASHED"),
        ("f = lambda: f()\nf()", "MESH_READER_CRASHED"),
        ("os.kill(os.getpid(), 11)", "MESH_READER_CRASHED"),
        ("os._exit(0)", "MESH_READER_CRASHED"),
        ("bytearray(1 << 40)", "MESH_TOO_LARGE"),
        ("x = []\nwhile True:\n    x.append(bytearray(1 << 24))", "MESH_TOO_LARGE"),
        ("while True: pass", "MESH_READ_TIMEOUT"),
        ("open('big', 'wb').write(bytes(1 << 27))", "MESH_TOO_LARGE"),
    ],
)
def test_however_the_reader_ends_there_is_a_reason(source, tmp_path, body, reason):
    out = tmp_path / "out"
    # What is written goes to the one folder that may be written to.
    body = f"os.chdir({str(out)!r})\n{body}"
    found = attack(body, source, out, **({"cpu-seconds": 1} if "while True: pass" in body else {}))
    limits = sandbox.Limits(1024 * MIB, 1, 60, 64 * MIB)
    assert reasons(sandbox._outcome, found.returncode, out, limits) == [reason]


def test_without_landlock_formats_that_open_files_are_refused(source, tmp_path):
    body = "raise AssertionError('the reader must not run')"
    program = "convert.landlock_version = lambda: 0\ngmsh.OPENS_FILES = True\n"
    found = attack(body + "\n", source, tmp_path / "out")
    assert found.returncode == convert.EXIT_PROBLEMS
    assert reasons(sandbox._outcome, found.returncode, tmp_path / "out", sandbox.Limits(1, 1, 1, 1)) == [
        "MESH_READER_CRASHED"
    ]
    child = CHILD.format(body="    " + body).replace("gmsh.read = attack", program + "gmsh.read = attack")
    command = [sys.executable, "-c", child, str(source), str(tmp_path / "out"), "--format=gmsh"]
    command += [f"--memory-bytes={1024 * MIB}", "--cpu-seconds=20", f"--file-bytes={MIB}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    status = subprocess.run(command, env=environment, check=False).returncode
    found = reasons(sandbox._outcome, status, tmp_path / "out", sandbox.Limits(1, 1, 1, 1))
    assert found == ["MESH_FORMAT_NEEDS_LANDLOCK"]


def test_the_child_ends_with_its_parent(source, tmp_path):
    found = attack("", source, tmp_path / "out", parent=1)
    assert found.returncode == 1, "it is not the child of process 1"


def test_the_store_refuses_what_is_no_plain_file(tmp_path, source):
    store = MeshStore(tmp_path / "store")
    work = tmp_path / "store" / "work" / "w"
    (work / f"conversion-{canonical.CONVERTER_VERSION}").mkdir(parents=True)
    (work / f"conversion-{canonical.CONVERTER_VERSION}" / "points.npy").symlink_to("/etc/passwd")
    with pytest.raises(DataLoss):
        store._publish(work, mesh_id("gmsh", file_sha256(source)))
    assert list(store.ids()) == []
