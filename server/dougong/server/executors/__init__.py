"""Executors, one module each, found by scan; see `dougong.server.executors.base`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import cast

from dougong.server.executors.base import ExecutorModule


@cache
def all_executors() -> dict[str, ExecutorModule]:
    """Every executor by name."""
    modules = [import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if m.name != "base"]
    return {module.NAME: cast(ExecutorModule, module) for module in modules}
