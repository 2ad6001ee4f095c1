"""The version of the product, also where it runs from source folders without being installed."""

from __future__ import annotations

from importlib import metadata

try:
    VERSION = metadata.version("dougong")
except metadata.PackageNotFoundError:
    VERSION = "0 (source)"
