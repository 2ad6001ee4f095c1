"""Runs the real server with a configuration that tests choose: serve.py DATA ADDRESS '{"field": value, ...}'."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from dougong.server.cluster import load_cluster
from dougong.server.config import CHILD_PYTHON, Address, Config, for_cluster
from dougong.server.main import serve

FAKES = Path(__file__).parent


def config(data: Path, address: str, **changes: Any) -> Config:
    """A configuration with the fake children, a short patience, and two cores."""
    chosen = {
        "cores": 2,
        "worker_command": (*CHILD_PYTHON, "-u", "-m", "mpi4py", str(FAKES / "worker.py")),
        "check_command": (*CHILD_PYTHON, str(FAKES / "check.py")),
        "warm_workers": 0,
        "warm_command": (*CHILD_PYTHON, "-u", str(FAKES / "warm_worker.py")),
        "poll_seconds": 0.03,
        "retry_seconds": 0.05,
        "stop_patience_seconds": 0.5,
        **changes,
    }
    return Config(data=data, listen=Address.parse(address), **chosen)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    changes = json.loads(sys.argv[3])
    if "cluster_file" in changes:
        chosen = {"poll_seconds": 0.05, **changes}
        changes.update(for_cluster(load_cluster(Path(changes.pop("cluster_file"))), chosen))
    asyncio.run(serve(config(Path(sys.argv[1]), sys.argv[2], **changes)))
