"""Small parts of the server: addresses, the data folder, errors on the wire, page tokens, arrays, imports."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from dougong import messages
from dougong.messages import FemError, InputError, violation
from dougong.server.api.errors import code_of, convert, status_of
from dougong.server.api.limits import make_page_token, read_page_token
from dougong.server.arrays import array_chunks
from dougong.server.config import Address, default_listen
from dougong.server.datafolder import DataFolder, Lock, filesystem, prepare_socket
from dougong.server.jobs.driver import analysis_sha256, coalesce
from dougong.server.starting import StartError
from dougong.server.stopping import ServerStoppingError
from dougong.v1 import analysis_pb2, job_pb2, mesh_pb2


def test_the_server_imports_no_numerics() -> None:
    forbidden = ("petsc4py", "slepc4py", "mpi4py", "scipy", "skfem", "meshio", "h5py")
    program = (
        "import sys, pkgutil, importlib, dougong.server as s\n"
        "for m in pkgutil.walk_packages(s.__path__, 'dougong.server.'): importlib.import_module(m.name)\n"
        "from dougong.server.executors import all_executors; all_executors()\n"
        "from dougong.server.formats import describe_formats; describe_formats()\n"
        f"bad = sorted({{m.split('.')[0] for m in sys.modules}} & set({forbidden!r}))\n"
        "sys.exit(f'imports {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", ["127.0.0.1:0", "127.8.8.8:65535", "[::1]:80", "unix:/tmp/x.sock"])
def test_addresses_of_this_machine(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "0.0.0.0:1", "[::]:1", "8.8.8.8:1", "localhost:1", "127.0.0.1", "127.0.0.1:70000", "unix:/" + "x" * 120],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(StartError):
        Address.parse(text)


@given(st.text(min_size=1, max_size=300).filter(lambda s: "\0" not in s and "/" not in s))
def test_the_default_socket_always_has_a_short_enough_path(name: str) -> None:
    assert Address.parse(default_listen(Path("/data") / name)).socket is not None


_MOUNTS = r"""
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 0:31 / /home rw - nfs4 server:/home rw
22 21 8:2 / /home/me/local\040disk rw - xfs /dev/sdb rw
23 20 0:40 / /scratch rw - lustre mgs:/scratch rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/data", "ext4"),
        ("/home/me/data", "nfs4"),
        ("/home/me/local disk/data", "xfs"),
        ("/homeless", "ext4"),
        ("/scratch", "lustre"),
    ],
)
def test_which_file_system(tmp_path: Path, path: str, kind: str) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(_MOUNTS.strip() + "\n")
    assert filesystem(Path(path), mountinfo) == kind


def test_a_network_file_system_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"20 1 8:1 / / rw - ext4 x rw\n21 20 0:3 / {tmp_path} rw - nfs4 x rw\n")
    with pytest.raises(StartError, match="nfs4"):
        DataFolder(tmp_path / "data").make(mountinfo)
    assert not (tmp_path / "data").exists()


def test_the_lock_says_who_has_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    lock = Lock(folder)
    lock.announce("unix:/x")
    with pytest.raises(StartError) as caught:
        Lock(folder)
    assert '"address": "unix:/x"' in str(caught.value)
    assert str(os.getpid()) in str(caught.value)
    lock.release()
    Lock(folder).release()


_CODES = {
    "InputError": "INVALID_ARGUMENT",
    "NotFound": "NOT_FOUND",
    "Conflict": "FAILED_PRECONDITION",
    "ResourceLimit": "RESOURCE_EXHAUSTED",
    "DataLoss": "DATA_LOSS",
    "SolveError": "FAILED_PRECONDITION",
    "WorkerLost": "INTERNAL",
    "FemError": "INTERNAL",
}


def test_a_file_in_the_place_of_the_socket_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "notes.txt"
    taken.write_text("kept")
    with pytest.raises(StartError) as refused:
        prepare_socket(Address(socket=taken))
    assert refused.value.reason == "SOCKET_PATH_TAKEN"
    assert taken.read_text() == "kept"
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    prepare_socket(Address(socket=left))
    assert not left.exists()


def test_every_kind_of_error_has_a_code() -> None:
    kinds = {n: k for n, k in vars(messages).items() if isinstance(k, type) and issubclass(k, FemError)}
    assert kinds.keys() == _CODES.keys()
    for name, kind in kinds.items():
        error = InputError([violation("QUEUE_FULL", limit=1)]) if kind is InputError else kind("QUEUE_FULL", limit=1)
        assert code_of(error).name == _CODES[name]
    assert code_of(ServerStoppingError("SERVER_STOPPING")) is grpc.StatusCode.UNAVAILABLE


@given(st.lists(st.tuples(st.text(max_size=3000), st.text(max_size=3000)), min_size=1, max_size=60))
def test_a_status_fits_into_trailing_metadata(found: list[tuple[str, str]]) -> None:
    violations = [violation("FIELD_MISSING", field, name=name, node_ids=range(300)) for field, name in found]
    status = status_of(InputError(violations))
    assert status.ByteSize() <= 5000
    assert len({d.type_url for d in status.details}) == len(status.details)


def test_an_unexpected_exception_is_told_by_a_number_only(caplog: pytest.LogCaptureFixture) -> None:
    error = convert(ValueError("the secret of the house"), "/m")
    assert "secret" not in str(error)
    assert error.params["incident"] in caplog.text
    assert "the secret of the house" in caplog.text
    status = status_of(error)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INTERNAL_ERROR", "dougong")
    assert convert(OSError(errno.ENOSPC, "No space left"), "/m").reason == "DISK_FULL"


@given(st.integers(0, 2**63 - 1), st.text(), st.text())
def test_page_tokens(last: int, filters: str, other: str) -> None:
    token = make_page_token(last, filters)
    assert read_page_token(token, filters) == last
    if other != filters:
        with pytest.raises(InputError):
            read_page_token(token, other)


@given(st.text(min_size=1))
def test_invented_page_tokens(token: str) -> None:
    with pytest.raises(InputError):
        read_page_token(token, "filters")


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (7, 3), (5,)])
@pytest.mark.parametrize("size", [1, 7, 8, 1000])
def test_arrays_in_pieces(shape: tuple[int, ...], size: int) -> None:
    array = np.arange(np.prod(shape, dtype=int), dtype=">f8").reshape(shape)

    async def pieces(offset: int) -> list[bytes]:
        chunks = [mesh_pb2.ArrayChunk.FromString(c) async for c in array_chunks("a", array, size, offset=offset)]
        assert (chunks[0].name, tuple(chunks[0].shape)) == ("a", shape)
        return [c.data for c in chunks]

    whole = array.astype("<f8").tobytes()
    for offset in {0, len(whole) // 2, len(whole)}:
        assert b"".join(asyncio.run(pieces(offset))) == whole[offset:]


def resident(path: Path) -> int:
    """Bytes of a mapped file that count as memory of this process."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    starts = [k for k, line in enumerate(lines) if line.endswith(f" {path}")]
    return sum(int(line.split()[1]) << 10 for k in starts for line in lines[k : k + 5] if line.startswith("Rss:"))


@pytest.mark.parametrize("column", [None, 1])
def test_a_mapped_array_does_not_stay_in_memory(tmp_path: Path, column: int | None) -> None:
    values = np.arange(3 << 20, dtype=np.float64).reshape(-1, 3)
    np.save(tmp_path / "a.npy", values)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    chosen, expected = (mapped, values) if column is None else (mapped[:, column], values[:, column])
    most = 0

    async def read() -> bytes:
        nonlocal most
        found = bytearray()
        async for wire in array_chunks("a", chosen, 1_000_001):
            found += mesh_pb2.ArrayChunk.FromString(wire).data
            most = max(most, resident(tmp_path / "a.npy"))
        return bytes(found)

    assert asyncio.run(read()) == expected.tobytes()
    assert 0 < most < values.nbytes / 4
    np.testing.assert_array_equal(mapped, values)


def test_progress_is_coalesced_by_stage() -> None:
    steps = [
        job_pb2.Progress(stage=s, iteration=i) for i, s in enumerate(["read", "solve", "solve", "output", "solve"])
    ]
    assert [(s.stage, s.iteration) for s in coalesce(steps)] == [("read", 0), ("solve", 2), ("output", 3), ("solve", 4)]


def test_the_name_is_no_part_of_an_analysis_digest() -> None:
    one, two = analysis_pb2.Analysis(name="a", mesh="m"), analysis_pb2.Analysis(name="b", mesh="m")
    assert analysis_sha256(one) == analysis_sha256(two) != analysis_sha256(analysis_pb2.Analysis(mesh="n"))
    assert one.name == "a"
