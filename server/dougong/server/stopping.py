"""Said to callers when the server stops."""

from dougong.messages import FemError


class ServerStoppingError(FemError):
    """The server stops; the call can be repeated when it is back."""
