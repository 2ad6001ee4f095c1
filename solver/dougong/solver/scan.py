"""Finds plug-ins: every module of a package that has a given name in it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def scan(package: str, attribute: str) -> list[Any]:
    """The value of `attribute` in each module of `package` that has it, in order of module name.

    Parameters
    ----------
    package
        Name of an importable package.
    attribute
        Name that makes a module a plug-in, for example "PHYSICS".
    """
    folder = importlib.import_module(package)
    found = []
    for entry in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{package}.{entry.name}")
        if hasattr(module, attribute):
            found.append(getattr(module, attribute))
    return found
