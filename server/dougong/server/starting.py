"""The error by which a server refuses to start."""

from __future__ import annotations

from dougong.messages import FemError


class StartError(FemError):
    """The server cannot start as it was asked to."""
