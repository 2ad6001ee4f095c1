"""A short form of `make load`: small jobs from several clients at full rate, each with an answer of its own."""

import json
import subprocess
import sys
from pathlib import Path

LOAD = Path(__file__).resolve().parents[2] / "benchmarks" / "load.py"
SECONDS = 8


def test_many_small_jobs_are_all_right_and_leave_nothing_open(tmp_path):
    output = tmp_path / "load.json"
    # Its exit code judges the rate too, which depends on what else runs.
    done = subprocess.run(
        [sys.executable, str(LOAD), "--seconds", str(SECONDS), "--output", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert output.exists(), done.stdout
    found = json.loads(output.read_text())
    assert found["wrong"] == []
    assert found["jobs"] > SECONDS
    # With dozens of jobs: one file or thread left over by each would be seen.
    for name, limit in (("server", 40), ("workers", 25), ("clients", 20)):
        group = found["processes"][name]
        assert group["begin_mb"] > 0, name
        assert group["files"][1] <= limit, name
        assert group["threads"][1] <= limit, name
