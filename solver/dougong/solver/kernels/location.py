"""Where the compiled library lies, and of what sources it is made."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

FOLDER = Path(__file__).parent

#: Compiled once.
SHARED_SOURCES = ("pattern.c", "dispatch.c")

#: Compiled once per instruction set.
VARIANT_SOURCE = "variant.c"

HEADERS = (
    "kernels.h",
    "simd.h",
    "geometry.h",
    "elements.h",
    "scatter.h",
    "tensors.h",
    "apply.h",
    "product.h",
    "smooth.h",
)


def library_path() -> Path:
    """Where the library for these sources and this machine lies, or would lie."""
    digest = hashlib.sha256()
    for name in (*SHARED_SOURCES, VARIANT_SOURCE, *HEADERS, "build.py"):
        digest.update((FOLDER / name).read_bytes())
    return FOLDER / f"_kernels-{platform.machine()}-{digest.hexdigest()[:16]}.so"
