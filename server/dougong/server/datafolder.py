"""The data folder: its layout, the lock that gives it to one server, and the socket.

server.lock   held by the running server: {"pid": ..., "address": "unix:/..."}; address once it listens
dougong.db    jobs, events, who uploaded what
meshes/       stored meshes
uploads/      files that have not arrived wholly
runs/JOB/N/   run directory of attempt N of a job
runs/JOB/inputs/  fields that a job takes from the results of others
server.id     who this is, for a shared folder
socket/       the Unix socket, when none was asked for

With a cluster, meshes and runs may lie in a shared folder, which compute nodes see under the same path; that holds the
id of its server, for another one would remove what it does not know:

dougong-server   contents of server.id
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from dougong.server.config import Address
from dougong.server.starting import StartError

#: File systems where locks, or the shared memory of SQLite's write-ahead log, do not hold between machines.
NETWORK_FILESYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "lustre",
        "gpfs",
        "beegfs",
        "fhgfs",
        "ceph",
        "glusterfs",
        "fuse.glusterfs",
        "fuse.ceph",
        "fuse.sshfs",
        "fuse.juicefs",
        "fuse.s3fs",
        "afs",
        "panfs",
        "orangefs",
        "pvfs2",
        "9p",
    }
)

LOCK = "server.lock"
OWNER = "dougong-server"


@dataclass(frozen=True)
class DataFolder:
    """Paths in the data folder.

    Attributes
    ----------
    root
        The data folder.
    shared
        Folder of meshes and run directories; by default the data folder.
    """

    root: Path
    shared: Path | None = None

    @property
    def elsewhere(self) -> str:
        """The shared folder, if it is not the data folder; else empty."""
        return "" if self.shared in (None, self.root) else str(self.shared)

    @property
    def database(self) -> Path:
        """The database."""
        return self.root / "dougong.db"

    @property
    def meshes(self) -> Path:
        """Stored meshes."""
        return (self.shared or self.root) / "meshes"

    @property
    def uploads(self) -> Path:
        """Files that have not arrived wholly."""
        return self.root / "uploads"

    @property
    def runs(self) -> Path:
        """Run directories."""
        return (self.shared or self.root) / "runs"

    def job(self, job_id: str) -> Path:
        """All run directories of a job."""
        return self.runs / job_id

    def attempt(self, job_id: str, attempt: int) -> Path:
        """The run directory of an attempt."""
        return self.job(job_id) / str(attempt)

    def inputs(self, job_id: str) -> Path:
        """What a job takes from the results of others; only of some jobs there is such a folder."""
        return self.job(job_id) / "inputs"

    def make(self, mountinfo: Path = Path("/proc/self/mountinfo")) -> None:
        """Make the folders, readable by their owner only.

        Raises
        ------
        StartError
            They would lie on a network file system, or cannot be made.
        """
        kind = filesystem(self.root, mountinfo)
        if kind in NETWORK_FILESYSTEMS:
            raise StartError("DATA_FOLDER_ON_NETWORK", path=self.root, kind=kind)
        try:
            for folder in (self.root, self.shared or self.root):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.meshes, self.uploads, self.runs):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unusable(self.root, error) from error

    def claim_shared(self) -> None:
        """Take the shared folder for this server, for good.

        Raises
        ------
        StartError
            Another server has it, or it cannot be written to.
        """
        if self.shared is None or not self.elsewhere:
            return
        own, owner = self.root / "server.id", self.shared / OWNER
        try:
            _write_new(own, secrets.token_hex(16))
            _write_new(owner, own.read_text())
            if owner.read_text() != own.read_text():
                raise StartError("SHARED_FOLDER_IN_USE", folder=self.shared, file=owner)
        except OSError as error:
            raise _unusable(self.shared, error) from error


def _write_new(path: Path, text: str) -> None:
    """Write a small file, whole or not at all, unless it is there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text)
    try:
        # A link, unlike a rename, leaves alone what is there.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def filesystem(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of file system on which a path lies or would lie; empty when it cannot be told.

    The kernel names it in mountinfo (proc(5)), among them the kinds that share one number in statfs.
    """
    wanted = os.path.realpath(path)
    best, kind = "", ""
    try:
        lines = mountinfo.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].encode("latin-1", "surrogateescape").decode("unicode_escape")
        inside = wanted == point or wanted.startswith(point.rstrip("/") + "/")
        # Of two mounts on one point the later one covers the earlier.
        if inside and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind


def _unusable(folder: Path, error: OSError) -> StartError:
    return StartError("DATA_FOLDER_UNUSABLE", folder=folder, cause=error.strerror or error)


class Lock:
    """One server for a data folder. The kernel frees the lock when the process ends, however it ends.

    Raises
    ------
    StartError
        Another server has it; says which. Or the folder cannot be written to.
    """

    def __init__(self, folder: DataFolder) -> None:
        try:
            self._fd = os.open(folder.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(folder.root, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 4096).decode(errors="replace").strip()
            os.close(self._fd)
            raise StartError("DATA_FOLDER_IN_USE", path=folder.root, holder=holder) from None
        self._write({"pid": os.getpid()})

    def announce(self, address: str) -> None:
        """Say where the server listens, now that it does."""
        self._write({"pid": os.getpid(), "address": address})

    def _write(self, content: dict[str, object]) -> None:
        data = json.dumps(content).encode()
        os.pwrite(self._fd, data + b"\n", 0)
        os.ftruncate(self._fd, len(data) + 1)

    def release(self) -> None:
        """Give the folder free."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def prepare_socket(address: Address) -> None:
    """Make the folder of the Unix socket, for its owner only, and remove a socket that a dead server left.

    Raises
    ------
    StartError
        Somebody listens there, something else has that name, or the folder belongs to another user.
    """
    if address.socket is None:
        return
    folder = address.socket.parent
    made = not folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    if not made and folder.stat().st_uid != os.getuid():
        raise StartError("SOCKET_FOLDER_FOREIGN", path=folder)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(address.socket))
        except FileNotFoundError:
            return
        except OSError:
            if not address.socket.is_socket():
                raise StartError("SOCKET_PATH_TAKEN", path=address.socket) from None
            address.socket.unlink(missing_ok=True)
            return
    raise StartError("ADDRESS_IN_USE", address=address)
