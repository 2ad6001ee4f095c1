"""The private server: one per data folder, started when it is needed, found again by later commands.

It is a process of its own, so that a job goes on when the command that submitted it has ended. It leaves by itself
after ten idle minutes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc

from dougong.client.errors import ServerUnreachable
from dougong.client.transport import check_address, open_channel
from dougong.messages import FemError

#: Longest path of a Unix socket: sun_path of unix(7) has 108 bytes with its closing zero.
MAX_SOCKET_PATH = 107
IDLE_EXIT_SECONDS = 600
START_SECONDS = 60.0
LOG = "server.log"
#: So much of the log is shown when the server does not start.
_TAIL_LINES = 12


def data_folder() -> Path:
    """DOUGONG_DATA, $XDG_DATA_HOME/dougong, or ~/.local/share/dougong.

    Raises
    ------
    FemError
        None of them is set and the user has no home.
    """
    chosen = os.environ.get("DOUGONG_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    share = os.environ.get("XDG_DATA_HOME")
    try:
        return (Path(share) if share else Path.home() / ".local" / "share").absolute() / "dougong"
    except RuntimeError as error:
        raise FemError("DATA_FOLDER_UNUSABLE", folder="~/.local/share/dougong", cause="no home directory") from error


def socket_path(data: Path) -> Path:
    """The socket of the server of a data folder.

    It lies in the data folder, or, when that path is too long, in a folder under /tmp that only this user can enter.
    """
    inside = data.absolute() / "socket" / "server.sock"
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    return Path(f"/tmp/dougong-{os.getuid()}-{digest}/server.sock")


@dataclass(frozen=True)
class PrivateServer:
    """The private server of a data folder.

    Attributes
    ----------
    data
        The data folder.
    """

    data: Path

    @property
    def target(self) -> str:
        """Its address."""
        return f"unix:{socket_path(self.data)}"

    def is_serving(self, timeout_seconds: float = 2.0) -> bool:
        """Whether it answers."""
        if not socket_path(self.data).exists():
            return False
        return is_serving(self.target, timeout_seconds)

    def ensure(self) -> str:
        """Its address; it is started when it does not answer. Two commands at once start one server.

        Raises
        ------
        ServerUnreachable
            It did not come up; the end of its log is in the message.
        FemError
            The data folder cannot be used.
        """
        if self.is_serving():
            return self.target
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            _own_folder(socket_path(self.data).parent)
            with _locked(self.data / "start.lock"):
                if not self.is_serving():
                    self._start()
        except OSError as error:
            cause = error.strerror or error
            raise FemError("DATA_FOLDER_UNUSABLE", folder=self.data, cause=cause) from error
        return self.target

    def _start(self) -> None:
        log = self.data / LOG
        command = [sys.executable, "-P", "-m", "dougong.server.main", "--data", str(self.data)]
        command += ["--listen", self.target, "--idle-exit", str(IDLE_EXIT_SECONDS)]
        start = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as out:
            # A session of its own: the Ctrl-C of this terminal is not meant for the server.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.data,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.is_serving(timeout_seconds=1.0):
                # It outlives this process on purpose; should it end before, somebody must take note of that.
                threading.Thread(target=process.wait, daemon=True).start()
                return
            if process.poll() is not None:
                raise self._failure(f"exit status {process.returncode}", log, start)
            time.sleep(0.03)
        process.kill()
        process.wait()
        raise self._failure(f"no answer within {START_SECONDS:.0f} s", log, start)

    def _failure(self, cause: str, log: Path, start: int) -> ServerUnreachable:
        with open(log, "rb") as file:
            file.seek(start)
            lines = file.read(1 << 20).decode(errors="replace").strip().splitlines()
        tail = "\n".join(lines[-_TAIL_LINES:])
        return ServerUnreachable("PRIVATE_SERVER_FAILED", folder=self.data, cause=cause, log=log, tail=tail)


def is_serving(target: str, timeout_seconds: float) -> bool:
    """Ask the standard health service.

    Its two messages are so small that they are written out here: the request is empty, the reply `status = SERVING`
    is two bytes. So the client does not need the health package.
    """
    with open_channel(check_address(target)) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            return bool(check(b"", timeout=timeout_seconds) == b"\x08\x01")
        except grpc.RpcError:
            return False


def _own_folder(folder: Path) -> None:
    """Make a folder that only this user can enter, and refuse one that somebody else has made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.getuid() or folder.is_symlink():
        raise PermissionError(13, "it belongs to somebody else", str(folder))
    if status.st_mode & 0o077:
        folder.chmod(0o700)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
