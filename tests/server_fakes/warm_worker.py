"""The fake worker as a warm one. One job more is known here, "litter": it succeeds, but leaves something behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dougong.solver import rundir, warm

sys.path.insert(0, str(Path(__file__).parent))
from worker import main


def work(directory: Path) -> int:
    """As the real one: a success, or an exit code for the process."""
    if rundir.read_spec(directory).analysis.name == "litter":
        os.environ["LITTER"] = "1"
    code = main(directory)
    outcome = rundir.read_outcome(directory)
    return code or (0 if outcome is not None and outcome.HasField("result") else 3)


if __name__ == "__main__":
    sys.exit(warm.serve(warm.take_control(), work, lambda: None))
