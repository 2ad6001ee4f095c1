"""How the server's memory is handed out."""

from __future__ import annotations

import ctypes

#: From malloc.h of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: Pieces of streams are smaller; what is larger goes back to the system at once.
_MAPPED_FROM_BYTES = 4 << 20
#: So much may stay with each thread for the next piece.
_KEPT_BYTES = 8 << 20


def reuse_pieces() -> None:
    """Let the memory of one piece of a stream serve the next.

    By default glibc gives it back and takes fresh pages for each, which the kernel has to clear: a third of what the
    kernel does for an upload. Other C libraries have no such switch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
