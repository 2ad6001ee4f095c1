"""What a process may still do before it reads untrusted bytes: limits, Landlock, no new privileges. Linux only.

Sources: setrlimit(2), prctl(2), landlock(7), landlock_create_ruleset(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

#: System call numbers; the same on all architectures that came after 2019's unification, among them x86-64,
#: arm64 and loong64.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_FS_WRITE_FILE, _FS_READ_FILE, _FS_READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FS_REMOVE_FILE, _FS_MAKE_REG, _FS_TRUNCATE = 1 << 5, 1 << 8, 1 << 14
#: How many file rights each version of the interface knows, from version 1 on.
_FS_RIGHTS = (13, 14, 15, 15, 16)
_NET_RIGHTS = 0b11
_SCOPES = 0b11

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class ConfineError(Exception):
    """The kernel offers a restriction, but did not grant it."""


def set_limits(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Limit address space, processor time and the size of each file; no core dumps, few open files."""
    for kind, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of time comes SIGXCPU, which can be told from other ends; at the hard one SIGKILL.
        later = limit + 5 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else limit
        resource.setrlimit(kind, (limit, later))


def die_with(parent: int) -> None:
    """End this process when the process `parent`, which started it, ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def landlock_version() -> int:
    """Version of the kernel's Landlock interface; 0 where it has none or it is switched off."""
    version = _libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(int(version), 0)


def restrict_files(readable: Iterable[Path], writable: Path) -> int:
    """Allow this process to read some files and folders and to write into one folder; no other files, no network.

    Parameters
    ----------
    readable
        Files, or folders with all that is in them. Those that do not exist are passed over.
    writable
        A folder.

    Returns
    -------
    int
        The version of the interface; 0: the kernel cannot do it and nothing has been restricted.

    Raises
    ------
    ConfineError
        The kernel can do it in principle, but refused.
    """
    version = landlock_version()
    if version == 0:
        return 0
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    rights = (1 << _FS_RIGHTS[min(version, len(_FS_RIGHTS)) - 1]) - 1
    attributes = struct.pack("=Q", rights)
    if version >= 4:
        attributes += struct.pack("=Q", _NET_RIGHTS)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = _check(
        _libc.syscall(ctypes.c_long(_CREATE_RULESET), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)),
        "landlock_create_ruleset",
    )
    try:
        for path in readable:
            allowed = _FS_READ_FILE | (_FS_READ_DIR if path.is_dir() else 0)
            _allow(ruleset, path, allowed & rights)
        make = _FS_READ_FILE | _FS_READ_DIR | _FS_WRITE_FILE | _FS_MAKE_REG | _FS_REMOVE_FILE | _FS_TRUNCATE
        _allow(ruleset, writable, make & rights)
        _check(
            _libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint32(0)),
            "landlock_restrict_self",
        )
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", rights, fd)
        _check(
            _libc.syscall(
                ctypes.c_long(_ADD_RULE),
                ctypes.c_int(ruleset),
                ctypes.c_int(_RULE_PATH_BENEATH),
                rule,
                ctypes.c_uint32(0),
            ),
            "landlock_add_rule",
        )
    finally:
        os.close(fd)


def _check(result: int, what: str) -> int:
    if result < 0:
        raise ConfineError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return int(result)


def code_folders() -> list[Path]:
    """Folders that Python imports from, for what is imported late: standard library and installed packages."""
    folders = [Path(os.__file__).parent, Path("/usr/lib"), Path("/lib"), Path("/dev/urandom")]
    for name in ("numpy", "h5py", "google.protobuf", "dougong.meshes.confine", "dougong.messages"):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:
            # Up to the folder on the path: one level for each dot of the name, and one for a package's __init__.
            up = name.count(".") + (1 if Path(file).name.startswith("__init__.") else 0)
            folders.append(Path(file).parents[up])
    return folders
